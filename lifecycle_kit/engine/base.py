"""What an engine must do for an analysis: run SQL text over the canonical tables, give Arrow, write Parquet.

Heavy queries are Ibis expressions over declared schemas. They are only compiled here (`ibis.to_sql`),
never run by an Ibis back end, so an engine stays small and the newest release of each database works.

Loading and checking ask for more, and have it from DuckDB alone: it is the door. What comes through the
door can be handed over to any engine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lifecycle_kit.errors import RunError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

__all__ = ["Engine", "arrow_schema", "compile_sql", "fetch"]


class Engine(Protocol):
    """The few verbs that an analysis asks of a database.

    Attributes
    ----------
    name : str
        As users write it: duckdb, postgres, spark.
    dialect : str
        As Ibis calls its SQL.
    scratch : Path
        A folder of its own, gone when the engine is closed.
    reads_in_place : bool
        Whether the files given to `read_parquet` must stay until it is closed.
    splits_work : bool
        Whether a large question is better asked in parts, so that it fits into memory.
    writes_parts : bool
        Whether `to_parquet` writes a folder of parts where the path has no ending.
    """

    @property
    def name(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def scratch(self) -> Path: ...
    @property
    def reads_in_place(self) -> bool: ...
    @property
    def splits_work(self) -> bool: ...
    @property
    def writes_parts(self) -> bool: ...

    def arrow(self, sql: str) -> pa.Table:
        """Run a query and return all its rows as an Arrow table."""

    def store(self, name: str, *queries: str) -> None:
        """Keep the rows of one or several queries, one after another, as a table called `name`; all or nothing."""

    def read_parquet(self, name: str, path: Path) -> None:
        """Make a Parquet file, or a folder of Parquet files, readable under `name`."""

    def read_table(self, name: str, schema: str) -> None:
        """Make a table that is already in the database readable under its own name; it is never changed."""

    def to_parquet(self, sql: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file, whole or not at all, a part at a time."""

    def drop(self, table: str) -> None:
        """Remove a table that `store` made and nobody needs any more; without effect on a closed engine."""

    def close(self) -> None:
        """Give back connections and scratch space. Safe to call twice."""


def compile_sql(expr: ir.Table, engine: Engine) -> str:
    """Return the SQL text of an Ibis expression in the engine's dialect."""
    import ibis

    return str(ibis.to_sql(expr, dialect=engine.dialect))


def fetch(expr: ir.Table, engine: Engine) -> pa.Table:
    """Run an Ibis expression and return all its rows, with the same types whatever engine ran it.

    Raises
    ------
    RunError
        When a number does not fit into 64 bits.
    """
    import pyarrow as pa

    found = engine.arrow(compile_sql(expr, engine))
    try:
        return found.cast(arrow_schema({name: str(kind) for name, kind in expr.schema().items()}))
    except pa.ArrowInvalid as error:
        raise RunError(
            f"A sum is too large for 64 bits: {error}.", fix="Look for amounts that cannot be true with 'check'."
        ) from error


def arrow_schema(declared: dict[str, str]) -> pa.Schema:
    """Return the Arrow schema of columns declared in Ibis's words: whole numbers are 64 bits, times microseconds."""
    import pyarrow as pa

    def arrow_type(kind: str) -> pa.DataType:
        kind = kind.removeprefix("!").partition("(")[0]
        if kind.startswith(("int", "uint")):
            return pa.int64()
        if kind.startswith("float"):
            return pa.float64()
        return {"string": pa.string(), "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us")}[
            kind
        ]

    return pa.schema([(name, arrow_type(kind)) for name, kind in declared.items()])
