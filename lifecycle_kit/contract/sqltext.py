"""The one place where a name or a text becomes part of DuckDB SQL, so that data never becomes code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

__all__ = ["KIND_TYPES", "any_of", "column_list", "ident", "instant", "literal"]

# what a column of each kind is once it is typed: money in cents, times naive UTC
KIND_TYPES: dict[str, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "money": "BIGINT",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "json": "VARCHAR",
}


def ident(name: str) -> str:
    """Return a table or column name in double quotes, safe whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Return a text (anything else is written as text first) as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def instant(moment: dt.datetime) -> str:
    """Return a naive instant as an SQL literal."""
    return f"TIMESTAMP {literal(moment.isoformat(sep=' '))}"


def column_list(names: Iterable[str]) -> str:
    """Return quoted names with commas between them."""
    return ", ".join(ident(name) for name in names)


def any_of(predicates: Iterable[str]) -> str:
    """Return the predicates joined by OR; FALSE when there are none."""
    return " OR ".join(f"({p})" for p in predicates) or "FALSE"
