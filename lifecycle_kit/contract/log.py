"""The stored tables and, over them, the one log that every analysis reads.

Orders are the book of record: they are stored once, with their person, and appear in the log through
a view. Each branch of the view names its event as a constant, so asking for one event reads one branch.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lifecycle_kit.contract.people import person_join
from lifecycle_kit.contract.sqltext import KIND_TYPES, column_list, ident
from lifecycle_kit.contract.tables import LOG_SCHEMA, TABLES
from lifecycle_kit.contract.zones import business_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["ORDER_EVENTS", "TIME_COLUMNS", "create_log", "store_tables"]

# events that an orders table also tells; where both speak of one order, the order is believed
ORDER_EVENTS = ("order_completed", "order_refunded", "order_cancelled")

# the column that says when a row of the log happened, per contract table (all of them, for time spans)
TIME_COLUMNS: dict[str, tuple[str, ...]] = {
    "events": ("occurred_at",),
    "orders": ("ordered_at", "refunded_at"),
    "surveys": ("at",),
    "referrals": ("sent_at", "converted_at"),
}

# tables that say on which business day a row falls, by which column
_DAYS = {"orders": "ordered_at", "events": "occurred_at"}

# ids are nearly all different, other texts nearly all alike
_PACKED = {"id": "USING COMPRESSION zstd", "json": "USING COMPRESSION zstd", "text": "USING COMPRESSION dict_fsst"}

# beside an event that a link brought to its person: the device, and when the link became known
_LINK_COLUMNS = {"device_key": "BIGINT", "linked_at": "TIMESTAMP"}

# tables whose rows belong to one person: the column that names them
_OWNER = {"orders": "person_id", "surveys": "person_id", "referrals": "referrer_id"}


def store_tables(
    engine: DuckDBEngine,
    clean: dict[str, str],
    given: dict[str, frozenset[str]],
    *,
    timezone: str,
    span: tuple[dt.datetime, dt.datetime],
) -> None:
    """Store every contract table and show it under its own name, from its clean relation; absent ones are empty.

    `orders`, `surveys`, `referrals` and `events` get `person_key`; `orders` and `events` also `business_day`.

    Parameters
    ----------
    clean : dict of str
        Contract table -> relation of its kept rows.
    given : dict of frozenset
        Contract table -> columns that the source gives. Others are empty, and cost nothing: views show them.
    """
    for name in TABLES:
        if name not in clean:
            engine.execute(f"CREATE TABLE _{name} ({_declared(name)})")
    if "events" in clean:
        _store_events(engine, clean, given["events"])
    has_refunds = _collect_refunds(engine, clean)
    if "orders" in clean:
        _store_orders(engine, clean, given["orders"] | {"order_id"}, has_refunds)
    if "events" in clean:
        _mark_events(engine, "orders" in clean)
    for name in clean:
        if name in ("surveys", "referrals"):
            engine.execute(
                f"""CREATE TABLE _{name} AS SELECT p.person_key, {_of("t", name)}
                FROM {ident(clean[name])} t {person_join(_OWNER[name])}"""
            )
        elif name not in ("events", "orders"):
            engine.execute(f"CREATE TABLE _{name} AS SELECT {_of('t', name)} FROM {ident(clean[name])} t")
    for name in TABLES:
        _show(engine, name, timezone, span)


def _show(engine: DuckDBEngine, name: str, timezone: str, span: tuple[dt.datetime, dt.datetime]) -> None:
    """Create the view that shows a stored table with all columns of the contract."""
    stored = engine.columns(f"_{name}")
    select = [
        ident(c.name) if c.name in stored else f"NULL::{KIND_TYPES[c.kind]} AS {ident(c.name)}"
        for c in TABLES[name].columns
    ]
    if name in _DAYS:
        # cheaper to work out again than to store and read
        select.insert(0, f"{business_day(_DAYS[name], timezone, *span)} AS business_day")
    if "person_key" in stored:
        select.insert(0, "person_key")
    engine.execute(f"CREATE VIEW {ident(name)} AS SELECT {', '.join(select)} FROM _{name}")


def create_log(
    engine: DuckDBEngine,
    clean: dict[str, str],
    given: dict[str, frozenset[str]],
    *,
    timezone: str,
    span: tuple[dt.datetime, dt.datetime],
) -> None:
    """Create the view `log` with exactly the columns of LOG_SCHEMA."""

    def shown(table: str) -> Callable[[str], str]:
        return lambda column: ident(column) if column in given[table] else "NULL"

    def known(table: str, moment: str) -> str:
        return f"coalesce(ingested_at, {moment})" if "ingested_at" in given[table] else moment

    def day(column: str) -> str:
        return business_day(column, timezone, *span)

    branches = []
    if "events" in clean:
        stored = engine.columns("_events")
        branches.append(
            f"""SELECT person_key, event, occurred_at, {known("events", "occurred_at")}, {day("occurred_at")},
            {", ".join(map(shown("events"), ("order_id", "revenue", "session_id", "channel")))}, taken_back_at,
            {", ".join(c if c in stored else "NULL" for c in _LINK_COLUMNS)}, NULL FROM _events WHERE in_log"""
        )
    if "orders" in clean:
        status, refunded_at, cost = map(shown("orders"), ("status", "refunded_at", "cost"))
        back = _orders_back(engine)
        cancelled = f"{status} IS NOT DISTINCT FROM 'cancelled' AND {refunded_at} IS NULL"
        # said once per order, so that no sum counts it twice
        placed = ("order_completed", f"NOT ({cancelled})", cost), ("order_cancelled", cancelled, "NULL")
        for event, condition, own_cost in placed:
            branches.append(
                f"""SELECT person_key, '{event}', ordered_at, {known("orders", "ordered_at")}, {day("ordered_at")},
                order_id, net_revenue, NULL, NULL, {back}, NULL, NULL, {own_cost} FROM _orders WHERE {condition}"""
            )
        if "refunded_at" in given["orders"]:
            # a refund is known once the row that tells it has come in, and not before it happened
            branches.append(
                f"""SELECT person_key, 'order_refunded', refunded_at,
                greatest(refunded_at, {shown("orders")("ingested_at")}), {day("refunded_at")},
                order_id, net_revenue, NULL, NULL, {back}, NULL, NULL, NULL
                FROM _orders WHERE refunded_at IS NOT NULL"""
            )
    plain = {
        "surveys": [("survey_answered", "at")],
        "referrals": [("referral_sent", "sent_at"), ("referral_converted", "converted_at")],
    }
    for table, happenings in plain.items():
        branches += [
            f"""SELECT person_key, '{event}', {ident(at)}, {ident(at)}, {day(ident(at))}, {", ".join(["NULL"] * 8)}
            FROM {table} WHERE {ident(at)} IS NOT NULL"""
            for event, at in happenings
            if table in clean
        ]
    if not branches:
        branches.append("SELECT " + ", ".join("NULL" for _ in LOG_SCHEMA) + " WHERE FALSE")
    typed = ", ".join(f"{ident(c)}::{_SQL_TYPES[kind]} AS {ident(c)}" for c, kind in LOG_SCHEMA.items())
    names = column_list(LOG_SCHEMA)
    engine.execute(f"CREATE VIEW log AS SELECT {typed} FROM ({' UNION ALL '.join(branches)}) AS b({names})")


_SQL_TYPES = {
    "int64": "BIGINT",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "boolean": "BOOLEAN",
}


def _declared(table: str) -> str:
    extra = {
        "orders": "person_key BIGINT, taken_back_at TIMESTAMP, ",
        "events": "person_key BIGINT, in_log BOOLEAN, taken_back_at TIMESTAMP, ",
        "surveys": "person_key BIGINT, ",
        "referrals": "person_key BIGINT, ",
    }.get(table, "")
    return extra + ", ".join(f"{ident(c.name)} {KIND_TYPES[c.kind]}" for c in TABLES[table].columns)


def _of(alias: str, table: str, only: frozenset[str] | None = None) -> str:
    names = [c.name for c in TABLES[table].columns if only is None or c.name in only]
    return ", ".join(f"{alias}.{ident(name)}" for name in names)


def _collect_refunds(engine: DuckDBEngine, clean: dict[str, str]) -> bool:
    """Create `_refunds`: when each order was first given back, as events tell it; False when none tells of one.

    Done once here because a join of refunds at every snapshot would double the snapshot's cost.
    """
    if "events" not in clean:
        return False
    engine.execute(
        """CREATE TEMP TABLE _refunds AS SELECT person_key, order_id, min(occurred_at) AS back_at FROM _events
        WHERE event = 'order_refunded' AND order_id IS NOT NULL AND in_log GROUP BY ALL"""
    )
    return bool(engine.rows("SELECT 1 FROM _refunds LIMIT 1"))


def _store_orders(engine: DuckDBEngine, clean: dict[str, str], given: frozenset[str], has_refunds: bool) -> None:
    """Store the orders; where no event tells of refunds, an order's own row says all, and nothing is added."""
    back, join = "", ""
    if has_refunds:
        # least passes over what is empty
        back = f"least(r.back_at{', t.refunded_at' * ('refunded_at' in given)}), "
        join = "LEFT JOIN _refunds r ON r.person_key = p.person_key AND r.order_id = t.order_id"
    _store(
        engine,
        "orders",
        given,
        {"person_key": "BIGINT"} | ({"taken_back_at": "TIMESTAMP"} if has_refunds else {}),
        f"""SELECT p.person_key, {back}{_of("t", "orders", given)}
        FROM {ident(clean["orders"])} t {person_join("person_id")} {join}""",
    )


