"""Business days, windows, periods: which day an instant belongs to, which days a window and a period hold."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk
from tests.kpis.by_hand import one
from tests.told_rows import shop

JANUARY = ("2024-01-01", "2024-01-31")


def orders_at(*times, person=None):
    return [(f"o{n}", person or f"p{n}", at, 1_000, 0) for n, at in enumerate(times)]


def per_period(dataset, kpi="new_customers", **options):
    """(first day, value, mark) of each period."""
    found = lk.compute_kpis(dataset, kpi, run_in_days=options.pop("run_in_days", 0), **options).to_frame()
    return [
        (str(row["period_start"]), row["value"], row["mark"] if isinstance(row["mark"], str) else None)
        for row in found.to_dict("records")
    ]


# -- windows: the first day is day 0; from the first day of a window up to, and without, its last


@pytest.mark.parametrize(
    ("kpi", "second", "n_num"),
    [
        ("repeat_rate", "2024-03-31 23:59:59", 1),  # day 89
        ("repeat_rate", "2024-04-01 00:00:00", 0),  # day 90
        ("retention_bounded", "2024-03-01 23:59:59", 0),  # day 59
        ("retention_bounded", "2024-03-02 00:00:00", 1),  # day 60
        ("retention_bounded", "2024-03-31 23:59:59", 1),  # day 89
        ("retention_bounded", "2024-04-01 00:00:00", 0),  # day 90
        ("retention_unbounded", "2024-03-31 23:59:59", 0),  # day 89
        ("retention_unbounded", "2024-04-01 00:00:00", 1),  # day 90
        ("retention_bracket", "2024-01-31 23:59:59", 0),  # day 29
        ("retention_bracket", "2024-02-01 00:00:00", 1),  # day 30
        ("retention_bracket", "2024-06-29 23:59:59", 1),  # day 179
        ("retention_bracket", "2024-06-30 00:00:00", 0),  # day 180
    ],
)
def test_the_last_day_of_a_window_is_the_one_before_its_end(kpi, second, n_num):
    # whatever the hour of the first order: days are counted, not hours
    with shop(orders=orders_at("2024-01-02 18:00", second, person="ann")) as dataset:
        row = one(dataset, kpi, *JANUARY, as_of="2024-12-31")
    assert (row["n_num"], row["n_den"]) == (n_num, 1)


@pytest.mark.parametrize(
    ("ordered_on", "start", "n_num", "n_den"),
    [
        ("2023-07-05", "2024-01-01", 1, 1),  # 180 days before 1 January, which is the last day of silence
        ("2023-07-04", "2024-01-01", 0, 0),  # 181 days before
        ("2023-08-04", "2024-01-01", 1, 1),  # its 180 days are over on 31 January
        ("2023-08-05", "2024-01-01", 0, 1),  # on 1 February
        ("2023-12-31", "2024-01-01", 0, 1),
        ("2024-01-01", "2024-01-01", 0, 0),  # in the period is not before it
    ],
)
def test_the_days_of_a_base(ordered_on, start, n_num, n_den):
    with shop(orders=orders_at(f"{ordered_on} 18:00")) as dataset:
        row = one(dataset, "lapse_rate", start, "2024-01-31", as_of="2024-06-30")
    assert row["n_den"] == n_den
    assert n_den == 0 or row["n_num"] == n_num


def test_each_lapse_is_told_once_whatever_the_period():
    orders = orders_at("2023-07-05 10:00", "2023-07-20 10:00", "2023-08-04 10:00", "2023-08-05 10:00")
    with shop(orders=orders) as dataset:
        told = {
            by: lk.compute_kpis(dataset, "lapse_rate", since="2023-10-01", as_of="2024-02-29", by=by).to_frame()
            for by in ("day", "week", "month")
        }
    assert {by: rows["n_num"].sum() for by, rows in told.items()} == {"day": 4, "week": 4, "month": 4}
    assert told["month"]["n_num"].tolist() == [0, 0, 0, 3, 1]


# -- time zones


def test_one_log_in_two_zones():
    # half past eleven at night in London, half past midnight in Paris
    orders = orders_at("2024-01-31 23:30", "2024-01-15 12:00")
    options = {"since": "2024-01-01", "until": "2024-02-01", "as_of": "2024-02-29", "by": "month"}
    with shop(orders=orders) as dataset:
        assert [row[1] for row in per_period(dataset, **options)] == [2, 0]
    with shop(orders=orders, timezone="Europe/Paris") as dataset:
        assert [row[1] for row in per_period(dataset, **options)] == [1, 1]


def test_a_day_of_people_and_of_windows_is_a_day_of_the_zone():
    events = [("ann", "page_viewed", "2024-01-09 05:30"), ("ann", "page_viewed", "2024-01-09 12:00")]
    # 9 January 05:30 UTC is still the 8th in Los Angeles
    orders = [("o1", "ann", "2024-01-09 05:45", 1_000, 0)]
    with shop(events=events, orders=orders) as dataset:
        assert one(dataset, "daily_traffic", "2024-01-08", "2024-01-09", as_of="2024-01-09")["n_num"] == 1
    with shop(events=events, orders=orders, timezone="America/Los_Angeles") as dataset:
        assert one(dataset, "daily_traffic", "2024-01-08", "2024-01-09", as_of="2024-01-09")["n_num"] == 2


@pytest.mark.parametrize(
    ("at", "day"),
    [
        # Paris: on 31 March 2024 the clocks go forward (23 hours), on 27 October back (25 hours)
        ("2024-03-30 22:59:59.999999", "2024-03-30"),
        ("2024-03-30 23:00:00", "2024-03-31"),
        ("2024-03-31 21:59:59.999999", "2024-03-31"),
        ("2024-03-31 22:00:00", "2024-04-01"),
        ("2024-10-26 21:59:59.999999", "2024-10-26"),
        ("2024-10-26 22:00:00", "2024-10-27"),
        ("2024-10-27 22:59:59.999999", "2024-10-27"),
        ("2024-10-27 23:00:00", "2024-10-28"),
    ],
)
def test_where_clocks_change(at, day):
    with shop(orders=orders_at("2024-03-01 12:00", at), timezone="Europe/Paris") as dataset:
        told = per_period(dataset, since=day, until=day, as_of="2024-12-31")
        until_then = one(dataset, "new_customers", "2024-01-01", day, as_of=day)
    assert told[0][:2] == (day, 1)
    assert until_then["value"] == 2  # the as-of day closes in the zone too


# -- periods


def test_weeks_begin_as_declared():
    # 7 January 2024 is a Sunday
    options = {"since": "2024-01-01", "until": "2024-01-14", "as_of": "2024-01-31", "by": "week"}
    with shop(orders=orders_at("2024-01-01 10:00", "2024-01-07 10:00", "2024-01-31 10:00")) as dataset:
        assert per_period(dataset, **options) == [("2024-01-01", 2, None), ("2024-01-08", 0, None)]
        assert per_period(dataset, week_start="sunday", **options) == [
            ("2024-01-01", 1, "partial"),
            ("2024-01-07", 1, None),
            ("2024-01-14", 0, "partial"),
        ]


def test_cut_periods_are_marked_and_only_their_days_count():
    orders = orders_at(
        *(f"2024-{day} 10:00" for day in ("01-01", "01-09", "01-10", "02-05", "02-10", "02-11", "03-31"))
    )
    with shop(orders=orders) as dataset:
        told = per_period(dataset, since="2024-01-10", until="2024-02-10", as_of="2024-03-31", by="month")
        flow = per_period(
            dataset, "growth_dormant", since="2024-02-10", until="2024-03-31", as_of="2024-03-31", by="month"
        )
    assert told == [("2024-01-10", 1, "partial"), ("2024-02-01", 2, "partial")]
    # before the cut February lies the whole of January; before March, February from the 10th on
    assert [value for _, value, _ in flow] == [3, 2]


@pytest.mark.parametrize(
    ("by", "starts"),
    [
        ("day", 366),
        ("week", ["2024-01-01", "2024-01-08"]),
        ("month", ["2024-01-01", "2024-02-01"]),
        ("quarter", ["2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01"]),
        ("year", ["2024-01-01"]),
        (None, ["2024-01-01"]),
    ],
)
def test_periods_of_the_calendar(by, starts):
    days = ["2024-01-01", "2024-02-29", "2024-03-31", "2024-04-01", "2024-09-30", "2024-12-31"]
    with shop(orders=orders_at(*(f"{day} 10:00" for day in days))) as dataset:
        told = per_period(dataset, since="2024-01-01", as_of="2024-12-31", by=by)
    if isinstance(starts, int):
        assert len(told) == starts
    else:
        assert [start for start, *_ in told][: len(starts)] == starts
    assert sum(value for _, value, _ in told) == len(days)


def test_the_first_days_of_a_log_are_marked():
    events = [("ann", "page_viewed", "2024-01-15 10:00"), ("bob", "page_viewed", "2024-04-30 10:00")]
    options = {"since": "2024-01-01", "as_of": "2024-04-30", "by": "month"}
    with shop(events=events) as dataset:
        told = [mark for *_, mark in per_period(dataset, "new_visitors", run_in_days=30, **options)]
        longer = [mark for *_, mark in per_period(dataset, "new_visitors", run_in_days=60, **options)]
        opened = [mark for *_, mark in per_period(dataset, "new_visitors", run_in_days=0, **options)]
        traffic = [mark for *_, mark in per_period(dataset, "daily_traffic", run_in_days=30, **options)]
    # the log begins on 15 January: until 14 February everybody may look new
    assert told == ["left-censored, partial", "left-censored", None, None]
    assert longer == ["left-censored, partial", "left-censored", "left-censored", None]
    assert opened == ["partial", None, None, None]
    assert traffic == opened  # who comes on a day does not depend on what was before


def test_the_last_365_days_are_asked_for_by_default():
    with shop(orders=orders_at("2023-01-01 10:00", "2024-06-30 10:00")) as dataset:
        row = lk.compute_kpis(dataset, "new_customers").to_frame().iloc[0]
    assert (str(row["period_start"]), str(row["period_end"])) == ("2023-07-02", "2024-06-30")
    assert row["value"] == 1
