"""Time in the company's stages: how many who enter a stage move on, and how long they stay.

Moving on competes with falling back: people who went back did not leave the question open, and are no slow movers.
Who is still there is censored. Days are whole days of 24 hours by the clock in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from lifecycle_kit.calendar import closing_instant
from lifecycle_kit.kpis.declared import KPI, StageTime
from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.kpis.people import sliced
from lifecycle_kit.kpis.sums import Cell, Reading, cells, null
from lifecycle_kit.movement.durations import aalen_johansen, kaplan_meier
from lifecycle_kit.stages.heard import seconds_between
from lifecycle_kit.stages.stays import n_before

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.kpis.question import Question, Shared

__all__ = ["stage_readings"]

_ON, _BACK, _STILL = "on", "back", ""
_DAY = 86_400  # seconds


def stage_readings(question: Question, kpis: Iterable[KPI], shared: Shared) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI whose measure is a `StageTime`, once per stage of the model."""
    kpis = list(kpis)
    assert question.history is not None
    rows = sliced(_stays(question), shared.people, shared.stages)
    counts = question.scratch.fetch(
        rows.group_by("period", "slice", "stage", "days", "outcome").aggregate(n=rows.count())
    )
    for stage in question.history.model.stages:
        is_last = stage.id == max(question.history.model.stages, key=lambda s: s.rank).id
        of_stage = counts[counts["stage"] == stage.id].drop(columns="stage")
        keys = ("days", "outcome")
        for cell, there in cells(of_stage, len(question.periods), question.dimension is not None, keys):
            for kpi in kpis:
                assert isinstance(kpi.measure, StageTime)
                is_stuck = is_last and kpi.measure.gives == "moves_on"
                reading = null("there is no later stage") if is_stuck else _reading(kpi.measure, there)
                yield kpi, replace(cell, stage=stage.id), reading


def _stays(question: Question) -> ir.Table:
    """One row per stay in a stage: person_key, stage, period of its beginning, days, outcome."""
    history = question.history
    assert history is not None
    model, spells = history.model, history.spells
    place = {stage.id: i for i, stage in enumerate(sorted(model.stages, key=lambda s: s.rank))}
    placed = spells.mutate(
        place=spells["rank"].cases(*((s.rank, place[s.stage]) for s in model.by_rank), else_=-1).cast("int64")
    )
    in_time = ibis.window(group_by="person_key", order_by="valid_from")
    steps = placed.mutate(place_before=placed.place.lag().over(in_time))
    entered = steps.filter(steps.place_before.isnull() | (steps.place_before != steps.place))
    told = entered.mutate(
        left_at=entered.valid_from.lead().over(in_time), next_place=entered.place.lead().over(in_time)
    )
    told = told.filter(told.place >= 0)
    end = ibis.literal(question.view.as_of, "timestamp")
    over = ibis.coalesce(told.left_at, end)
    zone = question.dataset.timezone
    closes = [closing_instant(day, zone) for day in question.periods.ends]
    opens = ibis.literal(closing_instant(question.periods.starts[0] - dt.timedelta(days=1), zone), "timestamp")
    told = told.filter((told.valid_from > opens) & (told.valid_from <= ibis.literal(closes[-1], "timestamp")))
    period = n_before(told.valid_from, closes)
    outcome = ibis.cases((told.left_at.isnull(), _STILL), (told.next_place > told.place, _ON), else_=_BACK)
    whole = told.mutate(period=period, outcome=outcome, days=seconds_between(told.valid_from, over) // _DAY)
    return whole.select(
        "person_key", "period", "days", "outcome", stage=whole.place.cases(*((i, s) for s, i in place.items()))
    )


def _moved_on(measure: StageTime, counts: pd.DataFrame, n: int) -> Reading:
    n_on = int(counts.loc[counts["outcome"] == _ON, "n"].sum())
    is_seen = (counts["outcome"] != _STILL) | (counts["days"] >= measure.days - 1)
    n_seen = int(counts.loc[is_seen, "n"].sum())
    known: dict[str, Any] = {"n_num": float(n_on), "n_den": float(n), "mature_share": n_seen / n}
    if n_on == 0:
        if n_seen == 0:
            return null(f"nobody has been followed for {measure.days:,} days yet", **known)
        # the curve is flat: what is left is a share of those seen to the end
        return Reading(0.0, *wilson(0, n_seen), **known)
    found = aalen_johansen(*(counts[name].to_numpy() for name in ("days", "outcome", "n")))
    value, low, high = found.at(_ON, measure.days - 1)
    if value != value:
        return null(f"nobody has been followed for {measure.days:,} days yet", **known)
    return Reading(value, low, high, **known)


def _reading(measure: StageTime, counts: pd.DataFrame) -> Reading:
    n = int(counts["n"].sum())
    if n == 0:
        return null("nobody entered the stage", n_den=0.0)
    if measure.gives == "moves_on":
        return _moved_on(measure, counts, n)
    is_out = counts["outcome"] != _STILL
    out, still = counts["n"].where(is_out, 0), counts["n"].where(~is_out, 0)
    curve = kaplan_meier(counts["days"].to_numpy(), out.to_numpy(), still.to_numpy())
    known: dict[str, Any] = {"n_num": float(out.sum()), "n_den": float(n), "mature_share": 1.0}
    if measure.gives == "median":
        value = curve.quantile()
        if value is None:
            return null("more than half are still there", **known)
        low, high = curve.quantile_interval()
        return Reading(value, low, float("inf") if high is None else high, **known)
    value, low, high = curve.restricted_mean(measure.days)
    if value != value:
        return null(f"nobody has been followed for {measure.days:,} days yet", **known)
    return Reading(value, low, high, **known)
