"""Retention by hand on a few rows, against a plain computation on many, and at its edges."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lifecycle_kit as lk
from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.kpis.newcombe import newcombe
from lifecycle_kit.kpis.triangle import period_label
from tests.engines import everywhere
from tests.small_shops import orders

# the log ends on 10 April: January, February and March are whole
SHOP = [
    ("ann", "2024-01-05 10:00", 10_000),
    ("ann", "2024-01-25 10:00", 2_000),
    ("ann", "2024-02-05 10:00", 20_000),
    ("ann", "2024-04-02 10:00", 5_000),
    ("bob", "2024-01-10 10:00", 3_000),
    ("cyd", "2024-02-01 08:00", 5_000),
    ("cyd", "2024-03-15 08:00", 1_000),
    ("dan", "2024-03-20 08:00", 9_000, "2024-03-25 00:00"),
    ("eve", "2024-04-10 08:00", 7_000),
]
SHARES = [("2024-01", 0, 1.0), ("2024-01", 1, 0.5), ("2024-01", 2, 0.0), ("2024-02", 0, 1.0), ("2024-02", 1, 1.0)]


def shares(found):
    return list(found.to_frame()[["cohort", "age", "share"]].itertuples(index=False, name=None))


def asked(rows, zone="UTC", **options):
    with lk.load(orders(*rows), timezone=zone) as shop:
        return lk.retention(shop, **options)


@pytest.fixture(scope="module")
def by_hand():
    return asked(SHOP)


def test_shares_by_hand(by_hand):
    # dan gave everything back, eve came in a month that is not over: neither is in a cohort
    assert shares(by_hand) == SHARES
    frame = by_hand.to_frame()
    assert frame["n_people"].tolist() == [2, 2, 2, 1, 1]
    assert frame["n_active"].tolist() == [2, 1, 0, 1, 1]
    assert frame["cohort_start"].tolist() == [dt.date(2024, 1, 1)] * 3 + [dt.date(2024, 2, 1)] * 2
    assert frame["mark"].fillna("").tolist() == ["left-censored"] * 3 + ["left-censored"] * 2  # 4 February is settled
    assert tuple(frame.loc[1, ["lo", "hi"]]) == wilson(1, 2)
    assert tuple(frame.loc[0, ["lo", "hi"]]) == (1, 1)


def test_revenue_by_hand(by_hand):
    frame = by_hand.to_frame()
    assert frame["revenue"].tolist() == [150, 200, 0, 50, 10]
    assert frame["revenue_per_person"].tolist() == [75, 100, 0, 50, 10]
    assert frame["cumulative_revenue_per_person"].tolist() == [75, 175, 175, 50, 60]


def test_mean_weighs_cohorts_by_their_people(by_hand):
    mean = by_hand.mean
    assert mean["n_cohorts"].tolist() == [2, 2, 1]
    assert mean["n_people"].tolist() == [3, 3, 2]
    assert mean["share"].tolist() == [1, 2 / 3, 0]  # the mean of shares at age 1 would be 0.75
    assert mean["revenue_per_person"].tolist() == [200 / 3, 70, 0]
    assert mean["cumulative_revenue_per_person"].tolist() == pytest.approx([200 / 3, 410 / 3, 410 / 3])


def test_nothing_beyond_the_data_is_zero(by_hand):
    wide = by_hand.triangle()
    assert list(wide.columns) == [0, 1, 2]
    assert np.isnan(wide.loc["2024-02", 2])
    assert wide.loc["2024-01", 2] == 0
    assert len(by_hand.to_frame()) == wide.notna().sum().sum()


@pytest.mark.parametrize(
    ("as_of", "cells"),
    [
        ("2024-01-31", SHARES[:1]),
        ("2024-02-28", SHARES[:1]),
        ("2024-02-29", [*SHARES[:2], SHARES[3]]),
        ("2024-03-22", [*SHARES[:2], SHARES[3]]),
        ("2024-04-30", SHARES),  # known for longer than the log lasts: April is still not whole
    ],
)
def test_a_month_that_is_not_over_has_no_cell(as_of, cells):
    assert shares(asked(SHOP, as_of=as_of)) == cells


def test_what_is_given_back_later_still_stood_then():
    rows = [*SHOP[:7], ("dan", "2024-03-20 08:00", 9_000, "2024-04-05 00:00"), SHOP[8]]
    assert ("2024-03", 0, 1.0) in shares(asked(rows, as_of="2024-03-31"))
    assert shares(asked(rows)) == SHARES


def test_since_and_until_choose_cohorts_not_people(by_hand):
    # ann's first order was in January: she is not of February, whatever is asked
    assert shares(asked(SHOP, since="2024-02-20")) == SHARES[3:]
    assert shares(asked(SHOP, until="2024-01-15")) == SHARES[:3]


def test_unbounded_looks_ahead():
    rows = [*SHOP, ("ann", "2024-03-30 10:00", 100), ("bob", "2024-03-02 10:00", 100)]
    bounded, unbounded = asked(rows), asked(rows, kind="unbounded")
    assert bounded.triangle().loc["2024-01"].tolist() == [1, 0.5, 1]
    assert unbounded.triangle().loc["2024-01"].tolist() == [1, 1, 1]
    # ann's order in April is in no whole month
    assert asked(SHOP, kind="unbounded").triangle().loc["2024-01"].tolist() == [1, 0.5, 0]


def test_time_zone_moves_a_first_order_into_another_month():
    rows = [("ann", "2024-01-31 23:30", 100), ("bob", "2024-01-02 10:00", 100), ("bob", "2024-03-01 10:00", 100)]
    assert asked(rows).triangle().index.tolist() == ["2024-01"]
    paris = asked(rows, "Europe/Paris")
    assert paris.to_frame().groupby("cohort")["n_people"].first().to_dict() == {"2024-01": 1, "2024-02": 1}


def test_week_start_moves_a_sunday_into_another_week():
    # 4 February 2024 is a Sunday
    rows = [("ann", "2024-02-04 10:00", 100), ("ann", "2024-02-07 10:00", 100), ("bob", "2024-02-20 10:00", 100)]
    assert shares(asked(rows, by="week")) == [("2024-W05", 0, 1.0), ("2024-W05", 1, 1.0), ("2024-W05", 2, 0.0)]
    assert shares(asked(rows, by="week", week_start="sunday")) == [("2024-W06", 0, 1.0), ("2024-W06", 1, 0.0)]


def test_quarters_and_years():
    rows = [*SHOP, ("bob", "2025-07-01 10:00", 100)]
    quarters = asked(rows, by="quarter")
    assert quarters.triangle().index.tolist() == ["2024-Q1", "2024-Q2"]
    assert quarters.triangle().loc["2024-Q1"].tolist() == [1, pytest.approx(1 / 3), 0, 0, 0, 0]
    assert shares(asked(rows, by="year")) == [("2024", 0, 1.0)]


@given(st.dates(dt.date(1970, 1, 1), dt.date(2200, 1, 1)))
def test_weeks_from_monday_have_the_numbers_of_iso_8601(day):
    monday = day - dt.timedelta(days=day.weekday())
    assert period_label(monday, "week") == "{}-W{:02}".format(*monday.isocalendar())


def test_weeks_from_sunday_belong_to_the_year_of_most_of_their_days():
    # as the tables of the CDC (MMWR weeks) have them
    told = {dt.date(2023, 12, 31): "2024-W01", dt.date(2024, 12, 29): "2025-W01", dt.date(2020, 12, 27): "2020-W53"}
    assert {start: period_label(start, "week") for start in told} == told


def test_left_censored_until_the_log_has_run_in():
    marks = asked(SHOP, run_in_days=20).to_frame().groupby("cohort")["mark"].first().fillna("").to_dict()
    assert marks == {"2024-01": "left-censored", "2024-02": ""}
    # the log begins 27 days before February
    assert asked(SHOP, run_in_days=27, since="2024-02-01").to_frame()["mark"].isna().all()
    assert asked(SHOP, run_in_days=28, since="2024-02-01").to_frame()["mark"].notna().all()
    assert asked(SHOP, run_in_days=0).to_frame()["mark"].isna().all()


def test_unknown_revenue_is_not_a_revenue_of_nothing():
    told = [("a", "o1", 100, "2024-01-02"), ("a", "o2", None, "2024-02-02"), ("a", "o3", 100, "2024-03-02")]
    frame = pd.DataFrame(told, columns=["person_id", "order_id", "revenue", "occurred_at"])
    frame = frame.astype({"revenue": "Int64", "occurred_at": "datetime64[us]"}).assign(event="order_completed")
    with lk.load({"events": frame}) as shop:
        found = lk.retention(shop, as_of="2024-03-02", run_in_days=0)
    assert found.to_frame()["share"].tolist() == [1, 1]
    assert found.to_frame()["revenue"].fillna(-1).tolist() == [1, -1]
    assert found.mean["cumulative_revenue_per_person"].fillna(-1).tolist() == [1, -1]


EVENTS = [
    ("ann", "page_viewed", "2024-01-01 09:00"),
    ("ann", "newsletter_opened", "2024-02-02 09:00"),
    ("ann", "page_viewed", "2024-03-02 09:00"),
    ("bob", "newsletter_opened", "2024-02-10 09:00"),
    ("bob", "page_viewed", "2024-03-31 09:00"),
]


def events():
    frame = pd.DataFrame(EVENTS, columns=["person_id", "event", "occurred_at"])
    return frame.astype({"occurred_at": "datetime64[us]"})


@pytest.mark.parametrize(
    ("activity", "cohorts"),
    [
        ("visit", {"2024-01": [1, 1, 1], "2024-02": [1, 1]}),
        ("page_viewed", {"2024-01": [1, 0, 1], "2024-03": [1]}),
        (["newsletter_opened"], {"2024-02": [1, 0]}),
        (("page_viewed", "newsletter_opened"), {"2024-01": [1, 1, 1], "2024-02": [1, 1]}),
    ],
)
def test_activity_that_is_no_order(activity, cohorts):
    frame = events()
    with lk.load({"events": frame}) as shop:
        found = lk.retention(shop, activity=activity)
    wide = found.triangle()
    assert {cohort: row.dropna().tolist() for cohort, row in wide.iterrows()} == cohorts
    assert found.to_frame()[["revenue", "cumulative_revenue_per_person"]].isna().all(axis=None)
    with pytest.raises(lk.UsageError, match="Revenue belongs to orders"):
        found.plot_revenue()


# Newcombe (1998), "Interval estimation for the difference between independent proportions", table II, method 10
@pytest.mark.parametrize(
    ("counts", "interval"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_published(counts, interval):
    assert newcombe(*counts) == pytest.approx(interval, abs=5e-5)


samples = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(samples, samples)
def test_newcombe_holds_the_difference_and_mirrors(one, other):
    low, high = newcombe(*one, *other)
    difference = one[0] / one[1] - other[0] / other[1]
    assert -1 - 1e-12 <= low <= difference <= high <= 1 + 1e-12
    assert newcombe(*other, *one) == pytest.approx((-high, -low))


def test_newcombe_of_nobody():
    with pytest.raises(ValueError, match="is not a proportion"):
        newcombe(1, 2, 0, 0)


def test_cohorts_at_equal_age(by_hand):
    found = by_hand.at_equal_age()
    assert found["age"].tolist() == [2]  # half of two cohorts have reached it
    assert found[["share_others", "difference"]].isna().all(axis=None)
    one = by_hand.at_equal_age(1).set_index("cohort")
    assert one["share"].tolist() == [0.5, 1]
    assert one["share_others"].tolist() == [1, 0.5]
    assert one["difference"].tolist() == [-0.5, 0.5]
    assert tuple(one.loc["2024-02", ["difference_lo", "difference_hi"]]) == newcombe(1, 1, 1, 2)
    assert one["cumulative_revenue_per_person"].tolist() == [175, 60]
    assert by_hand.at_equal_age(0)["difference"].isna().all()  # all are there by definition
    for age, says in ((3, "No cohort has reached age 3"), (-1, "from 0 to 2"), (1.0, "whole number of months")):
        with pytest.raises(lk.UsageError, match=says):
            by_hand.at_equal_age(age)


def test_others_are_weighed_by_their_people(root):
    with lk.load(root / "data" / "shop") as shop:
        found = lk.retention(shop, by="quarter").at_equal_age(2)
    for i in range(len(found)):
        others = found.drop(index=i)
        assert found.loc[i, "share_others"] == pytest.approx(others["n_active"].sum() / others["n_people"].sum())
    assert (found["difference_lo"] < found["difference"]).all()
    assert (found["difference"] < found["difference_hi"]).all()


# -- many rows


def random_rows(seed, n=400):
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 400, size=n)
    people = np.minimum(rng.integers(0, 60, size=n), rng.integers(0, 60, size=n))
    amounts = rng.integers(0, 20_000, size=n)
    start = pd.Timestamp("2023-11-20 13:00")
    at = [start + pd.Timedelta(days=int(day)) for day in days]
    back = [str(when + pd.Timedelta(days=9)) if rng.random() < 0.1 else None for when in at]
    return [(f"p{p}", str(t), int(a), b) for p, t, a, b in zip(people, at, amounts, back, strict=True)]


def plainly(rows, freq, kind):
    """(cohort start, age) -> active, revenue: by pandas periods over the rows."""
    frame = pd.DataFrame(rows, columns=["person", "at", "amount", "back"])
    last = pd.to_datetime(pd.concat([frame["at"], frame["back"].dropna()])).max()
    frame = frame[frame["back"].isna()].assign(period=lambda f: pd.to_datetime(f["at"]).dt.to_period(freq))
    whole = pd.Period(last, freq) if last.normalize() == pd.Period(last, freq).end_time.normalize() else (
        pd.Period(last, freq) - 1
    )  # fmt: skip
    first = frame.groupby("person")["period"].transform("min")
    found = {}
    for cohort, people in frame.groupby(first):
        age = 0
        while cohort + age <= whole:
            there = people[people["period"] == cohort + age]
            later = people[(people["period"] >= cohort + age) & (people["period"] <= whole)]
            active = (there if kind == "bounded" else later)["person"].nunique()
            found[cohort.start_time.date(), age] = (active, there["amount"].sum() / 100)
            age += 1
    return found


@pytest.mark.parametrize("kind", ["bounded", "unbounded"])
@pytest.mark.parametrize(("by", "freq"), [("month", "M"), ("week", "W-SUN"), ("quarter", "Q")])
def test_equals_a_plain_computation(by, freq, kind, seed):
    rows = random_rows(seed)
    found = asked(rows, by=by, kind=kind).to_frame()
    told = {
        (row.cohort_start, row.age): (row.n_active, pytest.approx(row.revenue)) for row in found.itertuples(index=False)
    }
    assert told == plainly(rows, freq, kind)


@pytest.mark.parametrize("by", ["month", "week", "quarter"])
def test_what_must_hold_of_any_log(by, seed):
    with lk.load(orders(*random_rows(seed + 1))) as shop:
        bounded, unbounded = lk.retention(shop, by=by), lk.retention(shop, by=by, kind="unbounded")
        frame, ahead = bounded.to_frame(), unbounded.to_frame()
        assert (frame["n_active"] <= frame["n_people"]).all()
        assert (frame.loc[frame["age"] == 0, "share"] == 1).all()
        assert frame[["cohort", "age", "n_people"]].equals(ahead[["cohort", "age", "n_people"]])
        assert (ahead["n_active"] >= frame["n_active"]).all()
        assert (ahead.groupby("cohort")["n_active"].diff().dropna() <= 0).all()
        assert ((frame["lo"] <= frame["share"]) & (frame["share"] <= frame["hi"])).all()
        # every whole period's revenue is that of its cohorts
        values = lk.compute_kpis(shop, "net_revenue", since="2023-11-20", by=by).to_frame()
    assert len(values) > 4
    whole = [i == 0 or mark != "partial" for i, mark in enumerate(values["mark"])]  # the first is cut by `since` alone
    expected = values["value"].where(whole, 0).tolist()
    assert revenue_by_period(frame, values, since="2023-11-20") == pytest.approx(expected)


def revenue_by_period(frame, values, since):
    """Revenue of all cohorts, in each period of a KPI's values (the first of which begins on `since`, within one)."""
    starts = [frame["cohort_start"].min(), *values["period_start"].tolist()[1:]]
    assert starts[0] <= dt.date.fromisoformat(since) == values["period_start"].iloc[0]
    place = frame["cohort_start"].map(starts.index) + frame["age"]
    return frame.groupby(place)["revenue"].sum().reindex(range(len(starts)), fill_value=0).tolist()


