"""Curves of waiting times: published ones, R's, a simulated truth, and what must always hold."""

from __future__ import annotations

import csv
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.movement.durations import aalen_johansen, kaplan_meier

# Gehan (1965), "A generalized Wilcoxon test for comparing arbitrarily singly-censored samples"; the trial is that of
# Freireich et al. (1963): weeks in remission under 6-MP and placebo
RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
STILL_WELL = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def curve_of(events, censored=(), **kwargs):
    """Kaplan-Meier of one row per person."""
    happened = [1] * len(events) + [0] * len(censored)
    return kaplan_meier([*events, *censored], happened, [1 - h for h in happened], **kwargs)


@pytest.fixture(scope="module")
def remission():
    return curve_of(RELAPSED, STILL_WELL)


def test_kaplan_meier_published(remission):
    found = remission.to_frame().query("n_events > 0").set_index("time")
    assert found["n_at_risk"].to_dict() == {6: 21, 7: 17, 10: 15, 13: 12, 16: 11, 22: 7, 23: 6}
    # the curve is in Gehan (1965) and every text book since; the limits are what Stata's `sts list` prints
    published = {
        6: (0.8571, 0.6197, 0.9516),
        7: (0.8067, 0.5631, 0.9228),
        10: (0.7529, 0.5032, 0.8894),
        13: (0.6902, 0.4316, 0.8491),
        16: (0.6275, 0.3675, 0.8049),
        22: (0.5378, 0.2678, 0.7468),
        23: (0.4482, 0.1881, 0.6801),
    }
    for time, row in published.items():
        assert tuple(found.loc[time, ["survival", "lo", "hi"]]) == pytest.approx(row, abs=5e-5)


def test_median_published(remission):
    assert remission.quantile() == 23
    assert remission.quantile_interval() == (13, None)
    assert curve_of(PLACEBO).quantile() == 8
    assert remission.quantile(0.9) is None
    assert remission.quantile(1) is None
    assert curve_of(PLACEBO).quantile(1) == 23


def test_restricted_mean_published(remission):
    # Klein and Moeschberger (2003), section 4.5: 23.29 weeks of at most 35, standard error 2.83
    value, lo, hi = remission.restricted_mean(35)
    assert value == pytest.approx(23.29, abs=5e-3)
    assert (hi - lo) / 2 / 1.959964 == pytest.approx(2.827, abs=5e-4)
    assert value - lo == pytest.approx(hi - value)


def test_share_gone_by(remission):
    assert remission.share_gone_by(7) == pytest.approx((1 - 0.8067, 1 - 0.9228, 1 - 0.5631), abs=5e-5)
    assert remission.share_gone_by(9.5) == remission.share_gone_by(7)
    assert remission.share_gone_by(35)[0] == pytest.approx(1 - 0.4482, abs=5e-5)


def test_before_anything_happened_the_interval_is_the_exact_one(remission):
    # none of 21: the upper end of Clopper and Pearson (1934)
    assert remission.share_gone_by(5) == pytest.approx((0, 0, 1 - 0.025 ** (1 / 21)))
    assert remission.restricted_mean(5) == pytest.approx((5, 5 * 0.025 ** (1 / 21), 5))
    # 99 of a hundred were last seen on day 3: only one can tell of day 4
    left_early = kaplan_meier([3, 9], [0, 1], [99, 0])
    assert left_early.share_gone_by(3)[2] == pytest.approx(1 - 0.025 ** (1 / 100))
    assert left_early.share_gone_by(4)[2] == pytest.approx(0.975)
    # the band is below 0.6 on day 3 already, but nobody was gone
    few = kaplan_meier([3, 9], [0, 1], [1, 3])
    assert few.lo[0] < 0.6
    assert few.quantile_interval(0.4) == (9, None)


def test_after_the_last_time_nothing_is_known_unless_all_are_gone(remission):
    assert all(math.isnan(v) for v in (*remission.share_gone_by(36), *remission.restricted_mean(36)))
    gone = curve_of(PLACEBO)
    assert gone.share_gone_by(100)[::2] == (1.0, 1.0)
    assert gone.share_gone_by(23) == gone.share_gone_by(100)
    assert gone.share_gone_by(23)[1] == gone.share_gone_by(22)[1] > 0.5
    assert gone.restricted_mean(100) == gone.restricted_mean(23)
    at_once = curve_of([4] * 10)
    assert at_once.share_gone_by(4) == pytest.approx((1, 0.025 ** (1 / 10), 1))
    assert at_once.quantile_interval() == (4, 4)


