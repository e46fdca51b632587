"""The customer base as a whole: how much of it hangs on few, and what comes and goes each period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import panels, style, units, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_concentration", "plot_growth"]

_BLUE = "#0072b2"
_PARTS = {
    "new": "#0072b2",
    "returning": "#b4cbdd",
    "retained": "#b4cbdd",
    "expansion": "#009e73",
    "resurrecting": "#56b4e9",
    "reactivation": "#56b4e9",
    "contraction": "#f0a878",
    "dormant": "#d55e00",
    "churned": "#d55e00",
}


def plot_concentration(
    deciles: pd.DataFrame,
    *,
    title: str = "Revenue by tenth of the customers, best first",
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how much of the revenue each tenth of the customers brings.

    Parameters
    ----------
    deciles : pandas.DataFrame
        One row per tenth: decile (1 = best), n_people, revenue (in major units), share (of all revenue).
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(deciles, ("decile", "n_people", "revenue", "share"), "a concentration")
    rows = list(deciles.sort_values("decile").itertuples(index=False))
    share = np.array([units.to_float(row.share) for row in rows])
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        at = np.arange(len(rows))
        ax.bar(at, share, width=0.74, color=[_BLUE if i == 0 else style.shade(_BLUE, 0.55) for i in at])
        high = float(np.nanmax(share)) if np.isfinite(share).any() else 1.0
        low = min(0.0, float(np.nanmin(share)) if np.isfinite(share).any() else 0.0)
        ax.set_ylim(low * 1.25, max(high, 0.01) + (max(high, 0.01) - low) * 0.16)
        ax.set_xlim(-0.6, max(len(rows), 3) - 0.4)
        ax.axhline(0, color=style.RULE, linewidth=0.8)
        compact = units.short_number("money")
        for x, value, row in zip(at, share, rows, strict=True):
            revenue = "" if words.is_null(row.revenue) else f"\n{compact(row.revenue)}"
            text = "no share" if np.isnan(value) else words.percent(value).replace("-", "\u2212")
            ax.annotate(
                f"{text}{revenue}", (x, 0 if np.isnan(value) else value),
                xytext=(0, -4 if value < 0 else 4), textcoords="offset points", ha="center",
                va="top" if value < 0 else "bottom", fontsize=8.5, linespacing=1.2,
            )  # fmt: skip
        ax.set_xticks(at, [f"{row.decile:g}\n{words.people(row.n_people)}" for row in rows])
        units.value_axis(ax, "share", 6)
        ax.set_xlabel("tenth of the customers, 1 = best; below it: people", fontsize=9.5, color=style.INK)
        ax.set_ylabel("share of all revenue", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        style.set_source(ax, source, "On the bars: share of all revenue; revenue in units of currency.", below=52)
        said = [
            f"{row.decile:g}: {words.percent(value)}".replace("-", "\u2212")
            for row, value in zip(rows, share, strict=True)
        ]
        n = words.people(sum(0 if words.is_null(row.n_people) else row.n_people for row in rows))
        style.set_alt(ax, f"{words.plain(title)}. {n} people; share of all revenue by tenth: {'; '.join(said)}.")
    return ax


def plot_growth(
    bridge: pd.DataFrame,
    *,
    parts_up: Sequence[str] = ("new", "returning", "resurrecting"),
    parts_down: Sequence[str] = ("dormant",),
    unit: str = "people",
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw growth accounting: stacked bars per period, what came or stayed above zero, what was lost below.

    For money: ``parts_up=("new", "retained", "expansion", "reactivation")``,
    ``parts_down=("contraction", "churned")``, ``unit="money"``.

    Parameters
    ----------
    bridge : pandas.DataFrame
        One row per period: period_start, mark ("left-censored", "partial" or null), and a column per part; parts are
        positive, also those that are lost. A null part is not drawn.
    parts_up, parts_down : sequence of str
        Columns above and below zero, from zero outwards.
    unit : str
        Of the parts: "people", "money", ...
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw inside this one. Default: a new figure.

    Returns
    -------
    Axes
        The host; the bars are on ``ax.child_axes[0]``.

    Raises
    ------
    UsageError
        When the frame is empty, lacks a column, or a part is negative.
    """
    import pandas as pd

    parts = [*parts_up, *parts_down]
    style.require(bridge, ("period_start", "mark", *parts), "growth accounting")
    rows = bridge.assign(period_start=pd.to_datetime(bridge["period_start"])).sort_values("period_start")
    values = {part: pd.to_numeric(rows[part]).to_numpy(dtype="float64") for part in parts}
    for part, given in values.items():
        if (given < 0).any():
            raise UsageError(
                f"Part {part!r} has a negative value, {np.nanmin(given):g}.",
                fix="Give parts as positive numbers; `parts_down` are drawn below zero.",
            )
    start = rows["period_start"].to_numpy()
    colours = _colours(parts)
    partial, begins = (
        np.array([panels.marked(given, mark) for given in rows["mark"]]) for mark in ("partial", "left-censored")
    )
    notes = [panels.CENSORED] if begins.any() else []
    notes += ["Hatched: the log covers only part of the period."] if partial.any() else []
    what = "People who came, stayed and left" if unit == "people" else "Growth accounting"
    title = title or f"{what}, by period from {rows['period_start'].iloc[0]:%Y-%m-%d}"
    with style.picture(ax) as ax:
        panels.host(ax, n_notes=bool(notes) + bool(source))
        head = panels.key(ax, [(words.heading(part), colours[part]) for part in parts], line=False)
        (inside,) = panels.grid(ax, 1, head=head - 16)
        left, width = _places(start)
        floors = {True: np.zeros(len(rows)), False: np.zeros(len(rows))}
        for part in parts:
            up = part in parts_up
            height = np.nan_to_num(values[part]) * (1 if up else -1)
            bars = inside.bar(
                left, height, width, bottom=floors[up], align="edge", color=colours[part], edgecolor=style.PAPER,
                linewidth=0.6, label=f"part {part}",
            )  # fmt: skip
            floors[up] = floors[up] + height
            for bar, hatched in zip(bars, partial, strict=True):
                bar.set_hatch("////" if hatched else "")
        _ground(inside, start, left, width, begins, floors, unit)
        style.set_title(ax, title, pad=12)
        style.set_source(ax, source, *([" ".join(notes)] if notes else []), below=4)
        style.set_alt(ax, _told(title, rows, values, unit))
    return ax


