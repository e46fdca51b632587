"""The grid of risk by value: by hand on ten customers, beside a plain reading, and what is wrong by case."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lifecycle_kit.churn.risk_value import risk_value
from lifecycle_kit.errors import UnknownNameError, UsageError

IDS = [f"p{i}" for i in range(10)]
RISK = [0.9, 0.1, 0.5, 0.8, 0.79, 0.49, 1.0, 0.0, 0.95, 0.6]
CLV = [100.0, 90, 80, 70, 60, 50, 40, 30, 20, 10]


def risks(values=RISK, ids=IDS):
    return pd.DataFrame({"person_id": ids[: len(values)], "risk": values})


def worth(values=CLV, ids=IDS, **more):
    return pd.DataFrame({"person_id": ids[: len(values)], "clv": values, **more})


def cell(found, name):
    return found.cells.set_index("cell").loc[name]


def test_by_hand():
    found = risk_value(risks(), worth())
    # the top 2 by value, the next 3, the other 5; edges belong to the higher risk
    assert found.people.set_index("person_id")["cell"].to_dict() == {
        "p0": "high risk, high value",
        "p1": "low risk, high value",
        "p2": "middle risk, middle value",
        "p3": "high risk, middle value",
        "p4": "middle risk, middle value",
        "p5": "low risk, low value",
        "p6": "high risk, low value",
        "p7": "low risk, low value",
        "p8": "high risk, low value",
        "p9": "middle risk, low value",
    }
    one = cell(found, "middle risk, middle value")
    assert one[["n_customers", "share_customers", "value"]].tolist() == [2, 0.2, 140]
    assert one["mean_risk"] == pytest.approx(0.645)
    assert one["at_risk"] == pytest.approx(0.5 * 80 + 0.79 * 60)
    total = sum(r * v for r, v in zip(RISK, CLV, strict=True))
    assert one["share_at_risk"] == pytest.approx(87.4 / total)
    assert one["share_value"] == pytest.approx(140 / 550)
    assert pd.isna(one["stage"])
    assert one["meaning"] == (
        "Of the next 30 % of customers by value, those who will not order in the window with a probability of 50 % to "
        "below 80 %."
    )
    # empty cells stay
    empty = cell(found, "middle risk, high value")
    assert empty[["n_customers", "value", "at_risk", "lo", "hi"]].tolist() == [0, 0, 0, 0, 0]
    assert np.isnan(empty["mean_risk"])
    assert len(found.cells) == 9
    assert "Nobody is in 2 of 9 cells: middle risk, high value; low risk, middle value." in found.warnings
    assert found.cells["cell"].tolist()[::4] == [
        "high risk, high value",
        "middle risk, middle value",
        "low risk, low value",
    ]
    assert repr(found).startswith(f"RiskValueGrid(10 customers worth 550, {total:,.0f} at risk)")
    assert_frame_equal(found.to_arrow().to_pandas(), found.to_frame(), check_dtype=False)


def test_members():
    found = risk_value(risks(), worth(lo=[1.0] * 10, hi=[2.0] * 10))
    told = found.members("high risk, low value")
    assert told[["person_id", "risk", "clv", "lo", "hi", "at_risk"]].to_dict("list") == {
        "person_id": ["p6", "p8"], "risk": [1, 0.95], "clv": [40, 20], "lo": [1, 1], "hi": [2, 2], "at_risk": [40, 19],
    }  # fmt: skip
    assert len(found.members()) == 10
    assert found.members("middle risk, high value").empty
    with pytest.raises(UnknownNameError, match="Unknown cell 'high risk, top value'"):
        found.members("high risk, top value")


def test_equal_values_stay_together():
    # seven are worth nothing: their places are 0.3 to 1, the middle of which is 0.65
    found = risk_value(risks(), worth([3.0, 2, 1, *[0] * 7]))
    assert found.people["cell"].str.endswith("low value").sum() == 7
    assert any(w.startswith("7 customers of equal value, 0.00, lie across an edge") for w in found.warnings)
    # three share the first place: the middle of 0 to 0.3 is among the first fifth
    found = risk_value(risks(), worth([5.0, 5, 5, 4, 3, 2, 1.5, 1, 0.5, 0.2]))
    assert found.people["cell"].str.endswith("high value").sum() == 3
    # all alike are in the middle
    found = risk_value(risks(), worth([7.0] * 10))
    assert found.people["cell"].str.endswith("middle value").all()


def test_the_interval_is_that_of_independent_outcomes():
    """Equal values: the number who do not order is binomial; the interval is that of the count times the value."""
    from scipy.stats import binom

    n = 400
    ids = [f"q{i}" for i in range(n)]
    found = risk_value(risks([0.6] * n, ids), worth([10.0] * n, ids), level=0.9)
    one = cell(found, "middle risk, middle value")
    assert one["n_customers"] == n
    assert one["at_risk"] == pytest.approx(2_400)
    low, high = (10 * binom.ppf(q, n, 0.6) for q in (0.05, 0.95))
    assert abs(one["lo"] - low) <= 20
    assert abs(one["hi"] - high) <= 20
    again = risk_value(risks([0.6] * n, ids), worth([10.0] * n, ids), level=0.9)
    assert_frame_equal(found.cells, again.cells)
    wide = risk_value(risks([0.6] * n, ids), worth([10.0] * n, ids), level=0.99)
    assert cell(wide, "middle risk, middle value")["lo"] < one["lo"]


def test_more_people_than_are_drawn_at_a_time(monkeypatch):
    from lifecycle_kit.churn import risk_value as module

    n = 300
    ids = [f"q{i}" for i in range(n)]
    frames = risks(list(np.linspace(0, 1, n)), ids), worth(list(np.linspace(1, 50, n)), ids)
    whole = risk_value(*frames)
    monkeypatch.setattr(module, "CHUNK", 7)
    parts = risk_value(*frames)
    assert_frame_equal(whole.cells.drop(columns=["lo", "hi"]), parts.cells.drop(columns=["lo", "hi"]))
    for name in ("lo", "hi"):
        assert parts.cells[name].tolist() == pytest.approx(whole.cells[name].tolist(), rel=0.1, abs=5)


def test_a_whale_is_called_out():
    found = risk_value(risks(), worth([9_000.0, *[100] * 9]))
    (said,) = [w for w in found.warnings if w.startswith("One customer")]
    assert said == (
        "One customer, 'p0', holds 91% of all value (risk 90%; high risk, high value): figures of that cell are this "
        "customer's."
    )
    assert not any("One customer" in w for w in risk_value(risks(), worth()).warnings)


def test_stages():
    stages = pd.DataFrame({"person_id": [*IDS[2:], "zoe"], "stage": ["purchase", "retention"] * 4 + ["awareness"]})
    found = risk_value(risks(), worth(), stages=stages)
    told = found.cells.set_index("cell")["stage"].to_dict()
    assert told["high risk, high value"] == "(unknown)"
    assert told["middle risk, middle value"] == "purchase"
    assert pd.isna(told["middle risk, high value"])
    # p5 and p7 are both in retention
    rows = found.crosstab[found.crosstab["cell"] == "low risk, low value"]
    assert rows[["stage", "n_customers", "share"]].to_dict("list") == {
        "stage": ["retention"], "n_customers": [2], "share": [1],
    }  # fmt: skip
    assert found.crosstab["n_customers"].sum() == 10
    assert "Of the people with a stage 1 have no risk or no value: they are in no cell." in found.warnings
    assert "The stage of 2 of 10 customers is not known: (unknown)." in found.warnings
    assert risk_value(risks(), worth()).crosstab.empty


def test_of_two_stages_with_as_many_the_first_by_name():
    stages = pd.DataFrame({"person_id": IDS, "stage": list("bbbbbabbbb")})
    found = risk_value(risks(), worth(), stages=stages)
    assert found.cells.set_index("cell").loc["low risk, low value", "stage"] == "a"


def test_who_is_missing_is_counted():
    found = risk_value(risks(RISK[:8]), worth(CLV[:7], IDS[1:8]))
    assert (found.n_without_value, found.n_without_risk, len(found.people)) == (1, 0, 7)
    found = risk_value(risks(RISK[:3]), worth(CLV))
    assert (found.n_without_value, found.n_without_risk) == (0, 7)
    assert "7 people with a value have no risk: they are in no cell." in found.warnings


def test_one_customer_and_nobody_worth_anything():
    found = risk_value(risks([0.3]), worth([12.0]))
    assert cell(found, "low risk, middle value")["n_customers"] == 1
    assert cell(found, "low risk, middle value")[["lo", "hi"]].tolist() == [0, 12]
    found = risk_value(risks(), worth([0.0] * 10))
    assert found.cells["share_at_risk"].isna().all()
    assert "Nobody is worth anything: every clv is 0, and so is every revenue at risk." in found.warnings


def test_certain_outcomes_have_no_width():
    found = risk_value(risks([1.0, 0.0] * 5), worth())
    assert (found.cells["lo"] == found.cells["at_risk"]).all()
    assert (found.cells["hi"] == found.cells["at_risk"]).all()


def test_other_edges():
    found = risk_value(risks(), worth(), risk_edges=(0.2, 0.3), value_edges=[0.1, 0.9])
    assert found.people.set_index("person_id").loc["p0", "cell"] == "high risk, high value"
    assert found.people["cell"].str.endswith("middle value").sum() == 8
    assert "top 10 % of customers by value" in cell(found, "low risk, high value")["meaning"]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6)), min_size=1, max_size=30),
    st.permutations(range(30)),
)
@settings(max_examples=25)
def test_parts_make_the_whole_whatever_the_order(people, order):
    ids = [f"p{i:02}" for i in range(len(people))]
    first, second = risks([p for p, _ in people], ids), worth([v for _, v in people], ids)
    found = risk_value(first, second)
    mixed = [i for i in order if i < len(people)]
    again = risk_value(first.iloc[mixed], second.iloc[mixed[::-1]])
    assert_frame_equal(found.cells, again.cells)
    assert found.cells["n_customers"].sum() == len(people)
    assert found.cells["at_risk"].sum() == pytest.approx(sum(p * v for p, v in people))
    assert (found.cells["lo"] <= found.cells["hi"]).all()
    assert (found.cells["hi"] <= found.cells["value"] * (1 + 1e-9)).all()
    # nobody of a better group is worth less than somebody of a worse one, and equals are together
    rank = found.people["cell"].str.split(", ").str[1].map({"high value": 0, "middle value": 1, "low value": 2})
    assert (rank.iloc[np.argsort(-found.people["clv"], kind="stable")].diff().dropna() >= 0).all()
    assert rank.groupby(found.people["clv"]).nunique().max() == 1


TWICE = pd.DataFrame({"person_id": ["p0", "p0"], "risk": [0.1, 0.2], "clv": [1.0, 2.0], "stage": ["a", "b"]})
BAD = {
    "above 1": (lambda: risk_value(risks([0.1, 1.2]), worth()), "risk of 'p1' is 1.2"),
    "below 0": (lambda: risk_value(risks([-0.1]), worth()), "risk of 'p0' is -0.1"),
    "no risk": (lambda: risk_value(risks([0.1, None]), worth()), "risk of 'p1' is nan"),
    "text": (lambda: risk_value(risks(["high"]), worth()), "risk holds what is no number"),
    "twice a risk": (lambda: risk_value(TWICE, worth()), "frame of risk names 'p0' more than once"),
    "twice a value": (lambda: risk_value(risks(), TWICE), "frame of value names 'p0' more than once"),
    "twice a stage": (lambda: risk_value(risks(), worth(), stages=TWICE), "frame of stages names 'p0' more than once"),
    "no column": (lambda: risk_value(worth(), worth()), "frame of risk has no column 'risk'"),
    "no frame": (lambda: risk_value(None, worth()), "no column 'person_id'"),
    "no stage": (lambda: risk_value(risks(), worth(), stages=risks()), "frame of stages has no column 'stage'"),
    "negative": (lambda: risk_value(risks(), worth([-1.0])), "clv of 'p0' is -1"),
    "endless": (lambda: risk_value(risks(), worth([1.0, float("inf")])), "clv of 'p1' is inf"),
    "no person": (lambda: risk_value(risks([0.1], [None]), worth()), "a row without person_id"),
    "strangers": (lambda: risk_value(risks(), worth([1.0], ["zoe"])), "None of 10 people with a risk has a value"),
    "empty": (lambda: risk_value(risks([]), worth([])), "None of 0 people"),
    "edges": (lambda: risk_value(risks(), worth(), risk_edges=(0.8, 0.5)), "risk_edges is"),
    "one edge": (lambda: risk_value(risks(), worth(), value_edges=(0.5,)), "value_edges is"),
    "edge of 1": (lambda: risk_value(risks(), worth(), value_edges=(0.5, 1)), "value_edges is"),
    "level": (lambda: risk_value(risks(), worth(), level=90), "level is 90"),
    "seed": (lambda: risk_value(risks(), worth(), seed=-1), "seed is -1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    ask, message = BAD[case]
    with pytest.raises(UsageError, match=message):
        ask()
