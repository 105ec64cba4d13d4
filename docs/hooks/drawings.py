"""Hook of MkDocs that draws flow charts as SVG, so that no page needs a script from elsewhere.

It understands what the generated charts use of Mermaid: `flowchart LR`, nodes, arrows with and
without words, subgraphs.
"""

import html
import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BLOCK = re.compile(r"^```mermaid\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
NODE = re.compile(r"""^(?P<name>\w+)(?:[\[(]+"?(?P<label>[^\]")]+)"?[\])]+)?$""")
ARROW = re.compile(r"^(?P<tail>.+?) (?P<line>-->|-\.->)(?:\|(?P<words>[^|]+)\|)? (?P<head>.+)$")
LETTER, ROW, PAD, BETWEEN = 6.5, 26, 10, 40
"""px: width of a letter, height of a line, padding of a box, least space between columns."""

HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z"/></marker></defs>'
)


@dataclass
class Chart:
    """A flow chart: labels by node, nodes of each subgraph, arrows (tail, head, words, dashed)."""

    labels: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    arrows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def item(self, name: str) -> str:
        """Return what is placed for a node: its subgraph if it stands in one, else itself."""
        return next((group for group, nodes in self.groups.items() if name in nodes), name)


@dataclass(frozen=True)
class Box:
    """A rectangle of the drawing, in px."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + self.height / 2


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the flow charts of a page by drawings."""
    return BLOCK.sub(
        lambda found: f'<div class="drawing">{svg(read(found["text"]))}</div>', markdown
    )


def read(text: str) -> Chart:
    """Return what the text of a flow chart says.

    Raises:
        ValueError: A line is none that this hook understands.
    """
    chart, inside = Chart(), ""
    for line in map(str.strip, text.splitlines()[1:]):
        if line.startswith("subgraph "):
            inside = line.removeprefix("subgraph ")
            chart.groups[inside] = []
        elif line == "end":
            inside = ""
        elif arrow := ARROW.match(line):
            tail, head = _node(arrow["tail"], chart, inside), _node(arrow["head"], chart, inside)
            chart.arrows.append((tail, head, arrow["words"] or "", arrow["line"] == "-.->"))
        elif line:
            _node(line, chart, inside)
    return chart


def _node(text: str, chart: Chart, inside: str) -> str:
    found = NODE.match(text)
    if found is None:
        raise ValueError(f"not understood in a flow chart: {text!r}")
    name = found["name"]
    if name not in chart.groups and (found["label"] or name not in chart.labels):
        chart.labels[name] = found["label"] or name
        if inside and name not in chart.groups[inside]:
            chart.groups[inside].append(name)
    return name


def columns(chart: Chart) -> list[list[str]]:
    """Return the items of each column: an item is right of all that lead to it, cycles aside."""
    items = list(dict.fromkeys(chart.item(name) for name in chart.labels))
    next_to: dict[str, list[str]] = defaultdict(list)
    for tail, head, _, dashed in chart.arrows:
        one, other = chart.item(tail), chart.item(head)
        if one != other and not dashed and other not in next_to[one]:
            next_to[one].append(other)
    column: dict[str, int] = {}

    def visit(one: str, path: tuple[str, ...]) -> None:
        for other in next_to[one]:
            if other not in path and column.get(other, 0) <= column[one]:
                column[other] = column[one] + 1
                visit(other, (*path, other))

    targets = {other for others in next_to.values() for other in others}
    for one in sorted(items, key=lambda item: item in targets):
        if one not in column:
            column[one] = 0
            visit(one, (one,))
    placed = [[one for one in items if column[one] == at] for at in range(max(column.values()) + 1)]
    for before, ones in itertools.pairwise(placed):
        ones.sort(key=lambda one, before=before: _height(one, before, next_to))  # type: ignore[misc]
    return placed


def _height(one: str, before: Sequence[str], next_to: Mapping[str, Sequence[str]]) -> float:
    """Return the mean place of those that lead to an item, so that few arrows cross."""
    places = [place for place, other in enumerate(before) if one in next_to[other]]
    return sum(places) / len(places) if places else len(before)


