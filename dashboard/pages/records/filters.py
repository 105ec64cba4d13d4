"""Filters above a list, with the number of records that each leaves, and active conditions."""

from collections.abc import Mapping
from datetime import date, timedelta

from dash import dcc, html

from dashboard.components.kind_screens import screens_of
from dashboard.components.list_address import OWN, Toggles, Wanted, without
from dashboard.components.list_cells import CellFormatter
from dashboard.components.list_fields import MAIN, ListField, choices
from dashboard.components.parts import Part, labelled
from dashboard.components.unit_refs import name as unit_name
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest

Counts = Mapping[str, Mapping[str, int]]
NARROWED_FROM = 12
"""Number of choices from which on a menu has a search field."""


def bar(
    request: PageRequest, wanted: Wanted, formatter: CellFormatter, counts: Counts, today: date
) -> html.Section:
    """Build the search, a menu per main choice, the period, and a menu with all other choices."""
    known = choices(wanted.kind)
    main, others = (
        [one for one in known if one.name in MAIN[wanted.kind]],
        [one for one in known if one.name not in MAIN[wanted.kind]],
    )
    translator = request.translator
    menus = [
        _menu(
            one.name,
            translator(one.words),
            _listed(request, wanted, formatter, one, counts),
            len(wanted.values.get(one.name, ())),
        )
        for one in main
    ]
    if others:
        groups = [
            html.Div(
                [html.H3(translator(one.words)), *_listed(request, wanted, formatter, one, counts)],
                className="group",
            )
            for one in others
        ]
        active = sum(len(wanted.values.get(one.name, ())) for one in others)
        menus.append(_menu("others", translator("more_choices"), groups, active, wide=True))
    return html.Section(
        [_search(request, wanted), *menus, _days(request, wanted, today)],
        className="sieve",
        **labelled(translator("sieve")),
    )


def _search(request: PageRequest, wanted: Wanted) -> html.Form:
    translator = request.translator
    hint = translator(screens_of(wanted.kind).hint)
    return html.Form(
        [
            html.Label(translator("text_in"), htmlFor="text", className="hidden"),
            dcc.Input(
                id="text", name="text", type="search", placeholder=hint, value=wanted.sought.text
            ),
            *_kept(request, "text"),
            html.Button(translator("look"), type="submit"),
        ],
        action=request.path,
        role="search",
        className="text",
    )


def _kept(request: PageRequest, *but: str) -> list[Part]:
    """Keep the rest of the address in a form: all but its own fields and the page number."""
    return [
        dcc.Input(type="hidden", name=name, value=value)
        for name, value in request.parameters
        if name not in (*but, "page")
    ]


def _menu(name: str, words: str, content: Part, active: int, *, wide: bool = False) -> html.Details:
    number: list[Part] = [html.B(str(active), className="active")] if active else []
    return html.Details(
        [
            html.Summary([words, *number]),
            html.Div(content, className="menu wide" if wide else "menu"),
        ],
        id=f"choice-{name}",
        className="choice on" if active else "choice",
    )


def _listed(
    request: PageRequest, wanted: Wanted, formatter: CellFormatter, one: ListField, counts: Counts
) -> list[Part]:
    """List the values of a field as links that add or remove them.

    Chosen values are listed even when no record is left of them.
    """
    translator, chosen, found = (
        request.translator,
        wanted.values.get(one.name, ()),
        counts.get(one.name, {}),
    )
    codes = formatter.in_order(one.name, {*found, *chosen})
    if not codes:
        return [html.P(translator("no_choices"), className="quiet")]
    toggles = Toggles(request, one.name)
    rows = [
        _choice(
            request,
            toggles.to(code),
            formatter.label(one.name, code),
            found.get(code, 0),
            code in chosen,
        )
        for code in codes
    ]
    narrow: list[Part] = []
    if len(codes) > NARROWED_FROM:
        narrow = [
            html.Label(translator("narrow"), htmlFor=f"narrow-{one.name}", className="hidden"),
            dcc.Input(
                id=f"narrow-{one.name}",
                type="text",
                className="narrow",
                placeholder=translator("narrow"),
            ),
        ]
    return [*narrow, html.Ul(rows, className="choices", **labelled(translator(one.words)))]


