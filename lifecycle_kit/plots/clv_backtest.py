"""Forecasts of purchases beside what came: over time, and by how often customers had bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.plots import style, units, words
from lifecycle_kit.plots.line_ends import LineEnd, name_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_calibration", "plot_tracking"]

# Okabe and Ito's colours; baselines are grey, told apart by their dashes and names
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#999933")
_GREY = "#8c959f"
# two models may tell the same: dashes let one be seen through the other
_LIVELY: tuple[Any, ...] = ("-", "-", (0, (5, 2)), (0, (2.5, 2.5)), "-", (0, (7, 1.5)))
_DASHES: tuple[Any, ...] = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (2, 3)))
_BASELINE = "baseline"
_LAST_GROUP = 7


def plot_tracking(
    frame: pd.DataFrame,
    *,
    time_unit: str = "week",
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw repeat purchases so far, those that came and those that each model expected.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per model and period, of one origin: model, ends_on (day), held_out (whether the fits did not know the
        period), cumulative_actual, cumulative_expected; and kind ("baseline" is drawn grey), where known.
    time_unit : str
        Of a period.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    style.require(frame, ("model", "ends_on", "held_out", "cumulative_actual", "cumulative_expected"), "tracking")
    frame = frame.assign(ends_on=pd.to_datetime(frame["ends_on"])).sort_values("ends_on", kind="stable")
    looks = _looks(frame, "model")
    lines = {name: frame[frame["model"].astype(str) == name] for name in looks}
    came = next(iter(lines.values()))
    days = came["ends_on"].to_numpy()
    actual = pd.to_numeric(came["cumulative_actual"]).to_numpy(dtype="float64")
    title = title or "Repeat purchases so far: what came, and what was expected"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        ends = []
        highest = float(np.nanmax([*actual, 1.0]))
        for name, line in lines.items():
            colour, dashes = looks[name]
            expected = pd.to_numeric(line["cumulative_expected"]).to_numpy(dtype="float64")
            ax.plot(line["ends_on"].to_numpy(), expected, color=colour, linestyle=dashes, linewidth=1.6, label=name)
            ends.append(LineEnd(words.plain(name), _last(expected), _readable(colour)))
            highest = float(np.nanmax([highest, *expected]))
        ax.plot(days, actual, color=style.INK, linewidth=2.4, label="came", zorder=3)
        ends.append(LineEnd("came", _last(actual), style.INK, bold=True))
        ax.set_ylim(0, highest * 1.06)
        first, last = _places(ax, [days[0], days[-1]])
        _shade_held_out(ax, came)
        style.time_axis(ax, 9)
        units.value_axis(ax, "purchases", 6)
        ax.set_xlabel(f"end of the {words.plain(time_unit)}", fontsize=9.5, color=style.INK)
        ax.set_ylabel("repeat purchases since the first day", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        style.set_source(ax, source, *_notes(looks, "Expected from each customer's first day alone."))
        name_ends(ax, last, ends, within=(first, last + (last - first or 1.0) * 0.01))
        ax.set_xticks([tick for tick in ax.get_xticks() if first <= tick <= last])
        style.set_alt(ax, _told_tracking(title, lines, actual, came))
    return ax


def _last(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there[-1]) if len(there) else float("nan")


def _places(ax: Axes, days: Sequence[np.datetime64]) -> list[float]:
    """Return where days stand on the axis."""
    return [float(place) for place in ax.convert_xunits(list(days))]  # type: ignore[no-untyped-call]


def _looks(frame: pd.DataFrame, column: str) -> dict[str, tuple[str, Any]]:
    """Return colour and dashes of each forecast, baselines last."""
    kinds = dict(zip(frame[column].astype(str), frame["kind"] if "kind" in frame else [""] * len(frame), strict=True))
    lively = [name for name, kind in kinds.items() if kind != _BASELINE]
    grey = [name for name, kind in kinds.items() if kind == _BASELINE]
    made: dict[str, tuple[str, Any]] = {
        name: (_COLOURS[i % len(_COLOURS)], _LIVELY[i % len(_LIVELY)]) for i, name in enumerate(lively)
    }
    return made | {name: (_GREY, _DASHES[i % len(_DASHES)]) for i, name in enumerate(grey)}


def _readable(colour: str) -> str:
    """Return a grey that is dark enough for letters."""
    return style.MUTED if colour == _GREY else colour


def _notes(looks: dict[str, Any], *notes: str) -> list[str]:
    told = "Grey: baselines, which anybody can work out without a model."
    return [" ".join([*notes, *([told] if any(colour == _GREY for colour, _ in looks.values()) else [])])]


def _shade_held_out(ax: Axes, came: pd.DataFrame) -> None:
    held = came["held_out"].to_numpy(dtype=bool)
    if not held.any():
        return
    days = came["ends_on"].to_numpy()
    begin = days[~held][-1] if (~held).any() else days[0]
    ax.axvspan(begin, days[-1], color=_GREY, alpha=0.16, linewidth=0, zorder=0.5, label="held out")
    (left,) = _places(ax, [begin])
    ax.annotate(
        "held out: the\nmodels did not\nknow this time", (left, 0), xycoords=("data", "axes fraction"), xytext=(5, 6),
        textcoords="offset points", va="bottom", fontsize=8.5, color=style.MUTED, linespacing=1.2,
    )  # fmt: skip


def _told_tracking(title: str, lines: dict[str, pd.DataFrame], actual: np.ndarray, came: pd.DataFrame) -> str:
    number = units.number("purchases")
    held = int(came["held_out"].sum())
    said = [
        f"{words.plain(name)} {number(round(_last(line['cumulative_expected'].to_numpy(dtype='float64'))))}"
        for name, line in lines.items()
    ]
    day = f"{came['ends_on'].iloc[-1]:%Y-%m-%d}"
    return (
        f"{words.plain(title)}. {len(came)} periods to {day}, the last {held} held out. By then "
        f"{number(_last(actual))} came; expected: {', '.join(said)}."
    )


def plot_calibration(
    frame: pd.DataFrame,
    *,
    horizon: str,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw mean purchases in the held-out time by how often customers had bought before: expected, and what came.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per forecast and group: forecast, group (repeat purchases before; the last group is 7 and more),
        n_customers, expected, actual (means per customer); and kind ("baseline" is drawn grey), where known.
    horizon : str
        Length of the held-out time: "26 weeks".
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    style.require(frame, ("forecast", "group", "n_customers", "expected", "actual"), "a calibration")
    looks = _looks(frame, "forecast")
    groups = [int(group) for group in sorted(frame["group"].unique())]
    at = {group: i for i, group in enumerate(groups)}
    rows = frame.drop_duplicates("group").sort_values("group")
    actual = pd.to_numeric(rows["actual"]).to_numpy(dtype="float64")
    title = title or f"Purchases in the {words.plain(horizon)} held out, by purchases before"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        ax.bar(range(len(groups)), actual, width=0.6, color=style.shade(style.INK, 0.2), label="came")
        ends, highest = [], float(np.nanmax([*actual, 0.0]))
        for name, (colour, dashes) in looks.items():
            line = frame[frame["forecast"].astype(str) == name].sort_values("group")
            x = line["group"].map(at).to_numpy(dtype="float64")
            y = pd.to_numeric(line["expected"]).to_numpy(dtype="float64")
            ax.plot(x, y, color=colour, linestyle=dashes, linewidth=1.6, marker="o", markersize=3.6, label=name)
            ends.append(LineEnd(words.plain(name), _last(y), _readable(colour)))
            highest = float(np.nanmax([highest, *y]))
        ax.set_ylim(0, (highest or 1.0) * 1.08)
        names = [f"{group}+" if group >= _LAST_GROUP else str(group) for group in groups]
        ticks = [f"{name}\n{_people(n)}" for name, n in zip(names, rows["n_customers"], strict=True)]
        ax.set_xticks(range(len(groups)), ticks)
        units.value_axis(ax, "ratio", 6)
        ax.set_xlabel("repeat purchases before the held-out time; below it: customers", fontsize=9.5, color=style.INK)
        ax.set_ylabel("mean purchases per customer", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        style.set_source(ax, source, *_notes(looks, "Bars: what came. Lines: expected."), below=52)
        # beside the last bar, so that leaders do not cross its marks
        name_ends(ax, len(groups) - 0.7, ends, within=(-0.6, len(groups) - 0.5))
        style.set_alt(ax, _told_calibration(title, frame, looks, names, actual))
    return ax


def _people(n: Any) -> str:
    return "?" if words.is_null(n) else words.people(float(n))


def _told_calibration(
    title: str, frame: pd.DataFrame, looks: dict[str, Any], names: Sequence[str], actual: np.ndarray
) -> str:
    number = units.number("ratio")

    def told(values: Sequence[float]) -> str:
        return ", ".join(number(value) if np.isfinite(value) else "unknown" for value in values)

    said = []
    for name in looks:
        line = frame[frame["forecast"].astype(str) == name].sort_values("group")
        said.append(f"{words.plain(name)} {told(line['expected'].to_numpy(dtype='float64'))}")
    return (
        f"{words.plain(title)}. Mean purchases per customer of the groups with {', '.join(names)} repeat purchases: "
        f"{told([float(value) for value in actual])} came. Expected: {'; '.join(said)}."
    )
