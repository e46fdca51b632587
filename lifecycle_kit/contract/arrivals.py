"""How a source was read, and whether what came since can be read alone and give what reading all of it would."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.gather import Roots, gather
from lifecycle_kit.contract.kept import kept_rows
from lifecycle_kit.contract.load import check_gathered, clear, latest_time
from lifecycle_kit.contract.rules import RULES
from lifecycle_kit.contract.sources import reading
from lifecycle_kit.contract.sqltext import ident, instant, literal
from lifecycle_kit.errors import DataError, LifecycleError

if TYPE_CHECKING:
    from lifecycle_kit.contract.request import Request
    from lifecycle_kit.contract.sources import RawFile
    from lifecycle_kit.contract.typed import Typed
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Collector", "Manner", "UnfitError", "take_in"]


class UnfitError(LifecycleError):
    """What arrived cannot be added to what is kept; never seen by users, who get a state made anew instead."""


@dataclass(frozen=True)
class Manner:
    """How a source was read.

    Attributes
    ----------
    fingerprint : str
        Of everything that was declared.
    columns : dict
        Contract table -> canonical columns that the source gives.
    decisions : dict
        Feed -> source column with its type, and canonical column with how all of it is read.
    duplicates : dict
        Contract table -> what is done with different rows of one key.
    negative_amount : str or None
        What is done with orders of less than nothing.
    currency : str or None
    latest : str or None
        Times after it were in the future; None where that is declared, and does not move with the clock.
    awaited : str or None
        The earliest of them: when it has come the row is good, and everything must be read again.
    whole : str or None
        Why nothing can be added to this source.
    """

    fingerprint: str = ""
    columns: dict[str, list[str]] = field(default_factory=dict)
    decisions: dict[str, dict[str, str]] = field(default_factory=dict)
    duplicates: dict[str, str] = field(default_factory=dict)
    negative_amount: str | None = None
    currency: str | None = None
    latest: str | None = None
    awaited: str | None = None
    whole: str | None = None

    def why_not(self, request: Request) -> str | None:
        """Return why a request would read the same lines otherwise; None when it would not."""
        if self.fingerprint != request.fingerprint:
            return "the declarations, or the kit's way to read them, changed"
        now = latest_time(())
        if self.awaited is not None and dt.datetime.fromisoformat(self.awaited) <= now:
            return "times that lay in the future have come"
        if self.latest is not None and now < dt.datetime.fromisoformat(self.latest):
            return "the clock was turned back"
        return None

    def with_news(self, news: Manner) -> Manner:
        """Return the manner of the old and the new together.

        Raises
        ------
        UnfitError
            When the new was read in another way.
        """
        for feed, told in news.decisions.items():
            if self.decisions.get(feed) != told:
                was = self.decisions.get(feed, {})
                names = [c for c in told if was.get(c) != told[c]] + [c for c in was if c not in told]
                raise UnfitError(f"{', '.join(names[:3])} of {feed} must be read in another way than before")
        if news.currency not in (None, self.currency):
            raise UnfitError(f"there are amounts in {news.currency} now")
        if news.whole:
            raise UnfitError(news.whole)
        waits = [t for t in (self.awaited, news.awaited) if t]
        return replace(self, latest=news.latest, awaited=min(waits) if waits else None)


@dataclass(eq=False)
class Collector:
    """Watches the checks: keeps the readable rows of every table, and notes how they were read.

    Attributes
    ----------
    store : callable
        Given an engine, a contract table and SQL of its rows as they are kept, keeps them.
    latest : datetime
        Times after it are in the future, unless the source declares another limit.
    """

    store: Callable[[DuckDBEngine, str, str], None]
    latest: dt.datetime
    manner: Manner = field(default_factory=Manner)

    def __call__(self, engine: DuckDBEngine, table: str, everything: str, typed: dict[int, Typed]) -> None:
        """Take one contract table."""
        feeds = [t.feed for t in typed.values()]
        given = sorted(frozenset().union(*(t.columns for t in typed.values())))
        m = self.manner
        m.columns[table] = given
        m.duplicates[table] = feeds[0].options.duplicates
        m.decisions.update({f"{t.feed.name or table}": _decisions(t) for t in typed.values()})
        policies = {f.options.negative_amount for f in feeds}
        whole = m.whole
        if any(f.group_by for f in feeds):
            whole = "its lines are grouped into rows"
        elif table == "orders" and len(policies) > 1:
            whole = "its routes disagree about negative amounts"
        is_clocked = not any(f.options.cutoff for f in feeds)
        self.manner = replace(
            m,
            negative_amount=feeds[0].options.negative_amount if table == "orders" else m.negative_amount,
            awaited=_awaited(engine, table, typed, self.latest, m.awaited) if is_clocked else None,
            latest=self.latest.isoformat() if is_clocked else None,
            whole=whole,
        )
        self.store(engine, table, kept_rows(table, everything, given))


@dataclass(frozen=True)
class Arrived:
    """New rows, in the engine's tables `arrived_<table>`; lines that are no rows are in `arrived_aside`.

    Attributes
    ----------
    manner : Manner
    relations : dict of str
        Contract table -> relation of its new rows.
    accounts : dict
        Table as accounts call it -> lines read and lines that are no rows, amounts of both in cents.
    files : tuple of RawFile
    """

    manner: Manner
    relations: dict[str, str]
    accounts: dict[str, list[int]]
    files: tuple[RawFile, ...]


def take_in(engine: DuckDBEngine, request: Request, roots: Roots) -> Arrived:
    """Read some files of a source, and keep their rows in the engine.

    Raises
    ------
    UnfitError
        They cannot be read alone.
    """
    relations: dict[str, str] = {}

    def store(engine: DuckDBEngine, table: str, rows: str) -> None:
        relations[table] = f"arrived_{table}"
        engine.execute(f"CREATE TABLE {relations[table]} AS {rows}")

    collector = Collector(store, latest_time(()))
    try:
        gathered = gather(engine, request, roots)
        with ExitStack() as stack:
            for raw in gathered.raws:
                stack.enter_context(reading(engine, raw))
            checked, code = check_gathered(engine, request, gathered, collector, may_be_empty=True)
    except DataError as error:
        raise UnfitError(f"the new files cannot be read alone: {error.problem}") from error
    n_rows = " UNION ALL ".join(f"SELECT {literal(t)} AS tbl, _file, _line FROM {r}" for t, r in relations.items())
    engine.execute(
        f"""CREATE TABLE arrived_aside AS SELECT a.* FROM _aside a ANTI JOIN ({n_rows}) r
        ON r.tbl = a.tbl AND r._file = a.file AND r._line = a.line"""
    )
    bad = {t: (n, int(cents)) for t, n, cents in engine.rows(COUNT_ASIDE.format("arrived_aside"))}
    accounts = {
        a.table: [a.n_read, bad.get(a.table, (0, 0))[0], a.cents_read or 0, bad.get(a.table, (0, 0))[1]]
        for a in checked.accounts
    }
    manner = replace(collector.manner, fingerprint=request.fingerprint, currency=code)
    clear(engine)
    return Arrived(manner, relations, accounts, tuple(f for raw in gathered.raws for f in raw.files))


COUNT_ASIDE = "SELECT tbl, count(*), coalesce(sum(amount), 0) FROM {} GROUP BY tbl"


def _decisions(typed: Typed) -> dict[str, str]:
    def short(text: Any) -> str:
        return hashlib.sha256(str(text).encode()).hexdigest()[:16]

    types = {f"column {name!r}": kind for name, kind in typed.feed.raw.columns.items()}
    return types | {name: short(decided) for name, decided in typed.decisions.items()}


def _awaited(
    engine: DuckDBEngine, table: str, typed: dict[int, Typed], latest: dt.datetime, known: str | None
) -> str | None:
    """Return the earliest time that lay in the future."""
    if not engine.rows(f"SELECT 1 FROM _aside WHERE tbl = {literal(table)} LIMIT 1"):
        return known
    found = [known] if known else []
    for t in typed.values():
        for rule in RULES:
            if rule.table == table and rule.name.startswith("future_") and rule.needs[0] in t.columns:
                column = f"CAST({ident(rule.needs[0])} AS TIMESTAMP)"
                limit = instant(latest)
                with reading(engine, t.feed.raw):
                    ((first,),) = engine.rows(f"SELECT min({column}) FROM {t.rows} WHERE _bad AND {column} > {limit}")
                if first is not None:
                    found.append(first.isoformat())
    return min(found, default=None)
