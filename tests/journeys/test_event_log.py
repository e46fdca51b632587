"""The event log for other tools: its columns, its order, and that it tells the same journeys when it is read back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings

import lifecycle_kit as lk
from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.journeys.declared import JourneyRules
from lifecycle_kit.journeys.event_log import FORMATS, event_log
from lifecycle_kit.journeys.graph import journey_graph
from lifecycle_kit.journeys.paths import paths
from tests.engines import everywhere
from tests.journeys.test_paths import FEW, ODD, load_ecom
from tests.journeys.test_steps import as_of_days, order, read_plainly, small_logs, some_rules, touch
from tests.told_rows import shop


def rows(table):
    """Tuples, with times as text."""
    return [tuple(str(v) if isinstance(v, dt.datetime) else v for v in row.values()) for row in table.to_pylist()]


def test_by_hand():
    with shop(**FEW) as dataset:
        found = event_log(dataset)
    assert found.column_names == ["user_id", "session_id", "event", "timestamp"]
    assert rows(found) == [
        ("ann", "ann/1", "a", "2024-01-01 00:00:00"),
        ("ann", "ann/1", "b", "2024-01-02 00:00:00"),
        ("ann", "ann/1", "converted", "2024-01-03 00:00:00"),
        ("ann", "ann/2", "converted", "2024-01-09 00:00:00"),
        ("bob", "bob/1", "a", "2024-01-01 00:00:00"),
        ("bob", "bob/1", "b", "2024-01-03 00:00:00"),
        ("cyd", "cyd/1", "a", "2024-01-05 00:00:00"),
        ("cyd", "cyd/2", "a", "2024-03-01 00:00:00"),
        ("dan", "dan/1", "converted", "2024-01-04 00:00:00"),
    ]


def test_both_formats_tell_the_same():
    with shop(**FEW) as dataset:
        found = {name: event_log(dataset, format=name) for name in FORMATS}
    assert found["pm4py"].column_names == ["person", "case:concept:name", "concept:name", "time:timestamp"]
    assert rows(found["pm4py"]) == rows(found["retentioneering"])


def test_only_journeys_that_begin_in_the_period():
    with shop(**FEW) as dataset:
        found = rows(event_log(dataset, since="2024-01-02", until="2024-01-05", as_of="2024-01-08"))
    # the number of a journey is that of all the log
    assert [row[:3] for row in found] == [("cyd", "cyd/1", "a"), ("dan", "dan/1", "converted")]


def test_ties_are_told_in_the_order_of_the_journey():
    same = [touch(name, "01-01") for name in ("b", "a", "z")]
    with shop(events=same, orders=[order("01-01")]) as dataset:
        assert [row[2] for row in rows(event_log(dataset))] == ["a", "b", "z", "converted"]


def test_more_than_nine_journeys_are_in_order_of_time():
    many = [touch("a", f"01-{day:02d} 10:00") for day in range(1, 13)]
    orders = [order(f"01-{day:02d} 11:00", n=f"o{day}") for day in range(1, 13)]
    with shop(events=many, orders=orders) as dataset:
        found = rows(event_log(dataset))
    assert [row[1] for row in found] == [f"ann/{n}" for n in range(1, 13) for _ in "ab"]
    assert [row[3] for row in found] == sorted(row[3] for row in found)


def read_back(table):
    """An event log as a dataset: without sessions, as the names and times alone must tell the journeys."""
    frame = table.to_pandas().rename(columns=dict(zip(FORMATS["retentioneering"], ("person_id", "case", "event",
        "occurred_at"), strict=True)))  # fmt: skip
    return lk.load({"events": frame.drop(columns="case")}, currency="EUR")


@given(small_logs(), some_rules(), as_of_days)
@settings(max_examples=8)
def test_read_back_it_gives_the_same_graph(log, rules, as_of):
    events, orders = log
    if not read_plainly(events, orders, rules, as_of):
        return
    import dataclasses

    rules = dataclasses.replace(rules, collapsed=False)
    period = {"since": "2024-01-01", "until": as_of, "as_of": as_of}
    with shop(events=events, orders=orders) as dataset:
        first = journey_graph(dataset, rules, **period)
        again = event_log(dataset, rules, **period)
    back = JourneyRules(conversion=("converted",), silence_days=rules.silence_days, collapsed=False)
    with read_back(again) as dataset:
        second = journey_graph(dataset, back, **period)
    assert first.edges.equals(second.edges)
    assert first.nodes.equals(second.nodes)


@everywhere
def test_everywhere(on_engine):
    names = [touch("e", f"01-{day:02d} 10:07", channel=name, person=name) for day, name in enumerate(ODD, 1)]
    with shop(events=[*FEW["events"], *names], orders=FEW["orders"]) as dataset, on_engine(dataset) as there:
        for rules in (JourneyRules(), JourneyRules(step="channel", per="session")):
            here, beyond = event_log(dataset, rules), event_log(there, rules)
            assert beyond.schema.names == here.schema.names
            assert rows(beyond) == rows(here)


def test_bad_calls():
    with shop(**FEW) as dataset:
        with pytest.raises(UnknownNameError, match="pm4py"):
            event_log(dataset, format="pm4")
        with pytest.raises(UsageError, match="is empty"):
            event_log(dataset, since="2025-01-01")


@pytest.mark.real_data
def test_the_clicks_of_a_real_shop(shared, tmp_path):
    dataset, plain = load_ecom(shared, tmp_path)
    rules = JourneyRules(collapsed=False)
    with dataset:
        found = event_log(dataset, rules)
        counts, graph = paths(dataset, rules).counts, journey_graph(dataset, rules)
    n_orders = len(plain[plain["event"] == "purchase"].drop_duplicates(["user_id", "timestamp"]))
    assert found.num_rows == (plain["event"] != "purchase").sum() + n_orders
    assert len(set(found["session_id"].to_pylist())) == counts["n_journeys"].sum()
    with read_back(found) as dataset:
        again = journey_graph(dataset, JourneyRules(conversion=("converted",), collapsed=False))
    assert again.edges.equals(graph.edges)
