"""Traps that have broken other libraries, each as a test of its own: overflow, 0 / 0, ridges, units, rows that lie."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import integrate, sparse, special

from lifecycle_kit.clv.bgnbd import BGNBD
from lifecycle_kit.clv.given import GivenError, histories
from lifecycle_kit.clv.likelihood_model import FitWarning
from lifecycle_kit.clv.mbgnbd import MBGNBD
from lifecycle_kit.clv.nbd import NBD
from lifecycle_kit.clv.pareto_nbd import ParetoNBD
from lifecycle_kit.errors import UsageError
from tests.clv.plain import MODELS, latent, latent_expected, pareto_nbd
from tests.clv.simulated import cohort

KEYS = ["frequency", "recency", "T"]
each_model = pytest.mark.parametrize("name", MODELS)


def known(name, **params):
    return MODELS[name].known(MODELS[name].known().params_ | params)


def ordinary(name, n=800, seed=20, **truth):
    random = np.random.default_rng(seed)
    return cohort(random.uniform(10, 40, n), **MODELS[name].truth | truth, random=random).frame


# -- 0 / 0, overflow, cancelling


@pytest.mark.parametrize("horizon", [0.01, 39.0, 1000.0])
@pytest.mark.parametrize(("name", "one"), [("BGNBD", "a"), ("MBGNBD", "a"), ("ParetoNBD", "s")])
def test_at_one_nothing_is_divided_by_zero(name, one, horizon):
    X = [[0, 0, 20], [3, 12, 30]]
    at, below, above = (
        known(name, **{one: value}).expected_transactions(X, horizon) for value in (1.0, 1 - 1e-7, 1 + 1e-7)
    )
    assert at == pytest.approx((below + above) / 2, rel=1e-9)
    for value in (1.0, 1.0005):
        model = known(name, **{one: value})
        for row in X:
            expected = latent_expected(name, tuple(model.params_.values()), *row, horizon)
            assert model.expected_transactions([row], horizon) == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD"])
def test_five_thousand_purchases(name):
    model = known(name)
    r, alpha, a, b = model.params_.values()
    x, t, T, horizon = 5000, 38.9, 39.0, 26.0
    b_now = b + x + model._first_coin

    def part(z):
        # over z = log p
        p, scale = np.exp(z), horizon / (alpha + T)
        log_beta = a * z + (b_now - 1) * np.log1p(-p) - special.betaln(a, b_now)
        return -np.expm1(-(r + x) * np.log1p(p * scale)) / p * np.exp(log_beta)

    if_alive = integrate.quad(part, -40, -1e-9, limit=500, epsabs=0, epsrel=1e-9)[0]
    odds = a / (b + x + model._first_coin - 1) * ((alpha + T) / (alpha + t)) ** (r + x)
    assert model.p_alive([[x, t, T]]) == pytest.approx([1 / (1 + odds)], rel=1e-9)
    assert model.expected_transactions([[x, t, T]], horizon) == pytest.approx([if_alive / (1 + odds)], rel=1e-7)
    low, high = model.count_interval([[x, t, T]], horizon)[0]
    assert 0 <= low <= high < 5000
    # long silent: next to nobody is alive, and no overflow says otherwise
    assert model.p_alive([[x, 2, T]])[0] == 0
    assert model.expected_transactions([[x, 2, T]], horizon)[0] == 0


def test_five_thousand_purchases_of_pareto():
    model = known("ParetoNBD")
    r, alpha, s, beta = model.params_.values()
    x, T = 5000, 39.0
    for t in (38.95, 38.7):

        def left(u):
            # leaving at u beside having stayed
            return s / (beta + u) * ((alpha + T) / (alpha + u)) ** (r + x) * ((beta + T) / (beta + u)) ** s

        ratio = integrate.quad(left, t, T, epsabs=0, epsrel=1e-10, limit=200)[0]
        assert model.p_alive([[x, t, T]]) == pytest.approx([1 / (1 + ratio)], rel=1e-9)
    assert model.p_alive([[x, 2, T]])[0] < 1e-100


@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD"])
def test_no_purchase_and_coins_that_are_all_or_nothing(name):
    # a + b < 1: closed forms by a hypergeometric function turn negative
    params = {"r": 0.4, "alpha": 5.0, "a": 0.2, "b": 0.3}
    model = MODELS[name].known(params)
    for horizon in (1.0, 52.0, 520.0):
        expected = latent_expected(name, tuple(params.values()), 0, 0.0, 30.0, horizon)
        found = model.expected_transactions([[0, 0, 30]], horizon)
        assert found == pytest.approx([expected], rel=1e-7)
        assert found[0] > 0


@pytest.mark.parametrize("x", [0, 4])
def test_equal_alpha_and_beta(x):
    T, t = 39.0, 20.0 if x else 0.0
    params = {"r": 0.6, "alpha": 10.0, "s": 0.7, "beta": 10.0}
    model = ParetoNBD()
    values = {}
    for by in (-1e-6, 0.0, 1e-6):
        model = MODELS["ParetoNBD"].known(params | {"alpha": 10.0 + by})
        values[by] = (model.score([[x, t, T]]), model.p_alive([[x, t, T]])[0])
    assert np.array(values[0.0]) == pytest.approx((np.array(values[-1e-6]) + np.array(values[1e-6])) / 2, rel=1e-10)
    alive, left = latent("ParetoNBD", tuple(params.values()), x, t, T)
    assert values[0.0] == pytest.approx((np.log(alive + left), alive / (alive + left)), rel=1e-9)


def test_leaving_that_is_rare_and_the_same_for_all():
    # the published form says that nobody is alive
    r, alpha, s, beta = params = (1.0, 5.0, 64.0, 5e4)
    x, t, T = 10, 38.0, 39.0
    ratio = integrate.quad(
        lambda u: s / (beta + u) * ((alpha + T) / (alpha + u)) ** (r + x) * ((beta + T) / (beta + u)) ** s, t, T
    )[0]
    truth = 1 / (1 + ratio)
    assert truth == pytest.approx(0.9986, abs=2e-4)
    model = MODELS["ParetoNBD"].known(dict(zip(("r", "alpha", "s", "beta"), params, strict=True)))
    assert model.p_alive([[x, t, T]]) == pytest.approx([truth], rel=1e-12)
    with pytest.raises(OverflowError):
        pareto_nbd(*params, x, t, T)
    assert np.isfinite(model.score([[x, t, T]]))


@pytest.mark.parametrize("r", [0.01, 1.0, 2e4])
@pytest.mark.parametrize("x", [1, 200, 50_000])
def test_gamma_functions_do_not_cancel(r, x):
    alpha, T = 3.0, 30.0
    exact = math.fsum(math.log(r + i) for i in range(x)) + r * math.log(alpha) - (r + x) * math.log(alpha + T)
    found = MODELS["NBD"].known({"r": r, "alpha": alpha}).score([[x, 29, T]])
    assert found == pytest.approx(exact, rel=1e-13)


# -- ridges


@pytest.mark.parametrize(
    ("name", "truth", "what"),
    [
        ("BGNBD", {"a": 3e5, "b": 7e5}, "a and b can grow together .*the probability to stop is about the same"),
        ("MBGNBD", {"a": 3e5, "b": 7e5}, "a and b can grow together .*the probability to stop is about the same"),
        ("ParetoNBD", {"s": 1e5, "beta": 2e6}, "s and beta can grow together .*the rate of leaving is about the same"),
    ],
)
def test_a_ridge_is_told_and_is_no_crash(name, truth, what):
    first, second = list(truth)
    n_told = 0
    for seed in range(5):
        random = np.random.default_rng(seed)
        truth = MODELS[name].truth | {"r": 1.2, "alpha": 4.0} | truth
        frame = cohort(random.uniform(10, 40, 500), **truth, random=random).frame
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            model = MODELS[name].new().fit(frame)
        # what is heard is what is kept
        assert [f"{name}: {w}" for w in model.warnings_] == [str(w.message) for w in heard]
        assert {w.category for w in heard} <= {FitWarning}
        # the ratio is told, whatever the two are
        ratio = model.params_[first] / model.params_[second]
        assert ratio == pytest.approx(truth[first] / truth[second], rel=0.5)
        if model.params_[first] > 50:
            with pytest.warns(FitWarning, match=what) as caught:
                MODELS[name].new().fit(frame)
            # it shows the line that asked for the fit
            assert {w.filename for w in caught} == {__file__}
            n_told += 1
        # and everything can be asked
        total, low, high = model.total_interval(frame, 26)
        assert 0 < low < total < high < 3 * total
        assert np.isfinite(model.simulate_counts(frame, 26, 20)).all()
        told = model.summary().set_index("parameter")
        assert (told["lo"] <= told["value"]).all()
        assert (told["value"] <= told["hi"]).all()
    assert n_told >= 1


@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD", "ParetoNBD"])
def test_nobody_leaves(name):
    frame = ordinary("NBD", seed=21, r=1.2, alpha=4.0)
    with pytest.warns(FitWarning, match="nobody ever leaves"):
        model = MODELS[name].new().fit(frame)
    nbd = NBD().fit(frame)
    assert model.log_likelihood_ == pytest.approx(nbd.log_likelihood_, abs=1e-3)
    expected = nbd.expected_transactions(frame, 26).sum()
    assert model.expected_transactions(frame, 26).sum() == pytest.approx(expected, rel=1e-4)
    assert model.p_alive(frame).min() > 0.999


def test_equal_rates_are_a_ridge_too():
    random = np.random.default_rng(4)
    frame = cohort(random.uniform(10, 40, 600), r=1e5, alpha=5e5, random=random).frame
    with pytest.warns(FitWarning, match=r"r and alpha .*the purchase rate is about the same .*per time unit"):
        model = NBD().fit(frame)
    assert model.r_ / model.alpha_ == pytest.approx(0.2, rel=0.05)


def test_a_good_fit_warns_of_nothing():
    for name in MODELS:
        assert MODELS[name].new().fit(ordinary(name)).warnings_ == ()


# -- units


@each_model
@pytest.mark.parametrize("per_week", [7 * 24 * 3600.0, 1 / 52.18])
def test_seconds_and_years(name, per_week):
    frame = ordinary(name)
    other = frame.assign(
        recency=frame["recency"] * per_week,
        T=frame["T"] * per_week,
        log_gaps=frame["log_gaps"] + frame["frequency"] * np.log(per_week),
    )
    for setting in ({}, {"prior_sd": 0.5}):
        weeks, found = (MODELS[name].new(**setting).fit(rows) for rows in (frame, other))
        expected = weeks.expected_transactions(frame, 26)
        assert found.expected_transactions(other, 26 * per_week) == pytest.approx(expected, rel=1e-5)
        assert found.params_["r"] == pytest.approx(weeks.params_["r"], rel=1e-5)


@each_model
def test_two_units_are_not_mixed(name):
    weeks, days = ordinary(name), ordinary(name)
    weeks.attrs["time_unit"], days.attrs["time_unit"] = "week", "day"
    model = MODELS[name].new().fit(weeks)
    assert model.time_unit_ == "week"
    for ask in (
        model.p_alive,
        model.predict,
        model.score,
        lambda X: model.count_interval(X, 3),
        lambda X: model.total_interval(X, 3),
        lambda X: model.simulate_counts(X, 3, 2),
        lambda X: model.discounted_expected_transactions(X, 0.1),
    ):
        with pytest.raises(UsageError, match="fitted on times in weeks, these are in days"):
            ask(days)
    # nothing told, nothing refused
    assert len(model.p_alive(weeks[KEYS].to_numpy())) == len(weeks)


# -- who is alive


def test_one_time_buyers():
    X = [[0, 0, 1], [0, 0, 39], [0, 0, 5000]]
    assert known("BGNBD").p_alive(X).tolist() == [1, 1, 1]
    assert known("NBD").p_alive(X).tolist() == [1, 1, 1]
    for name in ("MBGNBD", "ParetoNBD", "MBGCNBD"):
        found = known(name).p_alive(X)
        assert np.all(np.diff(found) < 0)
        assert found[0] < 1
        assert found[2] < 0.1


# -- nothing to learn from


@each_model
@pytest.mark.parametrize(
    ("rows", "weight", "reason"),
    [
        ([[0, 0, 10], [0, 0, 20], [0, 0, 30]], None, "All 3 customers bought once"),
        ([[0, 0, 10], [4, 9, 20]], [1000, 0], "All 1,000 customers bought once"),
        ([[3, 5, 10]], None, "There is one customer"),
        ([[3, 5, 10], [0, 0, 20]], [1, 0], "There is one customer"),
        ([[3, 5, 10]] * 50, None, "All 50 customers have the same frequency, recency and T"),
        ([[3, 5, 10], [4, 9, 20]], [50, 0], "All 50 customers have the same frequency, recency and T"),
        ([[0, 0, 0]] * 3, None, "All 3 customers bought once"),
    ],
)
def test_nothing_can_be_learnt(name, rows, weight, reason):
    frame = pd.DataFrame(rows, columns=KEYS).assign(log_gaps=0.0)
    with pytest.raises(GivenError, match=reason):
        MODELS[name].new().fit(frame, sample_weight=weight)


@each_model
def test_a_failed_fit_leaves_the_old_one(name):
    model = MODELS[name].new().fit(ordinary(name))
    before, told = dict(model.params_), model.p_alive([[3, 5, 10]])
    with pytest.raises(GivenError):
        model.set_params(**({"k": 7} if MODELS[name].is_regular else {})).fit(
            pd.DataFrame([[0, 0, 10]] * 3, columns=KEYS).assign(log_gaps=0.0)
        )
    assert (model.params_, model.p_alive([[3, 5, 10]])) == (before, told)


@each_model
def test_few_customers_and_new_ones_can_be_fitted(name):
    # who came today has T = 0
    frame = pd.DataFrame([[0, 0, 0], [0, 0, 30], [3, 20, 30], [1, 2, 25], [6, 9, 28]], columns=KEYS)
    frame = frame.assign(log_gaps=frame["frequency"] * 0.8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = MODELS[name].new().fit(frame)
    assert np.isfinite(list(model.params_.values())).all()
    assert np.isfinite(model.log_likelihood_)
    assert np.isfinite(model.expected_transactions(frame, [1, 100])).all()


@pytest.mark.parametrize("name", ["BGCNBD", "MBGCNBD"])
def test_regular_needs_the_gaps(name):
    frame = ordinary(name)
    with pytest.raises(GivenError, match=r"a column log_gaps is missing\. Give it .*, or sum_log_gaps, or k=1"):
        MODELS[name].new().fit(frame[KEYS])
    model = MODELS[name].new().fit(frame)
    with pytest.raises(GivenError, match="log_gaps is missing"):
        model.score(frame[KEYS])
    # forecasts do not need them
    assert len(model.predict(frame[KEYS])) == len(frame)


# -- rows that contradict themselves

GOOD = pd.DataFrame({"frequency": [0, 2, 3], "recency": [0.0, 4, 9], "T": [12.0, 10, 9]})
BAD = {
    "recency beyond T": ({"recency": [0, 11, 9]}, "Row 1: recency 11 lies beyond T"),
    "negative T": ({"T": [-1, 10, 9]}, "Row 0: recency 0 lies beyond T"),
    "negative frequency": ({"frequency": [0, -2, 3]}, "Row 1: frequency -2 is negative"),
    "negative recency": ({"recency": [0, 4, -9]}, "Row 2: recency -9 is negative"),
    "half a purchase": ({"frequency": [0, 2.5, 3]}, "Row 1: frequency 2.5 is not a whole number"),
    "a time as frequency": ({"frequency": [0, 2, 1.7e18]}, r"frequency 1.7e\+18 is above 10,000,000"),
    "all at one instant": ({"recency": [0, 0, 0]}, r"Row 1: recency 0 is 0 for somebody with repeat .* \(2 rows\)"),
    "once, and later": ({"frequency": [0, 0, 3]}, "Row 1: recency 4 is above 0 for somebody without a repeat"),
    "not a number": ({"T": [np.nan, 10, 9]}, "Row 0: T nan is missing or infinite"),
    "infinite": ({"T": [12, np.inf, 9]}, "Row 1: T inf is missing or infinite"),
    "missing": ({"frequency": pd.array([0, None, 3], dtype="Int64")}, "frequency nan is missing"),
    "text": ({"T": ["12", "10", "9"]}, "Column 'T' holds text"),
    "words": ({"T": [12, "ten", 9]}, "Column 'T' holds text"),
    "other things": ({"T": [12, {}, 9]}, "Column 'T' holds something that is no number"),
    "complex": ({"T": [12, 10 + 1j, 9]}, "Complex data not supported: column 'T'"),
    "lengths of time": ({"T": pd.to_timedelta([12, 10, 9], unit="D")}, r"Column 'T' holds timedelta64.*pd\.Timedelta"),
    "days of the year": ({"T": pd.to_datetime([12, 10, 9], unit="D")}, "Column 'T' holds datetime64"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_rows(case):
    columns, message = BAD[case]
    frame = GOOD.assign(**columns)
    fitted = known("BGNBD")
    for ask in (lambda: BGNBD().fit(frame), lambda: fitted.p_alive(frame), lambda: fitted.score(frame)):
        with pytest.raises(GivenError, match=message):
            ask()


BAD_TABLES = {
    "no T": (GOOD[["frequency", "recency"]], r"Column 'T' is missing; there is 'frequency', 'recency'\."),
    "T twice": (pd.concat([GOOD, GOOD[["T"]]], axis=1), "Column 'T' is there twice"),
    "nobody": (GOOD[:0], "there is no customer"),
    "one column": (GOOD["T"], "Column 'frequency', 'recency' is missing"),
    "a list": ([1, 2, 3], "Expected 2D array, got 1D array instead"),
    "nothing": (None, "Expected 2D array"),
    "four columns": (np.zeros((5, 4)), "X has 4 features, but 3 are expected"),
    "sparse": (sparse.csr_array(np.eye(3)), r"X is sparse \(csr_array\)\. Give a dense one"),
    "uneven": ([[1, 2, 3], [1, 2]], "X is no table of numbers"),
    "text": ([["0", "0", "5"]], "Column 'frequency' holds text"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables(case):
    X, message = BAD_TABLES[case]
    for ask in (BGNBD().fit, known("BGNBD").p_alive):
        with pytest.raises(GivenError, match=message):
            ask(X)


BAD_WEIGHTS = {
    "negative": ([1, -1, 1], "Row 1: sample_weight -1 is negative"),
    "all nothing": ([0, 0, 0], "sample_weight is zero everywhere"),
    "too few": ([1, 1], r"sample_weight has shape \(2,\), there are 3 rows"),
    "a table": ([[1], [1], [1]], r"sample_weight has shape \(3, 1\)"),
    "one for all": (3, r"sample_weight has shape \(\)"),
    "not a number": ([1, np.nan, 1], "sample_weight nan is missing"),
    "text": (["1", "1", "1"], "Column 'sample_weight' holds text"),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_bad_weights(case):
    weight, message = BAD_WEIGHTS[case]
    with pytest.raises(GivenError, match=message):
        MBGNBD().fit(GOOD, sample_weight=weight)


def test_tables_of_other_libraries_go_by_name():
    turned = GOOD[["T", "recency", "frequency"]]
    expected = known("BGNBD").p_alive(GOOD)
    tables = [turned, pl.DataFrame(turned.to_dict("list")), pl.DataFrame(turned.to_dict("list")).to_arrow()]
    for table in tables:
        assert known("BGNBD").p_alive(table) == pytest.approx(expected, rel=1e-15)
    assert known("BGNBD").p_alive(GOOD.to_numpy().tolist()) == pytest.approx(expected, rel=1e-15)


def test_times_that_were_divided_may_differ_in_the_last_digit():
    # 9 days of weeks: recency and T are one moment
    late = np.nextafter(9 / 7, 2)
    given = histories([[3, late, 9 / 7]])
    assert given.recency[0] == given.T[0] == late
    assert known("ParetoNBD").p_alive([[3, late, 9 / 7]])[0] == 1
