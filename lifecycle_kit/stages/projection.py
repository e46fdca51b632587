"""Everybody's spells as they will be if nothing more happens: what a saved state answers from.

A spell depends on what happened before it alone. So the spells of a moment beyond every window, with all that
will expire without news, say who is where on any day before, and stay true for whoever has none.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lifecycle_kit.contract.kept import ALIAS
from lifecycle_kit.contract.sqltext import instant
from lifecycle_kit.stages.history import history
from lifecycle_kit.stages.model import UNPLACED

if TYPE_CHECKING:
    import pyarrow as pa

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.engine.duckdb import DuckDBEngine
    from lifecycle_kit.stages.model import StageModel

__all__ = [
    "TABLES",
    "counts_at",
    "create_tables",
    "events_heard",
    "extent",
    "members_at",
    "project_people",
    "project_spells",
    "put",
    "visits_after",
]

# later than any window ends
_BEYOND = dt.date(9998, 12, 30)

# tables of the state, and how their rows lie when it is written as a whole
TABLES = {"persons": "number", "spells": "number, valid_from"}


def create_tables(engine: DuckDBEngine) -> None:
    """Create the empty tables of people and spells in the attached state."""
    engine.execute(
        f"""CREATE TABLE {ALIAS}.persons (number BIGINT, actor UBIGINT, person_id VARCHAR, is_anonymous BOOLEAN,
        first_at TIMESTAMP, last_at TIMESTAMP, heard VARCHAR[], visits VARCHAR[])"""
    )
    engine.execute(
        f"CREATE TABLE {ALIAS}.spells (number BIGINT, rank BIGINT, valid_from TIMESTAMP, valid_to TIMESTAMP)"
    )


def project_people(engine: DuckDBEngine) -> None:
    """Create the table `new_persons` in the engine of a dataset; numbers go on where those of the state end."""
    engine.execute(
        f"""CREATE TABLE new_persons AS
        WITH told AS (
            SELECT person_key, min(occurred_at) AS first_at, max(occurred_at) AS last_at,
                list(DISTINCT event ORDER BY event) AS heard FROM log GROUP BY person_key
        ), visited AS (
            SELECT person_key, list(DISTINCT event ORDER BY event) AS visits FROM _events WHERE in_log GROUP BY 1
        )
        SELECT p.person_key, (SELECT coalesce(max(number), 0) FROM {ALIAS}.persons)
                + row_number() OVER (ORDER BY hash(p.person_id), p.is_anonymous, p.person_id) AS number,
            hash(p.person_id) AS actor, p.person_id, p.is_anonymous, t.first_at, t.last_at, t.heard, v.visits
        FROM persons p
        LEFT JOIN told t ON t.person_key = p.person_key LEFT JOIN visited v ON v.person_key = p.person_key"""
    )


def project_spells(dataset: Dataset, model: StageModel, engine: DuckDBEngine) -> None:
    """Create the table `new_spells` for `new_persons` in the engine of a dataset."""
    if dataset.first_at is None:
        engine.execute(f"CREATE TABLE new_spells AS SELECT * FROM {ALIAS}.spells LIMIT 0")
        return
    made = history(dataset, model, _BEYOND)
    engine.execute(
        f"""CREATE TABLE new_spells AS SELECT p.number, s.rank, s.valid_from, s.valid_to
        FROM {made.relation} s JOIN new_persons p ON p.person_key = s.person_key"""
    )


def put(engine: DuckDBEngine) -> None:
    """Put `new_persons` and `new_spells` into the attached state."""
    engine.execute(f"INSERT INTO {ALIAS}.persons SELECT * EXCLUDE (person_key) FROM new_persons ORDER BY number")
    engine.execute(f"INSERT INTO {ALIAS}.spells FROM new_spells ORDER BY number, valid_from")


def members_at(engine: DuckDBEngine, model: StageModel, at: dt.datetime) -> tuple[pa.Table, int]:
    """Return who is where at an instant, as `Snapshot.people`, and how many the model had not met by then."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from lifecycle_kit.engine.base import arrow_schema

    table = engine.arrow(
        f"""SELECT p.person_id, s.rank FROM {ALIAS}.spells s JOIN {ALIAS}.persons p ON p.number = s.number
        WHERE {_lasts("s.", at)} ORDER BY p.person_id, p.is_anonymous"""
    )
    ((n_persons,),) = engine.rows(f"SELECT count(*) FROM {ALIAS}.persons")
    names = {s.rank: (s.id, s.stage) for s in model.by_rank} | {0: (UNPLACED, UNPLACED)}
    ranks = pa.array(list(names), pa.int64())
    place = pc.index_in(table["rank"], ranks)
    status, stage = (pc.take(pa.array(told, pa.string()), place) for told in zip(*names.values(), strict=True))
    people = pa.table(
        [table["person_id"], status, stage, table["rank"]], names=["person_id", "status", "stage", "rank"]
    )
    kinds = {"person_id": "string", "status": "string", "stage": "string", "rank": "int64"}
    return people.cast(arrow_schema(kinds)), int(n_persons) - table.num_rows


def counts_at(engine: DuckDBEngine, at: dt.datetime) -> dict[int, int]:
    """Return how many people are at each rank at an instant."""
    return dict(engine.rows(f"SELECT rank, count(*) FROM {ALIAS}.spells WHERE {_lasts('', at)} GROUP BY rank"))


def extent(engine: DuckDBEngine) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the first and last touchpoint of everybody in the state."""
    first_at, last_at = engine.rows(f"SELECT min(first_at), max(last_at) FROM {ALIAS}.persons")[0]
    return first_at, last_at


def events_heard(engine: DuckDBEngine) -> list[str]:
    """Return the names of the events in the log of everybody in the state."""
    found = engine.rows(
        f"SELECT DISTINCT unnest(heard) AS e FROM (SELECT DISTINCT heard FROM {ALIAS}.persons) ORDER BY e"
    )
    return [name for (name,) in found]


def visits_after(engine: DuckDBEngine) -> list[str]:
    """Return the names of the events that the events table tells, once `new_persons`, if there, are in the state."""
    standing, coming = f"SELECT visits FROM {ALIAS}.persons", ""
    if engine.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'new_persons'"):
        standing += " WHERE actor NOT IN (FROM touched)"
        coming = " UNION SELECT visits FROM new_persons"
    found = engine.rows(f"SELECT DISTINCT unnest(visits) FROM (SELECT DISTINCT * FROM ({standing}){coming})")
    return [name for (name,) in found]


def _lasts(alias: str, at: dt.datetime) -> str:
    return f"{alias}valid_from <= {instant(at)} AND ({alias}valid_to IS NULL OR {alias}valid_to > {instant(at)})"
