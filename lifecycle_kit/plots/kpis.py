"""KPIs over time, each with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import panels, style, units, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_kpis"]

_COLUMNS = (
    "kpi", "label", "unit", "period_start", "period_end", "dimension", "slice", "value", "lo", "hi", "n_den",
    "mature_share", "mark", "reason",
)  # fmt: skip
_COLOUR = "#0072b2"
_MOST_KPIS, _MOST_SLICES, _MOST_BANDS = 12, 8, 3
_EVERYBODY = "everybody"


def plot_kpis(
    values: pd.DataFrame,
    *,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each KPI over its periods: one panel per KPI, its interval as a band, gaps where it is null.

    A hollow point is a value whose people are not all old enough to count. A period at the beginning of the log, where
    everybody looks new, is grey; a period that the log covers only in part is hollow and dashed. With slices,
    each is a line in its own colour, eight at most: those with the smallest denominators are left out, and counted in
    a note; bands are drawn for up to three lines. With a single period each panel shows values and intervals.

    Parameters
    ----------
    values : pandas.DataFrame
        One row per KPI, period and slice: kpi, label, unit, period_start, period_end (both included), dimension, slice
        (null: everybody), value, lo, hi, n_den, mature_share, mark, reason. At most twelve KPIs and one dimension.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw inside this one. Default: a new figure.

    Returns
    -------
    Axes
        The host; its panels are ``ax.child_axes``, in the KPIs' order.

    Raises
    ------
    UsageError
        When the frame is empty, lacks a column, or holds more KPIs or dimensions than one picture can show.
    """
    style.require(values, _COLUMNS, "KPIs")
    n_kpis, dimensions = values["kpi"].nunique(), list(dict.fromkeys(values["dimension"].dropna()))
    if n_kpis > _MOST_KPIS:
        raise UsageError(
            f"{n_kpis} KPIs are too many for one picture: it shows at most {_MOST_KPIS}.",
            fix="Choose some: values[values['kpi'].isin(['conversion_rate', 'repeat_rate'])].",
        )
    if len(dimensions) > 1:
        raise UsageError(
            f"One picture shows slices of one dimension, not of {len(dimensions)}: {', '.join(map(str, dimensions))}.",
            fix=f"Choose one: values[values['dimension'] == {dimensions[0]!r}].",
        )
    by = f" by {words.heading(dimensions[0])}" if dimensions else ""
    return _draw(values, f"KPIs{by}", title, source, ax)


