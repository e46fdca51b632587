"""A simulated shop, a file a day: late, sent twice, given back; the state says what a full pass says, day after day."""

from __future__ import annotations

import duckdb
import pytest

import lifecycle_kit as lk
from lifecycle_kit.stages.state import open_state

# when a row arrives: on its day, or for one in twenty up to a month later; one in fifty is sent again next day
ARRIVES = {"events": "occurred_at", "orders": "ordered_at", "identities": "linked_at"}
OPTIONS = {"currency": "EUR", "timezone": "Europe/Paris"}


def write_days(root, source, first, n_days, n_people):
    """Write a folder of daily files per table, for some people of the shipped shop; return the days."""
    shop = root / "data" / "shop"
    connection = duckdb.connect()
    connection.execute(
        f"""CREATE TABLE chosen AS SELECT person_id FROM
        (SELECT person_id, row_number() OVER (ORDER BY md5(person_id)) AS n FROM '{shop}/customers.parquet')
        WHERE n <= {n_people}"""
    ).fetchall()
    connection.execute(
        f"""CREATE TABLE devices AS
        SELECT DISTINCT anonymous_id FROM '{shop}/identities.parquet' SEMI JOIN chosen USING (person_id)"""
    ).fetchall()
    days = []
    for table, moment in ARRIVES.items():
        mine = "person_id IN (FROM chosen)" + " OR anonymous_id IN (FROM devices)" * (table == "events")
        connection.execute(
            f"""CREATE TABLE {table} AS WITH own AS (
                SELECT *, md5(concat({moment}, person_id, '{table}')) AS drawn
                FROM '{shop}/{table}.parquet' WHERE {mine})
            SELECT * EXCLUDE (drawn), greatest(0, datediff('day', DATE '{first}', {moment})
                + CASE WHEN drawn < '0d' THEN 1 + ascii(drawn[3]) % 29 ELSE 0 END) AS day FROM own
            UNION ALL
            SELECT * EXCLUDE (drawn), greatest(0, datediff('day', DATE '{first}', {moment})) + 1 FROM own
            WHERE drawn > 'fb' AND '{table}' <> 'identities'"""
        ).fetchall()
        (source / table).mkdir(parents=True)
    for day in range(n_days):
        for table in ARRIVES:
            rows = f"SELECT * EXCLUDE (day) FROM {table} WHERE day = {day}"
            if day == 0 or connection.execute(f"SELECT 1 FROM ({rows}) LIMIT 1").fetchall():
                days.append((day, table, rows))
    return connection, days


def grow(root, tmp_path, same, *, first, n_days, n_people, look_every):
    source, home = tmp_path / "shop", tmp_path / "state"
    connection, files = write_days(root, source, first, n_days, n_people)
    model, notes = lk.load_model("shop"), []
    for day in range(n_days):
        for _, table, rows in (file for file in files if file[0] == day):
            path = source / table / f"day{day:03d}.parquet"
            connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)").fetchall()
        with open_state(home, source, model, **OPTIONS) as state:
            notes.append(state.notes[0])
            if day and day % look_every == 0:
                same(state, source, first, **OPTIONS)
    connection.close()
    assert "Everything" in notes[0]
    assert not any("Everything" in note for note in notes[1:])
    with open_state(home, source, model, **OPTIONS) as state:
        twice = [reason for reasons in state.set_aside()["reasons"].to_pylist() for reason in reasons]
        assert any("duplicate" in reason for reason in twice)


def test_three_weeks(root, tmp_path, same):
    grow(root, tmp_path, same, first="2025-03-01", n_days=21, n_people=400, look_every=5)


@pytest.mark.slow
def test_a_year_of_days(root, tmp_path, same):
    grow(root, tmp_path, same, first="2025-01-01", n_days=365, n_people=400, look_every=30)
