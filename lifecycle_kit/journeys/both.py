"""The customer's path and the company's map, one above the other: for one person, and for a segment by age."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.stages.model import ENTRY, StageModel

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.journeys.looked_at import Look

__all__ = ["SegmentView", "person_path", "segment_view"]


def person_path(dataset: Dataset, model: StageModel, person_id: str, as_of: Any = None, *, ax: Any = None) -> Axes:
    """Draw one person's touchpoints above and stages below, on one axis of time.

    Raises
    ------
    UsageError
        When there is no such person.
    """
    from lifecycle_kit.calendar import local_times
    from lifecycle_kit.plots.journey_and_lifecycle import plot_journey_and_lifecycle
    from lifecycle_kit.stages.person import person

    found = person(dataset, model, person_id, as_of)
    touchpoints, spells = found.to_frame(), found.spells.copy()
    steps = touchpoints.rename(columns={"occurred_at": "at", "event": "name"})[["at", "name"]]
    steps = steps.assign(
        at=local_times(steps["at"], dataset.timezone), is_conversion=steps["name"] == "order_completed"
    )
    for column in ("valid_from", "valid_to"):
        spells[column] = local_times(spells[column], dataset.timezone)
    return plot_journey_and_lifecycle(
        steps,
        spells,
        until=found.moment.day + dt.timedelta(days=1),
        labels=model.labels,
        title=f"Path and stages of {found.person_id}",
        source=found.moment.source,
        ax=ax,
    )


@dataclass(frozen=True, eq=False, repr=False)
class SegmentView:
    """What a segment's people did last, and in which stage they were, by days since they were first seen.

    Attributes
    ----------
    steps : pandas.DataFrame
        One row per age and step: age_days, step, n_people, share.
    stages : pandas.DataFrame
        One row per age and stage: age_days, stage, n_people, share.
    n_people : int
        People of the segment who were first seen long enough ago for every age.
    model : StageModel
    source : str
    """

    steps: pd.DataFrame
    stages: pd.DataFrame
    n_people: int
    model: StageModel
    source: str

    def __repr__(self) -> str:
        return f"SegmentView({self.n_people:,} people; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return both frames under one another: age_days, view ("step" or "stage"), name, n_people, share."""
        import pandas as pd

        both = [
            frame.rename(columns={view: "name"}).assign(view=view)
            for view, frame in (("step", self.steps), ("stage", self.stages))
        ]
        return pd.concat(both, ignore_index=True)[["age_days", "view", "name", "n_people", "share"]]

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def plot(self, *, ax: Any = None) -> Axes:
        """Draw the path above and the map below, as areas over age."""
        from lifecycle_kit.plots.journey_and_lifecycle import plot_segment_journey_and_lifecycle

        return plot_segment_journey_and_lifecycle(
            self.steps, self.stages, labels=self.model.labels, source=self.source, ax=ax
        )