def _colours(parts: Sequence[str]) -> dict[str, str]:
    others = style.stage_colours([f"part {part}" for part in parts if part not in _PARTS])
    return {part: _PARTS.get(part) or others[f"part {part}"] for part in parts}


def _places(start: Any) -> tuple[Any, Any]:
    """Where each bar begins and how wide it is, in days: up to the next period, the last as wide as the one before."""
    days = start.astype("datetime64[s]").astype("float64") / 86400
    gaps = np.diff(days)
    width = np.append(gaps, gaps[-1]) if len(gaps) else np.array([1.0])
    return days + 0.06 * width, 0.88 * width


def _ground(inside: Axes, start: Any, left: Any, width: Any, begins: Any, floors: dict[bool, Any], unit: str) -> None:
    """Axes, ticks, the zero line and the grey of the periods where everybody looks new."""
    edges = [(float(x - 0.07 * w), float(x + 1.07 * w)) for x, w in zip(left, width, strict=True)]
    panels.grey_spans(inside, [edge for edge, grey in zip(edges, begins, strict=True) if grey])
    low, high = float(floors[False].min()), float(floors[True].max())
    pad = (high - low) * 0.06 or 1.0
    inside.set_ylim(low - pad if low < 0 else 0, high + pad)
    if len(start) > 1:
        inside.set_xlim(edges[0][0], edges[-1][1])
        inside.xaxis_date()
        style.time_axis(inside, 12)
        inside.set_xlabel("period", fontsize=9, color=style.MUTED)
    else:
        inside.set_xlim(left[0] - 1.5, left[0] + width[0] + 1.5)
        inside.set_xticks([left[0] + width[0] / 2], [f"from {str(start[0])[:10]}"])
        inside.set_xlabel("period", fontsize=9, color=style.MUTED)
    inside.axhline(0, color=style.INK, linewidth=0.9)
    units.value_axis(inside, unit, 6)
    if unit == "money" and max(-low, high) >= 10_000:
        inside.yaxis.set_major_locator(MaxNLocator(6))
        inside.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: words.compact(value).replace("-", "\u2212"))
        )  # fmt: skip
    inside.tick_params(labelsize=8)
    lost = ", below zero: lost" if low < 0 else ""
    inside.set_ylabel(
        f"{units.axis_label(unit)}{lost}", fontsize=9, color=style.MUTED, parse_math=False, fontfamily=words.fonts()
    )


def _told(title: str, rows: pd.DataFrame, values: dict[str, Any], unit: str) -> str:
    number = units.number(unit)
    last = [
        f"{words.heading(part)} {'unknown' if np.isnan(given[-1]) else number(given[-1])}"
        for part, given in values.items()
    ]
    n = f"{len(rows)} periods" if len(rows) > 1 else "one period"
    return f"{words.plain(title)}: {n}. In the last, from {rows['period_start'].iloc[-1]:%Y-%m-%d}: {', '.join(last)}."
