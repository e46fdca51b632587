"""The scorecard: one row per KPI with its value, interval, change, target and history, by stage."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.plots import panels, style, units, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_scorecard"]

_COLUMNS = (
    "kpi", "label", "stage", "unit", "better_when", "period_start", "period_end", "value", "lo", "hi", "previous",
    "change", "change_absolute", "flag", "limit_lo", "limit_hi", "target", "target_met", "n_den", "mature_share",
    "mark", "reason", "history",
)  # fmt: skip
_GOOD, _BAD, _LINE, _GREY = "#00704f", "#c22f1f", "#3d5a80", "#8c959f"
# points at full size: height of a row, of a stage's name, of the words above the columns
_ROW, _STAGE, _HEAD = 35.0, 25.0, 22.0
# where each column begins, of a width of 590 points
_WIDE = 590.0
_LABEL, _VALUE, _CHANGE, _TARGET, _SPARK, _FLAG = 0.0, 178.0, 276.0, 366.0, 436.0, 548.0


@dataclass(frozen=True)
class _Table:
    """Where the rows stand: an Axes whose units are points, and how far they shrink to fit into it."""

    ax: Axes
    scale: float

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str = style.INK,
        width: float | None = None,
        **how: Any,
    ) -> None:
        """Write at a place; smaller where it would be wider than `width`."""
        if width:
            weight = str(how.get("fontweight", "normal"))
            size = max(
                min(size, size * width * self.scale / style.text_width(self.ax, text, size * self.scale, weight)), 4
            )
        how = {"va": "center_baseline", "fontsize": size * self.scale, "color": colour, **how}
        style.write(self.ax, x * self.scale, y, text, **how)

    def wrapped(self, text: str, width: float, size: float, n_lines: int, weight: str = "normal") -> str:
        return style.wrap(self.ax, text, width * self.scale, size * self.scale, n_lines, weight)

    def line(self, y: float, colour: str, width: float) -> None:
        self.ax.plot([0, _WIDE * self.scale], [y, y], color=colour, linewidth=width, clip_on=False)


def plot_scorecard(
    card: pd.DataFrame,
    *,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a scorecard: KPIs by stage, each with value, interval, change, target, and a spark line of its history.

    A change beyond the interval is coloured by what is better for the KPI, and says so in words; others are grey. In
    the spark line the band is the usual range (control limits), the dot the period that is told (dotted after it: too
    young to tell), a red ring a point outside its limits; a hollow dot is a period that is partial or whose people are
    not all old enough; grey is the beginning of the log, where everybody looks new.

    Parameters
    ----------
    card : pandas.DataFrame
        One row per KPI, in the order to draw: kpi, label, stage, unit, better_when ("higher", "lower", "neither"),
        period_start, period_end (both included), value, lo, hi, previous, change (relative), change_absolute, flag
        ("above", "below" or null), limit_lo, limit_hi, target, target_met, n_den, mature_share, mark, reason (why the
        value is null), history (a list of dicts, oldest first: period_start, value, flag, mark).
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw inside this one: a smaller one gets smaller type. Default: a new figure, as high as its rows need.

    Returns
    -------
    Axes
        The host; its ``child_axes`` are the spark lines, in the order drawn.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    style.require(card, _COLUMNS, "a scorecard")
    first = {stage: i for i, stage in reversed(list(enumerate(card["stage"])))}
    rows = list(card.iloc[card["stage"].map(first).argsort(kind="stable")].itertuples(index=False))
    colours = style.stage_colours(card["stage"])
    begin, end = pd.to_datetime(card["period_start"]).max(), pd.to_datetime(card["period_end"]).max()
    title = title or f"Scorecard, {begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    notes = _notes(rows)
    n_notes = len(notes) + bool(source)
    needed = _HEAD + _ROW * len(rows) + _STAGE * len(colours)
    inches = (needed + 12 + 11.5 * n_notes + 36) / 72
    with style.picture(ax, size=(style.SLIDE[0], inches)) as ax:
        panels.host(ax, n_notes=n_notes)
        wide, tall = panels.room(ax)
        ax.set_xlim(0, wide)
        ax.set_ylim(0, tall)
        table = _Table(ax, min(1.0, wide / _WIDE, tall / needed))
        y = tall - _head(table, tall, _span(rows))
        for stage, group in groupby(rows, key=lambda row: row.stage):
            y -= _STAGE * table.scale
            name = words.shorten(style.name_of(stage), 60).upper()
            box = {"facecolor": style.shade(colours[str(stage)], 0.35), "edgecolor": "none", "pad": 2 * table.scale}
            table.write(3, y + 7 * table.scale, name, 8.5, fontweight="bold", bbox=box)
            for row in group:
                y -= _ROW * table.scale
                _row(table, row, y + _ROW / 2 * table.scale)
                table.line(y, style.RULE, 0.6)
        style.set_title(ax, title, pad=10)
        style.set_source(ax, source, *notes, below=6)
        style.set_alt(ax, _told(rows, title))
    return ax


def _span(rows: list[Any]) -> str:
    days = sorted(str(point["period_start"])[:10] for row in rows for point in row.history)
    return f"history, {days[0]} to {days[-1]}" if days else "history"


def _head(table: _Table, top: float, history: str) -> float:
    y = top - 8 * table.scale
    for x, name in (
        (_LABEL, "KPI"), (_VALUE, "value, 95% interval"), (_CHANGE, "change"), (_TARGET, "target"),
        (_SPARK, history),
    ):  # fmt: skip
        table.write(x, y, name, 8, style.MUTED)
    return 14 * table.scale


def _notes(rows: list[Any]) -> list[str]:
    history = [point for row in rows for point in row.history]
    first = ["Change: against the period before; grey within the interval.", "Dotted: too young to tell."]
    found = ["Blue band: the usual range (control limits)."]
    if any(row.flag in ("above", "below") for row in rows) or any(p["flag"] in ("above", "below") for p in history):
        found.append("Red ring: outside its limits.")
    second, third = [], []
    if any(row.mature_share < 1 or panels.marked(row.mark, "partial") for row in rows):
        second.append("Hollow dot: the period is partial, or not everybody counted is old enough yet.")
    if any(
        panels.marked(mark, "left-censored") for mark in [*(p["mark"] for p in history), *(row.mark for row in rows)]
    ):
        third.append(f"{panels.CENSORED} Triangle: off the scale.")
    return [" ".join(line) for line in (first, found, second, third) if line]


def _row(table: _Table, row: Any, y: float) -> None:
    up, down = y + 5 * table.scale, y - 7.5 * table.scale
    number = units.number(str(row.unit))
    label = table.wrapped(words.plain(row.label), _VALUE - 14, 9.5, 2)
    two = "\n" in label  # in smaller type, with the unit below both
    size = 8.5 if two else 9.5
    label = table.wrapped(words.plain(row.label), _VALUE - 14, size, 2)
    table.write(_LABEL, y + (5 if two else 5.5) * table.scale, label, size, va="center", linespacing=1.05)
    unit = f"{units.axis_label(str(row.unit))}, {_period(row)}"
    table.write(_LABEL, y - (12 if two else 8) * table.scale, unit, 7, style.MUTED, _VALUE - _LABEL - 8)
    if words.is_null(row.value):
        reason = "no value" if words.is_null(row.reason) else words.plain(row.reason)
        text = table.wrapped(f"No value: {reason}", _TARGET - _VALUE - 12, 7.5, 3)
        table.write(_VALUE, y, text, 7.5, style.MUTED, va="center", linespacing=1.1)
    else:
        censored = panels.marked(row.mark, "left-censored")
        colour = style.MUTED if censored else style.INK
        table.write(_VALUE, up, number(row.value), 13, colour, _CHANGE - _VALUE - 8, fontweight="bold")
        between = "no interval" if words.is_null(row.lo) else f"{number(row.lo)} to {number(row.hi)}"
        table.write(_VALUE, down, between, 7.5, style.MUTED, _CHANGE - _VALUE - 6)
        _change(table, row, number, up, down)
    if not words.is_null(row.target):
        _target(table, row, number, up, down)
    _spark(table, row, y)
    if row.flag in ("above", "below"):
        table.write(_FLAG, y, f"{row.flag}\nlimits", 7.5, _BAD, va="center", fontweight="bold", linespacing=1.05)


def _period(row: Any) -> str:
    """Name a whole month by its month, other stretches by their days."""
    start, end = row.period_start, row.period_end
    is_month = start.day == 1 and (end + dt.timedelta(days=1)).day == 1 and (end - start).days < 31
    return f"{start:%Y-%m}" if is_month else f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"


def _change(table: _Table, row: Any, number: Any, up: float, down: float) -> None:
    moved = row.change_absolute if words.is_null(row.change) else row.change
    if words.is_null(moved):
        table.write(_CHANGE, up, "no comparison", 7.5, style.MUTED)
        return
    size = _absolute(row.unit, number, abs(moved)) if words.is_null(row.change) else _relative(abs(moved))
    before = "" if words.is_null(row.previous) else number(row.previous)
    if moved == 0:
        table.write(_CHANGE, up, "= no change", 9.5, style.MUTED)
        return
    better = {"higher": moved > 0, "lower": moved < 0}.get(row.better_when)
    if not words.is_null(row.lo) and row.lo <= row.previous <= row.hi:
        better = None  # a change within the interval is no news
    colour = style.MUTED if better is None else _GOOD if better else _BAD
    room = _TARGET - _CHANGE - 8
    table.write(_CHANGE, up, f"{'▲' if moved > 0 else '▼'} {size}", 10.5, colour, room, fontweight="bold")
    said = "from" if better is None else "better than" if better else "worse than"
    table.write(_CHANGE, down, f"{said} {before}" if before else said.split(" ")[0], 7.5, colour, room)


def _absolute(unit: str, number: Any, change: float) -> str:
    """A difference of two shares is told in points: 3 % of a share is something else."""
    return f"{change * 100:.{1 if change >= 0.01 else 2}f} pp" if unit == "share" else str(number(change))


def _relative(change: float) -> str:
    return f"{change:.0%}" if 0.1 <= change < 10 else f"{change + 1:,.0f} times" if change >= 10 else f"{change:.1%}"


def _target(table: _Table, row: Any, number: Any, up: float, down: float) -> None:
    known = not words.is_null(row.target_met)
    met = known and bool(row.target_met)
    colour = _GOOD if met else _BAD if known else style.MUTED
    sign = "✓ " if met else "✗ " if known else ""
    weight, room = "bold" if known else "normal", _SPARK - _TARGET - 6
    table.write(_TARGET, up, f"{sign}{number(row.target)}", 9.5, colour, room, fontweight=weight)
    wanted = {"higher": "at least", "lower": "at most"}.get(row.better_when, "wanted")
    state = "met" if met else "missed" if known else "not known"
    table.write(_TARGET, down, f"{wanted}: {state}", 7.5, colour, room)


def _spark(table: _Table, row: Any, y: float) -> None:
    import pandas as pd

    tall = _ROW * table.scale
    left, width = _SPARK * table.scale, (_FLAG - _SPARK - 12) * table.scale
    inside = table.ax.inset_axes((left, y - 0.32 * tall, width, 0.64 * tall), transform=table.ax.transData)
    inside.set_axis_off()
    value = np.array([units.to_float(point["value"]) for point in row.history])
    at = pd.to_datetime([point["period_start"] for point in row.history]).to_numpy(dtype="datetime64[ns]")
    limits = np.array([units.to_float(row.limit_lo), units.to_float(row.limit_hi)])
    if not np.isfinite(value).any():
        return
    grey = np.array([panels.marked(point["mark"], "left-censored") for point in row.history])
    # the beginning of a log is so high that it would flatten all that follows: it may leave the scale
    trusted = value[~grey] if np.isfinite(value[~grey]).any() else value
    seen = np.concatenate([trusted, limits])
    low, high = float(np.nanmin(seen)), float(np.nanmax(seen))
    pad = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    inside.set_ylim(low - pad, high + pad)
    if np.isfinite(limits).any():
        bottom, top = (
            (low - pad if np.isnan(limits[0]) else limits[0]),
            (high + pad if np.isnan(limits[1]) else limits[1]),
        )
        inside.axhspan(bottom, top, color=_LINE, alpha=0.14, linewidth=0)
    beside = grey | np.append(False, grey[:-1])
    size = table.scale
    # after the period that is told, periods are partial or too young: they may still turn
    told = np.array([point["period_start"] <= row.period_start for point in row.history])
    inside.plot(at, np.where(grey | ~told, np.nan, value), color=_LINE, linewidth=1.3 * size)
    young = ~told | np.append(~told[1:], False)
    inside.plot(at, np.where(young & ~grey, value, np.nan), ":", color=_LINE, linewidth=1.1 * size)
    if grey.any():
        # up to the first point that is to be believed
        inside.plot(at, np.where(beside, value, np.nan), color=_GREY, linewidth=1.1 * size, zorder=1.9)
        for sign, chosen in (("^", value > high), ("v", value < low), ("o", (low <= value) & (value <= high))):
            here = grey & chosen
            edge = np.clip(value[here], low, high)
            inside.plot(at[here], edge, sign, color=_GREY, markersize=3.4 * size, clip_on=False)
    ringed = np.array([point["flag"] in ("above", "below") for point in row.history]) & np.isfinite(value)
    inside.plot(
        at[ringed], value[ringed], "o", color=_BAD, markerfacecolor="none", markersize=7.5 * size,
        markeredgewidth=1.3 * size, clip_on=False, zorder=3,
    )  # fmt: skip
    lonely = (
        np.isfinite(value) & ~np.isfinite(np.append(np.nan, value[:-1])) & ~np.isfinite(np.append(value[1:], np.nan))
    )
    inside.plot(at[lonely], value[lonely], "o", color=_LINE, markersize=2 * size, clip_on=False)
    shown = [i for i, point in enumerate(row.history) if point["period_start"] == row.period_start]
    for i in [i for i in shown if np.isfinite(value[i])]:
        colour = _GREY if grey[i] else _LINE
        hollow = row.mature_share < 1 or panels.marked(row.mark, "partial")
        inside.plot(
            at[i], value[i], "o", color=colour, markerfacecolor=style.PAPER if hollow else colour,
            markersize=4.4 * size, clip_on=False, zorder=2.5,
        )  # fmt: skip
    if len(at) > 1:
        inside.set_xlim(at[0], at[-1])


def _told(rows: list[Any], title: str) -> str:
    flagged = [f"{words.plain(row.label)} ({row.flag})" for row in rows if row.flag in ("above", "below")]
    targets = [row for row in rows if not words.is_null(row.target)]
    judged = [row for row in targets if not words.is_null(row.target_met)]
    missed = [words.plain(row.label) for row in judged if not row.target_met]
    whose = "its" if len(flagged) < 2 else "their"
    outside = f"{len(flagged) or 'none'} outside {whose} limits" + (f": {', '.join(flagged)}" if flagged else "")
    if not judged:
        hit = "no target to compare with"
    elif missed:
        hit = f"{len(missed)} of {len(judged)} targets missed: {', '.join(missed)}"
    else:
        hit = f"all {len(judged)} targets met" if len(judged) > 1 else "the one target met"
    n = f"{len(rows)} KPIs" if len(rows) > 1 else "1 KPI"
    return f"{words.plain(title)}: {n}, {outside}; {hit}."
