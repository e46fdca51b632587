"""The scorecard: which period is told, against what, with which target."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.kpis.values import VALUE_COLUMNS, KPIValues


def values(kpi, told, **texts):
    """(value, mature share, mark) per month from January 2024 on."""
    rows = []
    for i, (value, mature, mark) in enumerate(told):
        start = dt.date(2024 + i // 12, i % 12 + 1, 1)
        end = (start.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
        rows.append(
            dict.fromkeys(VALUE_COLUMNS)
            | {"kpi": kpi.id, "stage": kpi.stage, "label": kpi.label, "unit": kpi.unit, "better_when": kpi.better_when}
            | {"period_start": start, "period_end": end, "value": value, "lo": value, "hi": value, "n_den": 10.0}
            | {"mature_share": mature, "mark": mark, "reason": None if value == value else "nobody"}
        )
    texts_of = dict.fromkeys(("dimension", "slice", "mark", "reason"), "str")
    return pd.DataFrame(rows, columns=list(VALUE_COLUMNS)).astype(texts_of)


def card_of(kpi, told):
    catalogue = lk.Catalogue("one", (kpi,))
    return lk.scorecard_of(KPIValues(values(kpi, told), catalogue, "a shop"))


def kpi(kpi_id, **changed):
    import dataclasses

    return dataclasses.replace(lk.load_catalogue()[kpi_id], **changed)


NAN = float("nan")
STEADY = [(10.0 + i % 3, 1.0, None) for i in range(12)]


def test_the_newest_whole_and_old_enough_period_is_told():
    told = [*STEADY, (11.0, 1.0, None), (5.0, 0.4, None), (2.0, 1.0, "partial")]
    row = card_of(kpi("average_order_value"), told).card.iloc[0]
    assert (row["period_start"], row["value"], row["previous"]) == (dt.date(2025, 1, 1), 11.0, 12.0)
    assert row["change"] == pytest.approx(11 / 12 - 1)
    assert row["change_absolute"] == -1
    assert [point["value"] for point in row["history"]] == [value for value, *_ in told]


def test_without_such_a_period_the_newest_value_is_told():
    row = card_of(kpi("repeat_rate"), [(0.2, 0.3, None), (NAN, 0.0, None)]).card.iloc[0]
    assert (row["value"], row["period_start"]) == (0.2, dt.date(2024, 1, 1))
    assert pd.isna(row["previous"])


def test_a_jump_is_flagged_with_its_size():
    card = card_of(kpi("average_order_value"), [*STEADY, (30.0, 1.0, None)])
    assert card.flags[["kpi", "flag", "change_absolute"]].to_numpy().tolist() == [
        ["average_order_value", "above", 18.0]
    ]
    assert card.expected_false_alarms == pytest.approx(0.01)
    assert card.card.iloc[0]["limit_hi"] < 30


def test_what_cannot_be_trusted_sets_no_limits():
    censored = [(900.0, 1.0, "left-censored"), *STEADY[:6], (11.0, 1.0, None)]
    row = card_of(kpi("new_customers"), censored).card.iloc[0]
    assert row["limit_hi"] < 30
    assert row["flag"] is None or pd.isna(row["flag"])


def test_a_share_has_no_relative_change():
    row = card_of(kpi("repeat_rate"), [(0.2, 1.0, None), (0.25, 1.0, None)]).card.iloc[0]
    assert pd.isna(row["change"])
    assert row["change_absolute"] == pytest.approx(0.05)


def test_periods_without_equal_time_are_not_compared():
    told = [(0.9 - i / 20, 1.0, None) for i in range(15)]
    row = card_of(kpi("retention_unbounded"), told).card.iloc[0]
    assert pd.isna(row["previous"])
    assert pd.isna(row["limit_lo"])
    assert all(point["flag"] is None for point in row["history"])


@pytest.mark.parametrize(
    ("kpi_id", "target", "met"),
    [("average_order_value", 11, True), ("average_order_value", 11.5, False), ("cac", 11, True), ("cac", 10.5, False),
     ("time_between_purchases", 11, None)],
)  # fmt: skip
def test_targets(kpi_id, target, met):
    card = card_of(kpi(kpi_id, target=float(target)), [(10.0, 1.0, None), (11.0, 1.0, None)])
    found = card.to_frame()["target_met"].iloc[0]
    assert pd.isna(found) if met is None else bool(found) is met


def test_what_has_no_value_is_told_apart():
    catalogue = lk.Catalogue("two", (kpi("nps"), kpi("cac")))
    both = pd.concat([values(kpi("nps"), [(NAN, NAN, None)] * 2), values(kpi("cac"), [(3.0, 1.0, None)] * 2)])
    card = lk.scorecard_of(KPIValues(both, catalogue, "a shop"))
    assert card.to_frame()["kpi"].tolist() == ["cac"]
    assert card.absent.to_numpy().tolist() == [["nps", "Net promoter score", "advocacy", "nobody"]]


def test_one_period_is_no_scorecard():
    with pytest.raises(lk.UsageError, match="several periods"):
        card_of(kpi("cac"), [(3.0, 1.0, None)])


def test_wrong_calls():
    orders = pd.DataFrame({"person_id": ["a", "b"], "ordered_at": pd.to_datetime(["2024-01-01", "2024-03-01"])})
    with lk.load({"orders": orders.assign(net_revenue=[100, 200], order_id=["1", "2"])}) as shop:
        for options, says in (
            ({"n_periods": 1}, "from 2 to 400"),
            ({"n_periods": True}, "from 2 to 400"),
            ({"false_alarm_rate": 0.9}, "between 0 and 0.5"),
            ({"by": "fortnight"}, "Unknown period"),
            ({"as_of": "2024-13-01"}, "is not a date"),
        ):
            with pytest.raises(lk.UsageError, match=says):
                lk.scorecard(shop, **options)
        card = lk.scorecard(shop)
        with pytest.raises(lk.UnknownNameError, match="Did you mean 'purchase'"):
            card.plot("purchas")


def test_real_shop_by_stage(root):
    with lk.load(root / "data" / "shop") as shop:
        card = lk.scorecard(shop, model=lk.load_model("shop"), as_of="2025-12-31")
    assert card.stages == ("awareness", "consideration", "purchase", "retention", "advocacy")
    frame = card.to_frame().set_index("kpi")
    assert len(frame) >= 55
    assert frame.loc["repeat_rate", "period_start"] == dt.date(2025, 9, 1)
    first = card.values.to_frame().query("kpi == 'new_customers'").iloc[0]
    assert (first["period_start"], first["mark"]) == (dt.date(2024, 1, 1), "left-censored")


@pytest.mark.real_data
def test_online_retail_marks_its_first_month(shared):
    path = shared / "data" / "online_retail_uci" / "online_retail.parquet"
    with lk.load(path, mapping="online_retail_uci") as shop:
        card = lk.scorecard(shop, ["new_customers", "repeat_rate", "growth_returning"], as_of="2011-12-09")
    values_ = card.values.to_frame().set_index(["kpi", "period_start"])
    december = values_.loc[("new_customers", dt.date(2010, 12, 1))]
    # 885 customers of December 2010 are the first cohort that others report of these data
    assert (december["value"], december["mark"]) == (885, "left-censored")
    assert values_.loc[("growth_returning", dt.date(2010, 12, 1)), "value"] == 0
    assert values_.loc[("new_customers", dt.date(2011, 12, 1)), "mark"] == "partial"
    assert pd.isna(values_.loc[("repeat_rate", dt.date(2011, 10, 1)), "value"])
    told = card.to_frame().set_index("kpi")["period_start"]
    assert told["new_customers"] == dt.date(2011, 11, 1)
    assert told["repeat_rate"] == dt.date(2011, 8, 1)
