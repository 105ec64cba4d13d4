"""Address of a list: conditions, order, columns and page, so that a link shows the same list.

    /records/filing?agency=H57.SYT,H57.SXD&overdue=1&text=khai+sinh&from=2026-11-01&to=2026-11-22
      &figure=filing.overdue&unit=19753&sort=-left&columns=entity_id,status,left&page=2&size=100

Values of one field are separated by commas and mean any of them. A comma inside a value is escaped
once more, as `%2C`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote_plus, unquote

from dashboard.components.list_cells import CellFormatter
from dashboard.components.list_fields import FIELDS, ListField, field
from dashboard.components.table import TableState
from dashboard.components.unit_refs import resolve_unit
from dashboard.query.lists import Order, Sought
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.request.address import FRAME, PageRequest
from schemas.clickhouse.lives import BY_KIND
from schemas.events.kinds import BY_NAME, FILING, Kind
from schemas.figures import BY_CODE

PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_PAGE_SIZE = 50
MAX_VALUES = 50
"""Most values of one field that a list is filtered by."""
MAX_TEXT_LETTERS = 200
"""Longest text that is searched for, in characters."""
OWN = ("text", "from", "to", "figure", "unit")
"""Conditions that are not values of a field."""
TABLE = ("sort", "columns", "page", "size")
DAY_FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")


@dataclass(frozen=True)
class Wanted:
    """A list as its address requests it."""

    kind: Kind
    sought: Sought
    order: Order
    shown: tuple[ListField, ...]
    page: int
    size: int
    first: date | None = None
    last: date | None = None

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """The values that the list is filtered by, by field."""
        return dict(self.sought.only)

    @property
    def table_state(self) -> TableState:
        """The order and the page as tables take them."""
        return TableState(self.order.by, self.order.down, self.page, self.size)

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields that the cells of a page need."""
        return tuple(dict.fromkeys(name for one in self.shown for name in (one.name, *one.needs)))


def kind_of(request: PageRequest) -> Kind:
    """Return the kind in a list's address; filings if it names none.

    Raises:
        LookupError: the kind has no lists.
    """
    name = request.segments[1] if len(request.segments) > 1 else FILING.name
    kind = BY_NAME.get(name)
    if kind not in BY_KIND or len(request.segments) > 2:
        raise LookupError(request.translator("no_list", kind="/".join(request.segments[1:])))
    assert kind is not None
    return kind


def read(request: PageRequest, place: ProvinceContext, formatter: CellFormatter) -> Wanted:
    """Parse the address of a list.

    Raises:
        ValueError: the address cannot be understood; the message is for the screen.
        LookupError: there is no such unit.
    """
    kind, translator = formatter.kind, request.translator
    known = {one.name for one in FIELDS[kind] if one.choice}
    for name, _ in request.parameters:
        if name not in (*known, *OWN, *TABLE, *FRAME):
            raise ValueError(translator("no_parameter", name=name))
    figure = BY_CODE.get(request.get("figure"))
    if request.get("figure") and (figure is None or figure.kind is not kind):
        raise ValueError(translator("no_figure", code=request.get("figure")))
    unit = resolve_unit(place, request.get("unit", place.code))
    if unit is None:
        raise LookupError(translator("no_unit", code=request.get("unit")))
    first, last = _day(request, "from"), _day(request, "to")
    if first and last and first > last:
        raise ValueError(translator("days_turned"))
    text = " ".join(request.get("text").split())[:MAX_TEXT_LETTERS]
    only = {
        one.name: few(request, one.name, request.translator(one.words))
        for one in FIELDS[kind]
        if one.choice and request.get(one.name)
    }
    sought = Sought(
        kind,
        tuple(
            (name, tuple("" if one == NONE else one for one in wanted))
            for name, wanted in sorted(only.items())
        ),
        text,
        formatter.meant(text),
        _midnight(first),
        _midnight(last + timedelta(days=1)) if last else None,
        figure,
        unit.what,
        unit.code if unit.what != "province" else "",
    )
    return Wanted(
        kind,
        sought,
        _order(request, formatter, bool(figure)),
        _columns(request, kind),
        _page(request),
        _size(request),
        first,
        last,
    )


