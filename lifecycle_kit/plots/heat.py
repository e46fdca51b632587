"""Tables whose cells are the darker the larger their share, with the share in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex, to_rgb
from matplotlib.patches import Rectangle

from lifecycle_kit.plots import outcomes, style, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["BLUE", "GREEN", "GREY", "cells", "ink_on", "rows_and_columns"]

BLUE = LinearSegmentedColormap.from_list("shares", ["#f1f7fb", "#8cc1e0", "#0072b2", "#08306b"])
GREEN = LinearSegmentedColormap.from_list("converted", ["#eef8f4", "#7fceb5", "#009e73"])
GREY = LinearSegmentedColormap.from_list("ended", ["#f4f5f6", "#c5ccd3", "#8c959f"])


def cells(
    ax: Axes, share: np.ndarray, places: Sequence[float], shades: LinearSegmentedColormap, top: float,
    *, size: float = 8.0, below: Sequence[Sequence[str]] | None = None,
) -> None:  # fmt: skip
    """Draw rows of cells at heights; a null share is no cell. `below` is written small under the share."""
    norm = Normalize(0, top if top > 0 else 1.0, clip=True)
    for i, (y, row) in enumerate(zip(places, share, strict=True)):
        for x, value in enumerate(row):
            if not np.isfinite(value):
                continue
            colour = to_hex(shades(norm(value)))
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor=style.PAPER, linewidth=1))
            more = below[i][x] if below is not None else ""
            for text, up, points in (
                (outcomes.short_share(float(value)), 3.5 if more else 0, size),
                (more, -5.5, size * 0.78),
            ):
                ax.annotate(
                    text, (x, y), xytext=(0, up), textcoords="offset points", ha="center", va="center_baseline",
                    fontsize=points, color=ink_on(colour),
                )  # fmt: skip


def ink_on(colour: str) -> str:
    """Return the colour to write with on another one."""
    return style.PAPER if float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) < 0.44 else style.INK


def rows_and_columns(
    ax: Axes, places: Sequence[float], rows: Sequence[str], columns: Sequence[str], labels: tuple[str, str],
    size: float,
) -> None:  # fmt: skip
    """Name rows, columns and both axes, the first row on top."""
    ax.set_yticks(places, rows, fontsize=size, parse_math=False, fontfamily=words.fonts())
    ax.set_ylim(max(places) + 0.55, min(places) - 0.55)
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_xticks(range(len(columns)), columns, fontsize=9, parse_math=False, fontfamily=words.fonts())
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    how: dict[str, Any] = {"fontsize": 9.5, "color": style.INK, "parse_math": False, "fontfamily": words.fonts()}
    ax.set_xlabel(labels[0], **how)
    ax.set_ylabel(labels[1], **how)