def _draw(values: pd.DataFrame, what: str, title: str | None, source: str | None, ax: Axes | None) -> Axes:
    import pandas as pd

    frame = values.assign(
        period_start=pd.to_datetime(values["period_start"]),
        period_end=pd.to_datetime(values["period_end"]),
        slice=[_EVERYBODY if words.is_null(name) else str(name) for name in values["slice"]],
        **{c: pd.to_numeric(values[c]).astype("float64") for c in ("value", "lo", "hi", "mature_share", "n_den")},
    )
    slices, n_dropped = _slices(frame)
    frame = frame[frame["slice"].isin(slices)]
    kpis = list(dict.fromkeys(frame["kpi"]))
    span = f"{frame['period_start'].min():%Y-%m-%d} to {frame['period_end'].max():%Y-%m-%d}"
    title = title or f"{what}, {span}"
    colours = {_EVERYBODY: _COLOUR if len(slices) == 1 else style.INK}
    colours |= style.stage_colours([name for name in slices if name != _EVERYBODY])
    entries = [(words.plain(name), colours[name]) for name in slices] if slices != [_EVERYBODY] else []
    notes = _notes(frame, n_dropped, len(slices))
    n_rows = -(-len(kpis) // 2)
    with style.picture(ax, size=(style.SLIDE[0], max(style.SLIDE[1], 2.1 * n_rows + 0.9))) as ax:
        panels.host(ax, n_notes=len(notes) + bool(source))
        inner = panels.grid(ax, len(kpis), head=panels.key(ax, entries) if entries else 0)
        told = [
            _panel(inside, frame[frame["kpi"] == kpi].sort_values("period_start"), slices, colours)
            for inside, kpi in zip(inner, kpis, strict=True)
        ]
        style.set_title(ax, title, pad=12)
        style.set_source(ax, source, *notes, below=4)
        style.set_alt(ax, f"{words.plain(title)}. {' '.join(told)}")
    return ax


def _slices(frame: pd.DataFrame) -> tuple[list[str], int]:
    """The slices to draw, largest denominators first kept, in the frame's order; and how many are left out."""
    names = list(dict.fromkeys(frame["slice"]))
    cut = [name for name in names if name != _EVERYBODY]
    size = frame.groupby("slice")["n_den"].max().fillna(0)
    kept = set(sorted(cut, key=lambda name: -size[name])[:_MOST_SLICES])
    return [name for name in names if name == _EVERYBODY or name in kept], len(cut) - len(kept)


def _has(marks: Any, mark: str) -> np.ndarray:
    return np.array([panels.marked(given, mark) for given in marks], dtype=bool)


def _notes(frame: pd.DataFrame, n_dropped: int, n_slices: int) -> list[str]:
    there = frame["value"].notna().to_numpy()
    partial = _has(frame["mark"], "partial")
    interval = frame["lo"].notna().any() and n_slices <= _MOST_BANDS
    first = [f"{'Band' if frame['period_start'].nunique() > 1 else 'Bar'}: 95% interval."] if interval else []
    if ((frame["mature_share"] < 1).to_numpy() & there & ~partial).any():
        first.append("Hollow: not everybody counted is old enough yet.")
    second = [panels.CENSORED] if _has(frame["mark"], "left-censored").any() else []
    if (partial & there).any():
        how = "Hollow and dashed" if frame["period_start"].nunique() > 1 else "Hollow"
        second.append(f"{how}: the log covers only part of the period.")
    third = [f"Left out: {n_dropped} slices with the smallest denominators."] if n_dropped > 1 else []
    third += ["Left out: the slice with the smallest denominator."] if n_dropped == 1 else []
    return [" ".join(line) for line in (first, second, third) if line]


def _panel(inside: Axes, rows: pd.DataFrame, slices: list[str], colours: dict[str, str]) -> str:
    label, unit = words.plain(rows["label"].iloc[0]), str(rows["unit"].iloc[0])
    number = units.number(unit)
    panels.headline(inside, label)
    inside.set_ylabel(units.axis_label(unit), fontsize=8, color=style.MUTED, parse_math=False, fontfamily=words.fonts())
    inside.tick_params(labelsize=8)
    if rows["value"].isna().all():
        return _absent(inside, label, rows["reason"])
    lines = {name: rows[rows["slice"] == name] for name in slices if (rows["slice"] == name).any()}
    banded, one = len(slices) <= _MOST_BANDS, rows["period_start"].nunique() == 1
    seen = rows if banded or one else rows.assign(lo=np.nan, hi=np.nan)
    _limits(inside, *(seen[column].to_numpy() for column in ("value", "lo", "hi")))
    if one:
        _one_period(inside, lines, colours, unit)
    else:
        for name, line in lines.items():
            _line(inside, line, colours[name], banded=banded, alone=len(slices) == 1)
        begins = rows[_has(rows["mark"], "left-censored")].drop_duplicates("period_start")
        day = np.timedelta64(1, "D")
        panels.grey_spans(inside, list(zip(begins["period_start"], begins["period_end"] + day, strict=True)))
        inside.set_xlim(rows["period_start"].min(), rows["period_end"].max() + day)
        style.time_axis(inside, 7)
        inside.set_xlabel("period", fontsize=8, color=style.MUTED)
    units.value_axis(inside, unit)
    return f"{label}: {_told(lines, number)}."


def _told(lines: dict[str, pd.DataFrame], number: Any) -> str:
    """The last value of each line, and its period once."""
    told: dict[str, list[str]] = {}
    for name, line in lines.items():
        there = line[line["value"].notna()]
        if there.empty:
            told.setdefault("", []).append(f"{words.plain(name)} no value")
            continue
        last, whose = there.iloc[-1], "" if len(lines) == 1 else f"{words.plain(name)} "
        interval = f" (95% interval {number(last['lo'])} to {number(last['hi'])})"
        shown = "" if whose or np.isnan(last["lo"]) else interval
        told.setdefault(f" in the period to {last['period_end']:%Y-%m-%d}", []).append(
            f"{whose}{number(last['value'])}{shown}"
        )
    return "; ".join(f"{', '.join(said)}{period}" for period, said in told.items())


def _line(inside: Axes, rows: pd.DataFrame, colour: str, *, banded: bool, alone: bool) -> None:
    at = (rows["period_start"] + (rows["period_end"] - rows["period_start"]) / 2).to_numpy()
    value, lo, hi = (rows[column].to_numpy() for column in ("value", "lo", "hi"))
    if banded:
        inside.fill_between(at, lo, hi, color=colour, alpha=0.22 if alone else 0.13, linewidth=0)
        # a value between two gaps has no band: its interval is a line
        there = np.isfinite(value) & np.isfinite(lo)
        by_itself = there & ~np.append(False, there[:-1]) & ~np.append(there[1:], False)
        inside.vlines(at[by_itself], lo[by_itself], hi[by_itself], color=colour, alpha=0.35, linewidth=3)
    partial = _has(rows["mark"], "partial")
    beside = partial | np.append(False, partial[:-1]) | np.append(partial[1:], False)
    inside.plot(at, np.where(partial, np.nan, value), color=colour, linewidth=1.8)
    if partial.any():
        inside.plot(at, np.where(beside, value, np.nan), color=colour, linewidth=1.4, linestyle=(0, (2, 1.5)))
    hollow = (rows["mature_share"].to_numpy() < 1) | partial
    size = 4.5 if alone else 3.6
    for chosen, face in ((~hollow, colour), (hollow, style.PAPER)):
        inside.plot(
            at[chosen], value[chosen], linestyle="none", marker="o", markersize=size, color=colour,
            markerfacecolor=face,
        )  # fmt: skip


def _one_period(inside: Axes, lines: dict[str, pd.DataFrame], colours: dict[str, str], unit: str) -> None:
    number, alone = units.number(unit), len(lines) == 1
    wide, _ = panels.room(inside)
    for i, (name, rows) in enumerate(lines.items()):
        value, lo, hi = (float(rows[column].iloc[0]) for column in ("value", "lo", "hi"))
        hollow = rows["mature_share"].iloc[0] < 1 or _has(rows["mark"], "partial")[0]
        if np.isnan(value):
            continue
        if not np.isnan(lo):
            inside.errorbar(
                [i], [value], yerr=[[value - lo], [hi - value]], color=colours[name], linewidth=2,
                capsize=6 if alone else 3,
            )  # fmt: skip
        inside.plot(
            [i], [value], marker="o", markersize=9 if alone else 6, color=colours[name],
            markerfacecolor=style.PAPER if hollow else colours[name],
        )  # fmt: skip
        if alone:
            between = "no interval" if np.isnan(lo) else f"{number(lo)} to {number(hi)}"
            how: dict[str, Any] = {"xytext": (16, 1), "textcoords": "offset points"}
            inside.annotate(number(value), (0, value), va="bottom", fontsize=14, fontweight="bold", **how)
            inside.annotate(between, (0, value), va="top", fontsize=9, color=style.MUTED, **how | {"xytext": (16, -2)})
        elif style.text_width(inside, number(value), 8) < wide / (len(lines) + 0.7) - 8:
            inside.annotate(
                number(value), (i, value), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
            )
    row = next(iter(lines.values())).iloc[0]
    begins = any(_has(rows["mark"], "left-censored")[0] for rows in lines.values())
    inside.set_xlim(-0.35, 1 if alone else len(lines) - 0.3)
    panels.grey_spans(inside, [inside.get_xlim()] if begins else [])
    middle = 0 if alone else (len(lines) - 1) / 2
    inside.set_xticks([middle], [f"{row['period_start']:%Y-%m-%d}\nto {row['period_end']:%Y-%m-%d}"])
    inside.set_xlabel("period", fontsize=8, color=style.MUTED)


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
    lines = style.wrap(inside, f"No value: {reason}", panels.room(inside)[0] - 16, 9, 5)
    style.write(
        inside, 0.5, 0.5, lines, transform=inside.transAxes, ha="center", va="center", fontsize=9, color=style.MUTED
    )
    return f"{label}: no value, {reason}."
