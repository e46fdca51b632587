"""PostgreSQL: what is ours and what is not, passwords, and a line that is cut."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import threading
import time
import traceback

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.engine.choose import open_engine
from tests.engines import GUARDED, PASSWORD, VARIABLE, postgres_server
from tests.small_shops import FEW, orders

MODEL = "orders_only"
OWN = "LIFECYCLE_TEST_OWN"


@pytest.fixture
def asked(server):
    """Ask the server as its owner."""
    import psycopg

    with psycopg.connect(server.address, autocommit=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall() if sql.startswith("SELECT") else connection.execute(sql)


def ours(asked):
    return [name for (name,) in asked("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lifecycle%'")]


def opened(**options):
    return open_engine("postgres", connection=VARIABLE, **options)


def everything_said(error):
    return "".join(traceback.format_exception(error)) + repr(error.__context__) + repr(error.__cause__)


def test_what_is_ours_goes_and_nothing_else(asked):
    before = asked("SELECT nspname FROM pg_namespace ORDER BY 1")
    with lk.load(orders(*FEW), engine="postgres", connection=VARIABLE) as shop:
        lk.history(shop, lk.load_model(MODEL))
        assert len(ours(asked)) == 1
    assert asked("SELECT nspname FROM pg_namespace ORDER BY 1") == before


def test_what_others_built_on_ours_stays(asked):
    engine = opened()
    engine.store("t", "SELECT 1 AS n")
    (schema,) = ours(asked)
    asked(f"CREATE VIEW public.theirs AS SELECT * FROM {schema}.t")
    try:
        engine.close()
        assert asked("SELECT n FROM public.theirs") == [(1,)]
    finally:
        asked("DROP VIEW public.theirs")
        asked(f"DROP SCHEMA {schema} CASCADE")


def test_tables_that_are_there_already(asked):
    asked("CREATE SCHEMA company")
    try:
        asked(
            """CREATE TABLE company.log AS SELECT 1::bigint AS person_key, 'order_completed'::text AS event,
            at AS occurred_at, at AS known_at, at::date AS business_day, 'o1'::varchar AS order_id,
            100::bigint AS revenue, NULL::text AS session_id, NULL::text AS channel, NULL::timestamp AS refunded_at,
            NULL::bigint AS device_key, NULL::timestamp AS linked_at, 40::bigint AS cost
            FROM (SELECT timestamp '2024-01-05 10:00') s(at)"""
        )
        asked(
            """CREATE TABLE company.costs AS SELECT 7 AS clicks, date '2024-01-05' AS date, 'mail'::text AS channel,
            NULL::text AS campaign, 500::bigint AS amount, NULL::text AS purpose"""
        )
        asked(
            """CREATE TABLE company.surveys AS
            SELECT 1::bigint AS person_key, timestamp '2024-01-06' AS "at", 9::bigint AS score"""
        )
        with pytest.raises(lk.DataError, match="company: The table persons is missing"):
            lk.open_dataset(schema="company", engine="postgres", connection=VARIABLE)
        asked(
            """CREATE TABLE company.persons AS SELECT 1::bigint AS person_key, 'ann'::text AS person_id,
            false AS is_anonymous, NULL::text AS country, NULL::text AS acquired_channel"""
        )
        with lk.open_dataset(schema="company", engine="postgres", connection=VARIABLE, timezone="Europe/Paris") as shop:
            members = lk.snapshot(shop, lk.load_model(MODEL)).members()
            able = {name for name, found in shop.capabilities.items() if found.available}
            assert shop.engine.arrow("SELECT date, amount FROM costs").to_pylist() == [
                {"date": dt.date(2024, 1, 5), "amount": 500}
            ]
            assert shop.engine.arrow("SELECT score FROM surveys").to_pylist() == [{"score": 9}]
            assert shop.engine.arrow("SELECT referred_id FROM referrals").num_rows == 0
        assert able >= {"profit_per_customer", "acquisition_cost", "satisfaction"}
        assert "advocacy" not in able
        assert members["person_id"].tolist() == ["ann"]
        assert asked("SELECT count(*) FROM company.log") == [(1,)]
        asked("ALTER TABLE company.log ALTER person_key TYPE integer")
        with pytest.raises(lk.DataError, match=r"company\.log: The column person_key of log is int32, not int64"):
            lk.open_dataset(schema="company", engine="postgres", connection=VARIABLE)
        with pytest.raises(lk.UsageError, match="is not the name of a schema"):
            lk.open_dataset(schema="company; DROP", engine="postgres", connection=VARIABLE)
    finally:
        asked("DROP SCHEMA company CASCADE")
    assert ours(asked) == []


def test_a_password(server, monkeypatch):
    monkeypatch.setenv(OWN, f"{server.guarded_address} password={PASSWORD}")
    with lk.load(orders(*FEW), engine="postgres", connection=OWN) as shop:
        assert lk.snapshot(shop, lk.load_model(MODEL)).n_people == 3
        assert PASSWORD not in repr(shop.engine) + repr(vars(shop.engine))
    for told in (f"{server.guarded_address} password=not-{PASSWORD}", server.guarded_address):
        monkeypatch.setenv(OWN, told)
        with pytest.raises(lk.RunError, match=rf"password.*{OWN}") as caught:
            open_engine("postgres", connection=OWN)
        assert PASSWORD not in everything_said(caught.value)


def test_a_role_that_may_not_create(server, asked, monkeypatch):
    asked(f"REVOKE CREATE ON DATABASE postgres FROM {GUARDED}")
    monkeypatch.setenv(OWN, f"{server.guarded_address} password={PASSWORD}")
    try:
        with pytest.raises(lk.RunError, match="permission denied for database postgres"):
            open_engine("postgres", connection=OWN)
    finally:
        asked(f"GRANT CREATE ON DATABASE postgres TO {GUARDED}")


def test_a_question_that_takes_too_long(asked):
    engine = opened(deadline=1)
    began = time.monotonic()
    for ask in (engine.arrow, lambda sql: engine.store("t", sql)):
        with pytest.raises(lk.LifecycleError, match=r"did not answer within 1 seconds|is closed"):
            ask("SELECT pg_sleep(60) IS NULL AS slept")
    assert time.monotonic() - began < 10
    engine.close()
    assert ours(asked) == []  # called again to tidy up


def test_a_lock_of_somebody_else(server, asked):
    import psycopg

    engine = opened(deadline=1)
    asked("CREATE TABLE public.locked AS SELECT 1 AS n")
    try:
        with psycopg.connect(server.address) as other:
            other.execute("LOCK TABLE public.locked IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(lk.RunError, match="did not answer within 1 seconds"):
                engine.arrow("SELECT n FROM public.locked")
    finally:
        engine.close()
        asked("DROP TABLE public.locked")
    assert ours(asked) == []


@contextlib.contextmanager
def soon(act):
    """Do something half a second later, meanwhile."""
    timer = threading.Timer(0.5, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_killed_in_the_midst_of_an_answer(asked, tmp_path):
    engine = opened()
    (pid,) = engine.arrow("SELECT pg_backend_pid() AS pid")["pid"].to_pylist()
    endless = "SELECT i, repeat('x', 100) AS text FROM generate_series(1, 10000000000) AS s(i)"
    with (
        soon(lambda: asked(f"SELECT pg_terminate_backend({pid})")),
        pytest.raises(lk.RunError, match="was lost: nothing of this answer was kept"),
    ):
        engine.to_parquet(endless, tmp_path / "spells.parquet")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(lk.UsageError, match="connection to PostgreSQL is closed"):
        engine.arrow("SELECT 1 AS n")
    engine.close()
    assert ours(asked) == []


def test_stopped_in_the_midst_of_taking_rows_in(asked, tmp_path):
    engine = opened(deadline=2)
    (pid,) = engine.arrow("SELECT pg_backend_pid() AS pid")["pid"].to_pylist()
    n = 2_000_000
    rows = pd.DataFrame({"person_key": range(n), "person_id": [f"somebody with a long name {i}" for i in range(n)]})
    rows.to_parquet(tmp_path / "persons.parquet", index=False)
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(lk.RunError, match="did not answer within 2 seconds"):
            engine.read_parquet("persons", tmp_path / "persons.parquet", ("person_key", "person_id"))
        assert time.monotonic() - began < 15
    finally:
        os.kill(pid, signal.SIGCONT)
    engine.close()


def test_nobody_answers_the_call(monkeypatch):
    with postgres_server() as standing:
        monkeypatch.setenv(OWN, standing.address)
        pid = standing.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(lk.RunError, match="did not answer within 2 seconds"):
                open_engine("postgres", connection=OWN, deadline=2)
            assert time.monotonic() - began < 10
        finally:
            os.kill(pid, signal.SIGCONT)


def test_numbers_come_back_as_they_are(asked):
    engine = opened()
    try:
        found = engine.arrow(
            """SELECT sum(n)::numeric AS big, max(n) AS n, 1.5::float8 AS half, 'infinity'::float8 AS much,
            NULL::text AS none, '' AS empty, timestamp '1969-12-31 23:59:59.999999' AS at, date '0987-01-02' AS day
            FROM (VALUES (9007199254740993::bigint), (0)) v(n)"""
        ).to_pylist()
        assert found == [
            {
                "big": 9007199254740993,
                "n": 9007199254740993,
                "half": 1.5,
                "much": float("inf"),
                "none": None,
                "empty": "",
                "at": pd.Timestamp("1969-12-31 23:59:59.999999").to_pydatetime(),
                "day": pd.Timestamp("0987-01-02").date(),
            }
        ]
        assert engine.arrow("SELECT NULL::text AS n FROM generate_series(1, 3)")["n"].to_pylist() == [None] * 3
        assert engine.arrow("SELECT 1 AS n WHERE false").num_rows == 0
        with pytest.raises(lk.RunError, match="does not fit"):
            engine.arrow("SELECT 1.5::numeric AS n")
    finally:
        engine.close()
