"""Moves between boxes in a row: arches above for moves onward, below for moves back or off the path."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from lifecycle_kit.plots import style, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["Flow", "draw", "heights", "ribbon_scale", "sides"]

# points
_WIDEST_RIBBON = 15.0
_NUMBER = 11.0  # height of a written number
_SEAM = 1.5  # between the feet of two ribbons


@dataclass(frozen=True)
class Flow:
    """People who moved from one box to another; boxes are numbered from left to right.

    A move into a detour (lapsed, say) is no step onward, wherever its box stands.
    """

    source: int
    target: int
    n_people: int
    into_detour: bool = False

    @property
    def rightward(self) -> bool:
        """Whether its target stands to the right of its source."""
        return self.target > self.source

    @property
    def forward(self) -> bool:
        """Whether it leads onward."""
        return self.rightward and not self.into_detour

    @property
    def span(self) -> int:
        """How many boxes it leads on or back."""
        return abs(self.target - self.source)


def sides(flows: Sequence[Flow]) -> tuple[list[Flow], list[Flow]]:
    """Split flows into those drawn above and those drawn below."""
    return [flow for flow in flows if flow.forward], [flow for flow in flows if not flow.forward]


def _ends(flows: Sequence[Flow]) -> dict[tuple[int, bool, bool], list[Flow]]:
    """The flows that share half an edge of a card: by box, upper edge or lower, right half or left."""
    ends: dict[tuple[int, bool, bool], list[Flow]] = defaultdict(list)
    for flow in flows:
        ends[flow.source, flow.forward, flow.rightward].append(flow)
        ends[flow.target, flow.forward, not flow.rightward].append(flow)
    return ends


def ribbon_scale(flows: Sequence[Flow], step: float) -> float:
    """Return points of width per square root of people: as wide as the fullest edge of a card allows."""
    scale = _WIDEST_RIBBON / max([sqrt(flow.n_people) for flow in flows], default=1.0)
    for side in _ends(flows).values():
        room = max(step * 0.36 - _SEAM * (len(side) - 1), step * 0.1)
        scale = min(scale, room / sum(sqrt(flow.n_people) for flow in side))
    return scale


def draw(
    ax: Axes,
    flows: Sequence[Flow],
    centres: Sequence[float],
    step: float,
    scale: float,
    *,
    feet: tuple[float, float],
    limits: tuple[float, float],
) -> None:
    """Draw arches between boxes, placed so that those of one box do not cross each other.

    Parameters
    ----------
    ax : Axes
        With points as units.
    flows : sequence of Flow
        What to draw.
    centres : sequence of float
        Where each box stands; -1 is the last one.
    step : float
        From one box to the next.
    scale : float
        As `ribbon_scale` returns it.
    feet, limits : tuple of float
        Lower and upper edge of the boxes; how far down and up arches may reach.
    """
    ends = _ends(flows)
    stands: dict[tuple[Flow, bool], float] = {}
    for (node, _, on_the_right), side in ends.items():
        side.sort(key=lambda flow: flow.span, reverse=on_the_right)
        widths = [scale * sqrt(flow.n_people) for flow in side]
        x = centres[node] + (1 if on_the_right else -1) * step * 0.22 - (sum(widths) + _SEAM * (len(side) - 1)) / 2
        for flow, width in zip(side, widths, strict=True):
            stands[flow, flow.source == node] = x + width / 2
            x += width + _SEAM
    for forward in (True, False):
        there = [flow for flow in flows if flow.forward == forward]
        tops = heights(there, scale)
        room = (limits[1] - feet[1] if forward else feet[0] - limits[0]) - _NUMBER - 2
        stretch = min([1.5, *((room - scale * sqrt(flow.n_people) / 2) / tops[flow] for flow in there)])
        foot = feet[1] if forward else feet[0]
        for flow in sorted(there, key=lambda flow: -flow.n_people):
            _ribbon(ax, flow, stands[flow, True], stands[flow, False], foot, tops[flow] * stretch, scale)


def heights(flows: Sequence[Flow], scale: float) -> dict[Flow, float]:
    """Return how high each arch rises: above those it spans, with room for their numbers."""
    found: dict[Flow, float] = {}
    for flow in sorted(flows, key=lambda flow: flow.span):
        half = scale * sqrt(flow.n_people) / 2
        # a number below stands under the shoulder of the arch, which is lower there than at its top
        shoulder = {1: 1.0, 2: 0.88, 3: 0.95}.get(flow.span, 0.97)
        under = [
            height + scale * sqrt(other.n_people) / 2 + _NUMBER
            for other, height in found.items()
            if other.span < flow.span
            and min(flow.source, flow.target) <= min(other.source, other.target)
            and max(flow.source, flow.target) >= max(other.source, other.target)
        ]
        found[flow] = max([(floor + half) / shoulder for floor in under] + [13.0 + half])
    return found


def _ribbon(ax: Axes, flow: Flow, x0: float, x1: float, foot: float, height: float, scale: float) -> None:
    up = 1 if flow.forward else -1
    colour = style.FORWARD if flow.forward else style.BACKWARD
    width = max(scale * sqrt(flow.n_people), 0.8)  # a hairline at least
    head = min(max(width * 0.5, 4.0), 7.0)
    reach = height * 4 / 3
    start, stop = foot + up * 0.5, foot + up * head
    points = [(x0, start), (x0, start + up * reach), (x1, start + up * reach), (x1, stop)]
    ax.add_patch(
        PathPatch(
            Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]), facecolor="none", edgecolor=colour,
            linewidth=width, alpha=0.62, capstyle="butt", zorder=1.5, label=f"{flow.source}>{flow.target}",
        )
    )  # fmt: skip
    half = max(width / 2 + 1.5, 2.6)
    ax.add_patch(
        Polygon([(x1 - half, stop), (x1 + half, stop), (x1, foot)], facecolor=colour, edgecolor="none", zorder=2.5)
    )
    label = style.write(
        ax, (x0 + x1) / 2, foot + up * (height + width / 2 + 1), words.people(flow.n_people), ha="center",
        va="bottom" if flow.forward else "top", fontsize=8, zorder=5,
    )  # fmt: skip
    label.set_path_effects([withStroke(linewidth=2.2, foreground=style.PAPER)])
