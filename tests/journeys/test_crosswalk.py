"""The crosswalk by hand: three people through a shop's stages, with ties, a window that runs out and a refund."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pytest

from lifecycle_kit.contract.load import load
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from lifecycle_kit.journeys.crosswalk import crosswalk
from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.kpis.newcombe import newcombe
from lifecycle_kit.stages.model_file import load_model
from tests.engines import everywhere

# (person, when in UTC, event, order)
TOUCHES = [
    ("ann", "2024-01-01 10:00", "page_viewed"),
    ("ann", "2024-01-02 10:00", "care_guide_viewed"),
    ("ann", "2024-01-03 10:00", "product_viewed"),
    ("ann", "2024-01-04 10:00", "order_completed", "o1"),
    ("ann", "2024-01-04 10:00", "page_viewed"),
    ("ann", "2024-01-10 10:00", "order_refunded", "o1"),
    ("ann", "2024-05-01 09:00", "page_viewed"),
    ("bob", "2024-01-01 10:00", "product_viewed"),
    ("bob", "2024-01-01 10:00", "page_viewed"),
    ("bob", "2024-01-20 10:00", "care_guide_viewed"),
    ("bob", "2024-02-01 10:00", "support_ticket"),
    ("cyd", "2024-04-20 10:00", "order_completed", "o2"),
    ("cyd", "2024-05-01 12:00", "care_guide_viewed"),
]


def events(touches):
    return {
        "events": pd.DataFrame(
            {
                "person_id": [touch[0] for touch in touches],
                "event": [touch[2] for touch in touches],
                "occurred_at": pd.to_datetime([touch[1] for touch in touches], format="ISO8601"),
                "order_id": pd.Series([touch[3] if len(touch) > 3 else None for touch in touches], dtype="str"),
                "revenue": pd.Series([5_000 if len(touch) > 3 else None for touch in touches], dtype="Int64"),
            }
        )
    }


def rows(frame, *columns):
    """Tuples of some columns, missing values as None."""
    plain = frame[list(columns)].astype(object)
    return list(plain.where(plain.notna(), None).itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def model():
    return load_model("shop")


@pytest.fixture(scope="module")
def shop():
    with load(events(TOUCHES)) as made:
        yield made


@pytest.fixture(scope="module")
def found(shop, model):
    return crosswalk(shop, model)


def test_met(found):
    counts = rows(
        found.met, "event", "stage", "n_touchpoints", "n_people", "meant_for", "is_meant", "n_people_elsewhere"
    )
    assert counts == [
        # bob's led him into consideration at once, past the stage it was made for
        ("page_viewed", "(new)", 2, 2, "awareness", False, 1),
        ("page_viewed", "awareness", 1, 1, "awareness", True, 0),
        # at the instant of her order: she met it in the stage before
        ("page_viewed", "consideration", 1, 1, "awareness", False, 1),
        ("care_guide_viewed", "awareness", 1, 1, "retention", False, 1),
        ("care_guide_viewed", "consideration", 1, 1, "retention", False, 1),
        ("care_guide_viewed", "purchase", 1, 1, "retention", False, 1),
        ("order_completed", "(new)", 1, 1, None, None, None),
        ("order_completed", "consideration", 1, 1, None, None, None),
        # made for consideration, and led there
        ("product_viewed", "(new)", 1, 1, "consideration", False, 0),
        ("product_viewed", "consideration", 1, 1, "consideration", True, 0),
        ("order_refunded", "purchase", 1, 1, None, None, None),
        ("support_ticket", "consideration", 1, 1, "retention", False, 1),
    ]


def test_shares_of_met(found):
    pages = found.met[found.met["event"] == "page_viewed"]
    assert pages["share_of_touchpoints"].tolist() == [0.5, 0.25, 0.25]
    assert pages["share_of_people"].tolist() == [1, 0.5, 0.5]  # ann is in all three
    assert list(zip(pages["lo"], pages["hi"], strict=True)) == [wilson(2, 2), wilson(1, 2), wilson(1, 2)]


def test_effect(found):
    counts = rows(found.effect, "event", "stage", "n_people", "n_moved_on", "n_stayed", "n_fell_back", "n_others")
    assert set(counts) == {
        ("page_viewed", "(new)", 2, 2, 0, 0, 0),  # cyd came within 30 days of the end
        ("page_viewed", "awareness", 0, 0, 0, 0, 1),
        ("page_viewed", "consideration", 1, 0, 1, 0, 1),
        ("care_guide_viewed", "awareness", 1, 1, 0, 0, 0),
        ("care_guide_viewed", "consideration", 1, 0, 1, 0, 1),
        ("care_guide_viewed", "purchase", 0, 0, 0, 0, 1),
        ("product_viewed", "(new)", 1, 1, 0, 0, 1),
        ("product_viewed", "consideration", 1, 0, 1, 0, 1),
        ("order_completed", "(new)", 0, 0, 0, 0, 2),
        ("order_completed", "consideration", 1, 0, 1, 0, 1),  # taken back within the window
        ("order_refunded", "purchase", 1, 0, 0, 1, 0),
        ("support_ticket", "consideration", 1, 0, 1, 0, 1),
    }


def test_shares_of_effect(found):
    of = found.effect.set_index(["event", "stage"])
    row = of.loc["product_viewed", "(new)"]  # bob, beside ann
    assert row[["share_moved_on", "share_moved_on_others", "difference"]].tolist() == [1, 1, 0]
    assert row[["lo", "hi"]].tolist() == list(wilson(1, 1))
    assert row[["difference_lo", "difference_hi"]].tolist() == list(newcombe(1, 1, 1, 1))
    nobody_else = of.loc["care_guide_viewed", "awareness"]
    assert nobody_else["share_moved_on"] == 1
    assert nobody_else[["share_moved_on_others", "difference", "difference_lo"]].isna().all()
    too_early = of.loc["care_guide_viewed", "purchase"]
    assert too_early[["share_moved_on", "lo", "hi", "difference"]].isna().all()
    assert too_early["share_moved_on_others"] == 0


def test_entries(found):
    told = rows(found.entries, "stage", "status", "from_stage", "from_status", "event", "n_entries", "is_planned")
    assert told == [
        ("awareness", "anonymous", "(new)", "(new)", "page_viewed", 1, None),
        ("awareness", "anonymous", "consideration", "engaged", "(time)", 2, False),
        ("consideration", "engaged", "(new)", "(new)", "product_viewed", 1, None),
        ("consideration", "engaged", "awareness", "anonymous", "care_guide_viewed", 1, True),
        ("consideration", "engaged", "purchase", "first_purchase", "order_refunded", 1, False),
        ("purchase", "first_purchase", "(new)", "(new)", "order_completed", 1, None),
        ("purchase", "first_purchase", "consideration", "engaged", "order_completed", 1, False),
    ]
    assert found.entries["n_people"].tolist() == [1, 2, 1, 1, 1, 1, 1]
    assert found.entries["enters_stage"].all()


def test_mismatches(found):
    told = rows(found.mismatches, "event", "meant_for", "met_in", "from_status", "to_status", "n_people", "n_of")
    assert told == [
        ("support_ticket", "retention", "consideration", None, None, 1, 1),
        ("page_viewed", "awareness", "(new)", None, None, 1, 2),
        ("page_viewed", "awareness", "consideration", None, None, 1, 2),
        (None, None, None, "engaged", "first_purchase", 1, 2),
        (None, None, None, "first_purchase", "engaged", 1, 2),
        ("care_guide_viewed", "retention", "awareness", None, None, 1, 3),
        ("care_guide_viewed", "retention", "consideration", None, None, 1, 3),
        ("care_guide_viewed", "retention", "purchase", None, None, 1, 3),
    ]
    assert found.mismatches["kind"].tolist() == ["met elsewhere"] * 3 + ["unplanned entry"] * 2 + ["met elsewhere"] * 3
    limits = zip(found.mismatches["lo"], found.mismatches["hi"], strict=True)
    assert list(limits) == [wilson(x, n) for *_, x, n in told]
    # a window that ran out is no path: nobody is blamed for growing old
    assert "anonymous" not in found.mismatches["to_status"].tolist()


def test_worst(found):
    assert len(found.worst()) == 5
    pd.testing.assert_frame_equal(found.worst(2), found.mismatches.head(2))
    assert found.worst(9, least_share=0.5)["n_of"].tolist() == [1, 2, 2, 2, 2]


def test_since_counts_later_touchpoints_and_knows_the_earlier_ones(shop, model):
    later = crosswalk(shop, model, since="2024-01-03")
    assert rows(later.met.head(4), "event", "stage", "n_people") == [
        ("care_guide_viewed", "consideration", 1),
        ("care_guide_viewed", "purchase", 1),
        ("order_completed", "(new)", 1),
        ("order_completed", "consideration", 1),
    ]
    assert ("product_viewed", "consideration") in rows(later.met, "event", "stage")  # not "(new)"
    assert later.entries["from_status"].tolist() == ["engaged", "first_purchase", "(new)", "engaged"]
    assert "since 2024-01-03" in repr(later)
    first_day = crosswalk(shop, model, since="2024-01-01")
    pd.testing.assert_frame_equal(first_day.met, crosswalk(shop, model).met)


def test_since_is_a_business_day_of_the_shop(model):
    with load(events([("ann", "2024-01-01 22:59", "page_viewed"), ("ann", "2024-01-01 23:00", "page_viewed")]),
              timezone="Europe/Paris") as shop:  # fmt: skip
        told = crosswalk(shop, model, since="2024-01-02").met
        instant = crosswalk(shop, model, since="2024-01-02T00:00").met
    assert rows(told, "event", "stage", "n_touchpoints") == [("page_viewed", "awareness", 1)]
    pd.testing.assert_frame_equal(told, instant)


def test_as_of_knows_nothing_later(shop, model):
    early = crosswalk(shop, model, "2024-01-05")
    assert set(early.met["event"]) == {"page_viewed", "product_viewed", "care_guide_viewed", "order_completed"}
    assert early.effect["n_people"].sum() == 0
    assert early.effect[["share_moved_on", "share_moved_on_others"]].isna().all(axis=None)


def test_events_are_chosen_and_others_stay(shop, model, found):
    one = crosswalk(shop, model, events="care_guide_viewed")
    for part in ("met", "effect"):
        whole = found.to_frame(part)
        same = whole[whole["event"] == "care_guide_viewed"].reset_index(drop=True)
        pd.testing.assert_frame_equal(one.to_frame(part), same)
    pd.testing.assert_frame_equal(one.entries, found.entries)
    assert set(one.mismatches["event"].dropna()) == {"care_guide_viewed"}
    assert (one.mismatches["kind"] == "unplanned entry").sum() == 2
    pair = crosswalk(shop, model, events=["support_ticket", "order_refunded"])
    assert set(pair.met["event"]) == {"support_ticket", "order_refunded"}


@pytest.mark.parametrize(
    ("early_by", "n_people", "n_moved_on"), [(dt.timedelta(0), 1, 1), (dt.timedelta(microseconds=1), 0, 0)]
)
def test_the_window_ends_with_its_last_instant(model, early_by, n_people, n_moved_on):
    log = [("eve", f"2024-01-0{day} 12:00", "page_viewed") for day in (1, 2)]
    end = dt.datetime(2024, 1, 7, 12)
    with load(events([*log, ("eve", str(end), "product_viewed")])) as shop:
        effect = crosswalk(shop, model, end - early_by, within_days=5).effect.set_index(["event", "stage"])
    row = effect.loc["page_viewed", "awareness"]
    assert (row["n_people"], row["n_moved_on"]) == (n_people, n_moved_on)


def test_a_window_must_lie_within_the_log_and_not_only_before_as_of(model):
    with load(events([("eve", "2024-01-01 12:00", "page_viewed")])) as shop:
        assert crosswalk(shop, model, "2024-01-20", within_days=5).effect["n_people"].tolist() == [0]


@pytest.mark.parametrize("beside", ["checkout_started", "page_viewed", "product_viewed", "zoomed"])
def test_the_event_named_is_the_one_the_deciding_rule_listens_to(model, beside):
    log = [
        ("eve", "2024-01-01 12:00", "product_viewed"),
        ("eve", "2024-01-02 12:00", "order_completed", "o1"),
        ("eve", "2024-01-02 12:00", beside),
        ("eve", "2024-01-03 12:00", "order_refunded", "o1"),
        ("eve", "2024-01-03 12:00", beside),
    ]
    with load(events(log)) as shop:
        made = crosswalk(shop, model).entries
    assert rows(made, "status", "event", "n_entries") == [
        ("engaged", "product_viewed", 1),
        ("engaged", "order_refunded", 1),  # first_purchase ceased to hold
        ("first_purchase", "order_completed", 1),
    ]


def test_who_met_it_only_after_the_window_stands_on_both_sides(model):
    log = [
        ("eve", "2024-01-01 12:00", "page_viewed"),
        ("eve", "2024-01-02 12:00", "page_viewed"),
        ("eve", "2024-01-20 12:00", "support_ticket"),
        ("eve", "2024-03-01 12:00", "page_viewed"),
    ]
    with load(events(log)) as shop:
        far, near = (
            crosswalk(shop, model, within_days=days)
            .effect.set_index(["event", "stage"])
            .loc["support_ticket", "awareness"]
            for days in (10, 18)
        )
    assert far[["n_people", "n_others", "n_in_both"]].tolist() == [1, 1, 1]
    assert near[["n_people", "n_others", "n_in_both"]].tolist() == [1, 0, 0]  # at the very end of the window


def test_others_are_told_by_their_own_moment(model):
    """Eve met it later than she came: what she is as one of the stage is not what she is as one who met it."""
    log = [(who, f"2024-01-0{day} 12:00", "page_viewed") for who in ("eve", "bob", "cyd") for day in (1, 2)]
    log += [("eve", "2024-01-04 12:00", "support_ticket"), ("eve", "2024-01-08 12:00", "product_viewed")]
    log += [("cyd", "2024-01-05 12:00", "product_viewed"), ("bob", "2024-02-01 12:00", "page_viewed")]
    with load(events(log)) as shop:
        effect = crosswalk(shop, model, within_days=5).effect.set_index(["event", "stage"])
    row = effect.loc["support_ticket", "awareness"]
    assert row[["n_people", "n_moved_on", "n_others"]].tolist() == [1, 1, 2]
    assert row["share_moved_on_others"] == 0.5  # cyd, not bob
    assert row[["difference_lo", "difference_hi"]].tolist() == list(newcombe(1, 1, 1, 2))


def test_nobody_moves_on_from_the_last_stage(model):
    log = [("eve", f"2024-01-0{day} 12:00", name, *order) for day, name, *order in
           [(1, "order_completed", "o1"), (2, "referral_converted"), (3, "page_viewed"), (9, "page_viewed")]
           ]  # fmt: skip
    with load(events(log)) as shop:
        effect = crosswalk(shop, model, within_days=2).effect.set_index(["event", "stage"])
    last = effect.loc["page_viewed", "advocacy"]
    assert (last["n_people"], last["n_stayed"]) == (1, 1)
    assert last[["share_moved_on", "lo", "share_moved_on_others", "difference"]].isna().all()


def test_not_causal_is_said_where_it_is_read(found):
    assert "not causal" in repr(found)
    assert "not causal" in found.source
    assert "not causal" in type(found).__doc__.lower()
    assert "not causal" in crosswalk.__doc__
    assert "support_ticket made for retention, met in consideration (1 of 1 people)" in repr(found)


def test_stages_in_order(found):
    assert found.stages == (*("(new)", "unplaced", "awareness", "consideration", "purchase", "retention", "advocacy"),)


@pytest.mark.parametrize("part", ["met", "effect", "entries", "mismatches"])
def test_frames_and_arrow_tell_the_same(found, part):
    frame, table = found.to_frame(part), found.to_arrow(part)
    assert table.column_names == list(frame.columns)
    assert table.num_rows == len(frame)
    assert {str(dtype) for dtype in frame.dtypes} <= {"str", "int64", "Int64", "float64", "bool", "boolean"}
    frame.iloc[:, 0] = "changed"
    assert "changed" not in found.to_frame(part).iloc[:, 0].tolist()


@everywhere
def test_every_engine_gives_the_same(on_engine, shop, model, found):
    with on_engine(shop) as there:
        for asked in ({}, {"since": "2024-01-03", "within_days": 7, "as_of": "2024-04-25"}):
            one, other = crosswalk(there, model, **asked), crosswalk(shop, model, **asked)
            for part in ("met", "effect", "entries", "mismatches"):
                pd.testing.assert_frame_equal(one.to_frame(part), other.to_frame(part), obj=part)


def test_a_model_without_touchpoints_still_tells_the_rest(shop, model, found):
    made = crosswalk(shop, dataclasses.replace(model, touchpoints=None))
    assert made.met["meant_for"].isna().all()
    assert made.met["is_meant"].isna().all()
    assert made.met["n_people_elsewhere"].isna().all()
    pd.testing.assert_frame_equal(made.effect, found.effect)
    pd.testing.assert_frame_equal(made.entries, found.entries)
    assert set(made.mismatches["kind"]) == {"unplanned entry"}
    assert any("does not say which stage a touchpoint was made for" in note for note in made.notes)
    assert {str(made.to_arrow().schema.field(name).type) for name in ("meant_for", "is_meant")} == {"string", "bool"}


def test_a_model_without_activities_plans_nothing_and_blames_nobody(shop, model):
    made = crosswalk(shop, dataclasses.replace(model, activities=()))
    assert made.entries["is_planned"].isna().all()
    assert set(made.mismatches["kind"]) == {"met elsewhere"}
    assert any("has no activities" in note for note in made.notes)
    neither = crosswalk(shop, dataclasses.replace(model, activities=(), touchpoints=None))
    assert len(neither.mismatches) == 0
    assert len(neither.worst()) == 0
    assert "0 mismatches;" in repr(neither)
    assert neither.to_arrow("mismatches").schema.field("event").type == "string"


def test_a_touchpoint_of_the_model_that_the_log_spells_otherwise_is_told(shop, model):
    made = crosswalk(shop, dataclasses.replace(model, touchpoints={"care_guide_view": "retention"}))
    assert any("Did you mean 'care_guide_viewed'?" in note for note in made.notes)


def test_nothing_happened_in_the_period(shop, model):
    made = crosswalk(shop, model, "2024-03-01", since="2024-02-10")
    assert [len(made.to_frame(part)) for part in ("met", "effect", "entries", "mismatches")] == [0, 0, 0, 0]
    assert list(made.met.columns) == list(crosswalk(shop, model).met.columns)
    elsewhen = crosswalk(shop, model, since="2024-02-10", events="support_ticket")
    assert len(elsewhen.met) == 0


BAD = {
    "event misspelt": ({"events": "care_guide_view"}, UnknownNameError, "Did you mean 'care_guide_viewed'?"),
    "event of a later day": ({"events": "support_ticket", "as_of": "2024-01-05"}, UnknownNameError, "support_ticket"),
    "event that is none": ({"events": [7]}, UnknownNameError, "Unknown event '7'"),
    "no event": ({"events": []}, UsageError, "No event was named"),
    "window of nothing": ({"within_days": 0}, UsageError, "within_days 0"),
    "window backwards": ({"within_days": -3}, UsageError, "within_days -3"),
    "window in parts of days": ({"within_days": 1.5}, UsageError, "within_days 1.5"),
    "window that is true": ({"within_days": True}, UsageError, "within_days True"),
    "window of centuries": ({"within_days": 99_999}, UsageError, "within_days 99999"),
    "since after as_of": ({"since": "2024-02-01", "as_of": "2024-01-31"}, UsageError, "is after as-of 2024-01-31"),
    "since after the log": ({"since": "2024-05-02"}, UsageError, "is after as-of 2024-05-01"),
    "since is no date": ({"since": "spring"}, UsageError, "'spring' is not a date"),
    "as_of before the log": ({"as_of": "2023-12-31"}, UsageError, "before the first touchpoint"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls(shop, model, case):
    asked, kind, message = BAD[case]
    with pytest.raises(kind, match=message.replace("?", r"\?")):
        crosswalk(shop, model, **asked)


def test_bad_questions_to_the_answer(found):
    with pytest.raises(UnknownNameError, match="Did you mean 'entries'"):
        found.to_frame("entrys")
    for n in (0, -1, 2.0, True):
        with pytest.raises(UsageError, match="at least 1"):
            found.worst(n)
    for share in (-0.1, 1.1, "most"):
        with pytest.raises(UsageError, match="least_share"):
            found.worst(least_share=share)


def test_not_a_dataset_not_a_model(shop, model):
    with pytest.raises(UsageError, match="not a Dataset"):
        crosswalk("shop", model)
    with pytest.raises(UsageError, match="not a StageModel"):
        crosswalk(shop, "shop")


def test_an_empty_log_is_the_datas_fault(shop, model):
    with pytest.raises(DataError, match="empty"):
        crosswalk(dataclasses.replace(shop, first_at=None, last_at=None), model)


def test_nothing_stays_behind_in_the_engine(shop, model):
    def tables():
        return {row[0] for row in shop.engine.rows("SELECT table_name FROM information_schema.tables")}

    before = {name for name in tables() if not name.startswith("spells_")}
    crosswalk(shop, model)
    assert {name for name in tables() if not name.startswith("spells_")} == before
