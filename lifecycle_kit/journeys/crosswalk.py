"""The crosswalk: the company's map of stages and the customers' own touchpoints, one against the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from lifecycle_kit.calendar import closing_instant, parse_as_of, zone
from lifecycle_kit.errors import UnknownNameError, UsageError, nearest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.heard import View
    from lifecycle_kit.stages.history import History
    from lifecycle_kit.stages.model import StageModel
    from lifecycle_kit.stages.moment import AsOf, Moment

__all__ = ["Crosswalk", "Part", "crosswalk"]

Part = Literal["met", "effect", "entries", "mismatches"]
NOT_CAUSAL = "not causal"
# touchpoints that an engine sorts at once within a few hundred MB
_PER_BUCKET = 1_250_000


@dataclass(frozen=True, eq=False, repr=False)
class Crosswalk:
    """Where customers really met what the company made for them, and how they came into its stages.

    Nothing here is causal: people who meet a touchpoint are others than those who do not. Test before you believe it.

    Attributes
    ----------
    met : pandas.DataFrame
        One row per event and stage in which people met it, the stage just before the touchpoint ("(new)": before any):
        event, stage, n_touchpoints, n_people (each once per event and stage), share_of_touchpoints (of the event's;
        they add up to 1), share_of_people with lo and hi (of all who met the event in the period, 95 %, Wilson; one
        person may meet it in several stages, so they may add up to more than 1), meant_for (the stage that the model
        declares; null where it does not), is_meant (whether this is it; null likewise), n_people_elsewhere (who met it
        here though it was made for another stage, and did not lead them into that one at once; null likewise).
    effect : pandas.DataFrame
        Not causal. One row per event and stage in which it was met: event, stage, n_people (whose first such touchpoint
        in the stage lies so far back that the window is over), n_moved_on, n_stayed, n_fell_back (in a later, the same,
        an earlier stage at the window's end), share_moved_on with lo and hi (95 %, Wilson); n_others and
        share_moved_on_others (people in that stage who, from their first touchpoint of any kind in it, did not meet
        the event there within the window, and where they were at its end), difference with difference_lo and
        difference_hi (95 %, Newcombe), n_in_both. Shares are null where nobody can tell yet, and in the last stage.
    entries : pandas.DataFrame
        One row per way into a status and touchpoint at its instant: stage, status, from_stage, from_status ("(new)"
        for people who come into the lifecycle), event ("(time)" where the person did nothing: a window ran out),
        n_entries, n_people, enters_stage (not only another status of one stage), is_planned (whether an activity of
        the model goes from the one status to the other; null for "(new)", as none can start there, and where the model
        has no activities).
    mismatches : pandas.DataFrame
        Where map and path disagree, the most people first: kind, event, meant_for, met_in, from_status, to_status,
        n_people, n_of, share, lo, hi (95 %, Wilson). "met elsewhere": n_people_elsewhere, of all who met the event.
        "unplanned entry": people whom a touchpoint brought into a status on a way that no activity plans, of all who
        entered the status. A window that runs out is no path.
    model : StageModel
    moment : Moment
        What was known, and when the last window may end.
    since : date, datetime or None
        Touchpoints and entries from then on; None is the whole log.
    within_days : int
        Length of the window of `effect`, in days of 24 hours.
    notes : tuple of str
        What a reader must know.
    """

    met: pd.DataFrame
    effect: pd.DataFrame
    entries: pd.DataFrame
    mismatches: pd.DataFrame
    model: StageModel
    moment: Moment
    since: dt.date | dt.datetime | None
    within_days: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        n = len(self.mismatches)
        worst = f", the largest: {self._in_words()}" if n else ""
        found = f"{self.met['event'].nunique():,} events, {n:,} mismatches{worst}"
        return f"Crosswalk({self.model.name!r}, {found}; {self.source})"

    @property
    def source(self) -> str:
        """The source line of a picture."""
        since = "" if self.since is None else f"since {self.since}, "
        return f"{self.moment.dataset_name}, {since}as of {self.moment.as_of}; {NOT_CAUSAL}"

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of all stages in order: "(new)", unplaced, then those of the model."""
        from lifecycle_kit.journeys.met import stages_in_order

        return stages_in_order(self.model)

    def to_frame(self, part: Part = "met") -> pd.DataFrame:
        """Return one of the frames: met, effect, entries or mismatches.

        Raises
        ------
        UnknownNameError
            When it is none of these.
        """
        if part not in get_args(Part):
            raise UnknownNameError("part of a crosswalk", str(part), get_args(Part))
        frame: pd.DataFrame = getattr(self, part)
        return frame.copy()

    def to_arrow(self, part: Part = "met") -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame(part))

    def worst(self, n: int = 5, *, least_share: float = 0.0) -> pd.DataFrame:
        """Return the `n` mismatches with most people, of those with at least a share of them.

        With ``least_share=0.5``: where the map is wrong about most people, rather than about many.

        Raises
        ------
        UsageError
            When `n` is not a positive whole number, or `least_share` is not in [0, 1].
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise UsageError(f"n {n!r} must be a whole number, at least 1.", fix="Write for example worst(5).")
        if isinstance(least_share, bool) or not isinstance(least_share, int | float) or not 0 <= least_share <= 1:
            raise UsageError(f"least_share {least_share!r} is not in [0, 1].", fix="Write for example 0.5.")
        found = self.mismatches[self.mismatches["share"] >= least_share]
        return found.head(n).reset_index(drop=True)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the touchpoints by the stage in which people met them."""
        from lifecycle_kit.plots.crosswalk import plot_crosswalk

        return plot_crosswalk(self.met, stages=self.stages, labels=self.model.labels, source=self.source, ax=ax)

    def _in_words(self) -> str:
        row = self.mismatches.iloc[0]
        of = f"{row['n_people']:,} of {row['n_of']:,} people"
        if row["kind"] == "met elsewhere":
            return f"{row['event']} made for {row['meant_for']}, met in {row['met_in']} ({of})"
        return f"{row['to_status']} entered from {row['from_status']} ({of})"


