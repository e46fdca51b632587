"""One person's touchpoints and statuses on one timeline."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from lifecycle_kit.plots import style, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_person"]

_MOST_LANES = 12
_REST = "other events"


def plot_person(
    touchpoints: pd.DataFrame,
    spells: pd.DataFrame,
    order: Sequence[str],
    *,
    person_id: str,
    until: dt.datetime | dt.date | str,
    source: str | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one person's timeline: the statuses as bars on lanes, the touchpoints as marks below.

    Parameters
    ----------
    touchpoints : pandas.DataFrame
        One row per touchpoint: occurred_at (naive UTC), event, revenue (minor units).
    spells : pandas.DataFrame
        One row per spell: status, stage, valid_from, valid_to (null while it lasts).
    order : sequence of str
        Statuses from the lowest rank to the highest; only those the person was in get a lane.
    person_id : str
        Whose timeline.
    until : datetime, date or str
        Where spells that last are cut.
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
    status_lanes = {status: len(visited) - 1 - i for i, status in enumerate(visited)}
    event_lanes = {event: len(visited) + 0.55 + i for i, event in enumerate(events)}
    n_lanes = len(visited) + len(events)
    size = (style.SLIDE[0], max(style.SLIDE[1], 0.29 * n_lanes + 1.5))
    with style.picture(ax, size=size, layout="constrained") as ax:
        style.dress(ax, grid="x")
        start = min([*touchpoints["occurred_at"], *spells["valid_from"]])
        wide = max((end - start) / pd.Timedelta(days=1), 1 / 24)
        _spells(ax, spells, status_lanes, end)
        for event, lane in event_lanes.items():
            _marks(ax, touchpoints[touchpoints["event"] == event], lane)
        lanes = {**{(0, k): v for k, v in status_lanes.items()}, **{(1, k): v for k, v in event_lanes.items()}}
        names = [words.shorten(style.name_of(name, labels if kind == 0 else None), 26) for (kind, name) in lanes]
        ax.set_yticks(list(lanes.values()), names, fontsize=9.5, parse_math=False, fontfamily=words.fonts())
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(max(lanes.values()) + 0.7, -0.7)
        ax.axhline(len(visited) - 0.22, color=style.RULE, linewidth=1)
        left = date2num(start)
        ax.set_xlim(left - wide * 0.02, left + wide * 1.02)
        locator = AutoDateLocator(minticks=3, maxticks=9)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        ax.set_xlabel("date and time (UTC)", fontsize=9.5, color=style.INK)
        ax.set_ylabel("touchpoints              status", fontsize=9.5, color=style.INK)
        whose = words.shorten(words.plain(person_id), 40)
        style.set_title(ax, f"Customer {whose}, up to {end:%Y-%m-%d}")
        style.set_source(ax, source, "Amounts: revenue in the log's currency.")
        style.set_alt(ax, _told(touchpoints, spells, words.plain(person_id), end))
    return ax


def _spells(ax: Axes, spells: pd.DataFrame, lanes: Mapping[str, float], end: pd.Timestamp) -> None:
    colours = style.stage_colours(spells["stage"])
    previous: tuple[float, float] | None = None
    for row in spells.sort_values("valid_from").itertuples():
        lane = lanes[row.status]
        left = date2num(row.valid_from)
        right = date2num(end if words.is_null(row.valid_to) else row.valid_to)
        # the edge keeps a spell of a minute visible on a line of years
        colour = colours[str(row.stage)]
        ax.barh(lane, right - left, left=left, height=0.62, color=colour, edgecolor=colour, linewidth=1.2)
        if previous is not None:
            ax.plot([left, left], [previous[1], lane], color=style.MUTED, linewidth=0.8, zorder=0.9)
        previous = (right, lane)


def _marks(ax: Axes, rows: pd.DataFrame, lane: float) -> None:
    at = date2num(rows["occurred_at"].to_numpy())
    paid = rows["revenue"].notna().to_numpy()
    ax.plot(
        at[~paid], np.full((~paid).sum(), lane), linestyle="none", marker="o", markersize=5.5, color=style.FORWARD,
        alpha=0.75, markeredgewidth=0,
    )  # fmt: skip
    if not paid.any():
        return
    ax.plot(at[paid], np.full(paid.sum(), lane), linestyle="none", marker="D", markersize=6.5, color=style.INK)
    for x, minor in zip(at[paid], rows["revenue"][paid], strict=True):
        ax.annotate(
            words.money(int(minor) / 100), (x, lane), xytext=(6, 0), textcoords="offset points", va="center",
            fontsize=8, color=style.INK,
        )  # fmt: skip


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
