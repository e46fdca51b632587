"""Repeat purchases week by week: those that came, and those a model expects of customers since their first day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.clv.purchases import DAYS

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.clv.purchase_model import PurchaseModel
    from lifecycle_kit.clv.statistics import PurchaseStatistics
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["expected_repeats", "repeats_by_day", "track"]


def repeats_by_day(dataset: Dataset, told: PurchaseStatistics, until: dt.date) -> pd.Series:
    """Return the repeat purchases of these customers by business day up to `until`, as seen at its close.

    Parameters
    ----------
    dataset : Dataset
    told : PurchaseStatistics
        Says which customers: those whose first purchase was by its as-of day (and not before `since`).
    until : date

    Returns
    -------
    pandas.Series
        Purchases by day (index, date); days without any are left out.
    """
    import ibis

    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.clv.purchases import Clock, moments
    from lifecycle_kit.engine.scratch import Scratch
    from lifecycle_kit.kpis.needs import contents_of
    from lifecycle_kit.stages.heard import View

    clock = Clock(told.grain, told.time_unit, dataset.timezone, "order_cancelled" in contents_of(dataset).events)
    with Scratch(dataset.engine) as scratch:
        made = scratch.store("moments", moments(View(closing_instant(until, dataset.timezone)), clock))
        first = made.group_by("person_key").aggregate(first=made.moment.min(), first_day=made.day.min())
        wanted = first.filter(first.first_day <= ibis.literal(told.as_of, "date"))
        if told.since is not None:
            wanted = wanted.filter(wanted.first_day >= ibis.literal(told.since, "date"))
        later = made.join(wanted, "person_key").filter(lambda t: t.moment > t.first)
        found = scratch.fetch(later.group_by("day").aggregate(n=later.count()).order_by("day"))
    import pandas as pd

    return pd.Series(found["n"].to_numpy(), index=found["day"].to_numpy(), name="n")


def expected_repeats(model: PurchaseModel, ages: np.ndarray, weight: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the repeat purchases expected of all customers by each of some moments.

    Parameters
    ----------
    model : PurchaseModel
        Fitted.
    ages, weight : array
        Time since the first purchase at one moment, and customers of this age.
    ends : array
        Moments, as time after that one; negative before it.
    """
    reached = np.maximum(ages[:, None] + ends, 0.0)
    times, back = np.unique(reached, return_inverse=True)
    expected = np.asarray(model.expected_transactions_of_new(times))
    return np.asarray(weight @ expected[back].reshape(reached.shape))


def track(
    models: dict[str, PurchaseModel], told: PurchaseStatistics, repeats: pd.Series, until: dt.date
) -> pd.DataFrame:
    """Return actual and expected repeat purchases by whole time unit from the first customer's day to `until`.

    The expectation is of new customers: it knows when each began, and nothing of what they did.

    Returns
    -------
    pandas.DataFrame
        One row per model and period: model, period (1, 2 ...), ends_on, held_out (whether it ends after the as-of day),
        actual, expected, cumulative_actual, cumulative_expected.
    """
    import pandas as pd

    length = DAYS[told.time_unit]
    first_day = told.frame["first_day"].min()
    n_days = (until - pd.Timestamp(first_day).date()).days
    n_periods = int(n_days // length)
    begin = pd.Timestamp(first_day).date()
    edges = [begin + dt.timedelta(days=round(i * length)) for i in range(n_periods + 1)]
    days = pd.to_datetime(repeats.index).to_numpy()
    counts = repeats.to_numpy()
    so_far = np.array([counts[days <= np.datetime64(edge)].sum() for edge in edges])
    ages = told.frame.groupby("T").size()
    ends = np.array([(edge - told.as_of).days / length for edge in edges])
    parts: list[Any] = []
    for name, model in models.items():
        expected = expected_repeats(model, ages.index.to_numpy(), ages.to_numpy(), ends)
        parts.append(
            pd.DataFrame(
                {
                    "model": name,
                    "period": range(1, n_periods + 1),
                    "ends_on": edges[1:],
                    "held_out": [edge > told.as_of for edge in edges[1:]],
                    "actual": np.diff(so_far),
                    "expected": np.diff(expected),
                    "cumulative_actual": so_far[1:] - so_far[0],
                    "cumulative_expected": expected[1:] - expected[0],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
