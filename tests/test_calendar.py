"""Days and instants: where a business day ends, and which day lies a month before."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_kit.calendar import closing_instant, day_of, months_before, parse_as_of, zone
from lifecycle_kit.errors import UsageError

TICK = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("day", "timezone", "closes"),
    [
        ("2024-06-30", "UTC", dt.datetime(2024, 7, 1) - TICK),
        ("2024-06-30", "Europe/Paris", dt.datetime(2024, 6, 30, 22) - TICK),
        ("2024-12-31", "Europe/Paris", dt.datetime(2024, 12, 31, 23) - TICK),
        # the day the clocks change is 23 hours long
        ("2024-03-31", "Europe/Paris", dt.datetime(2024, 3, 31, 22) - TICK),
        ("2024-02-29", "America/New_York", dt.datetime(2024, 3, 1, 5) - TICK),
        ("2024-06-30T12:00", "Europe/Paris", dt.datetime(2024, 6, 30, 10)),
        ("2024-06-30T12:00+00:00", "Europe/Paris", dt.datetime(2024, 6, 30, 12)),
    ],
)
def test_closing_instant(day, timezone, closes):
    assert closing_instant(day, timezone) == closes


@given(
    day=st.dates(dt.date(1971, 1, 1), dt.date(2100, 1, 1)), name=st.sampled_from(["UTC", "Europe/Paris", "Asia/Tokyo"])
)
def test_the_last_tick_belongs_to_the_day_and_the_next_does_not(day, name):
    closes = closing_instant(day, name)
    assert day_of(closes, name) == day
    assert day_of(closes + TICK, name) == day + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "n_months", "before"),
    [
        ("2025-06-15", 1, "2025-05-15"),
        ("2025-03-31", 1, "2025-02-28"),
        ("2024-03-30", 1, "2024-02-29"),
        ("2025-02-28", 1, "2025-01-31"),  # month ends compare with month ends
        ("2024-02-29", 12, "2023-02-28"),
        ("2025-01-10", 12, "2024-01-10"),
    ],
)
def test_months_before(day, n_months, before):
    assert months_before(dt.date.fromisoformat(day), n_months) == dt.date.fromisoformat(before)


@pytest.mark.parametrize("text", ["2025-6-30", "30/06/2025", "2025-02-30", "today", "", "20250630T"])
def test_what_is_not_a_date(text):
    with pytest.raises(UsageError, match="is not a date"):
        parse_as_of(text)


def test_a_midnight_without_a_zone_may_be_a_day():
    for midnight in (dt.datetime(2024, 3, 31), pd.Timestamp("2024-03-31")):
        with pytest.raises(UsageError, match="may be a day or an instant"):
            parse_as_of(midnight)
    assert parse_as_of(dt.datetime(2024, 3, 31, tzinfo=dt.UTC)).day == 31
    assert closing_instant("2024-03-31T00:00", "UTC") == dt.datetime(2024, 3, 31)
    with pytest.raises(UsageError, match="20240331 is not a date"):
        parse_as_of(20240331)


def test_zones():
    with pytest.raises(UsageError, match="Unknown time zone 'Paris'"):
        zone("Paris")
    with pytest.raises(UsageError, match="outside the calendar"):
        closing_instant(dt.date.max, "UTC")
