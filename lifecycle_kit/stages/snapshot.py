"""How many people, and who, are in each status at one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import months_before
from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.stages.model import UNPLACED, StageModel
from lifecycle_kit.stages.moment import AsOf, Moment, resolve_moment

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["Snapshot", "beside_earlier", "look", "snapshot", "snapshot_changes"]


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot:
    """Everybody's status at one moment.

    Attributes
    ----------
    model : StageModel
        The map.
    moment : Moment
        As of when, and as known when.
    people : pyarrow.Table
        One row per person whom the model has met: person_id, status, stage, rank; ordered by person_id.
    n_not_met : int
        People of the dataset whom the model has not met by then: none of its events was theirs yet.
    warnings : tuple of str
        What a reader must know.
    """

    model: StageModel
    moment: Moment
    people: pa.Table
    n_not_met: int
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Snapshot({self.model.name!r}, {self.n_people:,} people; {self.moment.source})"

    @property
    def n_people(self) -> int:
        """People in the lifecycle."""
        return int(self.people.num_rows)

    def to_frame(self) -> pd.DataFrame:
        """One row per status, empty ones included, in the model's order.

        Columns: stage, status, rank, n_people, share (of all people in the lifecycle; null when there are none).
        `unplaced` appears only when somebody is there.
        """
        import pandas as pd

        found = self.people.group_by("status").aggregate([("status", "count")]).to_pydict()
        counts = dict(zip(found["status"], found["status_count"], strict=True))
        frame = self.model.to_frame()[["stage", "status", "rank"]]
        frame["n_people"] = [int(counts.get(status, 0)) for status in frame["status"]]
        frame["share"] = frame["n_people"] / self.n_people if self.n_people else float("nan")
        keep = (frame["status"] != UNPLACED) | (frame["n_people"] > 0)
        return pd.DataFrame(frame[keep]).reset_index(drop=True)

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def by_stage(self) -> pd.DataFrame:
        """One row per stage: stage, n_people, share."""
        frame = self.to_frame().groupby("stage", sort=False, as_index=False)[["n_people", "share"]].sum(min_count=1)
        return frame

    def members(self, status: str | None = None, *, stage: str | None = None) -> pd.DataFrame:
        """Who: one row per person, person_id, status, stage; optionally of one status or one stage.

        Raises
        ------
        UnknownNameError
            When the model has no such status or stage.
        """
        return self.members_table(status, stage=stage).to_pandas()

    def members_table(self, status: str | None = None, *, stage: str | None = None) -> pa.Table:
        """Return the same as `members`, as Arrow."""
        import pyarrow.compute as pc

        stage_of = dict(zip(*(self.model.to_frame()[c] for c in ("status", "stage")), strict=True))
        if status in stage_of and stage is not None and stage_of[status] != stage:
            raise UsageError(
                f"The status {status!r} lies in the stage {stage_of[status]!r}, not in {stage!r}.",
                fix="Give one of the two.",
            )
        chosen = self.people.select(["person_id", "status", "stage"])
        for column, value in (("status", status), ("stage", stage)):
            if value is None:
                continue
            known = set(self.model.to_frame()[column])
            if value not in known:
                raise UnknownNameError(column, value, known)
            chosen = chosen.filter(pc.equal(chosen[column], value))
        return chosen

    def to_dict(self) -> dict[str, object]:
        """Return the counts as plain values, ready for JSON."""
        frame = self.to_frame()
        return {
            "model": self.model.name,
            "model_hash": self.model.hash_,
            "as_of": str(self.moment.as_of),
            "as_known": None if self.moment.as_known is None else str(self.moment.as_known),
            "n_people": self.n_people,
            "n_not_met": self.n_not_met,
            "statuses": frame.astype(object).where(frame.notna(), None).to_dict(orient="records"),
            "warnings": list(self.warnings),
        }

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the people per status, in the map's order."""
        from lifecycle_kit.plots.stages import plot_snapshot

        return plot_snapshot(
            self.to_frame(),
            title=f"People per status, {self.moment.as_of}",
            source=self.moment.source,
            labels=self.model.labels,
            ax=ax,
        )


