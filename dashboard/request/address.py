"""What the address of a desk page asks for: everything that decides what it shows, so that a link shows the same to a colleague."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

from dashboard.i18n.translator import Language, Translator
from dashboard.query.clock import Picture, Replay
from dashboard.request.view import Theme, choose_language, theme
from schemas.reference import ZONE

PAST = ("moment", "picture", "since", "until", "speed", "loop", "marked", "run")
"""Parameters of a replay: its moment, the knowledge of it that is shown, the period of its timeline, how it is played; the run of
the stream that is looked at instead of live."""
VIEWER = ("lang", "theme")
"""Parameters of who looks, not of what is looked at."""
FRAME = (*VIEWER, *PAST)
"""Parameters that links carry along."""
MAX_ADDRESS_BYTES = 8 << 10
"""A longer address is not of a link of ours: fifty values of a filter take two."""
YEARS = range(1970, 2200)
"""Years of which a moment can be asked for."""


@dataclass(frozen=True)
class PageRequest:
    """An address: the path, and its parameters in order of their names."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    language: Language = "vi"

    @classmethod
    def of(cls, path: str, search: str, remembered: str | None, usual: str) -> "PageRequest":
        """From a path and the part after the question mark. The language is that of the address, or the one remembered."""
        given = dict(parse_qsl(search.removeprefix("?")[: 2 * MAX_ADDRESS_BYTES]))
        return cls(
            path,
            tuple(sorted(given.items())),
            choose_language(given.get("lang"), remembered, usual),
        )

    def get(self, name: str, otherwise: str = "") -> str:
        """A parameter; `otherwise` if it is not given."""
        return dict(self.parameters).get(name, otherwise)

    @property
    def is_too_long(self) -> bool:
        """Whether it is longer than an address may be."""
        return (
            len(self.path) + sum(len(name) + len(value) + 2 for name, value in self.parameters)
            > MAX_ADDRESS_BYTES
        )

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path: `/unit/19753` has `unit` and `19753`."""
        return tuple(part for part in self.path.split("/") if part)

    @property
    def translator(self) -> Translator:
        """Speaks the viewer's language."""
        return Translator(self.language)

    @property
    def theme(self) -> Theme:
        """Light or dark."""
        return theme(self.get("theme"))

    def replay(self, now: datetime) -> Replay | None:
        """The moment of the past that is asked for; None for the present. Raises `ValueError` where it, or an end of the period
        of its timeline, is none, and where it is still to come."""
        at = self.moment("moment")
        if at is None:
            return None
        if at > now:
            raise ValueError(self.translator("moment_to_come"))
        for end in ("since", "until"):
            self.moment(end)
        return Replay(
            at, Picture.CORRECTED if self.get("picture") == Picture.CORRECTED else Picture.KNOWN
        )

    def moment(self, name: str) -> datetime | None:
        """A parameter that is a moment; None if it is not given. Raises `ValueError`."""
        said = self.get(name)
        return moment_of(said) if said else None

    def moments(self, name: str) -> list[datetime]:
        """A parameter that holds moments with commas between, in their order. Raises `ValueError`."""
        return sorted({moment_of(one) for one in self.get(name).split(",") if one})

    def with_(self, **changes: str | None) -> str:
        """The address of the same page with some parameters changed, or taken away by None."""
        return self.link(self.path, **{**dict(self.parameters), **changes})

    def link(self, path: str, **parameters: str | None) -> str:
        """The address of a page, seen by the same viewer."""
        kept: Mapping[str, str | None] = {name: self.get(name) for name in FRAME} | parameters
        query = urlencode(sorted((name, value) for name, value in kept.items() if value))
        return quote(path, safe="/,:") + (f"?{query}" if query else "")


def moment_of(text: str) -> datetime:
    """A moment as an address has it: 2026-11-22T14:05:30, in Viet Nam where it does not say. Raises `ValueError`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(text) from error
    if found.year not in YEARS:
        raise ValueError(text)
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def written(at: datetime, upto: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """A moment for an address."""
    return at.astimezone(ZONE).replace(tzinfo=None).isoformat(timespec=upto)
