"""Snapshots, histories and timelines: dates at the edges, what they warn of, what they refuse."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.stages.model_file import parse_model
from tests.small_shops import FEW, orders


@pytest.fixture(scope="module")
def model():
    return lk.load_model("orders_only")


@pytest.fixture(scope="module")
def few():
    with lk.load(orders(*FEW), timezone="Europe/Paris", currency="EUR") as made:
        yield made


def where(dataset, model, day, **options):
    return lk.snapshot(dataset, model, day, **options).members().set_index("person_id")["status"].to_dict()


def test_by_hand(few, model):
    assert where(few, model, "2024-01-31") == {"ann": "new", "bob": "new"}
    assert where(few, model, "2024-03-08") == {"ann": "active", "bob": "new", "cyd": "new"}
    # the refund acts at its own instant: midnight UTC is one o'clock on the 9th in Paris
    assert where(few, model, "2024-03-09")["cyd"] == "taken_back"
    assert where(few, model, "2024-07-08")["bob"] == "new"
    assert where(few, model, "2024-07-09")["bob"] == "at_risk"
    assert where(few, model, "2025-02-04") == {"ann": "lapsed", "bob": "lapsed", "cyd": "taken_back"}


def test_a_day_ends_in_the_shops_time_zone(few, model):
    # bob ordered at 23:30 UTC on the 10th: half past midnight on the 11th in Paris
    assert "bob" not in where(few, model, "2024-01-10")
    assert "bob" in where(few, model, "2024-01-11")
    assert "bob" not in where(few, model, dt.datetime(2024, 1, 11, 0, 29))
    assert "bob" in where(few, model, dt.datetime(2024, 1, 10, 23, 30, tzinfo=dt.UTC))


def test_counts_shares_and_changes(few, model):
    now, frame = lk.snapshot_changes(few, model, "2024-03-05")
    row = frame.set_index("status").loc["new"]
    assert (row["n_people"], row["n_people_month_before"], row["change_month"]) == (2, 1, 1)
    assert frame["n_people_year_before"].isna().all()  # the log had not begun: not 0
    assert frame["change_year"].isna().all()
    assert row["share"] == pytest.approx(2 / 3)
    assert now.by_stage().set_index("stage")["n_people"].to_dict() == {"purchase": 2, "retention": 1}
    assert now.members("active")["person_id"].tolist() == ["ann"]
    assert now.members(stage="purchase")["person_id"].tolist() == ["bob", "cyd"]
    assert json.loads(json.dumps(now.to_dict()))["n_people"] == 3
    with pytest.raises(lk.UnknownNameError, match="Did you mean 'active'"):
        now.members("actve")


def test_default_as_of_is_the_logs_last_day(few, model):
    assert lk.snapshot(few, model).moment.as_of == dt.date(2024, 3, 9)


def test_b047_as_of_before_the_log(few, model):
    for ask in (lk.snapshot, lk.history):
        with pytest.raises(lk.UsageError, match=r"2023-01-01 is before the first touchpoint .* on 2024-01-05"):
            ask(few, model, "2023-01-01")


def test_b048_as_of_long_after_the_log(few, model):
    made = lk.snapshot(few, model, "2034-03-09")
    assert "3,652 days after the last touchpoint" in made.warnings[0]
    assert made.to_frame()["share"].sum() == pytest.approx(1)


def test_b076_everybody_lapsed(model):
    with lk.load(orders(("a", "2015-01-01", 100), ("b", "2015-02-01", 100))) as old:
        made = lk.snapshot(old, model, "2024-01-01")
    assert made.to_frame().set_index("status").loc["lapsed", ["n_people", "share"]].tolist() == [2, 1.0]
    assert any("All 2 people are in one status, 'lapsed'" in warning for warning in made.warnings)


@pytest.mark.parametrize("bad", ["30/06/2025", "soon", "2025-02-30", ""])
def test_dates_that_are_none(few, model, bad):
    with pytest.raises(lk.UsageError, match="is not a date"):
        lk.snapshot(few, model, bad or "x")


def test_an_empty_log(model):
    empty = orders(("a", "2024-01-01", 1))
    empty["orders"] = empty["orders"].iloc[:0]
    # nothing to read, or nothing to place: said either way
    with pytest.raises(lk.DataError), lk.load(empty) as nothing:
        lk.snapshot(nothing, model)


def test_days_must_end_in_one_place(few):
    text = "lifecycle: 1\nname: m\ntime: {timezone: America/New_York}\n"
    text += "signals:\n  o: {event: order_completed, agg: count}\n"
    text += "stages: [{id: s, rank: 1}]\nstatuses: [{id: t, stage: s, rank: 1, when: 'o > 0'}]\n"
    with pytest.raises(lk.UsageError, match="counts days in America/New_York, the dataset in Europe/Paris"):
        lk.snapshot(few, parse_model(text))


def test_unplaced_people_are_shown(few):
    text = "lifecycle: 1\nname: gap\nsignals:\n  o: {event: order_completed, agg: count}\n"
    text += "stages: [{id: s, rank: 1}]\nstatuses: [{id: two, stage: s, rank: 1, when: 'o > 1'}]\n"
    made = lk.snapshot(few, parse_model(text), "2024-03-05")
    assert made.to_frame()["status"].tolist() == ["unplaced", "two"]
    assert made.to_frame()["n_people"].tolist() == [2, 1]
    assert "2 people are in no status of 'gap'" in made.warnings[0]


def test_history_answers_past_days_only(few, model):
    spells = lk.history(few, model, "2024-03-05")
    assert spells.n_spells == len(spells.to_frame()) == 4
    assert spells.to_frame()["furthest_status"].tolist() == ["new", "active", "new", "new"]
    assert spells.at("2024-01-31").set_index("person_id")["status"].to_dict() == {"ann": "new", "bob": "new"}
    with pytest.raises(lk.UsageError, match="after this history, which ends at 2024-03-05"):
        spells.at("2024-03-06")


def test_writing_spells(few, model, tmp_path):
    spells = lk.history(few, model, "2024-03-05")
    for name in ("spells.parquet", "spells.csv"):
        spells.write(tmp_path / name)
    assert len(pd.read_parquet(tmp_path / "spells.parquet")) == len(pd.read_csv(tmp_path / "spells.csv")) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["spells.csv", "spells.parquet"]
    with pytest.raises(lk.UsageError, match="There is no folder"):
        spells.write(tmp_path / "nowhere" / "spells.parquet")
    with pytest.raises(lk.UsageError, match=r"neither .csv nor .parquet"):
        spells.write(tmp_path / "spells.xlsx")


def test_person(few, model):
    found = lk.person(few, model, "cyd", "2024-03-31")
    assert found.to_frame()[["event", "revenue", "status"]].values.tolist() == [
        ["order_completed", 5000, "new"],
        ["order_refunded", 5000, "taken_back"],
    ]
    assert found.spells["status"].tolist() == ["new", "taken_back"]
    with pytest.raises(lk.UsageError, match=r"Nobody in .* has the id 'cid'. The nearest id is 'cyd'"):
        lk.person(few, model, "cid")
    with pytest.raises(lk.UsageError, match="Nobody"):
        lk.person(few, model, "'; drop table persons; --")


def test_as_known_uses_only_what_had_arrived(model):
    frame = orders(("ann", "2024-01-05", 100), ("ann", "2024-01-20", 100), ("bob", "2024-01-31", 100))["orders"]
    frame["ingested_at"] = pd.to_datetime(["2024-01-05", "2024-02-20", "2024-01-31"])
    with lk.load({"orders": frame}) as late:
        assert where(late, model, "2024-01-31")["ann"] == "active"
        assert where(late, model, "2024-01-31", as_known="2024-01-31")["ann"] == "new"
        assert lk.history(late, model, "2024-01-31", as_known="2024-01-31").n_spells == 2


def test_a_misspelt_event_is_pointed_out(few):
    text = "lifecycle: 1\nname: typo\nsignals:\n"
    text += "  o: {event: order_completd, agg: count}\n  l: {event: signed_up, agg: count}\n"
    text += "stages: [{id: s, rank: 1}]\nstatuses: [{id: t, stage: s, rank: 1, when: 'o > 0 or l > 0'}]\n"
    (warning,) = lk.snapshot(few, parse_model(text), "2024-03-05").warnings
    assert warning.startswith(
        "The log has no event 'order_completd', which 'typo' listens to. Did you mean 'order_comp"
    )


def test_wrong_types_are_named(few, model):
    with pytest.raises(lk.UsageError, match=r"'orders_only' is not a StageModel. Give what load_model"):
        lk.snapshot(few, "orders_only")
    with pytest.raises(lk.UsageError, match=r"is not a Dataset. Give what load"):
        lk.snapshot(model, few)


def test_a_status_of_another_stage(few, model):
    with pytest.raises(lk.UsageError, match="'active' lies in the stage 'retention', not in 'purchase'"):
        lk.snapshot(few, model).members("active", stage="purchase")


def test_a_history_leaves_nothing_behind(few, model):
    def n_tables():
        return few.engine.rows("SELECT count(*) FROM duckdb_tables()")[0][0]

    before = n_tables()
    spells = lk.history(few, model)
    assert n_tables() == before + 1
    del spells
    lk.person(few, model, "ann")
    assert n_tables() == before


def test_a_closed_dataset_says_so(model):
    with lk.load(orders(("a", "2024-01-01", 100))) as shop:
        spells = lk.history(shop, model)
    for ask in (spells.to_frame, lambda: lk.snapshot(shop, model)):
        with pytest.raises(lk.UsageError, match="The dataset is closed"):
            ask()


def test_an_instant_may_end_a_history(few, model):
    spells = lk.history(few, model, "2024-03-05T12:00")
    assert spells.plot() is not None
    days = lk.occupancy(spells).to_frame()["day"].unique()
    assert str(days[-1]) == "2024-03-05 12:00:00+01:00"
    assert lk.transitions(spells, "2024-01-31", spells.moment.as_of).balance["closing"].sum() == 3


def test_the_day_of_an_instant_is_the_shops(model):
    with lk.load(orders(("a", "2024-01-01", 100))) as shop:
        late = dt.datetime(2024, 1, 9, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
        assert lk.snapshot(shop, model, late).moment.day == dt.date(2024, 1, 10)


def test_changes_are_as_known_too(model):
    frame = orders(("ann", "2024-01-05", 100), ("bob", "2024-01-06", 100), ("cyd", "2024-02-20", 100))["orders"]
    frame["ingested_at"] = pd.to_datetime(["2024-01-05", "2024-06-01", "2024-02-20"])
    with lk.load({"orders": frame}) as late:
        _, known = lk.snapshot_changes(late, model, "2024-02-29", as_known="2024-02-29")
        _, true = lk.snapshot_changes(late, model, "2024-02-29")
    assert known.set_index("status").loc["new", "n_people_month_before"] == 1
    assert true.set_index("status").loc["new", "n_people_month_before"] == 2


def test_the_orders_table_is_believed_about_refunds_and_cancellations(model):
    book = orders(("a", "2024-01-01", 100, "2024-01-20"), ("b", "2024-01-02", 100))["orders"]
    book["status"] = ["refunded", "cancelled"]
    told = pd.DataFrame(
        {
            "person_id": ["a", "b"],
            "event": ["order_refunded", "order_cancelled"],
            "occurred_at": pd.to_datetime(["2024-01-10", "2024-01-03"]),
            "order_id": ["o0", "o1"],
        }
    )
    with lk.load({"orders": book, "events": told}) as shop:
        for options in ({}, {"as_known": "2030-01-01"}):
            assert where(shop, model, "2024-01-15", **options) == {"a": "new"}
            assert where(shop, model, "2024-01-20", **options) == {"a": "taken_back"}
        assert shop.contents().set_index("event")["n_touchpoints"].to_dict() == {
            "order_completed": 1,
            "order_refunded": 1,
            "order_cancelled": 1,
        }