NONE = "-"
"""Stands in an address for an unknown value."""


def values(text: str) -> tuple[str, ...]:
    """Split a parameter into its values, without repeats, in order."""
    return tuple(dict.fromkeys(unquote(one) for one in text.split(",") if one))


def few(request: PageRequest, name: str, words: str) -> tuple[str, ...]:
    """Return the values of a filter.

    Raises:
        ValueError: there are more than `MAX_VALUES`; the message calls the filter `words`.
    """
    found = values(request.get(name))
    if len(found) > MAX_VALUES:
        raise ValueError(
            request.translator("too_many_values", name=words, most=MAX_VALUES, n=len(found))
        )
    return found


def join_values(wanted: Sequence[str]) -> str | None:
    """Join values to a parameter; None for none, which removes it from the address."""
    return (
        ",".join(one.replace("%", "%25").replace(",", "%2C") if one else NONE for one in wanted)
        or None
    )


class Toggles:
    """Addresses with a value of a field added, or removed if it is there; always the first page.

    A page has one for each of some thousand values: what they share is encoded once.
    """

    def __init__(self, request: PageRequest, name: str) -> None:
        now = ("" if one == NONE else one for one in values(request.get(name)))
        self._now = {value: quote_plus(join_values([value]) or "") for value in now}
        bare = request.with_(**{name: None, "page": None})
        self._path, _, query = bare.partition("?")
        pieces = query.split("&") if query else []
        self._before = [piece for piece in pieces if piece < f"{name}="]
        self._after = [piece for piece in pieces if piece >= f"{name}="]
        self._name, self._all = name, quote_plus(",").join(self._now.values())

    def to(self, value: str) -> str:
        """Return the address with a value added or removed."""
        if value in self._now:
            left = quote_plus(",").join(
                written for one, written in self._now.items() if one != value
            )
        else:
            left = quote_plus(",").join(
                filter(None, (self._all, quote_plus(join_values([value]) or "")))
            )
        query = "&".join([*self._before, *([f"{self._name}={left}"] if left else []), *self._after])
        return self._path + (f"?{query}" if query else "")


def without(request: PageRequest, *names: str) -> str:
    """Return the address without some conditions, at its first page."""
    return request.with_(**dict.fromkeys((*names, "page")))


def _order(request: PageRequest, formatter: CellFormatter, behind: bool) -> Order:
    usual = "left" if behind and field(formatter.kind, "left") else "-started_at"
    name = request.get("sort", usual)
    by = field(formatter.kind, name.removeprefix("-"))
    if by is None or not by.sort:
        raise ValueError(request.translator("no_sort", name=name))
    return Order(by.name, name.startswith("-"), formatter.ranked(by.name) if by.worded else ())


def _columns(request: PageRequest, kind: Kind) -> tuple[ListField, ...]:
    if not request.get("columns"):
        return tuple(one for one in FIELDS[kind] if one.usual)
    found = {name: field(kind, name) for name in values(request.get("columns"))}
    if unknown := [name for name, one in found.items() if one is None]:
        raise ValueError(request.translator("no_column", name=", ".join(unknown)))
    return tuple(one for one in found.values() if one is not None)


def _page(request: PageRequest) -> int:
    text = request.get("page", "1")
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ValueError(request.translator("no_page", page=text))
    return int(text)


def _size(request: PageRequest) -> int:
    text = request.get("size", str(DEFAULT_PAGE_SIZE))
    if text not in map(str, PAGE_SIZES):
        raise ValueError(
            request.translator("no_size", size=text, sizes=", ".join(map(str, PAGE_SIZES)))
        )
    return int(text)


def _day(request: PageRequest, name: str) -> date | None:
    text = request.get(name).strip()
    for form in DAY_FORMS if text else ():
        try:
            day = datetime.strptime(text, form).date()
        except ValueError:
            continue
        if 1990 <= day.year < 2100:
            return day
    if text:
        raise ValueError(request.translator("no_day", day=text))
    return None


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=HERE) if day else None
