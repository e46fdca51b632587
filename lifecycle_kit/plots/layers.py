"""Where the steps of a graph stand, and which way its edges go: from left to right, the same on every run.

A step's place depends on the order of the steps along the journey and on the number of steps in its column, never on
which edges are drawn: a count that changes a little moves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Box", "Edge", "Point", "arranged", "columns", "routes", "sampled", "width_scale"]

Point = tuple[float, float]
_DAMPED = 0.95  # a step in a circle has no end otherwise
_LANE = 12.0  # points between edges side by side, which leaves room for what is written on them
_SEAM = 1.5
_WIDEST = 7.0


@dataclass(frozen=True)
class Edge:
    """A move from one node to another."""

    source: str
    target: str
    n: float
    share: float
    hours: float


@dataclass(frozen=True)
class Box:
    """A node in the picture: its centre and size in points, and the column it stands in."""

    x: float
    y: float
    width: float
    height: float
    column: int

    @property
    def left(self) -> float:
        """Its left edge."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width / 2


def columns(
    steps: Sequence[str], edges: Sequence[Edge], start: str, ends: Sequence[str], n_columns: int, most_rows: int
) -> list[list[str]]:
    """Return the steps by column, from left to right.

    Steps are ordered by how far along the journey they come: the mean number of moves since the start, beside the mean
    number of moves to the end. The order is cut where few moves stay within a column.
    """
    weight = {(edge.source, edge.target): edge.n for edge in edges}
    since = _distance(steps, weight, [start], ahead=False)
    until = _distance(steps, weight, list(ends), ahead=True)
    along = {step: round(since[step] / (since[step] + until[step]), 9) for step in steps}
    ordered = sorted(steps, key=lambda step: (along[step], step))
    return _cut(ordered, weight, min(n_columns, len(ordered)), most_rows)


def _distance(
    steps: Sequence[str], weight: Mapping[tuple[str, str], float], anchors: Sequence[str], *, ahead: bool
) -> dict[str, float]:
    """Mean number of moves between each step and the anchors, as a walk at random would take."""
    moves = np.zeros((len(steps), len(steps)))
    for i, one in enumerate(steps):
        others = [(weight.get((one, other) if ahead else (other, one), 0.0)) for other in steps]
        others[i] = 0.0
        away = sum(weight.get((one, a) if ahead else (a, one), 0.0) for a in anchors)
        moves[i] = np.array(others) / max(sum(others) + away, 1e-12)
    found = np.linalg.solve(np.eye(len(steps)) - _DAMPED * moves, np.ones(len(steps)))
    return dict(zip(steps, map(float, found), strict=True))


def _cut(
    ordered: Sequence[str], weight: Mapping[tuple[str, str], float], n_columns: int, most_rows: int
) -> list[list[str]]:
    """Cut an order into columns so that few moves stay within one, and none is much fuller than the others."""
    n, total = len(ordered), sum(weight.values()) or 1.0

    def cost(i: int, j: int) -> float:
        group = ordered[i:j]
        within = sum(weight.get((a, b), 0.0) for a in group for b in group if a != b)
        return within / total + 0.02 * (j - i) ** 2

    best: dict[tuple[int, int], tuple[float, int]] = {(0, 0): (0.0, 0)}
    for c in range(1, n_columns + 1):
        for j in range(c, n + 1):
            options = [
                (best[c - 1, i][0] + cost(i, j), i) for i in range(max(c - 1, j - most_rows), j) if (c - 1, i) in best
            ]
            if options:
                best[c, j] = min(options)
    groups: list[list[str]] = []
    j = n
    for c in range(n_columns, 0, -1):
        i = best[c, j][1]
        groups.append(list(ordered[i:j]))
        j = i
    return groups[::-1]


