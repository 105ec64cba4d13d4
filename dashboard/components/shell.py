"""Frame of every desk page: heading, navigation, search, language, theme, heartbeat, clock."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from dashboard.components.keyboard import dialog, opener
from dashboard.components.parts import Part, kept, labelled, no_rights, nothing
from dashboard.components.replay_bar import bar
from dashboard.i18n.bidi import without_controls
from dashboard.i18n.catalogue import catalogue
from dashboard.i18n.page_keys import PAGE_KEYS
from dashboard.query.connection import TimeLimitError, UnreachableError
from dashboard.query.rights import NoRightsError
from dashboard.request.address import FRAME, PageRequest, format_moment
from dashboard.request.answers import content_tag, is_mistake, to_json
from dashboard.request.context import NotKeptError, PageContext
from dashboard.request.page_contract import check_content

log = logging.getLogger(__name__)
RENEW_MS = 10_000
"""Interval at which an open page asks whether its content changed."""


@dataclass(frozen=True)
class DeskPage:
    """A page of the desk; `template` is its path with `<name>` parts, `words` its label."""

    name: str
    template: str
    content: Callable[[PageContext, PageRequest], Part]
    words: str = ""
    home: str = ""
    """Address in the navigation if the path varies; `{province}` stands for the province's code."""
    live: bool = True
    """Whether its content is refreshed while it is open."""
    of_moment: bool = True
    """Whether it shows the moment of its address; a page that compares moments queries them itself.
    """
    plain: bool = True
    """Whether its content keeps to the page contract, so that client/renderer draws it: Dash needs
    seconds for a long page.
    """


def layout(
    pages: Sequence[DeskPage],
    page: DeskPage,
    context: PageContext,
    request: PageRequest,
    *,
    empty: bool = False,
) -> html.Div:
    """Build a whole page; `empty` queries nothing and leaves the content out."""
    translator, place = request.translator, context.place
    content = [] if empty else drawn(page, context, request)
    text = to_json(content) if page.plain else ""
    past = _bar(context, request)
    other = "vi" if request.language == "en" else "en"
    dim = "light" if request.theme == "dark" else "dark"
    shown = [
        (
            one.name,
            translator(one.words),
            request.link(one.home.format(province=place.code) or one.template),
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
                id="viewer",
                data=_viewer(request, place.full_name(request.language), heading(content)),
            ),
            dcc.Store(id="pulse"),
            dcc.Interval(id="fallback", interval=2000, disabled=True),
            dcc.Interval(id="renew", interval=RENEW_MS, disabled=not page.live or past is not None),
            dcc.Store(id="renewal"),
            dcc.Store(id="seen", data=content_tag(text)),
            html.Div(id="banner", role="alert", hidden=True),
            html.A(translator("skip"), href="#content", className="skip"),
            html.Header(
                [
                    html.A(
                        place.full_name(request.language), href=request.link("/"), className="name"
                    ),
                    html.Nav(links, **labelled(translator("navigation"))),
                    html.Form(
                        [
                            html.Label(translator("search"), htmlFor="search", className="hidden"),
                            dcc.Input(
                                id="search",
                                name="q",
                                type="search",
                                placeholder=translator("search_hint"),
                                value=request.get("q"),
                            ),
                            *kept(request, FRAME),
                        ],
                        action="/search",
                        role="search",
                    ),
                    html.Span(id="beat", className="beat", role="status"),
                    html.A(
                        translator("other_language"), href=request.with_(lang=other), lang=other
                    ),
                    html.A(translator(f"theme_{dim}"), href=request.with_(theme=dim)),
                    opener(translator),
                    html.Time(id="clock"),
                ],
                className="bar",
            ),
            *([past] if past is not None else []),
            _main(page, content, text, request),
            dialog(request, shown),
        ],
        id="wall",
        className=f"desk theme-{request.theme}{' past' if past is not None else ''}",
        lang=request.language,
        **{"data-frame": " ".join(FRAME)},  # type: ignore[arg-type] # what links of scripts carry along
    )


def _bar(context: PageContext, request: PageRequest) -> Part | None:
    """Build the bar of a page of the past; None for the present and for an invalid moment."""
    try:
        return bar(context, request)
    except (ValueError, UnreachableError, NoRightsError):
        return None


def _main(page: DeskPage, content: Part, text: str, request: PageRequest) -> Part:
    named: dict[str, Any] = {"id": "content", "className": f"page {page.name}", "tabIndex": -1}
    if page.plain:
        return html.Main(**named | {"data-content": text, "data-address": request.with_()})
    # Another element than that of plain pages, so that React removes the one before with its
    # content.
    return html.Div(content, role="main", **named)


def drawn(page: DeskPage, context: PageContext, request: PageRequest) -> Part:
    """Return the content of a page, made once per tick for all viewers of an address.

    When that fails, return an error state.
    """
    translator = request.translator
    if request.is_too_long:
        return nothing(translator("wrong_address"), translator("address_too_long"))
    try:
        return context.cached(
            ("page", page.name, request),
            lambda: _content(page, context, request),
            seconds=2.0,
        )
    except TimeLimitError:
        log.warning("a page took too long: %s", request.path)
        return nothing(translator("too_long"), translator("too_long_hint"))
    except UnreachableError as error:
        log.warning("ClickHouse does not answer: %s", error)
        return nothing(translator("store_away"), translator("store_away_hint"))
    except NoRightsError:
        return no_rights(translator)
    except LookupError as error:
        if is_mistake(error):
            log.exception("a page could not be drawn: %s", request.path)
            return nothing(translator("stopped_failed"))
        return nothing(translator("not_found"), str(error.args[0]) if error.args else "")
    except NotKeptError as error:
        first = request.with_(
            moment=format_moment(error.whole_from, "milliseconds"), since=None, until=None
        )
        return [
            nothing(translator("not_kept_any_more"), str(error)),
            html.P(html.A(translator("look_back"), href=first), className="way-on"),
        ]
    except ValueError as error:
        return nothing(translator("wrong_address"), str(error))
    except Exception:
        log.exception("a page could not be drawn: %s", request.path)
        return nothing(translator("stopped_failed"))


def _content(page: DeskPage, context: PageContext, request: PageRequest) -> Part:
    found = page.content(context.of(request) if page.of_moment else context, request)
    if page.plain:
        check_content(found)
    return found


def heading(content: Part) -> str:
    """Return the text of a content's first heading; empty if there is none of plain text."""
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


def _viewer(request: PageRequest, province: str, heading: str) -> dict[str, Any]:
    title = request.translator("title", province=province)
    return {
        "room": "desk",
        "language": request.language,
        "path": request.path,
        "parameters": dict(request.parameters),
        "title": f"{without_controls(heading)} – {title}" if heading else title,
        "words": {key: catalogue(request.language)[key] for key in PAGE_KEYS},
    }
