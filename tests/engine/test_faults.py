"""What is said when an engine cannot be had, or goes away in the midst of an answer."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

import lifecycle_kit as lk
from lifecycle_kit.engine.choose import open_engine
from tests.engines import postgres_server
from tests.small_shops import FEW, orders

OWN = "LIFECYCLE_TEST_FAULTS"
SECRET = "hunter2-s3cret"


@pytest.fixture
def fragile(monkeypatch):
    """A server that a test may harm."""
    with postgres_server() as running:
        monkeypatch.setenv(OWN, running.address)
        yield running


def test_unknown_engine():
    with pytest.raises(lk.UnknownNameError, match=r"Unknown engine 'postgre'\. Did you mean 'postgres'"):
        lk.load(orders(*FEW), engine="postgre")


def test_connection_without_postgres():
    with pytest.raises(lk.UsageError, match="goes with the engine postgres"):
        lk.load(orders(*FEW), connection=OWN)


def test_variable_not_set(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.delenv(OWN, raising=False)
    with pytest.raises(lk.UsageError, match=f"{OWN} is not set"):
        lk.load(orders(*FEW), engine="postgres", connection=OWN)


@pytest.mark.parametrize(
    "told",
    [
        f"postgresql://kit:{SECRET}@[broken/db",
        f"password={SECRET} no-such-word",
        f"host=/nowhere/{SECRET} password={SECRET} user=kit",
        f"{SECRET}",
    ],
)
def test_bad_address_keeps_its_secret(monkeypatch, told):
    pytest.importorskip("psycopg")
    monkeypatch.setenv(OWN, told)
    with pytest.raises(lk.LifecycleError, match=OWN) as caught:
        open_engine("postgres", connection=OWN, deadline=5)
    error = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__ or error.__context__


def test_address_given_for_its_name():
    with pytest.raises(lk.UsageError, match="not the name of an environment variable") as caught:
        open_engine("postgres", connection=f"postgresql://kit:{SECRET}@localhost/db")
    assert SECRET not in str(caught.value)


def test_server_is_killed(fragile):
    with lk.load(orders(*FEW), engine="postgres", connection=OWN) as dataset:
        fragile.run("pg_ctl", "-D", str(fragile.data), "-m", "immediate", "-w", "stop")
        with pytest.raises(lk.RunError, match="was lost"):
            lk.snapshot(dataset, lk.load_model("orders_only"))


def test_server_stands_still(fragile):
    with contextlib.ExitStack() as stack:
        dataset = stack.enter_context(lk.load(orders(*FEW), engine="postgres", connection=OWN, deadline=3))
        ((pid,),) = dataset.engine._link.rows("SELECT pg_backend_pid()")
        stack.callback(dataset.close)
        os.kill(pid, signal.SIGSTOP)
        stack.callback(os.kill, pid, signal.SIGCONT)  # before the dataset is closed
        began = time.monotonic()
        with pytest.raises(lk.RunError, match="did not answer within 3 seconds"):
            lk.snapshot(dataset, lk.load_model("orders_only"))
        assert time.monotonic() - began < 8
