"""Journeys: which step follows which, and the most frequent paths with how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.patches import FancyBboxPatch, Rectangle

from lifecycle_kit.plots import journey_graph, outcomes, panels, style, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_graph", "plot_paths"]

_MOST_PATHS = 25
_NARROW = 420.0  # points: no room for a key and a value


def plot_graph(
    edges: pd.DataFrame,
    nodes: pd.DataFrame,
    *,
    source: str | None = None,
    times: str = "mean",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what directly follows what: the start left, steps by how far along the journey they come, the ends right.

    As many steps and edges are drawn as stay readable, those with most moves; a note counts the others. A line's width
    grows with the square root of its moves. Places do not depend on chance, nor on which edges are drawn.

    Parameters
    ----------
    edges : pandas.DataFrame
        One row per pair: from_step, to_step, n (moves), share (of what leaves from_step), hours (null at the start and
        at the ends). "(start)", "(converted)", "(lost)" and "(open)" are the start and the ends.
    nodes : pandas.DataFrame
        One row per step: step, n, n_first, n_last.
    source : str, optional
        Where the data comes from.
    times : {"mean", "median"}
        What hours are.
    title : str, optional
        What is shown.
    ax : Axes, optional
        Draw here: the smaller, the fewer steps. Default: a new figure.

    Raises
    ------
    UsageError
        When a frame is empty or lacks a column.
    """
    style.require(edges, ("from_step", "to_step", "n", "share", "hours"), "a journey graph's edges")
    style.require(nodes, ("step", "n", "n_first", "n_last"), "a journey graph's steps")
    nodes = nodes[~nodes["step"].isin(outcomes.COLOURS)]
    tall = style.SLIDE[1] if len(nodes) <= 5 else 6.3
    with style.picture(ax, size=(style.SLIDE[0], tall)) as ax:
        panels.host(ax, n_notes=3 + bool(source))
        room = panels.room(ax)
        ax.set_xlim(0, room[0])
        ax.set_ylim(0, room[1])
        shown = journey_graph.chosen(edges, nodes, room)
        unwritten = journey_graph.draw_edges(ax, shown)
        journey_graph.draw_boxes(ax, shown)
        n_steps = len(nodes) - shown.n_steps_left
        of = f"{n_steps} of {words.people(len(nodes))}" if shown.n_steps_left else f"{n_steps}"
        title = title or f"What follows what: {of} step{'s' if len(nodes) > 1 else ''}"
        style.set_title(ax, title, pad=12)
        kind = "median" if times == "median" else "mean"
        notes = [
            f"Line: share of what leaves the step, and {kind} time to the next. Box: how often it happened.",
            "Width: square root of the moves. Green: to a conversion; grey: lost or still open; orange: back.",
            *_left_out(shown, unwritten),
        ]
        style.set_source(ax, source, *notes, below=6, width=room[0])
        style.set_alt(ax, _told_graph(shown, title))
    return ax


def _left_out(shown: journey_graph.Shown, unwritten: int) -> list[str]:
    steps, lines = shown.n_steps_left, shown.n_edges_left
    parts = [f"{words.people(n)} {what}{'s' if n > 1 else ''}" for n, what in ((steps, "step"), (lines, "edge")) if n]
    carried = f" that carr{'y' if lines > 1 else 'ies'} {words.percent(shown.share_left)} of the moves" if lines else ""
    told = [f"Left out: {' and '.join(parts)}{carried}."] if parts else []
    return [" ".join([*told, *([f"Without room for a label: {unwritten}."] if unwritten else [])])] if (
        told or unwritten
    ) else []  # fmt: skip


def _told_graph(shown: journey_graph.Shown, title: str) -> str:
    told = [
        f"{outcomes.name(edge.source)} to {outcomes.name(edge.target)} {words.people(edge.n)}"
        + (f" ({said})" if (said := outcomes.share_and_time(edge.share, edge.hours)) else "")
        for edge in sorted(shown.edges, key=lambda edge: -edge.n)[:12]
    ]
    ends = [f"{outcomes.name(end)} {words.people(shown.counts[end])}" for end in outcomes.ENDS if end in shown.counts]
    rest = " ".join(_left_out(shown, 0))
    return f"{words.plain(title)}. Ends: {', '.join(ends) or 'none'}. Most frequent moves: {'; '.join(told)}. {rest}"


