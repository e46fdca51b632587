"""Customers by risk and value: a cell per group of both, the darker the more revenue is at risk in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import Normalize, to_hex
from matplotlib.patches import Rectangle

from lifecycle_kit.plots import heat, style, units, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_risk_value"]

_COLUMNS = (
    "cell", "risk_group", "value_group", "n_customers", "share_customers", "value", "at_risk", "lo", "hi",
    "share_at_risk",
)  # fmt: skip


def plot_risk_value(
    cells: pd.DataFrame,
    *,
    risk_names: Mapping[str, str] | None = None,
    value_names: Mapping[str, str] | None = None,
    level: float = 0.9,
    title: str = "Revenue at risk, by risk and value of customers",
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the grid of risk by value.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row per cell, in the order to draw (from the upper left, row by row): cell, risk_group (a row), value_group
        (a column), n_customers, share_customers, value, at_risk, lo, hi, share_at_risk (may be missing).
    risk_names, value_names : mapping, optional
        What each group is, in words.
    level : float
        Of the intervals.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(cells, _COLUMNS, "a grid of risk and value")
    rows, columns = (list(dict.fromkeys(cells[name])) for name in ("risk_group", "value_group"))
    share = cells["share_at_risk"].fillna(0.0).to_numpy(dtype="float64")
    norm = Normalize(0, max(float(share.max()), 1e-9))
    money = units.short_number("money")
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax)
        for row, part in zip(cells.itertuples(index=False), share, strict=True):
            x, y = columns.index(row.value_group), rows.index(row.risk_group)
            colour = to_hex(heat.BLUE(norm(part))) if row.n_customers else style.PAPER
            edge = style.RULE if not row.n_customers else style.PAPER
            ax.add_patch(Rectangle((x - 0.485, y - 0.485), 0.97, 0.97, facecolor=colour, edgecolor=edge))
            for text, up, size, weight in _lines(row, part, money):
                ax.annotate(
                    text, (x, y), xytext=(0, up), textcoords="offset points", ha="center", va="center_baseline",
                    fontsize=size, fontweight=weight, color=heat.ink_on(colour), parse_math=False,
                    fontfamily=words.fonts(),
                )  # fmt: skip
        heat.rows_and_columns(
            ax,
            list(range(len(rows))),
            [_name(name, "risk", risk_names) for name in rows],
            [_name(name, "value", value_names) for name in columns],
            ("value of the customer", "probability of no order in the window"),
            9.0,
        )
        style.set_title(ax, title)
        n, total = (float(cells[name].sum()) for name in ("n_customers", "at_risk"))
        notes = [
            f"Bold: revenue at risk (risk x value; units of currency) with its {100 * level:g} % interval; the darker, "
            "the larger its share.",
            f"{words.people(n)} customers; {words.money(total)} at risk in all, an upper figure: some come later.",
        ]
        style.set_source(ax, source, *notes, below=48)
        style.set_alt(ax, _told(title, cells, n, total))
    return ax


def _lines(row: Any, share: float, money: Any) -> list[tuple[str, float, float, str]]:
    if not row.n_customers:
        return [("nobody", 0, 9, "normal")]
    who = "1 customer" if row.n_customers == 1 else f"{words.people(row.n_customers)} customers"
    return [
        (f"{who} ({words.percent(row.share_customers)})", 27, 9, "normal"),
        (money(row.at_risk), 7, 15, "bold"),
        (f"{money(row.lo)} to {money(row.hi)}", -9, 9, "normal"),
        (f"{words.percent(share)} of all at risk", -24, 9, "normal"),
    ]


def _name(group: str, what: str, names: Mapping[str, str] | None) -> str:
    told = (names or {}).get(group)
    head = f"{words.shorten(words.plain(group), 20)} {what}"
    return f"{head}\n{style.name_of(group, {group: told})}" if told else head


def _told(title: str, cells: pd.DataFrame, n: float, total: float) -> str:
    said = [
        f"{words.plain(row.cell)}: {words.people(row.n_customers)} customers, {words.money(row.at_risk)} at risk"
        + ("" if np.isnan(units.to_float(row.share_at_risk)) else f" ({words.percent(float(row.share_at_risk))})")
        for row in cells.itertuples(index=False)
        if row.n_customers
    ]
    return f"{words.plain(title)}. {words.people(n)} customers, {words.money(total)} at risk. {'; '.join(said)}."
