"""Net promoter score: the last answer of each person in a period, promoters less detractors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from lifecycle_kit.contract.tables import LOG_SCHEMA, SURVEYS_SCHEMA
from lifecycle_kit.kpis.declared import KPI
from lifecycle_kit.kpis.intervals import nps
from lifecycle_kit.kpis.people import sliced
from lifecycle_kit.kpis.sums import Cell, Reading, cells, null

if TYPE_CHECKING:
    from lifecycle_kit.kpis.question import Question, Shared

__all__ = ["score_readings"]

# Reichheld (2003): 9 and 10 promote, 0 to 6 detract
_PROMOTES, _DETRACTS = 9, 6


def score_readings(question: Question, kpis: Iterable[KPI], shared: Shared) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI whose measure is a `Score`."""
    last = _last_answers(question)
    told = sliced(last, shared.people, shared.stages)
    found = question.scratch.fetch(
        told.group_by("period", "slice").aggregate(
            n=told.count(),
            n_promoters=(told.score >= _PROMOTES).sum(),
            n_detractors=(told.score <= _DETRACTS).sum(),
        )
    )
    for cell, there in cells(found, len(question.periods), question.dimension is not None):
        for kpi in kpis:
            n, n_promoters, n_detractors = (int(there[c].sum()) for c in ("n", "n_promoters", "n_detractors"))
            if n == 0:
                yield kpi, cell, null("nobody answered", n_den=0.0)
                continue
            value, low, high = nps(n_promoters, n - n_promoters - n_detractors, n_detractors)
            yield kpi, cell, Reading(value, low, high, float(n_promoters - n_detractors), float(n), 1.0)


def _last_answers(question: Question) -> ir.Table:
    """One row per person and period: person_key, period, score."""
    answers = ibis.table(SURVEYS_SCHEMA, name="surveys")
    # the log knows on which business day an answer fell
    log = ibis.table(LOG_SCHEMA, name="log")
    days = log.filter((log.event == "survey_answered") & (log.occurred_at <= question.view.as_of))
    days = days.select("person_key", at=days.occurred_at, day=days.business_day).distinct()
    dated = answers.join(days, ["person_key", "at"])
    asked = dated.filter(dated.score.notnull() & question.periods.asked(dated.day))
    numbered = asked.mutate(period=question.periods.number(asked.day))
    latest = ibis.window(group_by=["person_key", "period"], order_by=[ibis.desc("at"), "score"])
    placed = numbered.mutate(place=ibis.row_number().over(latest))
    return placed.filter(placed.place == 0).select("person_key", "period", "score")