def test_events_come_before_censorings_of_the_same_time():
    assert curve_of([5], [5]).to_frame()[["n_at_risk", "survival"]].values.tolist() == [[2, 0.5]]


def test_a_wait_of_no_time():
    curve = kaplan_meier([0, 1], [1, 0], [0, 3])
    assert curve.share_gone_by(0)[0] == 0.25
    assert curve.restricted_mean(0) == (0, 0, 0)
    assert curve.restricted_mean(1)[0] == 0.75


def test_a_horizon_between_two_times():
    # half of them wait 2, half of them 4; what is beyond the horizon does not count
    assert curve_of([2, 4]).restricted_mean(3.5)[0] == 2 + 0.5 * 1.5
    assert curve_of([2, 4]).restricted_mean(2.5)[0] == 2 + 0.5 * 0.5
    assert curve_of([3, 3, 4]).restricted_mean(3.25)[0] == pytest.approx(3 + 0.25 / 3)


def test_frames_and_names(remission):
    assert list(remission.to_frame()) == ["time", "n_at_risk", "n_events", "n_censored", "survival", "lo", "hi"]
    assert repr(remission) == "SurvivalCurve(21 people, 9 events, up to time 35)"
    ways = aalen_johansen([1, 2, 2, 3], ["a", None, "b", ""], [1, 2, 3, 4])
    assert list(ways.to_frame()) == ["time", "outcome", "n_at_risk", "n_events", "incidence", "lo", "hi"]
    assert repr(ways) == "CumulativeIncidence(10 people: 1 a, 3 b)"
    for result in (remission, ways):
        pd.testing.assert_frame_equal(result.to_arrow().to_pandas(), result.to_frame())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: kaplan_meier([-1], [1], [0]), "times holds -1"),
        (lambda: kaplan_meier([1], [-2], [0]), "n_events holds -2"),
        (lambda: kaplan_meier([1], [1], [0.5]), r"n_censored holds 0\.5"),
        (lambda: kaplan_meier([math.nan], [1], [0]), "times holds nan"),
        (lambda: kaplan_meier(["soon"], [1], [0]), "times holds something that is no number"),
        (lambda: kaplan_meier([1, 2], [1], [0]), "not equally long: 2 in times, 1 in n_events"),
        (lambda: kaplan_meier([], [], []), "nobody"),
        (lambda: kaplan_meier([3], [0], [0]), "nobody"),
        (lambda: kaplan_meier([3], [1], [0], level=95), "Level 95"),
        (lambda: aalen_johansen([1, 2], ["a"], [1, 1]), "2 times and 1 outcomes"),
        (lambda: aalen_johansen([1], ["a"], [1, 1]), "not equally long"),
        (lambda: aalen_johansen([1], [7], [1]), "Outcome 7 is no text"),
        (lambda: aalen_johansen([], [], []), "nobody"),
        (lambda: aalen_johansen([1], ["a"], [1], level=0), "Level 0"),
        (lambda: curve_of([1]).quantile(0), "share gone of 0"),
        (lambda: curve_of([1]).share_gone_by(-1), "Time -1"),
        (lambda: curve_of([1]).restricted_mean(math.inf), "Time inf"),
        (lambda: aalen_johansen([1], ["a"], [1]).at("a", math.nan), "Time nan"),
    ],
)
def test_wrong_input_is_named(call, said):
    with pytest.raises(UsageError, match=said):
        call()


def test_unknown_outcome_is_named():
    with pytest.raises(UnknownNameError, match="lost"):
        aalen_johansen([1], ["lost"], [1]).at("lots", 1)


def test_every_way_to_say_no_outcome_is_one():
    outcomes = pd.Series(["a", None, "", pd.NA, math.nan], dtype="object")
    assert aalen_johansen(range(1, 6), outcomes, [1] * 5).n_censored.tolist() == [0, 1, 1, 1, 1]
    text = pd.Series(["a", None], dtype="str")
    assert aalen_johansen([1, 2], text, [1, 1]).outcomes == ("a",)


# the first stay of ten people who are all leads at first, in tenths of a time unit
LEADS = [10, 15, 20, 30, 35, 40, 55, 25, 32, 60]
LEFT_BY = ["customer"] * 5 + ["lost"] * 2 + [None] * 3


