"""What flows from one raw table into one contract table: which rows, which columns, how many lines to a row.

A table that already has the contract's columns is the simplest feed; a mapping file makes the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.parse import ParseOptions
from lifecycle_kit.contract.sources import reading
from lifecycle_kit.contract.sqltext import ident
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.errors import DataError, nearest

if TYPE_CHECKING:
    from lifecycle_kit.contract.sources import RawTable
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Feed", "Plan", "RawProbe", "plain_feed"]


@dataclass(frozen=True)
class Plan:
    """Where one canonical column comes from.

    Attributes
    ----------
    columns : tuple of str
        Raw columns: one, or the factors of a product, or those named in `text`.
    text : str, optional
        A constant, or a template such as ``guest:{InvoiceNo}``.
    is_product : bool
    is_negated : bool
        Turn the sign of an amount: a refund's amount is positive.
    values : dict of str
        Source value -> canonical value.
    """

    columns: tuple[str, ...] = ()
    text: str | None = None
    is_product: bool = False
    is_negated: bool = False
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Feed:
    """One flow into a contract table.

    Attributes
    ----------
    table : str
        Contract table it fills.
    raw : RawTable
    columns : dict of Plan
        Canonical column -> plan.
    where : str
        SQL predicate over the raw columns: the rows it takes.
    group_by : tuple of str
        Raw columns whose equal values make one row; empty: every line is a row.
    options : ParseOptions
    name : str
        What messages call it.
    notes : tuple of str
    """

    table: str
    raw: RawTable
    columns: dict[str, Plan]
    options: ParseOptions
    where: str = "TRUE"
    group_by: tuple[str, ...] = ()
    name: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RawProbe:
    """Asks questions about the rows that a feed takes."""

    engine: DuckDBEngine
    feed: Feed

    def ask(self, *aggregates: str) -> tuple[Any, ...]:
        """Return one row of aggregates."""
        return self._rows(f"SELECT {', '.join(aggregates)} FROM {self._from}")[0]

    def has(self, predicate: str) -> bool:
        """Say whether any row fulfils the predicate; stops at the first."""
        return bool(self._rows(f"SELECT 1 FROM {self._from} AND ({predicate}) LIMIT 1"))

    def lines(self, predicate: str, value: str, n: int = 3) -> str:
        """Return up to `n` examples with file and line."""
        found = self._rows(
            f"""SELECT _file, _line, left(CAST({value} AS VARCHAR), 60) FROM {self._from} AND ({predicate})
            ORDER BY _file, _line LIMIT {n}"""
        )
        return ", ".join(f"{file} line {line} {text!r}" for file, line, text in found)

    def values(self, sql: str) -> list[tuple[Any, int]]:
        """Return the distinct values of an expression with their counts, most frequent first."""
        return [
            (v, n) for v, n in self._rows(f"SELECT {sql}, count(*) FROM {self._from} GROUP BY 1 ORDER BY 2 DESC, 1")
        ]

    @property
    def _from(self) -> str:
        return f"{ident(self.feed.raw.name)} WHERE ({self.feed.where})"

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with reading(self.engine, self.feed.raw):
            return self.engine.rows(sql)


def plain_feed(table: str, raw: RawTable, options: ParseOptions) -> Feed:
    """Return the feed of a raw table that has the contract's own column names.

    Raises
    ------
    DataError
        A required column is missing: says what was found, the nearest name and how to map it.
    """
    found = {c: Plan((c,)) for c in raw.columns if c in {k.name for k in TABLES[table].columns}}
    missing = [c for c in TABLES[table].required if c not in found]
    if missing:
        raise DataError(
            f"The table {table} has no column {' and no '.join(map(repr, missing))}; "
            f"found: {', '.join(map(repr, raw.columns))}.",
            fix=_how_to_map(table, missing, [c for c in raw.columns if c not in found]),
            where=raw.files[0].display if raw.files else None,
        )
    unused = ", ".join(repr(c) for c in raw.columns if c not in found)
    notes = (f"{table}: not used, as the contract has no such columns: {unused}",) if unused else ()
    return Feed(table, raw, found, options, name=table, notes=notes)


def _how_to_map(table: str, missing: list[str], others: list[str]) -> str:
    pairs = []
    for name in missing:
        like = _like(name, others)
        pairs.append(f"{name}: {like!r}" if like else f"{name}: <your column>")
    guess = "Nearest names are filled in; nothing is matched unasked. " if any("<" not in p for p in pairs) else ""
    return f"{guess}Say it in a mapping file: routes: [{{table: {table}, columns: {{{', '.join(pairs)}}}}}]."


# other words for the same thing, only ever used to make a suggestion
_WORDS: dict[str, tuple[str, ...]] = {
    "person_id": ("customer_id", "customerid", "client_id", "client", "user_id", "customer", "id_client", "member_id"),
    "ordered_at": ("date", "order_date", "invoicedate", "created_at", "timestamp", "datetime", "date_commande"),
    "net_revenue": ("amount", "montant", "montant ttc", "total", "revenue", "price", "value", "montant ht", "sales"),
    "occurred_at": ("date", "timestamp", "event_time", "event_timestamp", "time", "created_at"),
    "event": ("event_name", "event_type", "action", "type"),
    "date": ("day", "jour"),
    "amount": ("cost", "spend", "montant"),
    "score": ("nps", "rating", "note"),
    "at": ("date", "answered_at", "timestamp"),
}


def _like(name: str, others: list[str]) -> str | None:
    simple = {o.strip().casefold().replace(" ", "_"): o for o in others}
    for word in (name, *_WORDS.get(name, ())):
        if word.replace(" ", "_") in simple:
            return simple[word.replace(" ", "_")]
    for word in (name, *_WORDS.get(name, ())):
        if close := nearest(word, list(simple)):
            return simple[close]
    return None
