"""From canonical tables, however they were filled, to a dataset on any engine: nothing is read or checked twice."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.calendar import zone
from lifecycle_kit.contract.canonical import DATASET_JSON, read_said, write_canonical
from lifecycle_kit.contract.capabilities import Capability, capabilities_of
from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.report import Account, CheckReport, Warned
from lifecycle_kit.contract.tables import CANONICAL
from lifecycle_kit.engine.choose import DEADLINE_SECONDS, open_engine
from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from lifecycle_kit.engine.base import Engine

__all__ = ["hand_over", "open_dataset"]

# without these there is nothing to ask; the others may be absent, and are then empty
_NEEDED = ("log", "persons")
# columns that every row must fill
_FILLED = {
    "log": ("person_key", "event", "occurred_at", "known_at", "business_day"),
    "persons": ("person_key", "person_id", "is_anonymous"),
    "costs": ("date", "channel", "amount"),
    "surveys": ("person_key", "at", "score"),
    "referrals": ("person_key", "sent_at"),
}


def open_dataset(
    folder: str | os.PathLike[str] | None = None,
    *,
    engine: str = "duckdb",
    schema: str | None = None,
    connection: str | None = None,
    name: str | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    memory_limit: str = "2GB",
    scratch: str | os.PathLike[str] | None = None,
    deadline: float = DEADLINE_SECONDS,
) -> Dataset:
    """Open canonical tables on an engine: those of `Dataset.write`, or those that a company fills itself.

    Parameters
    ----------
    folder : path, optional
        A folder with ``dataset.json`` and, per table of CANONICAL, ``log.parquet``, ``persons.parquet`` ..., each a
        file or a folder of files. On a cluster it must be one that all machines see.
    engine : {"duckdb", "postgres", "spark"}
    schema : str, optional
        Instead of a folder: the schema (Spark: database) that holds the tables. They are read, never changed.
    connection : str, optional
        PostgreSQL only: the name of the environment variable that says how to reach it, never its value.
        None: LIFECYCLE_POSTGRES.
    name, currency : str, optional
        As in `load`; they go before what ``dataset.json`` says.
    timezone : str, optional
        The one by which `business_day` was filled. With a folder, ``dataset.json`` says it; else UTC by default.
    memory_limit, scratch, deadline
        As in `open_engine`.

    Raises
    ------
    UsageError
        When neither or both of folder and schema are given, or the engine lacks something.
    DataError
        When a table or column is missing or of another type, or a row lacks what every row must have.
    RunError
        When the engine cannot be reached.
    """
    if (folder is None) == (schema is None):
        raise UsageError("Canonical tables are in a folder or in a schema.", fix="Give one of the two.")
    said: dict[str, Any] = {}
    if folder is not None:
        if not Path(folder).is_dir():
            raise UsageError(f"There is no folder {folder}.", fix="Give the one that Dataset.write made.")
        said = read_said(Path(folder))
    zone(timezone or said.get("timezone", "UTC"))
    if timezone is not None and said.get("timezone", timezone) != timezone:
        raise UsageError(
            f"The days in {folder} end in {said['timezone']}, not in {timezone}.",
            fix="Leave the time zone out, or load the data anew.",
        )
    opened = open_engine(engine, connection=connection, memory_limit=memory_limit, scratch=scratch, deadline=deadline)
    try:
        if folder is not None:
            _read_folder(opened, Path(folder))
        else:
            assert schema is not None
            _read_schema(opened, schema)
        own = {"name": name or said.get("name") or (Path(folder).absolute().name if folder is not None else schema)}
        own |= {key: value for key, value in (("timezone", timezone), ("currency", currency)) if value is not None}
        return _dataset(opened, said | own)
    except BaseException:
        opened.close()
        raise


def hand_over(dataset: Dataset, engine: Engine) -> Dataset:
    """Return the same dataset on another engine; the one it comes from stays open."""
    folder = write_canonical(dataset, engine.scratch / "tables")
    _read_folder(engine, folder)
    if not engine.reads_in_place:
        for path in folder.glob("*.parquet"):
            path.unlink()
    return Dataset(
        engine,
        dataset.name,
        dataset.timezone,
        dataset.currency,
        dataset.report,
        dataset.first_at,
        dataset.last_at,
        dataset.tables,
    )


def _read_folder(engine: Engine, folder: Path) -> None:
    for table, declared in CANONICAL.items():
        path = folder / f"{table}.parquet"
        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []
        if not files:
            if table in _NEEDED:
                raise DataError(f"The table {table} is missing.", fix=_how(table), where=str(path))
            continue
        for file in files:
            _check_columns(table, _parquet_schema(file), str(file))
        engine.read_parquet(table, path, tuple(declared))
    _add_absent(engine, [table for table in CANONICAL if not (folder / f"{table}.parquet").exists()])


def _read_schema(engine: Engine, schema: str) -> None:
    if not schema.replace(".", "_").isidentifier():
        raise UsageError(f"{schema!r} is not the name of a schema.", fix="Use letters, digits and underscores.")
    absent = []
    for table, declared in CANONICAL.items():
        found = engine.table_schema(table, schema)
        if found is not None:
            _check_columns(table, found, f"{schema}.{table}")
            engine.read_table(table, schema, tuple(declared))
        elif table in _NEEDED:
            raise DataError(f"The table {table} is missing.", fix=_how(table), where=schema)
        else:
            absent.append(table)
    _add_absent(engine, absent)


def _add_absent(engine: Engine, tables: list[str]) -> None:
    """Create tables without rows, so that questions about them answer 'none'."""
    import ibis

    from lifecycle_kit.engine.base import compile_sql

    for table in tables:
        persons = ibis.table(CANONICAL["persons"], name="persons")
        nothing = persons.filter(persons.person_key.isnull())
        empty = nothing.select(**{name: ibis.null(kind) for name, kind in CANONICAL[table].items()})
        engine.store(table, compile_sql(empty, engine))


def _parquet_schema(file: Path) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError("It cannot be read as Parquet.", fix="Write it again.", where=str(file)) from error


def _check_columns(table: str, found: pa.Schema, where: str) -> None:
    import pyarrow as pa

    from lifecycle_kit.engine.base import arrow_schema

    for wanted in arrow_schema(CANONICAL[table]):
        if wanted.name not in found.names:
            raise DataError(f"The column {wanted.name} of {table} is missing.", fix=_how(table), where=where)
        kind = found.field(wanted.name).type
        if pa.types.is_large_string(kind):
            kind = pa.string()
        if kind != wanted.type:
            hint = " Write times as naive UTC (Spark: timestamp_ntz)." if pa.types.is_timestamp(wanted.type) else ""
            raise DataError(
                f"The column {wanted.name} of {table} is {kind}, not {wanted.type}.",
                fix=f"Cast it when the table is filled.{hint}",
                where=where,
            )


def _how(table: str) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in CANONICAL[table].items())
    return f"Fill the table {table} with the columns {columns}."


def _dataset(engine: Engine, said: Mapping[str, Any]) -> Dataset:
    import ibis

    from lifecycle_kit.engine.base import fetch

    log = ibis.table(CANONICAL["log"], name="log")
    span = said.get("first_at"), said.get("last_at")
    if "written_by" not in said:
        _check_rows(engine)
    if None in span:
        found = fetch(log.aggregate(first=log.occurred_at.min(), last=log.occurred_at.max()), engine).to_pylist()[0]
        span = found["first"], found["last"]
    if None in span:
        raise DataError("There is no touchpoint in the log.", fix="Fill the table log.")
    timezone, currency = said.get("timezone", "UTC"), said.get("currency")
    counts = said.get("tables") or {
        table: fetch(_count(table), engine)["n"][0].as_py() for table in CANONICAL if table in _NEEDED
    }
    report = _report(said, engine, timezone, counts)
    return Dataset(engine, said["name"], timezone, currency, report, *span, counts)


def _check_rows(engine: Engine) -> None:
    """Refuse rows without what every row must have, and keys of several persons: every answer would be wrong."""
    import ibis

    from lifecycle_kit.engine.base import fetch

    for table, filled in _FILLED.items():
        rows = ibis.table(CANONICAL[table], name=table)
        empty = fetch(rows.aggregate(**{c: rows[c].isnull().sum() for c in filled}), engine).to_pylist()[0]
        for column, n in empty.items():
            if n:
                raise DataError(f"{n:,} rows of {table} have no {column}.", fix="Leave such rows out, or fill it.")
    persons = ibis.table(CANONICAL["persons"], name="persons")
    keys = persons.aggregate(n=persons.count(), n_keys=persons.person_key.nunique())
    found = fetch(keys, engine).to_pylist()[0]
    if found["n"] != found["n_keys"]:
        raise DataError(
            f"The table persons has {found['n']:,} rows and {found['n_keys']:,} different keys.",
            fix="Give each person one row and one person_key.",
        )


def _count(table: str) -> Any:
    import ibis

    rows = ibis.table(CANONICAL[table], name=table)
    return rows.aggregate(n=rows.count())


def _report(said: Mapping[str, Any], engine: Engine, timezone: str, counts: Mapping[str, int]) -> CheckReport:
    """Return what the check at the door found, without the rows set aside; or what the tables themselves tell."""
    import pyarrow as pa

    told = said.get("report") or {}
    try:
        accounts = tuple(Account(**{k: v for k, v in a.items() if k != "n_rows"}) for a in told.get("tables", ()))
        warnings = tuple(Warned(**w | {"examples": tuple(w["examples"])}) for w in told.get("warnings", ()))
        able = {c["name"]: Capability(**c | {"missing": tuple(c["missing"])}) for c in told.get("capabilities", ())}
        notes = tuple(map(str, told.get("notes", ())))
    except (TypeError, KeyError, AttributeError) as error:
        raise DataError("The report in it is not one of this kit.", fix="Leave it out.", where=DATASET_JSON) from error
    texts = pa.string()
    columns = {"file": texts, "line": pa.int64(), "table": texts, "reasons": pa.list_(texts), "raw": texts}
    return CheckReport(
        name=said["name"],
        timezone=timezone,
        currency=said.get("currency"),
        tables=accounts,
        n_rows=counts,
        files=(),
        notes=notes,
        warnings=warnings,
        capabilities=able or capabilities_of(_found_in(engine)),
        set_aside=pa.schema(list(columns.items())).empty_table(),
    )


def _found_in(engine: Engine) -> set[str]:
    """Return what the canonical tables hold, in the words of CAPABILITIES."""
    import ibis

    from lifecycle_kit.engine.base import fetch

    log, persons = (ibis.table(CANONICAL[table], name=table) for table in ("log", "persons"))
    events = set(fetch(log.select("event").distinct(), engine)["event"].to_pylist())
    filled = {
        "events.revenue": log.aggregate(n=log.revenue.count()),
        "events.channel": log.aggregate(n=log.channel.count()),
        "orders.refunded_at": log.aggregate(n=log.refunded_at.count()),
        "orders.ingested_at": log.aggregate(n=(log.known_at > log.occurred_at).sum()),
        "customers.acquired_channel": persons.aggregate(n=persons.acquired_channel.count()),
        "orders.cost": log.aggregate(n=log.cost.count(where=log.event == "order_completed")),
        "identities": _count("devices"),
        "events.anonymous_id": _count("devices"),
        **{table: _count(table) for table in ("costs", "surveys", "referrals")},
    }
    return {f"event:{event}" for event in events} | {
        what for what, count in filled.items() if fetch(count, engine)["n"][0].as_py()
    }
