"""Journeys for other tools: the columns that retentioneering and pm4py read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal

from lifecycle_kit.errors import UnknownNameError
from lifecycle_kit.journeys.declared import JourneyRules

if TYPE_CHECKING:
    import pyarrow as pa

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["FORMATS", "event_log"]

# names of the columns for person, journey, step and time, in each tool's words
FORMATS = {
    "retentioneering": ("user_id", "session_id", "event", "timestamp"),
    "pm4py": ("person", "case:concept:name", "concept:name", "time:timestamp"),
}


def event_log(
    dataset: Dataset,
    rules: JourneyRules | None = None,
    *,
    format: Literal["retentioneering", "pm4py"] = "retentioneering",
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
) -> pa.Table:
    """Return steps and conversions as an event log, one row each, in order; times are UTC.

    A journey is a session to retentioneering and a case to pm4py; a conversion is an event called ``converted``.

    Parameters
    ----------
    dataset, rules, since, until, as_of
        As in `paths`.
    format : {"retentioneering", "pm4py"}
        Whose columns.

    Raises
    ------
    UnknownNameError
        When it is neither.
    """
    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.journeys.looked_at import look
    from lifecycle_kit.journeys.steps import journeys_of, marked
    from lifecycle_kit.stages.heard import people

    if format not in FORMATS:
        raise UnknownNameError("format", str(format), FORMATS)
    rules = rules or JourneyRules()
    with look(dataset, since, until, as_of) as at:
        rows = at.scratch.store("marked", marked(rules, at.view))
        journeys = journeys_of(rules, rows, at.view)
        chosen = rows.semi_join(journeys.filter(at.begins_in_period(journeys.began_at)), ["person_key", "journey"])
        told = chosen.join(people(at.view), "person_key")
        number = told.person_id + "/" + (told.journey + 1).cast("string")
        named = told.select("person_key", "person_id", "name", "at", "journey", "position", case=number)
        in_order = named.order_by("person_id", "person_key", "journey", "position").select(
            "person_id", "case", "name", "at"
        )
        return fetch(in_order, dataset.engine).rename_columns(list(FORMATS[format]))
