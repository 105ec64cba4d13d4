"""The layers of the map in the order of their switches, and the section that shows them."""

from collections.abc import Iterable

from dash import html

from dashboard.components.parts import stated
from dashboard.pages.map import layer_data, legends, marks
from dashboard.pages.map.layer import MapLayer
from dashboard.pages.map.view import NONE, MapView
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.declared import whole

LAYERS: tuple[MapLayer, ...] = (
    MapLayer(
        name="communes",
        title="map_communes",
        usual=True,
        count=lambda context, view: len(layer_data.communes(context, view)[1].steps),
        legend=legends.communes,
        data=marks.communes,
    ),
    MapLayer(
        name="feedback",
        title="map_feedback",
        usual=True,
        count=layer_data.reports,
        legend=legends.feedback,
        data=lambda context, request, view: {},
    ),
    MapLayer(
        name="overdue",
        title="map_overdue",
        usual=False,
        count=lambda context, view: sum(one.count for one in layer_data.overdue(context, view)),
        legend=legends.overdue,
        data=marks.overdue,
    ),
    MapLayer(
        name="flows",
        title="map_flows",
        usual=False,
        count=lambda context, view: sum(one.sent for one in layer_data.flows(context, view)),
        legend=legends.flows,
        data=marks.flows,
    ),
    MapLayer(
        name="meetings",
        title="map_meetings",
        usual=False,
        count=lambda context, view: layer_data.meetings(context, view).count,
        legend=legends.meetings,
        data=marks.meetings,
    ),
    MapLayer(
        name="sources",
        title="map_sources",
        usual=False,
        count=lambda context, view: sum(
            len(one.sources) for one in layer_data.sources(context, view)
        ),
        legend=legends.sources,
        data=marks.sources,
    ),
    MapLayer(
        name="alarms",
        title="map_alarms",
        usual=True,
        count=lambda context, view: len(
            {alarm.id for one in layer_data.calls(context, view)[0] for alarm in one.alarms}
        ),
        legend=legends.alarms,
        data=marks.alarms,
    ),
)
_NAMES = [one.name for one in LAYERS]
whole(
    "the layers of the map",
    *((_NAMES.count(name) == 1, f"one layer alone of the name {name}") for name in _NAMES),
)


def shown(view: MapView) -> tuple[MapLayer, ...]:
    """Return the layers that are on, in order; invented names are ignored."""
    wanted = view.layers
    return tuple(one for one in LAYERS if (one.usual if wanted is None else one.name in wanted))


def layers_address(layers: Iterable[MapLayer]) -> str | None:
    """Return layers as a parameter; None for the usual ones, which need not be named."""
    on = [one for one in LAYERS if one in set(layers)]
    if on == [one for one in LAYERS if one.usual]:
        return None
    return ",".join(one.name for one in on) or NONE


def section(context: PageContext, request: PageRequest, view: MapView) -> html.Section:
    """Build the section of the layers: switch with count, and the legend below it while on."""
    items = [_switch(context, request, view, one) for one in LAYERS]
    return html.Section(
        [html.H2(request.translator("map_layers")), html.Ul(items, className="layers")],
        id="layers",
        className="part",
    )


def _switch(context: PageContext, request: PageRequest, view: MapView, layer: MapLayer) -> html.Li:
    on, translator = shown(view), request.translator
    changed = [one for one in LAYERS if (one in on) != (one is layer)]
    switch = html.A(
        [
            html.I(className="tick"),
            html.Span(translator(layer.title), className="named"),
            html.Span(translator.number(layer.count(context, view)), className="count"),
        ],
        href=request.with_(layers=layers_address(changed)),
        role="switch",
        id=f"layer-{layer.name}",
        className="switch",
        **stated("checked", layer in on),
    )
    if layer not in on:
        return html.Li([switch])
    legend = html.Div(layer.legend(context, request, view), className="legend-of")
    return html.Li([switch, legend])
