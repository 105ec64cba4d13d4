"""The frame of every desk page: heading, navigation, search, language and theme, heartbeat, clock; the content in the middle."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from dashboard.components.keyboard import dialog, opener
from dashboard.components.parts import Part, kept, labelled, no_rights, nothing
from dashboard.components.replay_bar import bar
from dashboard.i18n.bidi import without_controls
from dashboard.i18n.page_keys import SPOKEN
from dashboard.i18n.words import WORDS
from dashboard.query.connection import TimeLimitError, UnreachableError
from dashboard.query.rights import NoRightsError
from dashboard.request.address import FRAME, PageRequest, written
from dashboard.request.answers import mark, told
from dashboard.request.context import NotKeptError, PageContext

log = logging.getLogger(__name__)
RENEW_MS = 10_000
"""How often an open page asks whether its content changed."""


@dataclass(frozen=True)
class DeskPage:
    """A page of the desk. `template` is its path, with `<name>` for what varies; `words` names it in the navigation."""

    name: str
    template: str
    content: Callable[[PageContext, PageRequest], Part]
    words: str = ""
    home: str = ""
    """Where the navigation leads when the path varies; `{province}` stands for the code of the province."""
    live: bool = True
    """Whether its content is renewed while it is open."""
    of_moment: bool = True
    """Whether it is drawn of the moment of its address; one that compares moments asks for them itself."""
    plain: bool = True
    """Whether its content is of html, links and fields only, which assets/parts.js draws: Dash needs seconds for a long page."""


def layout(
    pages: Sequence[DeskPage],
    page: DeskPage,
    ask: PageContext,
    asked: PageRequest,
    *,
    empty: bool = False,
) -> html.Div:
    """A whole page; `empty` asks nothing and leaves its content out."""
    speech, place = asked.speech, ask.place
    content = [] if empty else drawn(page, ask, asked)
    text = told(content) if page.plain else ""
    past = _bar(ask, asked)
    other = "vi" if asked.spoken == "en" else "en"
    dim = "light" if asked.theme == "dark" else "dark"
    shown = [
        (
            one.name,
            speech(one.words),
            asked.link(one.home.format(province=place.code) or one.template),
        )
        for one in pages
        if one.words
    ]
    links = [
        dcc.Link(words, href=href, className="here" if name == page.name else "")
        for name, words, href in shown
    ]
    return html.Div(
        [
            dcc.Store(
                id="viewer", data=_viewer(asked, place.full_name(asked.spoken), heading(content))
            ),
            dcc.Store(id="pulse"),
            dcc.Interval(id="fallback", interval=2000, disabled=True),
            dcc.Interval(id="renew", interval=RENEW_MS, disabled=not page.live or past is not None),
            dcc.Store(id="renewal"),
            dcc.Store(id="seen", data=mark(text)),
            html.Div(id="banner", role="alert", hidden=True),
            html.A(speech("skip"), href="#content", className="skip"),
            html.Header(
                [
                    html.A(place.full_name(asked.spoken), href=asked.link("/"), className="name"),
                    html.Nav(links, **labelled(speech("navigation"))),
                    html.Form(
                        [
                            html.Label(speech("search"), htmlFor="search", className="hidden"),
                            dcc.Input(
                                id="search",
                                name="q",
                                type="search",
                                placeholder=speech("search_hint"),
                                value=asked.get("q"),
                            ),
                            *kept(asked, FRAME),
                        ],
                        action="/search",
                        role="search",
                    ),
                    html.Span(id="beat", className="beat", role="status"),
                    html.A(speech("other_language"), href=asked.with_(lang=other), lang=other),
                    html.A(speech(f"theme_{dim}"), href=asked.with_(theme=dim)),
                    opener(speech),
                    html.Time(id="clock"),
                ],
                className="bar",
            ),
            *([past] if past is not None else []),
            _main(page, content, text, asked),
            dialog(asked, shown),
        ],
        id="wall",
        className=f"desk theme-{asked.theme}{' past' if past is not None else ''}",
        lang=asked.spoken,
        **{"data-frame": " ".join(FRAME)},  # type: ignore[arg-type] # what links of scripts carry along
    )


def _bar(ask: PageContext, asked: PageRequest) -> Part | None:
    """The bar of a page of the past; None where the present is shown, or what cannot be, which the content says."""
    try:
        return bar(ask, asked)
    except (ValueError, UnreachableError, NoRightsError):
        return None


def _main(page: DeskPage, content: Part, text: str, asked: PageRequest) -> Part:
    named: dict[str, Any] = {"id": "content", "className": f"page {page.name}", "tabIndex": -1}
    if page.plain:
        return html.Main(**named | {"data-content": text, "data-address": asked.with_()})
    # Another element than that of plain pages, so that React takes the one before away with all that is in it.
    return html.Div(content, role="main", **named)


def drawn(page: DeskPage, ask: PageContext, asked: PageRequest) -> Part:
    """The content of a page, drawn once per tick for all who look at the same address; a state of its own when that fails."""
    speech = asked.speech
    if asked.is_too_long:
        return nothing(speech("wrong_address"), speech("address_too_long"))
    try:
        return ask.once(
            ("page", page.name, asked),
            lambda: page.content(ask.of(asked) if page.of_moment else ask, asked),
            seconds=2.0,
        )
    except TimeLimitError:
        log.warning("a page took too long: %s", asked.path)
        return nothing(speech("too_long"), speech("too_long_hint"))
    except UnreachableError as error:
        log.warning("ClickHouse does not answer: %s", error)
        return nothing(speech("store_away"), speech("store_away_hint"))
    except NoRightsError:
        return no_rights(speech)
    except LookupError as error:
        return nothing(speech("not_found"), str(error.args[0]) if error.args else "")
    except NotKeptError as error:
        first = asked.with_(
            moment=written(error.whole_from, "milliseconds"), since=None, until=None
        )
        return [
            nothing(speech("not_kept_any_more"), str(error)),
            html.P(html.A(speech("look_back"), href=first), className="way-on"),
        ]
    except ValueError as error:
        return nothing(speech("wrong_address"), str(error))
    except Exception:
        log.exception("a page could not be drawn: %s", asked.path)
        return nothing(speech("stopped_failed"))


def heading(content: Part) -> str:
    """The words of a content's first heading; empty where it has none, or one that is not words only."""
    if isinstance(content, html.H1):
        return content.children if isinstance(content.children, str) else ""
    parts = content if isinstance(content, (list, tuple)) else [getattr(content, "children", None)]
    return next(
        (
            found
            for part in parts
            if part is not None and not isinstance(part, str) and (found := heading(part))
        ),
        "",
    )


def _viewer(asked: PageRequest, province: str, heading: str) -> dict[str, Any]:
    title = asked.speech("title", province=province)
    return {
        "room": "desk",
        "language": asked.spoken,
        "path": asked.path,
        "parameters": dict(asked.parameters),
        "title": f"{without_controls(heading)} – {title}" if heading else title,
        "words": {key: WORDS[key][asked.spoken == "en"] for key in SPOKEN},
    }
