"""Golden numbers: those of CDNOW that several programs agree on, and a small table fitted a second time in the test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.clv.bgnbd import BGNBD
from lifecycle_kit.clv.mbgcnbd import BGCNBD, MBGCNBD
from lifecycle_kit.clv.mbgnbd import MBGNBD
from lifecycle_kit.clv.nbd import NBD
from lifecycle_kit.clv.pareto_nbd import ParetoNBD
from tests.clv.plain import CLOSED, MODELS, bgnbd_expected, pareto_nbd_expected, slow_fit

KEYS = ["frequency", "recency", "T"]

# -- a table of 33 statistics ------------------------------------------------------------------------------------------

# frequency, recency, T, customers: made up, with dropout that every model can tell
TABLE = np.fromstring(
    """
    0 0 26 420   0 0 39 480   1 1 26 50    1 2 39 60    1 5 39 45    1 9 26 30   1 15 39 25   1 24 26 16   1 34 39 20
    2 2 26 22    2 4 39 26    2 11 26 18   2 16 39 22   2 25 26 14   2 36 39 19  3 3 39 12    3 8 26 12    3 17 39 14
    3 24 26 13   3 37 39 16   4 6 39 8     4 15 26 8    4 25 39 9    4 37 39 14  6 7 26 6     6 18 39 7    6 25 26 9
    6 38 39 15   9 12 39 4    9 25 26 7    9 38 39 13   15 20 39 3   15 38.5 39 9
    """,
    sep=" ",
).reshape(-1, 4)
# by `slow_fit` on the closed forms of `plain`
TABLE_FITS = {
    "NBD": ((0.35041338, 11.6314315), -5856.533549),
    "BGNBD": ((0.16992693, 1.97349668, 0.93677385, 1.85385664), -5551.597679),
    "MBGNBD": ((1.00242899, 5.35179863, 1.02230759, 0.79866301), -5531.721731),
    "ParetoNBD": ((0.7787511, 9.40763475, 0.65058571, 3.62042388), -5531.013765),
}


@pytest.fixture(scope="module")
def fitted_on_table():
    return {name: MODELS[name].new().fit(TABLE[:, :3], sample_weight=TABLE[:, 3]) for name in MODELS if name in CLOSED}


@pytest.mark.parametrize("name", TABLE_FITS)
def test_the_table_by_an_independent_search(name, fitted_on_table):
    x, t, T, weight = TABLE.T
    params, value = slow_fit(lambda *p: CLOSED[name](*p, x, t, T), weight, MODELS[name].typical)
    assert params == pytest.approx(TABLE_FITS[name][0], rel=1e-5)
    assert value == pytest.approx(TABLE_FITS[name][1], abs=1e-5)
    found = fitted_on_table[name]
    assert list(found.params_) == list(MODELS[name].names)
    assert list(found.params_.values()) == pytest.approx(params, rel=5e-6)
    assert found.log_likelihood_ == pytest.approx(value, abs=1e-6)
    assert (found.converged_, found.warnings_, found.n_customers_) == (True, (), 1446)


@pytest.mark.parametrize("name", TABLE_FITS)
def test_standard_errors_of_the_table_by_differences(name, fitted_on_table):
    x, t, T, weight = TABLE.T
    found = fitted_on_table[name]
    place = np.log(list(found.params_.values()))
    n, h = len(place), 1e-3

    def value(z):
        return weight @ CLOSED[name](*np.exp(z), x, t, T)

    steps = h * np.eye(n)
    second = [
        [
            sum(i * j * value(place + i * steps[p] + j * steps[q]) for i in (1, -1) for j in (1, -1)) / (4 * h * h)
            for q in range(n)
        ]
        for p in range(n)
    ]
    covariance = np.linalg.inv(-np.array(second))
    assert found.log_covariance_ == pytest.approx(covariance, rel=1e-3, abs=1e-5)
    errors = np.sqrt(np.diag(covariance)) * np.exp(place)
    assert list(found.std_errors_) == list(found.params_)
    assert list(found.std_errors_.values()) == pytest.approx(errors, rel=1e-3)


@pytest.mark.parametrize(("name", "closed"), [("BGNBD", bgnbd_expected), ("ParetoNBD", pareto_nbd_expected)])
def test_expectations_of_the_table_by_closed_forms(name, closed, fitted_on_table):
    x, t, T, _ = TABLE.T
    for horizon in (1.0, 39.0, 104.0):
        expected = closed(*fitted_on_table[name].params_.values(), x, t, T, horizon)
        assert fitted_on_table[name].expected_transactions(TABLE[:, :3], horizon) == pytest.approx(expected, rel=1e-9)


# -- CDNOW -------------------------------------------------------------------------------------------------------------

# parameters, their relative tolerances, log-likelihood
CDNOW = {
    NBD: ((0.384766, 12.072023), (5e-4, 5e-4), -9763.6576),
    BGNBD: ((0.242595, 4.413602, 0.792922, 2.425907), (5e-4,) * 4, -9582.4292),
    MBGNBD: ((0.524843, 6.183086, 0.891359, 1.614002), (1e-3,) * 4, -9582.1357),
    ParetoNBD: ((0.553277, 10.577684, 0.606240, 11.668735), (5e-4, 5e-4, 2e-3, 2e-3), -9594.9762),
}


@pytest.fixture(scope="module")
def cdnow(shared):
    """The sample of 2,357 customers; times were rounded to six digits, days are whole."""
    frame = pd.read_csv(shared / "data" / "clv" / "cdnow_cal_holdout.csv")
    return frame.assign(**{name: (frame[name] * 7).round() / 7 for name in ("recency", "T")})


@pytest.fixture(scope="module")
def fitted(cdnow):
    return {make: make().fit(cdnow[KEYS]) for make in CDNOW}


@pytest.fixture(scope="module")
def sum_log_gaps(shared):
    lines = pd.read_csv(shared / "data" / "clv" / "cdnow_sample_transactions.csv", parse_dates=["date"])
    days = lines[lines["date"] <= "1997-09-30"].drop_duplicates(["customer_id", "date"])
    gaps = days.sort_values(["customer_id", "date"]).groupby("customer_id")["date"].diff().dt.days.dropna() / 7
    return float(np.log(gaps).sum())


@pytest.mark.real_data
@pytest.mark.parametrize("make", CDNOW)
def test_cdnow_parameters(make, fitted):
    params, tolerances, value = CDNOW[make]
    for found, golden, tolerance in zip(fitted[make].params_.values(), params, tolerances, strict=True):
        assert found == pytest.approx(golden, rel=tolerance)
    assert fitted[make].log_likelihood_ == pytest.approx(value, abs=1e-3)
    assert (fitted[make].converged_, fitted[make].warnings_) == (True, ())


@pytest.mark.real_data
def test_cdnow_standard_errors(fitted):
    golden = (0.0126, 0.3782, 0.1857, 0.7054)
    # four digits are told
    assert list(fitted[BGNBD].std_errors_.values()) == pytest.approx(golden, abs=6e-5)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("make", "one_wait", "value_of_two"), [(BGCNBD, BGNBD, -9855.3270), (MBGCNBD, MBGNBD, -9853.2531)]
)
def test_cdnow_is_not_regular(make, one_wait, value_of_two, cdnow, fitted, sum_log_gaps):
    found = make().fit(cdnow[KEYS], sum_log_gaps=sum_log_gaps)
    assert found.k_ == 1
    assert list(found.log_likelihoods_) == [1, 2]
    assert found.log_likelihoods_[2] == pytest.approx(value_of_two, abs=1e-3)
    assert found.params_ == pytest.approx(fitted[one_wait].params_, rel=1e-9)
    assert found.log_likelihood_ == pytest.approx(fitted[one_wait].log_likelihood_, abs=1e-9)
    two = make(k=2).fit(cdnow[KEYS], sum_log_gaps=sum_log_gaps)
    assert two.log_likelihood_ == pytest.approx(value_of_two, abs=1e-3)


@pytest.mark.real_data
def test_cdnow_points(fitted):
    one = [[2, 30.43, 38.86]]
    bg, pareto = fitted[BGNBD], fitted[ParetoNBD]
    assert bg.expected_transactions(one, 39) == pytest.approx([1.22591], abs=6e-6)
    assert bg.p_alive(one) == pytest.approx([0.72661], abs=6e-6)
    assert pareto.expected_transactions(one, 39) == pytest.approx([1.45510], abs=6e-6)
    assert pareto.p_alive(one) == pytest.approx([0.86912], abs=6e-6)
    assert pareto.expected_transactions_of_new(52) == pytest.approx(1.473434, abs=2e-6)


@pytest.mark.real_data
@pytest.mark.parametrize(("make", "golden"), [(ParetoNBD, 0.7545), (MBGNBD, 0.7648), (BGNBD, 0.7855), (NBD, 1.041)])
def test_cdnow_hold_out(make, golden, cdnow, fitted):
    assert cdnow["x_star"].sum() == 1882
    found = fitted[make].expected_transactions(cdnow[KEYS], 39)
    # as many digits as were told
    tolerance = 6e-4 if make is NBD else 6e-5
    assert np.abs(found - cdnow["x_star"]).mean() == pytest.approx(golden, abs=tolerance)


@pytest.mark.real_data
@pytest.mark.parametrize(("make", "golden"), [(ParetoNBD, -1.47), (MBGNBD, -6.55), (BGNBD, -3.99)])
def test_cdnow_tracking(make, golden, shared, cdnow, fitted):
    weekly = pd.read_csv(shared / "data" / "clv" / "cdnow_weekly_repeat_78w.csv")
    actual = weekly["cumulative"].iloc[-1]
    assert (len(weekly), weekly["repeat"].sum()) == (78, actual)
    # T ends with the beginning of the calibration's last day, week 78 at the close of its own
    ages, n = np.unique(cdnow["T"] + 39 + 1 / 7, return_counts=True)
    expected = fitted[make].expected_transactions_of_new(ages) @ n
    assert 100 * (expected / actual - 1) == pytest.approx(golden, abs=6e-3)


@pytest.mark.real_data
@pytest.mark.parametrize("make", [BGNBD, MBGNBD, ParetoNBD])
def test_cdnow_counts_lie_in_their_intervals(make, cdnow, fitted):
    # an interval of the mean covered 0.8 % of them
    low, high = fitted[make].count_interval(cdnow[KEYS], 39, 0.9).T
    assert 0.9 < ((low <= cdnow["x_star"]) & (cdnow["x_star"] <= high)).mean() < 0.97
