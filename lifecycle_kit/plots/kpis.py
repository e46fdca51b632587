"""KPIs over time, each with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lifecycle_kit.plots import style, words

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_base_metrics"]

_COLUMNS = ("metric", "label", "unit", "period_start", "period_end", "value", "lo", "hi", "mature_share", "reason")
_COLOUR = "#0072b2"


def plot_base_metrics(
    values: pd.DataFrame,
    *,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each metric over its periods: one panel per metric, its interval as a band, gaps where it is null.

    A hollow point is a value whose people are not all old enough to count. With a single period each panel
    shows the value and its interval.

    Parameters
    ----------
    values : pandas.DataFrame
        One row per period and metric, as in `BaseMetrics.values`.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw inside this one. Default: a new figure.

    Returns
    -------
    Axes
        The host; its panels are ``ax.child_axes``, in the metrics' order.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    style.require(values, _COLUMNS, "base metrics")
    frame = values.assign(
        period_start=pd.to_datetime(values["period_start"]), period_end=pd.to_datetime(values["period_end"])
    )
    metrics = list(dict.fromkeys(frame["metric"]))
    n_columns = 1 if len(metrics) == 1 else 2
    n_rows = -(-len(metrics) // n_columns)
    span = f"{frame['period_start'].min():%Y-%m-%d} to {frame['period_end'].max():%Y-%m-%d}"
    title = title or f"Base metrics, {span}"
    with style.picture(ax, size=(style.SLIDE[0], max(style.SLIDE[1], 2.4 * n_rows))) as ax:
        style.host(ax)
        told = []
        for i, metric in enumerate(metrics):
            row, column = divmod(i, n_columns)
            width, height = 1 / n_columns, 1 / n_rows
            inside = style.panel(
                ax, column * width + 0.075, 1 - (row + 1) * height + 0.10, width - 0.095, height - 0.19
            )
            told.append(_metric(inside, frame[frame["metric"] == metric].sort_values("period_start")))
        style.set_title(ax, title, pad=12)
        shape = "Band" if frame["period_start"].nunique() > 1 else "Bar"
        partly = (frame["mature_share"] < 1) & frame["value"].notna()
        hollow = ["Hollow: not everybody counted is old enough yet."] if partly.any() else []
        style.set_source(ax, source, " ".join([f"{shape}: 95% interval.", *hollow]), below=4)
        style.set_alt(ax, f"{words.plain(title)}. {' '.join(told)}")
    return ax


def _metric(inside: Axes, rows: pd.DataFrame) -> str:
    label, unit = words.plain(rows["label"].iloc[0]), str(rows["unit"].iloc[0])
    number = _number_format(unit)
    value, lo, hi = (rows[column].to_numpy(dtype="float64") for column in ("value", "lo", "hi"))
    inside.set_title(
        words.shorten(label, 40),
        loc="left",
        fontsize=10.5,
        fontweight="bold",
        color=style.INK,
        parse_math=False,
        fontfamily=words.fonts(),
    )
    inside.set_ylabel(
        {"money": "units of currency"}.get(unit, words.plain(unit)),
        fontsize=8,
        color=style.MUTED,
        parse_math=False,
    )
    inside.tick_params(labelsize=8)
    if np.isnan(value).all():
        return _absent(inside, label, rows["reason"])
    if len(rows) == 1:
        _one(inside, rows, value[0], lo[0], hi[0], number)
    else:
        _many(inside, rows, value, lo, hi)
    _limits(inside, value, lo, hi)
    inside.yaxis.set_major_locator(MaxNLocator(4))
    inside.yaxis.set_major_formatter(FuncFormatter(_tick_format(unit, inside)))
    last = int(np.flatnonzero(~np.isnan(value))[-1])
    interval = "" if np.isnan(lo[last]) else f" (95% interval {number(lo[last])} to {number(hi[last])})"
    return f"{label}: {number(value[last])}{interval} in the period to {rows['period_end'].iloc[last]:%Y-%m-%d}."


def _many(inside: Axes, rows: pd.DataFrame, value: Any, lo: Any, hi: Any) -> None:
    at = (rows["period_start"] + (rows["period_end"] - rows["period_start"]) / 2).to_numpy()
    inside.fill_between(at, lo, hi, color=_COLOUR, alpha=0.22, linewidth=0)
    # a value between two gaps has no band: its interval is a line
    there = np.isfinite(value) & np.isfinite(lo)
    alone = there & ~np.roll(np.append(there, False), 1)[:-1] & ~np.append(there[1:], False)
    inside.vlines(at[alone], lo[alone], hi[alone], color=_COLOUR, alpha=0.35, linewidth=3)
    inside.plot(at, value, color=_COLOUR, linewidth=1.8)
    whole = ~(rows["mature_share"].to_numpy(dtype="float64") < 1)
    for chosen, face in ((whole, _COLOUR), (~whole, style.PAPER)):
        inside.plot(
            at[chosen], value[chosen], linestyle="none", marker="o", markersize=4.5, color=_COLOUR, markerfacecolor=face
        )
    inside.set_xlim(rows["period_start"].iloc[0], rows["period_end"].iloc[-1])
    style.time_axis(inside, 7)
    inside.set_xlabel("period", fontsize=8, color=style.MUTED)


def _one(inside: Axes, rows: pd.DataFrame, value: float, lo: float, hi: float, number: Callable[[float], str]) -> None:
    if not np.isnan(lo):
        inside.errorbar([0], [value], yerr=[[value - lo], [hi - value]], color=_COLOUR, linewidth=2, capsize=6)
    whole = not rows["mature_share"].iloc[0] < 1
    inside.plot(
        [0], [value], marker="o", markersize=9, color=_COLOUR, markerfacecolor=_COLOUR if whole else style.PAPER
    )
    between = "no interval" if np.isnan(lo) else f"{number(lo)} to {number(hi)}"
    inside.annotate(
        number(value), (0, value), xytext=(16, 1), textcoords="offset points", va="bottom", fontsize=14,
        fontweight="bold", color=style.INK,
    )  # fmt: skip
    inside.annotate(
        between, (0, value), xytext=(16, -2), textcoords="offset points", va="top", fontsize=9, color=style.MUTED
    )
    inside.set_xlim(-0.35, 1)
    inside.set_xticks([0], [f"{rows['period_start'].iloc[0]:%Y-%m-%d}\nto {rows['period_end'].iloc[0]:%Y-%m-%d}"])
    inside.set_xlabel("")


def _limits(inside: Axes, value: Any, lo: Any, hi: Any) -> None:
    """From zero where that costs at most half the height, else close around the values."""
    low, high = float(np.nanmin([value, lo])), float(np.nanmax([value, hi]))
    pad = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    inside.set_ylim(0 if 0 <= low < 0.5 * high else low - pad, high + pad)


def _absent(inside: Axes, label: str, reasons: pd.Series) -> str:
    given = [words.plain(reason) for reason in reasons if not words.is_null(reason)]
    reason = given[-1] if given else "no value"
    inside.set_xticks([])
    inside.set_yticks([])
    inside.grid(False)
    figure = inside.get_figure(root=True)
    assert figure is not None
    room = inside.get_window_extent().width * 72 / figure.dpi - 16
    lines = style.wrap(inside, f"No value: {reason}", room, 9, 5)
    style.write(
        inside, 0.5, 0.5, lines, transform=inside.transAxes, ha="center", va="center", fontsize=9, color=style.MUTED
    )
    return f"{label}: no value, {reason}."


def _number_format(unit: str) -> Callable[[float], str]:
    if unit == "share":
        return lambda value: f"{value:.1%}" if value >= 0.1 else f"{value:.2%}"
    if unit == "money":
        return words.money
    return lambda value: words.people(value) if abs(value) >= 100 else f"{value:,.1f}"


def _tick_format(unit: str, inside: Axes) -> Callable[[float, int | None], str]:
    """As few digits as tell the ticks apart."""
    ticks = inside.yaxis.get_major_locator().tick_values(*inside.get_ylim())
    step = float(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    if unit == "share":
        digits = max(0, -int(np.floor(np.log10(step * 100) + 1e-9)))
        return lambda value, _: f"{value:.{digits}%}"
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    return lambda value, _: f"{value:,.{digits}f}"
