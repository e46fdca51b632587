"""DuckDB, the embedded engine: one scratch database per dataset, on disk so that memory stays bounded."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from lifecycle_kit.errors import RunError, UsageError
from lifecycle_kit.export import written_whole

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DuckDBEngine", "EngineFailure"]

# what DuckDB raises, for those who may not import it
EngineFailure = duckdb.Error


class DuckDBEngine:
    """A private DuckDB database in a scratch folder that goes when the engine is closed.

    Parameters
    ----------
    memory_limit : str, default "2GB"
        DuckDB's own limit; beyond it, work spills to the scratch folder.
    scratch : path, optional
        Where the scratch folder is made; the system's temporary folder by default.
    """

    name = dialect = "duckdb"
    reads_in_place = True
    splits_work = True
    writes_parts = False

    def __init__(self, *, memory_limit: str = "2GB", scratch: str | os.PathLike[str] | None = None) -> None:
        self.scratch = folder = Path(tempfile.mkdtemp(prefix="lifecycle-", dir=scratch))
        self.connection = duckdb.connect(str(folder / "work.duckdb"))
        self._clean = weakref.finalize(self, _discard, self.connection, folder)
        self.execute("SET TimeZone = 'UTC'")
        self.execute(f"SET memory_limit = '{memory_limit}'")
        self.execute(f"SET temp_directory = {_literal(str(folder / 'spill'))}")
        self.execute("SET preserve_insertion_order = false")
        # in a notebook without ipywidgets the bar is off, and DuckDB refuses even to be told so
        if self.rows("SELECT current_setting('enable_progress_bar')") != [(False,)]:
            self.execute("SET enable_progress_bar = false")

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None:
        """Run a statement that gives no rows."""
        # rows are fetched: DuckDB 2.0 keeps the connection busy until a result is read to its end
        self.rows(sql, parameters)

    def arrow(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Run a query and return all its rows as an Arrow table."""
        with _clear_errors():
            return self.connection.sql(sql, params=parameters or None).to_arrow_table()

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a small query and return its rows as Python tuples."""
        with _clear_errors():
            return self.connection.execute(sql, parameters or None).fetchall()

    def register(self, name: str, table: Any) -> None:
        """Make an Arrow table (or record batch reader) readable under `name`."""
        self.connection.register(name, table)

    def unregister(self, name: str) -> None:
        """Forget a registered table."""
        self.connection.unregister(name)

    def store(self, name: str, *queries: str) -> None:
        """Keep the rows of one or several queries, one after another, as a table called `name`; all or nothing."""
        first, *others = queries
        self.execute(f"CREATE TABLE {name} AS {first}")
        try:
            for sql in others:
                self.execute(f"INSERT INTO {name} {sql}")
        except BaseException:
            self.drop(name)
            raise

    def store_arrow(self, name: str, tables: Iterable[pa.Table]) -> None:
        """Keep the rows of Arrow tables, one table after another, as a table called `name`; all or nothing."""
        is_new = True
        try:
            for table in tables:
                self.register("_given", table)
                self.execute(f"CREATE TABLE {name} AS FROM _given" if is_new else f"INSERT INTO {name} FROM _given")
                self.unregister("_given")
                is_new = False
        except BaseException:
            self.drop(name)
            raise

    def read_parquet(self, name: str, path: Path, columns: Sequence[str]) -> None:
        """Make these columns of a Parquet file, or of a folder of Parquet files, readable under `name`."""
        files = _literal(str(path / "**" / "*.parquet") if path.is_dir() else str(path))
        named = ", ".join(map(_quoted, columns))
        self.execute(f"CREATE VIEW {name} AS SELECT {named} FROM read_parquet({files})")

    def table_schema(self, name: str, schema: str) -> pa.Schema | None:
        """Refuse: this engine's database is made anew for each dataset."""
        raise UsageError(
            f"The schema {schema!r} is not in DuckDB: its database is made anew for each dataset.",
            fix="Give the folder of the Parquet files instead.",
        )

    def read_table(self, name: str, schema: str, columns: Sequence[str]) -> None:
        """Refuse, as `table_schema` does."""
        self.table_schema(name, schema)

    def to_parquet(self, sql: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file, whole or not at all."""
        with written_whole(path) as part:
            try:
                self.execute(f"COPY ({sql}) TO {_literal(str(part))} (FORMAT parquet, COMPRESSION zstd)")
            except duckdb.IOException as error:
                raise OSError(str(error).splitlines()[0].rstrip(".")) from error

    def columns(self, table: str) -> dict[str, str]:
        """Column names and types of a table or view, in order."""
        return {name: kind for name, kind, *_ in self.rows(f"DESCRIBE {_quoted(table)}")}

    def drop(self, table: str) -> None:
        """Remove a table that nobody needs any more; without effect on a closed engine."""
        if self._clean.alive:
            self.execute(f"DROP TABLE IF EXISTS {table}")

    def close(self) -> None:
        """Close the connection and remove the scratch folder. Safe to call twice."""
        self._clean()


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise RunError(
            f"The data does not fit in the memory or disk given: {str(error).splitlines()[0]}",
            fix="Raise memory_limit, or give a scratch folder on a larger disk.",
        ) from error
    except duckdb.ConnectionException as error:
        if "closed" not in str(error):
            raise
        raise UsageError("The dataset is closed.", fix="Load it again, or ask inside its with block.") from error


def _discard(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    connection.close()
    shutil.rmtree(folder, ignore_errors=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
