"""The directly-follows graph, drawn: the steps that carry most, the moves between them, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from lifecycle_kit.plots import layers, outcomes, style, units, words
from lifecycle_kit.plots.layers import Box, Edge, Point

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Shown", "chosen", "draw_boxes", "draw_edges"]

BOX = 37.0  # points: two lines of a name, and a number
_LABEL = 7.5
_BESIDE = (0.0, 5.0, -5.0, 8.0, -8.0)  # points above and below the line where a label may stand
_PER_EDGE = 5000.0  # square points
_MOST_STEPS, _STEPS_OF_A_COLUMN = 12, 3


@dataclass(frozen=True)
class Shown:
    """The part of a graph that is drawn, where it stands, and how much is left out."""

    boxes: Mapping[str, Box]
    edges: Sequence[Edge]
    loops: Mapping[str, Edge]
    counts: Mapping[str, float]
    routes: Mapping[Edge, list[Point]]
    scale: float
    n_steps_left: int
    n_edges_left: int
    share_left: float


def chosen(edges: pd.DataFrame, nodes: pd.DataFrame, room: tuple[float, float]) -> Shown:
    """Choose the steps and edges that fit into a room, by their number of moves, and place them."""
    wide, tall = room
    n_columns = min(max(int((wide - 100) // 115), 1), 5)
    most_rows = max(int(tall // (BOX + 26)), 1)
    n_steps = min(_MOST_STEPS, n_columns * min(_STEPS_OF_A_COLUMN, most_rows))
    ordered = nodes.assign(step=nodes["step"].astype(str)).sort_values(
        ["n", "step"], ascending=[False, True], kind="stable"
    )
    steps = ordered["step"].head(n_steps).tolist()
    there = {*steps, outcomes.START, *outcomes.ENDS}
    total = float(edges["n"].sum())
    inner = edges[edges["from_step"].isin(there) & edges["to_step"].isin(there) & (edges["n"] > 0)]
    among = [
        Edge(str(row.from_step), str(row.to_step), float(row.n), units.to_float(row.share), units.to_float(row.hours))
        for row in inner.sort_values(["n", "from_step", "to_step"], ascending=[False, True, True]).itertuples()
    ]
    ends = [end for end in outcomes.ENDS if any(edge.target == end for edge in among)]
    groups = layers.columns(steps, among, outcomes.START, ends, n_columns, most_rows)
    boxes = layers.arranged(groups, among, outcomes.START, ends, room, min(BOX, tall / 3 - 3))
    loops = {edge.source: edge for edge in among if edge.source == edge.target}
    n_edges = min(2 * len(steps) + 6, int(wide * tall / _PER_EDGE))
    drawn = _strongest([edge for edge in among if edge.source != edge.target], [*steps, *ends], n_edges)
    scale = layers.width_scale(drawn, boxes)
    counts = dict(zip(ordered["step"].head(n_steps), ordered["n"].head(n_steps).astype(float), strict=True))
    for node, column in ((outcomes.START, "from_step"), *((end, "to_step") for end in ends)):
        counts[node] = float(edges.loc[edges[column] == node, "n"].sum())
    carried = sum(edge.n for edge in (*drawn, *loops.values()))
    return Shown(
        boxes, drawn, loops, counts, layers.routes(drawn, boxes, tall, scale), scale, len(nodes) - len(steps),
        int((edges["n"] > 0).sum()) - len(drawn) - len(loops), 1 - carried / total if total else 0.0,
    )  # fmt: skip


def _strongest(edges: Sequence[Edge], nodes: Sequence[str], n: int) -> list[Edge]:
    """The edges with most moves, and of every node the strongest one that enters and the strongest that leaves."""
    kept = dict.fromkeys(edges[:n])
    for node in nodes:
        for side in ("source", "target"):
            kept |= dict.fromkeys([edge for edge in edges if getattr(edge, side) == node][:1])
    return [edge for edge in edges if edge in kept]


def draw_edges(ax: Axes, shown: Shown) -> int:
    """Draw the edges and write what is on them; return how many labels had no room."""
    samples = {edge: np.array(layers.sampled(points)) for edge, points in shown.routes.items()}
    for edge in sorted(shown.edges, key=lambda edge: -edge.n):
        _edge(ax, edge, shown.routes[edge], _colour(edge, shown.boxes), max(shown.scale * sqrt(edge.n), 0.8))
    boxes = [
        (box.left - 2, box.y - box.height / 2 - 1, box.right + 2, box.y + box.height / 2 + 1)
        for box in shown.boxes.values()
    ]
    unwritten = 0
    taken = np.array(boxes)
    # edges with least choice first
    for edge in sorted(shown.edges, key=lambda edge: (len(samples[edge]), -edge.n, edge.source, edge.target)):
        others = np.concatenate([np.empty((0, 2)), *(s for other, s in samples.items() if other is not edge)])
        place = _place(ax, edge, samples[edge], taken, others)
        if place is None:
            unwritten += 1
            continue
        text, x, y, half, height = place
        taken = np.vstack([taken, (x - half, y - height / 2, x + half, y + height / 2)])
        style.write(
            ax, x, y, text, ha="center", va="center", fontsize=_LABEL, linespacing=0.95, zorder=5,
            path_effects=[withStroke(linewidth=3, foreground=style.PAPER)],
        )  # fmt: skip
    return unwritten


def _place(
    ax: Axes, edge: Edge, curve: np.ndarray, taken: np.ndarray, others: np.ndarray
) -> tuple[str, float, float, float, float] | None:
    """The best place for a label on its own edge: free of boxes and labels, with few other edges below it."""
    whole = outcomes.share_and_time(edge.share, edge.hours)
    for text in dict.fromkeys((whole, whole.replace(", ", "\n"), whole.split(", ")[0])):
        n_lines = text.count("\n") + 1
        half = max(style.text_width(ax, line, _LABEL) for line in text.split("\n")) / 2 + 1.5
        height = n_lines * (_LABEL + 1.5) + 1
        best: tuple[float, float, float] | None = None
        for i, (x, on), beside in ((i, point, dy) for dy in _BESIDE for i, point in enumerate(curve)):
            y = on + beside
            low, high, bottom, top = x - half, x + half, y - height / 2, y + height / 2
            if ((taken[:, 0] < high) & (taken[:, 2] > low) & (taken[:, 1] < top) & (taken[:, 3] > bottom)).any():
                continue
            near = (others[:, 0] > low) & (others[:, 0] < high) & (others[:, 1] > bottom) & (others[:, 1] < top)
            cost = float(near.sum()) + 3 * abs(i / max(len(curve) - 1, 1) - 0.45) + 0.5 * abs(beside)
            if best is None or cost < best[0] - 1e-9:
                best = (cost, float(x), float(y))
        if best is not None:
            return text, best[1], best[2], half, height
    return None


def _colour(edge: Edge, boxes: Mapping[str, Box]) -> str:
    if edge.target in outcomes.ENDS:
        return outcomes.colour(edge.target)
    return style.BACKWARD if boxes[edge.target].column < boxes[edge.source].column else style.FORWARD


def _edge(ax: Axes, edge: Edge, points: Sequence[Point], colour: str, width: float) -> None:
    (x, y), before = points[-1], points[-2]
    ahead = 1 if before[0] < x else -1
    head = min(max(width * 0.9, 4.0), 7.0)
    ends = [*points[:-1], (x - ahead * head * 0.8, y)]
    codes = [Path.MOVETO, *([Path.CURVE4] * (len(points) - 1))]
    ax.add_patch(
        PathPatch(
            Path(ends, codes), facecolor="none", edgecolor=colour, linewidth=width, alpha=0.62, capstyle="butt",
            zorder=1.5, label=f"{edge.source} > {edge.target}",
        )
    )  # fmt: skip
    half = max(width / 2 + 1.3, 2.4)
    corners = [(x - ahead * head, y - half), (x - ahead * head, y + half), (x, y)]
    ax.add_patch(Polygon(corners, facecolor=colour, edgecolor="none", zorder=2.5))


def draw_boxes(ax: Axes, shown: Shown) -> None:
    """Draw the start, the steps and the ends, each with its name and its number."""
    for node, box in shown.boxes.items():
        is_end = node in outcomes.COLOURS
        colour = outcomes.COLOURS.get(node, style.FORWARD)
        dark = node in (outcomes.START, outcomes.CONVERTED)
        ax.add_patch(
            FancyBboxPatch(
                (box.left, box.y - box.height / 2), box.width, box.height, boxstyle="round,pad=0,rounding_size=5",
                facecolor=colour if is_end else style.shade(colour, 0.1), edgecolor=colour, linewidth=0.9, zorder=3,
                label=node, clip_on=False,
            )
        )  # fmt: skip
        ink = style.PAPER if dark else style.INK
        number = words.people(shown.counts[node])
        if node in shown.loops:
            again = outcomes.share_and_time(shown.loops[node].share, shown.loops[node].hours)
            number = _first_that_fits(ax, (f"{number}  ↻ {again}", f"↻ {again}", number), box.width - 4)
        name, size = _named(ax, outcomes.name(node), box.width - 6)
        how: dict[str, Any] = {"ha": "center", "va": "center", "color": ink, "zorder": 4}
        style.write(ax, box.x, box.y + 5.5, name, fontsize=size, linespacing=1.0, **how)
        style.write(ax, box.x, box.y - 12, number, fontsize=7.5, fontweight="bold", **how)


def _named(ax: Axes, name: str, width: float) -> tuple[str, float]:
    """Break a name into two lines, in smaller type where it would be cut."""
    for size in (8.5, 8.0, 7.5, 7.0):
        lines = style.wrap(ax, name, width, size, 2)
        if "…" not in lines:
            return lines, size
    return lines, size


def _first_that_fits(ax: Axes, options: Sequence[str], width: float) -> str:
    return next((text for text in options if style.text_width(ax, text, 7.5, "bold") <= width), options[-1])
