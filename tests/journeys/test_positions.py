"""The step matrix by hand, against plain Python, and beside the paths it must agree with."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from pandas.testing import assert_frame_equal

from lifecycle_kit.errors import UsageError
from lifecycle_kit.journeys.declared import JourneyRules
from lifecycle_kit.journeys.paths import paths
from lifecycle_kit.journeys.positions import step_matrix
from tests.engines import everywhere
from tests.journeys.test_paths import FEW, RULES, load_ecom
from tests.journeys.test_steps import as_of_days, order, read_plainly, small_logs, some_rules
from tests.told_rows import shop


def told(found):
    """(position, step) -> journeys, those of nobody left out."""
    return {(row.position, row.step): row.n_journeys for row in found.cells.itertuples() if row.n_journeys}


def test_by_hand():
    # journeys: a b (converted), a b (lost), a (lost), a (open), and two conversions without a step
    with shop(**FEW) as dataset:
        found = step_matrix(dataset, n_positions=3)
    assert told(found) == {
        (1, "a"): 4, (1, "(converted)"): 2,
        (2, "b"): 2, (2, "(converted)"): 2, (2, "(lost)"): 1, (2, "(open)"): 1,
        (3, "(converted)"): 3, (3, "(lost)"): 2, (3, "(open)"): 1,
    }  # fmt: skip
    share = found.cells.set_index(["position", "step"])["share"]
    assert share[(1, "a")] == pytest.approx(4 / 6)
    assert share[(3, "(lost)")] == pytest.approx(2 / 6)
    assert repr(found).startswith("StepMatrix(5 steps, 3 positions; shop, ")
    assert found.to_arrow().num_rows == len(found.to_frame())


def test_as_many_positions_as_asked():
    with shop(**FEW) as dataset:
        assert step_matrix(dataset, n_positions=1).cells["position"].unique().tolist() == [1]
        assert step_matrix(dataset).cells["position"].max() == 10


def test_conversions_alone():
    with shop(orders=[order("01-01"), order("01-02", n="o2")]) as dataset:
        assert told(step_matrix(dataset, n_positions=2)) == {(1, "(converted)"): 2, (2, "(converted)"): 2}


def test_only_journeys_that_begin_in_the_period():
    with shop(**FEW) as dataset:
        assert told(step_matrix(dataset, n_positions=2, since="2024-01-05", until="2024-01-06")) == {
            (1, "a"): 1, (2, "(lost)"): 1}  # fmt: skip


@given(small_logs(), some_rules(), as_of_days)
@settings(max_examples=15)
def test_rows_add_up_and_are_those_that_plain_python_reads(log, rules, as_of):
    events, orders = log
    plain = read_plainly(events, orders, rules, as_of)
    if not plain:
        return
    period = {"since": "2024-01-01", "until": as_of, "as_of": as_of}
    with shop(events=events, orders=orders) as dataset:
        found = step_matrix(dataset, rules, n_positions=6, **period)
        n_journeys = int(paths(dataset, rules, **period).counts["n_journeys"].sum())
    assert set(found.cells.groupby("position")["n_journeys"].sum()) == {n_journeys} == {len(plain)}
    assert found.cells.groupby("position")["share"].sum().to_numpy() == pytest.approx(1)
    expected = Counter(
        (i + 1, journey.steps[i] if i < len(journey.steps) else f"({journey.outcome})")
        for journey in plain
        for i in range(6)
    )
    assert told(found) == expected


@everywhere
def test_everywhere(on_engine):
    with shop(**FEW) as dataset, on_engine(dataset) as there:
        for rules in (JourneyRules(), JourneyRules(collapsed=False, silence_days=3)):
            assert_frame_equal(step_matrix(there, rules).to_frame(), step_matrix(dataset, rules).to_frame())


@pytest.mark.parametrize("n_positions", [0, 101, 2.5, True, "10"])
def test_bad_positions(n_positions):
    with shop(**FEW) as dataset, pytest.raises(UsageError, match="from 1 to 100"):
        step_matrix(dataset, n_positions=n_positions)


def test_no_journey_in_the_period():
    with shop(**FEW) as dataset, pytest.raises(UsageError, match="No touchpoint fits"):
        step_matrix(dataset, since="2024-01-10", until="2024-01-20")


@pytest.mark.real_data
def test_the_clicks_of_a_real_shop(shared, tmp_path):
    dataset, _ = load_ecom(shared, tmp_path)
    with dataset:
        for rules in RULES:
            counts = paths(dataset, rules).counts
            cells = step_matrix(dataset, rules, n_positions=30).cells
            assert set(cells.groupby("position")["n_journeys"].sum()) == {int(counts["n_journeys"].sum())}
            ended = cells[(cells["step"] == "(converted)") & (cells["position"] == 30)]["n_journeys"].iloc[0]
            assert ended == counts.loc[counts["n_steps"] < 30, "n_converted"].sum()
