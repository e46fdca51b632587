"""RFM: scores by hand, equals never parted, every customer in one group, each group with its rule."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from lifecycle_kit.churn.rfm import rfm, rfm_of, scores_of
from lifecycle_kit.churn.rfm_rules import RULES, group_of
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from lifecycle_kit.plots import alt_text
from tests.told_rows import shop

DAY = dt.date(2024, 3, 31)
# (person, days of purchase, cents of each)
TOLD = [
    ("ann", ["2024-01-01", "2024-02-01", "2024-03-30"], 9_000),
    ("bob", ["2024-03-01"], 2_000),
    ("cyd", ["2024-03-01"], 2_000),
    ("dan", ["2024-01-10"], 1_000),
    ("eve", ["2024-01-05", "2024-01-15"], 4_000),
]


def orders(rows=TOLD):
    """Rows -> orders at noon."""
    flat = [(name, day, cents) for name, days, cents in rows for day in days]
    return [(f"o{i}", name, f"{day} 12:00", cents, 0) for i, (name, day, cents) in enumerate(flat)]


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture
def few():
    with shop(orders=orders()) as dataset:
        yield rfm(dataset, as_of=DAY)


def table(frequency, *, recency=None, monetary=None):
    n = len(frequency)
    return pd.DataFrame(
        {
            "person_id": [f"p{i}" for i in range(n)],
            "recency_days": np.arange(n, dtype=float) if recency is None else np.asarray(recency, dtype=float),
            "frequency": frequency,
            "monetary": np.arange(n, dtype=float) if monetary is None else np.asarray(monetary, dtype=float),
            "mean_order_value": 1.0,
        }
    )


def test_by_hand(few):
    found = few.frame.set_index("person_id")
    # days since the last purchase: 1, 30, 30, 81, 76; so worse than ann are 4 of 5, than bob and cyd 2, than eve 1
    assert found["recency_days"].to_dict() == {"ann": 1, "bob": 30, "cyd": 30, "dan": 81, "eve": 76}
    assert found["r"].to_dict() == {"ann": 5, "bob": 3, "cyd": 3, "dan": 1, "eve": 2}
    assert found["f"].to_dict() == {"ann": 5, "bob": 1, "cyd": 1, "dan": 1, "eve": 4}
    assert found["monetary"].to_dict() == {"ann": 270, "bob": 20, "cyd": 20, "dan": 10, "eve": 80}
    assert found["m"].to_dict() == {"ann": 5, "bob": 2, "cyd": 2, "dan": 1, "eve": 4}
    assert found["cell"]["ann"] == "5-5-5"
    assert found["group"].to_dict() == {
        "ann": "champions", "bob": "about to sleep", "cyd": "about to sleep", "dan": "hibernating",
        "eve": "cannot lose",
    }  # fmt: skip


def test_an_empty_score_says_which_tie_makes_it_so(few):
    assert few.warnings == (
        "Nobody has a recency score of 4: 40% of the customers have the same value (30 days ago), and equals share a "
        "score.",
        "Nobody has a frequency score of 2 or 3: 60% of the customers have the same value (1 purchase), and equals "
        "share a score.",
        "Nobody has a monetary score of 3: 40% of the customers have the same value (20), and equals share a score.",
    )
    empty = few.scores[few.scores["n_customers"] == 0]
    assert list(zip(empty["measure"], empty["score"], strict=True)) == [
        ("recency", 4), ("frequency", 2), ("frequency", 3), ("monetary", 3),
    ]  # fmt: skip
    assert few.scores.groupby("measure")["n_customers"].sum().eq(5).all()


def test_cells_and_groups_add_up(few):
    cells, groups = few.cells(), few.groups()
    for made in (cells, groups):
        assert (made["n_customers"].sum(), made["purchases"].sum()) == (5, 8)
        assert made["revenue"].sum() == pytest.approx(400)
        assert made["revenue_share"].sum() == pytest.approx(1)
    assert cells["cell"].tolist() == ["5-5-5", "3-1-2", "2-4-4", "1-1-1"]
    assert groups["group"][0] == "about to sleep"
    assert groups["median_frequency"][0] == 1
    assert set(few.members("about to sleep")["person_id"]) == {"bob", "cyd"}
    with pytest.raises(UnknownNameError, match="Did you mean 'champions'"):
        few.members("champion")


@given(
    values=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    n_groups=st.integers(2, 10),
)
def test_equals_share_a_score_and_the_score_tells_how_many_are_worse(values, n_groups):
    given_ = np.array(values, dtype=np.float64)
    score = scores_of(given_, n_groups)
    assert set(score) <= set(range(1, n_groups + 1))
    for value in set(values):
        mine = set(score[given_ == value])
        worse = int((given_ < value).sum())
        assert mine == {1 + n_groups * worse // len(values)}
    order = np.argsort(given_, kind="stable")
    assert (np.diff(score[order]) >= 0).all()


def test_without_ties_scores_have_equal_sizes():
    assert np.bincount(scores_of(np.arange(100.0), 5).astype(int))[1:].tolist() == [20] * 5


@pytest.mark.parametrize("n_groups", range(2, 11))
def test_the_rules_leave_nobody_out(n_groups):
    every = np.array(np.meshgrid(*[np.arange(1, n_groups + 1)] * 3)).reshape(3, -1).astype(float)
    scores = dict(zip("rfm", every, strict=True))
    assert (group_of(scores, n_groups) >= 0).all()
    assert (group_of(scores | {"m": np.full(every.shape[1], np.nan)}, n_groups) >= 0).all()
    assert all(rule.words for rule in RULES)


def test_each_group_is_reached_with_five_scores():
    every = np.array(np.meshgrid(*[np.arange(1, 6)] * 3)).reshape(3, -1).astype(float)
    assert set(group_of(dict(zip("rfm", every, strict=True)), 5)) == set(range(len(RULES)))


def test_unknown_revenue_has_no_score_and_is_said():
    found = rfm_of(table([1, 2, 3, 4, 5], monetary=[math.nan, 1, 2, 3, 4]), as_of=DAY)
    assert found.frame["m"].isna().tolist() == [True, False, False, False, False]
    assert found.frame["cell"][0] == "5-1-?"
    assert found.frame["group"][0] == "new"
    assert any(sentence.startswith("The revenue of 1 of 5 customers is not known") for sentence in found.warnings)
    none = rfm_of(table([1, 2, 3, 4, 5], monetary=[math.nan] * 5), as_of=DAY)
    assert none.groups()["revenue_share"].isna().all()
    assert any("The revenue of 5 of 5" in sentence for sentence in none.warnings)


def test_everybody_bought_once():
    found = rfm_of(table([1] * 10), as_of=DAY)
    assert set(found.frame["f"]) == {1}
    assert any("frequency score of 2, 3, 4 or 5: 100% of the customers" in s for s in found.warnings)


def test_a_whale_is_one_customer():
    found = rfm_of(table(range(1, 11), monetary=[10.0] * 9 + [810.0]), as_of=DAY)
    assert found.frame["m"].tolist() == [1] * 9 + [5]
    assert found.cells()["revenue_share"].max() == pytest.approx(0.9)


def test_the_mean_value_of_an_order_on_request():
    with shop(orders=orders()) as dataset:
        found = rfm(dataset, as_of=DAY, monetary="mean_order_value")
    assert found.frame.set_index("person_id")["monetary"].to_dict() == {
        "ann": 90, "bob": 20, "cyd": 20, "dan": 10, "eve": 40,
    }  # fmt: skip


def test_what_came_later_is_not_known():
    with shop(orders=orders()) as dataset:
        found = rfm(dataset, as_of="2024-03-01", n_groups=2)
    assert found.frame.set_index("person_id")["frequency"]["ann"] == 2


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"n_groups": 1}, UsageError, "n_groups is 1. Give a whole number from 2 to 10"),
        ({"n_groups": 5.0}, UsageError, "n_groups is 5.0"),
        ({"n_groups": True}, UsageError, "n_groups is True"),
        ({"n_groups": 6}, DataError, "There are 5 customers for 6 scores"),
        ({"monetary": "profit"}, UnknownNameError, "Unknown monetary 'profit'"),
        ({"as_of": "2023-01-01"}, DataError, "Nobody had bought by 2023-01-01"),
    ],
)
def test_bad_input_is_refused(asked, error, says):
    with shop(orders=orders()) as dataset, pytest.raises(error) as caught:
        rfm(dataset, **{"as_of": DAY, **asked})
    assert says in str(caught.value)


def test_one_customer_is_too_few():
    with shop(orders=orders([("ann", ["2024-01-01"], 100)])) as dataset, pytest.raises(DataError) as caught:
        rfm(dataset)
    assert "There is 1 customer for 5 scores" in str(caught.value)


def test_the_grid_tells_size_and_revenue(few):
    ax = few.plot()
    texts = [text.get_text() for text in ax.texts]
    assert "40%" in texts
    assert "1 person, 68% of revenue" in texts
    assert [label.get_text() for label in ax.get_yticklabels()] == ["5", "4", "3", "2", "1"]
    assert ax.get_title(loc="left") == "Recency and frequency, 2024-03-31"
    assert "recency 5, frequency 5: 20.0% of customers, 67.5% of revenue" in alt_text(ax)
    assert any("Source: " in text for text in texts)


def test_frame_and_arrow_tell_the_same(few):
    assert few.to_arrow().column_names == list(few.to_frame().columns)
    assert repr(few).startswith("RFM(5 customers, scores 1 to 5: about to sleep 2")
