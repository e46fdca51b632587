"""People per status: at one moment, and over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from lifecycle_kit.plots import style, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_occupancy", "plot_snapshot"]

# from here on the largest status makes bars of the smallest ones invisible
_TOO_FAR_APART = 50


def plot_snapshot(
    frame: pd.DataFrame,
    *,
    title: str = "People per status",
    source: str | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the people per status, in the map's order, coloured by stage.

    Bars when sizes can be compared by length; when the largest status is more than 50 times the smallest,
    points on a logarithmic axis, since a bar's length would mean nothing there.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per status in the map's order: stage, status, n_people, share.
    title : str
        What, and as of when.
    source : str, optional
        Where the data comes from, and as of when.
    labels : mapping, optional
        What to write for a status or stage instead of its id.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(frame, ("stage", "status", "n_people", "share"), "a snapshot")
    stages = [str(stage) for stage in frame["stage"]]
    names = [words.shorten(style.name_of(status, labels), 28) for status in frame["status"]]
    n_people = [int(n) for n in frame["n_people"]]
    colours = style.stage_colours(stages)
    rows = _rows(stages)
    present = [n for n in n_people if n > 0]
    logarithmic = bool(present) and max(present) > _TOO_FAR_APART * min(present)
    height = max(style.SLIDE[1], 0.3 * (rows[-1] + 1) + 1.3)
    with style.picture(ax, size=(style.SLIDE[0], height), layout="constrained") as ax:
        style.dress(ax, grid="x")
        if logarithmic:
            _points(ax, rows, n_people, [colours[stage] for stage in stages])
        else:
            ax.barh(rows, n_people, height=0.72, color=[colours[stage] for stage in stages])
            ax.set_xlim(0, max(present, default=1) * 1.28)
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.people(value)))
        for row, n, share in zip(rows, n_people, frame["share"], strict=True):
            at = max(n, ax.get_xlim()[0])
            text = words.people(n) if words.is_null(share) else f"{words.people(n)}   {words.percent(share)}"
            ax.annotate(
                text,
                (at, row),
                xytext=(9, 0),
                textcoords="offset points",
                va="center",
                fontsize=10,
                color=style.INK,
                bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5},
            )
        ax.set_yticks(rows, names, fontsize=10.5, parse_math=False, fontfamily=words.fonts())
        ax.set_ylim(rows[-1] + 0.6, -1.15)
        ax.tick_params(axis="y", length=0, pad=9 if logarithmic else 4)
        ax.spines["left"].set_visible(logarithmic is False)
        _stage_names(ax, stages, rows, colours, labels)
        ax.set_xlabel(
            "people (logarithmic axis: each line is ten times the one before)" if logarithmic else "people",
            fontsize=9.5,
            color=style.INK,
        )
        ax.set_ylabel("status, by stage", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        style.set_source(ax, source)
        counted = "; ".join(
            f"{words.plain(status)} {words.people(n)}" + ("" if words.is_null(share) else f" ({words.percent(share)})")
            for status, n, share in zip(frame["status"], n_people, frame["share"], strict=True)
        )
        style.set_alt(ax, f"{words.plain(title)}. {words.people(sum(n_people))} people: {counted}.")
    return ax


def _rows(stages: list[str]) -> list[float]:
    """A row per status, with room above the first status of each stage for the stage's name."""
    rows, at = [], 0.0
    for i, stage in enumerate(stages):
        at += 0 if i == 0 else 1.0 if stage == stages[i - 1] else 1.9
        rows.append(at)
    return rows


def _points(ax: Axes, rows: list[float], n_people: list[int], colours: list[str]) -> None:
    present = [n for n in n_people if n > 0]
    low = 10.0 ** np.floor(np.log10(min(present)))
    high = max(present)
    ax.set_xscale("log")
    ax.set_xlim(low / 1.6, high * (high / low) ** 0.34)
    ax.xaxis.set_major_locator(FixedLocator([10.0**k for k in range(int(np.log10(low)), int(np.log10(high)) + 1)]))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    for row, n, colour in zip(rows, n_people, colours, strict=True):
        if n > 0:
            ax.plot([ax.get_xlim()[0], n], [row, row], color=colour, linewidth=1.6, alpha=0.45, solid_capstyle="butt")
        ax.plot(
            [max(n, ax.get_xlim()[0])],
            [row],
            marker="o",
            markersize=11,
            color=colour,
            markerfacecolor=colour if n > 0 else style.PAPER,
            linestyle="none",
            clip_on=False,
        )


def _stage_names(
    ax: Axes, stages: list[str], rows: list[float], colours: dict[str, str], labels: Mapping[str, str] | None
) -> None:
    for i, stage in enumerate(stages):
        if i and stages[i - 1] == stage:
            continue
        ax.annotate(
            words.shorten(style.name_of(stage, labels), 40).upper(),
            (0, rows[i] - 0.74),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=style.INK,
            parse_math=False,
            fontfamily=words.fonts(),
            bbox={"facecolor": style.shade(colours[stage], 0.35), "edgecolor": "none", "pad": 2},
        )


