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
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["PersonTimeline", "person"]

_LETTERS_COMPARED = 24
_LOOKED_AT_CLOSELY = 50


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

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

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

    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.heard import touchpoints, view_at

    moment = resolve_moment(dataset, model, as_of, as_known)
    key = _key_of(dataset, str(person_id))
    log = touchpoints(view_at(moment))
    own = log.filter(log.person_key == key)
    told = own.order_by("occurred_at", "event", "order_id", "channel", "revenue").select(
        "occurred_at", "event", "channel", "order_id", "revenue"
    )
    met = fetch(told, dataset.engine).to_pandas()
    met["revenue"] = met["revenue"].astype("Int64")  # minor units stay whole beside nulls
    spells = history(dataset, model, as_of, as_known=as_known, person_keys=(key,)).to_frame()
    placed = pd.merge_asof(
        met,
        spells[["valid_from", "status", "stage"]],
        left_on="occurred_at",
        right_on="valid_from",
    ).drop(columns="valid_from")
    return PersonTimeline(str(person_id), moment, model, placed, spells, dataset.timezone)


def _key_of(dataset: Dataset, person_id: str) -> int:
    """Return the key of a person; of a known one before a device of the same name."""
    import ibis

    from lifecycle_kit.contract.tables import PERSONS_SCHEMA
    from lifecycle_kit.engine.base import fetch

    persons = ibis.table(PERSONS_SCHEMA, name="persons")
    found = persons.filter(persons.person_id == person_id).order_by("is_anonymous").select("person_key")
    keys = fetch(found, dataset.engine)["person_key"].to_pylist()
    if keys:
        return int(keys[0])
    near = _nearest_id(dataset, person_id)
    raise UsageError(
        f"Nobody in {dataset.name!r} has the id {person_id!r}.",
        fix="The log has no people." if near is None else f"The nearest id is {near!r}.",
    )


def _nearest_id(dataset: Dataset, wanted: str) -> str | None:
    """Return the id most like `wanted`: the engine finds those with most letters in place, counted from either end."""
    import difflib

    import ibis

    from lifecycle_kit.contract.tables import PERSONS_SCHEMA
    from lifecycle_kit.engine.base import fetch

    ids = ibis.table(PERSONS_SCHEMA, name="persons").select("person_id")
    start, end = wanted[:_LETTERS_COMPARED], wanted[: -_LETTERS_COMPARED - 1 : -1]
    matches = [ids.person_id.substr(i, 1) == letter for i, letter in enumerate(start)]
    matches += [ids.person_id.right(i + 1).left(1) == letter for i, letter in enumerate(end)]
    in_place = sum((match.cast("int64") for match in matches), ibis.literal(0, "int64"))
    counted = ids.mutate(in_place=in_place).order_by(ibis.desc("in_place"), "person_id").limit(_LOOKED_AT_CLOSELY)
    near = fetch(counted, dataset.engine)["person_id"].to_pylist()

    def likeness(found: str) -> tuple[bool, float]:
        return found.endswith(wanted), difflib.SequenceMatcher(None, wanted.lower(), found.lower()).ratio()

    return max(near, key=likeness, default=None)
