"""Cohorts: of those who began in one period, how many come back in every later one, and what they bring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.kpis.asked import RUN_IN_DAYS
from lifecycle_kit.kpis.declared import ORDER
from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.kpis.newcombe import newcombe
from lifecycle_kit.kpis.triangle import CohortBy, Span

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.kpis.rows import EventSet

__all__ = ["Kind", "Retention", "retention", "retention_of"]

Kind = Literal["bounded", "unbounded"]
_NAMES = ("cohort", "cohort_start", "n_people", "age")
_SHARE = ("n_active", "share", "lo", "hi")
_MONEY = ("revenue", "revenue_per_person", "cumulative_revenue_per_person")


@dataclass(frozen=True, eq=False, repr=False)
class Retention:
    """How many of each cohort are back at each age.

    Attributes
    ----------
    counts : pandas.DataFrame
        One row per cohort and age that the data covers: cohort ("2024-03"), cohort_start, n_people (in the cohort),
        age (whole periods after the cohort's own), n_active, share, lo and hi (95 %, Wilson; at age 0 all are there by
        definition), revenue (in that period), revenue_per_person and cumulative_revenue_per_person (of all in the
        cohort; money in major units, missing where activity is not orders or an order does not tell it), mark
        ("left-censored": the log had hardly begun, so old customers look new).
    mean : pandas.DataFrame
        One row per age, over the cohorts that have reached it: age, n_cohorts, n_people, n_active, share (n_active by
        n_people: large cohorts weigh more), revenue_per_person (weighed alike), cumulative_revenue_per_person (its
        running sum: from age to age fewer cohorts are left, so the mean of their sums would jump). Cohorts with a mark
        are in it; ask for a later `since` to leave them out.
    by : str
        What a period is: week, month, quarter or year.
    activity : tuple of str
        What counts as being there.
    kind : str
        bounded or unbounded.
    source : str
        The source line of a picture.
    """

    counts: pd.DataFrame
    mean: pd.DataFrame
    by: CohortBy
    activity: EventSet
    kind: Kind
    source: str

    def __repr__(self) -> str:
        cohorts = self.counts["cohort"].drop_duplicates()
        span = f"{cohorts.iloc[0]} to {cohorts.iloc[-1]}"
        return f"Retention({len(cohorts):,} cohorts by {self.by}, {span}, {self.kind}; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the counts, one row per cohort and age."""
        return self.counts.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def triangle(self) -> pd.DataFrame:
        """Return the shares with a row per cohort and a column per age, null beyond the data."""
        return self.counts.pivot(index="cohort", columns="age", values="share")

    def at_equal_age(self, age: int | None = None) -> pd.DataFrame:
        """Compare cohorts at one age, each with all others together.

        With many cohorts some differ by chance: of twenty intervals, one leaves out 0 though nothing differs.

        Parameters
        ----------
        age : int, optional
            Default: the largest age that at least half of the cohorts have reached.

        Returns
        -------
        pandas.DataFrame
            One row per cohort that has reached the age: cohort, cohort_start, n_people, age, n_active, share, lo, hi,
            cumulative_revenue_per_person, share_others (weighted mean of the other cohorts), difference (share less
            that), difference_lo and difference_hi (95 %, Newcombe's hybrid score), mark. Nothing to compare with at
            age 0, or for a single cohort: null.

        Raises
        ------
        UsageError
            When no cohort has reached the age.
        """
        reached = self.mean["age"].max()
        if age is None:
            n_cohorts = self.counts["cohort"].nunique()
            age = int(self.mean.loc[2 * self.mean["n_cohorts"] >= n_cohorts, "age"].max())
        elif isinstance(age, bool) or not isinstance(age, int) or not 0 <= age <= reached:
            raise UsageError(
                f"No cohort has reached age {age!r}.", fix=f"Give a whole number of {self.by}s from 0 to {reached}."
            )
        rows = self.counts[self.counts["age"] == age].reset_index(drop=True)
        n_active, n_people = int(rows["n_active"].sum()), int(rows["n_people"].sum())
        made = [
            _against(int(x), int(n), n_active - int(x), n_people - int(n)) if age else _NOTHING
            for x, n in zip(rows["n_active"], rows["n_people"], strict=True)
        ]
        names = ("share_others", "difference", "difference_lo", "difference_hi")
        rows[list(names)] = made
        return rows[[*_NAMES, *_SHARE, _MONEY[-1], *names, "mark"]]

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the triangle: a row per cohort, a column per age."""
        from lifecycle_kit.plots.cohorts import plot_retention

        there = "back" if self.kind == "bounded" else "back then or later"
        return plot_retention(
            self.counts,
            mean=self.mean,
            age_label=self._age_label,
            title=f"Share of each cohort that is {there}, by age",
            source=self.source,
            ax=ax,
        )

    def plot_revenue(self, *, ax: Axes | None = None) -> Axes:
        """Draw what a person of each cohort has brought so far, by age.

        Raises
        ------
        UsageError
            When activity is not orders.
        """
        from lifecycle_kit.plots.cohorts import plot_cohort_curves

        if self.activity != ORDER:
            raise UsageError(
                f"Revenue belongs to orders, not to {' or '.join(self.activity)}.", fix="Ask with activity='order'."
            )
        value = {"cumulative_revenue_per_person": "value"}
        return plot_cohort_curves(
            self.counts.rename(columns=value),
            mean=self.mean.rename(columns=value),
            value_label="so far, per person",
            age_label=self._age_label,
            title="Revenue so far per person, cohorts at equal age",
            source=self.source,
            ax=ax,
        )

    @property
    def _age_label(self) -> str:
        return f"{self.by}s since first {' or '.join(self.activity)}"


def retention(
    dataset: Dataset,
    *,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
    by: CohortBy = "month",
    activity: str | Iterable[str] = "order",
    kind: Kind = "bounded",
    week_start: str = "monday",
    run_in_days: int = RUN_IN_DAYS,
) -> Retention:
    """Follow cohorts of people: who began in one period, and how many are back in every later one.

    A person's cohort is the period of their first activity in the whole log. Age counts periods of the calendar: who
    first orders on 31 January and again on 1 February is back at age 1. A period that is not over, by the log's last
    day or by `as_of`, has no cell, and people who began in it are in no cohort yet: part of a month beside whole
    ones would look like a fall. A period in which nobody began has no cohort.

    Parameters
    ----------
    dataset : Dataset
        The shop's log.
    since, until : str or date, optional
        Cohorts of the periods from the one of `since` to the one of `until`. Default: all of the log.
    as_of : str or date, optional
        What happened later is not known yet. Default: the log's last day.
    by : {"month", "week", "quarter", "year"}
        Periods of cohorts and of ages.
    activity : str or iterable of str
        "order" (orders that were neither cancelled nor given back entirely), "visit" (any touchpoint that the person
        makes), or names of events.
    kind : {"bounded", "unbounded"}
        Bounded: active in the period of that age. Unbounded: active then or in any later whole period. Unbounded
        shares of recent cohorts are too low: their later periods have not come yet, and at a cohort's last age
        nothing is left but the bounded share. Do not read a fall towards the edge as a loss.
    week_start : str, default "monday"
    run_in_days : int, default 30
        Cohorts that begin less than so many days after the log are marked left-censored. 0 for a shop whose log begins
        with its opening.

    Returns
    -------
    Retention

    Raises
    ------
    UsageError
        When no period is over, nobody began in one, or an option is not one of the allowed.
    UnknownNameError
        When the log has no such event.
    DataError
        When the log is empty, or has no orders or visits to follow.
    """
    from lifecycle_kit.kpis.triangle import (
        active_periods,
        activity_given,
        activity_rows,
        ask,
        cohort_sums,
        last_seen,
        span_of,
    )

    if kind not in get_args(Kind):
        raise UnknownNameError("kind of retention", str(kind), get_args(Kind))
    span = span_of(dataset, since, until, by, as_of, week_start, run_in_days, beyond=True)
    events = activity_given(dataset, activity)
    question = ask(dataset, span.known, span.periods)
    with question.scratch:
        rows = activity_rows(question.view, events)
        active = question.scratch.store("active", active_periods(span.periods, rows, span.n_whole - 1))
        sums = cohort_sums(question, active)
        last = last_seen(question, active) if kind == "unbounded" else None
    return retention_of(dataset, span, sums, events, last)


def retention_of(
    dataset: Dataset, span: Span, sums: pd.DataFrame, activity: EventSet, last: pd.DataFrame | None = None
) -> Retention:
    """Return the retention that sums of cohorts make; unbounded where it is told when people were `last` seen."""
    counts = _cells(span, sums, last)
    if counts.empty:
        raise UsageError(
            f"Nobody was first seen with {' or '.join(activity)} in a whole {span.periods.by} from "
            f"{span.periods.starts[0]} to {span.periods.ends[span.n_cohorts - 1]}.",
            fix="Ask for another time, or another activity.",
        )
    by: Any = span.periods.by
    source = f"{dataset.name}, as of {span.known}"
    return Retention(counts, _mean(counts), by, activity, "bounded" if last is None else "unbounded", source)


def _cells(span: Span, sums: pd.DataFrame, last: pd.DataFrame | None) -> pd.DataFrame:
    """One row per cohort and age that the data covers; who was not active has a row of 0."""
    import numpy as np
    import pandas as pd

    found = {(row.cohort, row.period): row for row in sums.itertuples(index=False)}
    later = {} if last is None else {(row.cohort, row.period): row.n_people for row in last.itertuples(index=False)}
    has_money = "revenue" in sums.columns
    rows: list[dict[str, Any]] = []
    for cohort in range(span.n_cohorts):
        if (cohort, cohort) not in found:
            continue
        n_people = int(found[cohort, cohort].n_active)
        periods = range(cohort, span.n_whole)
        there = [found.get((cohort, period)) for period in periods]
        n_active = np.array([0 if cell is None else cell.n_active for cell in there])
        if last is not None:
            n_active = np.cumsum([later.get((cohort, period), 0) for period in reversed(periods)])[::-1]
        revenue = np.full(len(there), np.nan)
        if has_money:
            # an amount that is not known is not an amount of nothing
            revenue[:] = [
                0.0 if cell is None else np.nan if cell.n_no_revenue else cell.revenue / 100 for cell in there
            ]
        per_person = zip(revenue / n_people, np.cumsum(revenue) / n_people, strict=True)
        known = (span.label(cohort), span.periods.starts[cohort], n_people)
        for age, (n, brought, (each, so_far)) in enumerate(zip(n_active.tolist(), revenue, per_person, strict=True)):
            low, high = wilson(n, n_people) if age else (1.0, 1.0)
            values = (*known, age, n, n / n_people, low, high, brought, each, so_far, span.mark(cohort))
            rows.append(dict(zip((*_NAMES, *_SHARE, *_MONEY, "mark"), values, strict=True)))
    frame = pd.DataFrame(rows, columns=[*_NAMES, *_SHARE, *_MONEY, "mark"])
    return frame.astype({"cohort": "str", "mark": "str"} | dict.fromkeys(_MONEY, "float64"))


def _mean(counts: pd.DataFrame) -> pd.DataFrame:
    """The cohorts of each age as if they were one."""
    by_age = counts.groupby("age")
    mean = by_age.agg(n_cohorts=("cohort", "size"), n_people=("n_people", "sum"), n_active=("n_active", "sum"))
    mean["share"] = mean["n_active"] / mean["n_people"]
    # the sum of some cohorts is not the sum of all
    whole = by_age["revenue"].count() == mean["n_cohorts"]
    mean["revenue_per_person"] = by_age["revenue"].sum().where(whole) / mean["n_people"]
    mean["cumulative_revenue_per_person"] = mean["revenue_per_person"].cumsum(skipna=False)
    return mean.reset_index()


_NOTHING = (float("nan"),) * 4


def _against(n_active: int, n_people: int, others_active: int, others: int) -> tuple[float, float, float, float]:
    if others == 0:
        return _NOTHING
    low, high = newcombe(n_active, n_people, others_active, others)
    return others_active / others, n_active / n_people - others_active / others, low, high
