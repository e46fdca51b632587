"""One person's touchpoints and statuses on one timeline."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import date2num

from lifecycle_kit.plots import style, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_person"]

_MOST_LANES = 12
_TIMES = "\u00d7"
_REST = "other events"


def plot_person(
    touchpoints: pd.DataFrame,
    spells: pd.DataFrame,
    order: Sequence[str],
    *,
    person_id: str,
    until: dt.datetime | dt.date | str,
    timezone: str = "UTC",
    source: str | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one person's timeline: the statuses as bars on lanes, the touchpoints as marks below.

    Parameters
    ----------
    touchpoints : pandas.DataFrame
        One row per touchpoint: occurred_at (naive, in `timezone`), event, revenue (minor units).
    spells : pandas.DataFrame
        One row per spell: status, stage, valid_from, valid_to (null while it lasts).
    order : sequence of str
        Statuses from the lowest rank to the highest; only those the person was in get a lane.
    person_id : str
        Whose timeline.
    until : datetime, date or str
        Where spells that last are cut.
    timezone : str
        Whose times they are, for the axis.
    source : str, optional
        Where the data comes from.
    labels : mapping, optional
        What to write for a status instead of its id.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When there are neither touchpoints nor spells, or a column is missing.
    """
    import pandas as pd

    if len(touchpoints) == 0:
        style.require(spells, ("status", "stage", "valid_from", "valid_to"), "a person's spells")
    style.require(touchpoints, ("occurred_at", "event", "revenue"), "a person's touchpoints")
    end = pd.Timestamp(until)
    ranked = {status: i for i, status in enumerate(order)}
    visited = sorted(set(spells["status"]), key=lambda status: ranked.get(status, -1))
    events = list(dict.fromkeys(touchpoints["event"]))
    if len(events) > _MOST_LANES:
        often = touchpoints["event"].value_counts()
        kept = {*often.index[: _MOST_LANES - 1], *touchpoints.loc[touchpoints["revenue"].notna(), "event"]}
        events = [*(event for event in events if event in kept), _REST]
        touchpoints = touchpoints.assign(event=touchpoints["event"].where(touchpoints["event"].isin(kept), _REST))
    paid = set(touchpoints.loc[touchpoints["revenue"].notna(), "event"])
    status_lanes = {status: len(visited) - i for i, status in enumerate(visited)}
    event_lanes, at = {}, len(visited) + 1.15  # a row above each part for its heading
    for event in events:
        at += 1.35 if event in paid else 1.0  # amounts stand above and below their mark
        event_lanes[event] = at
        at += 0.35 if event in paid else 0.0
    size = (style.SLIDE[0], max(style.SLIDE[1], 0.27 * (at + 1) + 1.5))
    with style.picture(ax, size=size, layout="constrained") as ax:
        style.dress(ax, grid="x")
        start = min([*touchpoints["occurred_at"], *spells["valid_from"]])
        wide = max((end - start) / pd.Timedelta(days=1), 1 / 24)
        _spells(ax, spells, status_lanes, end)
        left = _day(start)
        ax.set_xlim(left - wide * 0.02, left + wide * 1.02)
        unwritten = 0
        for event, lane in event_lanes.items():
            unwritten += _marks(ax, touchpoints[touchpoints["event"] == event], lane)
        for status, lane in status_lanes.items():
            stage = spells.loc[spells["status"] == status, "stage"].iloc[0]
            _at_the_end(ax, lane, words.shorten(style.name_of(stage, labels), 16))
        headings = {"STATUS": 0.0, "TOUCHPOINTS": len(visited) + 1.15}
        names = [
            *headings,
            *(words.shorten(style.name_of(status, labels), 26) for status in status_lanes),
            *(words.shorten(style.name_of(event), 26) for event in event_lanes),
        ]
        lanes = [*headings.values(), *status_lanes.values(), *event_lanes.values()]
        ax.set_yticks(lanes, names, fontsize=9.5, parse_math=False, fontfamily=words.fonts())
        for tick in ax.get_yticklabels()[: len(headings)]:
            tick.set(fontsize=8, fontweight="bold", color=style.MUTED)
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(at + 0.8, -0.5)
        ax.axhline(len(visited) + 0.7, color=style.RULE, linewidth=1)
        style.time_axis(ax, 9)
        ax.set_xlabel(f"date and time ({words.plain(timezone)})", fontsize=9.5, color=style.INK)
        ax.set_ylabel("status and touchpoint", fontsize=9.5, color=style.INK)
        whose = words.shorten(words.plain(person_id), 40)
        style.set_title(ax, f"Customer {whose}, up to {end:%Y-%m-%d}")
        note = "Amounts: revenue in the log's currency."
        if unwritten:
            note += f" Left out for want of room: {words.people(unwritten)} (counted in the sum)."
        style.set_source(ax, source, note)
        style.set_alt(ax, _told(touchpoints, spells, words.plain(person_id), end))
    return ax


