"""What a bench cannot measure is said in its place.

The others go on, and the exit status tells a failure from it.
"""

from tests.bench import scaling
from tests.bench.ground import Course, Sample
from tests.bench.results import NotMeasuredError, Report, Result, measure_each
from tests.bench.scaling import Speed


def test_a_bench_that_raises_ends_only_itself_and_its_line_says_why() -> None:
    def too_quick(report: Report) -> None:
        Course([Sample(1.0, 500, 0.0)], {}).rate  # noqa: B018

    def broken(report: Report) -> None:
        raise RuntimeError("The load was not sent:\n  no broker")

    def fine(report: Report) -> None:
        report.results.append(Result("x", "y", "2.00x", "≥ 1x", True))

    report, said = Report("c", "m", {}), list[str]()
    assert measure_each(
        {"quick": too_quick, "broken": broken, "fine": fine}, report, said.append
    ) == ["broken"]
    assert [(one.what, one.measured, one.verdict) for one in report.results] == [
        ("quick", "not measured: all 500 events were done between two looks", "not measured"),
        ("broken", "not measured: The load was not sent: no broker", "not measured"),
        ("x", "2.00x", "met"),
    ]
    assert len(said) == 3


def test_where_two_workers_were_too_quick_to_be_measured_the_other_way_still_is() -> None:
    ways = dict.fromkeys(("pinned", "held"))
    found = {(way, workers): [Speed(100.0 * workers, 1, 1)] for way in ways for workers in (1, 2)}
    assert scaling._result(ways, found, {}).met is True
    quick = str(NotMeasuredError("all were done"))
    one = scaling._result(ways, found | {("pinned", 2): []}, {"pinned": quick})
    assert (
        one.measured.startswith("2.00x (pinned")
        and one.measured.endswith("not measured: all were done)")
        and one.met
    )
    other = scaling._result(ways, found | {("held", 2): []}, {"held": quick})
    assert (
        other.measured.startswith("not measured: all were done (pinned")
        and other.verdict == "not measured"
    )
