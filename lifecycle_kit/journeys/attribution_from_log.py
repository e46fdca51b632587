"""Credit for conversions by channel, from the log: paths of channels, session by session, and what channels cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from lifecycle_kit.errors import UsageError
from lifecycle_kit.journeys.attribution import METHODS, Attribution, attribution_of
from lifecycle_kit.journeys.declared import JourneyRules

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.journeys.looked_at import Look

__all__ = ["attribution"]

_CHANNELS = JourneyRules(step="channel", per="session")


def attribution(
    dataset: Dataset,
    methods: str | Iterable[str] = METHODS,
    *,
    rules: JourneyRules = _CHANNELS,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
    order: int = 1,
    n_resamples: int = 200,
    seed: int = 0,
) -> Attribution:
    """Divide the credit for conversions among channels by rules. Not causal: a rule divides, it does not explain.

    Parameters
    ----------
    dataset : Dataset
    methods : str or iterable of str
        As in `attribution_of`. Default: all.
    rules : JourneyRules
        Default: the channels of sessions, ending with an order, lost after 30 silent days.
    since, until, as_of
        When a journey may begin; what is known. Journeys that are still open count for nothing.
    order, n_resamples, seed
        As in `attribution_of`.

    Raises
    ------
    UsageError
        When no journey has ended in the period, or as in `attribution_of`.
    """
    from lifecycle_kit.journeys.looked_at import look
    from lifecycle_kit.journeys.paths import paths

    told = paths(dataset, rules, since=since, until=until, as_of=as_of)
    found = told.counts
    ended = found[(found["n_converted"] + found["n_lost"] > 0) & (found["n_steps"] > 0)]
    if ended.empty:
        raise UsageError("No journey with a step has ended in this period.", fix="Ask for a longer one.")
    with look(dataset, since, until, as_of) as at:
        costs = _costs(at) if rules.step == "channel" else None
    counts = ended[["path", "n_converted", "n_lost"]].assign(value=ended["value"].where(ended["n_converted"] > 0))
    if counts["value"].isna().all():
        counts = counts.drop(columns="value")
    made = attribution_of(counts, methods, costs=costs, order=order, n_resamples=n_resamples, seed=seed)
    return replace(made, warnings=(*made.warnings, *_left_out(found)), source=told.source)


def _left_out(found: pd.DataFrame) -> list[str]:
    notes = []
    n_without = int(found.loc[found["n_steps"] == 0, "n_converted"].sum())
    if n_without:
        notes.append(f"{n_without:,} conversions had no step before them; no channel gets their credit.")
    n_open = int(found["n_open"].sum())
    if n_open:
        notes.append(f"{n_open:,} journeys are still open and count for nothing yet.")
    return notes


def _costs(at: Look) -> pd.DataFrame | None:
    """What channels cost in the period, in major units; None where the shop does not tell."""
    import ibis

    from lifecycle_kit.contract.tables import COSTS_SCHEMA

    costs = ibis.table(COSTS_SCHEMA, name="costs")
    rows = costs.filter(costs.date.between(ibis.literal(at.first, "date"), ibis.literal(at.last, "date")))
    found = at.scratch.fetch(rows.group_by("channel").aggregate(cost=rows.amount.sum()))
    return None if found.empty else found.assign(cost=found["cost"] / 100)