def _orders_back(engine: DuckDBEngine) -> str:
    """Return the column that says when an order was first given back; NULL, which costs nothing, when none was."""
    stored = engine.columns("_orders")
    for name in ("taken_back_at", "refunded_at"):
        if name in stored:
            return name if engine.rows(f"SELECT 1 FROM _orders WHERE {name} IS NOT NULL LIMIT 1") else "NULL"
    return "NULL"


def _mark_events(engine: DuckDBEngine, has_orders: bool) -> None:
    """Write beside each event about an order when that order was first given back."""
    told = ["SELECT person_key, order_id, back_at FROM _refunds"]
    if has_orders and (back := _orders_back(engine)) != "NULL":
        told.append(f"SELECT person_key, order_id, {back} FROM _orders WHERE {back} IS NOT NULL")
    engine.execute(
        f"""UPDATE _events t SET taken_back_at = r.back_at
        FROM (SELECT person_key, order_id, min(back_at) AS back_at FROM ({" UNION ALL ".join(told)}) GROUP BY ALL) r
        WHERE t.person_key = r.person_key AND t.order_id = r.order_id"""
    )
    engine.execute("DROP TABLE _refunds")


def _store(engine: DuckDBEngine, table: str, columns: frozenset[str], extra: dict[str, str], rows: str) -> None:
    """Store the rows of a query, each kind of column as is cheapest for it: left to itself, DuckDB tries every way."""
    stored = {c.name: f"{KIND_TYPES[c.kind]} {_PACKED.get(c.kind, '')}" for c in TABLES[table].columns}
    declared = extra | {name: kind for name, kind in stored.items() if name in columns}
    listed = ", ".join(f"{ident(name)} {kind}" for name, kind in declared.items())
    engine.execute(f"CREATE TABLE _{table} ({listed})")
    engine.execute(f"INSERT INTO _{table} {rows}")


