"""What `compute_kpis` takes and gives: bad calls by case, an empty log, a closed dataset, the shape of the answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.kpis.values import VALUE_COLUMNS
from tests.told_rows import shop

ORDERS = [("o1", "ann", "2024-01-05 10:00", 1_000, 0), ("o2", "ann", "2024-03-05 10:00", 1_000, 0)]


@pytest.fixture(scope="module")
def dataset():
    with shop(orders=ORDERS) as made:
        yield made


BAD = {
    "unknown KPI": ({"names": "repeat_rat"}, lk.UnknownNameError, r"Unknown KPI 'repeat_rat'. Did you mean"),
    "one of several": ({"names": ["cac", "x"]}, lk.UnknownNameError, "Unknown KPI 'x'"),
    "unknown period": ({"by": "fortnight"}, lk.UnknownNameError, "Unknown period 'fortnight'. Allowed: day, month"),
    "unknown dimension": ({"dimension": "city"}, lk.UnknownNameError, "Unknown dimension 'city'"),
    "unknown weekday": ({"week_start": "mon"}, lk.UnknownNameError, "Unknown first day of the week 'mon'"),
    "stages without a model": ({"dimension": "stage"}, lk.UsageError, "needs a stage model. Give model=load_model"),
    "since after until": (
        {"since": "2024-02-01", "until": "2024-01-01"},
        lk.UsageError,
        "The period from 2024-02-01 to 2024-01-01 is empty. Give a since before until",
    ),
    "since after the log": (
        {"since": "2024-03-06"},
        lk.UsageError,
        "The period from 2024-03-06 to 2024-03-05 is empty",
    ),
    "until after as_of": (
        {"until": "2024-02-02", "as_of": "2024-02-01"},
        lk.UsageError,
        "The period ends on 2024-02-02, after the as-of day 2024-02-01. Give an earlier until",
    ),
    "until after the log": (
        {"until": "2030-01-01"},
        lk.UsageError,
        "ends on 2030-01-01, after the as-of day 2024-03-05",
    ),
    "an instant": (
        {"as_of": "2024-01-05T01:00"},
        lk.UsageError,
        "2024-01-05T01:00 has a time of day. KPIs count whole days: write '2024-01-05'",
    ),
    "a datetime": ({"since": dt.datetime(2024, 1, 1, 10)}, lk.UsageError, "has a time of day"),
    "no day": ({"since": "January"}, lk.UsageError, "'January' is not a date. Write it as"),
    "a number": ({"until": 20240101}, lk.UsageError, "20240101 is not a date"),
    "outside the calendar": ({"since": "0001-01-01"}, lk.UsageError, "0001-01-01 is outside the calendar. Use a year"),
    "too many periods": (
        {"since": "2000-01-01", "by": "day"},
        lk.UsageError,
        "From 2000-01-01 to 2024-03-05 there are more than 5,000 days. Ask for longer periods",
    ),
    "negative run-in": ({"run_in_days": -1}, lk.UsageError, "run_in_days -1 must be a whole number, at least 0"),
    "half a day of run-in": ({"run_in_days": 1.5}, lk.UsageError, "run_in_days 1.5 must be a whole number"),
    "run-in yes": ({"run_in_days": True}, lk.UsageError, "run_in_days True must be a whole number"),
    "no catalogue": ({"catalogue": "no_such.yaml"}, lk.ModelError, "There is no file no_such.yaml"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls(dataset, case):
    options, error, says = BAD[case]
    with pytest.raises(error, match=says):
        lk.compute_kpis(dataset, **options)


def test_a_closed_dataset():
    with shop(orders=ORDERS) as closed:
        pass
    with pytest.raises(lk.UsageError, match="closed"):
        lk.compute_kpis(closed, "net_revenue")


def test_an_empty_log(dataset):
    # reading refuses a log without a touchpoint; a dataset may still be one of none
    empty = replace(dataset, first_at=None, last_at=None)
    with pytest.raises(lk.DataError, match=r"The log of .* is empty. Run 'lifecycle check'"):
        lk.compute_kpis(empty)


def test_no_table_is_left_behind(dataset):
    def tables():
        return set(dataset.engine.arrow("SELECT table_name FROM duckdb_tables()")["table_name"].to_pylist())

    before = tables()
    lk.compute_kpis(dataset, by="month")
    assert tables() == before
    model = lk.load_model("orders_only")
    lk.compute_kpis(dataset, by="month", dimension="stage", model=model)
    assert not {name for name in tables() - before if name.startswith("scratch_")}


def test_the_answer_is_one_row_per_kpi_period_and_slice(dataset):
    answer = lk.compute_kpis(dataset, ["net_revenue", "nps"], since="2024-01-01", by="month", dimension="country")
    frame = answer.to_frame()
    assert tuple(frame.columns) == VALUE_COLUMNS
    assert frame[["kpi", "slice", "period_start"]].astype(str).duplicated().sum() == 0
    # in the asked order, everybody first; a KPI that is lacking has no slices
    assert frame["kpi"].tolist() == ["net_revenue"] * 6 + ["nps"] * 3
    assert frame["slice"].isna().tolist() == [True] * 3 + [False] * 3 + [True] * 3
    assert repr(answer) == "KPIValues(2 KPIs, 3 periods; shop, as of 2024-03-05)"
    assert answer.to_arrow().num_rows == 9


def test_the_answer_is_frozen(dataset):
    answer = lk.compute_kpis(dataset, "net_revenue")
    given = answer.to_frame()
    given["value"] = -1.0
    assert answer.to_frame().loc[0, "value"] == 20


def test_dates_may_be_days_or_text(dataset):
    by_text = lk.compute_kpis(dataset, "net_revenue", since="2024-01-01", until="2024-01-31").to_frame()
    by_day = lk.compute_kpis(dataset, "net_revenue", since=dt.date(2024, 1, 1), until=dt.date(2024, 1, 31)).to_frame()
    pd.testing.assert_frame_equal(by_text, by_day)


def test_twice_is_the_same(dataset):
    first, second = (lk.compute_kpis(dataset, by="month").to_frame() for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_one_alone_is_the_same_as_among_all():
    orders = [(f"o{n}", f"p{n % 7}", f"2024-0{1 + n % 3}-1{n % 10} 10:00", 100 * n, 10 * n) for n in range(40)]
    costs = [(f"2024-0{month}-03", "search", 1_000, "acquisition") for month in (1, 2, 3)]
    with shop(orders=orders, costs=costs) as rich:
        options = {"since": "2024-01-01", "as_of": "2024-03-31", "by": "month"}
        together = lk.compute_kpis(rich, **options).to_frame()
        for name in ("cac", "nrr", "repeat_rate", "average_order_value", "lapse_rate", "cac_payback"):
            alone = lk.compute_kpis(rich, name, **options).to_frame()
            pd.testing.assert_frame_equal(alone, together[together["kpi"] == name].reset_index(drop=True))
