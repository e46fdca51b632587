"""Intervals against published numbers, and at their edges."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lifecycle_kit.kpis.intervals import bucket_bootstrap, nps, poisson_exact, ratio_delta, wilson

LEVELS = st.floats(0.05, 0.98)


# Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3
@pytest.mark.parametrize(
    ("n_successes", "n_trials", "interval"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilson_published(n_successes, n_trials, interval):
    assert wilson(n_successes, n_trials) == pytest.approx(interval, abs=5e-5)


def test_wilson_equals_the_oracle(shared):
    oracle = json.loads((shared / "oracles" / "08_rates" / "wilson_newcombe.json").read_text())
    for row in oracle["wilson_no_cc"]:
        assert wilson(row["x"], row["n"], level=oracle["level"]) == pytest.approx(row["ci"], abs=5e-5)


def test_wilson_edges():
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0
    for wrong in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="is not a proportion"):
            wilson(*wrong)


def test_ratio_delta_is_the_mean_interval_when_everybody_has_one():
    # mean 4, standard deviation 2, five people: 4 +- 1.959964 * 2 / sqrt(5)
    values = [2, 2, 4, 6, 6]
    low, high = ratio_delta(5, 20, 5, sum(v * v for v in values), 5, 20)
    assert (low, high) == pytest.approx((4 - 1.959964 * 2 / 5**0.5, 4 + 1.959964 * 2 / 5**0.5), abs=1e-6)


def test_ratio_delta_of_one_person_or_nothing():
    assert ratio_delta(1, 10, 1, 100, 1, 10) is None
    assert ratio_delta(3, 0, 0, 0, 0, 0) is None
    assert ratio_delta(3, 30, 3, 300, 3, 30) == (10, 10)


# Garwood (1936), "Fiducial limits for the Poisson distribution"; the table is in every collection of statistical tables
@pytest.mark.parametrize(
    ("n", "interval"),
    [(0, (0, 3.689)), (1, (0.0253, 5.572)), (2, (0.242, 7.225)), (5, (1.623, 11.668)), (10, (4.795, 18.390))],
)
def test_poisson_published(n, interval):
    assert poisson_exact(n) == pytest.approx(interval, abs=6e-4)


def test_poisson_is_a_rate_per_exposure():
    assert poisson_exact(10, 4) == pytest.approx((4.795 / 4, 18.390 / 4), abs=2e-4)
    assert poisson_exact(0, level=0.9) == pytest.approx((0, -math.log(0.05)))
    for wrong in ((-1, 1), (3, 0), (3, -2), (3, math.inf), (3, math.nan)):
        with pytest.raises(ValueError, match="is not a rate"):
            poisson_exact(*wrong)


@given(st.integers(0, 10**6), LEVELS)
def test_poisson_ends_leave_out_their_tails(n, level):
    from scipy.special import pdtr, pdtrc

    low, high = poisson_exact(n, level=level)
    assert 0 <= low <= n < high
    assert pdtr(n, high) == pytest.approx((1 - level) / 2, rel=1e-6)
    assert n == 0 or pdtrc(n - 1, low) == pytest.approx((1 - level) / 2, rel=1e-6)
    wider = poisson_exact(n, level=level + 0.01)
    assert wider[0] <= low < high < wider[1]


def test_nps_equals_the_oracle(shared):
    oracle = json.loads((shared / "oracles" / "08_rates" / "nps.json").read_text())
    n = oracle["n"]
    counts = [n * int(a) // int(b) for a, b in (oracle[k].split("/") for k in ("promoters", "passives", "detractors"))]
    assert sum(counts) == n
    value, low, high = nps(*counts)
    assert value == pytest.approx(100 / 3)
    assert (high - low) / 2 / 1.959964 / 100 == pytest.approx(oracle["se"], abs=5e-5)


def test_nps_by_hand():
    # 162, 108, 54 of 324; with one more on either side 163 and 55 of 326
    p, d = 163 / 326, 55 / 326
    half = 1.959964 * math.sqrt((p + d - (p - d) ** 2) / 326)
    assert nps(162, 108, 54) == pytest.approx((100 / 3, 100 * (p - d - half), 100 * (p - d + half)), abs=1e-4)
    for wrong in ((0, 0, 0), (-1, 3, 2)):
        with pytest.raises(ValueError, match="are not a score"):
            nps(*wrong)


def test_nps_of_one_voice():
    # by hand for ten promoters: 10 / 12 less 1.959964 * sqrt((1 - (10 / 12)^2) / 12)
    assert nps(10, 0, 0) == pytest.approx((100, 100 * (10 / 12 - 1.959964 * math.sqrt(11 / 36 / 12)), 100), abs=1e-4)
    value, low, high = nps(0, 10, 0)
    assert (value, -low) == (0, high)
    assert 0 < high < 100
    assert nps(0, 0, 1, level=0.1)[1] == -100  # even where the interval would lie inside


@given(st.tuples(*[st.integers(0, 500)] * 3).filter(any), LEVELS)
def test_nps_holds_the_score_and_widens_with_the_level(counts, level):
    value, low, high = nps(*counts, level=level)
    assert -100 <= low <= value <= high <= 100
    wider = nps(*counts, level=level + 0.01)
    assert wider[1] <= low < high <= wider[2]
    mirrored = nps(*counts[::-1], level=level)
    assert mirrored == pytest.approx((-value, -high, -low))


@pytest.mark.parametrize("shares", [(0.8, 0.15, 0.05), (0.5, 0.3, 0.2), (0.3, 0.5, 0.2)])
def test_nps_of_ten_answers_covers_the_truth(shares, seed):
    """The plain Wald interval covers in 88 to 91 % of these; that is why it is adjusted."""
    draws = np.random.default_rng(seed).multinomial(10, shares, size=2000).tolist()
    truth = 100 * (shares[0] - shares[2])
    covered = [low - 1e-9 <= truth <= high + 1e-9 for _, low, high in (nps(*draw) for draw in draws)]
    assert 0.94 <= np.mean(covered) <= 0.99


def ratio(totals):
    return totals[:, 0] / totals[:, 1]


def test_bucket_bootstrap_covers_the_truth_like_the_delta_method(seed):
    """Revenue per order of 1,500 people in 128 buckets: an order has a mean of 20, whoever orders much spends less."""
    rng = np.random.default_rng(seed)
    truth = 20 * (0.5 * 1 * 1.2 + 0.3 * 2 * 1.0 + 0.2 * 6 * 0.9) / (0.5 * 1 + 0.3 * 2 + 0.2 * 6)
    covered, widths, shifts = [], [], []
    for _ in range(400):
        group = rng.choice(3, size=1500, p=[0.5, 0.3, 0.2])
        n_orders = np.array([1, 2, 6])[group]
        revenue = n_orders * np.array([24.0, 20.0, 18.0])[group] * rng.gamma(2, 0.5, size=1500)
        bucket = rng.integers(0, 128, size=1500)
        sums = np.column_stack([np.bincount(bucket, weights=column, minlength=128) for column in (revenue, n_orders)])
        low, high = bucket_bootstrap(sums, ratio)
        covered.append(low <= truth <= high)
        delta = ratio_delta(
            1500,
            revenue.sum(),
            n_orders.sum(),
            (revenue**2).sum(),
            (n_orders**2).sum(),
            (revenue * n_orders).sum(),
        )
        widths.append((high - low) / (delta[1] - delta[0]))
        shifts.append((high + low - delta[0] - delta[1]) / (delta[1] - delta[0]))
    # four standard errors of a share of 400 runs at 95 %
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 400))
    assert np.mean(widths) == pytest.approx(1, abs=0.03)
    assert np.mean(shifts) == pytest.approx(0, abs=0.05)


SUMS = np.random.default_rng(7).gamma(3, size=(64, 2))


def test_bucket_bootstrap_is_the_same_every_time():
    first = bucket_bootstrap(SUMS, ratio)
    assert bucket_bootstrap(SUMS.copy(), ratio) == first
    others = {bucket_bootstrap(SUMS, ratio, seed=seed) for seed in range(1, 12)}  # more than are remembered
    assert len(others) == 11
    assert first not in others
    assert bucket_bootstrap(SUMS, ratio) == first
    assert bucket_bootstrap(10 * SUMS, ratio) == pytest.approx(first)
    assert bucket_bootstrap(SUMS, lambda t: 100 * ratio(t)) == pytest.approx([100 * end for end in first])


def test_bucket_bootstrap_cuts_the_same_on_both_sides():
    def backwards(totals):
        return np.arange(len(totals))[::-1]

    assert bucket_bootstrap(SUMS, backwards) == (24, 999 - 24)
    assert bucket_bootstrap(SUMS, backwards, level=0.9, n_resamples=201) == (10, 190)


def test_bucket_bootstrap_draws_whole_buckets():
    seen = {}

    def keep(totals):
        seen["totals"] = totals
        return totals[:, 0]

    bucket_bootstrap(np.array([[1, 1], [10, 1], [100, 1], [1000, 1]]), keep, n_resamples=500)
    assert seen["totals"].shape == (500, 2)
    assert set(seen["totals"][:, 1]) == {4}
    assert {int(d) for total in seen["totals"][:, 0] for d in str(int(total))} == {0, 1, 2, 3, 4}


def test_bucket_bootstrap_of_too_little_is_none():
    for few in (np.zeros((0, 2)), np.zeros((8, 2)), np.eye(8, 2)[:1], np.vstack([[3.0, 1.0], np.zeros((7, 2))])):
        assert bucket_bootstrap(few, ratio) is None
    assert bucket_bootstrap(np.array([[3.0, 1.0], [2.0, 1.0]]), ratio) == (2, 3)


def test_bucket_bootstrap_where_some_draws_give_nothing():
    def with_nan(n):
        return lambda totals: np.where(np.arange(len(totals)) < n, math.nan, totals[:, 0])

    assert bucket_bootstrap(SUMS, with_nan(50)) is not None
    assert bucket_bootstrap(SUMS, with_nan(51)) is None
    assert bucket_bootstrap(SUMS, with_nan(1000)) is None
    with pytest.raises(ValueError, match="shape"):
        bucket_bootstrap(SUMS, lambda totals: totals)


def test_bucket_bootstrap_may_end_at_infinity():
    # one bucket in three holds the only divisor: it is missed by 8 of 27 draws
    low, high = bucket_bootstrap(np.array([[5.0, 0.0], [5.0, 0.0], [5.0, 1.0]]), ratio)
    assert (low, high) == (5, math.inf)
    assert type(high) is float
    assert bucket_bootstrap(SUMS, lambda t: np.full(len(t), math.inf)) == (math.inf, math.inf)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 10)), min_size=2, max_size=40), st.floats(0.5, 0.98))
def test_bucket_bootstrap_widens_with_the_level(rows, level):
    sums = np.array(rows)
    low, high = bucket_bootstrap(sums, ratio, level=level)
    wider = bucket_bootstrap(sums, ratio, level=level + 0.01)
    assert wider[0] <= low <= high <= wider[1]
    ratios = sums[:, 0] / sums[:, 1]
    assert ratios.min() - 1e-9 <= low <= high <= ratios.max() + 1e-9


@given(st.integers(0, 60), st.integers(1, 60), LEVELS)
def test_wilson_holds_the_share_and_widens_with_the_level(n_successes, n_trials, level):
    assume(n_successes <= n_trials)
    low, high = wilson(n_successes, n_trials, level=level)
    assert 0 <= low <= n_successes / n_trials <= high <= 1
    wider = wilson(n_successes, n_trials, level=level + 0.01)
    assert wider[0] <= low < high <= wider[1]