def check_against_r(found, rows):
    """Shares and standard errors of R's survfit for states lead and lost, by time in tenths."""
    for time, lead, lead_error, lost, lost_error in rows:
        value, lo, hi = found.at("lost", time)
        assert value == pytest.approx(lost, abs=1e-9)
        assert 1 - value - found.at("customer", time)[0] == pytest.approx(lead, abs=1e-9)
        if lost_error:  # back from the log-log interval to the standard error
            width = math.log(-math.log(1 - hi)) - math.log(-math.log(1 - lo))
            error = width / 2 / 1.959963984540054 * (1 - value) * -math.log(1 - value)
            assert error == pytest.approx(lost_error, abs=1e-9)
        one = curve_of([t for t, way in zip(LEADS, LEFT_BY, strict=True) if way], [25, 32, 60])
        assert one.share_gone_by(time)[0] == pytest.approx(1 - lead, abs=1e-9)
        low, high = one.share_gone_by(time)[1:]
        width = math.log(-math.log(1 - high)) - math.log(-math.log(1 - low))
        assert width / 2 / 1.959963984540054 * lead * -math.log(lead) == pytest.approx(lead_error, abs=1e-9)


def test_aalen_johansen_equals_what_r_gave():
    # survfit of R's survival package on the same ten people
    rows = [
        (30, 7 / 12, 0.161015297179883, 0.0, 0.0),
        (40, 7 / 24, 0.166579838493716, 7 / 48, 0.132555238311067),
        (55, 7 / 48, 0.132555238311067, 7 / 24, 0.166579838493716),
    ]
    check_against_r(aalen_johansen(LEADS, LEFT_BY, [1] * 10), rows)


def test_aalen_johansen_equals_the_oracle(shared):
    folder = shared / "oracles" / "11_multistate_aj"
    stays = list(csv.DictReader((folder / "intervals.csv").read_text().splitlines()))
    first = [s for s in stays if s["from_state"] == "lead"]
    assert {s["t_start"] for s in first} == {"0"}
    assert {s["from_state"] for s in stays if s["to_state"] == "lost"} == {"lead"}  # so lost is an outcome of leads
    times = [round(10 * float(s["t_stop"])) for s in first]
    outcomes = [None if s["to_state"] == "censor" else s["to_state"] for s in first]
    assert sorted(zip(times, map(str, outcomes), strict=True)) == sorted(zip(LEADS, map(str, LEFT_BY), strict=True))
    rows = [
        tuple(float(row[c]) for c in ("time", "pstate.1", "se.1", "pstate.4", "se.4"))
        for row in csv.DictReader((folder / "survfit_R.csv").read_text().splitlines())
    ]
    seen = [(round(10 * time), *rest) for time, *rest in rows if time <= 6]
    assert len(seen) == 13
    check_against_r(aalen_johansen(times, outcomes, [1] * len(first)), seen)


def test_a_way_not_taken_yet_is_bounded_by_all_who_could_have():
    # nine of ten left by a, nobody was censored: none of ten by b, not none of one
    ways = aalen_johansen([1, 2, 3], ["a", "a", "b"], [4, 5, 1])
    assert ways.at("b", 0) == ways.at("b", 1) == ways.at("b", 2) == pytest.approx((0, 0, 1 - 0.025 ** (1 / 10)))
    assert ways.hi[:2, 1] == pytest.approx([1 - 0.025 ** (1 / 10)] * 2)
    assert ways.at("b", 3)[0] == ways.at("b", 99)[0] == pytest.approx(0.1)
    unknown = aalen_johansen([1, 2], ["a", None], [4, 5])
    assert all(math.isnan(v) for v in unknown.at("a", 3))


def test_recovery_of_a_simulated_truth(seed):
    """Two ways with constant hazards per day: the truth is known at every day, and so is how often it is covered."""
    rng = np.random.default_rng(seed)
    bought, left, day, n_people, n_runs = 0.03, 0.01, 30, 400, 400
    stay = (1 - bought - left) ** day
    truth = {"bought": (1 - stay) * 0.75, "left": (1 - stay) * 0.25, "stay": stay}
    mean = sum((1 - bought - left) ** d for d in range(day))
    values, covered = [], []
    for _ in range(n_runs):
        waits = rng.geometric(bought + left, n_people)
        way = np.where(rng.random(n_people) < 0.75, "bought", "left")
        seen_until = rng.integers(5, 90, n_people)
        outcome = np.where(waits <= seen_until, way, "")
        times = np.minimum(waits, seen_until)
        ways = aalen_johansen(times, outcome, np.ones(n_people, dtype=int))
        curve = kaplan_meier(times, outcome != "", outcome == "")
        gone = curve.share_gone_by(day)
        found = [ways.at("bought", day), ways.at("left", day), gone, curve.restricted_mean(day)]
        true = [truth["bought"], truth["left"], 1 - stay, mean]
        values.append([f[0] for f in found])
        covered.append([lo <= t <= hi for t, (_, lo, hi) in zip(true, found, strict=True)])
    # four standard errors of a share of 400 runs at 95 %
    assert np.mean(covered, axis=0) == pytest.approx([0.95] * 4, abs=4 * math.sqrt(0.95 * 0.05 / n_runs))
    errors = np.std(values, axis=0) / math.sqrt(n_runs)
    assert (np.abs(np.mean(values, axis=0) - true) < 4 * errors).all()