def _store_events(engine: DuckDBEngine, clean: dict[str, str], given: frozenset[str]) -> None:
    # a person named on the row wins; then the person the device is linked to; then the device itself
    told, book = "FALSE", ""
    if "orders" in clean:
        book = f"""LEFT JOIN (
            SELECT order_id, bool_or(refunded_at IS NOT NULL) AS is_refunded FROM {ident(clean["orders"])}
            SEMI JOIN (SELECT DISTINCT order_id FROM {ident(clean["events"])} WHERE event IN {ORDER_EVENTS})
            USING (order_id) GROUP BY 1) o ON o.order_id = t.order_id AND t.event IN {ORDER_EVENTS}"""
        told = """(t.event = 'order_completed' AND (t.order_id IS NULL OR o.order_id IS NOT NULL))
            OR (t.event = 'order_refunded' AND coalesce(o.is_refunded, FALSE))
            OR (t.event = 'order_cancelled' AND o.order_id IS NOT NULL)"""
    columns = given | {"order_id"}
    extra = {"person_key": "BIGINT", "in_log": "BOOLEAN", "taken_back_at": "TIMESTAMP"}
    link, devices = "", ""
    if engine.rows("SELECT 1 FROM _links LIMIT 1"):
        extra |= _LINK_COLUMNS
        link, devices = "d.device_key, l.linked_at, ", "LEFT JOIN devices d ON d.anonymous_id = l.anonymous_id"
    _store(
        engine,
        "events",
        columns,
        extra,
        f"""SELECT coalesce(k.person_key, a.person_key), NOT ({told}), NULL, {link}{_of("t", "events", columns)}
        FROM {ident(clean["events"])} t
        LEFT JOIN _links l ON l.anonymous_id = t.anonymous_id AND t.person_id IS NULL
        {devices}
        LEFT JOIN persons k ON k.person_id = coalesce(t.person_id, l.person_id) AND NOT k.is_anonymous
        LEFT JOIN persons a
            ON a.person_id = t.anonymous_id AND a.is_anonymous AND t.person_id IS NULL AND l.person_id IS NULL
        {book}""",
    )
