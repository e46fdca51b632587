"""Rules side by side: by hand on a few customers, then on the simulated shop and on real shops.

What the rules find (as of the last day; false alarms and misses in the 91 days before):

==============  ==============  ======  ============  ======  =====  =============
shop            rule            lapsed  false alarms  misses  AUC    AUC of truth
==============  ==============  ======  ============  ======  =====  =============
simulated       180 days        50.2 %         9.2 %  66.7 %  0.743          0.540
simulated       gap curve 50 %  59.9 %        10.9 %  64.2 %  0.743          0.540
simulated       own rhythm x 3  46.2 %         9.2 %  67.8 %  0.729          0.572
simulated       P(alive) < 0.5  13.7 %         9.5 %  69.2 %  0.745          0.614
Online Retail   180 days        19.8 %        33.9 %  38.2 %  0.683
Online Retail   gap curve 50 %  54.6 %        47.8 %  26.8 %  0.683
Online Retail   own rhythm x 3  23.8 %        35.9 %  33.4 %  0.675
Online Retail   P(alive) < 0.5   0.0 %          none  43.0 %  0.594
CDNOW           180 days        77.2 %         5.6 %  61.4 %  0.828
CDNOW           gap curve 50 %  85.4 %         7.6 %  54.8 %  0.828
CDNOW           own rhythm x 3  70.6 %         5.3 %  64.9 %  0.790
CDNOW           P(alive) < 0.5  71.3 %         5.3 %  64.2 %  0.789
==============  ==============  ======  ============  ======  =====  =============

In the simulated shop 17 % of buyers have left, and many who have not buy once in years: who is silent is mostly not
gone, and no rule tells the two apart well. In Online Retail the fit finds that nobody leaves, so P(alive) is no rule.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import lifecycle_kit as lk
from lifecycle_kit.churn.gaps import gap_curve
from lifecycle_kit.churn.judged import Judged
from lifecycle_kit.churn.lapse import lapse
from lifecycle_kit.churn.lapse_rules import ContractEnd, FixedDays, GapCurve, OwnRhythm, PAlive
from lifecycle_kit.churn.lapse_scores import agreement, auc, judged_by_what_came, only_one
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from lifecycle_kit.kpis.intervals import wilson
from tests.engines import everywhere
from tests.told_rows import shop

DAY = dt.date(2024, 1, 1)
# days after 1 January; the window is from day 101 to day 130
BOUGHT = {
    "ann": [0, 10, 20, 30],  # silent since day 30, and stays away
    "bob": [50, 110],  # silent for 50 days at day 100, and comes
    "cyd": [60, 90],  # stays away
    "dan": [95, 100, 130],  # comes on the last day
    "eve": [101],  # was no customer yet
    "fay": [40],  # bought once, and stays away
}


def orders(bought):
    return [
        (f"{person}{i}", person, f"{DAY + dt.timedelta(days=day)} 10:00", 100, 50)
        for person, days in bought.items()
        for i, day in enumerate(days)
    ]


@pytest.fixture(scope="module")
def few():
    with shop(orders=orders(BOUGHT)) as dataset:
        yield dataset


def row(found, name):
    return found.frame.set_index("rule").loc[name]


def test_by_hand(few):
    found = lapse(few, [FixedDays(45), FixedDays(20)], window_days=30)
    assert (found.as_of, found.origin) == (DAY + dt.timedelta(days=130), DAY + dt.timedelta(days=100))
    now = found.members("45 days").set_index("person_id")
    assert now["days_silent"].to_dict() == {"ann": 100, "bob": 20, "cyd": 40, "dan": 0, "eve": 29, "fay": 90}
    assert now.index[now["lapsed"]].tolist() == ["ann", "fay"]
    then = found.members(FixedDays(45), then=True).set_index("person_id")
    assert then["days_silent"].to_dict() == {"ann": 70, "bob": 50, "cyd": 10, "dan": 0, "fay": 60}
    assert then.index[then["lapsed"]].tolist() == ["ann", "bob", "fay"]
    assert then.index[then["ordered"]].tolist() == ["bob", "dan"]
    told = row(found, "45 days")
    assert told[["n_customers", "n_lapsed", "threshold_median", "n_only"]].tolist() == [6, 2, 45, 0]
    assert told["share_lapsed"] == pytest.approx(1 / 3)
    # bob is the false alarm, cyd the miss
    columns = ["n_then", "n_no_order", "n_called_lapsed", "n_false_alarms", "n_called_active", "n_missed"]
    assert told[columns].tolist() == [5, 3, 3, 1, 2, 1]
    assert told[["false_alarms", "false_alarms_lo", "false_alarms_hi"]].tolist() == pytest.approx(
        [1 / 3, *wilson(1, 3)]
    )
    assert told[["misses", "misses_lo", "misses_hi"]].tolist() == pytest.approx([1 / 2, *wilson(1, 2)])
    assert told[["precision", "recall", "balanced_accuracy"]].tolist() == pytest.approx(
        [2 / 3, 2 / 3, (2 / 3 + 1 / 2) / 2]
    )
    # silences of who stays away: 70, 10, 60; of who comes: 50, 0
    assert told["auc"] == pytest.approx(5 / 6)
    (pair,) = found.agreement.to_dict("records")
    # after 20 days cyd and eve are lapsed too
    assert pair == {
        "rule_a": "45 days", "rule_b": "20 days", "n_customers": 6, "n_both": 2, "n_only_a": 0, "n_only_b": 2,
        "n_neither": 2, "share_agree": pytest.approx(4 / 6),
    }  # fmt: skip
    assert row(found, "20 days")["n_only"] == 2
    assert found.only(FixedDays(20))["person_id"].tolist() == ["cyd", "eve"]
    assert found.only("45 days").empty
    assert told["share_called_lapsed"] == pytest.approx(3 / 5)
    assert any(
        w.startswith("45 days calls 33.3% lapsed on 2024-05-10, and 60.0% on 2024-04-10") for w in found.warnings
    )
    assert not any("cost" in w for w in found.warnings)
    assert found.source == "shop, as of 2024-05-10"
    assert "45 days: 33.3% of 6" in repr(found)


def test_what_was_known_then(few):
    """The gap curve and the rhythm of the back-test know nothing of the window."""
    rules = [GapCurve(0.5), OwnRhythm(2)]
    found = lapse(few, rules, window_days=30)
    with shop(
        orders=orders({who: [d for d in days if d <= 100] for who, days in BOUGHT.items()} | {"zoe": [100]})
    ) as cut:
        gaps = gap_curve(cut)
    # zoe adds an open gap of no length, which no curve counts
    assert set(found.then["gap curve 50 %"].threshold) == {gaps.day_by(0.5)}
    # up to day 100 gaps are 10, 10, 10, 30 and 5
    mean = 65 / 5
    then = found.members("own rhythm x 2", then=True).set_index("person_id")["threshold"]
    assert then.to_dict() == pytest.approx(
        {
            "ann": 2 * (30 + mean) / 4,
            "bob": 2 * mean,
            "cyd": 2 * (30 + mean) / 2,
            "dan": 2 * (5 + mean) / 2,
            "fay": 2 * mean,
        }
    )


def test_contracts(few):
    contracts = pd.DataFrame(
        {
            "person_id": ["ann", "bob", "dan"],
            "ended_at": [DAY + dt.timedelta(days=100), DAY + dt.timedelta(days=101), None],
        }
    )
    found = lapse(few, [ContractEnd(contracts), FixedDays(45)], window_days=30)
    told = row(found, "contract end")
    assert told[["n_customers", "n_lapsed", "n_then", "n_called_lapsed", "n_false_alarms"]].tolist() == [3, 2, 3, 1, 0]
    assert told[["n_called_active", "n_missed", "n_only"]].tolist() == [2, 0, 1]
    assert np.isnan([told["auc"], told["threshold_median"]]).all()
    members = found.members("contract end").set_index("person_id")
    assert members["lapsed"].isna().sum() == 3
    assert members["score"].isna().all()
    # who has no contract takes no part in the comparison
    assert found.agreement["n_customers"].tolist() == [3]
    assert any("3 of 6 customers have no contract" in sentence for sentence in found.warnings)


def test_a_rule_without_an_answer_is_said_and_stays(few):
    found = lapse(few, [GapCurve(0.99), FixedDays(45)], window_days=30)
    told = row(found, "gap curve 99 %")
    assert told["reason"].startswith("by 2024-05-10 the gap curve gets to ")
    assert told[["n_customers", "n_lapsed", "n_then"]].tolist() == [0, 0, 0]
    assert np.isnan(told[["share_lapsed", "false_alarms", "misses", "balanced_accuracy", "auc"]].astype(float)).all()
    assert found.members("gap curve 99 %")["lapsed"].isna().all()
    assert found.agreement.empty
    assert sum("gap curve 99 %: no answer" in sentence for sentence in found.warnings) == 2
    assert "gap curve 99 %: no answer, by " in repr(found)
    assert found.auc_against(pd.DataFrame({"person_id": ["ann"], "alive": [True]}))["n_customers"].tolist() == [0, 1]


def test_nobody_lapsed_and_everybody(few):
    found = lapse(few, [FixedDays(1_000)], window_days=30)
    told = row(found, "1,000 days")
    assert told[["n_lapsed", "n_called_lapsed", "recall", "balanced_accuracy"]].tolist() == [0, 0, 0, 0.5]
    assert np.isnan(told[["false_alarms", "precision"]].astype(float)).all()
    assert "1,000 days calls nobody lapsed on 2024-05-10: there are no alarms to be false." in found.warnings
    with shop(orders=[*orders({"ann": [0], "bob": [1]}), *orders({"cyd": [60]})]) as dataset:
        found = lapse(dataset, [FixedDays(5)], window_days=50)
    told = row(found, "5 days")
    assert told[["n_called_active", "n_called_lapsed", "n_false_alarms", "recall"]].tolist() == [0, 2, 0, 1]
    # nobody ordered who could have: there is nothing to tell apart
    assert np.isnan(told[["misses", "auc", "balanced_accuracy"]].astype(float)).all()
    assert any(w.startswith("5 days calls everybody lapsed on ") for w in found.warnings)


def test_one_customer():
    with shop(orders=orders({"ann": [0, 30]})) as dataset:
        found = lapse(dataset, window_days=10)
    assert found.frame["n_customers"].tolist() == [1, 1, 1, 0]
    assert found.frame["n_lapsed"].tolist() == [0, 0, 0, 0]
    # ten days before, ann had bought once
    assert found.frame["reason"].notna().tolist() == [False, True, True, True]


def test_since_leaves_out_who_bought_before(few):
    found = lapse(few, [FixedDays(45)], since="2024-02-01", window_days=30)
    assert found.members("45 days")["person_id"].tolist() == ["bob", "cyd", "dan", "eve", "fay"]
    assert found.gaps.since == dt.date(2024, 2, 1)
    assert found.source == "shop, as of 2024-05-10, first bought since 2024-02-01"


def test_frame_and_arrow(few):
    found = lapse(few, [FixedDays(45), GapCurve(0.99)], window_days=30)
    assert_frame_equal(found.to_arrow().to_pandas(), found.to_frame(), check_dtype=False)
    assert {str(kind) for kind in found.frame.dtypes} == {"str", "int64", "float64"}
    members = found.members("45 days", then=True)
    assert [str(kind) for kind in members.dtypes] == ["str", "int64", "float64", "float64", "boolean", "bool"]


@everywhere
def test_everywhere(on_engine):
    with shop(orders=orders(BOUGHT), timezone="Europe/Paris") as dataset, on_engine(dataset) as there:
        asked = {"rules": [FixedDays(45), GapCurve(0.5), OwnRhythm(2)], "window_days": 30}
        assert_frame_equal(lapse(there, **asked).frame, lapse(dataset, **asked).frame)


# -- scores by themselves

truths = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30)


@given(truths)
def test_auc_is_the_share_of_pairs_in_order(pairs):
    score, positive = zip(*pairs, strict=True)
    high = [s for s, p in pairs if p]
    low = [s for s, p in pairs if not p]
    found = auc(score, positive)
    if not high or not low:
        assert np.isnan(found)
    else:
        wins = sum((a > b) + (a == b) / 2 for a in high for b in low)
        assert found == pytest.approx(wins / len(high) / len(low))


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=30))
@settings(max_examples=60)
def test_counts_add_up(people):
    lapsed, other, answered, ordered = (np.array(column) for column in zip(*people, strict=True))
    nothing = np.full(len(people), np.nan)
    a = Judged(nothing, lapsed & answered, None, answered)
    b = Judged(nothing, other, None, np.ones(len(people), dtype=bool))
    told = judged_by_what_came(a, ordered)
    assert told["n_called_lapsed"] + told["n_called_active"] == told["n_then"] == answered.sum()
    gone = told["n_called_lapsed"] - told["n_false_alarms"] + told["n_missed"]
    assert gone == told["n_no_order"] == (answered & ~ordered).sum()
    pairs = agreement({"a": a, "b": b})
    assert len(pairs) == answered.any()
    for pair in pairs.itertuples():
        assert pair.n_both + pair.n_only_a + pair.n_only_b + pair.n_neither == pair.n_customers == answered.sum()
        assert pair.share_agree == pytest.approx((pair.n_both + pair.n_neither) / pair.n_customers)
    only = only_one({"a": a, "b": b})
    assert only["a"] + only["b"] == (a.lapsed ^ b.lapsed).sum()


# -- bad input

BAD = {
    "no window": ({"window_days": 0}, "window_days is 0"),
    "half a day": ({"window_days": 1.5}, "window_days is 1.5"),
    "window beyond the log": (
        {"window_days": 131},
        "131 days before 2024-05-10 .* the log begins on 2024-01-01.*up to 130",
    ),
    "window beyond since": ({"window_days": 91, "since": "2024-03-01"}, "asked for since 2024-03-01.*up to 70"),
    "after the log": ({"as_of": "2024-05-11"}, "as_of 2024-05-11 is after 2024-05-10, where the log ends"),
    "first day": ({"as_of": "2024-01-01"}, "a later as_of"),
    "no rules": ({"rules": []}, "There is no rule"),
    "two alike": ({"rules": [FixedDays(3), FixedDays(3)]}, "two rules called '3 days'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(few, case):
    asked, message = BAD[case]
    with pytest.raises(UsageError, match=message):
        lapse(few, **asked)


def test_nobody_had_bought_when_the_window_began():
    seen = [("ann", "page_viewed", f"2024-01-0{day} 09:00") for day in (1, 9)]
    asked = pytest.raises(DataError, match="Nobody had bought by 2024-02-09")
    with shop(orders=orders({"ann": [50]}), events=seen) as dataset, asked:
        lapse(dataset, window_days=11)
    with shop(events=seen) as dataset, pytest.raises(DataError, match="no purchases in 'shop'"):
        lapse(dataset, window_days=1)


def test_unknown_names(few):
    found = lapse(few, [FixedDays(45)], window_days=30)
    with pytest.raises(UnknownNameError, match=r"Unknown rule '45 day'. Did you mean '45 days'"):
        found.members("45 day")
    with pytest.raises(UsageError, match="no column 'alive'"):
        found.auc_against(pd.DataFrame({"person_id": ["ann"]}))


# -- shops


def side_by_side(found):
    columns = ["share_lapsed", "false_alarms", "misses", "auc"]
    return found.frame.set_index("rule")[columns].round(3).fillna(-1).to_dict("split")["data"]


def test_the_simulated_shop(root):
    truth = pd.read_parquet(root / "data/shop/truth/customers.parquet")
    with lk.load(root / "data/shop") as dataset:
        found = lapse(dataset)
    assert side_by_side(found) == [
        [0.502, 0.092, 0.667, 0.743],
        [0.599, 0.109, 0.642, 0.743],
        [0.462, 0.092, 0.678, 0.729],
        [0.137, 0.095, 0.692, 0.745],
    ]
    told = found.auc_against(truth)
    assert told["n_customers"].unique().tolist() == [3183]
    assert told["n_gone"].unique().tolist() == [527]
    assert told["auc"].round(3).tolist() == [0.540, 0.540, 0.572, 0.614]
    # the fit of P(alive) moved: the same limit called far more people lapsed a quarter ago
    assert [w.split(":")[0] for w in found.warnings if "moves so fast" in w] == [
        "P(alive) < 0.5 calls 13.7% lapsed on 2025-12-31, and 46.2% on 2025-10-01"
    ]
    # what a percentile of ended gaps would have said
    assert (found.gaps.day_by(0.5), found.gaps.naive_day_by(0.5), found.gaps.day_by(0.8)) == (111, 32, None)


@pytest.mark.real_data
def test_online_retail(shared):
    path = shared / "data/online_retail_uci/online_retail.parquet"
    with lk.load(path, mapping="online_retail_uci") as dataset:
        found = lapse(dataset)
    assert side_by_side(found) == [
        [0.198, 0.339, 0.382, 0.683],
        [0.546, 0.478, 0.268, 0.683],
        [0.238, 0.359, 0.334, 0.675],
        [0.0, -1, 0.43, 0.594],
    ]
    assert (found.gaps.day_by(0.8), found.gaps.naive_day_by(0.8)) == (130, 70)
    assert any("calls nobody lapsed" in sentence for sentence in found.warnings)


@pytest.mark.real_data
def test_cdnow():
    with lk.cdnow(sample=False) as dataset:
        found = lapse(dataset)
    assert side_by_side(found) == [
        [0.772, 0.056, 0.614, 0.828],
        [0.854, 0.076, 0.548, 0.828],
        [0.706, 0.053, 0.649, 0.79],
        [0.713, 0.053, 0.642, 0.789],
    ]
    assert found.agreement["share_agree"].round(3).tolist() == [0.918, 0.921, 0.934, 0.851, 0.859, 0.984]
    assert (found.gaps.day_by(0.6), found.gaps.naive_day_by(0.6), found.gaps.day_by(0.7)) == (183, 50, None)


def test_p_alive_by_another_model(root):
    with lk.load(root / "data/shop") as dataset:
        found = lapse(dataset, [PAlive(0.5, "BG/NBD"), PAlive(0.5, "NBD")])
    assert found.frame["rule"].tolist() == ["P(alive) < 0.5, BG/NBD", "P(alive) < 0.5, NBD"]
    assert found.frame["n_lapsed"].tolist()[1] == 0
    assert found.frame["auc"].tolist()[1] == 0.5
