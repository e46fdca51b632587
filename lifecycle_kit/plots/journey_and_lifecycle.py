"""The customer's own path above, the company's stages below, on one axis of time: of a person, and of a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import date2num
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import heat, outcomes, panels, style, words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_journey_and_lifecycle", "plot_segment_journey_and_lifecycle"]

_MOST_LANES, _MOST_AREAS, _MOST_JOINED = 10, 8, 60
_REST = "other steps"
_NEW = "(new)"  # people whom no stage holds yet
_LEFT, _RIGHT, _HEAD, _AXIS = 118.0, 12.0, 22.0, 34.0  # points around a panel


def plot_journey_and_lifecycle(
    steps: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    until: dt.datetime | dt.date | str | None = None,
    labels: Mapping[str, str] | None = None,
    source: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one person's path above and stages below, on one axis of time; conversions go through both.

    The ten most frequent steps have a lane each, all others share one.

    Parameters
    ----------
    steps : pandas.DataFrame
        One row per step: at (naive), name, is_conversion; and label (what to write for the name), where known.
    spells : pandas.DataFrame
        One row per spell: status, stage, valid_from, valid_to (null while it lasts).
    until : datetime, date or str, optional
        The instant at which spells that last are cut; midnight ends the day before. Default: a little after what
        happened last.
    labels : mapping, optional
        What to write for a status or stage instead of its id.
    source, title : str, optional
        Where the data comes from, and what is shown.
    ax : Axes, optional
        Draw inside this one. Default: a new figure, as high as its lanes need.

    Returns
    -------
    Axes
        The host; its ``child_axes`` are the path and the stages.

    Raises
    ------
    UsageError
        When a frame is empty or lacks a column.
    """
    import pandas as pd

    style.require(steps, ("at", "name", "is_conversion"), "a person's steps")
    style.require(spells, ("status", "stage", "valid_from", "valid_to"), "a person's spells")
    named = steps["label"].where(steps["label"].notna(), steps["name"]) if "label" in steps else steps["name"]
    steps = steps.assign(
        at=pd.to_datetime(steps["at"]), lane=named.astype(str), is_conversion=steps["is_conversion"].astype(bool)
    ).sort_values("at", kind="stable")
    spells = spells.assign(
        valid_from=pd.to_datetime(spells["valid_from"]), valid_to=pd.to_datetime(spells["valid_to"])
    ).sort_values("valid_from", kind="stable")
    start = min(steps["at"].min(), spells["valid_from"].min())
    last = max(value for value in (steps["at"].max(), *spells["valid_from"], *spells["valid_to"].dropna()))
    end = pd.Timestamp(until) if until is not None else last + max((last - start) * 0.05, pd.Timedelta(hours=1))
    known = last if until is None else end - pd.Timedelta(microseconds=1)  # midnight ends the day before
    lanes, n_rest = _lanes(steps)
    steps["lane"] = steps["lane"].where(steps["lane"].isin(lanes), _REST)
    statuses = list(dict.fromkeys(str(status) for status in spells["status"]))
    title = title or f"A customer's path and the company's stages, up to {known:%Y-%m-%d}"
    heads = ("The customer's own path", "The company's stages")
    tall = 0.235 * (len(lanes) + len(statuses)) + 2.9
    with style.picture(ax, size=(style.SLIDE[0], max(style.SLIDE[1], tall))) as ax:
        notes = ["Diamond and line: a conversion." if steps["is_conversion"].any() else "No conversion."]
        notes += [f"{words.people(n_rest)} rare kinds of steps share one lane."] if n_rest else []
        panels.host(ax, n_notes=1 + bool(source))
        above, below = _two(ax, len(lanes), len(statuses), _LEFT, _RIGHT)
        limits = (_day(start), _day(end))
        pad = 0.02 * (limits[1] - limits[0] or 1.0)
        for inside, head in zip((above, below), heads, strict=True):
            panels.headline(inside, head)
            inside.grid(False)
            inside.set_xlim(limits[0] - pad, limits[1] + pad)
            style.time_axis(inside, 9)
            for at in steps.loc[steps["is_conversion"], "at"]:
                inside.axvline(
                    _day(at), color=outcomes.COLOURS[outcomes.CONVERTED], linewidth=1.2, alpha=0.6, zorder=0.8
                )
        _path(above, steps, lanes)
        names = [words.shorten(style.name_of(status, labels), 20) for status in statuses]
        _stays(below, spells, statuses, end, labels)
        _named_lanes(above, [words.shorten(_step(lane), 20) for lane in lanes], "step")
        _named_lanes(below, names, "status")
        above.tick_params(axis="x", labelbottom=False)
        above.set_xlabel("")
        below.set_xlabel("date and time", fontsize=9, color=style.INK)
        style.set_title(ax, title, pad=12)
        style.set_source(ax, source, " ".join(notes), below=4, width=panels.room(ax)[0])
        style.set_alt(ax, _told_person(title, steps, spells, labels))
    return ax