def test_example_shop(root):
    with lk.load(root / "data" / "shop") as shop:
        found = lk.retention(shop)
        values = lk.compute_kpis(shop, ["net_revenue", "new_customers"], since="2024-01-01", by="month").to_frame()
    frame = found.to_frame()
    assert len(frame) == 24 * 25 // 2
    revenue = values[values["kpi"] == "net_revenue"]
    assert revenue_by_period(frame, revenue, "2024-01-01") == pytest.approx(revenue["value"].tolist())
    sizes = frame.loc[frame["age"] == 0, "n_people"].tolist()
    assert sizes == values.loc[values["kpi"] == "new_customers", "value"].tolist()


@pytest.mark.real_data
def test_online_retail(shared):
    with lk.load(shared / "data" / "online_retail_uci", mapping="online_retail_uci") as shop:
        found = lk.retention(shop)
        revenue = lk.compute_kpis(shop, "net_revenue", since="2010-12-01", by="month").to_frame()
    frame = found.to_frame()
    assert found.triangle().index.tolist() == ["2010-12", *[f"2011-{m:02}" for m in range(1, 12)]]  # December is cut
    assert frame.loc[frame["mark"].notna(), "cohort"].unique().tolist() == ["2010-12"]
    assert revenue_by_period(frame, revenue, "2010-12-01")[:-1] == pytest.approx(revenue["value"].tolist()[:-1])
    # the same from the raw lines
    lines = pd.read_parquet(shared / "data" / "online_retail_uci" / "online_retail.parquet")
    lines = lines[lines["CustomerID"].notna() & lines["InvoiceNo"].str[0].str.isdigit()]
    month = lines["InvoiceDate"].dt.year * 12 + lines["InvoiceDate"].dt.month - 1
    first = month.groupby(lines["CustomerID"]).transform("min")
    plain = lines.groupby([first, month - first])["CustomerID"].nunique()
    there = frame["cohort_start"].map(lambda day: day.year * 12 + day.month - 1)
    assert [plain.get(cell, 0) for cell in zip(there, frame["age"], strict=True)] == frame["n_active"].tolist()
    # who was a customer before the log looks like a loyal newcomer
    first, others = frame[frame["cohort"] == "2010-12"], frame[frame["cohort"] != "2010-12"]
    assert first.loc[first["age"] > 0, "share"].min() > others.loc[others["age"] == 1, "share"].max()


