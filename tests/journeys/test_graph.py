"""The directly-follows graph: by hand, two oracles, against plain Python, on every engine, and of real clicks.

Oracles: pm4py's running example (`06_dfg`, identical to `discover_dfg`), and the transition matrix of retentioneering
on three paths (`07_transition_matrix`).
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import Counter, defaultdict
from fractions import Fraction
from statistics import mean, median

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.journeys.declared import JourneyRules
from lifecycle_kit.journeys.graph import ENDS, START, journey_graph
from lifecycle_kit.journeys.paths import paths
from tests.engines import everywhere
from tests.journeys.test_paths import FEW, ODD, load_ecom, plain_journeys
from tests.journeys.test_steps import as_of_days, order, read_plainly, small_logs, some_rules, touch
from tests.told_rows import shop

# one journey per person, no step left out
ONE_EACH = JourneyRules(conversion=("never happens",), silence_days=3_650, collapsed=False)


def told(found, *columns):
    """(from, to) -> n, or a tuple of columns."""
    columns = columns or ("n",)
    rows = found.edges[["from_step", "to_step", *columns]].itertuples(index=False, name=None)
    return {(a, b): figures[0] if len(columns) == 1 else figures for a, b, *figures in rows}


def nodes(found):
    return {row.step: (row.n, row.n_first, row.n_last) for row in found.nodes.itertuples()}


def test_by_hand():
    # a b (converted), a b (lost), a (lost), a (open), and two conversions without a step
    with shop(**FEW) as dataset:
        found = journey_graph(dataset)
    assert told(found) == {
        (START, "a"): 4, (START, "(converted)"): 2, ("a", "b"): 2, ("a", "(lost)"): 1, ("a", "(open)"): 1,
        ("b", "(converted)"): 1, ("b", "(lost)"): 1,
    }  # fmt: skip
    # a day for ann, two for bob
    assert told(found, "hours")[("a", "b")] == 36
    assert told(found, "hours")[("b", "(converted)")] == 24
    assert told(found, "share")[("a", "b")] == 0.5
    assert nodes(found) == {"a": (4, 4, 2), "b": (2, 0, 2)}
    assert found.n_journeys == 6
    assert repr(found) == "JourneyGraph(2 steps, 7 edges; shop, 2024-01-01 to 2024-03-01, as of 2024-03-01)"
    assert found.to_arrow().num_rows == len(found.to_frame()) == 7


def test_no_time_where_there_is_none():
    with shop(**FEW) as dataset:
        hours = told(journey_graph(dataset), "hours")
    assert {edge for edge, value in hours.items() if value == value} == {("a", "b"), ("b", "(converted)")}


def test_mean_and_median():
    rows = [touch("a", "01-01", person=p) for p in "pqr"]
    rows += [touch("b", f"01-01 0{hours}:30", person=p) for p, hours in zip("pqr", (1, 2, 9), strict=True)]
    with shop(events=rows) as dataset:
        assert told(journey_graph(dataset, times="median"), "hours")[("a", "b")] == 2.5
        assert told(journey_graph(dataset), "hours")[("a", "b")] == pytest.approx(4.5)


def test_collapsed_a_step_does_not_follow_itself():
    rows = [touch(name, f"01-01 0{hour}:00") for hour, name in enumerate("aaabb", 1)]
    with shop(events=rows) as dataset:
        found, whole = journey_graph(dataset), journey_graph(dataset, JourneyRules(collapsed=False))
    assert told(found) == {(START, "a"): 1, ("a", "b"): 1, ("b", "(open)"): 1}
    assert told(found, "hours")[("a", "b")] == 1.0  # from the last of equal steps to the next
    assert told(whole) == {(START, "a"): 1, ("a", "a"): 2, ("a", "b"): 1, ("b", "b"): 1, ("b", "(open)"): 1}
    # touchpoints are counted either way
    assert nodes(found) == nodes(whole) == {"a": (3, 1, 0), "b": (2, 0, 1)}


def test_matrix():
    with shop(**FEW) as dataset:
        found = journey_graph(dataset)
    counts = found.matrix("n")
    assert counts.index.tolist() == [START, "a", "b"]
    assert counts.columns.tolist() == ["a", "b", *ENDS.values()]
    assert counts.to_numpy().tolist() == [[4, 0, 2, 0, 0], [0, 2, 0, 1, 1], [0, 0, 1, 1, 0]]
    assert found.matrix().sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert pd.isna(found.matrix("hours").loc["a", "a"])
    with pytest.raises(UnknownNameError, match="hours"):
        found.matrix("hour")


def test_filtered():
    with shop(**FEW) as dataset:
        found = journey_graph(dataset)
    assert told(found.filtered(0.3)) == {(START, "a"): 4, (START, "(converted)"): 2, ("a", "b"): 2}
    assert told(found.filtered(0)) == told(found)
    assert nodes(found.filtered(0.5)) == {"a": (4, 4, 2)}
    for share in (-0.1, 1, 5):
        with pytest.raises(UsageError, match="least_share"):
            found.filtered(share)


def test_only_touchpoints_of_the_period():
    with shop(**FEW) as dataset:
        found = journey_graph(dataset, since="2024-01-02", until="2024-01-03")
        # bob's journey ends in silence, but nobody can know that on the third
        assert told(found) == {(START, "b"): 2, ("b", "(converted)"): 1, ("b", "(open)"): 1}
        # cyd's first one is silent from the fifth on
        assert told(journey_graph(dataset, until="2024-02-04"))[("a", "(lost)")] == 1
        assert ("a", "(lost)") not in told(journey_graph(dataset, until="2024-02-03"))
        assert told(journey_graph(dataset, until="2024-02-03")) == told(journey_graph(dataset, as_of="2024-02-03"))


def test_names_are_told_as_they_are():
    rows = [touch("e", f"01-{day:02d}", channel=name) for day, name in enumerate(ODD, 1)]
    with shop(events=rows) as dataset:
        found = journey_graph(dataset, JourneyRules(step="channel"))
    assert set(told(found)) == set(zip([START, *ODD], [*ODD, "(open)"], strict=True))


def test_an_event_called_converted_is_a_step():
    with shop(events=[touch("converted", "01-01"), touch("a", "01-02")], orders=[order("01-03")]) as dataset:
        assert set(told(journey_graph(dataset))) == {(START, "converted"), ("converted", "a"), ("a", "(converted)")}


# pm4py's running example, a letter per activity, and pairs of its directly-follows graph
ACTIVITIES = {
    "r": "register request", "t": "examine thoroughly", "e": "examine casually", "c": "check ticket", "d": "decide",
    "j": "reject request", "p": "pay compensation", "n": "reinitiate request",
}  # fmt: skip
RUNNING = ("rtcdj", "rcedp", "recdntcdp", "rctdj", "recdncednecdj", "recdp")
RUNNING_PAIRS = {
    "cd": 6, "ce": 2, "ct": 1, "dp": 3, "dn": 3, "dj": 3, "ec": 4, "ed": 2, "tc": 2, "td": 1, "rc": 2, "re": 3, "rt": 1,
    "nc": 1, "ne": 1, "nt": 1,
}  # fmt: skip


def log_of(cases):
    """(case, activities in order) -> events, an hour apart."""
    start = dt.datetime(2024, 1, 1)
    return [
        (case, activity, str(start + dt.timedelta(hours=hour)))
        for case, activities in cases.items()
        for hour, activity in enumerate(activities)
    ]


def agrees_with_the_running_example(found, expected):
    edges = told(found)
    assert {edge: n for edge, n in edges.items() if START not in edge and edge[1] not in ENDS.values()} == {
        (a, b): n for a, b, n in expected["edges"]
    }
    assert {b: n for (a, b), n in edges.items() if a == START} == expected["start"]
    assert {a: n for (a, b), n in edges.items() if b in ENDS.values()} == expected["end"]
    assert found.n_journeys == expected["n_cases"]
    assert int(found.nodes["n"].sum()) == expected["n_events"]


def test_the_running_example_of_pm4py(shared):
    folder = shared / "oracles/06_dfg"
    traces = pd.read_csv(folder / "running_example_traces.csv").sort_values(["case_id", "position"])
    cases = {str(case): rows["activity"].tolist() for case, rows in traces.groupby("case_id")}
    with shop(events=log_of(cases)) as dataset:
        found = journey_graph(dataset, ONE_EACH)
    agrees_with_the_running_example(found, json.loads((folder / "expected_dfg.json").read_text()))


def test_the_running_example_without_the_shared_folder():
    cases = {str(i): [ACTIVITIES[letter] for letter in trace] for i, trace in enumerate(RUNNING)}
    with shop(events=log_of(cases)) as dataset:
        found = journey_graph(dataset, ONE_EACH)
    expected = {
        "edges": [(ACTIVITIES[a], ACTIVITIES[b], n) for (a, b), n in RUNNING_PAIRS.items()],
        "start": {"register request": 6},
        "end": {"reject request": 3, "pay compensation": 3},
        "n_cases": 6,
        "n_events": 42,
    }
    agrees_with_the_running_example(found, expected)


# three users of retentioneering, and what leaves each state for A, B, C and the end
THREE = {"user_1": "ABCABCBBB", "user_2": "ABABCC", "user_3": "BBB"}
STATES = ["path_start", "A", "B", "C", "path_end"]
COUNTS = [[0, 2, 1, 0, 0], [0, 0, 4, 0, 0], [0, 1, 4, 3, 2], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]]


def counts_and_shares(found, states):
    """From each state to each, the three ends being one: how often, and which share of what leaves it."""
    counts, shares = defaultdict(int), defaultdict(float)
    for (a, b), (n, share) in told(found, "n", "share").items():
        pair = ("path_start" if a == START else a, "path_end" if b in ENDS.values() else b)
        counts[pair] += n
        shares[pair] += share
    return [[counts[a, b] for b in states] for a in states], [[shares[a, b] for b in states] for a in states]


def test_three_paths_of_retentioneering(shared):
    folder = shared / "oracles/07_transition_matrix"
    rows = pd.read_csv(folder / "events.csv").sort_values(["user_id", "position"])
    expected = json.loads((folder / "expected.json").read_text())
    with shop(events=log_of({user: mine["event"].tolist() for user, mine in rows.groupby("user_id")})) as dataset:
        found = journey_graph(dataset, ONE_EACH)
    counts, shares = counts_and_shares(found, expected["states"])
    assert counts == expected["count"]
    assert shares == [[float(Fraction(share)) for share in row] for row in expected["proba_out"]]
    assert sum(map(sum, counts)) == expected["share_of_total_denominator"]


def test_three_paths_of_retentioneering_without_the_shared_folder():
    with shop(events=log_of(THREE)) as dataset:
        counts, shares = counts_and_shares(journey_graph(dataset, ONE_EACH), STATES)
    assert counts == COUNTS
    assert shares == [[n / max(sum(row), 1) for n in row] for row in COUNTS]


@given(small_logs(), some_rules(), as_of_days, st.sampled_from(["mean", "median"]))
@settings(max_examples=20)
def test_edges_are_those_that_plain_python_reads(log, rules, as_of, times):
    events, orders = log
    plain = read_plainly(events, orders, rules, as_of)
    if not plain:
        return
    period = {"since": "2024-01-01", "until": as_of, "as_of": as_of}
    with shop(events=events, orders=orders) as dataset:
        found = journey_graph(dataset, rules, times=times, **period)
        n_paths = int(paths(dataset, rules, **period).counts["n_journeys"].sum())
    counts, waits, touchpoints = Counter(), defaultdict(list), Counter()
    for journey in plain:
        names = [ENDS["converted"] if converts else name for _, converts, name in journey.rows]
        touchpoints.update(name for _, converts, name in journey.rows if not converts)
        pairs = [(START, names[0]), *itertools.pairwise(names)]
        if journey.outcome != "converted":
            pairs.append((names[-1], ENDS[journey.outcome]))
        counts.update((a, b) for a, b in pairs if a != b or not rules.collapsed)
        for (at, _, _), (next_at, _, _), pair in zip(journey.rows, journey.rows[1:], pairs[1:], strict=False):
            waits[pair].append((next_at - at).total_seconds() / 3600)
    assert told(found) == counts
    assert {step: n for step, (n, _, _) in nodes(found).items()} == touchpoints
    figure = {"mean": mean, "median": median}[times]
    for pair, hours in told(found, "hours").items():
        assert hours == pytest.approx(figure(waits[pair]) if waits[pair] else float("nan"), nan_ok=True)
    assert found.n_journeys == n_paths == len(plain)
    assert found.edges.groupby("from_step")["share"].sum().to_numpy() == pytest.approx(1)


@everywhere
def test_everywhere(on_engine):
    rows = [touch("e", f"01-{day:02d} 10:07", channel=name) for day, name in enumerate(ODD, 1)]
    with shop(events=[*FEW["events"], *rows], orders=FEW["orders"]) as dataset, on_engine(dataset) as there:
        for rules, times in (
            (JourneyRules(), "median"),
            (JourneyRules(collapsed=False, silence_days=3), "mean"),
            (JourneyRules(step="channel", per="session"), "mean"),
        ):
            here, beyond = (journey_graph(each, rules, times=times) for each in (dataset, there))
            assert_frame_equal(beyond.to_frame(), here.to_frame())
            assert_frame_equal(beyond.nodes, here.nodes)


def test_bad_calls():
    with shop(**FEW) as dataset:
        with pytest.raises(UnknownNameError, match="median"):
            journey_graph(dataset, times="medain")
        with pytest.raises(UsageError, match="is empty"):
            journey_graph(dataset, since="2025-01-01")
        with pytest.raises(UsageError, match="after the as-of day"):
            journey_graph(dataset, until="2024-02-01", as_of="2024-01-31")
        with pytest.raises(UsageError, match="No touchpoint fits"):
            journey_graph(dataset, since="2024-01-10", until="2024-01-20")


@pytest.mark.real_data
def test_the_clicks_of_a_real_shop(shared, tmp_path):
    dataset, plain = load_ecom(shared, tmp_path)
    with dataset:
        rules = JourneyRules(step="channel", collapsed=False)
        found = journey_graph(dataset, rules)
        read = plain_journeys(plain, "acquisition_channel")
        expected = Counter()
        for _, steps, outcome in read:
            names = [START, *steps, ENDS[outcome]]
            expected.update(itertools.pairwise(names))
        assert told(found) == expected
        for rules in (JourneyRules(), JourneyRules(collapsed=False), JourneyRules(step="channel", per="session")):
            found, counts = journey_graph(dataset, rules), paths(dataset, rules).counts
            assert found.n_journeys == counts["n_journeys"].sum()
            ended = found.edges.groupby("to_step")["n"].sum()
            assert [ended[end] for end in ENDS.values()] == [counts[f"n_{o}"].sum() for o in ENDS]
        # orders are no steps
        assert journey_graph(dataset).nodes["n"].sum() == (plain["event"] != "purchase").sum()
