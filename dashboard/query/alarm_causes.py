"""What alarms can be about, each cause declared once: its sentences, its scene on the wall, how alarms of it are told together.

The causes are those of the rules (`schemas/reference/data/alarms.csv`); a rule with any other cause is an error at import.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.declared import same, whole
from schemas.reference import alarm_rules

Subject = Literal["text", "category", "feed", "feed_first", "target"]
"""What the subject of an alarm is: a text as it stands, the code of a category, a kind of feed (in the sentence, or at its
beginning), or a target."""
OF_FIGURE = "of_figure"
"""In place of a scene: that of the kind of the figure that an alarm is about."""


@dataclass(frozen=True, kw_only=True)
class AlarmCause:
    """A cause of alarms.

    `one` and `many` are the keys of its sentences, about one unit and about several; a cause that is told in the same words names
    one key twice. A sentence may name target, n, change, category, minutes, rule, value, feed, span, reason and units.

    Raises:
        IncompleteDeclarationError: names the parts that are empty.
    """

    code: str
    one: str
    many: str
    subject: Subject
    scene: str
    """The scene of the wall that is about it, or `OF_FIGURE`."""
    place: str = ""
    """The key of what stands for its place; empty where that is the units that it is about."""
    many_of: Literal["units", "alarms"] = "units"
    """What there are several of when `many` is said, and what `n` then counts: units, or the alarms that are told as one."""
    marks_communes: bool = True
    """Whether its communes are marked on maps; where a source is silent they are hatched instead."""
    seen_twice: bool = False
    """Whether two rules look at it, so that one matter may be two alarms."""
    by_subject: bool = True
    """Whether alarms of several subjects are told apart."""
    value_is_seconds: bool = False
    """Whether the value is a span, which sentences write as such."""

    def __post_init__(self) -> None:
        whole(
            f"alarm cause {self.code or '?'}",
            *((bool(getattr(self, name)), name) for name in ("code", "one", "many", "scene")),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all its texts."""
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
"""How an alarm is told whose cause is no more: by the words of its rule."""
same("alarm causes", BY_CODE, {rule.cause for rule in alarm_rules()}, "cause")


def cause_of(code: str) -> AlarmCause:
    """Return the cause of a code; of one that there was in the past, how any alarm is told."""
    return BY_CODE.get(code, ANY_CAUSE)
