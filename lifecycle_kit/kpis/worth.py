"""What the customers acquired in a period brought, month of age by month of age, beside what they cost to acquire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from lifecycle_kit.kpis.declared import KPI, ORDER, Worth
from lifecycle_kit.kpis.intervals import bucket_bootstrap
from lifecycle_kit.kpis.people import first_day, sliced
from lifecycle_kit.kpis.periods import days_between
from lifecycle_kit.kpis.sums import N_BUCKETS, Cell, Reading, cells, null

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.kpis.question import Question, Shared
    from lifecycle_kit.kpis.spend import Spending

__all__ = ["DAYS_PER_MONTH", "worth_readings"]

# months of equal length, so that cohorts of equal age have had equal time
DAYS_PER_MONTH = 30


def worth_readings(
    question: Question,
    kpis: Iterable[KPI],
    shared: Shared,
) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI whose measure is a `Worth`, from one pass over the orders of the acquired."""
    kpis = list(kpis)
    n_months = max(_measure(kpi).months for kpi in kpis)
    day = shared.people[first_day(ORDER)]
    acquired = shared.people.filter(day.notnull() & question.periods.asked(day))
    begun = acquired.select("person_key", begun_day=acquired[first_day(ORDER)], period=question.periods.number(day))
    begun = sliced(begun, shared.people, shared.stages)
    keys = ("period", "slice", "bucket", "age")
    told = shared.standing.join(begun.select("person_key", "begun_day", "period", "slice", "bucket"), "person_key")
    told = told.mutate(age=(days_between(told.begun_day, told.day) // DAYS_PER_MONTH).cast("int64"))
    orders_of = told.filter(told.age < n_months).select(
        *keys,
        profit=told.revenue.fill_null(0) - told.cost.fill_null(0),
        n_unknown=(told.revenue.isnull() | told.cost.isnull()).cast("int64"),
        n_people=ibis.literal(0, "int64"),
    )
    # people are counted beside their orders: counting the different ones among these costs more
    nothing = ibis.literal(0, "int64")
    themselves = begun.select(
        "period", "slice", "bucket", age=nothing, profit=nothing, n_unknown=nothing, n_people=ibis.literal(1, "int64")
    )
    rows = orders_of.union(themselves)
    brought = question.scratch.fetch(
        rows.group_by(*keys).aggregate(**{c: rows[c].sum() for c in ("profit", "n_unknown", "n_people")})
    )
    for cell, there in cells(brought, len(question.periods), question.dimension is not None, ("bucket", "age")):
        for kpi in kpis:
            yield kpi, cell, _reading(question, _measure(kpi), cell, there, shared.spending)


def _measure(kpi: KPI) -> Worth:
    assert isinstance(kpi.measure, Worth)
    return kpi.measure


def _reading(question: Question, measure: Worth, cell: Cell, there: pd.DataFrame, spending: Spending | None) -> Reading:
    assert spending is not None
    spent = spending.spent(cell.period, cell.slice, measure.purposes)
    if isinstance(spent, str):
        return null(spent)
    n_people = int(there["n_people"].sum())
    if n_people == 0:
        return null("nobody was acquired in the period", n_den=0.0)
    if int(there["n_unknown"].sum()):
        return null(f"{int(there['n_unknown'].sum()):,} of their orders have no cost or no revenue")
    if spent == 0:
        return null("acquiring them cost nothing", n_den=0.0)
    # equal follow-up: only ages that even the last of them has completed
    observed = (question.known - question.periods.ends[cell.period]).days + 1
    n_ages = min(measure.months, observed // DAYS_PER_MONTH)
    spent /= 100
    if n_ages < 1 or (measure.gives == "ratio" and n_ages < measure.months):
        wanted = measure.months if measure.gives == "ratio" else 1
        return null(
            f"not all of them have been customers for {wanted * DAYS_PER_MONTH:,} days yet",
            n_den=spent,
            mature_share=0.0,
        )
    sums = _by_bucket_and_age(there, n_ages)
    if measure.gives == "ratio":
        total = float(sums.sum())
        bounds = bucket_bootstrap(sums.sum(axis=1, keepdims=True), lambda drawn: drawn[:, 0] / spent)
        return _told(total / spent, bounds, total, spent)
    value = _payback(sums.sum(axis=0, keepdims=True), spent)[0]
    bounds = bucket_bootstrap(sums, lambda drawn: _payback(drawn, spent))
    if np.isinf(value):
        return null(f"not back after {n_ages} months", n_num=float(sums.sum()), n_den=spent, mature_share=1.0)
    return _told(float(value), bounds, float(sums.sum()), spent)


def _told(value: float, bounds: tuple[float, float] | None, top: float, bottom: float) -> Reading:
    known: dict[str, Any] = {"value": value, "n_num": top, "n_den": bottom, "mature_share": 1.0}
    if bounds is None:
        return Reading(**known, reason="too few people for an interval")
    return Reading(**known, lo=bounds[0], hi=bounds[1])


def _by_bucket_and_age(there: pd.DataFrame, n_ages: int) -> np.ndarray:
    """Profit in major units, shape (N_BUCKETS, n_ages)."""
    sums = np.zeros((N_BUCKETS, n_ages))
    seen = there[there["age"] < n_ages]
    np.add.at(sums, (seen["bucket"].to_numpy(), seen["age"].to_numpy()), seen["profit"].to_numpy() / 100)
    return sums


def _payback(profit_by_age: np.ndarray, spent: float) -> np.ndarray:
    """First month by whose end the profit so far covers the cost; infinite where it never does."""
    covered = np.cumsum(profit_by_age, axis=1) >= spent
    return np.where(covered.any(axis=1), covered.argmax(axis=1) + 1.0, np.inf)
