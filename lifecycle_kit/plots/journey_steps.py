"""Where people are at each step of their journey, and how many go on from one step to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lifecycle_kit.plots import heat, outcomes, panels, style, units, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_funnel", "plot_step_matrix"]

_MOST_STEPS, _MOST_POSITIONS, _MOST_BARS = 30, 15, 20
_SHOP = "#0072b2"


def plot_step_matrix(
    matrix: pd.DataFrame, *, source: str | None = None, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw which share of the journeys is at which step, position by position; below, those that have ended.

    Steps are ordered by their mean position. At most 30 steps, those with the largest shares, and the first 15
    positions are drawn; a note counts the others. Blue is scaled to the largest share of a step, the ended ones to all.

    Parameters
    ----------
    matrix : pandas.DataFrame
        One row per step and position: step ("(converted)", "(lost)", "(open)" for ended journeys), position (1, 2,
        ...), share (of the journeys; null for none).
    source, title : str, optional
        Where the data comes from, and what is shown.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    style.require(matrix, ("step", "position", "share"), "a step matrix")
    frame = matrix.assign(
        step=matrix["step"].astype(str), share=pd.to_numeric(matrix["share"]).astype("float64"),
        position=matrix["position"].astype(int),
    )  # fmt: skip
    positions = sorted(frame["position"].unique())[:_MOST_POSITIONS]
    n_positions = frame["position"].nunique()
    steps, n_steps = _by_mean_position(frame[~frame["step"].isin(outcomes.ENDS)])
    ends = [end for end in outcomes.ENDS if (frame["step"] == end).any()]
    wide = frame[frame["position"].isin(positions)].pivot_table(index="step", columns="position", values="share")
    table = wide.reindex(index=[*steps, *ends], columns=positions).to_numpy(dtype="float64")
    gap = 0.4 if steps and ends else 0.0
    places = [*map(float, range(len(steps))), *(len(steps) + gap + i for i in range(len(ends)))]
    title = title or "Where journeys are, position by position"
    tall = max(style.SLIDE[1] * 0.75, 0.225 * len(places) + 1.75)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax)
        size = 8.0 if len(places) <= 36 else 7.0
        n = len(steps)
        heat.cells(ax, table[:n], places[:n], heat.BLUE, _top(table[:n]), size=size)
        for i, end in enumerate(ends, n):
            shades = heat.GREEN if end == outcomes.CONVERTED else heat.GREY
            heat.cells(ax, table[i : i + 1], places[i : i + 1], shades, 1.0, size=size)
        names = [*(style.name_of(step) for step in steps), *ends]
        shown = [words.shorten(name, 26) for name in names]
        heat.rows_and_columns(
            ax, places, shown, [str(p) for p in positions], ("position in the journey", "step, by mean position"),
            size + 1,
        )  # fmt: skip
        style.set_title(ax, title)
        notes = ["In a cell: share of the journeys. Below: journeys that have ended before this position."]
        left = [
            f"{words.people(number)} {what}"
            for number, what in ((n_steps - n, "steps with small shares"), (n_positions - len(positions), "positions"))
            if number
        ]
        notes += [f"Left out: {' and '.join(left)}."] if left else []
        style.set_source(
            ax,
            source,
            *notes if ends else [notes[0].split(" Below")[0], *notes[1:]],
            width=min(430, panels.room(ax)[0]),
        )
        style.set_alt(ax, _told_matrix(title, names, positions, table, left))
    return ax


def _by_mean_position(frame: pd.DataFrame) -> tuple[list[str], int]:
    """Steps to draw by mean position, and how many there are."""
    there = frame[frame["share"] > 0]
    weighted = there.assign(along=there["position"] * there["share"]).groupby("step")[["share", "along"]].sum()
    weighted["name"] = weighted.index
    kept = weighted.sort_values(["share", "name"], ascending=[False, True]).head(_MOST_STEPS)
    mean = (kept["along"] / kept["share"]).round(9)
    ordered = kept.assign(mean=mean).sort_values(["mean", "name"])
    return ordered["name"].tolist(), int(frame["step"].nunique())


def _top(table: np.ndarray) -> float:
    return float(np.nanmax(table)) if np.isfinite(table).any() else 1.0


def _told_matrix(
    title: str, names: Sequence[str], positions: Sequence[int], table: np.ndarray, left: Sequence[str]
) -> str:
    told = []
    for x, position in list(enumerate(positions))[:8]:
        column = np.nan_to_num(table[:, x], nan=-1.0)
        best = [i for i in np.argsort(-column, kind="stable")[:3] if column[i] > 0]
        said = ", ".join(f"{words.plain(names[i])} {words.percent(float(column[i]))}" for i in best)
        told.append(f"position {position}: {said or 'nobody'}")
    rest = f" Left out: {' and '.join(left)}." if left else ""
    return f"{words.plain(title)}. Largest shares at {'; '.join(told)}.{rest}"


def plot_funnel(
    funnel: pd.DataFrame, *, source: str | None = None, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a funnel: a bar per step, the people lost since the step before as a pale end, with the interval.

    The line at the end of a bar is the interval of the share that went on, in people of the step before. At most 20
    steps are drawn; a note counts the others.

    Parameters
    ----------
    funnel : pandas.DataFrame
        One row per step, in order: step, n_people, share_of_first, share_of_previous, lo, hi (95 % interval of
        share_of_previous; null for the first step), median_hours (from the step before; may be null).
    source, title : str, optional
        Where the data comes from, and what is shown.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    columns = ("step", "n_people", "share_of_first", "share_of_previous", "lo", "hi", "median_hours")
    style.require(funnel, columns, "a funnel")
    rows = list(funnel.head(_MOST_BARS).itertuples(index=False))
    title = title or "How many people go on, step by step"
    tall = max(style.SLIDE[1] * 0.75, 0.5 * len(rows) + 1.6)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax, grid="x")
        most = max([float(row.n_people) for row in rows] + [1.0])
        names = [words.shorten(style.name_of(row.step), 26) for row in rows]
        longest = max(style.text_width(ax, name, 9.5) for name in names)
        # the layout is not done yet: what the names leave of a figure of our own, and what a given Axes has
        width = max(min(panels.room(ax)[0], style.SLIDE[0] * 72 - longest - 50), 60)
        scale = most / width
        for i, row in enumerate(rows):
            n = float(row.n_people)
            before = float(rows[i - 1].n_people) if i else n
            if before > n:
                ax.barh(i, before - n, left=n, height=0.62, color=style.RULE, alpha=0.6, label="lost")
            ax.barh(i, n, height=0.62, color=_SHOP, label="people")
            lo, hi = units.to_float(row.lo), units.to_float(row.hi)
            if i and np.isfinite(lo) and np.isfinite(hi):
                ax.errorbar(
                    [n], [i], xerr=[[max(n - lo * before, 0)], [max(hi * before - n, 0)]], color=style.INK,
                    linewidth=1.4, capsize=4,
                )  # fmt: skip
            end = max(before, n, hi * before if np.isfinite(hi) else n)
            text = _beside_bar(ax, i, row, end)
            scale = max(scale, end / max(width - text - 14, 0.25 * width))
        ax.set_xlim(0, scale * width)
        ax.set_yticks(range(len(rows)), names, fontsize=9.5, parse_math=False, fontfamily=words.fonts())
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(words.compact))
        ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= most * 1.001]
        ax.set_xticks(ticks)
        ax.set_xlabel("people", fontsize=9.5, color=style.INK)
        ax.set_ylabel("step", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        notes = ["Pale: people of the step before who did not go on. Line: 95% interval of those who did."]
        notes += [f"Left out: the last {len(funnel) - len(rows)} steps."] if len(funnel) > len(rows) else []
        style.set_source(ax, source, *notes if len(rows) > 1 else notes[1:], width=min(430, panels.room(ax)[0]))
        style.set_alt(ax, _told_funnel(title, rows, len(funnel)))
    return ax


def _beside_bar(ax: Axes, i: int, row: Any, end: float) -> float:
    """Write what is known of a step beside its bar, and return how wide that is, in points."""
    first = units.to_float(row.share_of_first)
    count = words.people(row.n_people) + (f" ({words.percent(first)} of the first)" if i and np.isfinite(first) else "")
    said = _went_on(row) if i else ""
    how: dict[str, dict[str, Any]] = {
        "bold": {"fontsize": 9, "fontweight": "bold", "color": style.INK},
        "normal": {"fontsize": 8, "color": style.MUTED},
    }
    for text, up, weight in ((count, 6 if said else 0, "bold"), (said, -6, "normal")):
        ax.annotate(
            text, (end, i), xytext=(8, up), textcoords="offset points", va="center_baseline",
            parse_math=False, fontfamily=words.fonts(), **how[weight],
        )  # fmt: skip
    return max(style.text_width(ax, count, 9, "bold"), style.text_width(ax, said, 8))


def _went_on(row: Any) -> str:
    share, lo, hi = (units.to_float(value) for value in (row.share_of_previous, row.lo, row.hi))
    if not np.isfinite(share):
        return "nobody to go on"
    short = units.short_number("share")
    between = f", {words.percent(lo)} to {words.percent(hi)}" if np.isfinite(lo) and np.isfinite(hi) else ""
    time = outcomes.after(units.to_float(row.median_hours))
    return f"{words.percent(share)} went on{between}" + (f"; median {time}" if time else "") if between or time else (
        f"{short(share)} went on"
    )  # fmt: skip


def _told_funnel(title: str, rows: Sequence[Any], n: int) -> str:
    told = [
        f"{words.plain(row.step)} {words.people(row.n_people)}" + (f" ({_went_on(row)})" if i else "")
        for i, row in enumerate(rows)
    ]
    rest = f" The last {n - len(rows)} steps are not drawn." if n > len(rows) else ""
    return f"{words.plain(title)}. People: {'; '.join(told)}.{rest}"
