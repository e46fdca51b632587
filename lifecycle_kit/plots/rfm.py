"""Recency by frequency: a grid of scores, how many customers each cell has, and what they brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.plots import heat, outcomes, panels, style, units, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_rfm_grid"]


def plot_rfm_grid(
    grid: pd.DataFrame,
    *,
    n_groups: int = 5,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row per recency score and a column per frequency score, the darker the more customers.

    Parameters
    ----------
    grid : pandas.DataFrame
        One row per cell with a customer: r, f (scores), n_customers, share (of all customers), revenue_share (of all
        revenue, null where unknown).
    n_groups : int
        Scores go from 1 to this.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(grid, ("r", "f", "n_customers", "share", "revenue_share"), "an RFM grid")
    share = np.full((n_groups, n_groups), np.nan)
    below = [[""] * n_groups for _ in range(n_groups)]
    said = []
    for row in grid.sort_values("n_customers", ascending=False).itertuples(index=False):
        i, j = n_groups - int(row.r), int(row.f) - 1
        share[i, j] = units.to_float(row.share)
        money = units.to_float(row.revenue_share)
        n = "1 person" if row.n_customers == 1 else f"{words.compact(float(row.n_customers))} people"
        below[i][j] = n + ("" if np.isnan(money) else f", {outcomes.short_share(money)} of revenue").replace(
            "-", "\u2212"
        )
        told = "" if np.isnan(money) else f", {words.percent(money)} of revenue"
        said.append(f"recency {row.r}, frequency {row.f}: {words.percent(share[i, j])} of customers{told}")
    title = title or "Recency and frequency"
    tall = max(style.SLIDE[1], 0.42 * n_groups + 2.2)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax)
        top = float(np.nanmax(share))
        size = 10 if n_groups <= 6 else 8
        heat.cells(
            ax, share, [float(i) for i in range(n_groups)], heat.BLUE, top, size=size,
            below=below if n_groups <= 6 else None,
        )  # fmt: skip
        scores = [str(score) for score in range(1, n_groups + 1)]
        ends = ("recency score (1: longest ago)", f"frequency score ({n_groups}: bought most often)")
        heat.rows_and_columns(ax, [float(i) for i in range(n_groups)], scores[::-1], scores, (ends[1], ends[0]), 9.5)
        style.set_title(ax, title)
        notes = ["In a cell: share of all customers; below it how many, and their share of all revenue."]
        if np.isnan(share).any():
            notes.append("A blank cell: no customer. Equal values share a score, so a score may have none.")
        style.set_source(ax, source, *notes, below=38, width=min(560, panels.room(ax)[0]))
        style.set_alt(ax, f"{words.plain(title)}. Largest cells: {'; '.join(said[:6])}.")
    return ax
