"""What an engine must do for an analysis: run SQL text over the canonical tables, give Arrow, write Parquet.

Heavy queries are Ibis expressions over declared schemas. They are only compiled here (`ibis.to_sql`),
never run by an Ibis back end, so an engine stays small and the newest release of each database works.

Loading and checking ask for more, and have it from DuckDB alone: it is the door. What comes through the
door can be handed over to any engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lifecycle_kit.errors import RunError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

__all__ = ["EmbeddedEngine", "Engine", "arrow_schema", "compile_sql", "fetch", "sql_for"]


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

    def read_parquet(self, name: str, path: Path, columns: Sequence[str]) -> None:
        """Make these columns of a Parquet file, or of a folder of Parquet files, readable under `name`."""

    def table_schema(self, name: str, schema: str) -> pa.Schema | None:
        """Return the columns of a table that is already in the database; None where there is none."""

    def read_table(self, name: str, schema: str, columns: Sequence[str]) -> None:
        """Make these columns of such a table readable under its own name; it is never changed."""

    def to_parquet(self, sql: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file, whole or not at all, a part at a time."""

    def drop(self, table: str) -> None:
        """Remove a table that `store` made and nobody needs any more; without effect on a closed engine."""

    def close(self) -> None:
        """Give back connections and scratch space. Safe to call twice."""


class EmbeddedEngine(Engine, Protocol):
    """An engine inside this process: Arrow tables pass both ways without a copy (`splits_work` tells it)."""

    def store_arrow(self, name: str, tables: Iterable[pa.Table]) -> None:
        """Keep the rows of Arrow tables, one table after another, as a table called `name`; all or nothing."""


def compile_sql(expr: ir.Table, engine: Engine) -> str:
    """Return the SQL text of an Ibis expression in the engine's dialect."""
    return sql_for(expr, engine.dialect)


def sql_for(expr: ir.Table, dialect: str) -> str:
    """Return the SQL text of an Ibis expression in a dialect by Ibis's name, such as postgres or pyspark."""
    import ibis
    from ibis.config import Config

    class Spark(Config):  # type: ignore[misc]
        treat_nan_as_null: bool = False

    # Ibis sets this when its own back end starts, which never happens here; without it floats do not compile
    before, ibis.options.pyspark = ibis.options.pyspark, Spark()
    try:
        return str(ibis.to_sql(_with_plain_casts(expr) if dialect == "postgres" else expr, dialect=dialect))
    finally:
        ibis.options.pyspark = before


def _with_plain_casts(expr: ir.Table) -> ir.Table:
    """Write truth values that become numbers as a case of two: PostgreSQL has no cast from boolean to bigint."""
    import ibis.expr.operations as ops

    def spelt_out(node: Any, parts: dict[str, Any] | None) -> Any:
        made = node.__recreate__(parts) if parts else node
        if isinstance(made, ops.Cast) and made.arg.dtype.is_boolean() and made.to.is_integer():
            held = made.arg.to_expr()
            return held.cases((True, 1), (False, 0), else_=None).cast(made.to).op()
        return made

    return expr.op().replace(spelt_out).to_expr()


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
