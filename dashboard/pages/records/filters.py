"""The bar of choices above a list, each with how many records it would leave; and what is chosen, to be taken away again."""

from collections.abc import Mapping
from datetime import date, timedelta

from dash import dcc, html

from dashboard.components.list_address import OWN, Toggles, Wanted, without
from dashboard.components.list_cells import CellFormatter
from dashboard.components.list_fields import MAIN, ListField, choices
from dashboard.components.parts import Part, labelled
from dashboard.components.unit_refs import name as unit_name
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest

Counts = Mapping[str, Mapping[str, int]]
NARROWED_FROM = 12
"""From so many choices on there is a field to narrow them."""


def bar(
    asked: PageRequest, wanted: Wanted, teller: CellFormatter, counts: Counts, today: date
) -> html.Section:
    """The search, a menu per main choice, the days, and a menu with all others."""
    known = choices(wanted.kind)
    main, others = (
        [one for one in known if one.name in MAIN[wanted.kind]],
        [one for one in known if one.name not in MAIN[wanted.kind]],
    )
    speech = asked.speech
    menus = [
        _menu(
            one.name,
            speech(one.words),
            _listed(asked, wanted, teller, one, counts),
            len(wanted.values.get(one.name, ())),
        )
        for one in main
    ]
    if others:
        groups = [
            html.Div(
                [html.H3(speech(one.words)), *_listed(asked, wanted, teller, one, counts)],
                className="group",
            )
            for one in others
        ]
        active = sum(len(wanted.values.get(one.name, ())) for one in others)
        menus.append(_menu("others", speech("more_choices"), groups, active, wide=True))
    return html.Section(
        [_search(asked, wanted), *menus, _days(asked, wanted, today)],
        className="sieve",
        **labelled(speech("sieve")),
    )


def _search(asked: PageRequest, wanted: Wanted) -> html.Form:
    speech = asked.speech
    hint = speech(f"text_hint_{wanted.kind.name}")
    return html.Form(
        [
            html.Label(speech("text_in"), htmlFor="text", className="hidden"),
            dcc.Input(
                id="text", name="text", type="search", placeholder=hint, value=wanted.sought.text
            ),
            *_kept(asked, "text"),
            html.Button(speech("look"), type="submit"),
        ],
        action=asked.path,
        role="search",
        className="text",
    )


def _kept(asked: PageRequest, *but: str) -> list[Part]:
    """What a form carries along: all of the address but what it says itself, and the page."""
    return [
        dcc.Input(type="hidden", name=name, value=value)
        for name, value in asked.parameters
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
    asked: PageRequest, wanted: Wanted, teller: CellFormatter, one: ListField, counts: Counts
) -> list[Part]:
    """The values of a field, those chosen too when none is left of them; a click chooses one or takes it away."""
    speech, chosen, found = asked.speech, wanted.values.get(one.name, ()), counts.get(one.name, {})
    codes = teller.in_order(one.name, {*found, *chosen})
    if not codes:
        return [html.P(speech("no_choices"), className="quiet")]
    toggles = Toggles(asked, one.name)
    rows = [
        _choice(
            asked,
            toggles.to(code),
            teller.words(one.name, code),
            found.get(code, 0),
            code in chosen,
        )
        for code in codes
    ]
    narrow: list[Part] = []
    if len(codes) > NARROWED_FROM:
        narrow = [
            html.Label(speech("narrow"), htmlFor=f"narrow-{one.name}", className="hidden"),
            dcc.Input(
                id=f"narrow-{one.name}",
                type="text",
                className="narrow",
                placeholder=speech("narrow"),
            ),
        ]
    return [*narrow, html.Ul(rows, className="choices", **labelled(speech(one.words)))]