def arranged(
    groups: Sequence[Sequence[str]], edges: Sequence[Edge], start: str, ends: Sequence[str], room: tuple[float, float],
    height: float,
) -> dict[str, Box]:  # fmt: skip
    """Return the box of every node: the start left, the ends right, the steps of a column in rows.

    The order within a column follows the mean height of a step's neighbours (the barycentre), column after column to
    the right and back, a fixed number of times; ties by name.
    """
    wide, tall = room
    n = len(groups)
    at_start, at_end = min(46.0, 0.12 * wide), min(66.0, 0.16 * wide)
    inner = wide - at_start - at_end
    width = min(96.0, inner / (n + 0.6 * (n + 1)))
    gap = (inner - n * width) / (n + 1)
    neighbours: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for edge in edges:
        if edge.source != edge.target:
            neighbours[edge.source].append((edge.target, edge.n))
            neighbours[edge.target].append((edge.source, edge.n))
    y = {start: tall / 2} | _rows(ends, tall)
    rows = [sorted(group) for group in groups]
    for group in rows:
        y |= _rows(group, tall)
    for turn in range(12):
        for i in range(n) if turn % 2 == 0 else reversed(range(n)):
            heights = {step: round(_middle(neighbours[step], y), 6) for step in rows[i]}
            rows[i] = sorted(rows[i], key=lambda step, heights=heights: (-heights[step], step))  # type: ignore[misc]
            y |= _rows(rows[i], tall)
    boxes = {start: Box(at_start / 2, y[start], at_start, height, 0)}
    for i, group in enumerate(rows):
        x = at_start + gap + i * (width + gap) + width / 2
        boxes |= {step: Box(x, y[step], width, height, i + 1) for step in group}
    return boxes | {end: Box(wide - at_end / 2, y[end], at_end, height, n + 1) for end in ends}


def _middle(neighbours: Sequence[tuple[str, float]], y: Mapping[str, float]) -> float:
    """Mean height of the neighbours."""
    return sum(y[name] * n for name, n in neighbours) / max(sum(n for _, n in neighbours), 1e-12)


def _rows(names: Sequence[str], tall: float) -> dict[str, float]:
    return {name: tall * (1 - (i + 0.5) / len(names)) for i, name in enumerate(names)}


def width_scale(edges: Sequence[Edge], boxes: Mapping[str, Box]) -> float:
    """Return points of width per square root of moves: as wide as the fullest side of a box allows."""
    sides: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for edge in edges:
        for node, on_the_right in _ends(edge, boxes):
            sides[node, on_the_right].append(sqrt(edge.n))
    scale = _WIDEST / max([sqrt(edge.n) for edge in edges], default=1.0)
    for (node, _), roots in sides.items():
        room = max(boxes[node].height * 0.9 - _SEAM * (len(roots) - 1), boxes[node].height * 0.3)
        scale = min(scale, room / sum(roots))
    return scale


def _ends(edge: Edge, boxes: Mapping[str, Box]) -> tuple[tuple[str, bool], tuple[str, bool]]:
    """The sides at which an edge leaves and enters: right and left onward, the other way round for a way back."""
    step = boxes[edge.target].column - boxes[edge.source].column
    return (edge.source, step >= 0), (edge.target, step <= 0)


def routes(edges: Sequence[Edge], boxes: Mapping[str, Box], tall: float, scale: float) -> dict[Edge, list[Point]]:
    """Return for each edge the points of its Bezier curves: it passes other columns between their boxes."""
    lanes = _lanes(edges, boxes, tall)
    ports = _ports(edges, boxes, lanes, scale)
    by_column = {box.column: box for box in boxes.values()}
    found: dict[Edge, list[Point]] = {}
    for edge in edges:
        (_, leaves_right), (_, enters_right) = _ends(edge, boxes)
        source, target = boxes[edge.source], boxes[edge.target]
        begin = (source.right if leaves_right else source.left, ports[edge, True])
        end = (target.right if enters_right else target.left, ports[edge, False])
        if source.column == target.column:
            bulge = begin[0] + 12 + 0.12 * abs(begin[1] - end[1])
            found[edge] = [begin, (bulge, begin[1]), (bulge, end[1]), end]
            continue
        points = [begin]
        for column, y in lanes[edge].items():
            box = by_column[column]
            near, far = (box.left, box.right) if leaves_right else (box.right, box.left)
            points += [*_bend(points[-1], (near, y)), *_bend((near, y), (far, y))]
        found[edge] = [*points, *_bend(points[-1], end)]
    return found


def _bend(one: Point, other: Point) -> list[Point]:
    middle = (one[0] + other[0]) / 2
    return [(middle, one[1]), (middle, other[1]), other]


