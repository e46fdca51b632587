"""A table of a DuckDB file, copied: the file is locked only while it is read, and stays as it was read."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lifecycle_kit.contract.sources.describe import RawFile, RawTable, no_unreadable
from lifecycle_kit.contract.sources.files import InputFile
from lifecycle_kit.contract.sources.names import check_columns
from lifecycle_kit.contract.sqltext import ident, literal
from lifecycle_kit.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["list_tables", "read_database"]

WAITS_SECONDS = (0.1, 0.3, 0.6)


def list_tables(engine: DuckDBEngine, file: InputFile) -> list[str]:
    """Return the tables and views of a DuckDB file; those outside schema main as ``schema.table``."""
    with _attached(engine, file) as database:
        return sorted(_relations(engine, database))


def read_database(engine: DuckDBEngine, file: InputFile, table: str, *, table_name: str) -> RawTable:
    """Copy one table or view of a DuckDB file into the engine.

    Raises
    ------
    UnknownNameError
        The file has no such table.
    DataError
        Not readable, in use by another process, or 0 rows.
    """
    from lifecycle_kit.engine.duckdb import EngineFailure

    with _attached(engine, file) as database:
        relations = _relations(engine, database)
        by_lower = {name.lower(): name for name in relations}
        found = by_lower.get(table.lower().removeprefix("main."))
        if found is None:
            raise UnknownNameError("table", table, relations, where=file.display)
        schema, name, is_view = relations[found]
        source = ".".join(map(ident, (database, schema, name)))
        where = f"{file.display}, table {found}"
        # a view has no row ids
        line = "row_number() OVER ()" if is_view else "rowid + 1"
        try:
            described = engine.rows(f"DESCRIBE SELECT * FROM {source}")
            names = check_columns([row[0] for row in described], where=where)
            fields = ", ".join(
                f"CAST({ident(c)} AS VARCHAR) AS {ident(c)}" if row[1] == '"NULL"' else ident(c)
                for c, row in zip(names, described, strict=True)
            )
            engine.execute(
                f"CREATE TABLE {ident(table_name)} AS "
                f"SELECT {fields}, {literal(file.display)} AS _file, {line} AS _line FROM {source}"
            )
        except EngineFailure as failure:
            raise _unreadable(failure, where) from failure
    [(n_rows,)] = engine.rows(f"SELECT count(*) FROM {ident(table_name)}")
    if not n_rows:
        engine.execute(f"DROP TABLE {ident(table_name)}")
        raise DataError("The table has 0 rows.", fix="Give a table with data.", where=where)
    kinds = {c: k for c, k in engine.columns(table_name).items() if c not in ("_file", "_line")}
    notes = (*file.notes, f"table {found}")
    if file.path.with_name(file.path.name + ".wal").exists():
        notes += ("changes still in its .wal file were read too",)
    raw = RawFile(file.path, file.display, "duckdb", n_rows, file.sha256, file.size_bytes, notes=notes)
    return RawTable(table_name, kinds, (raw,), n_rows, no_unreadable())


def _relations(engine: DuckDBEngine, database: str) -> dict[str, tuple[str, str, bool]]:
    rows = engine.rows(
        "SELECT schema_name, table_name, false FROM duckdb_tables() WHERE database_name = ? AND NOT internal "
        "UNION ALL SELECT schema_name, view_name, true FROM duckdb_views() WHERE database_name = ? AND NOT internal",
        [database, database],
    )
    return {(n if s == "main" else f"{s}.{n}"): (s, n, is_view) for s, n, is_view in rows}


@contextmanager
def _attached(engine: DuckDBEngine, file: InputFile) -> Iterator[str]:
    from lifecycle_kit.engine.duckdb import EngineFailure

    database = f"source_{uuid.uuid4().hex[:8]}"
    for wait in (*WAITS_SECONDS, None):
        try:
            engine.execute(f"ATTACH {literal(str(file.path))} AS {database} (TYPE duckdb, READ_ONLY)")
            break
        except EngineFailure as failure:
            if "set lock" not in str(failure):
                raise _unreadable(failure, file.display) from failure
            if wait is None:
                raise _in_use(failure, file.display) from failure
            time.sleep(wait)
    try:
        yield database
    finally:
        engine.execute(f"DETACH {database}")


def _in_use(failure: Exception, display: str) -> DataError:
    holder = re.search(r"PID (\d+)", str(failure))
    return DataError(
        f"The DuckDB file is in use by {f'process {holder.group(1)}' if holder else 'another process'}, which writes.",
        fix="Close it there (a notebook, a DBeaver window), or give a copy of the file.",
        where=display,
    )


def _unreadable(failure: Exception, where: str) -> DataError:
    if "Unique file handle conflict" in str(failure):
        return DataError(
            "The DuckDB file is in use by another connection of this Python process.",
            fix="Close that connection, or give a copy of the file.",
            where=where,
        )
    # the message has the absolute path in it, which is nobody's business
    reason = re.sub(r'"(/[^"]*/|[A-Za-z]:\\[^"]*\\)', '"', (str(failure).splitlines() or ["unknown"])[0]).rstrip(".!")
    return DataError(f"DuckDB cannot read it: {reason}.", fix="Copy the file again, or check the view.", where=where)