def boxes(chart: Chart) -> dict[str, Box]:
    """Return the place of each node and subgraph."""
    placed: dict[str, Box] = {}
    stacks = columns(chart)
    tall = max(sum(_lines(chart, one) * ROW + 2 * PAD for one in ones) for ones in stacks)
    x = float(PAD)
    for ones in stacks:
        width = max(_width(chart, one) for one in ones)
        y = PAD + (tall - sum(_lines(chart, one) * ROW + 2 * PAD for one in ones)) / 2
        for one in ones:
            height = _lines(chart, one) * ROW + PAD
            placed[one] = Box(x, y, width, height)
            for at, node in enumerate(chart.groups.get(one, ()), start=1):
                placed[node] = Box(x + PAD, y + PAD / 2 + at * ROW, width - 4 * PAD, ROW - 4)
            y += height + PAD
        x += width + max(
            [
                BETWEEN,
                *(
                    _broken(words)[1]
                    for tail, _, words, _ in chart.arrows
                    if chart.item(tail) in ones
                ),
            ]
        )
    return placed


def _broken(words: str) -> tuple[list[str], float]:
    """Return an arrow's words on two lines at most, and the space that they need."""
    cuts = [at for at, letter in enumerate(words) if letter == " "]
    if not cuts:
        return [words], len(words) * 5.5 + 2 * PAD
    cut = min(cuts, key=lambda at: abs(at - len(words) / 2))
    return [words[:cut], words[cut + 1 :]], max(cut, len(words) - cut) * 5.5 + 2 * PAD


def _lines(chart: Chart, item: str) -> int:
    return 1 + len(chart.groups.get(item, ()))


def _width(chart: Chart, item: str) -> float:
    names = chart.groups.get(item)
    if names is None:
        return len(chart.labels[item]) * LETTER + 2 * PAD
    return max(len(chart.labels[name]) for name in names) * LETTER + 6 * PAD


def svg(chart: Chart) -> str:
    """Return the drawing."""
    placed = boxes(chart)
    width = max(box.x + box.width for box in placed.values()) + PAD
    height = max(box.y + box.height for box in placed.values()) + PAD
    # smaller letters nobody reads; what is wider is scrolled
    least = f"min-width: {width * 0.75:.0f}px"
    lines = [
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="{least}" role="img">'
    ]
    lines += ["<title>Flow chart</title>", HEAD]
    for group in chart.groups:
        lines.append(_box(placed[group], group, "group"))
    for tail, head, _, dashed in chart.arrows:
        lines.append(
            _arrow(placed[tail], placed[head], dashed, chart.item(tail) == chart.item(head))
        )
    lines += [_box(placed[name], label, "node") for name, label in chart.labels.items()]
    for tail, head, words, _ in chart.arrows:
        start, end = _ends(placed[tail], placed[head])
        for at, line in enumerate(_broken(words)[0] if words else ()):
            x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 12 * at - 6
            lines.append(f'<text class="words" x="{x:.0f}" y="{y:.0f}">{html.escape(line)}</text>')
    return "".join([*lines, "</svg>"])


def _box(box: Box, label: str, look: str) -> str:
    y = box.y + ROW / 2 + 5 if look == "group" else box.middle
    drawn = (
        f'<rect class="{look}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="4"/>'
    )
    return f'{drawn}<text x="{box.x + box.width / 2:.0f}" y="{y:.0f}">{html.escape(label)}</text>'


def _ends(a: Box, b: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where an arrow begins and ends: on the sides that face each other."""
    if b.x + b.width < a.x:
        return (a.x, a.middle), (b.x + b.width, b.middle)
    return (a.x + a.width, a.middle), (b.x, b.middle)


def _arrow(a: Box, b: Box, dashed: bool, inside: bool) -> str:
    start, end = _ends(a, b)
    if inside:  # along the right side of the subgraph
        end = (b.x + b.width, b.middle)
        first, second = (start[0] + 2 * PAD, start[1]), (end[0] + 2 * PAD, end[1])
    else:
        bend = (end[0] - start[0]) / 2
        first, second = (start[0] + bend, start[1]), (end[0] - bend, end[1])
    way = " ".join(f"{x:.0f},{y:.0f}" for x, y in (first, second, end))
    look = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path d="M{start[0]:.0f},{start[1]:.0f} C{way}" marker-end="url(#head)"{look}/>'
