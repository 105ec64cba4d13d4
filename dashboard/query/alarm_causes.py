"""Causes of alarms, each declared once: sentences, scene on the wall, grouping.

They are the causes of the rules (`schemas/reference/data/alarms.csv`); a rule with any other cause
stops the dashboard when it starts, because a site may edit its rules and runs no tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from schemas.declared import same, whole
from schemas.reference import alarm_rules

Subject = Literal["text", "category", "feed", "feed_first", "target"]
"""What the subject of an alarm is: plain text, the code of a category, a kind of feed (inside the
sentence, or at its beginning), or a target.
"""
OF_FIGURE = "of_figure"
"""Stands for the scene of the kind of an alarm's figure."""


@dataclass(frozen=True, kw_only=True)
class AlarmCause:
    """A cause of alarms.

    `one` and `many` are the message keys of its sentences about one unit and about several; the
    same key if they do not differ. A sentence may name target, n, change, category, minutes, rule,
    value, feed, span, reason and units.

    Raises:
        IncompleteDeclarationError: names the empty parts.
    """

    code: str
    one: str
    many: str
    subject: Subject
    scene: str
    """The scene of the wall that shows it, or `OF_FIGURE`."""
    place: str = ""
    """The message key shown instead of its units; empty if the units are named."""
    many_of: Literal["units", "alarms"] = "units"
    """What `n` counts, and of which `many` needs several: units, or alarms shown as one."""
    marks_communes: bool = True
    """Whether maps mark its communes; those of a silent source are hatched instead."""
    seen_twice: bool = False
    """Whether two rules detect it, so that one matter may raise two alarms."""
    by_subject: bool = True
    """Whether alarms of several subjects are shown apart."""
    value_is_seconds: bool = False
    """Whether the value is a duration in seconds, and formatted as such."""

    def __post_init__(self) -> None:
        whole(
            f"alarm cause {self.code or '?'}",
            *((bool(getattr(self, name)), name) for name in ("code", "one", "many", "scene")),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The message keys of all its texts."""
        return tuple(key for key in (self.one, self.many, self.place) if key)


ALARM_CAUSES: tuple[AlarmCause, ...] = (
    AlarmCause(
        code="burst",
        one="burst",
        many="burst_many",
        subject="category",
        scene="feedback",
        seen_twice=True,
    ),
    AlarmCause(
        code="pile",
        one="pile",
        many="pile_many",
        subject="text",
        scene="filings",
        seen_twice=True,
    ),
    AlarmCause(code="flash", one="flash", many="flash_many", subject="text", scene="documents"),
    AlarmCause(
        code="silent",
        one="silent",
        many="silent_many",
        subject="feed",
        scene="sources",
        marks_communes=False,
    ),
    AlarmCause(
        code="malformed",
        one="malformed",
        many="malformed_many",
        subject="feed",
        scene="sources",
        marks_communes=False,
    ),
    AlarmCause(
        code="ahead",
        one="ahead",
        many="ahead_many",
        subject="feed_first",
        scene="sources",
        value_is_seconds=True,
    ),
    AlarmCause(code="refused", one="refused", many="refused_many", subject="text", scene="sources"),
    AlarmCause(
        code="dead_letters",
        one="dead_letters",
        many="dead_letters",
        subject="text",
        scene="sources",
        place="dead_letters_place",
    ),
    AlarmCause(code="figure", one="figure", many="figure", subject="text", scene=OF_FIGURE),
    AlarmCause(
        code="off_track",
        one="off_track",
        many="off_track_many",
        subject="target",
        scene="targets",
        many_of="alarms",
        by_subject=False,
    ),
)
BY_CODE = {one.code: one for one in ALARM_CAUSES}
ANY_CAUSE = BY_CODE["figure"]
"""Texts of alarms whose cause no longer exists: those of their rule."""


def check_causes(causes: Iterable[AlarmCause] = ALARM_CAUSES) -> None:
    """Check that `causes` are those of the rules.

    Raises:
        IncompleteDeclarationError: names the causes that only one side has.
    """
    codes = [one.code for one in causes]
    same("alarm causes", codes, {rule.cause for rule in alarm_rules()}, "cause")


def cause_of(code: str) -> AlarmCause:
    """Return the cause of a code; `ANY_CAUSE` for one that no longer exists."""
    return BY_CODE.get(code, ANY_CAUSE)
