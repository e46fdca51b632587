"""How many people were in each status on many days: one pass over the spells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import closing_instant, day_of, parse_as_of
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from lifecycle_kit.stages.history import History
    from lifecycle_kit.stages.moment import AsOf

__all__ = ["Occupancy", "month_ends", "occupancy"]


@dataclass(frozen=True, eq=False, repr=False)
class Occupancy:
    """People per status on a row of days.

    Attributes
    ----------
    counts : pandas.DataFrame
        One row per day and status: day, stage, status, rank, n_people.
    history : History
        What was counted.
    """

    counts: pd.DataFrame
    history: History

    def __repr__(self) -> str:
        return f"Occupancy({self.counts['day'].nunique():,} days; {self.history.moment.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the counts, one row per day and status."""
        return self.counts.copy()

    def wide(self) -> pd.DataFrame:
        """One row per day, one column per status in the model's order."""
        order = self.counts.drop_duplicates("status").sort_values("rank")["status"].tolist()
        return self.counts.pivot(index="day", columns="status", values="n_people")[order]

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the people per status over time: a panel per stage, its statuses stacked."""
        import pandas as pd

        from lifecycle_kit.plots.stages import plot_occupancy

        made = self.history
        # an instant beside days: one kind of time on the axis
        days = [day.replace(tzinfo=None) if isinstance(day, dt.datetime) else day for day in self.counts["day"]]
        counts = self.counts.assign(day=pd.to_datetime(days))
        return plot_occupancy(counts, source=made.moment.source, labels=made.model.labels, ax=ax)


def occupancy(history: History, days: Iterable[AsOf] | None = None) -> Occupancy:
    """Count people per status at the close of each of `days` (default: every month end of the history).

    Raises
    ------
    UsageError
        When a day lies after the history's end, or there is none.
    """
    import pandas as pd

    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.spells import lasts_at

    dataset = history.dataset
    if days is None:
        assert dataset.first_at is not None
        days = month_ends(day_of(dataset.first_at, dataset.timezone), history.moment.day)
        days = [*days[:-1], history.moment.as_of]
    chosen = list(dict.fromkeys(parse_as_of(day) for day in days))
    instants = [closing_instant(day, dataset.timezone) for day in chosen]
    if not chosen:
        raise UsageError("No day is given.", fix="Give at least one, or leave days out for every month end.")
    if max(instants) > history.moment.instant:
        raise UsageError(
            f"Days must lie at or before the history's end, {history.moment.as_of}.", fix="Give earlier days."
        )
    spells = history.spells
    present = {f"n{i}": lasts_at(spells, instant).cast("int64").sum() for i, instant in enumerate(instants)}
    sums = spells.group_by("rank").aggregate(**present)
    found = fetch(sums, dataset.engine).to_pandas()
    wide = history.model.to_frame()[["stage", "status", "rank"]].merge(found, on="rank", how="left").fillna(0)
    wide = wide[(wide["rank"] > 0) | (wide[list(present)].sum(axis=1) > 0)]
    long = wide.melt(["stage", "status", "rank"], list(present), "day", "n_people")
    long["day"] = long["day"].map(dict(zip(present, chosen, strict=True)))
    long["n_people"] = long["n_people"].astype("int64")
    return Occupancy(pd.DataFrame(long[["day", "stage", "status", "rank", "n_people"]]), history)


def month_ends(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the last day of every month from `first` to `last`, and `last` itself."""
    days, month = [], first.replace(day=1)
    while month <= last:
        following = (month + dt.timedelta(days=32)).replace(day=1)
        days.append(min(following - dt.timedelta(days=1), last))
        month = following
    return days
