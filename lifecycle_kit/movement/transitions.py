"""Who moved from which status to which, between two days; and the balance that must close."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import closing_instant, parse_as_of
from lifecycle_kit.errors import UsageError
from lifecycle_kit.stages.model import ENTRY

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.stages.history import History
    from lifecycle_kit.stages.moment import AsOf

__all__ = ["Transitions", "transitions"]


@dataclass(frozen=True, eq=False, repr=False)
class Transitions:
    """The moves of one period: after the close of `since`, up to the close of `until`.

    Attributes
    ----------
    since, until : date or datetime
        The period, open at `since` and closed at `until`.
    counts : pandas.DataFrame
        One row per from_status and to_status with at least one move: from_status ("(new)" for people
        who come into the lifecycle), to_status, n_moves, n_people.
    balance : pandas.DataFrame
        One row per status: status, stage, kind, opening, n_in, n_out, closing. Opening and closing are people,
        n_in and n_out are moves; opening + n_in - n_out = closing.
    history : History
        Whose moves they are.
    """

    since: dt.date | dt.datetime
    until: dt.date | dt.datetime
    counts: pd.DataFrame
    balance: pd.DataFrame
    history: History

    def __repr__(self) -> str:
        n_moves = int(self.counts["n_moves"].sum())
        return f"Transitions({n_moves:,} moves, {self.since} to {self.until}; {self.history.moment.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the counts: one row per from_status and to_status."""
        return self.counts.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the lifecycle: stages in order, statuses by size, the period's flows between them."""
        from lifecycle_kit.plots.lifecycle import plot_lifecycle

        return plot_lifecycle(
            self.balance,
            self.counts,
            since=str(self.since),
            until=str(self.until),
            source=self.history.moment.source,
            labels=self.history.model.labels,
            ax=ax,
        )


def transitions(history: History, since: AsOf, until: AsOf | None = None) -> Transitions:
    """Count the moves between the close of `since` and the close of `until` (default: the history's end).

    Raises
    ------
    UsageError
        When the period is empty, or reaches beyond the history.
    """
    import ibis

    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.placing import with_names
    from lifecycle_kit.stages.spells import lasts_at

    start, end = parse_as_of(since), history.moment.as_of if until is None else parse_as_of(until)
    timezone, engine = history.dataset.timezone, history.dataset.engine
    start_instant, end_instant = closing_instant(start, timezone), closing_instant(end, timezone)
    if not start_instant < end_instant <= history.moment.instant:
        raise UsageError(
            f"The period from {start} to {end} does not fit into a history that ends at {history.moment.as_of}.",
            fix="Give a since before until, and an until not after the history's end.",
        )
    spells = history.spells
    opened = ibis.literal(start_instant, "timestamp")
    closed = ibis.literal(end_instant, "timestamp")
    moved = spells.filter((spells.valid_from > opened) & (spells.valid_from <= closed))
    edges = moved.group_by("came_from_rank", "rank").aggregate(
        n_moves=moved.count(), n_people=moved.person_key.nunique()
    )
    edges = with_names(history.model, edges, "came_from_rank", "from_status")
    edges = with_names(history.model, edges, "rank", "to_status").order_by("came_from_rank", "rank")
    counts = fetch(edges, engine).to_pandas()
    counts["from_status"] = counts["from_status"].fillna(ENTRY)

    ends = spells.valid_to.notnull() & (spells.valid_to > opened) & (spells.valid_to <= closed)
    starts = (spells.valid_from > opened) & (spells.valid_from <= closed)
    sums = spells.group_by("rank").aggregate(
        opening=lasts_at(spells, start_instant).cast("int64").sum(),
        n_in=starts.cast("int64").sum(),
        n_out=ends.cast("int64").sum(),
        closing=lasts_at(spells, end_instant).cast("int64").sum(),
    )
    found = fetch(sums, engine).to_pandas()
    balance = history.model.to_frame()[["status", "stage", "kind", "rank"]].merge(found, on="rank", how="left")
    numbers = ["opening", "n_in", "n_out", "closing"]
    balance[numbers] = balance[numbers].fillna(0).astype("int64")
    balance = balance[(balance["rank"] > 0) | (balance[numbers].sum(axis=1) > 0)]
    columns = ["from_status", "to_status", "n_moves", "n_people"]
    return Transitions(start, end, counts[columns], balance.drop(columns="rank").reset_index(drop=True), history)