def plot_paths(
    top: pd.DataFrame, *, source: str | None = None, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw paths, one per row: their steps as coloured chips, and at the right their journeys by how they ended.

    A path too long for its row is shortened in the middle. At most 25 paths are drawn, a note counts the others.

    Parameters
    ----------
    top : pandas.DataFrame
        One row per path, in the order to draw: path (steps separated by " > "; empty: no step before the conversion),
        n_steps, n_journeys, n_converted, n_lost, n_open, value (major units, may be null).
    source, title : str, optional
        Where the data comes from, and what is shown.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(top, ("path", "n_steps", "n_journeys", "n_converted", "n_lost", "n_open", "value"), "paths")
    rows = list(top.head(_MOST_PATHS).itertuples(index=False))
    steps = [[step for step in str(row.path).split(" > ") if step] for row in rows]
    colours = style.stage_colours(step for path in steps for step in path)
    title = title or ("The most frequent paths, and how they ended" if len(rows) > 1 else "A path, and how it ended")
    inches = 0.31 * max(len(rows), 4) + 1.5
    with style.picture(ax, size=(style.SLIDE[0], inches)) as ax:
        notes = ["Left: journeys. Beside a bar: converted / lost / open. Right: share that converted."]
        notes += ["Green: converted; grey: lost; pale: open."] if panels.room(ax)[0] <= _NARROW else []
        notes += [f"Left out: {words.people(len(top) - len(rows))} paths."] if len(top) > len(rows) else []
        left = max([34.0, *(style.text_width(ax, words.people(row.n_journeys), 8.5, "bold") for row in rows)])
        has_value = any(not words.is_null(row.value) and row.value for row in rows)
        panels.host(ax, n_notes=len(notes) + bool(source))
        wide, tall = panels.room(ax)
        ax.set_xlim(0, wide)
        ax.set_ylim(0, tall)
        height = (tall - 16) / max(len(rows), 4)
        has_value = has_value and wide > _NARROW
        begin = max(0.62 * wide, left + 110)
        bar = (begin, max(wide - (66.0 if has_value else 0.0) - 44, begin + 40))
        _path_heads(ax, left + 8, bar, wide, tall, has_value)
        most = max([float(row.n_journeys) for row in rows] + [1.0])
        size = min(8.0, 0.4 * height)
        for i, (row, path) in enumerate(zip(rows, steps, strict=True)):
            y = tall - 16 - (i + 0.5) * height
            count = words.people(row.n_journeys)
            style.write(ax, left, y, count, ha="right", va="center_baseline", fontsize=size + 0.5, fontweight="bold")
            _chips(ax, path, colours, (left + 8, bar[0] - 12), y, 0.66 * height, size)
            _outcome_bar(ax, row, bar, most, y, 0.62 * height, size)
            share = row.n_converted / row.n_journeys if row.n_journeys else float("nan")
            told = words.percent(share) if row.n_journeys else ""
            style.write(ax, bar[1] + 40, y, told, ha="right", va="center_baseline", fontsize=size)
            if has_value and not words.is_null(row.value):
                money = words.compact(float(f"{row.value:.3g}"))
                style.write(ax, wide - 1, y, money, ha="right", va="center_baseline", fontsize=size)
        style.set_title(ax, title, pad=10)
        style.set_source(ax, source, *notes, below=6, width=wide)
        style.set_alt(ax, _told_paths(rows, steps, title, len(top)))
    return ax


def _path_heads(ax: Axes, left: float, bar: tuple[float, float], wide: float, tall: float, has_value: bool) -> None:
    how: dict[str, Any] = {"fontsize": 8, "va": "center_baseline"}
    style.write(ax, left, tall - 6, "path (steps)", color=style.MUTED, **how)
    x = bar[0]
    for end in outcomes.ENDS if wide > _NARROW else ():
        ax.add_patch(Rectangle((x, tall - 10), 7, 7, facecolor=outcomes.COLOURS[end], edgecolor="none"))
        style.write(ax, x + 10, tall - 6, outcomes.name(end), color=style.MUTED, **how)
        x += 15 + style.text_width(ax, outcomes.name(end), 8)
    style.write(ax, x - (2 if wide > _NARROW else 0), tall - 6, "(journeys)", color=style.MUTED, **how)
    if has_value:
        style.write(ax, wide - 1, tall - 6, "value", ha="right", color=style.MUTED, **how)


def _chips(
    ax: Axes, path: Sequence[str], colours: dict[str, str], span: tuple[float, float], y: float, height: float,
    size: float,
) -> None:  # fmt: skip
    if not path:
        style.write(ax, span[0], y, "no step before", va="center_baseline", fontsize=size, fontstyle="italic")
        return
    x, room = span[0], span[1] - span[0]
    names = [style.wrap(ax, style.name_of(step), 110, size, 1) for step in path]
    widths = [style.text_width(ax, name, size) + 10 for name in names[:40]]
    for i in _shown(len(path), widths, names, ax, room, size):
        if i is None:
            left = len(path) - sum(j is not None for j in _shown(len(path), widths, names, ax, room, size))
            name, width, colour = f"… {words.people(left)} more", 0.0, style.PAPER
            width = style.text_width(ax, name, size) + 6
        else:
            name, colour = names[i], style.shade(colours[path[i]], 0.32)
            width = style.text_width(ax, name, size) + 10
        ax.add_patch(
            FancyBboxPatch(
                (x, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=3", facecolor=colour,
                edgecolor="none", label="" if i is None else path[i],
            )
        )  # fmt: skip
        style.write(ax, x + width / 2, y, name, ha="center", va="center_baseline", fontsize=size)
        x += width + 4


def _shown(
    n: int, widths: Sequence[float], names: Sequence[str], ax: Axes, room: float, size: float
) -> list[int | None]:
    """Which steps of a path have room, from both its ends; None stands for those between."""
    if n == len(widths) and sum(widths) + 4 * (n - 1) <= room:
        return list(range(n))
    used = style.text_width(ax, f"… {words.people(n)} more", size) + 6
    begin: list[int | None] = []
    end: list[int | None] = []
    for turn in range(n):
        i = turn // 2 if turn % 2 == 0 else n - 1 - turn // 2
        used += style.text_width(ax, names[i], size) + 14
        if used > room and turn:
            break
        (begin if turn % 2 == 0 else end).append(i)
    return [*begin, None, *reversed(end)]


def _outcome_bar(
    ax: Axes, row: Any, span: tuple[float, float], most: float, y: float, height: float, size: float
) -> None:
    x, counts = span[0], (row.n_converted, row.n_lost, row.n_open)
    whole = " / ".join(words.people(n) for n in counts)
    stop = x + (span[1] - x) * sum(map(float, counts)) / most + 4
    beside = stop + style.text_width(ax, whole, size - 0.5) <= span[1] + 4
    if beside:
        style.write(ax, stop, y, whole, va="center_baseline", fontsize=size - 0.5, color=style.MUTED)
    for end, n in zip(outcomes.ENDS, counts, strict=True):
        width = (span[1] - span[0]) * float(n) / most
        ax.add_patch(Rectangle((x, y - height / 2), width, height, facecolor=outcomes.COLOURS[end], label=end))
        text = words.people(n)
        if n and not beside and style.text_width(ax, text, size - 0.5) + 3 <= width:
            ink = style.PAPER if end == outcomes.CONVERTED else style.INK
            style.write(ax, x + width / 2, y, text, ha="center", va="center_baseline", fontsize=size - 0.5, color=ink)
        x += width


def _told_paths(rows: Sequence[Any], steps: Sequence[Sequence[str]], title: str, n: int) -> str:
    told = []
    for row, path in list(zip(rows, steps, strict=True))[:10]:
        names = [words.plain(step) for step in path]
        if len(names) > 6:
            names = [*names[:3], f"{len(names) - 5} more", *names[-2:]]
        told.append(
            f"{', '.join(names) or 'no step before'}: {words.people(row.n_journeys)} journeys, "
            f"{words.people(row.n_converted)} converted, {words.people(row.n_lost)} lost, "
            f"{words.people(row.n_open)} open"
        )
    counted = f"{words.people(n)} paths" if n > 1 else "one path"
    return f"{words.plain(title)}: {counted}. {'; '.join(told)}."
