"""What an engine must do: run SQL text over canonical tables, give Arrow, write Parquet.

Heavy queries are Ibis expressions over the declared schemas. They are only compiled here
(`ibis.to_sql`), never run by an Ibis back end, so an engine stays small and the newest
release of each database works.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

__all__ = ["Engine", "compile_sql"]


class Engine(Protocol):
    """The few verbs that an analysis asks of a database."""

    dialect: str

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None:
        """Run a statement that gives no rows."""

    def arrow(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Run a query and return all its rows as an Arrow table."""

    def register(self, name: str, table: Any) -> None:
        """Make an Arrow table (or record batch reader) readable under `name`."""

    def to_parquet(self, sql: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file, whole or not at all."""

    def columns(self, table: str) -> dict[str, str]:
        """Column names and types of a table or view."""

    def drop(self, table: str) -> None:
        """Remove a table that nobody needs any more; without effect on a closed engine."""

    def close(self) -> None:
        """Give back connections and scratch files."""


def compile_sql(expr: ir.Table, engine: Engine) -> str:
    """Return the SQL text of an Ibis expression in the engine's dialect."""
    import ibis

    return str(ibis.to_sql(expr, dialect=engine.dialect))