def crosswalk(
    dataset: Dataset,
    model: StageModel,
    as_of: AsOf | None = None,
    *,
    since: AsOf | None = None,
    within_days: int = 30,
    events: str | Iterable[str] | None = None,
) -> Crosswalk:
    """Hold the company's stages against the touchpoints that people met: in which stage, and what came of it.

    A touchpoint is met in the stage just before it; what begins at its own instant is what came of it. What came of it
    is compared with people in the same stage who did not meet it: not causal. Whoever stays longer in a stage meets
    more there, and an event that the model's own rules listen to moves people by definition.

    Who did not meet the event in a stage within the window, but later, stands on both sides, at two moments
    (`n_in_both`): to leave them out would leave out those who stayed. The interval takes both sides as independent.

    Parameters
    ----------
    dataset, model
        The shop's log and the company's map: its activities are the ways that were planned, its
        ``crosswalk: touchpoints:`` the stage each touchpoint was made for.
    as_of : str, date or datetime, optional
        A date is the close of that business day. Default: the last of the log.
    since : str, date or datetime, optional
        First business day (or instant) whose touchpoints and entries count. Where people stood is always told from the
        whole log. Early in a log everybody looks new; a later `since` leaves that out.
    within_days : int, default 30
        Days of 24 hours after a touchpoint at whose end people are looked up again.
    events : str or iterable of str, optional
        Only these events in `met`, `effect` and the mismatches of touchpoints. Default: every event of the log, those
        included that the shop makes (order_refunded). Entries, and the other people of `effect`, are of all events.

    Raises
    ------
    UnknownNameError
        When the log has no such event.
    UsageError
        When no event is named, `since` is after `as_of`, `within_days` is not a positive whole number, or as in
        `snapshot`.
    DataError
        When the log is empty.
    """
    from lifecycle_kit.stages.heard import view_at
    from lifecycle_kit.stages.history import history
    from lifecycle_kit.stages.moment import resolve_moment

    moment = resolve_moment(dataset, model, as_of)
    if isinstance(within_days, bool) or not isinstance(within_days, int) or not 1 <= within_days <= 36_600:
        raise UsageError(
            f"within_days {within_days!r} must be a whole number from 1 to 36,600.", fix="Write for example 30."
        )
    first, begin = _beginning(dataset, since, moment)
    view = view_at(moment)
    there = _events_of(dataset, view)
    wanted = _events_asked(events, there)
    told = _Asked(dataset, model, moment, view, begin, dt.timedelta(days=within_days), wanted)
    met, effect, entries, mismatches = _answer(told, history(dataset, model, as_of))
    notes = (*moment.warnings, *_notes(model, there))
    return Crosswalk(met, effect, entries, mismatches, model, moment, first, within_days, notes)