@everywhere
def test_every_engine_gives_the_same(on_engine, by_hand):
    with lk.load(orders(*SHOP)) as shop, on_engine(shop) as there:
        found = lk.retention(there)
        ahead = lk.retention(there, by="week", week_start="sunday", kind="unbounded")
    pd.testing.assert_frame_equal(found.to_frame(), by_hand.to_frame())
    pd.testing.assert_frame_equal(found.mean, by_hand.mean)
    pd.testing.assert_frame_equal(
        ahead.to_frame(), asked(SHOP, by="week", week_start="sunday", kind="unbounded").to_frame()
    )


# -- tables, pictures, bad calls


def test_frame_and_arrow_tell_the_same(by_hand):
    table = by_hand.to_arrow()
    assert table.column_names == list(by_hand.to_frame().columns)
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["cohort_start"] == "date32[day]"
    assert (kinds["n_active"], kinds["share"], kinds["mark"]) == ("int64", "double", "string")
    assert repr(by_hand).startswith("Retention(2 cohorts by month, 2024-01 to 2024-02, bounded;")
    copy = by_hand.to_frame()
    copy.loc[0, "share"] = math.nan
    assert by_hand.counts.loc[0, "share"] == 1


def test_pictures_say_what_they_show(by_hand):
    from matplotlib import pyplot as plt

    ax = by_hand.plot()
    assert ax.get_xlabel() == "months since first order"
    assert "back, by age" in ax.get_title(loc="left")
    weeks = asked(SHOP, by="week", kind="unbounded").plot()
    assert (weeks.get_xlabel(), "then or later" in weeks.get_title(loc="left")) == ("weeks since first order", True)
    ax = by_hand.plot_revenue()
    assert ax.get_ylabel() == "so far, per person (units of currency)"
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[75, 175, 175], [50, 60]]
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"by": "day"}, lk.UnknownNameError, "Unknown period of cohorts 'day'. Allowed: month, quarter, week, year"),
        ({"by": None}, lk.UnknownNameError, "Unknown period of cohorts 'None'"),
        ({"kind": "bouned"}, lk.UnknownNameError, "Did you mean 'bounded'"),
        ({"activity": "orders"}, lk.UnknownNameError, "Unknown activity 'orders'. Did you mean 'order'"),
        ({"activity": ["order", "visit"]}, lk.UsageError, "'order' cannot be combined"),
        ({"activity": []}, lk.UsageError, "No activity was named"),
        ({"activity": None}, lk.UsageError, "No activity was named"),
        ({"activity": [1]}, lk.UnknownNameError, "Unknown activity '1'"),
        ({"activity": "visit"}, lk.DataError, "Activity 'visit' needs visits"),
        ({"week_start": "mon"}, lk.UnknownNameError, "first day of the week"),
        ({"run_in_days": -1}, lk.UsageError, "at least 0"),
        ({"run_in_days": True}, lk.UsageError, "whole number"),
        ({"since": "2024-03-01", "until": "2024-02-01"}, lk.UsageError, "is empty"),
        ({"until": "2025-01-01"}, lk.UsageError, "ends on 2025-01-01, after the as-of day 2024-04-10"),
        ({"as_of": "2024-01-30"}, lk.UsageError, "No whole month lies between 2024-01-01 and 2024-01-30"),
        ({"as_of": "2024-01-31T10:00"}, lk.UsageError, "has a time of day"),
        ({"since": "2024-03-01"}, lk.UsageError, "Nobody was first seen with order in a whole month from 2024-03-01"),
        ({"since": "2024-05-01", "as_of": "2024-06-30"}, lk.UsageError, "No whole month lies between"),
        ({"since": "yesterday"}, lk.UsageError, "is not a date"),
    ],
)
def test_wrong_calls(options, kind, says):
    with pytest.raises(kind, match=says):
        asked(SHOP, **options)


def test_a_log_without_orders_or_rows():
    frame = events()
    with lk.load({"events": frame}) as shop, pytest.raises(lk.DataError, match="Activity 'order' needs"):
        lk.retention(shop)
    with lk.load({"events": frame}) as shop, pytest.raises(lk.DataError, match="is empty"):
        lk.retention(dataclasses.replace(shop, first_at=None, last_at=None))


def test_nothing_is_left_in_the_engine():
    with lk.load(orders(*SHOP)) as shop:
        before = sorted(shop.engine.rows("SELECT table_name FROM information_schema.tables"))
        lk.retention(shop, kind="unbounded")
        assert sorted(shop.engine.rows("SELECT table_name FROM information_schema.tables")) == before
