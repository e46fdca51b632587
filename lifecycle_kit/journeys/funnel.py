"""A funnel: people who do one thing after another, in order and in time.

A person enters with their first touchpoint of the first step in the period, and has the same time for the rest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.kpis.intervals import wilson

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.journeys.looked_at import Look

__all__ = ["Funnel", "funnel"]

_ORDER = "order"


@dataclass(frozen=True, eq=False, repr=False)
class Funnel:
    """Steps in order, and how many people came so far.

    Attributes
    ----------
    steps : pandas.DataFrame
        One row per step: step, n_people, share_of_first, share_of_previous, lo, hi (95 %, Wilson, of the share of the
        previous step), median_hours (from the step before, of those who took it; half of them were quicker),
        hours_by_half (Kaplan-Meier in whole hours over everybody at the step before, who never came being censored at
        the limit, which counts from the first step: missing where too few came for a half).
    within_days : int
        How long people had, from their first step on.
    n_young : int
        People whose time is not over yet: left out.
    source : str
    """

    steps: pd.DataFrame
    within_days: int
    n_young: int
    source: str

    def __repr__(self) -> str:
        return f"Funnel({' > '.join(self.steps['step'])}; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the steps."""
        return self.steps.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def plot(self, *, ax: Any = None) -> Axes:
        """Draw the steps with what is lost between them."""
        from lifecycle_kit.plots.journey_steps import plot_funnel

        return plot_funnel(self.steps, source=self.source, ax=ax)


def funnel(
    dataset: Dataset,
    steps: Sequence[str],
    *,
    within_days: int = 30,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
) -> Funnel:
    """Follow people through steps in order.

    Parameters
    ----------
    dataset : Dataset
    steps : sequence of str
        Names of events, or ``order`` (an order that stands), at least two. A later step may be of the same instant as
        the one before; equal steps must be later.
    within_days : int, default 30
        Days of 24 hours from the first step to the last.
    since, until, as_of
        When the first step may be; what is known.

    Raises
    ------
    UsageError
        When there are fewer than two steps, or the period is empty.
    UnknownNameError
        When the log has no such event.
    """
    from lifecycle_kit.journeys.looked_at import look

    asked = [steps] if isinstance(steps, str) else list(steps)
    if len(asked) < 2:
        raise UsageError("A funnel needs at least two steps.", fix="Write for example ['product_viewed', 'order'].")
    if isinstance(within_days, bool) or not isinstance(within_days, int) or not 1 <= within_days <= 36_600:
        raise UsageError(f"within_days {within_days} must be a whole number, at least 1.", fix="Write for example 30.")
    with look(dataset, since, until, as_of) as at:
        known = set(dataset.contents()["event"])
        for step in asked:
            if step != _ORDER and step not in known:
                raise UnknownNameError("event", step, {*known, _ORDER})
        return _funnel(at, asked, within_days)


def _funnel(at: Look, steps: list[str], within_days: int) -> Funnel:
    import ibis

    window = ibis.interval(days=within_days)
    touches = at.scratch.store("funnel", _touches(at, set(steps)))
    first = touches.filter((touches.name == steps[0]) & at.begins_in_period(touches["at"]))
    people = first.group_by("person_key").aggregate(at_0=first["at"].min())
    ripe = people.at_0 + window <= ibis.literal(at.view.as_of, "timestamp")
    n_young = int(at.scratch.fetch(people.aggregate(n=(~ripe).sum()))["n"][0] or 0)
    reached = at.scratch.store("reached", people.filter(ripe))
    for i in range(1, len(steps)):
        met = touches.filter(touches.name == steps[i]).join(reached, "person_key")
        before = met[f"at_{i - 1}"]
        in_order = met["at"] >= before
        if steps[i] in steps[:i]:
            # the touchpoint that was this step already is not another one
            in_order &= met["at"] > met[f"at_{i - 1 - steps[:i][::-1].index(steps[i])}"]
        met = met.filter(in_order & (met["at"] < met.at_0 + window))
        following = met.group_by("person_key").aggregate(**{f"at_{i}": met["at"].min()})
        reached = at.scratch.store("reached", reached.left_join(following, "person_key").drop("person_key_right"))
    return Funnel(_counted(at, reached, steps, within_days), within_days, n_young, at.source)


def _touches(at: Look, names: set[str]) -> ir.Table:
    from lifecycle_kit.kpis.rows import standing_orders
    from lifecycle_kit.stages.heard import touchpoints

    log = touchpoints(at.view)
    rows = log.filter(log.event.isin(sorted(names - {_ORDER}))).select("person_key", at=log.occurred_at, name=log.event)
    if _ORDER not in names:
        return rows
    import ibis

    orders = standing_orders(at.view)
    return rows.union(orders.select("person_key", "at", name=ibis.literal(_ORDER)))


def _counted(at: Look, reached: ir.Table, steps: list[str], within_days: int) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    from lifecycle_kit.movement.durations import kaplan_meier
    from lifecycle_kit.stages.heard import seconds_between

    seconds = {f"s_{i}": seconds_between(reached[f"at_{i - 1}"], reached[f"at_{i}"]) for i in range(1, len(steps))}
    made = {f"n_{i}": reached[f"at_{i}"].count() for i in range(len(steps))}
    made |= {f"m_{i}": seconds[f"s_{i}"].median().cast("float64") for i in range(1, len(steps))}
    told = at.scratch.fetch(reached.aggregate(**made)).iloc[0]
    rows = []
    for i, step in enumerate(steps):
        n = int(told[f"n_{i}"])
        before = int(told[f"n_{max(i - 1, 0)}"])
        low, high = wilson(n, before) if before else (np.nan, np.nan)
        half = np.nan
        if i and before:
            # who never came had until the limit, which counts from the first step: the later here, the less time
            left = within_days * 86_400 - seconds_between(reached.at_0, reached[f"at_{i - 1}"])
            came = reached[f"at_{i}"].notnull()
            waited = reached.mutate(came=came, hours=(came.ifelse(seconds[f"s_{i}"], left) // 3600).cast("int64"))
            there = waited.filter(waited[f"at_{i - 1}"].notnull())
            waits = at.scratch.fetch(
                there.group_by("hours").aggregate(n_came=there.came.cast("int64").sum(), n=there.count())
            )
            came_by = waits["n_came"].to_numpy(dtype="int64")
            curve = kaplan_meier(waits["hours"].to_numpy(dtype="int64"), came_by, waits["n"].to_numpy() - came_by)
            by_half = curve.quantile()
            half = np.nan if by_half is None else float(by_half)
        rows.append(
            {
                "step": step,
                "n_people": n,
                "share_of_first": n / told["n_0"] if told["n_0"] else np.nan,
                "share_of_previous": n / before if before else np.nan,
                "lo": low,
                "hi": high,
                "median_hours": float(told[f"m_{i}"]) / 3600 if i and n else np.nan,
                "hours_by_half": half,
            }
        )
    return pd.DataFrame(rows)