def _two(ax: Axes, n_above: float, n_below: float, left: float, right: float) -> tuple[Axes, Axes]:
    """One panel above the other, as wide, their heights as their number of rows."""
    wide, tall = panels.room(ax)
    left = min(left, 0.35 * wide)
    inner = max(tall - 2 * _HEAD - _AXIS - 8, 0.4 * tall)
    share = (n_above + 1) / (n_above + n_below + 2)
    low = inner * (1 - share) / tall
    width = (wide - left - right) / wide
    above = style.panel(ax, left / wide, (_AXIS + _HEAD + 8) / tall + low, width, inner * share / tall)
    below = style.panel(ax, left / wide, _AXIS / tall, width, low)
    return above, below


def _lanes(steps: pd.DataFrame) -> tuple[list[str], int]:
    """The steps that have a lane, conversions always, by when they first come; and how many others share one."""
    names = list(dict.fromkeys(steps["lane"]))
    if len(names) <= _MOST_LANES:
        return names, 0
    often = steps["lane"].value_counts()
    ranked = sorted(names, key=lambda name: (name not in set(steps.loc[steps["is_conversion"], "lane"]), -often[name]))
    kept = set(ranked[: _MOST_LANES - 1])
    return [*(name for name in names if name in kept), _REST], len(names) - len(kept)


def _step(name: str) -> str:
    return outcomes.name(name)


def _named_lanes(inside: Axes, names: Sequence[str], label: str) -> None:
    inside.set_yticks(range(len(names)), names, fontsize=8.5, parse_math=False, fontfamily=words.fonts())
    inside.set_ylim(len(names) - 0.4, -0.6)
    inside.tick_params(axis="y", length=0)
    inside.set_ylabel(label, fontsize=9, color=style.INK)


def _path(inside: Axes, steps: pd.DataFrame, lanes: Sequence[str]) -> None:
    place = {lane: i for i, lane in enumerate(lanes)}
    x = np.array([_day(at) for at in steps["at"]])
    y = steps["lane"].map(place).to_numpy(dtype="float64")
    converts = steps["is_conversion"].to_numpy()
    if len(x) <= _MOST_JOINED:
        inside.plot(x, y, color=style.MUTED, linewidth=0.9, alpha=0.55, zorder=1)
    inside.plot(
        x[~converts], y[~converts], linestyle="none", marker="o", markersize=6, color=style.FORWARD, alpha=0.8,
        markeredgewidth=0,
    )  # fmt: skip
    inside.plot(
        x[converts], y[converts], linestyle="none", marker="D", markersize=7.5, zorder=3,
        color=outcomes.COLOURS[outcomes.CONVERTED], markeredgecolor=style.PAPER,
    )  # fmt: skip


def _stays(
    inside: Axes, spells: pd.DataFrame, statuses: Sequence[str], end: Any, labels: Mapping[str, str] | None
) -> None:
    colours = style.stage_colours(spells["stage"])
    place = {status: i for i, status in enumerate(statuses)}
    low, high = inside.get_xlim()
    per_point = (high - low) / max(panels.room(inside)[0], 1)
    before: tuple[float, int] | None = None
    written: set[str] = set()
    for row in spells.itertuples():
        y, colour = place[str(row.status)], colours[str(row.stage)]
        left = _day(row.valid_from)
        right = max(_day(end if words.is_null(row.valid_to) else row.valid_to), left)
        inside.barh(y, right - left, left=left, height=0.6, color=colour, edgecolor=colour, linewidth=1.2)
        if before is not None:
            inside.plot([left, left], [before[1], y], color=style.MUTED, linewidth=0.8, zorder=0.9)
        before = (right, y)
        stage = str(row.stage)
        name = words.shorten(style.name_of(stage, labels), 30)
        room = style.text_width(inside, name, 8) * per_point
        if stage in written or name == words.shorten(style.name_of(row.status, labels), 30):
            continue
        if room + 10 * per_point <= right - left:
            x, side, ink = left + 5 * per_point, "left", heat.ink_on(colour)
        elif right + room + 6 * per_point <= high:
            x, side, ink = right + 5 * per_point, "left", style.INK
        else:
            x, side, ink = left - 5 * per_point, "right", style.INK
        written.add(stage)
        halo = [] if left < x < right else [withStroke(linewidth=2.5, foreground=style.PAPER)]
        style.write(
            inside, x, y, name, ha=side, va="center_baseline", fontsize=8, color=ink, zorder=4, path_effects=halo
        )


