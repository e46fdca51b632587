"""The rows that a saved state keeps: typed, before it is decided which stand twice or belong to test accounts.

Whether a row counts may change with a later one: a copy of it, a link, a test account. So every row is kept, with
hashes that find in one look who else is concerned when somebody has news. Two ids of one hash only make that
circle larger; nothing is decided by a hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lifecycle_kit.contract.sqltext import KIND_TYPES, column_list, ident, literal
from lifecycle_kit.contract.tables import TABLES

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["ALIAS", "closure_rows", "kept_columns", "kept_rows", "numbered_alike", "spread", "told_columns"]

# how an engine calls the attached file of a state
ALIAS = "kept"

# per table: whose row it is; the key by which two rows are one; another id that ties people together
_TIES: dict[str, tuple[str, str | None, str | None]] = {
    "events": ("coalesce(person_id, anonymous_id)", "event_id", "order_id"),
    "orders": ("person_id", "order_id", None),
    "customers": ("person_id", None, None),
    "identities": ("person_id", None, "anonymous_id"),
    "surveys": ("person_id", None, None),
    "referrals": ("referrer_id", "referral_id", None),
    # nobody's: looked at as a whole when there are new ones
    "costs": ("'costs'", None, None),
}
# columns that no stage listens to: all that matters is whether two rows of one event_id differ in them
_FOLDED = frozenset({"session_id", "channel", "campaign", "properties"})
# the column that stands for them where rows are judged again
_FOLD = "campaign"


def told_columns(table: str, given: Iterable[str]) -> frozenset[str]:
    """Return the canonical columns of kept rows, for a source that gives `given`."""
    named = frozenset(given)
    if table != "events" or not named & _FOLDED:
        return named
    return named - _FOLDED | {_FOLD}


def kept_rows(table: str, rows: str, given: Iterable[str]) -> str:
    """Return SQL of rows as they are kept, from SQL of readable rows with `_file`, `_line` and canonical columns."""
    actor, key, tie = _TIES[table]
    hashes = [f"hash({actor}) AS actor"]
    hashes += [
        f"{f'CASE WHEN {x} IS NOT NULL THEN hash({x}) END' if x else 'NULL::UBIGINT'} AS {name}"
        for name, x in (("key", key), ("tie", tie))
    ]
    folded = f"CAST(hash({column_list(sorted(_FOLDED))}) AS VARCHAR)"
    told = told_columns(table, given)
    columns = [
        f"{folded if c.name == _FOLD and table == 'events' else ident(c.name)} AS {ident(c.name)}"
        for c in TABLES[table].columns
        if c.name in told
    ]
    return f"SELECT {', '.join([*hashes, '_file', '_line', *columns])} FROM ({rows})"


def kept_columns(table: str, given: Iterable[str]) -> str:
    """Return the column list of a table of kept rows."""
    told = told_columns(table, given)
    own = [c.name for c in TABLES[table].columns if c.name in told]
    return column_list(["actor", "key", "tie", "_file", "_line", *own])


def closure_rows(relations: Iterable[str], table: str, given: Iterable[str]) -> str:
    """Return SQL of all rows of those who are in `touched`, with every canonical column."""
    told = told_columns(table, given)
    columns = [
        ident(c.name) if c.name in told else f"NULL::{KIND_TYPES[c.kind]} AS {ident(c.name)}"
        for c in TABLES[table].columns
    ]
    picked = [f"SELECT * FROM {r} WHERE actor IN (FROM touched)" for r in relations]
    together = " UNION ALL BY NAME ".join(picked)
    return f"SELECT actor, _file, _line, {', '.join(columns)}, FALSE AS _bad FROM ({together})"


def spread(engine: DuckDBEngine, relations: Mapping[str, list[str]], news: Mapping[str, str]) -> int:
    """Create the table `touched`: the hashes of everybody whose answer new rows may change; return how many.

    Whoever has news is concerned; whoever shares an event_id, a referral_id or an order with somebody concerned;
    and a device and the people it is linked to, both ways; until it grows no more.

    Parameters
    ----------
    relations : mapping of str to list of str
        Contract table -> relations of its kept rows, old and new.
    news : mapping of str to str
        Contract table -> relation of its new rows.
    """
    starts = [f"SELECT actor FROM {r}" for r in news.values()]
    if "identities" in news:
        starts.append(f"SELECT tie FROM {news['identities']}")
    engine.execute(f"CREATE TABLE touched AS SELECT DISTINCT actor FROM ({' UNION ALL '.join(starts)})")
    engine.execute("CREATE TABLE frontier AS FROM touched")
    while engine.rows("SELECT 1 FROM frontier LIMIT 1"):
        reached = " UNION ALL ".join(_reach(engine, relations)) or "SELECT NULL::UBIGINT AS actor WHERE FALSE"
        engine.execute(
            f"""CREATE OR REPLACE TABLE frontier AS SELECT DISTINCT actor FROM ({reached}) AS r(actor)
            WHERE actor IS NOT NULL AND actor NOT IN (FROM touched)"""
        )
        engine.execute("INSERT INTO touched FROM frontier")
    engine.execute("DROP TABLE frontier")
    return int(engine.rows("SELECT count(*) FROM touched")[0][0])


def _reach(engine: DuckDBEngine, relations: Mapping[str, list[str]]) -> list[str]:
    """Return SQL of the actors one step from the frontier; ids on the way are put into tables."""

    def nodes(name: str, column: str, tables: Iterable[str]) -> str:
        own = [
            f"SELECT {column} FROM {r} WHERE actor IN (FROM frontier) AND {column} IS NOT NULL"
            for t in tables
            for r in relations[t]
        ]
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT DISTINCT * FROM ({' UNION ALL '.join(own)})")
        return name

    def holders(table: str, column: str, ids: str, wanted: str = "actor") -> list[str]:
        return [f"SELECT {wanted} FROM {r} WHERE {column} IN (FROM {ids})" for r in relations[table]]

    found = []
    for table in ("events", "orders", "referrals"):
        if table in relations:
            found += holders(table, "key", nodes(f"keys_{table}", "key", [table]))
    if "events" in relations and "orders" in relations:
        # an order decides whether events about it count, whoever tells of them
        found += holders("events", "tie", "keys_orders")
        found += holders("orders", "key", nodes("ties_events", "tie", ["events"]))
    if "identities" in relations:
        found += holders("identities", "actor", "frontier", "tie")
        found += holders("identities", "tie", "frontier")
    return found


def numbered_alike(engine: DuckDBEngine, relations: Mapping[str, list[str]]) -> bool:
    """Say whether an event may name an order by the number that the reader gives to orders without an id."""
    if "orders" not in relations or "events" not in relations:
        return False
    if not any(engine.rows(f"SELECT 1 FROM {r} WHERE key IS NULL LIMIT 1") for r in relations["orders"]):
        return False
    events = " UNION ALL BY NAME ".join(f"SELECT * FROM {r} WHERE tie IS NOT NULL" for r in relations["events"])
    if not engine.rows(f"SELECT 1 FROM ({events}) LIMIT 1"):
        return False
    return bool(engine.rows(f"SELECT 1 FROM ({events}) WHERE order_id LIKE {literal('%#%')} LIMIT 1"))
