"""Page addresses: they hold all that decides what a page shows, so that links can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

from dashboard.i18n.translator import Language, Translator
from dashboard.query.clock import Picture, Replay
from dashboard.request.view import Theme, choose_language, theme
from schemas.reference import ZONE

PAST = ("moment", "picture", "since", "until", "speed", "loop", "marked", "run")
"""Parameters of a replay: its moment, as known or as corrected, the period of its timeline, how it
is played; and the replay run that is shown instead of live."""
VIEWER = ("lang", "theme")
"""Parameters of the viewer, not of the content."""
FRAME = (*VIEWER, *PAST)
"""Parameters that links keep."""
MAX_ADDRESS_BYTES = 8 << 10
"""Longest address served; 50 values of a filter take 2 kB."""
YEARS = range(1970, 2200)
"""Years that a moment may lie in."""


@dataclass(frozen=True)
class PageRequest:
    """A request for a page: the path, and the parameters sorted by name."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    language: Language = "vi"

    @classmethod
    def of(cls, path: str, search: str, remembered: str | None, usual: str) -> "PageRequest":
        """Parse a path and a query string; the language is the address's or the remembered one."""
        given = dict(parse_qsl(search.removeprefix("?")[: 2 * MAX_ADDRESS_BYTES]))
        return cls(
            path,
            tuple(sorted(given.items())),
            choose_language(given.get("lang"), remembered, usual),
        )

    def get(self, name: str, otherwise: str = "") -> str:
        """Return a parameter; `otherwise` if it is missing."""
        return dict(self.parameters).get(name, otherwise)

    @property
    def is_too_long(self) -> bool:
        """Whether the address is longer than `MAX_ADDRESS_BYTES`."""
        return (
            len(self.path) + sum(len(name) + len(value) + 2 for name, value in self.parameters)
            > MAX_ADDRESS_BYTES
        )

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments of the path: `/unit/19753` has `unit` and `19753`."""
        return tuple(part for part in self.path.split("/") if part)

    @property
    def translator(self) -> Translator:
        """The translator to the viewer's language."""
        return Translator(self.language)

    @property
    def theme(self) -> Theme:
        """Light or dark."""
        return theme(self.get("theme"))

    def replay(self, now: datetime) -> Replay | None:
        """Return the past moment requested; None for the present.

        Raises:
            ValueError: the moment lies ahead, or it or an end of the timeline is malformed.
        """
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
        """Return a parameter that is a moment; None if missing. Raise `ValueError` if malformed."""
        text = self.get(name)
        return moment_of(text) if text else None

    def moments(self, name: str) -> list[datetime]:
        """Return a parameter of comma-separated moments, sorted; `ValueError` if malformed."""
        return sorted({moment_of(one) for one in self.get(name).split(",") if one})

    def without(self, *names: str) -> "PageRequest":
        """Return the request without some parameters."""
        kept = tuple(one for one in self.parameters if one[0] not in names)
        return replace(self, parameters=kept)

    def with_(self, **changes: str | None) -> str:
        """Return the address of this page with parameters changed, or removed by None."""
        return self.link(self.path, **{**dict(self.parameters), **changes})

    def link(self, path: str, **parameters: str | None) -> str:
        """Return the address of another page for the same viewer."""
        kept: Mapping[str, str | None] = {name: self.get(name) for name in FRAME} | parameters
        query = urlencode(sorted((name, value) for name, value in kept.items() if value))
        return quote(path, safe="/,:") + (f"?{query}" if query else "")


def moment_of(text: str) -> datetime:
    """Parse a moment of an address, as 2026-11-22T14:05:30; Viet Nam time if it names no zone.

    Raises:
        ValueError: `text` is no moment, or its year is outside `YEARS`.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(text) from error
    if found.year not in YEARS:
        raise ValueError(text)
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def format_moment(at: datetime, upto: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """Format a moment for an address."""
    return at.astimezone(ZONE).replace(tzinfo=None).isoformat(timespec=upto)
