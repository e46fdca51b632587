"""What is said when an engine cannot be had: wrong names, no address, an address that is none; never a secret."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk
from lifecycle_kit.engine.choose import open_engine
from tests.small_shops import FEW, orders

OWN = "LIFECYCLE_TEST_FAULTS"
SECRET = "hunter2-s3cret"


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
