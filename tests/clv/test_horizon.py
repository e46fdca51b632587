"""Months ahead and their discounts, and the margin, by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.calendar import months_after
from lifecycle_kit.clv.horizon import Horizon
from lifecycle_kit.clv.margin import margin_of
from lifecycle_kit.errors import DataError, UsageError

NEW_YEAR = dt.date(2024, 1, 1)


def test_months_are_those_of_the_calendar():
    horizon = Horizon(dt.date(2024, 1, 31), 3, 0.1)
    assert horizon.ends == [dt.date(2024, 2, 29), dt.date(2024, 3, 31), dt.date(2024, 4, 30)]
    assert horizon.times("week").tolist() == pytest.approx([29 / 7, 60 / 7, 90 / 7])
    assert horizon.times("day").tolist() == [29, 60, 90]
    assert str(horizon) == "3 months to 2024-04-30, discounted at 10.0% a year"


def test_a_year_of_months_is_not_twelve_times_thirty_days():
    assert Horizon(NEW_YEAR, 12, 0.0).times("day")[-1] == 366


def test_money_is_discounted_from_the_middle_of_its_month():
    horizon = Horizon(NEW_YEAR, 2, 0.1)
    assert horizon.discounts.tolist() == pytest.approx([1.1 ** (-15.5 / 365.25), 1.1 ** (-45.5 / 365.25)])
    assert Horizon(NEW_YEAR, 2, 0.0).discounts.tolist() == [1, 1]


@pytest.mark.parametrize("n_months", [0, -1, 1.5, True, 5_000])
def test_bad_months(n_months):
    with pytest.raises(UsageError, match="horizon_months"):
        Horizon(NEW_YEAR, n_months, 0.1)


@pytest.mark.parametrize("rate", [np.nan, np.inf, -0.9, 12.0])
def test_bad_rates(rate):
    with pytest.raises(UsageError, match="discount_rate"):
        Horizon(NEW_YEAR, 12, rate)


def test_months_after_is_the_way_back_of_months_before():
    assert months_after(dt.date(2023, 12, 31), 2) == dt.date(2024, 2, 29)
    assert months_after(dt.date(2023, 11, 15), 14) == dt.date(2025, 1, 15)


FRAME = pd.DataFrame({"revenue": [100.0, 50.0, 10.0], "profit": [40.0, 5.0, np.nan]})


def test_margin_is_a_ratio_of_sums_of_those_who_tell_both():
    found = margin_of(FRAME, None)
    assert found.share == pytest.approx(45 / 150)
    assert "2 of 3 customers" in found.source
    assert (margin_of(FRAME, 0.5).share, margin_of(FRAME, 0.5).source) == (0.5, "given")


@pytest.mark.parametrize("given", [0, -0.1, 1.2, np.nan])
def test_a_margin_is_a_share(given):
    with pytest.raises(UsageError, match="margin"):
        margin_of(FRAME, given)


@pytest.mark.parametrize(
    ("profit", "said"), [([np.nan] * 3, "margin is not known"), ([-1.0, -2.0, 0.0], "cost more than they brought")]
)
def test_no_margin(profit, said):
    with pytest.raises(DataError, match=said):
        margin_of(FRAME.assign(profit=profit), None)
