"""Days until something happens: a quantile of the Kaplan-Meier curve, people who still wait being censored.

The mean over those who did it would be too short: who waits long is not in it yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from lifecycle_kit.kpis.declared import KPI, TimeTo
from lifecycle_kit.kpis.followed import next_column
from lifecycle_kit.kpis.periods import days_between
from lifecycle_kit.kpis.sums import Cell, Reading, cells, null
from lifecycle_kit.movement.durations import kaplan_meier

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.kpis.question import Question

__all__ = ["time_readings"]


def time_readings(question: Question, kpis: Iterable[KPI], rows: ir.Table) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI whose measure is a `TimeTo` of one anchor; `rows` as `followed_rows` gives them, with slice."""
    for kpi in kpis:
        assert isinstance(kpi.measure, TimeTo)
        met_on = rows[next_column(kpi.measure.target)]
        over = ibis.coalesce(met_on, ibis.literal(question.known, "date"))
        waited = rows.mutate(days=days_between(rows.day, over), is_met=met_on.notnull())
        counts = waited.group_by("period", "slice", "days").aggregate(
            n_met=waited.is_met.cast("int64").sum(), n_waiting=(~waited.is_met).cast("int64").sum()
        )
        found = question.scratch.fetch(counts)
        for cell, there in cells(found, len(question.periods), question.dimension is not None, ("days",)):
            yield kpi, cell, _reading(kpi.measure, there)


def _reading(measure: TimeTo, counts: pd.DataFrame) -> Reading:
    n_met, n_waiting = int(counts["n_met"].sum()), int(counts["n_waiting"].sum())
    if n_met + n_waiting == 0:
        return null("nobody to follow from this period", n_den=0.0)
    curve = kaplan_meier(*(counts[name].to_numpy() for name in ("days", "n_met", "n_waiting")))
    known: dict[str, Any] = {"n_num": float(n_met), "n_den": float(n_met + n_waiting), "mature_share": 1.0}
    value = curve.quantile(measure.quantile)
    if value is None:
        reached = 1 - float(curve.survival[-1])
        return null(
            f"only {reached:.0%} by day {int(counts['days'].max()):,}: {measure.quantile:.0%} is not reached", **known
        )
    low, high = curve.quantile_interval(measure.quantile)
    return Reading(value, low, float("inf") if high is None else high, **known)