@dataclass(frozen=True)
class _Asked:
    """One question, checked."""

    dataset: Dataset
    model: StageModel
    moment: Moment
    view: View
    begin: dt.datetime | None
    window: dt.timedelta
    events: tuple[str, ...] | None


def _answer(asked: _Asked, made: History) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    from lifecycle_kit.engine.scratch import Scratch
    from lifecycle_kit.journeys import told
    from lifecycle_kit.journeys.entered import edge_query, entered_query, entries_of, entry_query
    from lifecycle_kit.journeys.met import effect_query, first_meetings, met_query
    from lifecycle_kit.stages.buckets import extent, in_buckets

    dataset, model, engine, spells = asked.dataset, asked.model, asked.dataset.engine, made.spells
    last_day = closing_instant(dataset.days[1], dataset.timezone) if dataset.days else asked.moment.instant
    end = min(asked.moment.instant, last_day)
    with Scratch(engine) as scratch:
        size = extent(engine, asked.view)
        views = list(in_buckets(asked.view, size, _PER_BUCKET)) if engine.splits_work else [asked.view]
        meetings = scratch.store("meetings", *(first_meetings(model, view, spells, asked.begin) for view in views))
        ways = scratch.store("entries", *(entries_of(model, view, spells, asked.begin) for view in views))
        met, entries, edges, entered = (
            scratch.fetch(query(rows))
            for query, rows in ((met_query, meetings), (entry_query, ways), (edge_query, ways), (entered_query, ways))
        )
        effect = scratch.fetch(*(effect_query(model, view, meetings, spells, asked.window, end) for view in views))
        effect = effect.groupby(["event", "met"], as_index=False).sum()
    met_frame = told.met_frame(model, met, asked.events)
    effect_frame = told.effect_frame(model, effect, asked.events)
    mismatches = told.mismatch_frame(model, met, edges, entered, asked.events)
    return met_frame, effect_frame, told.entry_frame(model, entries), mismatches


def _beginning(
    dataset: Dataset, since: AsOf | None, moment: Moment
) -> tuple[dt.date | dt.datetime | None, dt.datetime | None]:
    """Return `since` as said, and the first instant that counts; None is the log's beginning."""
    if since is None:
        return None, None
    first = parse_as_of(since)
    if isinstance(first, dt.datetime):
        if first.tzinfo is None:
            first = first.replace(tzinfo=zone(dataset.timezone))
        begin = closing_instant(first, dataset.timezone)
    else:
        begin = closing_instant(first - dt.timedelta(days=1), dataset.timezone) + dt.timedelta(microseconds=1)
    if begin > moment.instant:
        raise UsageError(
            f"Since {first} is after as-of {moment.as_of}: the period is empty.", fix="Give a since before as_of."
        )
    return first, begin


def _events_of(dataset: Dataset, view: View) -> frozenset[str]:
    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.heard import touchpoints

    found = fetch(touchpoints(view).select("event").distinct(), dataset.engine)
    return frozenset(found["event"].to_pylist())


def _events_asked(events: str | Iterable[str] | None, there: frozenset[str]) -> tuple[str, ...] | None:
    if events is None:
        return None
    asked = (events,) if isinstance(events, str) else tuple(dict.fromkeys(events))
    if not asked:
        raise UsageError("No event was named.", fix="Leave events out for all of them.")
    for event in asked:
        if event not in there:
            raise UnknownNameError("event", str(event), there)
    return asked


def _notes(model: StageModel, there: frozenset[str]) -> list[str]:
    notes = []
    if not model.touchpoints:
        notes.append(
            f"{model.name!r} does not say which stage a touchpoint was made for (crosswalk: touchpoints:), so no "
            "touchpoint can be met elsewhere."
        )
    if not model.activities:
        notes.append(f"{model.name!r} has no activities, so no way into a status is planned or unplanned.")
    for event in sorted(set(model.touchpoints or {}) - there):
        alike = nearest(event, there - set(model.touchpoints or {}))
        if alike:
            notes.append(f"The log has no event {event!r}, of which {model.name!r} tells. Did you mean {alike!r}?")
    return notes