def snapshot(
    dataset: Dataset, model: StageModel, as_of: AsOf | None = None, *, as_known: AsOf | None = None
) -> Snapshot:
    """Return how many people, and who, are in each status.

    Parameters
    ----------
    dataset : Dataset
        The shop's log.
    model : StageModel
        The company's map.
    as_of : str, date or datetime, optional
        A date means the close of that business day. Default: the log's last day.
    as_known : str, date or datetime, optional
        Use only what had reached the log by then, so that late data does not rewrite an old report.

    Raises
    ------
    UsageError
        When the date lies before the log.
    """
    import ibis
    import pyarrow.compute as pc

    from lifecycle_kit.contract.tables import PERSONS_SCHEMA
    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.heard import people, view_at
    from lifecycle_kit.stages.placing import with_names
    from lifecycle_kit.stages.queries import rank_query

    moment = resolve_moment(dataset, model, as_of, as_known)
    view = view_at(moment)
    named = with_names(model, rank_query(model, view), "rank", "status", "stage").join(people(view), "person_key")
    # a device may be called as a person is: the key tells them apart
    placed = fetch(named.order_by("person_id", "person_key"), dataset.engine)
    persons = ibis.table(PERSONS_SCHEMA, name="persons")
    n_persons = fetch(persons.aggregate(n=persons.count()), dataset.engine)["n"][0].as_py()
    # devices whose person was not known yet have keys below 0, and are in the answer on top of the dataset's people
    n_not_met = int(n_persons) - (pc.sum(pc.greater(placed["person_key"], 0)).as_py() or 0)
    table = placed.select(["person_id", "status", "stage", "rank"])
    return Snapshot(model, moment, table, n_not_met, (*moment.warnings, *look(model, table)))


def snapshot_changes(
    dataset: Dataset, model: StageModel, as_of: AsOf | None = None, *, as_known: AsOf | None = None
) -> tuple[Snapshot, pd.DataFrame]:
    """Return a snapshot, and its counts beside those of a month and a year before.

    The frame adds to `Snapshot.to_frame`: n_people_month_before, change_month, n_people_year_before,
    change_year (people; null where the log does not reach back that far). All three are as known at `as_known`.
    """
    now = snapshot(dataset, model, as_of, as_known=as_known)

    def counts_on(day: dt.date) -> Mapping[str, int]:
        frame = snapshot(dataset, model, day, as_known=as_known).to_frame()
        return dict(zip(frame["status"], frame["n_people"], strict=True))

    return now, beside_earlier(now, dataset, counts_on)


def beside_earlier(now: Snapshot, dataset: Dataset, counts_on: Callable[[dt.date], Mapping[str, int]]) -> pd.DataFrame:
    """Return a snapshot's counts beside those of a month and a year before, as `snapshot_changes` does.

    Parameters
    ----------
    counts_on : callable
        Given a day, the number of people per status at its close; statuses without any may be left out.
    """
    from lifecycle_kit.calendar import day_of

    frame = now.to_frame()
    for label, n_months in (("month", 1), ("year", 12)):
        day = months_before(now.moment.day, n_months)
        begins = None if dataset.first_at is None else day_of(dataset.first_at, dataset.timezone)
        counts = None if begins is None or day < begins else counts_on(day)
        before = [None if counts is None else counts.get(status, 0) for status in frame["status"]]
        frame[f"n_people_{label}_before"] = _nullable(before)
        frame[f"change_{label}"] = frame["n_people"].astype("Int64") - frame[f"n_people_{label}_before"]
    return frame


def _nullable(values: list[int | None]) -> pd.Series:
    import pandas as pd

    return pd.array(values, dtype="Int64")


def look(model: StageModel, people: pa.Table) -> list[str]:
    """Return what the counts themselves give away."""
    import pyarrow.compute as pc

    found = []
    n_unplaced = pc.sum(pc.equal(people["rank"], 0)).as_py() or 0
    if n_unplaced:
        found.append(
            f"{n_unplaced:,} people are in no status of {model.name!r}: shown as '{UNPLACED}'. "
            "Add a status with a lower rank that holds for them."
        )
    only = pc.unique(people["status"]).to_pylist()
    if len(only) == 1 and people.num_rows > 1:
        found.append(f"All {people.num_rows:,} people are in one status, {only[0]!r}: does the log end long ago?")
    return found
