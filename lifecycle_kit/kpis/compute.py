"""Compute KPIs: what they need is looked up, read once, and shared by all that ask for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.calendar import closing_instant
from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.kpis.asked import RUN_IN_DAYS, check_run_in, days_asked
from lifecycle_kit.kpis.catalogue_file import load_catalogue
from lifecycle_kit.kpis.declared import (
    KPI,
    ORDER,
    Base,
    Catalogue,
    Followed,
    Ratio,
    Score,
    StageTime,
    TimeTo,
    Worth,
)
from lifecycle_kit.kpis.needs import Needs, contents_of, lacking, needs_of
from lifecycle_kit.kpis.periods import By, Periods, make_periods
from lifecycle_kit.kpis.question import DIMENSIONS, Dimension, Question, Shared
from lifecycle_kit.kpis.sums import Cell, Reading, null
from lifecycle_kit.kpis.values import VALUE_COLUMNS, KPIValues

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.model import StageModel

__all__ = ["compute_kpis"]

Told = tuple[KPI, Cell, Reading]


def compute_kpis(
    dataset: Dataset,
    names: str | Iterable[str] | None = None,
    *,
    catalogue: Catalogue | str | Path | None = None,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    by: By | None = None,
    as_of: str | dt.date | None = None,
    dimension: Dimension | None = None,
    model: StageModel | None = None,
    week_start: str = "monday",
    run_in_days: int = RUN_IN_DAYS,
) -> KPIValues:
    """Compute KPIs per period, for everybody and for every slice, in one pass per kind of question.

    Parameters
    ----------
    dataset : Dataset
        The shop's log.
    names : str or iterable of str, optional
        Ids of KPIs. Default: all of the catalogue.
    catalogue : Catalogue, path, optional
        A company's own catalogue. Default: the one that ships.
    since, until : str or date, optional
        First and last business day, both included. Default: the 365 days up to `until`, which is `as_of` by default.
    by : {"day", "week", "month", "quarter", "year"}, optional
        One row per such period; the outer two are cut, and marked partial. Default: one row for the whole.
    as_of : str or date, optional
        What happened later is not known yet. Default: the log's last day.
    dimension : {"channel", "country", "cohort", "stage"}, optional
        What slices tell apart. The channel is the one that brought the person, the cohort the month of the first
        order, the stage the one the person was in when the period began (needs `model`).
    model : StageModel, optional
        The company's map, for KPIs of its stages and the dimension stage.
    week_start : str, default "monday"
    run_in_days : int, default 30
        So many days after the log's first one, what depends on somebody being new is marked left-censored. 0 for a
        shop whose log begins with its opening.

    Returns
    -------
    KPIValues

    Raises
    ------
    UsageError
        When the period is empty or ends after `as_of`, or an option is not one of the allowed.
    UnknownNameError
        When a KPI is not in the catalogue.
    DataError
        When the log is empty.
    """
    chosen = catalogue if isinstance(catalogue, Catalogue) else load_catalogue(catalogue)
    if names is not None:
        chosen = chosen.only([names] if isinstance(names, str) else names)
    first, last, known = days_asked(dataset, since, until, as_of)
    periods = make_periods(first, last, by, week_start)
    if dimension is not None and dimension not in DIMENSIONS:
        raise UnknownNameError("dimension", str(dimension), DIMENSIONS)
    if dimension == "stage" and model is None:
        raise UsageError("The dimension stage needs a stage model.", fix="Give model=load_model(...).")
    check_run_in(run_in_days)
    contents = contents_of(dataset)
    needs = {kpi: needs_of(kpi) for kpi in chosen}
    reasons = {kpi: lacking(needs[kpi], dataset, contents, model is not None) for kpi in chosen}
    able = [kpi for kpi in chosen if reasons[kpi] is None]
    question = _question(dataset, known, periods, dimension, model, any(needs[kpi].stages for kpi in able))
    has_cancellations = "order_cancelled" in contents.events
    told: list[Told] = [
        (kpi, Cell(period), null(reason))
        for kpi, reason in reasons.items()
        if reason is not None
        for period in range(len(periods))
    ]
    with question.scratch:
        told += _readings(
            question, able, reduce(lambda a, b: a | b, (needs[kpi] for kpi in able), Needs()), has_cancellations
        )
    rows = [_row(question, run_in_days, *each) for each in told]
    stages = [] if model is None else [stage.id for stage in sorted(model.stages, key=lambda stage: stage.rank)]
    return KPIValues(_frame(rows, chosen, stages), chosen, f"{dataset.name}, as of {known}")


def _question(
    dataset: Dataset,
    known: dt.date,
    periods: Periods,
    dimension: Dimension | None,
    model: StageModel | None,
    needs_stages: bool,
) -> Question:
    from lifecycle_kit.stages.heard import View
    from lifecycle_kit.stages.history import history

    view = View(closing_instant(known, dataset.timezone))
    asked = model is not None and (needs_stages or dimension == "stage")
    past = history(dataset, model, known) if asked and model is not None else None
    return Question(dataset, view, known, periods, dimension, past)


def _readings(question: Question, kpis: list[KPI], needs: Needs, has_cancellations: bool) -> Iterator[Told]:
    """Store what is shared, then let each shape of measure do its pass."""
    from lifecycle_kit.kpis.bases import base_readings
    from lifecycle_kit.kpis.daily import daily_readings
    from lifecycle_kit.kpis.ratios import ratio_readings
    from lifecycle_kit.kpis.scores import score_readings
    from lifecycle_kit.kpis.stagewise import stage_readings
    from lifecycle_kit.kpis.worth import worth_readings

    if not kpis:
        return
    shared = _shared(question, kpis, needs, has_cancellations)
    passes = (
        (lambda kpi: kpi.interval == "delta_by_day", daily_readings),
        (lambda kpi: isinstance(kpi.measure, Ratio) and kpi.interval != "delta_by_day", ratio_readings),
        (lambda kpi: isinstance(kpi.measure, Followed | TimeTo), _followed),
        (lambda kpi: isinstance(kpi.measure, Base), base_readings),
        (lambda kpi: isinstance(kpi.measure, Score), score_readings),
        (lambda kpi: isinstance(kpi.measure, Worth), worth_readings),
        (lambda kpi: isinstance(kpi.measure, StageTime), stage_readings),
    )
    for is_of_it, readings in passes:
        chosen = [kpi for kpi in kpis if is_of_it(kpi)]
        if chosen:
            yield from readings(question, chosen, shared)


def _shared(question: Question, kpis: list[KPI], needs: Needs, has_cancellations: bool) -> Shared:
    from lifecycle_kit.kpis.people import people_table, stage_table
    from lifecycle_kit.kpis.rows import standing_orders
    from lifecycle_kit.kpis.spend import spending

    orders = None
    if ORDER in needs.events or question.dimension == "cohort":
        with_ids = any(isinstance(kpi.measure, Followed) and kpi.measure.same_order for kpi in kpis)
        told = standing_orders(question.view, has_cancellations=has_cancellations, with_ids=with_ids)
        orders = question.scratch.store("orders", told)
    people = people_table(question, orders, needs.firsts, with_channel=needs.channel)
    return Shared(
        question.scratch.store("people", people),
        orders,
        question.scratch.store("stages", stage_table(question)) if question.dimension == "stage" else None,
        spending(question) if needs.spending else None,
    )


def _followed(question: Question, kpis: list[KPI], shared: Shared) -> Iterator[Told]:
    """One pass per anchor, shared by the shares and the times that begin there."""
    from lifecycle_kit.kpis.followed import followed_rows
    from lifecycle_kit.kpis.people import sliced
    from lifecycle_kit.kpis.shares import share_readings
    from lifecycle_kit.kpis.times import time_readings

    by_anchor: dict[Any, list[KPI]] = {}
    for kpi in kpis:
        assert isinstance(kpi.measure, Followed | TimeTo)
        by_anchor.setdefault(kpi.measure.anchor, []).append(kpi)
    for anchor, alike in by_anchor.items():
        measures = [kpi.measure for kpi in alike if isinstance(kpi.measure, Followed | TimeTo)]
        rows = followed_rows(question, anchor, measures, shared)
        rows = question.scratch.store("followed", sliced(rows, shared.people, shared.stages))
        shares = [kpi for kpi in alike if isinstance(kpi.measure, Followed)]
        times = [kpi for kpi in alike if isinstance(kpi.measure, TimeTo)]
        if shares:
            yield from share_readings(question, shares, rows)
        if times:
            yield from time_readings(question, times, rows)


def _row(question: Question, run_in_days: int, kpi: KPI, cell: Cell, reading: Reading) -> dict[str, Any]:
    periods, stage = question.periods, cell.stage
    label = kpi.label
    if stage is not None:
        assert question.history is not None
        label = f"{label}: {question.history.model.labels[stage]}"
    return {
        "kpi": kpi.id if stage is None else f"{kpi.id}.{stage}",
        "stage": kpi.stage if stage is None else stage,
        "label": label,
        "unit": kpi.unit,
        "better_when": kpi.better_when,
        "period_start": periods.starts[cell.period],
        "period_end": periods.ends[cell.period],
        "dimension": question.dimension,
        "slice": cell.slice,
        **vars(_within_log(question, cell, reading)),
        "method": kpi.interval,
        "definition_hash": kpi.definition_hash,
        "mark": _mark(question, run_in_days, kpi, cell.period),
    }


def _within_log(question: Question, cell: Cell, reading: Reading) -> Reading:
    """Nothing is known of a period before the log: not even that nothing happened.

    After its last touchpoint, and up to the as-of day, nothing happened: that is what an as-of day says.
    """
    days = question.dataset.days
    assert days is not None
    if reading.value is not None and question.periods.ends[cell.period] < days[0]:
        return null("no day of the period lies within the log")
    return reading


def _mark(question: Question, run_in_days: int, kpi: KPI, period: int) -> str | None:
    days = question.dataset.days
    assert days is not None
    start, end = question.periods.starts[period], question.periods.ends[period]
    # a base is whole only once the log is as old as the days it looks back on
    looks_back = kpi.measure.days if isinstance(kpi.measure, Base) else 0
    begins = days[0] + dt.timedelta(days=max(run_in_days, looks_back))
    marks = ["left-censored"] if _needs_a_past(kpi) and start < begins and run_in_days else []
    if not question.periods.whole[period] or start < days[0] or end > days[1]:
        marks.append("partial")
    return ", ".join(marks) or None


def _needs_a_past(kpi: KPI) -> bool:
    """Whether a value depends on what people did before the period: there the log's beginning misleads."""
    measure = kpi.measure
    if isinstance(measure, Ratio):
        sides = [side for side in (measure.numerator, measure.denominator) if side is not None]
        return any(side.kind in ("first", "flow") for side in sides)
    if isinstance(measure, Followed | TimeTo):
        return measure.anchor.kind == "first"
    return not isinstance(measure, Score)


def _frame(rows: list[dict[str, Any]], catalogue: Catalogue, stages: list[str]) -> pd.DataFrame:
    """Rows in the catalogue's order; of a KPI, everybody first, then the slices, each by time."""
    import pandas as pd

    order = {kpi.id: (i, 0) for i, kpi in enumerate(catalogue)}
    order |= {f"{kpi.id}.{stage}": (order[kpi.id][0], j + 1) for kpi in catalogue for j, stage in enumerate(stages)}
    rows.sort(key=lambda row: (order[row["kpi"]], row["slice"] is not None, row["slice"] or "", row["period_start"]))
    numbers = ["value", "lo", "hi", "n_num", "n_den", "mature_share"]
    texts = [c for c in VALUE_COLUMNS if c not in (*numbers, "period_start", "period_end")]
    frame = pd.DataFrame(rows, columns=list(VALUE_COLUMNS))
    return frame.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(texts, "str"))
