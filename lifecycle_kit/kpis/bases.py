"""A base at each period's start, and what becomes of it: who lapses, whose contract ends, who does something.

Each order (or contract) holds a person in the base for a stretch of days. One count of stretches by the first and
last period start that they cover gives every period's base at once: nobody is looked at once per period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np

from lifecycle_kit.kpis.declared import KPI, ORDER, Base
from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.kpis.people import sliced
from lifecycle_kit.kpis.rows import belongs, touches
from lifecycle_kit.kpis.sums import Cell, Reading, cells, null
from lifecycle_kit.stages.heard import touchpoints

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.kpis.question import Question, Shared

__all__ = ["base_readings"]


def base_readings(question: Question, kpis: Iterable[KPI], shared: Shared) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI whose measure is a `Base`; one query per base, and one per thing done in it."""
    by_base: dict[tuple[object, ...], list[KPI]] = {}
    for kpi in kpis:
        assert isinstance(kpi.measure, Base)
        by_base.setdefault((kpi.measure.kind, kpi.measure.of, kpi.measure.days), []).append(kpi)
    for alike in by_base.values():
        yield from _readings(question, alike, shared)


def _readings(question: Question, kpis: list[KPI], shared: Shared) -> Iterator[tuple[KPI, Cell, Reading]]:
    base = kpis[0].measure
    assert isinstance(base, Base)
    # whose stage changes from period to period is in no slice of a base; everybody's is told
    n_periods, has_slices = len(question.periods), question.dimension not in (None, "stage")
    refused = _refused(question, base)
    if refused:
        for kpi in kpis:
            for period in range(n_periods):
                yield kpi, Cell(period), null(refused)
        return
    rows = sliced(_stretches(question, base, shared), shared.people, None)
    if any(isinstance(kpi.measure, Base) and kpi.measure.gives != ("ended",) for kpi in kpis):
        rows = question.scratch.store("base", rows)  # asked more than once
    counted = rows.group_by("slice", "covers_from", "covers_to", "ends_in").aggregate(n=rows.count())
    bases, ended = _add_up(question.scratch.fetch(counted), n_periods)
    at_start = dict(cells(bases, n_periods, has_slices))
    for kpi in kpis:
        assert isinstance(kpi.measure, Base)
        done = ended if kpi.measure.gives == ("ended",) else _doing(question, kpi.measure, rows)
        did = dict(cells(done, n_periods, has_slices))
        for cell, there in at_start.items():
            n_base, n_done = int(there["n"].sum()), int(did[cell]["n"].sum()) if cell in did else 0
            if n_base == 0:
                yield kpi, cell, null("nobody in the base when the period began", n_den=0.0)
                continue
            low, high = wilson(n_done, n_base)
            yield kpi, cell, Reading(n_done / n_base, low, high, float(n_done), float(n_base), 1.0)


def _refused(question: Question, base: Base) -> str | None:
    longest = question.periods.longest_days
    if base.kind == "active" and longest > base.days:
        return f"a period of {longest:,} days is longer than the {base.days:,} days after which one counts as inactive"
    return None


def _stretches(question: Question, base: Base, shared: Shared) -> ir.Table:
    """One row per stretch: person_key, period (its first), covers_from, covers_to, ends_in (null: not known to end)."""
    periods, known = question.periods, ibis.literal(question.known, "date")
    nothing = ibis.null("date")
    if base.kind == "active":
        days = _active_days(question, base, shared)
        order = ibis.window(group_by="person_key", order_by="day")
        told = days.mutate(following=days.day.lead().over(order))
        # the last day of silence: at its close the touchpoint no longer counts, as in a stage model's window
        silent = told.mutate(out_on=(told.day + ibis.interval(days=base.days)).cast("date"))
        is_out = (silent.following.isnull() | (silent.following > silent.out_on)) & (silent.out_on <= known)
        rows = silent.select(
            "person_key",
            "day",
            covered=ibis.least(ibis.coalesce(silent.following, silent.out_on), silent.out_on),
            ended_on=is_out.ifelse(silent.out_on, nothing),
        )
    else:
        opened, closed = base.of
        log = touchpoints(question.view)
        told = log.filter(log.event.isin(base.of))
        per_contract = told.group_by("person_key", "order_id").aggregate(
            day=told.business_day.min(where=told.event == opened),
            ended_on=told.business_day.min(where=told.event == closed),
        )
        begun = per_contract.filter(per_contract.day.notnull())
        rows = begun.select("person_key", "day", "ended_on", covered=ibis.coalesce(begun.ended_on, known))
    first, last = ibis.literal(periods.starts[0], "date"), ibis.literal(periods.ends[-1], "date")
    rows = rows.filter((rows.day <= last) & (rows.covered >= first))
    covers_from = (rows.day < first).ifelse(0, periods.number(ibis.greatest(rows.day, first)) + 1)
    covered = ibis.least(rows.covered, last)
    return rows.select(
        "person_key",
        period=ibis.literal(0, "int64"),
        covers_from=covers_from.cast("int64"),
        covers_to=periods.number(covered).cast("int64"),
        ends_in=(rows.ended_on.between(first, last)).ifelse(periods.number(rows.ended_on), ibis.null("int64")),
    )


def _active_days(question: Question, base: Base, shared: Shared) -> ir.Table:
    if base.of == ORDER:
        # of two orders of one day the first covers no period's start: it need not be looked for
        return shared.standing.select("person_key", "day")
    told = touches(question.view, [base.of])
    assert told is not None
    return told.filter(belongs(told, base.of)).select("person_key", "day").distinct()


def _add_up(counted: pd.DataFrame, n_periods: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """From stretches to the base at each period's start, and how many of it ended in the period."""
    import pandas as pd

    bases, ended = [], []
    for name, rows in counted.groupby("slice"):
        covers = rows[rows["covers_from"] <= rows["covers_to"]]
        steps = np.zeros(n_periods + 1)
        np.add.at(steps, covers["covers_from"].to_numpy(), covers["n"].to_numpy())
        np.add.at(steps, covers["covers_to"].to_numpy() + 1, -covers["n"].to_numpy())
        bases.append(pd.DataFrame({"period": range(n_periods), "slice": name, "n": np.cumsum(steps)[:-1]}))
        out = covers[covers["ends_in"].notna()]
        # the stretch that ends in a period was in its base when it covers the period's start
        out = out[out["ends_in"] <= out["covers_to"]]
        per_period = out.groupby("ends_in")["n"].sum()
        ended.append(pd.DataFrame({"period": per_period.index.astype(int), "slice": name, "n": per_period.to_numpy()}))
    empty = pd.DataFrame({"period": pd.Series(dtype=int), "slice": pd.Series(dtype=str), "n": pd.Series(dtype=float)})
    return pd.concat([empty, *bases], ignore_index=True), pd.concat([empty, *ended], ignore_index=True)


def _doing(question: Question, base: Base, stretches: ir.Table) -> pd.DataFrame:
    """How many people of each period's base did the thing in the period."""
    told = touches(question.view, [base.gives])
    assert told is not None
    rows = told.filter(belongs(told, base.gives) & question.periods.asked(told.day))
    did = rows.select("person_key", did_in=question.periods.number(rows.day)).distinct()
    met = stretches.join(did, "person_key")
    met = met.filter((met.covers_from <= met.did_in) & (met.did_in <= met.covers_to))
    found = met.group_by("slice", period=met.did_in).aggregate(n=met.person_key.nunique())
    return question.scratch.fetch(found)[["period", "slice", "n"]]
