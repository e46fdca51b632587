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
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["ORDER_EVENTS", "TIME_COLUMNS", "create_log", "store_tables"]

# events that an orders table also tells; where both speak of one order, the order is believed
ORDER_EVENTS = ("order_completed", "order_refunded")

# the column that says when a row of the log happened, per contract table (all of them, for time spans)
TIME_COLUMNS: dict[str, tuple[str, ...]] = {
    "events": ("occurred_at",),
    "orders": ("ordered_at", "refunded_at"),
    "surveys": ("at",),
    "referrals": ("sent_at", "converted_at"),
}

# tables whose rows belong to one person: the column that names them
_OWNER = {"orders": "person_id", "surveys": "person_id", "referrals": "referrer_id"}


def store_tables(
    engine: DuckDBEngine, clean: dict[str, str], *, timezone: str, span: tuple[dt.datetime, dt.datetime]
) -> None:
    """Store every contract table under its own name, from its clean relation; absent ones are stored empty.

    `orders`, `surveys`, `referrals` and `events` get `person_key`; `orders` and `events` also `business_day`.
    """
    for name in TABLES:
        if name not in clean:
            engine.execute(f"CREATE TABLE {ident('_events' if name == 'events' else name)} ({_declared(name)})")
    if "events" in clean:
        _store_events(engine, clean, timezone, span)
    has_refunds = _collect_refunds(engine, clean)
    if "orders" in clean:
        _store_orders(engine, clean, timezone, span, has_refunds)
    if has_refunds:
        engine.execute(
            """UPDATE _events t SET taken_back_at = r.back_at FROM _refunds r
            WHERE t.person_key = r.person_key AND t.order_id = r.order_id"""
        )
    engine.execute("DROP TABLE _refunds")
    engine.execute("CREATE VIEW events AS SELECT * EXCLUDE (in_log, taken_back_at) FROM _events")
    for name in clean:
        if name in ("surveys", "referrals"):
            engine.execute(
                f"""CREATE TABLE {name} AS SELECT p.person_key, {_of("t", name)}
                FROM {ident(clean[name])} t {person_join(_OWNER[name])}"""
            )
        elif name not in ("events", "orders"):
            engine.execute(f"CREATE TABLE {name} AS SELECT {_of('t', name)} FROM {ident(clean[name])} t")


