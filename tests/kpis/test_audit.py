"""The customer-base audit by hand on a few rows, against plain computations on many, and at its edges."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lifecycle_kit as lk
from lifecycle_kit.kpis.audit import LENSES
from lifecycle_kit.kpis.changes import FACTORS, decomposed
from tests.engines import everywhere

# (person, when, revenue, cost in cents): two whole quarters, and the beginning of a third
SHOP = [
    ("ann", "2024-01-01", 10_000, 6_000),
    ("ann", "2024-02-05", 5_000, 2_000),
    ("bob", "2024-03-31", 3_000, 1_000),
    ("cyd", "2024-02-01", 2_000, 2_000),
    ("ann", "2024-04-01", 20_000, 10_000),
    ("bob", "2024-05-01", 6_000, 3_000),
    ("dan", "2024-05-01", 4_000, 1_000),
    ("dan", "2024-06-30", 1_000, 500),
    ("eve", "2024-07-05", 7_000, 1_000),
]
FRAMES = ("differences", "concentration", "changes", "movement", "cohort", "cohorts", "health", "base")


def tables(rows):
    frame = pd.DataFrame(rows, columns=["person_id", "ordered_at", "net_revenue", "cost"])
    frame = frame.assign(order_id=[f"o{i}" for i in range(len(frame))])
    return {"orders": frame.astype({"ordered_at": "datetime64[us]", "net_revenue": "Int64", "cost": "Int64"})}


def audited(rows, **options):
    with lk.load(tables(rows)) as shop:
        return lk.customer_base_audit(shop, **options)


@pytest.fixture(scope="module")
def by_hand():
    return audited(SHOP, by="quarter")


# -- lens 1


def test_tenths_of_three_customers(by_hand):
    frame = by_hand.differences
    # by profit: ann 100, dan 30 and 5, bob 30; seven tenths are empty
    assert frame["decile"].tolist() == list(range(1, 11))
    assert frame["n_people"].tolist() == [1, 1, 1] + [0] * 7
    assert frame["profit"].tolist() == [100, 35, 30] + [0] * 7
    assert frame["revenue"].tolist() == [200, 50, 60] + [0] * 7
    assert frame["share"].tolist()[:3] == [200 / 310, 50 / 310, 60 / 310]
    assert frame["profit_share"].tolist()[:3] == [100 / 165, 35 / 165, 30 / 165]
    assert frame["orders_per_person"].tolist()[:3] == [1, 2, 1]
    assert frame["average_order_value"].tolist()[:3] == [200, 25, 60]
    assert frame["revenue_per_person"].tolist()[:3] == [200, 50, 60]
    assert frame.loc[3:, ["orders_per_person", "average_order_value", "revenue_per_person"]].isna().all(axis=None)
    assert set(frame["ranked_by"]) == {"profit"}
    assert frame.loc[0, ["period_start", "period_end"]].tolist() == [dt.date(2024, 4, 1), dt.date(2024, 6, 30)]


def test_concentration_of_three_customers(by_hand):
    few = by_hand.concentration.set_index("measure")
    assert few.loc["revenue", ["n_people", "total", "mean", "median"]].tolist() == pytest.approx([3, 310, 310 / 3, 60])
    assert few.loc["profit", ["n_people", "total", "mean", "median"]].tolist() == [3, 165, 55, 35]
    assert few["best_tenth_share"].tolist() == [200 / 310, 100 / 165]
    # ranks times amounts, lowest first: 50 + 2 x 60 + 3 x 200, and 30 + 2 x 35 + 3 x 100
    assert few["gini"].tolist() == pytest.approx([2 * 770 / (3 * 310) - 4 / 3, 2 * 400 / (3 * 165) - 4 / 3])


def test_people_with_one_amount_are_not_split_by_chance():
    # twelve with 10.00 in one to twelve orders, one with 50.00: 2 + 2 + 2 + 1 x 7 people in the tenths
    rows = [("rich", "2024-01-01", 5_000, 0)]
    rows += [(f"p{n}", f"2024-03-{n:02}", 1_000 - (n - 1) * 10, 0) for n in range(1, 13)]
    rows += [(f"p{n}", f"2024-03-{n:02}", 10, 0) for n in range(1, 13) for _ in range(n - 1)]
    frame = audited([*rows, ("last", "2024-04-01", 100, 0)], by="quarter").differences
    assert frame["n_people"].tolist() == [2, 2, 2] + [1] * 7
    # the twelve have 78 orders: 6.5 each, whichever of them stands where
    assert frame["n_orders"].tolist() == pytest.approx([7.5, 13, 13] + [6.5] * 7)
    assert frame["revenue"].tolist() == pytest.approx([60, 20, 20] + [10] * 7)


def random_rows(seed, n=500):
    """Many people with few distinct amounts, some of them a loss."""
    rng = np.random.default_rng(seed)
    people, days = rng.zipf(1.6, size=n).clip(max=90), rng.integers(0, 181, size=n)
    revenue, cost = rng.choice([0, 500, 1_000, 2_000, 8_000], size=n), rng.choice([0, 300, 700], size=n)
    start = pd.Timestamp("2024-01-01 12:00")
    rows = [
        (f"p{p}", str(start + pd.Timedelta(days=int(d))), int(r), int(c))
        for p, d, r, c in zip(people, days, revenue, cost, strict=True)
    ]
    return [*rows, ("p1", "2024-01-01", 100, 0), ("p1", "2024-06-30", 100, 0), ("loss", "2024-05-05", 0, 700)]


def test_tenths_and_concentration_equal_a_plain_computation(seed):
    rows = random_rows(seed)
    found = audited(rows, by="quarter")
    frame = pd.DataFrame(rows, columns=["person", "at", "revenue", "cost"])
    frame = frame[frame["at"] >= "2024-04-01"].assign(profit=lambda f: f["revenue"] - f["cost"])
    sums = {name: (name, "sum") for name in ("revenue", "profit")}
    people = frame.groupby("person").agg(n_orders=("revenue", "size"), **sums)
    # whoever is alike in profit has the mean of all alike
    alike = people.groupby("profit")[["n_orders", "revenue"]].transform("mean").assign(profit=people["profit"])
    ranked = alike.sort_values("profit", ascending=False).reset_index(drop=True)
    tenths = np.array_split(ranked.to_numpy(), 10)  # what is left over goes to the first ones
    assert len(people) % 10
    assert found.differences["n_people"].tolist() == [len(tenth) for tenth in tenths]
    per_tenth = np.array([tenth.sum(axis=0) for tenth in tenths]) / [1, 100, 100]
    assert found.differences[["n_orders", "revenue", "profit"]].to_numpy() == pytest.approx(per_tenth)
    few = found.concentration.set_index("measure")
    for measure in ("revenue", "profit"):
        amounts = people[measure].to_numpy() / 100
        best = np.sort(amounts)[::-1][: math.ceil(len(amounts) / 10)].sum() / amounts.sum()
        assert few.loc[measure, ["total", "mean", "median", "best_tenth_share"]].tolist() == pytest.approx(
            [amounts.sum(), amounts.mean(), np.median(amounts), best]
        )
    amounts = people["revenue"].to_numpy() / 100
    gini = np.abs(np.subtract.outer(amounts, amounts)).mean() / 2 / amounts.mean()
    assert few.loc["revenue", "gini"] == pytest.approx(gini)
    assert (people["profit"] < 0).any()
    assert np.isnan(few.loc["profit", "gini"])


def test_where_a_cost_is_not_known_revenue_ranks():
    rows = [(*row[:3], None) if row[:2] == ("bob", "2024-05-01") else row for row in SHOP]
    found = audited(rows, by="quarter")
    assert set(found.differences["ranked_by"]) == {"revenue"}
    assert found.differences["revenue"].tolist()[:3] == [200, 60, 50]
    assert found.differences[["profit", "profit_share"]].isna().all(axis=None)
    assert found.concentration["measure"].tolist() == ["revenue"]
    assert set(found.changes["product"]) == {"revenue"}
    # bob is of the first cohort, and his order of its second quarter
    first = audited(rows, by="quarter", cohort="2024-Q1").cohort
    assert first["profit"].fillna(-1).tolist() == [90, -1]
    assert first["cumulative_profit"].fillna(-1).tolist() == [90, -1]
    assert found.cohort["profit"].tolist() == [35]


# -- lens 2


def test_changes_by_hand(by_hand):
    frame = by_hand.changes.set_index(["product", "factor"])
    revenue, profit = frame.loc["revenue"], frame.loc["profit"]
    assert revenue["before"].tolist() == [3, 4 / 3, 50, 200]
    assert revenue["now"].tolist() == [3, 4 / 3, 77.5, 310]
    assert revenue["ratio"].tolist() == [1, 1, 1.55, 1.55]
    assert revenue["contribution"].tolist() == pytest.approx([0, 0, 110, 110])
    assert profit["before"].tolist() == [3, 4 / 3, 50, 0.45, 90]
    assert profit["now"].tolist() == [3, 4 / 3, 77.5, 165 / 310, 165]
    weight = 75 / math.log(165 / 90)
    expected = [0, 0, weight * math.log(1.55), weight * math.log(165 / 310 / 0.45), 75]
    assert profit["contribution"].tolist() == pytest.approx(expected)


def test_movement_by_hand(by_hand):
    frame = by_hand.movement.set_index("movement")
    assert frame["n_people"].to_dict() == {"both": 2, "only_before": 1, "only_now": 1}
    assert frame["n_new"].to_dict() == {"both": 0, "only_before": 0, "only_now": 1}
    assert frame.loc["both"].tolist()[2:] == [3, 2, 180, 260, 80]
    assert frame.loc["only_before"].tolist()[2:] == [1, 0, 20, 0, -20]
    assert frame.loc["only_now"].tolist()[2:] == [0, 2, 0, 50, 50]
    assert frame["revenue_change"].sum() == by_hand.changes.loc[3, "contribution"]


def test_who_comes_back_after_a_pause_is_not_new():
    rows = [*SHOP, ("cyd", "2024-08-01", 1_000, 0), ("last", "2024-09-30", 1_000, 0)]
    only_now = audited(rows, by="quarter").movement.set_index("movement").loc["only_now"]
    assert (only_now["n_people"], only_now["n_new"]) == (3, 2)  # cyd, eve, last


amounts = st.tuples(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.01, 1e9), st.floats(0.01, 1e9))


def sums(told):
    return dict(zip(("n_people", "n_orders", "revenue", "profit"), told, strict=True))


@given(amounts, amounts, st.sampled_from(sorted(FACTORS)))
def test_parts_add_up_and_turn_round(before, now, product):
    rows = decomposed(product, sums(before), sums(now))
    *parts, whole = [row["contribution"] for row in rows]
    size = max(sums(before)[product], sums(now)[product], *map(abs, parts))
    assert sum(parts) == pytest.approx(whole, abs=1e-6 * size)
    assert whole == pytest.approx(sums(now)[product] - sums(before)[product])
    back = [row["contribution"] for row in decomposed(product, sums(now), sums(before))]
    assert back == pytest.approx([-part for part in [*parts, whole]], abs=1e-6 * size)
    for row, part in zip(rows, parts, strict=False):
        assert row["ratio"] == 1 or abs(part) <= 1e-6 * size or (part > 0) == (row["ratio"] > 1)


def test_no_parts_where_a_factor_is_nothing():
    rows = decomposed("profit", sums((2, 2, 100, -5)), sums((2, 3, 100, 40)))
    assert [row["contribution"] for row in rows] == [None] * 4 + [45]
    assert [row["ratio"] for row in rows] == [1, 1.5, 100 / 3 / 50, None, None]
    rows = decomposed("revenue", sums((0, 0, 0, 0)), sums((2, 3, 100, 40)))
    assert [row["before"] for row in rows] == [0, None, None, 0]
    assert [row["contribution"] for row in rows] == [None, None, None, 100]
    rows = decomposed("revenue", None, sums((2, 3, 100, 40)))
    assert [row["now"] for row in rows] == [2, 1.5, 100 / 3, 100]
    assert {row[name] for row in rows for name in ("before", "ratio", "contribution")} == {None}


def test_what_the_log_does_not_cover_is_null():
    found = audited(SHOP, by="quarter", until="2024-04-20")
    assert found.differences.loc[0, "period_end"] == dt.date(2024, 3, 31)
    assert found.changes[["before", "ratio", "contribution"]].isna().all(axis=None)
    assert found.changes["now"].tolist() == [3, 4 / 3, 50, 200, 3, 4 / 3, 50, 0.45, 90]
    assert found.movement["movement"].tolist() == ["both", "only_before", "only_now"]
    assert found.movement.drop(columns="movement").isna().all(axis=None)
    with pytest.raises(lk.UsageError, match="does not cover the period before"):
        found.plot("changes")


def test_without_a_period_it_is_365_days():
    rows = [*SHOP, ("bob", "2024-12-29", 500, 0), ("bob", "2025-12-30", 500, 0)]
    found = audited(rows)
    assert found.differences.loc[0, ["period_start", "period_end"]].tolist() == [
        dt.date(2024, 12, 31),
        dt.date(2025, 12, 30),
    ]
    assert found.differences["n_people"].sum() == 1
    # the 365 days before begin on 1 January 2024, the log's first day
    assert found.movement["n_people"].tolist() == [1, 4, 0]


# -- lenses 3 to 5


def test_a_cohort_by_hand(by_hand):
    assert by_hand.cohort["cohort"].tolist() == ["2024-Q2"]  # the first without a mark
    life = audited(SHOP, by="quarter", cohort="2024-Q1").cohort
    assert life["n_people"].tolist() == [3, 3]
    assert life["period_start"].tolist() == [dt.date(2024, 1, 1), dt.date(2024, 4, 1)]
    assert life["n_active"].tolist() == [3, 2]
    assert life["n_orders"].tolist() == [4, 2]
    assert life["orders_per_active"].tolist() == [4 / 3, 1]
    assert life["average_order_value"].tolist() == [50, 130]
    assert life["revenue"].tolist() == [200, 260]
    assert life["profit"].tolist() == [90, 130]
    assert life["revenue_per_person"].tolist() == [200 / 3, 260 / 3]
    assert life["cumulative_revenue_per_person"].tolist() == pytest.approx([200 / 3, 460 / 3])
    assert life["cumulative_profit"].tolist() == [90, 220]
    assert life["mark"].tolist() == ["left-censored"] * 2


def test_a_cohort_that_paused_has_zeros_and_no_mean_order():
    rows = [*SHOP, ("last", "2024-12-31", 100, 0)]
    life = audited(rows, by="quarter", cohort="2024-Q2").cohort
    assert life["n_active"].tolist() == [1, 0, 0]
    assert life["profit"].tolist() == [35, 0, 0]
    assert life.loc[1:, ["orders_per_active", "average_order_value"]].isna().all(axis=None)


def test_cohorts_are_those_of_retention():
    with lk.load(tables(SHOP)) as shop:
        found = lk.customer_base_audit(shop, by="quarter", age=1)
        kept = lk.retention(shop, by="quarter")
    pd.testing.assert_frame_equal(found.cohorts, kept.at_equal_age(1))
    pd.testing.assert_frame_equal(found.retention.to_frame(), kept.to_frame())


def test_health_by_hand(by_hand):
    frame = by_hand.health
    assert frame["period"].tolist() == ["2024-Q1", "2024-Q2"]  # the third quarter is not over
    assert frame["n_customers"].tolist() == [3, 4]
    assert frame["n_active"].tolist() == [3, 3]
    assert frame["n_new"].tolist() == [3, 1]
    assert frame["active_share"].tolist() == [1, 0.75]
    assert frame["revenue"].tolist() == [200, 310]
    assert frame["revenue_new"].tolist() == [200, 50]
    assert frame["revenue_older"].tolist() == [0, 260]
    assert frame["older_share"].tolist() == [0, 260 / 310]
    # bob and cyd had ordered once by the end of March; by the end of June cyd alone, dan had ordered twice
    assert frame["n_one_time"].tolist() == [2, 1]
    assert frame["one_time_share"].tolist() == [2 / 3, 1 / 4]
    assert frame["mark"].fillna("").tolist() == ["left-censored", ""]


def test_base_by_hand(by_hand):
    frame = by_hand.base
    assert list(zip(frame["period"], frame["cohort"], frame["tenure"], strict=True)) == [
        ("2024-Q1", "2024-Q1", 0),
        ("2024-Q2", "2024-Q1", 1),
        ("2024-Q2", "2024-Q2", 0),
    ]
    assert frame["n_active"].tolist() == [3, 2, 1]
    assert frame["active_share"].tolist() == [1, 2 / 3, 1 / 3]
    assert frame["n_orders"].tolist() == [4, 2, 2]
    assert frame["revenue_share"].tolist() == [1, 260 / 310, 50 / 310]


def test_orders_after_until_are_left_out_but_their_refunds_are_known():
    with lk.load(tables(SHOP)) as shop:
        early = lk.customer_base_audit(shop, by="quarter", until="2024-05-31", cohort_by="month")
        known = lk.customer_base_audit(shop, by="quarter", as_of="2024-05-31", cohort_by="month")
    assert early.health["period"].tolist() == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
    assert early.health["n_one_time"].tolist() == [1, 1, 2, 2, 2]  # ann; cyd; cyd, bob; then cyd, dan
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(early, name), getattr(known, name))


# -- many rows


def test_example_shop_agrees_with_the_kpis(root):
    with lk.load(root / "data" / "shop") as shop:
        found = lk.customer_base_audit(shop)
        year = lk.compute_kpis(shop, "net_revenue").to_frame()
        quarters = lk.compute_kpis(shop, ["net_revenue", "new_customers"], since="2024-01-01", by="quarter").to_frame()
    revenue = year.loc[0, "value"]
    assert found.differences["revenue"].sum() == pytest.approx(revenue)
    assert found.concentration.loc[0, "total"] == pytest.approx(revenue)
    assert found.movement["revenue_now"].sum() == pytest.approx(revenue)
    assert found.changes.loc[3, "now"] == pytest.approx(revenue)
    assert found.differences["share"].sum() == pytest.approx(1)
    per_quarter = quarters[quarters["kpi"] == "net_revenue"]["value"].tolist()
    assert found.health["revenue"].tolist() == pytest.approx(per_quarter)
    assert found.health["n_new"].tolist() == quarters[quarters["kpi"] == "new_customers"]["value"].tolist()
    by_period = found.base.groupby("period")
    assert by_period["revenue_share"].sum().tolist() == pytest.approx([1] * 8)
    assert by_period["active_share"].sum().tolist() == pytest.approx([1] * 8)
    assert (found.health["n_one_time"] < found.health["n_customers"]).all()


@pytest.mark.real_data
def test_online_retail(shared):
    with lk.load(shared / "data" / "online_retail_uci", mapping="online_retail_uci") as shop:
        found = lk.customer_base_audit(shop, by="quarter", cohort_by="month")
        with pytest.raises(lk.UsageError, match="it does not cover 2010-01-01 to 2010-12-31"):
            lk.customer_base_audit(shop, by="year")
        year = lk.customer_base_audit(shop)
    # wholesalers: a tenth of the customers brings more than half
    assert 0.5 < found.concentration.loc[0, "best_tenth_share"] < 0.65
    assert 0.6 < year.concentration.loc[0, "best_tenth_share"] < 0.65
    assert found.differences["profit"].isna().all()
    assert found.cohort["cohort"].iloc[0] == "2011-01"
    assert found.health["mark"].notna().tolist() == [True] + [False] * 11
    assert year.movement["n_people"].isna().all()


@everywhere
def test_every_engine_gives_the_same(on_engine, seed):
    rows = random_rows(seed, n=200)
    with lk.load(tables(rows)) as shop:
        expected = lk.customer_base_audit(shop, by="quarter", cohort_by="month")
        with on_engine(shop) as there:
            found = lk.customer_base_audit(there, by="quarter", cohort_by="month")
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), rtol=1e-12)


# -- tables, pictures, bad calls


def test_frames_by_lens(by_hand):
    for lens in LENSES:
        frame, table = by_hand.to_frame(lens), by_hand.to_arrow(lens)
        pd.testing.assert_frame_equal(frame, getattr(by_hand, lens))
        assert table.column_names == list(frame.columns)
        assert {str(field.type) for field in table.schema} <= {"string", "int64", "double", "date32[day]"}
    assert by_hand.to_frame().equals(by_hand.differences)
    assert repr(by_hand).startswith("CustomerBaseAudit(3 customers, 2024-04-01 to 2024-06-30; 2 cohorts; ")
    for call in (by_hand.to_frame, by_hand.to_arrow, by_hand.plot):
        with pytest.raises(lk.UnknownNameError, match="Unknown lens 'cohrts'"):
            call("cohrts")


def test_pictures_draw_the_frames(by_hand):
    from matplotlib import pyplot as plt

    bars = by_hand.plot("differences").patches
    assert [bar.get_height() for bar in bars][:3] == [200 / 310, 50 / 310, 60 / 310]
    (inside,) = by_hand.plot("changes").child_axes
    heights = {c.get_label(): [bar.get_height() for bar in c] for c in inside.containers}
    assert heights == {"part returning": [2], "part resurrecting": [0], "part new": [1], "part dormant": [-1]}
    (line, *_) = by_hand.plot("cohort").lines
    assert list(line.get_ydata()) == [50]
    assert by_hand.plot("cohorts").get_xlabel() == "quarters since first order"
    (inside,) = by_hand.plot("health").child_axes
    heights = {c.get_label(): [bar.get_height() for bar in c] for c in inside.containers}
    assert heights == {"part returning": [0, 260], "part new": [200, 50]}
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({}, lk.UsageError, "The log begins on 2024-01-01: it does not cover 2023-07-07 to 2024-07-05"),
        ({"by": "yaer"}, lk.UnknownNameError, "Did you mean 'year'"),
        ({"by": "quarter", "cohort_by": "day"}, lk.UnknownNameError, "Unknown period of cohorts 'day'"),
        ({"by": "quarter", "cohort": "2024Q1"}, lk.UnknownNameError, "Unknown cohort '2024Q1'. Did you mean '2024-Q1'"),
        ({"by": "quarter", "age": 7}, lk.UsageError, "No cohort has reached age 7"),
        ({"by": "quarter", "until": "2024-08-01"}, lk.UsageError, "after the as-of day 2024-07-05"),
        ({"by": "day", "until": "2024-04-30"}, lk.UsageError, "Nobody ordered from 2024-04-30 to 2024-04-30"),
        ({"by": "month", "as_of": "2024-02-20"}, lk.UsageError, "No whole quarter lies between"),
        ({"by": "quarter", "run_in_days": None}, lk.UsageError, "must be a whole number"),
        ({"by": "quarter", "week_start": "Monday"}, lk.UnknownNameError, "Did you mean 'monday'"),
    ],
)
def test_wrong_calls(options, kind, says):
    with pytest.raises(kind, match=says):
        audited(SHOP, **options)


def test_orders_of_unknown_revenue_cannot_be_ranked():
    told = [("a", "o1", 100, "2024-01-01"), ("b", "o2", None, "2024-02-02"), ("a", "o3", 100, "2024-03-31")]
    frame = pd.DataFrame(told, columns=["person_id", "order_id", "revenue", "occurred_at"])
    frame = frame.astype({"revenue": "Int64", "occurred_at": "datetime64[us]"}).assign(event="order_completed")
    with lk.load({"events": frame}) as shop, pytest.raises(lk.DataError, match="1 order has no revenue"):
        lk.customer_base_audit(shop, by="quarter")
    frame["event"] = "page_viewed"
    with lk.load({"events": frame}) as shop, pytest.raises(lk.DataError, match="Activity 'order' needs"):
        lk.customer_base_audit(shop, by="quarter")


def test_nothing_is_left_in_the_engine():
    with lk.load(tables(SHOP)) as shop:
        before = sorted(shop.engine.rows("SELECT table_name FROM information_schema.tables"))
        lk.customer_base_audit(shop, by="quarter")
        assert sorted(shop.engine.rows("SELECT table_name FROM information_schema.tables")) == before
