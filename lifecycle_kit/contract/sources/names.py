"""Names at the border: column and table names that a raw relation can have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["check_columns", "check_table_name"]

RESERVED = ("_file", "_line")


def check_columns(names: Iterable[object], *, where: str, also_reserved: Sequence[str] = ()) -> list[str]:
    """Return the column names as a list of distinct texts, or raise a DataError that names the offender."""
    seen: dict[str, str] = {}
    for position, name in enumerate(names, start=1):
        if not isinstance(name, str):
            raise DataError(
                f"Column {position} is called {name!r}, which is {type(name).__name__}, not text.",
                fix="Give every column a text name.",
                where=where,
            )
        if not name.strip():
            raise DataError(f"Column {position} has no name.", fix="Name it, or leave it out.", where=where)
        # the engine does not tell upper from lower case in names
        key = name.casefold()
        if key in RESERVED or key in also_reserved:
            raise DataError(
                f"Column {position} is called {name!r}, a name that the reader needs for itself.",
                fix="Rename that column.",
                where=where,
            )
        if key in seen:
            twice = f"twice: {name!r}" if seen[key] == name else f"that differ only in case: {seen[key]!r}, {name!r}"
            raise DataError(
                f"The header has column names {twice}.", fix="Rename or remove one of the two.", where=where
            )
        seen[key] = name
    if not seen:
        raise DataError("There are no columns.", fix="Give a table with at least one column.", where=where)
    return list(seen.values())


def check_table_name(engine: DuckDBEngine, name: str) -> None:
    """Raise a UsageError when the engine already holds a relation called `name`."""
    taken = engine.rows(
        "SELECT 1 FROM information_schema.tables WHERE table_catalog = current_database() "
        "AND lower(table_name) = lower(?)",
        [name],
    )
    if taken:
        raise UsageError(f"The engine already holds a relation {name!r}.", fix="Give another table_name.")