def create_log(
    engine: DuckDBEngine, clean: dict[str, str], *, timezone: str, span: tuple[dt.datetime, dt.datetime]
) -> None:
    """Create the view `log` with exactly the columns of LOG_SCHEMA."""

    def day(column: str) -> str:
        return business_day(column, timezone, *span)

    branches = []
    if "events" in clean:
        branches.append(
            """SELECT person_key, event, occurred_at, coalesce(ingested_at, occurred_at), business_day,
            order_id, revenue, session_id, channel, taken_back_at FROM _events WHERE in_log"""
        )
    if "orders" in clean:
        cancelled = "status IS NOT DISTINCT FROM 'cancelled' AND refunded_at IS NULL"
        for event, condition in (("order_completed", f"NOT ({cancelled})"), ("order_cancelled", cancelled)):
            branches.append(
                f"""SELECT person_key, '{event}', ordered_at, coalesce(ingested_at, ordered_at), business_day,
                order_id, net_revenue, NULL, NULL, taken_back_at FROM orders WHERE {condition}"""
            )
        # a refund is known once the row that tells it has come in, and not before it happened
        branches.append(
            f"""SELECT person_key, 'order_refunded', refunded_at, greatest(refunded_at, ingested_at),
            {day("refunded_at")}, order_id, net_revenue, NULL, NULL, taken_back_at
            FROM orders WHERE refunded_at IS NOT NULL"""
        )
    plain = {
        "surveys": [("survey_answered", "at")],
        "referrals": [("referral_sent", "sent_at"), ("referral_converted", "converted_at")],
    }
    for table, happenings in plain.items():
        branches += [
            f"""SELECT person_key, '{event}', {ident(at)}, {ident(at)}, {day(ident(at))}, {', '.join(['NULL'] * 5)}
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
        "orders": "person_key BIGINT, business_day DATE, ",
        "events": "person_key BIGINT, business_day DATE, in_log BOOLEAN, taken_back_at TIMESTAMP, ",
        "surveys": "person_key BIGINT, ",
        "referrals": "person_key BIGINT, ",
    }.get(table, "")
    own = ", ".join(f"{ident(c.name)} {KIND_TYPES[c.kind]}" for c in TABLES[table].columns)
    return extra + own + (", taken_back_at TIMESTAMP" if table == "orders" else "")


def _of(alias: str, table: str) -> str:
    return ", ".join(f"{alias}.{ident(c.name)}" for c in TABLES[table].columns)


def _collect_refunds(engine: DuckDBEngine, clean: dict[str, str]) -> bool:
    """Create `_refunds`: when each order was first given back, by its own row or by an event; False when none was.

    Done once here because a join of refunds at every snapshot would double the snapshot's cost.
    """
    told = ["SELECT person_key, order_id, occurred_at AS back_at FROM _events WHERE event = 'order_refunded'"]
    if "orders" in clean:
        told.append(
            f"""SELECT p.person_key, t.order_id, t.refunded_at FROM {ident(clean["orders"])} t
            {person_join("person_id")} WHERE t.refunded_at IS NOT NULL"""
        )
    engine.execute(
        f"""CREATE TEMP TABLE _refunds AS SELECT person_key, order_id, min(back_at) AS back_at
        FROM ({" UNION ALL ".join(told)}) WHERE order_id IS NOT NULL GROUP BY ALL"""
    )
    return bool(engine.rows("SELECT 1 FROM _refunds LIMIT 1"))


def _store_orders(
    engine: DuckDBEngine,
    clean: dict[str, str],
    timezone: str,
    span: tuple[dt.datetime, dt.datetime],
    has_refunds: bool,
) -> None:
    back = "LEFT JOIN _refunds r ON r.person_key = p.person_key AND r.order_id = t.order_id" if has_refunds else ""
    engine.execute(
        f"""CREATE TABLE orders AS
        SELECT p.person_key, {business_day("t.ordered_at", timezone, *span)} AS business_day, {_of("t", "orders")},
               {"r.back_at" if has_refunds else "NULL::TIMESTAMP"} AS taken_back_at
        FROM {ident(clean["orders"])} t {person_join("person_id")} {back}"""
    )


def _store_events(
    engine: DuckDBEngine, clean: dict[str, str], timezone: str, span: tuple[dt.datetime, dt.datetime]
) -> None:
    # a person named on the row wins; then the person the device is linked to; then the device itself
    told, book = "FALSE", ""
    if "orders" in clean:
        book = f"""LEFT JOIN (
            SELECT order_id, bool_or(refunded_at IS NOT NULL) AS is_refunded FROM {ident(clean["orders"])}
            SEMI JOIN (SELECT DISTINCT order_id FROM {ident(clean["events"])} WHERE event IN {ORDER_EVENTS})
            USING (order_id) GROUP BY 1) o ON o.order_id = t.order_id AND t.event IN {ORDER_EVENTS}"""
        told = """(t.event = 'order_completed' AND (t.order_id IS NULL OR o.order_id IS NOT NULL))
            OR (t.event = 'order_refunded' AND coalesce(o.is_refunded, FALSE))"""
    engine.execute(
        f"""CREATE TABLE _events AS
        SELECT coalesce(k.person_key, a.person_key) AS person_key,
               {business_day("t.occurred_at", timezone, *span)} AS business_day,
               NOT ({told}) AS in_log, NULL::TIMESTAMP AS taken_back_at, {_of("t", "events")}
        FROM {ident(clean["events"])} t
        LEFT JOIN _links l ON l.anonymous_id = t.anonymous_id AND t.person_id IS NULL
        LEFT JOIN persons k ON k.person_id = coalesce(t.person_id, l.person_id) AND NOT k.is_anonymous
        LEFT JOIN persons a
            ON a.person_id = t.anonymous_id AND a.is_anonymous AND t.person_id IS NULL AND l.person_id IS NULL
        {book}"""
    )
