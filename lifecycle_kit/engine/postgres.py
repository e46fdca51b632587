"""PostgreSQL: a schema of our own for as long as a dataset is open; nothing else there is ever changed.

Rows come and go by COPY in CSV form, which pyarrow reads and writes: exact for nulls, empty texts, quotes and
line ends, a part at a time.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.engine.postgres_link import Link
from lifecycle_kit.errors import DataError, LifecycleError, RunError
from lifecycle_kit.export import written_whole

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PostgresEngine"]

_PART_BYTES = 8_000_000
_PART_ROWS = 50_000
_SETTINGS = (
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO, MDY'",
    "SET standard_conforming_strings = on",
    "SET default_transaction_read_only = off",
    "SET work_mem = '64MB'",
    "SET jit = off",  # compiling these long queries costs more than it gives
    "SET client_min_messages = warning",
)


class PostgresEngine:
    """A scratch schema on a PostgreSQL server, dropped when the engine is closed.

    Parameters
    ----------
    connection : str
        Name of the environment variable that says how to connect.
    deadline : float
        Seconds that the server may take to answer.
    scratch : path, optional
        Where the local scratch folder is made.

    Raises
    ------
    UsageError
        When the variable is not set or unclear, or psycopg is missing.
    RunError
        When the server cannot be reached, refuses, or does not answer in time.
    """

    name = dialect = "postgres"
    reads_in_place = False
    splits_work = False
    writes_parts = False

    def __init__(self, connection: str, *, deadline: float, scratch: str | os.PathLike[str] | None = None) -> None:
        self._link = Link(connection, deadline=deadline)
        self._schema = _Schema(f"lifecycle_{secrets.token_hex(8)}")
        self.scratch = Path(tempfile.mkdtemp(prefix="lifecycle-", dir=scratch))
        self._clean = weakref.finalize(self, _leave, self._link, self._schema, self.scratch)
        try:
            self._link.run("; ".join((*_SETTINGS, f"SET statement_timeout = {round(deadline * 1000)}")))
            self._link.run(f"CREATE SCHEMA {self._schema.name}")
            self._schema.exists = True
            self._link.run(f"SET search_path TO {self._schema.name}")
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"PostgresEngine({self._link.variable!r})"

    def arrow(self, sql: str) -> pa.Table:
        """Run a query and return all its rows as an Arrow table."""
        import pyarrow as pa

        schema = self._columns_of(sql)
        return pa.Table.from_batches(self._parts(sql, schema), schema)

    def store(self, name: str, *queries: str) -> None:
        """Keep the rows of one or several queries, one after another, as a table called `name`; all or nothing."""
        self._drop_unneeded()
        first, *others = queries
        with self._link.answering() as alive, self._link.connection.transaction():
            self._link.connection.execute(f"CREATE UNLOGGED TABLE {name} AS {first}".encode())
            for sql in others:
                alive()
                self._link.connection.execute(f"INSERT INTO {name} {sql}".encode())
        self._schema.tables.append(name)
        self._link.run(f"ANALYZE {name}")

    def read_parquet(self, name: str, path: Path, columns: Sequence[str]) -> None:
        """Copy these columns of a Parquet file, or of a folder of Parquet files, into a table called `name`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        kinds = {str(field.name): _declared(field.type) for field in pq.read_schema(files[0])}
        try:
            self._link.run(f"CREATE UNLOGGED TABLE {name} ({', '.join(f'{c} {kinds[c]}' for c in columns)})")
            self._schema.tables.append(name)
            copying = f"COPY {name} ({', '.join(columns)}) FROM STDIN (FORMAT csv)".encode()
            with self._link.answering() as alive, self._link.connection.cursor().copy(copying) as copy:
                for file in files:
                    with pq.ParquetFile(file) as opened:
                        for batch in opened.iter_batches(_PART_ROWS, columns=list(columns)):
                            copy.write(_as_csv(batch.select(list(columns))))
                            alive()
        except pa.ArrowException as error:
            raise DataError("It cannot be read as Parquet.", fix="Write it again.", where=str(path)) from error
        self._link.run(f"ANALYZE {name}")

    def table_schema(self, name: str, schema: str) -> pa.Schema | None:
        """Return the columns of a table that is already in the database; None where there is none."""
        if not self._link.rows("SELECT 1 WHERE to_regclass(%s) IS NOT NULL", (f"{schema}.{name}",)):
            return None
        return self._columns_of(f"SELECT * FROM {schema}.{name}")

    def read_table(self, name: str, schema: str, columns: Sequence[str]) -> None:
        """Make these columns of such a table readable under its own name; it is never changed."""
        found = self._columns_of(f"SELECT * FROM {schema}.{name}")
        # texts are compared letter by letter, as the other engines do, whatever the database's own order
        shown = [f'{c}::{_declared(found.field(c).type)} AS "{c}"' for c in columns]
        self._link.run(f"CREATE VIEW {name} AS SELECT {', '.join(shown)} FROM {schema}.{name}")
        self._schema.views.append(name)

    def to_parquet(self, sql: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file, whole or not at all, a part at a time."""
        import pyarrow.parquet as pq

        schema = self._columns_of(sql)
        with written_whole(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in self._parts(sql, schema):
                writer.write_batch(batch)

    def drop(self, table: str) -> None:
        """Remove a table that nobody needs any more: with the next question, for this may come in the midst of one."""
        self._schema.unneeded.append(table)

    def close(self) -> None:
        """Drop our schema, hang up and remove the scratch folder. Safe to call twice."""
        self._clean()

    def _drop_unneeded(self) -> None:
        while self._schema.unneeded:
            table = self._schema.unneeded.popleft()
            if table in self._schema.tables:
                self._link.run(f"DROP TABLE {table}")
                self._schema.tables.remove(table)

    def _columns_of(self, sql: str) -> pa.Schema:
        import pyarrow as pa

        self._drop_unneeded()
        with self._link.answering():
            told = self._link.connection.execute(f"SELECT * FROM ({sql}) AS q LIMIT 0".encode()).description or ()
        return pa.schema([(column.name, _arrow_type(column.type_code)) for column in told])

    def _parts(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Read the rows of a query, some megabytes at a time."""
        copying = f"COPY ({sql}) TO STDOUT (FORMAT csv)".encode()
        with self._link.answering() as alive, self._link.connection.cursor().copy(copying) as copy:
            while True:
                rows, size = [], 0
                while size < _PART_BYTES and (row := copy.read()):  # one row of the answer each
                    rows.append(row)
                    size += len(row)
                if not rows:
                    return
                alive()
                yield from _from_csv(b"".join(rows), schema)
                alive()


class _Schema:
    """What we made on the server, so that just this is dropped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.exists = False
        self.tables: list[str] = []
        self.views: list[str] = []
        self.unneeded: deque[str] = deque()

    def dropping(self) -> Iterator[str]:
        """Give the statements that remove it; without CASCADE, so that nothing of others goes along."""
        for kind, names in (("VIEW", self.views), ("TABLE", self.tables)):
            if names:
                listed = ", ".join(f"{self.name}.{name}" for name in reversed(names))
                yield f"DROP {kind} IF EXISTS {listed}"
        yield f"DROP SCHEMA IF EXISTS {self.name}"


def _leave(link: Link, schema: _Schema, scratch: Path) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        if schema.exists:
            if not link.is_open:
                link.call_again()
            for statement in schema.dropping():
                link.run(statement)
    except LifecycleError:
        pass  # an unreachable server keeps the schema: engine/README.md says how to find it
    finally:
        link.close()


def _arrow_type(oid: int) -> pa.DataType:
    """Return the Arrow type of a PostgreSQL type, by its number; a sum of whole numbers (numeric) is one again."""
    import pyarrow as pa

    known = {
        16: pa.bool_(),
        20: pa.int64(),
        21: pa.int16(),
        23: pa.int32(),
        25: pa.string(),
        700: pa.float32(),
        701: pa.float64(),
        1043: pa.string(),
        1082: pa.date32(),
        1114: pa.timestamp("us"),
        1184: pa.timestamp("us", tz="UTC"),
        1700: pa.int64(),
    }
    return known.get(oid, pa.string())


def _declared(kind: pa.DataType) -> str:
    """Return the PostgreSQL type of a canonical column; texts are ordered letter by letter, as other engines do."""
    import pyarrow as pa

    known = {pa.int64(): "bigint", pa.bool_(): "boolean", pa.date32(): "date", pa.timestamp("us"): "timestamp"}
    return known.get(kind, 'text COLLATE "C"')


def _as_csv(batch: pa.RecordBatch) -> bytes:
    """Return rows as COPY reads them: a null is nothing, a text is in quotes."""
    import pyarrow.csv as pc

    sink = io.BytesIO()
    pc.write_csv(batch, sink, pc.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getvalue()


def _from_csv(rows: bytes, schema: pa.Schema) -> list[pa.RecordBatch]:
    """Read rows as COPY writes them."""
    import pyarrow as pa
    import pyarrow.csv as pc

    try:
        table = pc.read_csv(
            pa.BufferReader(rows),
            read_options=pc.ReadOptions(column_names=schema.names, block_size=max(len(rows), 1)),
            parse_options=pc.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pc.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise RunError(
            f"A value does not fit into its type: {str(error).splitlines()[0]}.",
            fix="Look for amounts that cannot be true with 'check'.",
        ) from error
    return list(table.cast(schema).to_batches())