def _lanes(edges: Sequence[Edge], boxes: Mapping[str, Box], tall: float) -> dict[Edge, dict[int, float]]:
    """The height at which an edge passes each column between its ends: nearest free room to the straight way."""
    standing: dict[int, list[Box]] = defaultdict(list)
    for box in boxes.values():
        standing[box.column].append(box)
    rooms = {column: _rooms(there, tall) for column, there in standing.items()}
    wanted: dict[tuple[int, int], list[tuple[float, Edge]]] = defaultdict(list)
    for edge in sorted(edges, key=lambda edge: (-edge.n, edge.source, edge.target)):
        source, target = boxes[edge.source], boxes[edge.target]
        step = 1 if target.column > source.column else -1
        y = source.y
        for column in range(source.column + step, target.column, step):
            y += (target.y - y) / (abs(target.column - column) + 1)
            options = []
            for i, (low, high) in enumerate(rooms[column]):
                too_full = max(0.0, (len(wanted[column, i]) + 1) * _LANE / (high - low) - 1)
                options.append((abs(min(max(y, low), high) - y) + 400 * too_full, i))
            i = min(options)[1]
            wanted[column, i].append((y, edge))
            y = min(max(y, rooms[column][i][0]), rooms[column][i][1])
    found: dict[Edge, dict[int, float]] = {edge: {} for edge in edges}
    for (column, i), asked in wanted.items():
        asked.sort(key=lambda pair: (pair[0], pair[1].source, pair[1].target))
        heights = _apart([y for y, _ in asked], *rooms[column][i])
        for (_, edge), y in zip(asked, heights, strict=True):
            found[edge][column] = y
    for edge in edges:  # in the order in which the edge meets them
        found[edge] = dict(sorted(found[edge].items(), reverse=boxes[edge.target].column < boxes[edge.source].column))
    return found


def _rooms(there: Sequence[Box], tall: float) -> list[tuple[float, float]]:
    """What lies between the boxes of a column, from below, a margin left free."""
    edges = [0.0]
    for box in sorted(there, key=lambda box: box.y):
        edges += [box.y - box.height / 2 - 7, box.y + box.height / 2 + 7]
    edges.append(tall)
    return [(low, max(high, low + 1)) for low, high in zip(edges[::2], edges[1::2], strict=True)]


def _apart(wanted: Sequence[float], low: float, high: float) -> list[float]:
    """Move ascending heights apart, within their room."""
    least = min(_LANE, (high - low) / max(len(wanted) - 1, 1))
    found = [min(max(y, low), high) for y in wanted]
    for i in range(1, len(found)):
        found[i] = max(found[i], found[i - 1] + least)
    for i in reversed(range(len(found))):
        found[i] = min(found[i], found[i + 1] - least if i + 1 < len(found) else high)
    return found


def _ports(
    edges: Sequence[Edge], boxes: Mapping[str, Box], lanes: Mapping[Edge, Mapping[int, float]], scale: float
) -> dict[tuple[Edge, bool], float]:
    """The height at which an edge leaves its box (True) and enters the other (False): in the order of where it goes."""
    sides: dict[tuple[str, bool], list[tuple[float, Edge, bool]]] = defaultdict(list)
    for edge in edges:
        passed = list(lanes[edge].values())
        (source, out_right), (target, in_right) = _ends(edge, boxes)
        sides[source, out_right].append((passed[0] if passed else boxes[target].y, edge, True))
        sides[target, in_right].append((passed[-1] if passed else boxes[source].y, edge, False))
    found: dict[tuple[Edge, bool], float] = {}
    for (node, _), side in sides.items():
        side.sort(key=lambda asked: (asked[0], asked[1].source, asked[1].target))
        widths = [max(scale * sqrt(edge.n), 0.8) for _, edge, _ in side]
        box = boxes[node]
        seam = max(_SEAM, min(7.0, (0.9 * box.height - sum(widths)) / max(len(side) - 1, 1)))
        y = box.y - (sum(widths) + seam * (len(side) - 1)) / 2
        for (_, edge, leaves), width in zip(side, widths, strict=True):
            found[edge, leaves] = y + width / 2
            y += width + seam
    return found


def sampled(points: Sequence[Point], n: int = 12) -> list[Point]:
    """Return points along Bezier curves, `n` of each."""
    t = np.linspace(0, 1, n)[:, None]
    found: list[Point] = []
    for i in range(0, len(points) - 1, 3):
        a, b, c, d = (np.array(point) for point in points[i : i + 4])
        curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        found += [(float(x), float(y)) for x, y in curve]
    return found