def _choice(asked: PageRequest, href: str, words: str, count: int, is_on: bool) -> html.Li:
    speech = asked.speech
    state = [html.Span(speech("is_chosen"), className="hidden")] if is_on else []
    said = [
        html.I(className="tick"),
        html.Span([words, " ", *state] if state else words, className="words"),
        html.Span(speech.number(count), className="count"),
    ]
    return html.Li(dcc.Link(said, href=href), className="on" if is_on else "" if count else "none")


def _days(asked: PageRequest, wanted: Wanted, today: date) -> html.Details:
    """Days on which the records began: the usual spans by one click, any by typing them."""
    speech = asked.speech
    spans = {
        speech("days_today"): today,
        speech("days_week"): today - timedelta(days=6),
        speech("days_month"): today - timedelta(days=29),
        speech("days_year"): today.replace(month=1, day=1),
    }
    links = [
        html.Li(
            dcc.Link(
                words, href=asked.with_(**{"from": first.isoformat(), "to": None, "page": None})
            )
        )
        for words, first in spans.items()
    ]
    fields = [
        html.Label(
            [
                speech("days_from" if name == "from" else "days_to"),
                dcc.Input(
                    id=f"day-{name}",
                    name=name,
                    type="text",
                    inputMode="numeric",
                    size="11",
                    placeholder=speech("days_hint"),
                    value=speech.day(day) if day else "",
                ),
            ],
            htmlFor=f"day-{name}",
        )
        for name, day in (("from", wanted.first), ("to", wanted.last))
    ]
    form = html.Form(
        [*fields, *_kept(asked, "from", "to"), html.Button(speech("days_apply"), type="submit")],
        action=asked.path,
        className="days",
    )
    active = (wanted.first is not None) + (wanted.last is not None)
    return _menu("days", speech("days_of"), [html.Ul(links, className="spans"), form], active)


def chosen(
    asked: PageRequest, wanted: Wanted, teller: CellFormatter, place: ProvinceContext
) -> Part:
    """Every condition that is active, each with a link that takes it away, and one for all; None where there is none."""
    speech = asked.speech
    chips = [
        _chip(asked, name, value, href)
        for name, value, href in _active(asked, wanted, teller, place)
    ]
    if not chips:
        return None
    clear = dcc.Link(
        speech("clear_all"), href=without(asked, *wanted.values, *OWN), className="clear"
    )
    return html.Div(
        [html.Ul([html.Li(one) for one in chips], **labelled(speech("chosen"))), clear],
        className="chosen",
        id="chosen",
    )


def _active(
    asked: PageRequest, wanted: Wanted, teller: CellFormatter, place: ProvinceContext
) -> list[tuple[str, str, str]]:
    """What is active: its name, its value, the address without it."""
    speech, sought = asked.speech, wanted.sought
    found: list[tuple[str, str, str]] = []
    if sought.figure is not None:
        kind = speech("chosen_lost" if sought.figure.whole else "chosen_figure")
        found.append((kind, sought.figure.words(asked.spoken), without(asked, "figure")))
    if asked.get("unit"):
        found.append(
            (speech("unit"), unit_name(asked.get("unit"), place, speech), without(asked, "unit"))
        )
    if sought.text:
        found.append((speech("chosen_text"), f"“{sought.text}”", without(asked, "text")))
    days = (("from", "since_day", wanted.first), ("to", "until_day", wanted.last))
    found += [
        (speech("days_of"), speech(key, day=speech.day(day)), without(asked, name))
        for name, key, day in days
        if day
    ]
    for one in choices(wanted.kind):
        if codes := wanted.values.get(one.name, ()):
            toggles = Toggles(asked, one.name)
            found += [
                (speech(one.words), teller.words(one.name, code), toggles.to(code))
                for code in codes
            ]
    return found


def _chip(asked: PageRequest, name: str, value: str, href: str) -> Part:
    words = asked.speech("chosen_one", name=name, value=value)
    said = [html.Span(words), html.Span("×", className="cross")]
    return dcc.Link(said, href=href, title=asked.speech("take_away", condition=words))
