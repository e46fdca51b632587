"""How many people were in each status on many days, and who had gone where from one day to the next: one pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import closing_instant, day_of, parse_as_of
from lifecycle_kit.errors import UsageError
from lifecycle_kit.stages.model import ENTRY, StageModel
from lifecycle_kit.stages.moment import Moment

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.history import History
    from lifecycle_kit.stages.moment import AsOf

__all__ = ["Occupancy", "add_up", "in_order_of_time", "month_ends", "occupancy"]


@dataclass(frozen=True, eq=False, repr=False)
class Occupancy:
    """People per status on a row of days, and from each day to the next.

    Attributes
    ----------
    counts : pandas.DataFrame
        One row per day and status: day, stage, status, rank, n_people.
    moves : pandas.DataFrame
        One row per day but the first, status on the day before and status on the day: since, until, from_status
        ("(new)" for people who were not in the lifecycle yet), to_status, n_people. Whoever stayed is in it too;
        what happened between two days is not.
    model : StageModel
        The map.
    moment : Moment
        Up to when.
    """

    counts: pd.DataFrame
    moves: pd.DataFrame
    model: StageModel
    moment: Moment

    def __repr__(self) -> str:
        return f"Occupancy({self.counts['day'].nunique():,} days; {self.moment.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the counts, one row per day and status."""
        return self.counts.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def wide(self) -> pd.DataFrame:
        """One row per day, one column per status in the model's order."""
        order = self.counts.drop_duplicates("status").sort_values("rank")["status"].tolist()
        return self.counts.pivot(index="day", columns="status", values="n_people")[order]

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the people per status over time: a panel per stage, its statuses stacked."""
        import pandas as pd

        from lifecycle_kit.plots.stages import plot_occupancy

        # an instant beside days: one kind of time on the axis
        days = [day.replace(tzinfo=None) if isinstance(day, dt.datetime) else day for day in self.counts["day"]]
        counts = self.counts.assign(day=pd.to_datetime(days))
        return plot_occupancy(counts, source=self.moment.source, labels=self.model.labels, ax=ax)


def occupancy(history: History, days: Iterable[AsOf] | None = None) -> Occupancy:
    """Count people per status at the close of each of `days` (default: every month end of the history).

    Raises
    ------
    UsageError
        When a day lies after the history's end, or there is none.
    """
    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.stays import stay_query

    chosen, instants = in_order_of_time(history.dataset, history.moment, days)
    stays = fetch(stay_query(history.spells, instants), history.dataset.engine).to_pandas()
    return add_up(stays, chosen, history.model, history.moment)


def month_ends(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the last day of every month from `first` to `last`, and `last` itself."""
    days, month = [], first.replace(day=1)
    while month <= last:
        following = (month + dt.timedelta(days=32)).replace(day=1)
        days.append(min(following - dt.timedelta(days=1), last))
        month = following
    return days


def in_order_of_time(
    dataset: Dataset, moment: Moment, days: Iterable[AsOf] | None
) -> tuple[list[dt.date | dt.datetime], list[dt.datetime]]:
    """Return the days in order, each once, and the instants at which they close."""
    if days is None:
        assert dataset.first_at is not None
        days = month_ends(day_of(dataset.first_at, dataset.timezone), moment.day)
        days = [*days[:-1], moment.as_of]
    closing = {closing_instant(day, dataset.timezone): day for day in map(parse_as_of, days)}
    if not closing:
        raise UsageError("No day is given.", fix="Give at least one, or leave days out for every month end.")
    if max(closing) > moment.instant:
        raise UsageError(f"Days must lie at or before the history's end, {moment.as_of}.", fix="Give earlier days.")
    instants = sorted(closing)
    return [closing[instant] for instant in instants], instants


def add_up(stays: pd.DataFrame, days: list[dt.date | dt.datetime], model: StageModel, moment: Moment) -> Occupancy:
    """Add stays up: on each day, and across each pair of days."""
    import numpy as np
    import pandas as pd

    statuses = model.to_frame()[["stage", "status", "rank"]]
    place = {rank: number for number, rank in enumerate(statuses["rank"])}
    n_days, n_statuses = len(days), len(place)
    on = stays["rank"].map(place).to_numpy()
    first, stop, people = (stays[column].to_numpy() for column in ("first", "stop", "n_people"))
    # what begins, less what has ended, added up over the days
    change = np.zeros((n_days + 1, n_statuses), np.int64)
    np.add.at(change, (first, on), people)
    np.add.at(change, (stop, on), -people)
    present = change.cumsum(axis=0)[:n_days]
    # whoever stands somewhere on the day and did not come there since the day before has stayed
    moves = np.zeros((n_days, n_statuses + 1, n_statuses), np.int64)  # the last origin: nowhere
    goes = stays["next_rank"].to_numpy() >= 0
    to = stays["next_rank"].map(place)[goes].astype("int64").to_numpy()
    np.add.at(moves, (stop[goes], on[goes], to), people[goes])
    enters = stays["is_entry"].to_numpy(bool)
    np.add.at(moves, (first[enters], n_statuses, on[enters]), people[enters])
    arrived = moves.sum(axis=1)
    moves[:, range(n_statuses), range(n_statuses)] += present - arrived

    counts = pd.DataFrame(
        {
            "day": np.repeat(np.array(days, dtype=object), n_statuses),
            **{name: np.tile(statuses[name].to_numpy(), n_days) for name in ("stage", "status", "rank")},
            "n_people": present.ravel(),
        }
    )
    is_used = (counts["rank"] > 0) | np.tile(present.any(axis=0), n_days)
    names = np.array([*statuses["status"], ENTRY], dtype=object)
    at, origin, target = np.nonzero(moves[1:])
    told = pd.DataFrame(
        {
            "since": [days[i] for i in at],
            "until": [days[i + 1] for i in at],
            "from_status": pd.Series(names[origin], dtype="str"),
            "to_status": pd.Series(names[target], dtype="str"),
            "n_people": moves[1:][at, origin, target],
        }
    )
    text = {"stage": "str", "status": "str"}
    return Occupancy(counts[is_used].astype(text).reset_index(drop=True), told, model, moment)
