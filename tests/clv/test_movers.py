"""Whose value moved: the same customers on two days, laid side by side."""

from __future__ import annotations

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text


@pytest.fixture(scope="module")
def shop():
    with lk.cdnow() as cdnow:
        yield cdnow


@pytest.fixture(scope="module")
def values(shop):
    asked = {"margin": 0.3, "n_draws": 50, "horizon_months": 12}
    return [lk.customer_value(shop, as_of=day, **asked) for day in ("1997-02-28", "1997-12-31")]


@pytest.fixture(scope="module")
def moved(values):
    return values[1].movers(values[0])


def test_movers_are_the_difference_of_two_days(values, moved):
    before, after = (value.to_frame().set_index("person_id") for value in values)
    frame = moved.to_frame().set_index("person_id")
    assert len(frame) == len(after) == 2357
    assert len(before) < len(after)
    pd.testing.assert_series_equal(
        frame["clv_after"].sort_index(), after["clv"].sort_index(), check_names=False
    )  # fmt: skip
    old = frame.loc[before.index]
    assert (old["clv_before"] == before["clv"]).all()
    assert (frame["change"] == frame["clv_after"] - frame["clv_before"]).all()
    assert frame["change"].abs().is_monotonic_decreasing
    assert (old["n_bought"] == after.loc[before.index, "frequency"] - before["frequency"]).all()


def test_who_was_no_customer_yet_was_worth_nothing(values, moved):
    frame = moved.to_frame()
    new = frame[~frame["person_id"].isin(values[0].frame["person_id"])]
    assert len(new) > 0
    assert (new["clv_before"] == 0).all()
    assert new["p_alive_before"].isna().all()
    assert (new["n_bought"] >= 1).all()


def test_movers_as_table_picture_and_words(moved):
    assert moved.to_arrow().column_names == list(moved.to_frame())
    ax = moved.plot(3)
    assert moved.frame["person_id"].iloc[2] in alt_text(ax)
    assert moved.frame["person_id"].iloc[3] not in alt_text(ax)
    assert "1997-02-28 to 1997-12-31" in repr(moved)


def test_days_in_the_wrong_order_or_other_horizons_do_not_compare(shop, values):
    with pytest.raises(UsageError, match="do not compare"):
        values[0].movers(values[1])
    other = lk.customer_value(shop, as_of="1997-06-30", margin=0.3, n_draws=50, horizon_months=6)
    with pytest.raises(UsageError, match="do not compare"):
        values[1].movers(other)