def plot_occupancy(
    counts: pd.DataFrame,
    *,
    title: str = "People per status over time",
    source: str | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the people per status over time: one panel per stage, its statuses stacked.

    Each panel has its own scale from zero: on one scale the first stage would hide all others.

    Parameters
    ----------
    counts : pandas.DataFrame
        One row per day and status: day, stage, status, rank, n_people.
    title, source : str, optional
        What is shown, and where the data comes from.
    labels : mapping, optional
        What to write for a status or stage instead of its id.
    ax : Axes, optional
        Draw inside this one. Default: a new figure.

    Returns
    -------
    Axes
        The host; its panels are ``ax.child_axes``, in the stages' order.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    style.require(counts, ("day", "stage", "status", "rank", "n_people"), "an occupancy")
    ordered = counts.assign(day=pd.to_datetime(counts["day"].astype(str), format="ISO8601")).sort_values(
        ["rank", "day"]
    )
    stages = list(dict.fromkeys(str(stage) for stage in ordered["stage"]))
    colours = style.stage_colours(stages)
    n_columns = min(len(stages), 2 if len(stages) in (2, 4) else 3)
    n_rows = -(-len(stages) // n_columns)
    with style.picture(ax, size=(style.SLIDE[0], max(style.SLIDE[1], 2.2 * n_rows))) as ax:
        style.host(ax)
        figure = ax.get_figure(root=True)
        assert figure is not None
        wide = ax.get_window_extent().width * 72 / figure.dpi
        written = {status: style.name_of(status, labels) for status in ordered["status"].unique()}
        names = {status: style.wrap(ax, name, 62, 8, 2) for status, name in written.items()}
        lines = [line for name in names.values() for line in name.split("\n")]
        # left of a panel: ticks and "people"; right of it: the names of the statuses
        left, right = 42 / wide, (max(style.text_width(ax, line, 8) for line in lines) + 14) / wide
        width, height = 1 / n_columns, 1 / n_rows
        told = []
        for i, stage in enumerate(stages):
            row, column = divmod(i, n_columns)
            rows = ordered[ordered["stage"].astype(str) == stage]
            floor = 1 - (row + 1) * height + 0.1
            inside = style.panel(ax, column * width + left, floor, max(width - left - right, 0.05), height - 0.175)
            _headline(inside, words.shorten(_capital(style.name_of(stage, labels)), 26))
            told.append(_stack(inside, rows, colours[stage], names))
        style.set_title(ax, title, pad=12)
        style.set_source(ax, source, "Each panel has its own scale, from zero.", below=4)
        days = ordered["day"]
        span = f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"
        style.set_alt(ax, f"{words.plain(title)}, {span}. On the last day: {'; '.join(told)}.")
    return ax


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _headline(inside: Axes, text: str) -> None:
    inside.set_title(
        text,
        loc="left",
        fontsize=10.5,
        fontweight="bold",
        color=style.INK,
        parse_math=False,
        fontfamily=words.fonts(),
    )


def _stack(inside: Axes, frame: pd.DataFrame, colour: str, names: Mapping[str, str]) -> str:
    wide = frame.pivot(index="day", columns="status", values="n_people")
    wide = wide[list(dict.fromkeys(frame["status"]))]
    days, heights = wide.index.to_numpy(), wide.to_numpy().T
    shades = [style.shade(colour, s) for s in np.linspace(0.95, 0.35, len(heights))] if len(heights) > 1 else [colour]
    if len(days) > 1:
        inside.stackplot(days, heights, colors=shades, edgecolor=style.PAPER, linewidth=0.6)
        inside.set_xlim(days[0], days[-1])
        style.time_axis(inside, 5)
    else:
        floors = np.cumsum(heights, axis=0) - heights
        inside.bar([0] * len(heights), heights[:, 0], bottom=floors[:, 0], color=shades, width=0.6)
        inside.set_xlim(-0.5, 0.5)
        inside.set_xticks([0], [f"{frame['day'].iloc[0]:%Y-%m-%d}"])
    top = max(float(heights.sum(axis=0).max()), 1.0)
    inside.set_ylim(0, top * 1.04)
    inside.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    inside.yaxis.set_major_formatter(FuncFormatter(words.compact))
    inside.tick_params(labelsize=8)
    inside.set_ylabel("people", fontsize=8, color=style.MUTED)
    inside.set_xlabel("day", fontsize=8, color=style.MUTED)
    last = heights[:, -1]
    middles = np.cumsum(last) - last / 2
    _beside(inside, [names[status] for status in wide.columns], last, middles, top)
    return ", ".join(f"{words.plain(status)} {words.people(n)}" for status, n in zip(wide.columns, last, strict=True))


def _beside(inside: Axes, names: list[str], last: Any, middles: Any, top: float) -> None:
    """Write each status beside the end of its area, moved apart where areas are thin."""
    figure = inside.get_figure(root=True)
    assert figure is not None
    tall = inside.get_window_extent().height * 72 / figure.dpi
    one = 10.5 / max(tall, 1) * top * 1.04  # a line of text, in people
    half = [(name.count("\n") + 2) * one / 2 for name in names]
    at = [float(middle) for middle in middles]
    for i in range(1, len(at)):
        at[i] = max(at[i], at[i - 1] + half[i - 1] + half[i])
    for i in reversed(range(len(at))):
        at[i] = min(at[i], at[i + 1] - half[i + 1] - half[i] if i + 1 < len(at) else max(top - one, middles[i]))
    for name, n, y in zip(names, last, at, strict=True):
        inside.annotate(
            f"{name}\n{words.people(n)}",
            (1, y),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            linespacing=1.05,
            color=style.INK,
            annotation_clip=False,
            parse_math=False,
            fontfamily=words.fonts(),
        )
