"""What those acquired in one period do in every later one: sums by cohort and period, made in the engine.

A person belongs to the period of their first activity, for good. Only whole periods are told: half a month beside
whole ones would look like a fall.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from lifecycle_kit.kpis.asked import check_run_in, days_asked
from lifecycle_kit.kpis.declared import ORDER, VISIT
from lifecycle_kit.kpis.periods import Periods, make_periods

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis.expr.types as ir
    import pandas as pd

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.kpis.question import Question
    from lifecycle_kit.kpis.rows import EventSet
    from lifecycle_kit.stages.heard import View

__all__ = [
    "CohortBy",
    "Span",
    "active_periods",
    "activity_given",
    "activity_rows",
    "ask",
    "cohort_sums",
    "last_seen",
    "period_label",
    "second_orders",
    "span_of",
]

CohortBy = Literal["week", "month", "quarter", "year"]
MONEY_COLUMNS = ("n_orders", "revenue", "cost", "n_no_revenue", "n_no_cost")


@dataclass(frozen=True)
class Span:
    """The periods of cohorts and of their ages.

    Attributes
    ----------
    known : date
        What happened later is not known.
    periods : Periods
        From the first cohort's on, up to the last day that is told.
    n_cohorts : int
        So many of them, from the first, may have a cohort.
    n_whole : int
        So many of them, from the first, are over: only these have a cell.
    settled : date
        In cohorts that begin earlier, old customers look new.
    """

    known: dt.date
    periods: Periods
    n_cohorts: int
    n_whole: int
    settled: dt.date

    def label(self, number: int) -> str:
        """Return the name of a period."""
        return period_label(self.periods.starts[number], str(self.periods.by))

    def mark(self, number: int) -> str | None:
        """Return what a reader must know of the cohort of a period."""
        return "left-censored" if self.periods.starts[number] < self.settled else None


def span_of(
    dataset: Dataset,
    since: str | dt.date | None,
    until: str | dt.date | None,
    by: str,
    as_of: str | dt.date | None,
    week_start: str,
    run_in_days: int,
    *,
    beyond: bool,
) -> Span:
    """Return the periods of cohorts whose own period touches `since` to `until`; by default all of the log.

    With `beyond`, their ages go on after `until`, up to what is known.

    Raises
    ------
    UsageError
        When no period is over by then, or an option is not one of the allowed.
    DataError
        When the log is empty.
    """
    if by not in get_args(CohortBy):
        raise UnknownNameError("period of cohorts", str(by), get_args(CohortBy))
    check_run_in(run_in_days)
    first, last, known = days_asked(dataset, since, until, as_of, n_days=None)
    asked = make_periods(first, last, by, week_start)
    log = dataset.days
    assert log is not None
    told = min(known, log[1]) if beyond else min(known, log[1], asked.ends[-1])
    periods = make_periods(asked.origin, max(told, asked.origin), by, week_start)
    n_whole = sum(periods.whole)
    if n_whole == 0:
        raise UsageError(
            f"No whole {by} lies between {asked.origin} and {told}, where the log or the question ends.",
            fix="Ask for shorter periods, or a longer time.",
        )
    settled = log[0] + dt.timedelta(days=run_in_days) if run_in_days else dt.date.min
    return Span(known, periods, min(len(asked), n_whole), n_whole, settled)


def ask(dataset: Dataset, known: dt.date, periods: Periods) -> Question:
    """Return the question to a log as it was at the close of `known`."""
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.kpis.question import Question
    from lifecycle_kit.stages.heard import View

    return Question(dataset, View(closing_instant(known, dataset.timezone)), known, periods)


def activity_given(dataset: Dataset, activity: str | Iterable[str]) -> EventSet:
    """Return the event set of an activity: "order", "visit", or names of events that the log has.

    Raises
    ------
    UsageError
        When none is named, or "order" or "visit" among others.
    UnknownNameError
        When the log has no such event.
    DataError
        When the log has no orders, or no visits.
    """
    from lifecycle_kit.kpis.needs import Needs, contents_of, lacking

    events = (activity,) if isinstance(activity, str) else tuple(sorted({str(event) for event in activity or ()}))
    contents = contents_of(dataset)
    if events in (ORDER, VISIT):
        name = "stages_from_orders" if events == ORDER else "daily_traffic"
        reason = lacking(Needs(frozenset({events}), capabilities=(name,)), dataset, contents, False)
        if reason:
            raise DataError(f"Activity {events[0]!r} {reason}.", fix="Name an event that the log has.")
        return events
    if not events:
        raise UsageError("No activity was named.", fix="Write for example activity='order'.")
    for event in events:
        if len(events) > 1 and event in (*ORDER, *VISIT):
            raise UsageError(
                f"Activity {event!r} cannot be combined with others.", fix="Name events of the log, or one alone."
            )
        if event not in contents.events:
            raise UnknownNameError("activity", event, {*ORDER, *VISIT, *contents.events})
    return events


def activity_rows(view: View, activity: EventSet) -> ir.Table:
    """Return one row per touchpoint of an activity: person_key, day; of orders that stand also revenue and cost."""
    from lifecycle_kit.kpis.rows import belongs, standing_orders, touches

    if activity == ORDER:
        return standing_orders(view).select("person_key", "day", "revenue", "cost")
    told = touches(view, [activity])
    assert told is not None
    return told.filter(belongs(told, activity)).select("person_key", "day")


def active_periods(periods: Periods, rows: ir.Table, last: int) -> ir.Table:
    """Return one row per person and period with activity, up to period number `last`: person_key, period.

    Of orders also n_orders, revenue and cost (minor units), n_no_revenue and n_no_cost (orders of unknown profit).
    """
    rows = rows.mutate(period=periods.number(rows.day))
    rows = rows.filter(rows.period <= last)
    grouped = rows.group_by("person_key", "period")
    if "revenue" not in rows.columns:
        return grouped.aggregate().select("person_key", "period")
    made = {
        "n_orders": rows.count(),
        "revenue": rows.revenue.fill_null(0).sum(),
        "cost": rows.cost.fill_null(0).sum(),
        "n_no_revenue": rows.revenue.isnull().cast("int64").sum(),
        "n_no_cost": (rows.revenue.isnull() | rows.cost.isnull()).cast("int64").sum(),
    }
    found = grouped.aggregate(**made)
    return found.mutate(**{name: found[name].cast("int64") for name in made})


def _begun(active: ir.Table) -> ir.Table:
    begun = active.group_by("person_key").aggregate(cohort=active.period.min())
    return active.join(begun, "person_key")


def cohort_sums(question: Question, active: ir.Table) -> pd.DataFrame:
    """Return the sums of every cohort in every period with activity: cohort, period (numbers), n_active, and money."""
    told = _begun(active)
    money = [name for name in MONEY_COLUMNS if name in told.columns]
    return question.scratch.fetch(
        told.group_by("cohort", "period").aggregate(n_active=told.count(), **{name: told[name].sum() for name in money})
    )


def last_seen(question: Question, active: ir.Table) -> pd.DataFrame:
    """Return how many of every cohort were active for the last time in which period: cohort, period, n_people."""
    spans = active.group_by("person_key").aggregate(cohort=active.period.min(), period=active.period.max())
    return question.scratch.fetch(spans.group_by("cohort", "period").aggregate(n_people=spans.count()))


def second_orders(question: Question, active: ir.Table) -> pd.DataFrame:
    """Return when people of every cohort ordered for the second time: cohort, period (null: never), n_people."""
    told = _begun(active)
    each = told.group_by("person_key", "cohort").aggregate(
        n_first=told.n_orders.sum(where=told.period == told.cohort),
        later=told.period.min(where=told.period > told.cohort),
    )
    each = each.mutate(period=(each.n_first > 1).ifelse(each.cohort, each.later))
    return question.scratch.fetch(each.group_by("cohort", "period").aggregate(n_people=each.count()))


def period_label(start: dt.date, by: str) -> str:
    """Return the name of a period: 2024, 2024-Q1, 2024-03, 2024-W05.

    A week belongs to the year that most of its days are in: from Monday on, ISO 8601's numbers; from Sunday on, those
    of epidemiologists.
    """
    if by == "week":
        middle = start + dt.timedelta(days=3)
        return f"{middle.year}-W{(middle.timetuple().tm_yday - 1) // 7 + 1:02}"
    if by == "quarter":
        return f"{start.year}-Q{(start.month + 2) // 3}"
    return f"{start:%Y}" if by == "year" else f"{start:%Y-%m}"
