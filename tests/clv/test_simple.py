"""The simple formula, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.clv.likelihood_model import NotFittedYetError

# two customers: 30 of profit in 2 years, 10 in half a year
TWO = pd.DataFrame({"profit": [30.0, 10.0], "recency": [1.0, 0.0], "T": [2.0, 0.5]})


def test_by_hand():
    found = lk.SimpleCLV(expected_years=3, acquisition_cost=20).fit(TWO)
    assert found.yearly_profit_ == pytest.approx(40 / 2.5)
    assert found.clv_ == pytest.approx(16 * 3 - 20)
    # the error of the primer: the cost less the value
    assert found.clv_ != pytest.approx(20 - 16 * 3)


def test_years_without_a_guess_are_those_between_first_and_last_purchase():
    found = lk.SimpleCLV().fit(TWO)
    assert found.expected_years_ == pytest.approx(0.5)
    assert found.clv_ == pytest.approx(8)


def test_weighted_rows_are_so_many_customers():
    found = lk.SimpleCLV().fit(TWO, sample_weight=[3, 1])
    plain = lk.SimpleCLV().fit(pd.concat([TWO.iloc[[0]]] * 3 + [TWO.iloc[[1]]]))
    assert (found.yearly_profit_, found.expected_years_) == pytest.approx((plain.yearly_profit_, plain.expected_years_))


def test_times_in_weeks_are_converted():
    weeks = TWO.assign(recency=TWO["recency"] * 365.25 / 7, T=TWO["T"] * 365.25 / 7)
    weeks.attrs["time_unit"] = "week"
    assert lk.SimpleCLV().fit(weeks).clv_ == pytest.approx(lk.SimpleCLV().fit(TWO).clv_)


def test_everybody_is_forecast_the_same():
    model = lk.SimpleCLV(horizon_years=0.5).fit(TWO)
    assert model.predict(TWO).tolist() == pytest.approx([8, 8])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"T": [0.0, 0.0], "recency": [0.0, 0.0]}, "there is no time yet"),
        ({"T": [-1.0, 1.0]}, "T -1 is negative"),
        ({"profit": [np.nan, 1.0]}, "profit nan is missing or infinite"),
        ({"profit": ["a lot", "little"]}, "holds text"),
    ],
)
def test_bad_rows(changed, said):
    with pytest.raises(lk.DataError, match=said):
        lk.SimpleCLV().fit(TWO.assign(**changed))


@pytest.mark.parametrize("options", [{"expected_years": -1}, {"acquisition_cost": np.nan}, {"horizon_years": np.inf}])
def test_bad_options(options):
    with pytest.raises(lk.UsageError, match=next(iter(options))):
        lk.SimpleCLV(**options).fit(TWO)


def test_not_fitted_yet():
    with pytest.raises(NotFittedYetError, match="Call fit first"):
        lk.SimpleCLV().predict(TWO)


def test_a_loss_is_a_loss():
    assert lk.SimpleCLV(expected_years=2).fit(TWO.assign(profit=[-10.0, 0.0])).clv_ == pytest.approx(-8)
