"""Who was in which status, from when to when."""

from __future__ import annotations

import itertools
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import closing_instant, parse_as_of
from lifecycle_kit.errors import UsageError
from lifecycle_kit.stages.model import StageModel
from lifecycle_kit.stages.moment import AsOf, Moment, resolve_moment
from lifecycle_kit.stages.spells import SPELL_SCHEMA, Method, lasts_at, store_spells

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["History", "history"]

_number = itertools.count(1)


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """Every spell of every person up to one moment; the rows stay in the dataset's engine.

    A spell is one stay of one person in one status: half-open [valid_from, valid_to), one at a time
    per person, without a gap after the first.

    Attributes
    ----------
    dataset, model, moment
        What it was made from.
    relation : str
        Name of the engine's table of spells (SPELL_SCHEMA).
    """

    dataset: Dataset
    model: StageModel
    moment: Moment
    relation: str

    def __repr__(self) -> str:
        return f"History({self.model.name!r}, {self.n_spells:,} spells; {self.moment.source})"

    @property
    def spells(self) -> ir.Table:
        """The spells as an unexecuted Ibis table, for further queries."""
        import ibis

        return ibis.table(SPELL_SCHEMA, name=self.relation)

    @property
    def n_spells(self) -> int:
        """Number of spells."""
        from lifecycle_kit.engine.base import fetch

        spells = self.spells
        return int(fetch(spells.aggregate(n=spells.count()), self.dataset.engine)["n"][0].as_py())

    def to_arrow(self) -> pa.Table:
        """One row per spell, ordered by person and time.

        Columns: person_id, status, stage, came_from (null for the first), furthest_status (the highest
        reached so far), valid_from, valid_to (naive UTC; null while it lasts), model_hash.
        """
        from lifecycle_kit.engine.base import fetch

        return fetch(self._told(), self.dataset.engine)

    def to_frame(self) -> pd.DataFrame:
        """Return the same as `to_arrow`, as a data frame."""
        return self.to_arrow().to_pandas()

    def write(self, path: str | Path) -> tuple[str, ...]:
        """Write all spells to a Parquet file, without bringing them to Python, or to a CSV file.

        On Spark a path without an ending is a folder of Parquet files, written by the executors.

        Returns
        -------
        tuple of str
            Texts altered for the sake of spreadsheets, as `write_table` returns them.
        """
        from lifecycle_kit.engine.base import compile_sql
        from lifecycle_kit.export import write_table

        target, engine = Path(path), self.dataset.engine
        by_engine = target.suffix == ".parquet" or (not target.suffix and engine.writes_parts)
        if by_engine and target.parent.is_dir():
            engine.to_parquet(compile_sql(self._told(), engine), target)
            return ()
        return write_table(self.to_arrow(), target)

    def at(self, as_of: AsOf) -> pd.DataFrame:
        """One row per person: person_id, status, stage at a past moment, read from the spells.

        Raises
        ------
        UsageError
            When the moment lies after the history's own.
        """
        from lifecycle_kit.engine.base import fetch

        instant = closing_instant(parse_as_of(as_of), self.dataset.timezone)
        if instant > self.moment.instant:
            raise UsageError(
                f"As-of {as_of} is after this history, which ends at {self.moment.as_of}.",
                fix="Make a history that reaches further.",
            )
        spells = self.spells
        current = spells.filter(lasts_at(spells, instant))
        named = self._named(current).order_by("person_id", "person_key").select("person_id", "status", "stage")
        return fetch(named, self.dataset.engine).to_pandas()

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw how many people were in each status at the end of each month."""
        from lifecycle_kit.stages.occupancy import occupancy

        return occupancy(self).plot(ax=ax)

    def _told(self) -> ir.Table:
        import ibis

        # a device may be called as a person is: the key tells them apart
        named = self._named(self.spells).order_by("person_id", "person_key", "valid_from")
        return named.select(
            "person_id",
            "status",
            "stage",
            "came_from",
            "furthest_status",
            "valid_from",
            "valid_to",
            model_hash=ibis.literal(self.model.hash_),
        )

    def _named(self, spells: ir.Table) -> ir.Table:
        from lifecycle_kit.stages.heard import people, view_at
        from lifecycle_kit.stages.placing import with_names

        named = with_names(self.model, spells, "rank", "status", "stage")
        named = with_names(self.model, named, "came_from_rank", "came_from")
        named = with_names(self.model, named, "furthest_rank", "furthest_status")
        return named.join(people(view_at(self.moment)), "person_key")


def history(
    dataset: Dataset,
    model: StageModel,
    as_of: AsOf | None = None,
    *,
    as_known: AsOf | None = None,
    person_keys: tuple[int, ...] | None = None,
    method: Method = "auto",
) -> History:
    """Return everybody's spells up to a moment.

    Parameters
    ----------
    dataset, model
        The shop's log and the company's map.
    as_of, as_known
        As in `snapshot`. What would expire later than `as_of` has not happened yet.
    person_keys : tuple of int, optional
        Only these people (dense keys of the dataset's `persons` table).
    method : {"auto", "sql", "kernel"}
        How: in the engine's SQL, or by the compiled kernel of the `fast` extra (DuckDB only). Both give the same
        rows. "auto" takes the kernel for large logs, where it is installed.

    Raises
    ------
    UsageError
        When the date lies before the log, or the kernel cannot be had.
    """
    import ibis

    from lifecycle_kit.contract.tables import PERSONS_SCHEMA
    from lifecycle_kit.stages.heard import view_at

    moment = resolve_moment(dataset, model, as_of, as_known)
    view = view_at(moment)
    if person_keys is not None:
        persons = ibis.table(PERSONS_SCHEMA, name="persons")
        view = replace(view, person_keys=persons.filter(persons.person_key.isin(person_keys)).select("person_key"))
    relation = f"spells_{model.hash_}_{next(_number)}"
    store_spells(dataset.engine, model, view, relation, method)
    made = History(dataset, model, moment, relation)
    weakref.finalize(made, dataset.engine.drop, relation)
    return made
