"""Names at the right end of lines, moved apart where lines end together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.patheffects import withStroke

from lifecycle_kit.plots import panels, style, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["LineEnd", "name_ends"]

_SIZE, _HIGH = 8.5, 11.5  # points: letters, and from one name to the next
_NEAR, _FAR = 5.0, 22.0  # points from the line's end: where a name's leader begins, and where the name stands
_MOST_LETTERS = 40


class LineEnd(NamedTuple):
    """What is written at the end of a line."""

    text: str
    y: float
    colour: str
    bold: bool = False


def name_ends(ax: Axes, x: float, ends: Sequence[LineEnd], *, within: tuple[float, float]) -> None:
    """Write a name at the end of each line, and make the room for it at the right.

    Lines that end at the same height share one name. A name that had to give way is joined to its line's end.

    Parameters
    ----------
    ax : Axes
        With all else drawn, so that its size is the one that it will have.
    x : float
        Where the lines end.
    ends : sequence of LineEnd
    within : tuple of float
        Limits of x before the room is made.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    low, high = ax.get_ylim()
    wide, tall = panels.room(ax)
    named = _together([end for end in ends if np.isfinite(end.y)], (high - low) / tall)
    texts = [words.shorten(end.text, _MOST_LETTERS) for end in named]
    left, right = within
    needed = max((style.text_width(ax, text, _SIZE, "bold") for text in texts), default=0.0) + _FAR + 4
    share = min(needed / max(wide, 1), 0.6)
    ax.set_xlim(left, max(right, x + share * (x - left) / (1 - share)))
    at = _apart([(end.y - low) / (high - low) * tall for end in named], _HIGH, 6.0, tall - 4)
    for end, text, place in zip(named, texts, at, strict=True):
        moved = place - (end.y - low) / (high - low) * tall
        ax.annotate(
            text, (x, end.y), xytext=(_FAR, moved), textcoords="offset points", va="center_baseline", fontsize=_SIZE,
            color=end.colour, fontweight="bold" if end.bold else "normal", parse_math=False, fontfamily=words.fonts(),
            annotation_clip=False, path_effects=[withStroke(linewidth=2.5, foreground=style.PAPER)],
        )  # fmt: skip
        ax.annotate(
            "", (x, end.y), xytext=(_FAR - 2, moved), textcoords="offset points", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": end.colour, "linewidth": 0.7, "shrinkA": 0, "shrinkB": _NEAR},
        )  # fmt: skip


def _together(ends: Sequence[LineEnd], point: float) -> list[LineEnd]:
    """Give lines that end within a tenth of a point one name, and put all in order of their height."""
    made: list[LineEnd] = []
    for end in sorted(ends, key=lambda end: end.y):
        if made and not end.bold and not made[-1].bold and end.y - made[-1].y < 0.1 * point:
            made[-1] = made[-1]._replace(text=f"{made[-1].text}, {end.text}")
        else:
            made.append(end)
    return made


def _apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places at least `gap` apart and as near as can be to those wanted, which are in order."""
    groups: list[list[float]] = []  # sum of wanted places less their offsets, how many
    for place in wanted:
        groups.append([place, 1])
        while len(groups) > 1 and _start(groups[-1], gap) < _end(groups[-2], gap) + gap:
            total, n = groups.pop()
            before = groups[-1]
            before[0] += total - n * before[1] * gap
            before[1] += n
    placed = [_start(group, gap) + i * gap for group in groups for i in range(int(group[1]))]
    if placed and placed[-1] > high:
        placed = [min(place, high - (len(placed) - 1 - i) * gap) for i, place in enumerate(placed)]
    if placed and placed[0] < low:
        placed = [max(place, low + i * gap) for i, place in enumerate(placed)]
    return placed


def _start(group: list[float], gap: float) -> float:
    """Return where the first of a group stands: each is as far from its place as the least squares have it."""
    total, n = group
    return total / n


def _end(group: list[float], gap: float) -> float:
    return _start(group, gap) + (group[1] - 1) * gap
