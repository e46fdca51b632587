"""Who is who: one dense whole number per person, devices folded into the person they turned out to be.

Keys follow the order of the ids, never the order of the rows, so a shuffled file gives the same keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle_kit.contract.sqltext import ident

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["PERSON_COLUMNS", "build_persons", "person_join"]

# where a known person shows up; an invited person who never came back is not one yet
PERSON_COLUMNS: dict[str, str] = {
    "orders": "person_id",
    "events": "person_id",
    "customers": "person_id",
    "identities": "person_id",
    "surveys": "person_id",
    "referrals": "referrer_id",
}


def build_persons(engine: DuckDBEngine, clean: dict[str, str]) -> None:
    """Create `persons`, `devices` and the hidden table `_links` (the earliest link of each device).

    Parameters
    ----------
    engine : DuckDBEngine
        Where the clean relations live.
    clean : dict of str
        Contract table name -> name of the relation with its kept, typed rows. Rows of test accounts are not in it.
    """
    _create_links(engine, clean)
    known = [
        f"SELECT {column} AS person_id FROM {ident(clean[table])} WHERE {column} IS NOT NULL"
        for table, column in PERSON_COLUMNS.items()
        if table in clean
    ] or ["SELECT NULL::VARCHAR AS person_id WHERE FALSE"]
    anonymous = (
        f"""SELECT e.anonymous_id AS person_id, TRUE AS is_anonymous FROM {ident(clean["events"])} e
            ANTI JOIN _links USING (anonymous_id)
            WHERE e.person_id IS NULL AND e.anonymous_id IS NOT NULL GROUP BY 1"""
        if "events" in clean
        else "SELECT NULL::VARCHAR, TRUE WHERE FALSE"
    )
    about = (
        f"LEFT JOIN {ident(clean['customers'])} c ON c.person_id = p.person_id AND NOT p.is_anonymous"
        if "customers" in clean
        else "LEFT JOIN (SELECT NULL::VARCHAR AS country, NULL::VARCHAR AS acquired_channel) c ON TRUE"
    )
    engine.execute(
        f"""CREATE TABLE persons AS
        WITH p AS (
            SELECT person_id, FALSE AS is_anonymous FROM ({" UNION ALL ".join(known)}) GROUP BY 1
            UNION ALL {anonymous}
        )
        SELECT row_number() OVER (ORDER BY p.person_id, p.is_anonymous) AS person_key,
               p.person_id, p.is_anonymous, c.country, c.acquired_channel
        FROM p {about}"""
    )
    engine.execute(
        """CREATE TABLE devices AS
        SELECT -row_number() OVER (ORDER BY anonymous_id) AS device_key, anonymous_id FROM _links"""
    )


def person_join(column: str) -> str:
    """Return the join that gives the row `t` of a clean relation its person `p`."""
    return f"JOIN persons p ON p.person_id = t.{ident(column)} AND NOT p.is_anonymous"


def _create_links(engine: DuckDBEngine, clean: dict[str, str]) -> None:
    if "identities" not in clean:
        engine.execute("CREATE TABLE _links (anonymous_id VARCHAR, person_id VARCHAR, linked_at TIMESTAMP)")
        return
    # the person's id breaks ties, so that two links of one instant do not depend on row order
    engine.execute(
        f"""CREATE TABLE _links AS SELECT anonymous_id, person_id, linked_at FROM {ident(clean["identities"])}
        QUALIFY row_number() OVER (PARTITION BY anonymous_id ORDER BY linked_at NULLS LAST, person_id) = 1"""
    )