PEOPLE = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["a", "b", "c", None]), st.integers(0, 5)), min_size=1, max_size=25
).filter(lambda rows: sum(n for _, _, n in rows) > 0)


@given(PEOPLE)
def test_one_outcome_is_one_minus_kaplan_meier(rows):
    times, outcomes, n = zip(*rows, strict=True)
    merged = [outcome and "gone" for outcome in outcomes]
    events = [people if way else 0 for way, people in zip(merged, n, strict=True)]
    curve = kaplan_meier(times, events, [people - e for people, e in zip(n, events, strict=True)])
    ways = aalen_johansen(times, merged, n)
    assert ways.survival == pytest.approx(curve.survival)
    if any(events):
        assert ways.incidence[:, 0] == pytest.approx(1 - curve.survival)
        assert ways.lo[:, 0] == pytest.approx(1 - curve.hi, abs=1e-7)
        assert ways.hi[:, 0] == pytest.approx(1 - curve.lo, abs=1e-7)
        for time in np.arange(0, 14, 0.5):
            assert ways.at("gone", time) == pytest.approx(curve.share_gone_by(time), abs=1e-7, nan_ok=True)


@given(PEOPLE)
def test_incidences_and_survival_are_everybody(rows):
    times, outcomes, n = zip(*rows, strict=True)
    ways = aalen_johansen(times, outcomes, n)
    assert ways.incidence.sum(axis=1) + ways.survival == pytest.approx(np.ones(len(ways.time)))
    assert (ways.n_events.sum() + ways.n_censored.sum(), ways.n_at_risk[0]) == (sum(n), sum(n))


@given(PEOPLE, st.randoms(use_true_random=False))
def test_order_and_splitting_do_not_matter(rows, random):
    shuffled = [(time, way, 1) for time, way, n in rows for _ in range(n)]
    random.shuffle(shuffled)
    one, other = (aalen_johansen(*zip(*r, strict=True)).to_frame() for r in (rows, shuffled))
    pd.testing.assert_frame_equal(one, other)


@given(PEOPLE, st.floats(0.5, 0.9))
def test_intervals_hold_the_value_and_widen_with_the_level(rows, level):
    times, outcomes, n = zip(*rows, strict=True)
    events = [people if way else 0 for way, people in zip(outcomes, n, strict=True)]
    censored = [people - e for people, e in zip(n, events, strict=True)]
    narrow, wide = (kaplan_meier(times, events, censored, level=at) for at in (level, level + 0.09))
    tiny = 1e-12
    for curve in (narrow, wide):
        assert (curve.lo <= curve.survival + tiny).all()
        assert (curve.survival <= curve.hi + tiny).all()
        assert curve.lo.min() >= 0
        assert curve.hi.max() <= 1
    assert (wide.lo <= narrow.lo + tiny).all()
    assert (wide.hi >= narrow.hi - tiny).all()
    some, more = (aalen_johansen(times, outcomes, n, level=at) for at in (level, level + 0.09))
    assert (more.lo <= some.lo + tiny).all()
    assert (some.lo <= some.incidence + tiny).all()
    assert (some.incidence <= some.hi + tiny).all()
    assert (some.hi <= more.hi + tiny).all()
    horizon = float(narrow.time[-1])
    (value, lo, hi), (same, low, high) = narrow.restricted_mean(horizon), wide.restricted_mean(horizon)
    assert value == same
    assert low - tiny <= lo - tiny <= value <= hi + tiny <= high + 2 * tiny


@given(st.lists(st.integers(0, 20), min_size=2, max_size=30), st.integers(1, 20))
def test_without_censoring_all_is_plain_arithmetic(waits, horizon):
    curve = curve_of(waits, level=0.95)
    capped = np.minimum(waits, horizon)
    value, lo, hi = curve.restricted_mean(horizon)
    assert value == pytest.approx(capped.mean())
    assert curve.share_gone_by(horizon)[0] == pytest.approx(np.mean(np.array(waits) <= horizon))
    assert curve.quantile() == sorted(waits)[(len(waits) - 1) // 2]
    if min(waits) < horizon:
        half = 1.959964 * capped.std() / math.sqrt(len(waits))
        assert (lo, hi) == pytest.approx((max(value - half, 0), min(value + half, horizon)), abs=1e-5)