def _choice(request: PageRequest, href: str, words: str, count: int, is_on: bool) -> html.Li:
    translator = request.translator
    state = [html.Span(translator("is_chosen"), className="hidden")] if is_on else []
    content = [
        html.I(className="tick"),
        html.Span([words, " ", *state] if state else words, className="words"),
        html.Span(translator.number(count), className="count"),
    ]
    return html.Li(
        dcc.Link(content, href=href), className="on" if is_on else "" if count else "none"
    )


def _days(request: PageRequest, wanted: Wanted, today: date) -> html.Details:
    """Offer periods in which the records began: the usual ones as links, any by typing it."""
    translator = request.translator
    spans = {
        translator("days_today"): today,
        translator("days_week"): today - timedelta(days=6),
        translator("days_month"): today - timedelta(days=29),
        translator("days_year"): today.replace(month=1, day=1),
    }
    links = [
        html.Li(
            dcc.Link(
                words, href=request.with_(**{"from": first.isoformat(), "to": None, "page": None})
            )
        )
        for words, first in spans.items()
    ]
    fields = [
        html.Label(
            [
                translator("days_from" if name == "from" else "days_to"),
                dcc.Input(
                    id=f"day-{name}",
                    name=name,
                    type="text",
                    inputMode="numeric",
                    size="11",
                    placeholder=translator("days_hint"),
                    value=translator.day(day) if day else "",
                ),
            ],
            htmlFor=f"day-{name}",
        )
        for name, day in (("from", wanted.first), ("to", wanted.last))
    ]
    form = html.Form(
        [
            *fields,
            *_kept(request, "from", "to"),
            html.Button(translator("days_apply"), type="submit"),
        ],
        action=request.path,
        className="days",
    )
    active = (wanted.first is not None) + (wanted.last is not None)
    return _menu("days", translator("days_of"), [html.Ul(links, className="spans"), form], active)


def chosen(
    request: PageRequest, wanted: Wanted, formatter: CellFormatter, place: ProvinceContext
) -> Part:
    """List the active conditions, each with a link that removes it, and one for all."""
    translator = request.translator
    chips = [
        _chip(request, name, value, href)
        for name, value, href in _active(request, wanted, formatter, place)
    ]
    if not chips:
        return None
    clear = dcc.Link(
        translator("clear_all"), href=without(request, *wanted.values, *OWN), className="clear"
    )
    return html.Div(
        [html.Ul([html.Li(one) for one in chips], **labelled(translator("chosen"))), clear],
        className="chosen",
        id="chosen",
    )


def _active(
    request: PageRequest, wanted: Wanted, formatter: CellFormatter, place: ProvinceContext
) -> list[tuple[str, str, str]]:
    """Return the name and value of each active condition, with the address without it."""
    translator, sought = request.translator, wanted.sought
    found: list[tuple[str, str, str]] = []
    if sought.figure is not None:
        kind = translator("chosen_lost" if sought.figure.whole else "chosen_figure")
        found.append((kind, sought.figure.label(request.language), without(request, "figure")))
    if request.get("unit"):
        found.append(
            (
                translator("unit"),
                unit_name(request.get("unit"), place, translator),
                without(request, "unit"),
            )
        )
    if sought.text:
        found.append((translator("chosen_text"), f"“{sought.text}”", without(request, "text")))
    days = (("from", "since_day", wanted.first), ("to", "until_day", wanted.last))
    found += [
        (translator("days_of"), translator(key, day=translator.day(day)), without(request, name))
        for name, key, day in days
        if day
    ]
    for one in choices(wanted.kind):
        if codes := wanted.values.get(one.name, ()):
            toggles = Toggles(request, one.name)
            found += [
                (translator(one.words), formatter.label(one.name, code), toggles.to(code))
                for code in codes
            ]
    return found


def _chip(request: PageRequest, name: str, value: str, href: str) -> Part:
    words = request.translator("chosen_one", name=name, value=value)
    content = [html.Span(words), html.Span("×", className="cross")]
    return dcc.Link(content, href=href, title=request.translator("take_away", condition=words))
