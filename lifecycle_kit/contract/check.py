"""Kept or set aside: every row of every feed goes one way, and the two add up to what was read.

The order matters. Rows with reasons of their own go first; among the rest, what stands twice; then what
belongs to test accounts. What remains is a view per contract table, `_clean_<table>`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.duplicates import find_duplicates
from lifecycle_kit.contract.feeds import Feed
from lifecycle_kit.contract.log import TIME_COLUMNS
from lifecycle_kit.contract.numbering import NUMBERED
from lifecycle_kit.contract.report import Account, Warned
from lifecycle_kit.contract.rules import MONEY, Rule, rules_for
from lifecycle_kit.contract.sources import reading
from lifecycle_kit.contract.sqltext import column_list, ident, literal
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.contract.typed import Typed, build_typed, money_column, raw_row
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Checked", "Watch", "check_feeds", "check_typed"]

# is shown the rows of a contract table that can be read: engine, table, SQL of `_feed`, `_file`, `_line` and the
# columns, and the feeds they came by
Watch = Callable[["DuckDBEngine", str, str, dict[int, Typed]], None]

# which column says whose row it is, for keeping test accounts out
_OWNERS = {
    "customers": "person_id",
    "identities": "person_id",
    "orders": "person_id",
    "events": "person_id",
    "surveys": "person_id",
    "referrals": "referrer_id",
}
# customers and identities first: they say who is a test account
_ORDER = ("customers", "identities", "orders", "events", "costs", "surveys", "referrals")


@dataclass(eq=False)
class Checked:
    """What the checks leave behind.

    Attributes
    ----------
    clean : dict of str
        Contract table -> relation of its kept rows.
    columns : dict of frozenset
        Contract table -> canonical columns that the source gives.
    accounts : list of Account
    notes : list of str
    warnings : list of Warned
    n_refund_rows, refund_cents : int
        Orders of less than nothing that became refund events, and their sum (below zero).
    n_files : dict of int
        Contract table -> files it was read from.
    moments : list of datetime
        First and last of every time column that the log shows.
    """

    clean: dict[str, str] = field(default_factory=dict)
    columns: dict[str, frozenset[str]] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    n_refund_rows: int = 0
    refund_cents: int = 0
    n_files: dict[str, int] = field(default_factory=dict)
    moments: list[dt.datetime] = field(default_factory=list)


@dataclass(eq=False)
class _Tally:
    """Figures of one table; `bad`, `negative` and `unnumbered` by feed."""

    n_read: int = 0
    n_rows: int = 0
    cents_read: int = 0
    bad: dict[int, int] = field(default_factory=dict)
    negative: dict[int, tuple[int, int]] = field(default_factory=dict)
    unnumbered: int = 0


def check_feeds(
    engine: DuckDBEngine,
    feeds: list[Feed],
    *,
    business_timezone: str,
    future: str,
    currency: str | None,
    watch: Watch | None = None,
    may_be_empty: bool = False,
) -> Checked:
    """Check all feeds and create the clean relations; rows set aside are in the table `_aside`.

    Parameters
    ----------
    future : str
        SQL instant after which a time is in the future.
    currency : str or None
        Code that orders must have; None where nothing says one.
    watch : callable, optional
    may_be_empty : bool
        A table none of whose rows can be used is no error.
    """
    code = literal(currency) if currency else None

    def typed(index: int, feed: Feed) -> Typed:
        def rules(columns: set[str]) -> list[Rule]:
            return rules_for(feed.table, columns, future=future, currency=code)

        return build_typed(engine, feed, index, business_timezone=business_timezone, rules=rules)

    return check_typed(engine, feeds, typed, watch=watch, may_be_empty=may_be_empty)


def check_typed(
    engine: DuckDBEngine,
    feeds: list[Feed],
    typed_of: Callable[[int, Feed], Typed],
    *,
    watch: Watch | None = None,
    may_be_empty: bool = False,
) -> Checked:
    """Check feeds whose typed rows `typed_of` gives, as `check_feeds` does."""
    engine.execute(
        "CREATE TABLE _aside (tbl VARCHAR, file VARCHAR, line BIGINT, reasons VARCHAR[], raw VARCHAR, amount BIGINT)"
    )
    engine.execute("CREATE TABLE _drop (tbl VARCHAR, _feed INTEGER, _file VARCHAR, _line BIGINT, reason VARCHAR)")
    checked = Checked()
    for table in _ORDER:
        typed = {i: typed_of(i, f) for i, f in enumerate(feeds) if f.table == table}
        if typed:
            _check_table(engine, table, typed, checked, watch, may_be_empty)
    if engine.rows("SELECT 1 FROM duckdb_views() WHERE view_name = '_negative_orders'"):
        _add_refunds(engine, checked)
    return checked


def _check_table(
    engine: DuckDBEngine,
    table: str,
    typed: dict[int, Typed],
    checked: Checked,
    watch: Watch | None,
    may_be_empty: bool,
) -> None:
    columns = frozenset().union(*(t.columns for t in typed.values()))
    tally = _Tally()
    for i, t in typed.items():
        with reading(engine, t.feed.raw):
            _tally(engine, table, i, t, tally, checked)
    has_refunds = _negative_orders(engine, typed, tally, checked)
    good, seen = f"_good_{table}", f"_seen_{table}"
    kept = " UNION ALL ".join(_good(table, i, t, tally, has_refunds) for i, t in typed.items())
    engine.execute(f"CREATE VIEW {good} AS {kept}")
    names = column_list(c.name for c in TABLES[table].columns)
    every = " UNION ALL ".join(f"SELECT {names} FROM {t.rows}" for t in typed.values())
    engine.execute(f"CREATE VIEW {seen} AS {every}")
    options = next(iter(typed.values())).feed.options
    twins = find_duplicates(
        engine,
        table,
        good,
        columns,
        looked_at=seen,
        policy=options.duplicates,
        is_declared=options.duplicates != "set_aside",
    )
    if twins.n_equal_kept:
        text = f"rows of {table} equal another row in every column; kept, as nothing says that they are one"
        checked.warnings.append(Warned("equal_rows", table, twins.n_equal_kept, text))
    everything = " UNION ALL ".join(_good(table, i, t, tally, False) for i, t in typed.items())
    if watch:
        watch(engine, table, everything, typed)
    _drop_tests(engine, table, f"({everything})", checked)
    has_drops = _set_dropped_aside(engine, table, typed)
    _create_clean(engine, table, columns, has_drops, bool(tally.unnumbered))
    checked.clean[table], checked.columns[table] = f"_clean_{table}", columns
    checked.n_files[table] = sum(len(t.feed.raw.files) for t in typed.values())
    checked.notes += [note for t in typed.values() for note in t.notes if note not in checked.notes]
    n_aside, cents_aside = engine.rows(f"SELECT count(*), sum(amount) FROM _aside WHERE tbl = {literal(table)}")[0]
    cents = int(cents_aside or 0)
    checked.accounts.append(
        Account(table, tally.n_read, tally.n_read - n_aside, n_aside, tally.cents_read, tally.cents_read - cents, cents)
        if table in MONEY
        else Account(table, tally.n_read, tally.n_read - n_aside, n_aside)
    )
    if sum(tally.bad.values()) == tally.n_rows and not may_be_empty:
        _refuse_nothing_kept(engine, table, n_aside)


def _tally(engine: DuckDBEngine, table: str, index: int, t: Typed, tally: _Tally, checked: Checked) -> None:
    """Count a feed in one pass (two where lines are grouped), and set its bad lines aside."""
    amount = money_column(table)
    warned = [x for n, s in t.counts.values() for x in (f"count_if({n})", f"sum({s}) FILTER ({n})" if s else "NULL")]
    of_lines = ["count(*)", "count_if(_bad)", f"sum({amount})", *warned]
    times = [c for c in TIME_COLUMNS.get(table, ()) if c in t.columns]
    ends = [f"{f}({ident(c)}) FILTER (NOT _bad)" for c in times for f in ("min", "max")]
    number = NUMBERED[table].column if table in NUMBERED else None
    below = "net_revenue < 0 AND NOT _bad" if table == "orders" else "FALSE"
    of_rows = [
        "count(*)",
        "count_if(_bad)",
        f"count_if({below})",
        f"sum({amount}) FILTER ({below})",
        f"count_if({number} IS NULL)" if number else "0",
        *ends,
    ]
    if t.lines:
        lines = engine.rows(f"SELECT {', '.join(of_lines)} FROM {t.lines}")[0]
        rows = engine.rows(f"SELECT {', '.join(of_rows)} FROM {t.rows}")[0]
    else:
        both = engine.rows(f"SELECT {', '.join(of_lines + of_rows)} FROM {t.rows}")[0]
        lines, rows = both[: len(of_lines)], both[len(of_lines) :]
    n, n_bad, cents, *found = lines
    n_rows, n_bad_rows, n_negative, negative_cents, n_unnumbered, *moments = rows
    tally.n_read += n
    tally.n_rows += n_rows
    tally.cents_read += int(cents or 0)
    # counts of nothing are empty
    tally.bad[index] = n_bad_rows or 0
    tally.unnumbered += n_unnumbered or 0
    if n_negative:
        tally.negative[index] = (n_negative, int(negative_cents))
    checked.moments += [m for m in moments if m is not None]
    for name, n_found, total in zip(t.counts, found[::2], found[1::2], strict=True):
        if n_found:
            column, _, what = name.partition(".")
            checked.warnings.append(_warn_reading(table, column, what, n_found, total))
    if n_bad:
        engine.execute(
            f"""INSERT INTO _aside SELECT {literal(table)}, _file, _line, _reasons, _raw, {amount}
            FROM {t.reasons} WHERE _bad"""
        )
    if t.lines and n_bad_rows:
        own = f"l.{amount}" if table in MONEY else amount
        engine.execute(
            f"""CREATE TEMP TABLE _bad_rows AS
            SELECT l._file, l._line, r._reasons, {own} AS amount
            FROM {t.lines} l JOIN {t.rows} r ON r._g = l._g WHERE r._bad AND NOT l._bad"""
        )
        _move_aside(engine, table, t.feed)


def _move_aside(engine: DuckDBEngine, table: str, feed: Feed) -> None:
    """Copy the rows named in `_bad_rows` to `_aside`, with their raw text, and drop the list."""
    with reading(engine, feed.raw):
        engine.execute(
            f"""INSERT INTO _aside
            SELECT {literal(table)}, b._file, b._line, b._reasons, r.raw, b.amount FROM _bad_rows b JOIN
            (SELECT _file, _line, {raw_row(feed.raw)} AS raw FROM {ident(feed.raw.name)}) r USING (_file, _line)"""
        )
    engine.execute("DROP TABLE _bad_rows")


def _good(table: str, index: int, t: Typed, tally: _Tally, has_refunds: bool) -> str:
    names = column_list(c.name for c in TABLES[table].columns)
    conditions = ["NOT _bad"] * bool(tally.bad[index]) + ["net_revenue >= 0"] * has_refunds
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {index} AS _feed, _file, _line, {names} FROM {t.rows} {where}"


def _negative_orders(engine: DuckDBEngine, typed: dict[int, Typed], tally: _Tally, checked: Checked) -> bool:
    """Deal with orders of less than nothing as declared; True when some become refunds."""
    is_refund = False
    for i, (n, cents) in tally.negative.items():
        t = typed[i]
        policy = t.feed.options.negative_amount
        if policy is None:
            raise DataError(
                f"{n:,} orders have a negative net_revenue ({cents / 100:,.2f} in all): returns, or errors?",
                fix="Declare negative_amount='refund' or negative_amount='set_aside'.",
                where=t.feed.name or None,
            )
        if policy == "set_aside":
            engine.execute(
                f"""INSERT INTO _drop SELECT 'orders', {i}, _file, _line,
                    concat('net_revenue ', printf('%.2f', net_revenue / 100), ' is negative')
                FROM {t.rows} WHERE NOT _bad AND net_revenue < 0"""
            )
            continue
        is_refund = True
        checked.notes.append(f"orders: {n:,} negative amounts ({cents / 100:,.2f}) are read as order_refunded events")
    if is_refund:
        negative = " UNION ALL ".join(
            f"""SELECT 'refund:' || coalesce(order_id, concat(_file, ':', _line)) AS event_id, person_id,
            ordered_at, ingested_at, order_id, -net_revenue AS revenue
            FROM {t.rows} WHERE NOT _bad AND net_revenue < 0"""
            for t in typed.values()
        )
        engine.execute(f"CREATE VIEW _negative_orders AS {negative}")
    return is_refund


def _add_refunds(engine: DuckDBEngine, checked: Checked) -> None:
    """Put the orders of less than nothing among the clean events, under their own name."""
    given = {"event_id": "event_id", "person_id": "person_id", "event": "'order_refunded'", "occurred_at": "ordered_at"}
    given |= {"ingested_at": "ingested_at", "order_id": "order_id", "revenue": "revenue"}
    refunds = ", ".join(f"{given.get(c.name, 'NULL')} AS {ident(c.name)}" for c in TABLES["events"].columns)
    tests = "WHERE person_id NOT IN (FROM _tests)" if _has_tests(engine) else ""
    select = f"SELECT {refunds} FROM _negative_orders {tests}"
    n, cents = engine.rows(f"SELECT count(*), sum(revenue) FROM ({select})")[0]
    checked.n_refund_rows, checked.refund_cents = n, -int(cents or 0)
    if "events" in checked.clean:
        select = f"SELECT * FROM {checked.clean['events']} UNION ALL {select}"
    engine.execute(f"CREATE VIEW _clean_events_and_refunds AS {select}")
    checked.clean["events"] = "_clean_events_and_refunds"
    checked.columns["events"] = checked.columns.get("events", frozenset()) | frozenset(given)


def _drop_tests(engine: DuckDBEngine, table: str, good: str, checked: Checked) -> None:
    if table == "customers":
        engine.execute(f"CREATE TABLE _tests AS SELECT DISTINCT person_id FROM {good} WHERE is_test")
        (n,) = engine.rows("SELECT count(*) FROM _tests")[0]
        if n:
            checked.warnings.append(Warned("test_accounts", table, n, "test accounts; all their rows are set aside"))
    if not _has_tests(engine) or table not in _OWNERS:
        return
    if table == "identities":
        engine.execute(
            f"CREATE TABLE _test_devices AS SELECT DISTINCT anonymous_id FROM {good} WHERE person_id IN (FROM _tests)"
        )
    mine = f"{_OWNERS[table]} IN (FROM _tests)"
    if table == "events" and engine.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = '_test_devices'"):
        mine += " OR (person_id IS NULL AND anonymous_id IN (FROM _test_devices))"
    engine.execute(
        f"INSERT INTO _drop SELECT {literal(table)}, _feed, _file, _line, 'test account' FROM {good} WHERE {mine}"
    )


def _has_tests(engine: DuckDBEngine) -> bool:
    found = engine.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = '_tests'")
    return bool(found) and bool(engine.rows("SELECT 1 FROM _tests LIMIT 1"))


def _set_dropped_aside(engine: DuckDBEngine, table: str, typed: dict[int, Typed]) -> bool:
    """Move the rows of `_drop` aside, whole groups with all their lines; False when there are none."""
    feeds = [f for (f,) in engine.rows(f"SELECT DISTINCT _feed FROM _drop WHERE tbl = {literal(table)}")]
    for i in feeds:
        t = typed[i]
        own = f"l.{money_column(table)}" if table in MONEY else "NULL::BIGINT"
        rows = f"{t.lines} l JOIN {t.rows} r ON r._g = l._g AND NOT l._bad" if t.lines else f"{t.rows} l"
        at = "r" if t.lines else "l"
        engine.execute(
            f"""CREATE TEMP TABLE _gone AS SELECT _file, _line, list(DISTINCT reason ORDER BY reason) AS _reasons
            FROM _drop WHERE tbl = {literal(table)} AND _feed = {i} GROUP BY ALL"""
        )
        engine.execute(
            f"""CREATE TEMP TABLE _bad_rows AS SELECT l._file, l._line, g._reasons, {own} AS amount
            FROM {rows} JOIN _gone g ON g._file = {at}._file AND g._line = {at}._line"""
        )
        engine.execute("DROP TABLE _gone")
        _move_aside(engine, table, t.feed)
    return bool(feeds)


def _create_clean(
    engine: DuckDBEngine, table: str, columns: frozenset[str], has_drops: bool, is_unnumbered: bool
) -> None:
    names = [ident(c.name) for c in TABLES[table].columns]
    if is_unnumbered:
        number = NUMBERED[table]
        names[names.index(ident(number.column))] = number.sql
    drops = (
        f"ANTI JOIN (SELECT * FROM _drop WHERE tbl = {literal(table)}) d USING (_feed, _file, _line)"
        if has_drops
        else ""
    )
    engine.execute(f"CREATE VIEW _clean_{table} AS SELECT {', '.join(names)} FROM _good_{table} {drops}")


def _warn_reading(table: str, column: str, what: str, n: int, total: Any) -> Warned:
    texts = {
        "sub_cent": f"amounts of {table}.{column} have fractions of a cent and were rounded half away from zero"
        f" ({float(total or 0):+.4f} in all)",
        "clock_gap": f"times of {table}.{column} fall in the hour that the clocks skip; moved forward",
        "clock_overlap": f"times of {table}.{column} fall in the hour that the clocks repeat; the first pass is taken",
    }
    return Warned(what, table, n, texts[what])


def _refuse_nothing_kept(engine: DuckDBEngine, table: str, n: int) -> None:
    reasons = engine.rows(
        f"""SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM _aside WHERE tbl = {literal(table)})
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3"""
    )
    shown = "; ".join(f"{reason} ({count:,})" for reason, count in reasons)
    raise DataError(
        f"None of the {n:,} rows of {table} can be used. Most frequent: {shown}.",
        fix="Declare how the values are written (date_format, decimal, currency ...), or map the columns.",
    )
