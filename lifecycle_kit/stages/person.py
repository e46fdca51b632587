"""One customer: the touchpoints and, beside them, the statuses they led through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import local_times
from lifecycle_kit.errors import UsageError
from lifecycle_kit.stages.history import history
from lifecycle_kit.stages.model import StageModel
from lifecycle_kit.stages.moment import AsOf, Moment, resolve_moment

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["PersonTimeline", "person"]


@dataclass(frozen=True, eq=False, repr=False)
class PersonTimeline:
    """What one person did, and where the company's map put them meanwhile.

    Attributes
    ----------
    person_id : str
        As it stands in the log.
    moment : Moment
        Up to when.
    model : StageModel
        The map.
    touchpoints : pandas.DataFrame
        One row per touchpoint in order: occurred_at (naive UTC), event, channel, order_id, revenue
        (minor units), status and stage right after it.
    spells : pandas.DataFrame
        One row per spell, as in `History.to_frame`.
    timezone : str
        The business time zone, in which `plot` shows times.
    """

    person_id: str
    moment: Moment
    model: StageModel
    touchpoints: pd.DataFrame
    spells: pd.DataFrame
    timezone: str

    def __repr__(self) -> str:
        counts = f"{len(self.touchpoints):,} touchpoints, {len(self.spells):,} spells"
        return f"PersonTimeline({self.person_id!r}, {counts}; {self.moment.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the touchpoints with the status right after each."""
        return self.touchpoints.copy()

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw touchpoints and spells on one timeline."""
        import pandas as pd

        from lifecycle_kit.plots.person import plot_person

        order = [status.id for status in self.model.by_rank]
        spells, until = self.spells, pd.Series([self.moment.instant]).astype("datetime64[us]")
        return plot_person(
            self.touchpoints.assign(occurred_at=local_times(self.touchpoints["occurred_at"], self.timezone)),
            spells.assign(**{end: local_times(spells[end], self.timezone) for end in ("valid_from", "valid_to")}),
            order,
            person_id=self.person_id,
            until=local_times(until, self.timezone)[0].to_pydatetime(),
            timezone=self.timezone,
            source=self.moment.source,
            labels=self.model.labels,
            ax=ax,
        )


def person(
    dataset: Dataset, model: StageModel, person_id: str, as_of: AsOf | None = None, *, as_known: AsOf | None = None
) -> PersonTimeline:
    """Return one person's touchpoints and spells.

    Raises
    ------
    UsageError
        When nobody has this id; the message names the nearest id there is.
    """
    import pandas as pd

    moment = resolve_moment(dataset, model, as_of, as_known)
    engine = dataset.engine
    found = engine.arrow("SELECT person_key FROM persons WHERE person_id = ? ORDER BY is_anonymous", [str(person_id)])
    if found.num_rows == 0:
        near = engine.arrow(
            """SELECT person_id FROM persons
            ORDER BY ends_with(person_id, ?) DESC, jaro_winkler_similarity(person_id, ?) DESC, person_id LIMIT 1""",
            [str(person_id), str(person_id)],
        )["person_id"].to_pylist()
        raise UsageError(
            f"Nobody in {dataset.name!r} has the id {person_id!r}.",
            fix=f"The nearest id is {near[0]!r}." if near else "The log has no people.",
        )
    key = int(found["person_key"][0].as_py())
    known = "" if moment.known_instant is None else "AND known_at <= ?"
    bound = [key, moment.instant, *([] if moment.known_instant is None else [moment.known_instant])]
    touchpoints = engine.arrow(
        f"""SELECT occurred_at, event, channel, order_id, revenue FROM log
        WHERE person_key = ? AND occurred_at <= ? {known} ORDER BY occurred_at, event, order_id""",
        bound,
    ).to_pandas()
    touchpoints["revenue"] = touchpoints["revenue"].astype("Int64")  # minor units stay whole beside nulls
    spells = history(dataset, model, as_of, as_known=as_known, person_keys=(key,)).to_frame()
    placed = pd.merge_asof(
        touchpoints,
        spells[["valid_from", "status", "stage"]],
        left_on="occurred_at",
        right_on="valid_from",
    ).drop(columns="valid_from")
    return PersonTimeline(str(person_id), moment, model, placed, spells, dataset.timezone)
