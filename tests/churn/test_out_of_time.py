"""Judging groups: effects by hand, chance held at its level, agreement beside scikit-learn's, names, verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from lifecycle_kit.churn.clusterers import METHODS, Candidate, DensityGroups, pipeline_of
from lifecycle_kit.churn.out_of_time import compared, kept_share, outcomes_by_group, transition_table
from lifecycle_kit.churn.segment_features import FEATURES, Winsorise, choose_features, signed_log
from lifecycle_kit.churn.segment_names import WORDS, describe, name_segments
from lifecycle_kit.churn.segment_verdict import Bars, best_of, verdict_of
from lifecycle_kit.churn.stability import adjusted_rand, stability_of
from lifecycle_kit.kpis.intervals import wilson
from tests.churn.segment_frames import noise, planted

labels = st.lists(st.integers(0, 4), min_size=2, max_size=40)


@given(data=st.data(), a=labels)
def test_agreement_is_that_of_scikit_learn(data, a):
    b = data.draw(st.lists(st.integers(0, 3), min_size=len(a), max_size=len(a)))
    assert adjusted_rand(np.array(a), np.array(b)) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)


def test_effects_by_hand():
    label = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    lapse = np.array([1, 1, 1, 0, 0, 0, 0, 1], dtype=float)
    found = compared({"a": label}, {"lapse": lapse}, n_permutations=999, seed=1)
    row = found.effects.iloc[0]
    # means 3/4 and 1/4, of all 1/2: between 8 x 1/16, in all 8 x 1/4
    assert row["effect"] == pytest.approx(1 - (1 - 0.25) * 7 / 6)
    # dealt anew, 3 or more of one kind in the first group: 34 of 70 ways
    assert row["p"] == pytest.approx(34 / 70, abs=0.05)
    assert row["p_adjusted"] == row["p"]


def test_spend_is_judged_by_rank():
    random = np.random.default_rng(3)
    spend = random.exponential(size=400)
    label = (spend > np.median(spend)).astype(np.int64)
    whale = spend.copy()
    whale[spend.argmax()] = 1e9
    with_whale, without = (
        compared({"a": label}, {"spend": s}, n_permutations=99, seed=1).effects["effect"][0] for s in (whale, spend)
    )
    assert with_whale == pytest.approx(without)
    assert without == pytest.approx(0.75, abs=0.01)


def test_random_groups_lie_where_they_are_said_to_lie():
    random = np.random.default_rng(4)
    lapse = (random.random(2_000) < 0.3).astype(float)
    label = np.repeat([0, 1], [100, 1_900])
    low, high = compared({"a": label}, {"lapse": lapse}, n_permutations=499, seed=2).random["a"]["lapse"]
    half = 1.96 * np.sqrt(0.3 * 0.7 / 100 * (1 - 100 / 2_000))
    assert low[0] == pytest.approx(lapse.mean() - half, abs=0.02)
    assert high[0] == pytest.approx(lapse.mean() + half, abs=0.02)
    assert high[1] - low[1] < 0.02


def test_an_outcome_without_variance_tells_nothing():
    found = compared({"a": np.repeat([0, 1], 50)}, {"lapse": np.ones(100)}, n_permutations=99, seed=0).effects
    assert (found["effect"][0], found["p"][0]) == (0, 1)


@pytest.mark.slow
def test_chance_is_held_at_its_level():
    """With several candidates of random groups, one of 20 worlds cries wolf: the largest effect is what is compared."""
    n_worlds, n_wolves, n_single = 400, 0, 0
    for world in range(n_worlds):
        random = np.random.default_rng([77, world])
        outcomes = {"lapse": (random.random(300) < 0.7).astype(float), "spend": random.exponential(size=300)}
        outcomes["spend"] *= 1 - outcomes["lapse"]
        base = random.random(300)
        groups = {str(k): np.minimum((base * k).astype(np.int64), k - 1) for k in range(2, 9)}
        found = compared(groups, outcomes, n_permutations=199, seed=world).effects
        n_wolves += bool((found["p_adjusted"] <= 0.05).any())
        n_single += bool((found["p"] <= 0.05).any())
    low, high = wilson(n_wolves, n_worlds, level=0.999)
    assert low <= 0.05 <= high
    # what would have happened without the adjustment
    assert n_single / n_worlds > 0.1


def test_baselines_do_not_raise_the_bar():
    random = np.random.default_rng(5)
    lapse = (random.random(500) < 0.5).astype(float)
    groups = {"a": random.integers(3, size=500), "rfm": random.integers(9, size=500)}
    both = compared(groups, {"lapse": lapse}, baselines=("rfm",), n_permutations=199, seed=1).effects
    alone = compared({"a": groups["a"]}, {"lapse": lapse}, n_permutations=199, seed=1).effects
    assert both["p_adjusted"][0] == alone["p_adjusted"][0] == alone["p"][0]


def test_outcomes_have_intervals():
    label = np.array([0] * 50 + [1] * 150)
    lapse = np.array([1.0] * 10 + [0.0] * 40 + [1.0] * 150)
    spend = np.random.default_rng(1).exponential(100, size=200)
    found = outcomes_by_group(label, ["a", "b"], {"lapse": lapse, "spend": spend}, level=0.95, seed=0)
    row = found.query("group == 'a' and outcome == 'lapse'").iloc[0]
    assert (row["value"], row["lo"], row["hi"]) == (0.2, *wilson(10, 50))
    row = found.query("group == 'b' and outcome == 'spend'").iloc[0]
    mean, error = spend[50:].mean(), spend[50:].std() / np.sqrt(150)
    assert row["lo"] == pytest.approx(mean - 1.96 * error, rel=0.1)
    assert row["hi"] == pytest.approx(mean + 1.96 * error, rel=0.1)


def test_moves_by_hand():
    before, after = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert kept_share(before, after) == 0.75
    found = transition_table(before, after, ["a", "b", "c"]).set_index(["from_segment", "to_segment"])
    assert found["n_customers"].to_dict()["a", "b"] == 1
    assert found["share"]["a", "a"] == pytest.approx(2 / 3)
    assert np.isnan(found["share"]["c", "a"])


def test_values_outside_are_drawn_in_to_values_that_somebody_has():
    given_ = np.array([[float(i)] for i in range(1, 101)])
    given_[-1] = 1e6
    drawn = Winsorise(0.01, 0.99).fit(given_)
    assert (drawn.low_[0], drawn.high_[0]) == (2, 99)
    assert (drawn.n_raised_[0], drawn.n_lowered_[0]) == (1, 1)
    assert drawn.transform(given_).max() == 99


def test_the_log_keeps_the_sign():
    assert signed_log([-1.0, 0.0, 1.0]).tolist() == pytest.approx([-np.log(2), 0, np.log(2)])


def test_features_name_their_measures():
    assert {feature.name for feature in FEATURES} == set(WORDS)
    before, _, _ = planted(100, seed=1)
    assert choose_features(before).names == tuple(feature.name for feature in FEATURES)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_a_pipeline_of_whole_numbers(method, seed):
    before, now, _ = planted(400, seed=seed)
    names = choose_features(before).names
    fitted = pipeline_of(Candidate(method, 3 if METHODS[method].takes_k else None), names, seed).fit(before)
    first, again = fitted.predict(now), fitted.predict(now)
    assert np.array_equal(first, again)
    assert first.min() >= 0
    assert [name for name, _ in fitted.steps] == ["measures", "log", "fill", "winsorise", "scale", "groups"]


def test_density_sees_some_and_places_all(seed):
    random = np.random.default_rng(seed)
    rows = np.vstack([random.normal(m, 0.1, size=(400, 2)) for m in (0, 5)])
    found = DensityGroups(most=300).fit(rows)
    assert len(found.cluster_centers_) == 2
    assert adjusted_rand(found.predict(rows), np.repeat([0, 1], 400)) == 1


def test_stability_tells_groups_from_noise(seed):
    how = {"n_bootstrap": 6, "seed": seed, "wanted": 0.8, "quantiles": (0.01, 0.99)}
    before, _, _ = planted(600, seed=seed)
    names = choose_features(before).names
    groups = stability_of(Candidate("kmeans", 4), before[list(names)].to_numpy(dtype=float), names, **how)
    assert groups.worst > 0.97
    assert groups.n_resamples == 6
    before, _ = noise(600, seed=seed)
    none = stability_of(Candidate("kmeans", 7), before[list(names)].to_numpy(dtype=float), names, **how)
    assert none.worst < 0.65
    # far too unlike: not looked at further
    assert none.n_resamples == 5


def test_resamples_are_other_customers(seed):
    """Density needs no seed, so only resamples can tell two fits apart."""
    given_ = np.random.default_rng(seed).lognormal(3, [0.3, 0.6], size=(500, 2))
    given_[:200] *= [3, 1]
    how = {"n_bootstrap": 6, "seed": seed, "wanted": 0.0, "quantiles": (0.0, 1.0)}
    found = stability_of(Candidate("hdbscan", None), given_, ("recency_days", "monetary"), **how)
    assert found.seeds == 1
    assert found.low < found.high
    assert found.bootstrap < 1


ZERO = dict.fromkeys(WORDS, 0.0)


def names_of(*rows, once=None):
    return name_segments(pd.DataFrame([{**ZERO, **row} for row in rows]), once or [0.0] * len(rows))


def test_names_are_the_largest_deviations_in_the_order_of_words():
    assert names_of(
        {"frequency": 0.6, "recency_days": -1.6}, {}, {"monetary": -0.5, "tenure_days": 3.0, "mean_gap_days": 0.4},
    ) == ["very recent, frequent", "in the middle", "small spend, very long-standing"]  # fmt: skip
    assert names_of({"frequency": 1, "recency_days": -1, "monetary": 0.9, "tenure_days": 0.6}) == [
        "recent, frequent, big spend"
    ]
    assert names_of({"recency_days": 1, "mean_gap_days": 3, "frequency": -2}, once=[0.95]) == ["one-time, silent"]


def test_equal_names_are_told_apart():
    assert names_of({"frequency": 0.6}, {"frequency": 1.2}) == [
        "frequent (fewer purchases)", "frequent (more purchases)",
    ]  # fmt: skip
    assert names_of({"monetary": 0.3}, {}, {"monetary": 0.1}) == [
        "in the middle (3 of 3 by revenue)",
        "in the middle (1 of 3 by revenue)",
        "in the middle (2 of 3 by revenue)",
    ]


@given(
    rows=st.lists(
        st.lists(st.one_of(st.floats(-3, 3), st.just(float("nan"))), min_size=5, max_size=5), min_size=1, max_size=12
    )
)
def test_names_are_always_unique(rows):
    found = name_segments(pd.DataFrame(rows, columns=list(WORDS)), [0.0] * len(rows))
    assert len(set(found)) == len(rows)
    assert all(found)


def test_a_description_says_all_beside_the_group():
    overall = pd.Series(dict.fromkeys(WORDS, 10.0))
    row = pd.Series({**dict.fromkeys(WORDS, 1.0), "mean_gap_days": np.nan, "share": 0.25, "revenue_share": 0.5})
    assert describe(row, overall) == (
        "25% of the customers, 50% of the revenue; medians: last purchase 1 days ago (all: 10), 1 purchase (all: 10), "
        "revenue 1 (all: 10), customer for 1 days (all: 10)."
    )


GOOD = {
    "n_groups": 3, "n_asked": 3, "stability_seeds": 0.9, "stability_bootstrap": 0.85, "smallest": 60,
    "smallest_wanted": 50, "smallest_later": 60, "smallest_later_wanted": 50, "keep": 0.7,
    "lapse_effect": 0.2, "lapse_p": 0.01, "lapse_rfm": 0.15, "spend_effect": 0.1, "spend_p": 0.3, "spend_rfm": 0.2,
}  # fmt: skip
BOTH = ("lapse", "spend")


def test_a_good_candidate_is_usable_for_what_it_tells():
    assert verdict_of(GOOD, BOTH, Bars()) == {"verdict": "usable", "useful_for": "lapse", "reasons": None}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stability_seeds": 0.5}, "not stable: with another seed the groups agree to 0.50, 0.80 is wanted"),
        ({"stability_bootstrap": 0.79}, "not stable: on a resample the groups agree to 0.79"),
        ({"smallest": 49}, "the smallest group has 49 customers, 50 are wanted"),
        ({"smallest_later": 3}, "a window later a group has 3 customers, 50 are wanted"),
        ({"lapse_p": 0.2}, "differ no more than random ones (lapse p = 0.2, spend p = 0.3)"),
        ({"lapse_effect": 0.14}, "plain RFM groups tell more of the next window (lapse 0.140 to 0.150"),
        ({"keep": 0.5}, "only 50% keep their group, 60% is wanted"),
        ({"n_groups": 2}, "only 2 of 3 groups have a customer"),
        ({"n_groups": 1}, "there is only one group"),
    ],
)
def test_each_bar_has_its_reason(change, says):
    found = verdict_of(GOOD | change, BOTH, Bars())
    assert found["verdict"] == "do not use"
    assert says in found["reasons"]


def test_the_best_has_the_fewest_groups_of_those_as_good():
    rows = [
        GOOD | {"n_groups": 3, "lapse_effect": 0.300, "verdict": "usable", "reasons": None},
        GOOD | {"n_groups": 6, "lapse_effect": 0.305, "verdict": "usable", "reasons": None},
        GOOD | {"n_groups": 2, "lapse_effect": 0.200, "verdict": "usable", "reasons": None},
        GOOD | {"n_groups": 2, "lapse_effect": 0.900, "verdict": "do not use", "reasons": "x"},
    ]
    assert best_of(pd.DataFrame(rows), ("lapse",)) == 0