def _day(moment: Any) -> float:
    return float(date2num(moment))  # type: ignore[no-untyped-call]


def _told_person(title: str, steps: pd.DataFrame, spells: pd.DataFrame, labels: Mapping[str, str] | None) -> str:
    first = [f"{words.plain(_step(row.lane))} {row.at:%Y-%m-%d}" for row in steps.head(12).itertuples()]
    more = f", and {words.people(len(steps) - 12)} more steps" if len(steps) > 12 else ""
    stays = [
        f"{style.name_of(row.status, labels)} ({style.name_of(row.stage, labels)}) from {row.valid_from:%Y-%m-%d}"
        for row in spells.head(20).itertuples()
    ]
    n = int(steps["is_conversion"].sum())
    ended = f"{n} conversions" if n > 1 else "one conversion" if n else "no conversion"
    return f"{words.plain(title)}. Path: {', '.join(first)}{more}; {ended}. Stages: {', '.join(stays)}."


def plot_segment_journey_and_lifecycle(
    step_counts: pd.DataFrame,
    occupancy: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    source: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a segment's people by the step they last took above, and by stage below, day by day since a common origin.

    The eight largest steps have an area each, all others share one.

    Parameters
    ----------
    step_counts : pandas.DataFrame
        One row per day and step: age_days, step, share (of the segment's people).
    occupancy : pandas.DataFrame
        One row per day and stage, stages in the order to draw: age_days, stage, share.
    labels : mapping, optional
        What to write for a stage instead of its id.
    source, title : str, optional
        Where the data comes from, and what is shown.
    ax : Axes, optional
        Draw inside this one. Default: a new figure.

    Returns
    -------
    Axes
        The host; its ``child_axes`` are the steps and the stages.

    Raises
    ------
    UsageError
        When a frame is empty or lacks a column, or a step or stage has two shares on one day.
    """
    style.require(step_counts, ("age_days", "step", "share"), "a segment's steps")
    style.require(occupancy, ("age_days", "stage", "share"), "a segment's stages")
    above_days, above_rows, n_rest = _areas(step_counts, "step")
    below_days, below_rows, n_stages_rest = _areas(occupancy, "stage")
    low, high = min(above_days[0], below_days[0]), max(above_days[-1], below_days[-1])
    colours = style.stage_colours(name for name in below_rows if name not in (_NEW, "other stages"))
    step_colours = _step_colours(list(above_rows))
    title = title or "A segment's path beside the company's stages"
    with style.picture(ax, size=(style.SLIDE[0], 6.0)) as ax:
        panels.host(ax, n_notes=1 + bool(source))
        above, below = _two(ax, 5, 4, 50.0, 128.0)
        panels.headline(above, "The customers' own path: the step they took last")
        panels.headline(below, "The company's stages")
        stage_names = {name: style.name_of(name, labels) for name in below_rows}
        shades = {name: colours.get(name, "#c5ccd3") for name in below_rows}
        told = [
            _stack(above, above_days, above_rows, step_colours, {name: _step(name) for name in above_rows}),
            _stack(below, below_days, below_rows, shades, stage_names),
        ]
        for inside in (above, below):
            inside.set_xlim(*((low, high) if high > low else (low - 0.5, low + 0.5)))
            inside.xaxis.set_major_locator(MaxNLocator(9, integer=True) if high > low else FixedLocator([low]))
        above.tick_params(axis="x", labelbottom=False)
        below.set_xlabel("days since the common origin", fontsize=9, color=style.INK)
        rest = [f"{n} small {what}" for n, what in ((n_rest, "steps"), (n_stages_rest, "stages")) if n]
        note = "Share of the segment's people." + (f" Taken together: {' and '.join(rest)}." if rest else "")
        style.set_title(ax, title, pad=12)
        style.set_source(ax, source, note, below=4, width=panels.room(ax)[0])
        style.set_alt(
            ax,
            f"{words.plain(title)}, day {low:g} to {high:g}. On the last day, by the last step: {told[0]}. "
            f"By stage: {told[1]}.",
        )
    return ax


def _areas(frame: pd.DataFrame, what: str) -> tuple[list[float], dict[str, np.ndarray], int]:
    """The days, the shares of the largest steps or stages, and how many others are taken together."""
    frame = frame.assign(**{what: frame[what].astype(str), "share": frame["share"].astype("float64")})
    if frame.duplicated(["age_days", what]).any():
        twice = frame.loc[frame.duplicated(["age_days", what])].iloc[0]
        raise UsageError(
            f"The {what} {words.shorten(words.plain(twice[what]), 60)!r} has two shares on day {twice['age_days']}.",
            fix=f"Give one row per day and {what}.",
        )
    names = list(dict.fromkeys(frame[what]))
    wide = frame.pivot(index="age_days", columns=what, values="share").sort_index().fillna(0.0)
    days, size = [float(day) for day in wide.index], wide.mean()
    if what == "step":
        names = sorted(names, key=lambda name: (name in outcomes.ENDS, -size[name], name))
    kept = names if len(names) <= _MOST_AREAS + 1 else sorted(names, key=lambda n: (-size[n], n))[:_MOST_AREAS]
    rows = {name: wide[name].to_numpy() for name in names if name in kept}
    if len(kept) < len(names):
        rows[f"other {what}s"] = wide[[name for name in names if name not in kept]].sum(axis=1).to_numpy()
    return days, rows, len(names) - len(kept)


def _step_colours(names: Sequence[str]) -> dict[str, str]:
    others = [name for name in names if name not in outcomes.COLOURS and name != _REST]
    tones = np.linspace(0.85, 0.2, len(others)) if len(others) > 1 else [0.7]
    found = {name: style.shade(style.FORWARD, float(tone)) for name, tone in zip(others, tones, strict=False)}
    return {name: found.get(name) or outcomes.COLOURS.get(name, "#e3e7eb") for name in names}


def _stack(
    inside: Axes, days: Sequence[float], rows: Mapping[str, np.ndarray], colours: Mapping[str, str],
    names: Mapping[str, str],
) -> str:  # fmt: skip
    heights, shades = np.array(list(rows.values())), [colours[name] for name in rows]
    if len(days) > 1:
        inside.stackplot(days, heights, colors=shades, edgecolor=style.PAPER, linewidth=0.6)
    else:
        floors = np.cumsum(heights, axis=0) - heights
        inside.bar([days[0]] * len(rows), heights[:, 0], bottom=floors[:, 0], color=shades, width=0.6)
    top = max(float(heights.sum(axis=0).max()), 1.0)
    inside.set_ylim(0, top)
    inside.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    inside.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    inside.tick_params(labelsize=8)
    inside.set_ylabel("share of people", fontsize=9, color=style.INK)
    last = heights[:, -1]
    one = 10.0 / max(panels.room(inside)[1], 1) * top  # a line of text
    at = [float(y) for y in np.cumsum(last) - last / 2]
    for i in range(1, len(at)):
        at[i] = max(at[i], at[i - 1] + one)
    for i in reversed(range(len(at))):
        at[i] = min(at[i], at[i + 1] - one if i + 1 < len(at) else top - one / 3)
    for name, share, y, shade in zip(rows, last, at, shades, strict=True):
        text = f"{style.wrap(inside, names[name], 78, 8, 1)} {words.percent(float(share))}"
        inside.annotate(
            "■", (1, y), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points", fontsize=8,
            va="center_baseline", color=shade, annotation_clip=False,
        )  # fmt: skip
        inside.annotate(
            text, (1, y), xycoords=("axes fraction", "data"), xytext=(14, 0), textcoords="offset points", fontsize=8,
            va="center_baseline", color=style.INK, annotation_clip=False, parse_math=False, fontfamily=words.fonts(),
        )  # fmt: skip
    return ", ".join(
        f"{words.plain(name)} {words.percent(float(n))}" for name, n in zip(names.values(), last, strict=True)
    )
