"""Offsets written out as SQL against Python's own time zones."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from lifecycle_kit.contract.zones import business_day, never_or_twice, shifts, to_utc
from lifecycle_kit.engine.duckdb import DuckDBEngine

ZONES = ("Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "UTC")


@pytest.mark.parametrize("name", ZONES)
def test_half_hours_of_three_years(name):
    first, last = dt.datetime(2022, 1, 1), dt.datetime(2025, 1, 1)
    utc = to_utc("t", name, first, last)
    day = business_day("t", name, first, last)
    gap, overlap = never_or_twice("t", name, first, last)
    engine = DuckDBEngine()
    rows = engine.rows(
        f"""SELECT t, {utc}, {day}, {gap}, {overlap}
        FROM range(TIMESTAMP '2022-01-01', TIMESTAMP '2025-01-01', INTERVAL 30 MINUTE) r(t)"""
    )
    engine.close()
    tz = ZoneInfo(name)
    for local, found, found_day, is_gap, is_overlap in rows:
        early, late = (local.replace(tzinfo=tz, fold=f).astimezone(dt.UTC).replace(tzinfo=None) for f in (0, 1))
        # fold=0 is the first instant of an overlap, and moves a time in a gap forward
        assert found == early
        assert is_overlap == (early < late)
        assert is_gap == (early > late)
        assert found_day == local.replace(tzinfo=dt.UTC).astimezone(tz).date()


def test_shifts_are_found_to_the_second():
    (spring, autumn) = shifts("Europe/Paris", dt.datetime(2024, 1, 1), dt.datetime(2024, 12, 31))
    assert spring.at == dt.datetime(2024, 3, 31, 1)
    assert autumn.at == dt.datetime(2024, 10, 27, 1)
