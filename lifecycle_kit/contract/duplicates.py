"""Rows that stand twice: found by the hash of their key, looked at only where a hash repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.contract.sqltext import column_list, ident, literal
from lifecycle_kit.contract.tables import TABLES

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Twins", "find_duplicates"]

# a device may be linked to one person again and again; the earliest link counts, no two contradict each other
_REPEATABLE = ("identities",)


@dataclass(frozen=True)
class Twins:
    """What was found in one table.

    Attributes
    ----------
    n_equal_kept : int
        Rows equal to another one that were kept, because the table has no key that says they are one.
    """

    n_equal_kept: int = 0


def find_duplicates(
    engine: DuckDBEngine,
    table: str,
    relation: str,
    columns: frozenset[str],
    *,
    looked_at: str,
    policy: str,
    is_declared: bool,
) -> Twins:
    """Write every row that must go, with its reason, to `_drop`.

    Equal rows with one key are one row: the first stays. Different rows with one key contradict each other:
    `policy` says whether none of them stays, or the first, or the last by file and line.

    Parameters
    ----------
    relation : str
        Good rows: `_feed`, `_file`, `_line` and the canonical columns.
    columns : frozenset of str
        Canonical columns that the source gives.
    looked_at : str
        Relation with at least these rows, for a first look: cheaper, as good rows need not be told from bad ones.
    is_declared : bool
        The user declared `policy`: then equal rows go even where the table has no key.
    """
    names = [c.name for c in TABLES[table].columns if c.name in columns]
    key = [c for c in TABLES[table].key if c in columns]
    is_keyed = len(TABLES[table].key) > 1 or bool(key)
    by = key if is_keyed else names
    whole = f"WHERE {ident(key[0])} IS NOT NULL" if len(key) == 1 and is_keyed else ""
    hashes = f"SELECT hash({column_list(by)}) AS h FROM {ident(looked_at)} {whole}"
    # sorting whole numbers takes half of what grouping them takes, as nearly all are groups of their own
    neighbours = f"SELECT h, lag(h) OVER (ORDER BY h) AS before FROM ({hashes})"
    engine.execute(f"CREATE TEMP TABLE _repeated AS SELECT DISTINCT h FROM ({neighbours}) WHERE h = before")
    try:
        if not engine.rows("SELECT 1 FROM _repeated LIMIT 1"):
            return Twins()
        engine.execute(
            f"""CREATE TEMP TABLE _twins AS
            WITH found AS (
                SELECT _feed, _file, _line, {column_list(names)} FROM {ident(relation)}
                WHERE hash({column_list(by)}) IN (SELECT h FROM _repeated) {whole.replace("WHERE", "AND")}
            )
            SELECT _feed, _file, _line, concat_ws(', ', {column_list(by[:3])}) AS named,
                row_number() OVER (PARTITION BY {column_list(names)} ORDER BY _file, _line) AS nth_equal,
                first_value(_file) OVER (PARTITION BY {column_list(names)} ORDER BY _file, _line) AS first_file,
                first_value(_line) OVER (PARTITION BY {column_list(names)} ORDER BY _file, _line) AS first_line,
                dense_rank() OVER (PARTITION BY {column_list(by)} ORDER BY {column_list(names)}) AS version,
                row_number() OVER (PARTITION BY {column_list(by)} ORDER BY _file, _line) AS nth,
                row_number() OVER (PARTITION BY {column_list(by)} ORDER BY _file DESC, _line DESC) AS nth_from_end,
                hash({column_list(by)}) AS h
            FROM found"""
        )
        if not is_keyed and not is_declared:
            (n,) = engine.rows("SELECT count(*) FROM _twins WHERE nth_equal > 1")[0]
            return Twins(n_equal_kept=n)
        _drop_equal(engine, table)
        if is_keyed and table not in _REPEATABLE:
            _drop_contradicting(engine, table, ", ".join(key), policy)
        return Twins()
    finally:
        engine.execute("DROP TABLE IF EXISTS _twins")
        engine.execute("DROP TABLE _repeated")


def _drop_equal(engine: DuckDBEngine, table: str) -> None:
    engine.execute(
        f"""INSERT INTO _drop SELECT {literal(table)}, _feed, _file, _line,
            concat('exact duplicate of line ', first_line,
                   CASE WHEN first_file <> _file THEN ' of ' || first_file ELSE '' END)
        FROM _twins WHERE nth_equal > 1"""
    )


def _drop_contradicting(engine: DuckDBEngine, table: str, key: str, policy: str) -> None:
    stays = {"set_aside": "FALSE", "first": "first_nth = 1", "last": "last_nth = 1"}[policy]
    kept = {"set_aside": "none is kept", "first": "the first is kept", "last": "the last is kept"}[policy]
    # one row per different version; a version stands where its first copy stands
    engine.execute(
        f"""INSERT INTO _drop
        WITH versions AS (
            SELECT *, min(nth) OVER w AS first_nth, min(nth_from_end) OVER w AS last_nth,
                   max(version) OVER (PARTITION BY h, named) AS n_versions
            FROM _twins WINDOW w AS (PARTITION BY h, named, version)
        )
        SELECT {literal(table)}, _feed, _file, _line,
               concat('{key} ''', left(named, 60), ''' has ', n_versions, ' rows with different values: {kept}')
        FROM versions WHERE n_versions > 1 AND nth_equal = 1 AND NOT ({stays})"""
    )
