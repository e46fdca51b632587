"""Purchase statistics: by hand, beside a plain-Python reading, on every engine, and those of CDNOW to the cent."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lifecycle_kit.clv import statistics
from lifecycle_kit.clv.statistics import purchase_statistics, statistic_counts
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from tests.engines import everywhere
from tests.told_rows import shop

GRAINS, UNITS = ("day", "order"), {"day": 1, "week": 7, "year": 365.25}
KEYS = ["frequency", "recency", "T"]
# ann comes on two days, twice on the second; bob once; cyd never kept anything
FEW = {
    "orders": [
        ("o1", "ann", "2024-01-01 10:00", 1_000, 400),
        ("o2", "ann", "2024-01-15 10:00", 2_000, 500),
        ("o3", "ann", "2024-01-15 16:00", 3_000, 600),
        ("o4", "ann", "2024-01-22 10:00", 4_000, 700),
        ("o5", "bob", "2024-01-08 12:00", 5_000, 800),
        ("o6", "cyd", "2024-01-09 12:00", 6_000, 900, {"refunded_at": "2024-01-20 12:00"}),
        ("o7", "dan", "2024-01-09 12:00", 6_000, 900, {"status": "cancelled"}),
    ],
    "events": [
        ("bob", "page_viewed", "2024-01-02 09:00", {"channel": "email"}),
        ("eve", "page_viewed", "2024-02-28 09:00", {"channel": "email"}),
    ],
}
AS_OF = "2024-01-29"


def of(dataset, **asked):
    """Person -> row."""
    return purchase_statistics(dataset, **asked).frame.set_index("person_id")


def test_by_hand():
    with shop(**FEW) as dataset:
        found = purchase_statistics(dataset, as_of=AS_OF)
        counts = statistic_counts(dataset, as_of=AS_OF)
    assert found.frame["person_id"].tolist() == ["ann", "bob"]
    ann, bob = found.frame.to_dict("records")
    assert (ann["frequency"], ann["recency"], ann["T"], ann["n_orders"]) == (2, 3, 4, 4)
    assert ann["log_gaps"] == pytest.approx(math.log(2) + math.log(1))
    assert (ann["first_day"], bob["first_day"]) == (dt.date(2024, 1, 1), dt.date(2024, 1, 8))
    assert (ann["first_value"], ann["monetary"]) == (10, 45)  # (20 + 30) and 40
    assert (ann["revenue"], ann["cost"], ann["profit"]) == (100, 22, 78)
    assert (bob["frequency"], bob["recency"], bob["T"], bob["log_gaps"], bob["n_orders"]) == (0, 0, 3, 0, 1)
    assert math.isnan(bob["monetary"])
    assert (bob["first_value"], bob["revenue"], bob["cost"], bob["profit"]) == (50, 50, 8, 42)
    assert (bob["channel"], pd.isna(ann["channel"])) == ("email", True)
    assert (found.n_customers, found.n_purchases, found.n_merged, found.n_merged_held_out) == (2, 4, 1, 0)
    assert counts.to_dict("list") == {"frequency": [0, 2], "recency": [0, 3], "T": [3, 4], "n": [1, 1]}
    assert "4 purchases by day, 1 of 5 orders merged, times in weeks; shop, as of 2024-01-29" in repr(found)


def test_every_order_is_a_purchase():
    with shop(**FEW) as dataset:
        found = purchase_statistics(dataset, as_of=AS_OF, grain="order", time_unit="day")
    ann, bob = found.frame.to_dict("records")
    assert (ann["frequency"], ann["recency"]) == (3, 21)
    # T ends with the as-of day
    assert (ann["T"], bob["T"]) == pytest.approx((28 + 14 / 24, 21.5))
    assert ann["log_gaps"] == pytest.approx(math.log(14) + math.log(6 / 24) + math.log(6 + 18 / 24))
    assert (ann["first_value"], ann["monetary"], ann["n_orders"], found.n_merged) == (10, 30, 4, 0)


def test_orders_of_one_second_are_one():
    orders = [("o1", "ann", "2024-01-01 10:00:00.2", 100, 0), ("o2", "ann", "2024-01-01 10:00:00.9", 200, 0)]
    orders += [("o3", "ann", "2024-01-01 10:00:01", 300, 0)]
    with shop(orders=orders) as dataset:
        found = purchase_statistics(dataset, grain="order", time_unit="day")
        assert purchase_statistics(dataset).n_merged == 2
    (ann,) = found.frame.to_dict("records")
    assert (ann["frequency"], ann["first_value"], ann["monetary"], found.n_merged) == (1, 3, 3, 1)
    assert ann["recency"] == 1 / 86_400
    assert ann["log_gaps"] == pytest.approx(-math.log(86_400))


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("unit", UNITS)
def test_a_time_unit_changes_nothing_but_the_unit(grain, unit):
    with shop(**FEW) as dataset:
        days = purchase_statistics(dataset, as_of=AS_OF, grain=grain, time_unit="day").frame
        found = purchase_statistics(dataset, as_of=AS_OF, grain=grain, time_unit=unit)
    expected = days.copy()
    expected[["recency", "T"]] /= UNITS[unit]
    expected["log_gaps"] -= days["frequency"] * math.log(UNITS[unit])
    assert_frame_equal(found.frame, expected)
    assert found.time_unit == found.to_frame().attrs["time_unit"] == unit
    assert found.grain == grain


def test_what_stands_counts():
    orders = [
        ("o1", "ann", "2024-01-01", 1_000, 0),
        ("o2", "ann", "2024-01-08", 2_000, 0),
        ("o3", "ann", "2024-01-15", 3_000, 0),
    ]
    events = [
        ("ann", "order_refunded", "2024-01-16 10:00", {"order_id": "o2", "revenue": 500}),
        ("ann", "order_refunded", "2024-01-17 10:00", {"order_id": "o3", "revenue": 1_000}),
        ("ann", "order_refunded", "2024-01-18 10:00", {"order_id": "o3", "revenue": 2_000}),
    ]
    with shop(orders=orders, events=events) as dataset:
        told = {
            day: of(dataset, as_of=day).loc["ann", ["frequency", "monetary", "revenue", "n_orders"]].tolist()
            for day in ("2024-01-15", "2024-01-16", "2024-01-17", "2024-01-18")
        }
    assert told == {
        "2024-01-15": [2, 25, 60, 3],
        "2024-01-16": [2, 22.5, 55, 3],
        "2024-01-17": [2, 17.5, 45, 3],
        "2024-01-18": [1, 15, 25, 2],  # o3 was given back entirely
    }


def test_the_first_purchase_may_be_given_back():
    orders = [("o1", "ann", "2024-01-01", 1_000, 0, {"refunded_at": "2024-01-20"}), ("o2", "ann", "2024-01-08", 900, 0)]
    with shop(orders=orders) as dataset:
        before, after = (of(dataset, as_of=day).loc["ann"] for day in ("2024-01-19", "2024-01-22"))
    assert (before["frequency"], before["first_day"]) == (1, dt.date(2024, 1, 1))
    assert (after["frequency"], after["first_day"], after["T"], after["first_value"]) == (0, dt.date(2024, 1, 8), 2, 9)


def test_an_order_that_was_cancelled_later():
    events = [
        ("ann", "order_completed", "2024-01-01", {"order_id": "a1", "revenue": 500}),
        ("ann", "order_completed", "2024-01-08", {"order_id": "a2", "revenue": 600}),
        ("ann", "order_cancelled", "2024-01-10 10:00", {"order_id": "a2"}),
        ("bob", "order_completed", "2024-01-08", {"order_id": "a2", "revenue": 700}),  # an id of his own
    ]
    with shop(events=events) as dataset:
        for day, n_repeats in (("2024-01-09", 1), ("2024-01-10", 0)):
            found = of(dataset, as_of=day)
            assert found["frequency"].to_dict() == {"ann": n_repeats, "bob": 0}
            assert (found.loc["ann", "revenue"], found.loc["ann", "n_orders"]) == (5 + 6 * n_repeats, 1 + n_repeats)
            assert statistic_counts(dataset, as_of=day)["frequency"].tolist() == [0, n_repeats]


def test_held_out():
    orders = [
        ("o1", "ann", "2024-01-01", 1_000, 0, {"refunded_at": "2024-02-10"}),
        ("o2", "ann", "2024-02-01 10:00", 200, 0),
        ("o3", "ann", "2024-02-01 11:00", 300, 0),
        ("o4", "ann", "2024-02-05", 400, 0, {"refunded_at": "2024-02-20"}),
        ("o5", "ann", "2024-02-06", 400, 0, {"refunded_at": "2024-03-20"}),
        ("o6", "ann", "2024-03-02", 500, 0),
        ("o7", "bob", "2024-01-31 23:59:59", 700, 0),
        ("o8", "cyd", "2024-02-02", 800, 0),
    ]
    with shop(orders=orders) as dataset:
        asked = {"as_of": "2024-01-31", "held_out_until": "2024-03-01"}
        found = purchase_statistics(dataset, **asked)
        each = purchase_statistics(dataset, **asked, grain="order")
    # ann's first order was given back later: on 31 January nobody knew. cyd was no customer yet
    told = found.frame.set_index("person_id")[["frequency", "revenue", "n_held_out", "revenue_held_out"]]
    assert told.to_dict("index") == {
        "ann": {"frequency": 0, "revenue": 10, "n_held_out": 2, "revenue_held_out": 9},
        "bob": {"frequency": 0, "revenue": 7, "n_held_out": 0, "revenue_held_out": 0},
    }
    assert (found.n_merged_held_out, each.n_merged_held_out) == (1, 0)
    assert each.frame["n_held_out"].tolist() == [3, 0]
    assert each.frame["T"].tolist()[1] == pytest.approx(1 / 86_400 / 7)
    assert found.source == "shop, as of 2024-01-31, the time to 2024-03-01 held out"
    assert found.held_out_until == dt.date(2024, 3, 1)


def test_since_looks_at_first_purchases():
    with shop(**FEW) as dataset:
        for grain in GRAINS:
            found = purchase_statistics(dataset, as_of=AS_OF, since="2024-01-08", grain=grain)
            # ann bought later too, but for the first time before
            assert found.frame["person_id"].tolist() == ["bob"]
            assert statistic_counts(dataset, as_of=AS_OF, since="2024-01-08", grain=grain)["n"].tolist() == [1]
            assert len(statistic_counts(dataset, as_of=AS_OF, since="2024-01-01", grain=grain)) == 2
        assert found.since == dt.date(2024, 1, 8)


def test_days_are_those_of_the_shop():
    # in Paris the first order is on 2 January
    orders = [("o1", "ann", "2024-01-01 23:30", 100, 0), ("o2", "ann", "2024-01-02 20:00", 200, 0)]
    orders += [("o3", "ann", "2024-01-09 23:30", 400, 0)]
    with shop(orders=orders) as utc, shop(orders=orders, timezone="Europe/Paris") as paris:
        assert of(utc, as_of="2024-01-09", time_unit="day").loc["ann", KEYS].tolist() == [2, 8, 8]
        ann = of(paris, as_of="2024-01-10", time_unit="day").loc["ann"]
        assert ann[["first_day", *KEYS]].tolist() == [dt.date(2024, 1, 2), 1, 8, 8]
        # the last order is not there yet on the 9th
        assert of(paris, as_of="2024-01-09", time_unit="day").loc["ann", KEYS].tolist() == [0, 0, 7]
        each = of(paris, as_of="2024-01-09", time_unit="day", grain="order").loc["ann"]
        assert each[KEYS].tolist() == pytest.approx([1, 20.5 / 24, 8 - 0.5 / 24])
        assert purchase_statistics(paris, since="2024-01-02").n_customers == 1
        for grain in GRAINS:
            asked = {"as_of": "2024-01-09", "since": "2024-01-02", "grain": grain}
            assert statistic_counts(paris, **asked)["n"].tolist() == [1]


def test_an_hour_that_the_clocks_skip_is_no_time():
    # 31 March 2024 had 23 hours in Paris
    orders = [("o1", "ann", "2024-03-30 11:00", 100, 0), ("o2", "ann", "2024-03-31 11:00", 100, 0)]
    with shop(orders=orders, timezone="Europe/Paris") as dataset:
        assert of(dataset, time_unit="day").loc["ann", ["recency", "T"]].tolist() == [1, 1]
        ann = of(dataset, time_unit="day", grain="order").loc["ann"]
    assert ann[["recency", "T"]].tolist() == pytest.approx([1, 35 / 24])


def test_amounts_that_nobody_knows():
    events = [
        ("ann", "order_completed", "2024-01-01", {"order_id": "a1", "revenue": None}),
        ("ann", "order_completed", "2024-01-08", {"order_id": "a2", "revenue": 500}),
        ("bob", "order_completed", "2024-01-01", {"order_id": "b1", "revenue": 300}),
        ("bob", "order_completed", "2024-01-08", {"order_id": "b2", "revenue": None}),
        ("bob", "order_completed", "2024-01-10", {"order_id": "b3", "revenue": 100}),
        ("bob", "order_completed", "2024-02-10", {"order_id": "b4", "revenue": None}),
    ]
    orders = [("c1", "cyd", "2024-01-02", 900, 100), ("d1", "dan", "2024-01-02", 900, None)]
    with shop(events=events, orders=orders) as dataset:
        found = purchase_statistics(dataset, as_of="2024-02-01", held_out_until="2024-02-10")
    money = ["monetary", "first_value", "revenue", "cost", "profit", "revenue_held_out"]
    told = found.frame.set_index("person_id")[money].astype("object").where(lambda x: x.notna(), None)
    assert told.T.to_dict("list") == {
        "ann": [5, None, None, None, None, 0],  # the repeat purchase is known
        "bob": [None, 3, None, None, None, None],
        "cyd": [None, 9, 9, 1, 8, 0],
        "dan": [None, 9, 9, None, None, 0],
    }
    assert found.frame["frequency"].tolist() == [1, 2, 0, 0]
    assert found.frame["n_held_out"].tolist() == [0, 1, 0, 0]
    assert found.warnings[1:] == (
        "The revenue of some orders is not known: revenue is missing for 2 of 4 customers.",
        "The cost of some orders is not known: cost and profit are missing for 3 of 4 customers.",
    )


def test_warnings():
    with shop(**FEW) as dataset:
        early, late = (purchase_statistics(dataset, as_of=day).warnings for day in (AS_OF, "2024-03-10"))
    assert early == (
        "2 of 2 customers made their first purchase in the log's first 30 days: they may be older than they look. "
        "Unless the shop opened then, since='2024-01-31' leaves them out.",
    )
    assert late[0].startswith("The log ends on 2024-02-28, 11 days before the as-of day: ")
    orders = [("o1", "ann", "2024-03-01", 100, None)]
    with shop(orders=orders, events=[("ann", "page_viewed", "2024-01-01")]) as dataset:
        assert purchase_statistics(dataset).warnings == (
            "The cost of orders is not known: cost and profit are missing.",
        )


def test_frame_and_arrow():
    with shop(**FEW) as dataset:
        found = purchase_statistics(dataset, as_of=AS_OF, held_out_until="2024-02-01")
    kinds = {str(field.type) for field in found.to_arrow().schema}
    assert kinds == {"int64", "string", "date32[day]", "double"}
    frame = found.to_frame()
    assert found.to_arrow().column_names == list(frame.columns)
    frame["frequency"] = 0
    assert found.frame["frequency"].sum() == 2


# -- beside a plain-Python reading

instants = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 12)).map(
    lambda t: t.replace(microsecond=0, second=t.second % 2, minute=t.minute // 30 * 30)
)
some_orders = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cyd"]), instants, st.integers(1, 9_999), st.sampled_from([None, 1, 3])),
    min_size=1,
    max_size=12,
)
days = st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 12))


def read_plainly(rows, as_of, since, until, grain, unit):
    """Person -> frequency, recency, T, log gaps, revenue, monetary, what is held out; days are those of UTC."""

    def purchases(known):
        found = defaultdict(lambda: defaultdict(list))
        for who, at, cents, refunded_after in rows:
            gone = refunded_after is not None and (at + dt.timedelta(days=refunded_after)).date() <= known
            if at.date() <= known and not gone:
                found[who][at.date() if grain == "day" else at].append(cents)
        return found

    closes = as_of if grain == "day" else dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time())
    made = {}
    for who, bought in purchases(as_of).items():
        times = sorted(bought)
        day = times[0] if grain == "day" else times[0].date()
        if since is not None and day < since:
            continue
        length = dt.timedelta(days=1).total_seconds() * UNITS[unit]
        gaps = [(b - a).total_seconds() / length for a, b in pairwise(times)]
        sums = [sum(bought[t]) for t in times]
        later = {t: c for t, c in purchases(until)[who].items() if (t if grain == "day" else t.date()) > as_of}
        made[who] = [
            len(gaps),
            sum(gaps),
            (closes - times[0]).total_seconds() / length,
            sum(map(math.log, gaps)),
            sum(sums) / 100,
            sum(sums[1:]) / 100 / len(gaps) if gaps else -1,
            len(later),
            sum(map(sum, later.values())) / 100,
        ]
    return made


@given(some_orders, days, st.none() | days, st.sampled_from(GRAINS), st.sampled_from(list(UNITS)))
@settings(max_examples=25)
def test_rows_are_those_that_plain_python_reads(rows, as_of, since, grain, unit):
    until = dt.date(2024, 1, 20)
    if since is not None and since > as_of:
        as_of, since = since, as_of
    expected = read_plainly(rows, as_of, since, until, grain, unit)
    orders = [
        (f"o{n}", who, str(at), cents, 0, {"refunded_at": str(at + dt.timedelta(days=back)) if back else None})
        for n, (who, at, cents, back) in enumerate(rows)
    ]
    asked = {"as_of": as_of, "since": since, "grain": grain, "time_unit": unit}
    with shop(orders=orders, events=[("zoe", "page_viewed", "2024-01-20 12:00")]) as dataset:
        if not expected:
            for ask in (purchase_statistics, statistic_counts):
                with pytest.raises(DataError, match="Nobody"):
                    ask(dataset, **asked)
            return
        found = purchase_statistics(dataset, **asked, held_out_until=until)
        counts = statistic_counts(dataset, **asked)
    columns = [*KEYS, "log_gaps", "revenue", "monetary", "n_held_out", "revenue_held_out"]
    told = found.frame.set_index("person_id")[columns].fillna(-1)
    assert sorted(told.index) == sorted(expected)
    for who, values in expected.items():
        assert told.loc[who].tolist() == pytest.approx(values)
    grouped = found.frame.groupby(KEYS, as_index=False).size().rename(columns={"size": "n"})
    assert_frame_equal(counts, grouped)


def test_in_parts_as_in_one(monkeypatch):
    orders = [(f"o{n}", f"p{n % 37:02}", f"2024-01-{1 + n * 5 % 28:02} 10:00", n, 0) for n in range(400)]
    asked = {"as_of": "2024-01-20", "held_out_until": "2024-01-28"}
    with shop(orders=orders) as dataset:
        whole, counts = purchase_statistics(dataset, **asked), statistic_counts(dataset, as_of="2024-01-20")
        monkeypatch.setattr(statistics, "_PER_BUCKET", 50)
        parts, counts_of_parts = purchase_statistics(dataset, **asked), statistic_counts(dataset, as_of="2024-01-20")
    assert_frame_equal(whole.frame, parts.frame)
    assert_frame_equal(counts, counts_of_parts)
    assert counts["n"].sum() == 37


@everywhere
def test_everywhere(on_engine):
    asked = {"as_of": "2024-01-20", "held_out_until": "2024-01-31"}
    with shop(**FEW, timezone="Europe/Paris") as dataset, on_engine(dataset) as there:
        for grain in GRAINS:
            here = purchase_statistics(dataset, grain=grain, **asked).to_frame()
            assert_frame_equal(purchase_statistics(there, grain=grain, **asked).to_frame(), here)
            for since in (None, "2024-01-05"):
                same = {"as_of": AS_OF, "since": since, "grain": grain, "time_unit": "year"}
                assert_frame_equal(statistic_counts(there, **same), statistic_counts(dataset, **same))


# -- bad input

BAD = {
    "month": ({"time_unit": "month"}, UsageError, "no fixed length.*time_unit='week'"),
    "unit": ({"time_unit": "hour"}, UnknownNameError, "time unit 'hour'"),
    "no unit": ({"time_unit": None}, UnknownNameError, "time unit 'None'"),
    "grain": ({"grain": "week"}, UnknownNameError, "grain 'week'. Allowed: day, order"),
    "since": ({"as_of": AS_OF, "since": "2024-01-30"}, UsageError, "since 2024-01-30 .* up to 2024-01-29"),
    "as_of": ({"as_of": "yesterday"}, UsageError, "not a date"),
    "as_of with a time": ({"as_of": "2024-01-29T12:00"}, UsageError, "time of day"),
    "nobody yet": ({"as_of": "2023-12-31"}, DataError, "Nobody had bought by 2023-12-31.*2024-01-01 to 2024-02-28"),
    "nobody new": (
        {"as_of": AS_OF, "since": "2024-01-25"},
        DataError,
        "Nobody made a first purchase from 2024-01-25 to 2024-01-29",
    ),
}
BAD_HELD_OUT = {
    "not after": ({"as_of": AS_OF, "held_out_until": AS_OF}, "not after .* from 2024-01-30 to 2024-02-28"),
    "beyond": ({"as_of": AS_OF, "held_out_until": "2024-02-29"}, "after 2024-02-28, .* from 2024-01-30 to 2024-02-28"),
    "nothing left": ({"held_out_until": "2024-02-28"}, "not after .*Give an as_of before 2024-02-28"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("ask", [purchase_statistics, statistic_counts])
def test_bad_input(ask, case):
    asked, error, message = BAD[case]
    with shop(**FEW) as dataset, pytest.raises(error, match=message):
        ask(dataset, **asked)


@pytest.mark.parametrize("case", BAD_HELD_OUT)
def test_bad_time_to_hold_out(case):
    asked, message = BAD_HELD_OUT[case]
    with shop(**FEW) as dataset, pytest.raises(UsageError, match=message):
        purchase_statistics(dataset, **asked)


@pytest.mark.parametrize("ask", [purchase_statistics, statistic_counts])
def test_a_log_without_orders(ask):
    with shop(events=FEW["events"]) as dataset, pytest.raises(DataError, match="no purchases in 'shop': it needs"):
        ask(dataset)


@pytest.mark.parametrize("ask", [purchase_statistics, statistic_counts])
def test_orders_that_did_not_stand(ask):
    with shop(orders=FEW["orders"][5:]) as dataset, pytest.raises(DataError, match="Nobody had bought by"):
        ask(dataset, as_of="2024-01-20")


# -- real data


@pytest.mark.real_data
def test_cdnow_to_the_cent(shared):
    lines = pd.read_csv(shared / "data" / "clv" / "cdnow_sample_transactions.csv", dtype={"customer_id": "str"})
    told = [
        (f"o{n}", row.customer_id, row.date, round(row.amount * 100), 0) for n, row in enumerate(lines.itertuples())
    ]
    with shop(orders=told) as dataset:
        found = purchase_statistics(dataset, as_of="1997-09-30", held_out_until="1998-06-30")
        counts = statistic_counts(dataset, as_of="1997-09-30")
    expected = pd.read_csv(shared / "data" / "clv" / "cdnow_cal_holdout.csv", dtype={"customer_id": "str"})
    frame = found.frame.set_index("person_id").loc[expected["customer_id"]].reset_index()
    assert frame["frequency"].tolist() == expected["frequency"].tolist()
    assert frame["n_held_out"].tolist() == expected["x_star"].tolist()
    # the file has six digits
    for ours, theirs in (("recency", "recency"), ("T", "T"), ("monetary", "monetary")):
        assert frame[ours].fillna(0).to_numpy() == pytest.approx(expected[theirs].to_numpy(), abs=6e-7)
    assert frame["revenue_held_out"].to_numpy() == pytest.approx(expected["spend_star"].to_numpy(), abs=1e-9)
    assert (found.n_customers, found.n_merged, found.n_merged_held_out) == (2_357, 146, 77)
    grouped = frame.groupby(KEYS, as_index=False).size().rename(columns={"size": "n"})
    assert_frame_equal(counts, grouped)