def segment_view(
    dataset: Dataset,
    model: StageModel,
    *,
    channel: str | None = None,
    country: str | None = None,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
    days: int = 84,
) -> SegmentView:
    """Follow the people who were first seen in a period, by age in days.

    Parameters
    ----------
    channel, country : str, optional
        Only people whom this channel brought (as declared, else the first touchpoint's), or of this country.
    since, until : str or date, optional
        When they were first seen. Default: all of the log.
    days : int, default 84
        How long each is followed; who was first seen later than that is left out. Twelve weeks end before the windows
        of 90 days do that many models have, all on one day.

    Raises
    ------
    UsageError
        When nobody fits, or days is not from 1 to 3,660.
    """
    from lifecycle_kit.journeys.looked_at import look
    from lifecycle_kit.stages.history import history

    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 3_660:
        raise UsageError(f"days {days} must be a whole number from 1 to 3,660.", fix="Write for example 90.")
    with look(dataset, since, until, as_of) as at:
        people = at.scratch.store("people", _people(at, channel, country, days))
        counted = at.scratch.fetch(people.aggregate(n=people.count()))
        n_people = int(counted["n"][0])
        if n_people == 0:
            _refuse(at, channel, country, days)
        past = history(dataset, model, at.view_day)
        grid = sorted({*range(0, days, max(1, days // 60)), days})
        steps = _shares(at, _step_stretches(at, people), grid, "step", n_people)
        stages = _shares(at, _stage_stretches(past.spells, model, people), grid, "stage", n_people)
    order = {stage.id: stage.rank for stage in model.stages} | {ENTRY: -1}
    stages = stages.sort_values("age_days", kind="stable").sort_values(
        "stage", key=lambda names: names.map(order).fillna(0), kind="stable"
    )
    told = ", ".join(f"{name} {value}" for name, value in (("channel", channel), ("country", country)) if value)
    return SegmentView(steps, stages.reset_index(drop=True), n_people, model, f"{at.source}{told and '; ' + told}")


def _people(at: Look, channel: str | None, country: str | None, days: int) -> ir.Table:
    """Return person_key and first_at of the segment's people."""
    import ibis

    from lifecycle_kit.contract.tables import PERSONS_SCHEMA
    from lifecycle_kit.kpis.people import with_channel_of
    from lifecycle_kit.kpis.rows import own_touchpoints

    rows = own_touchpoints(at.view)
    first = rows.group_by("person_key").aggregate(first_at=rows.occurred_at.min())
    persons = ibis.table(PERSONS_SCHEMA, name="persons")
    known = first.join(persons.select("person_key", "country", "acquired_channel"), "person_key")
    if channel is not None:
        known = with_channel_of(at.view, known)
        known = known.filter(known.channel == channel)
    if country is not None:
        known = known.filter(known.country == country)
    old = known.first_at + ibis.interval(days=days) <= ibis.literal(at.view.as_of, "timestamp")
    return known.filter(at.begins_in_period(known.first_at) & old).select("person_key", "first_at")


def _refuse(at: Look, channel: str | None, country: str | None, days: int) -> None:
    import ibis

    from lifecycle_kit.contract.tables import LOG_SCHEMA, PERSONS_SCHEMA

    persons, log = ibis.table(PERSONS_SCHEMA, name="persons"), ibis.table(LOG_SCHEMA, name="log")
    if country is not None:
        there = at.scratch.fetch(persons.select("country").distinct())["country"].dropna()
        if country not in set(there):
            raise UnknownNameError("country", country, there)
    if channel is not None:
        told = persons.select(channel=persons.acquired_channel).union(log.select("channel")).distinct()
        there = at.scratch.fetch(told)["channel"].dropna()
        if channel not in set(there):
            raise UnknownNameError("channel", channel, there)
    raise UsageError(
        f"Nobody was first seen from {at.first} to {at.last} and followed for {days} days.",
        fix="Ask for a longer period, or fewer days.",
    )


def _step_stretches(at: Look, people: ir.Table) -> ir.Table:
    """Return name, and from which to which hour of age each touchpoint was a person's last one."""
    import ibis

    from lifecycle_kit.kpis.rows import own_touchpoints

    rows = own_touchpoints(at.view).join(people, "person_key")
    rows = rows.select("person_key", "event", "first_at", at=rows.occurred_at)
    by_time = ibis.window(group_by="person_key", order_by=["at", "event"])
    told = rows.mutate(until=rows["at"].lead().over(by_time))
    return told.select("first_at", "until", name=told.event, since=told["at"])


def _stage_stretches(spells: ir.Table, model: StageModel, people: ir.Table) -> ir.Table:
    from lifecycle_kit.stages.placing import with_names

    named = with_names(model, spells, "rank", "status", "stage").join(people, "person_key")
    return named.select("first_at", name=named.stage, since=named.valid_from, until=named.valid_to)


def _shares(at: Look, stretches: ir.Table, grid: list[int], what: str, n_people: int) -> pd.DataFrame:
    """Count at every age of the grid whose stretch covers it: each is counted once, by its first and last age."""
    import ibis
    import numpy as np
    import pandas as pd

    def reached(moment: ir.TimestampValue) -> ir.IntegerValue:
        """How many ages of the grid come before a moment (the first age that is not)."""
        ages = [(stretches.first_at + ibis.interval(days=age) < moment).cast("int64") for age in grid]
        return reduce(lambda a, b: a + b, ages)

    placed = stretches.mutate(
        begun=reached(stretches.since), stop=stretches.until.isnull().ifelse(len(grid), reached(stretches.until))
    )
    seen = placed.filter(placed.begun < placed.stop)
    counts = at.scratch.fetch(seen.group_by("name", "begun", "stop").aggregate(n=seen.count()))
    frames = []
    for name, rows in counts.groupby("name"):
        turns = np.zeros(len(grid) + 1)
        np.add.at(turns, rows["begun"].to_numpy(), rows["n"].to_numpy())
        np.add.at(turns, rows["stop"].to_numpy(), -rows["n"].to_numpy())
        frames.append(pd.DataFrame({"age_days": grid, what: name, "n_people": np.cumsum(turns)[:-1].astype("int64")}))
    # nobody may be anywhere yet
    empty = pd.DataFrame({"age_days": [], what: [], "n_people": []}).astype({"age_days": "int64", "n_people": "int64"})
    found = pd.concat(frames, ignore_index=True) if frames else empty
    rest = n_people - found.groupby("age_days")["n_people"].sum().reindex(grid, fill_value=0)
    if (rest > 0).any():
        missing = rest[rest > 0]
        found = pd.concat(
            [found, pd.DataFrame({"age_days": missing.index, what: ENTRY, "n_people": missing.to_numpy()})],
            ignore_index=True,
        )
    return found.assign(share=found["n_people"] / n_people)
