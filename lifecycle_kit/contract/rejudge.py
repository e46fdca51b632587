"""Kept rows of some people become a dataset, judged by the same checks as a source that is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lifecycle_kit.contract.check import check_typed
from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.feeds import Feed
from lifecycle_kit.contract.kept import closure_rows, told_columns
from lifecycle_kit.contract.parse import ParseOptions
from lifecycle_kit.contract.report import CheckReport
from lifecycle_kit.contract.settle import settle
from lifecycle_kit.contract.sources import RawTable
from lifecycle_kit.contract.sources.describe import no_unreadable
from lifecycle_kit.contract.sqltext import KIND_TYPES, literal
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.contract.typed import Typed

if TYPE_CHECKING:
    from lifecycle_kit.contract.arrivals import Manner
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["rejudge"]


def rejudge(
    engine: DuckDBEngine, manner: Manner, relations: Mapping[str, list[str]], *, name: str, timezone: str
) -> Dataset:
    """Return the dataset of those who are in the table `touched`; its engine is the one given.

    Rows that did not stay, for standing twice or belonging to a test account, are in the table `rejudged_aside`:
    actor, tbl, file, line, reasons, amount.

    Parameters
    ----------
    relations : mapping of str to list of str
        Contract table -> relations of its kept rows, old and new.
    """
    feeds = [_feed(engine, manner, table, own) for table, own in relations.items()]

    def typed(index: int, feed: Feed) -> Typed:
        return Typed(feed, feed.raw.name, feed.raw.name, None, frozenset(feed.raw.columns))

    # a table without a row of theirs is still a table that the source has
    checked = check_typed(engine, feeds, typed, may_be_empty=True)
    rows = " UNION ALL ".join(f"SELECT {literal(f.table)} AS tbl, actor, _file, _line FROM {f.raw.name}" for f in feeds)
    engine.execute(
        f"""CREATE TABLE rejudged_aside AS SELECT r.actor, a.tbl, a.file, a.line, a.reasons, a.amount
        FROM _aside a JOIN ({rows}) r ON r.tbl = a.tbl AND r._file = a.file AND r._line = a.line"""
    )
    first_at, last_at = settle(engine, checked, timezone)
    report = CheckReport(name, timezone, manner.currency, tuple(checked.accounts), {}, (), (), (), {}, no_unreadable())
    return Dataset(engine, name, timezone, manner.currency, report, first_at, last_at, {})


def _feed(engine: DuckDBEngine, manner: Manner, table: str, own: list[str]) -> Feed:
    given = manner.columns[table]
    raw = f"again_{table}"
    engine.execute(f"CREATE TABLE {raw} AS {closure_rows(own, table, given)}")
    told = told_columns(table, given)
    types = {c.name: KIND_TYPES[c.kind] for c in TABLES[table].columns if c.name in told}
    options = ParseOptions(duplicates=manner.duplicates[table], negative_amount=manner.negative_amount)
    return Feed(table, RawTable(raw, types, (), 0, no_unreadable()), {}, options, name=table)
