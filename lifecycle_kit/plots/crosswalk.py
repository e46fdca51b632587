"""The crosswalk: in which stage of the company's map people met each touchpoint, beside the one it was meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle

from lifecycle_kit.plots import heat, outcomes, panels, style, units, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_crosswalk"]

_MOST_EVENTS, _MOST_STAGES, _MOST_INTERVALS = 40, 14, 7
_SIGN = "≠"


def plot_crosswalk(
    met: pd.DataFrame,
    *,
    stages: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    source: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw touchpoints as rows and stages as columns, the cells by the share of people who met the one in the other.

    A frame marks the stage a touchpoint was meant for. Where fewer than half of its people met it there, the
    row bears a sign. At most 40 touchpoints and 14 stages are drawn, the first ones; a note counts the others.

    Parameters
    ----------
    met : pandas.DataFrame
        One row per touchpoint and stage: event, stage ("(new)" before any), n_people, share_of_people (of the people
        who met the event; one person may meet it in several stages), lo, hi, meant_for (a stage or null), is_meant.
    stages : sequence of str, optional
        The stages in order. Default: as they appear.
    labels : mapping, optional
        What to write for a stage instead of its id.
    source, title : str, optional
        Where the data comes from, and what is shown.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    columns = ("event", "stage", "n_people", "share_of_people", "lo", "hi", "meant_for", "is_meant")
    style.require(met, columns, "a crosswalk")
    rows = list(met.assign(event=met["event"].astype(str)).itertuples(index=False))
    meant = {row.event: str(row.meant_for) for row in rows if not words.is_null(row.meant_for)}
    there = {str(row.stage) for row in rows} | set(meant.values())
    ordered = [stage for stage in (stages or ()) if stage in there]
    ordered = list(dict.fromkeys([*ordered, *(str(row.stage) for row in rows), *meant.values()]))
    events = list(dict.fromkeys(row.event for row in rows))
    left = [
        f"{n - most} {what}{'s' if n - most > 1 else ''}"
        for n, most, what in ((len(events), _MOST_EVENTS, "touchpoint"), (len(ordered), _MOST_STAGES, "stage"))
        if n > most
    ]
    cell = {(row.event, str(row.stage)): row for row in rows}
    elsewhere = [event for event in events if event in meant and _share(cell.get((event, meant[event]))) < 0.5]
    events, ordered = events[:_MOST_EVENTS], ordered[:_MOST_STAGES]
    title = title or "Where people met the touchpoints"
    with_intervals = len(ordered) <= _MOST_INTERVALS
    tall = max(style.SLIDE[1] * 0.55, (0.36 if with_intervals else 0.25) * len(events) + 2.1)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax)
        table = np.array([[_share(cell.get((event, stage)), np.nan) for stage in ordered] for event in events])
        below = [[_between(cell.get((event, stage))) for stage in ordered] for event in events]
        places = [float(i) for i in range(len(events))]
        heat.cells(ax, table, places, heat.BLUE, 1.0, below=below if with_intervals else None)
        names = [
            f"{_SIGN + ' ' if event in elsewhere else ''}{words.shorten(style.name_of(event), 26)}" for event in events
        ]
        width = 420 / len(ordered)
        heads = [style.wrap(ax, _stage(stage, labels), width, 9, 3) for stage in ordered]
        heat.rows_and_columns(ax, places, names, heads, ("stage in which people met it", "touchpoint"), 9)
        for y, event in enumerate(events):
            if meant.get(event) in ordered:
                x = ordered.index(meant[event])
                ax.add_patch(
                    Rectangle(
                        (x - 0.46, y - 0.44), 0.92, 0.88, fill=False, edgecolor=style.BACKWARD, linewidth=2,
                        label=f"{event} > {meant[event]}",
                    )
                )  # fmt: skip
        style.set_title(ax, title)
        notes = ["In a cell: share of the people who met it" + (", 95% interval." if with_intervals else ".")]
        if meant:
            framed = "Frame: the stage it was meant for."
            notes.append(framed + (f" {_SIGN}: fewer than half of its people met it there." if elsewhere else ""))
        notes += [f"Left out: {' and '.join(left)}."] if left else []
        below_axis = 34 + 11 * max(head.count("\n") + 1 for head in heads)
        style.set_source(ax, source, *notes, below=below_axis, width=min(430, panels.room(ax)[0]))
        style.set_alt(ax, _told(title, events, ordered, cell, meant, elsewhere, labels, left))
    return ax


def _share(row: Any, otherwise: float = 0.0) -> float:
    share = float("nan") if row is None else units.to_float(row.share_of_people)
    return otherwise if np.isnan(share) else share


def _between(row: Any) -> str:
    if row is None or words.is_null(row.lo) or words.is_null(row.hi):
        return ""
    lo, hi = (outcomes.short_share(float(value)) for value in (row.lo, row.hi))
    return f"{lo} to {hi}"


def _stage(stage: str, labels: Mapping[str, str] | None) -> str:
    return stage if stage == "(new)" and stage not in (labels or {}) else style.name_of(stage, labels)


def _told(
    title: str, events: Sequence[str], stages: Sequence[str], cell: Mapping[tuple[str, str], Any],
    meant: Mapping[str, str], elsewhere: Sequence[str], labels: Mapping[str, str] | None, left: Sequence[str],
) -> str:  # fmt: skip
    told = []
    for event in events[:12]:
        best = max(stages, key=lambda stage: _share(cell.get((event, stage)), -1.0))
        share = _share(cell.get((event, best)))
        aim = f", meant for {_stage(meant[event], labels)}" if event in meant else ""
        told.append(f"{words.plain(event)} most in {_stage(best, labels)} ({words.percent(share)}){aim}")
    if not meant:
        missed = ""
    elif elsewhere:
        said = "; ".join(
            f"{words.plain(event)} ({words.percent(_share(cell.get((event, meant[event]))))} in "
            f"{_stage(meant[event], labels)})"
            for event in elsewhere[:12]
        )
        missed = f" Most people met these elsewhere than meant: {said}."
    else:
        missed = " All touchpoints were met mostly where they were meant to be."
    rest = f" Left out: {' and '.join(left)}." if left else ""
    return f"{words.plain(title)}. {'; '.join(told)}.{missed}{rest}"