def _spells(ax: Axes, spells: pd.DataFrame, lanes: Mapping[str, float], end: pd.Timestamp) -> None:
    colours = style.stage_colours(spells["stage"])
    previous: tuple[float, float] | None = None
    for row in spells.sort_values("valid_from").itertuples():
        lane = lanes[row.status]
        left = _day(row.valid_from)
        right = _day(end if words.is_null(row.valid_to) else row.valid_to)
        # the edge keeps a spell of a minute visible on a line of years
        colour = colours[str(row.stage)]
        ax.barh(lane, right - left, left=left, height=0.62, color=colour, edgecolor=colour, linewidth=1.2)
        if previous is not None:
            ax.plot([left, left], [previous[1], lane], color=style.MUTED, linewidth=0.8, zorder=0.9)
        previous = (right, lane)


def _at_the_end(ax: Axes, lane: float, text: str) -> None:
    ax.annotate(
        text,
        (1, lane),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=style.MUTED,
        annotation_clip=False,
        parse_math=False,
        fontfamily=words.fonts(),
    )


def _marks(ax: Axes, rows: pd.DataFrame, lane: float) -> int:
    """Draw one kind of touchpoint; return how many amounts had no room."""
    at = np.array([_day(moment) for moment in rows["occurred_at"]])
    paid = rows["revenue"].notna().to_numpy()
    ax.plot(
        at[~paid],
        np.full((~paid).sum(), lane),
        linestyle="none",
        marker="o",
        markersize=5.5,
        color=style.FORWARD,
        alpha=0.7,
        markeredgewidth=0,
    )
    if not paid.any():
        _at_the_end(ax, lane, f"{_TIMES}{words.people(len(rows))}")
        return 0
    ax.plot(at[paid], np.full(paid.sum(), lane), linestyle="none", marker="D", markersize=5.5, color=style.INK)
    total = int(rows["revenue"].dropna().sum())
    _at_the_end(ax, lane, f"{_TIMES}{words.people(len(rows))}, {words.money(total / 100)}")
    left, right = ax.get_xlim()
    figure = ax.get_figure(root=True)
    assert figure is not None
    # the layout is not done yet: names and sums take about a quarter of the width
    per_point = (right - left) / (ax.get_window_extent().width * 72 / figure.dpi * 0.88)
    free, unwritten = {1: left, -1: left}, 0
    for x, minor in sorted(zip(at[paid], rows["revenue"][paid], strict=True)):
        text = words.money(int(minor) / 100)
        half = (style.text_width(ax, text, 8) / 2 + 1.5) * per_point
        middle = min(max(x, left + half), right - half)
        side = next((side for side in (1, -1) if middle - half >= free[side]), None)
        if side is None:
            unwritten += 1
            continue
        free[side] = middle + half
        ax.annotate(
            text,
            (middle, lane),
            xytext=(0, 5 * side),
            textcoords="offset points",
            ha="center",
            va="bottom" if side > 0 else "top",
            fontsize=8,
            color=style.INK,
        )
    return unwritten


def _day(moment: Any) -> float:
    return float(date2num(moment))  # type: ignore[no-untyped-call]


def _told(touchpoints: pd.DataFrame, spells: pd.DataFrame, whose: str, end: Any) -> str:
    path = ", ".join(
        f"{words.plain(row.status)} from {row.valid_from:%Y-%m-%d}"
        for row in spells.sort_values("valid_from").itertuples()
    )
    paid = touchpoints["revenue"].dropna()
    total = (
        f"{len(paid)} with revenue, {words.money(int(paid.sum()) / 100)} in all" if len(paid) else "none with revenue"
    )
    return (
        f"Timeline of customer {whose} up to {end:%Y-%m-%d}. Statuses: {path or 'none'}. "
        f"{len(touchpoints)} touchpoints, {total}."
    )
