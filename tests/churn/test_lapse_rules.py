"""Rules of lapse, each by hand on a few customers."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.churn.gaps import Gaps
from lifecycle_kit.churn.judged import Known
from lifecycle_kit.churn.lapse_rules import (
    DEFAULTS,
    ContractEnd,
    FixedDays,
    GapCurve,
    OwnRhythm,
    PAlive,
    checked_rules,
)
from lifecycle_kit.clv.forecasts import fit_all
from lifecycle_kit.clv.mbgnbd import MBGNBD
from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.movement.durations import kaplan_meier

DAY = dt.date(2024, 12, 31)


def known(*rows, gaps=None):
    """Rows of person_id, frequency, recency, T -> what was known."""
    frame = pd.DataFrame(rows, columns=["person_id", "frequency", "recency", "T"]).astype(
        {"recency": "float64", "T": "float64"}
    )
    frame.attrs["time_unit"] = "day"

    def later():
        counts = pd.DataFrame(gaps, columns=["days", "n_ended", "n_open"])
        return Gaps(counts, kaplan_meier(*(counts[c] for c in counts)), DAY, None, "shop")

    return Known(frame, DAY, "Europe/Paris", later)


# silent for 10, 100 and 101 days
THREE = (("ann", 4, 40, 50), ("bob", 0, 0, 100), ("cyd", 1, 9, 110))


def test_fixed_days():
    found = FixedDays(100).judge(known(*THREE))
    assert found.lapsed.tolist() == [False, False, True]  # longer than, not as long as
    assert found.threshold.tolist() == [100, 100, 100]
    assert found.score.tolist() == pytest.approx([0.1, 1, 1.01])
    assert (found.has_answer.all(), found.reason, found.said) == (True, None, ())


def test_gap_curve():
    # of 10 gaps 4 ended by day 20; 3 of them are open since day 30; 2 of the last 3 ended at day 90
    told = known(*THREE, gaps=[(20, 4, 0), (30, 0, 3), (90, 2, 1)])
    assert GapCurve(0.4).judge(told).threshold.tolist() == [20, 20, 20]
    half = GapCurve(0.5).judge(told)
    assert (half.threshold.tolist(), half.lapsed.tolist()) == ([90, 90, 90], [False, True, True])
    # 1 - 0.6 x 1/3
    assert GapCurve(0.8).judge(told).lapsed.tolist() == [False, True, True]
    none = GapCurve(0.81).judge(told)
    assert none.reason == (
        "by 2024-12-31 the gap curve gets to 80.0% and never to 81 %: too few customers come back; ask for a smaller "
        "share"
    )
    assert not none.has_answer.any()
    assert not none.lapsed.any()
    assert (none.score, np.isnan(none.threshold).all()) == (None, True)


def test_own_rhythm():
    # everybody's mean gap is 49 / 5; ann's own, with it as one more: (40 + 9.8) / 5; cyd's (9 + 9.8) / 2
    found = OwnRhythm(10).judge(known(*THREE))
    assert found.threshold.tolist() == pytest.approx([99.6, 98, 94])
    assert found.lapsed.tolist() == [False, True, True]
    assert found.score.tolist() == pytest.approx([10 / 99.6, 100 / 98, 101 / 94])
    (said,) = found.said
    assert said.startswith("own rhythm x 10: 33.3% of customers have bought once by 2024-12-31; they are judged by ")
    assert "mean gap of 9.8 days" in said
    # without one-time buyers there is nothing to say
    assert OwnRhythm(10).judge(known(THREE[0])).said == ()


def test_own_rhythm_of_people_who_bought_once():
    found = OwnRhythm().judge(known(("bob", 0, 0, 100), ("eve", 0, 0, 5)))
    assert found.reason == "by 2024-12-31 nobody has bought twice: there is no rhythm"
    assert not found.has_answer.any()


def many(seed, n=600):
    """Histories of people who buy every 20 days and leave with 10 % after each purchase."""
    random = np.random.default_rng(seed)
    rows = []
    for person in range(n):
        at, end, bought = 0.0, float(random.integers(100, 400)), 0
        while random.random() > 0.1 and at + (gap := np.ceil(random.exponential(20))) <= end:
            at, bought = at + gap, bought + 1
        rows.append((f"p{person}", bought, at, end))
    return known(*rows)


@pytest.mark.parametrize("below", [0.05, 0.5, 0.8])
def test_p_alive(seed, below):
    told = many(seed)
    found = PAlive(below).judge(told)
    model = fit_all({"m": MBGNBD()}, told.frame)[0]["m"]
    alive = model.p_alive(told.frame)
    assert found.lapsed.tolist() == (alive < below).tolist()
    assert found.score == pytest.approx(1 - alive)
    assert found.has_answer.all()
    # the threshold says the same in days of silence, and is the last day that is not too long
    assert ((told.days_silent > found.threshold) == found.lapsed).all()
    asked = told.frame.assign(T=told.frame["recency"] + np.maximum(found.threshold, 0))
    later = told.frame.assign(T=told.frame["recency"] + found.threshold + 1)
    inside = (found.threshold >= 0) & np.isfinite(found.threshold)
    assert inside.any()
    assert (model.p_alive(asked)[inside] >= below).all()
    assert (model.p_alive(later)[inside] < below).all()


def test_p_alive_where_people_may_leave_at_once(seed):
    """With the MBG/NBD somebody may leave right after the first purchase: P(alive) is below 1 on the day itself."""
    told = many(seed)
    found = PAlive(0.95).judge(told)
    assert (found.threshold == -1).any()
    assert found.lapsed[found.threshold == -1].all()


def test_p_alive_where_nobody_leaves(seed):
    found = PAlive(model="NBD").judge(many(seed))
    assert not found.lapsed.any()
    assert np.isinf(found.threshold).all()


def test_p_alive_of_too_few():
    found = PAlive().judge(known(("bob", 0, 0, 100)))
    assert found.reason.startswith("by 2024-12-31 the model cannot be fitted: ")
    assert not found.has_answer.any()


ENDED = [("ann", "2024-12-31 23:00"), ("bob", "2025-01-01"), ("cyd", None), ("dan", None)]


def contracts(rows):
    return pd.DataFrame(rows, columns=["person_id", "ended_at"])


def test_contract_end():
    rule = ContractEnd(contracts(ENDED))
    found = rule.judge(known(*THREE, ("eve", 0, 0, 1)))
    # over by the close of the day; eve has none, dan never bought
    assert found.lapsed.tolist() == [True, False, False, False]
    assert found.has_answer.tolist() == [True, True, True, False]
    assert (found.score, np.isnan(found.threshold).all()) == (None, True)
    assert found.said == (
        "contract end: 1 of 4 people with a contract had not bought by 2024-12-31.",
        "contract end: 1 of 4 customers have no contract: not judged.",
    )


def test_contract_end_in_the_shops_time():
    # 23:30 in London is the next day in Paris
    rows = contracts(
        [("ann", pd.Timestamp("2024-12-31 23:30", tz="UTC")), ("bob", pd.Timestamp(2024, 12, 31, tz="UTC"))]
    )
    assert ContractEnd(rows).judge(known(*THREE)).lapsed.tolist() == [False, True, False]
    days = contracts([("ann", dt.date(2024, 12, 31)), ("bob", dt.date(2025, 1, 1)), ("cyd", pd.NaT)])
    assert ContractEnd(days).judge(known(*THREE)).lapsed.tolist() == [True, False, False]
    open_ = contracts([("ann", None), ("bob", None)])
    assert not ContractEnd(open_).judge(known(*THREE)).lapsed.any()


def test_contracts_of_strangers():
    found = ContractEnd(contracts([("zoe", None)])).judge(known(*THREE))
    assert found.reason == "none of the 1 people with a contract had bought by 2024-12-31"
    assert not found.has_answer.any()


def test_words():
    rules = (*DEFAULTS, PAlive(0.2, "Pareto/NBD"), ContractEnd(contracts(ENDED)), FixedDays(1), GapCurve(0.875))
    assert [rule.name for rule in rules] == [
        "180 days",
        "gap curve 50 %",
        "own rhythm x 3",
        "P(alive) < 0.5",
        "P(alive) < 0.2, Pareto/NBD",
        "contract end",
        "1 days",
        "gap curve 87.5 %",
    ]
    for rule in rules:
        assert rule.rule.startswith("Lapsed is ")
        assert rule.rule.count(".") - sum(map(rule.rule.count, ("0.5", "0.2", "87.5"))) == 1  # one sentence
    assert FixedDays(1).rule == "Lapsed is who has not bought for more than 1 day."
    assert checked_rules(FixedDays(5)) == (FixedDays(5),)


BAD = {
    "no days": (lambda: FixedDays(0), "n_days is 0"),
    "days before": (lambda: FixedDays(-3), "n_days is -3"),
    "half a day": (lambda: FixedDays(1.5), "n_days is 1.5"),
    "yes days": (lambda: FixedDays(True), "n_days is True"),
    "no share": (lambda: GapCurve(0), "share is 0"),
    "all": (lambda: GapCurve(1.0), "share is 1.0"),
    "a percentage": (lambda: GapCurve(80), "share is 80"),
    "no factor": (lambda: OwnRhythm(0), "factor is 0"),
    "endless factor": (lambda: OwnRhythm(float("inf")), "factor is inf"),
    "nan": (lambda: OwnRhythm(float("nan")), "factor is nan"),
    "certain": (lambda: PAlive(1), "below is 1"),
    "nobody": (lambda: PAlive(0.0), "below is 0.0"),
    "no contracts": (lambda: ContractEnd(None), "no column 'person_id'"),
    "no end": (lambda: ContractEnd(pd.DataFrame({"person_id": ["ann"]})), "no column 'ended_at'"),
    "twice": (lambda: ContractEnd(contracts([ENDED[0], ENDED[1], ENDED[0]])), "'ann' more than once"),
    "no time": (lambda: ContractEnd(contracts([("ann", "some day")])), "ended_at holds what is no time"),
    "no rule": (lambda: checked_rules([]), "There is no rule"),
    "not a rule": (lambda: checked_rules([90]), "90 is no rule"),
    "same rule": (lambda: checked_rules([FixedDays(5), FixedDays(5)]), "two rules called '5 days'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    make, message = BAD[case]
    with pytest.raises(UsageError, match=message):
        make()


def test_an_unknown_model():
    with pytest.raises(UnknownNameError, match=r"Unknown model 'MBG/NDB'. Did you mean 'MBG/NBD'"):
        PAlive(model="MBG/NDB")
