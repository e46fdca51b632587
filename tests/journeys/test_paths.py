"""Paths by hand, long and oddly named, against plain Python, on every engine, and of a real shop's clicks."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from pandas.testing import assert_frame_equal

import lifecycle_kit as lk
from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.journeys.declared import JourneyRules
from lifecycle_kit.journeys.paths import paths
from tests.engines import everywhere
from tests.journeys.test_steps import as_of_days, order, read_plainly, small_logs, some_rules, touch
from tests.told_rows import shop

ECOM = """
mapping: 1
name: ecom
timezone: UTC
currency: EUR
routes:
  - table: events
    columns: {person_id: user_id, session_id: session_id, event: event, occurred_at: timestamp,
              channel: acquisition_channel}
"""


def load_ecom(shared, folder):
    """The clicks of `retentioneering_ecom`, and the same as plain pandas reads them."""
    mapping = folder / "ecom.yaml"
    mapping.write_text(ECOM)
    file = shared / "data/retentioneering_ecom/ecom.parquet"
    plain = pd.read_parquet(file)
    plain["timestamp"] = pd.to_datetime(plain["timestamp"])
    return lk.load(file, mapping=mapping), plain


def plain_journeys(plain, name, *, per_session=False):
    """Journeys of plain frames by a loop over people: (person, names, outcome), purchases at one instant being one."""
    close = plain["timestamp"].max().normalize() + pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    silence = pd.Timedelta(days=30)
    made = []
    for person, rows in plain.assign(is_order=plain["event"] == "purchase").groupby("user_id"):
        touches = rows[~rows["is_order"]].assign(name=lambda r: r[name])
        if per_session:
            touches = touches.sort_values(["timestamp", "name"]).drop_duplicates("session_id")
        orders = rows[rows["is_order"]].assign(name="").drop_duplicates("timestamp")
        both = pd.concat([touches, orders]).sort_values(["timestamp", "is_order", "name"])
        journey, last_at = [], None
        for at, is_order, step in both[["timestamp", "is_order", "name"]].itertuples(index=False):
            if journey and at - last_at > silence:
                made.append((person, tuple(journey), "lost"))
                journey = []
            if is_order:
                made.append((person, tuple(journey), "converted"))
                journey = []
            else:
                journey.append(step)
            last_at = at
        if journey:
            made.append((person, tuple(journey), "lost" if last_at + silence < close else "open"))
    return made


def without_repeats(steps):
    return tuple(step for i, step in enumerate(steps) if i == 0 or step != steps[i - 1])


def told(found):
    """(path, n_journeys, n_converted, n_lost, n_open, value), missing money as None."""
    frame = found.counts.drop(columns="n_steps").astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


FEW = {
    "events": [
        touch("a", "01-01"),
        touch("b", "01-02"),
        touch("a", "01-01", person="bob"),
        touch("b", "01-03", person="bob"),
        touch("a", "01-05", person="cyd"),
        touch("a", "03-01", person="cyd"),
    ],
    "orders": [order("01-03", 1_234), order("01-04", 500, person="dan", n="o2"), order("01-09", 66, n="o3")],
}


def test_by_hand():
    with shop(**FEW) as dataset:
        found = paths(dataset)
    assert told(found) == [
        # dan, and ann a second time: no touchpoint before it
        ((), 2, 2, 0, 0, 5.66),
        # cyd, twice
        (("a",), 2, 0, 1, 1, None),
        # ann and bob
        (("a", "b"), 2, 1, 1, 0, 12.34),
    ]
    assert found.counts["n_steps"].tolist() == [0, 1, 2]
    assert found.n_cut == 0
    assert repr(found) == "Paths(3 paths of 6 journeys; shop, 2024-01-01 to 2024-03-01, as of 2024-03-01)"


def test_frames():
    with shop(**FEW) as dataset:
        found = paths(dataset)
    assert found.to_frame()["path"].tolist() == ["", "a", "a > b"]
    assert found.to_arrow().num_rows == 3
    assert found.top(1)["path"].tolist() == [""]
    assert found.top(outcome="lost")["path"].tolist() == ["a", "a > b"]
    assert found.top(outcome="open")["path"].tolist() == ["a"]
    with pytest.raises(UnknownNameError, match="lost"):
        found.top(outcome="lsot")


@pytest.mark.parametrize(
    ("since", "until", "n"),
    [
        (None, None, 6),
        ("2024-01-01", "2024-01-01", 2),
        # ann's journey began the day before: its order is none of this day
        ("2024-01-03", "2024-01-03", 0),
        ("2024-01-04", "2024-01-05", 2),
        ("2024-01-06", None, 2),
        (None, "2024-01-08", 4),
    ],
)
def test_a_journey_belongs_to_the_day_on_which_it_began(since, until, n):
    with shop(**FEW) as dataset:
        if n == 0:
            with pytest.raises(UsageError, match="No touchpoint fits"):
                paths(dataset, since=since, until=until)
        else:
            assert int(paths(dataset, since=since, until=until).counts["n_journeys"].sum()) == n


def test_a_journey_of_the_period_is_told_to_its_end_as_known():
    with shop(**FEW) as dataset:
        assert told(paths(dataset, until="2024-01-01"))[0] == (("a", "b"), 2, 1, 1, 0, 12.34)
        assert told(paths(dataset, until="2024-01-01", as_of="2024-01-02"))[0] == (("a",), 1, 0, 0, 1, None)


ODD = ["a.b", ".", "two words", "it's", 'say "x"', "Ünï_ß", "a > b", "0", "1", "10", "😀", "A", "a", "%", "\\"]


def test_names_are_told_as_they_are():
    rows = [touch("e", f"01-{day:02d}", channel=name) for day, name in enumerate(ODD, 1)]
    with shop(events=rows) as dataset:
        found = paths(dataset, JourneyRules(step="channel"))
    assert found.counts["path"].tolist() == [tuple(ODD)]


@pytest.mark.parametrize("n", [19, 20, 21, 40, 41, 399, 400, 401, 1_000])
def test_long_paths_are_whole(n):
    start = dt.datetime(2024, 1, 1)
    names = [f"e{i * i % 23}" for i in range(n)]
    rows = [("ann", name, str(start + dt.timedelta(minutes=i))) for i, name in enumerate(names)]
    with shop(events=[*rows, ("bob", "e1", "2024-01-01")]) as dataset:
        found = paths(dataset, JourneyRules(collapsed=False))
    assert sorted(found.counts["path"], key=len) == [("e1",), tuple(names)]
    assert found.n_cut == 0


def test_longer_than_a_thousand_steps_is_cut_and_counted():
    start = dt.datetime(2024, 1, 1)
    rows = [("ann", f"e{i % 7}", str(start + dt.timedelta(minutes=i))) for i in range(1_001)]
    with shop(events=[*rows, ("bob", "e1", "2024-01-01")]) as dataset:
        found = paths(dataset)
    assert found.counts["n_steps"].tolist() == [1_000, 1]
    assert found.n_cut == 1


@given(small_logs(), some_rules(), as_of_days)
@settings(max_examples=15)
def test_paths_are_those_that_plain_python_reads(log, rules, as_of):
    events, orders = log
    plain = read_plainly(events, orders, rules, as_of)
    with shop(events=events, orders=orders) as dataset:
        period = {"since": "2024-01-01", "until": as_of, "as_of": as_of}
        if not plain:
            with pytest.raises(UsageError, match="No touchpoint fits"):
                paths(dataset, rules, **period)
            return
        found = paths(dataset, rules, **period)
    by_outcome = Counter((journey.steps, journey.outcome) for journey in plain)
    for path, n, n_converted, n_lost, n_open, value in told(found):
        assert [by_outcome.pop((path, outcome), 0) for outcome in ("converted", "lost", "open")] == [
            n_converted, n_lost, n_open]  # fmt: skip
        assert n == n_converted + n_lost + n_open
        money = [j.value for j in plain if j.steps == path and j.value is not None]
        assert value == (pytest.approx(sum(money)) if money else None)
    assert not by_outcome


RULES = [JourneyRules(), JourneyRules(step="channel", per="session"), JourneyRules(collapsed=False, silence_days=3)]


@everywhere
def test_everywhere(on_engine):
    rows = [touch("e", f"01-{day:02d}", channel=name) for day, name in enumerate(ODD, 1)]
    rows += [touch(f"e{i % 5}", f"02-01 10:{i:02d}", person="bob", channel=ODD[i % 4]) for i in range(45)]
    orders = [order("01-04", 77), order("01-04", 5, n="o2"), order("01-30", person="cyd", n="o3")]
    with shop(events=rows, orders=orders) as dataset, on_engine(dataset) as there:
        for rules in RULES:
            assert_frame_equal(paths(there, rules).to_frame(), paths(dataset, rules).to_frame())


@pytest.mark.parametrize(
    ("period", "says"),
    [
        ({"since": "2025-01-01"}, "is empty"),
        ({"until": "2025-01-01"}, "after the as-of day"),
        ({"since": "yesterday"}, "yesterday"),
        ({"since": "2024-01-10", "until": "2024-01-20"}, "No touchpoint fits"),
    ],
)
def test_bad_periods(period, says):
    with shop(**FEW) as dataset, pytest.raises(UsageError, match=says):
        paths(dataset, **period)


def test_nothing_fits_the_rules():
    with shop(events=FEW["events"]) as dataset:
        with pytest.raises(UsageError, match="No touchpoint fits"):
            paths(dataset, JourneyRules(events=("nothing",)))
        with pytest.raises(UsageError, match="No touchpoint fits"):
            paths(dataset, JourneyRules(step="channel"))


@pytest.mark.real_data
def test_the_clicks_of_a_real_shop(shared, tmp_path):
    dataset, plain = load_ecom(shared, tmp_path)
    with dataset:
        # rows that stand twice have no id of their own: they are kept
        assert int(dataset.contents()["n_touchpoints"].sum()) == len(plain) == 31_106
        # the mapping gives events the contract's names
        names = {"purchase": "order_completed", "add_to_cart": "product_added", "search": "products_searched"}
        assert set(dataset.contents()["event"]) == {names.get(event, event) for event in plain["event"]}
        read = plain_journeys(plain.assign(step=plain["event"].replace(names)), "step")
        for rules, steps_of in ((JourneyRules(), without_repeats), (JourneyRules(collapsed=False), tuple)):
            found = paths(dataset, rules)
            expected = Counter((steps_of(steps), outcome) for _, steps, outcome in read)
            assert found.n_cut == 0
            assert {
                (row.path, outcome): getattr(row, f"n_{outcome}")
                for row in found.counts.itertuples()
                for outcome in ("converted", "lost", "open")
                if getattr(row, f"n_{outcome}")
            } == expected
            # 470 purchases, the orders of one person at one instant being one
            n_orders = len(plain[plain["event"] == "purchase"].drop_duplicates(["user_id", "timestamp"]))
            assert int(found.counts["n_converted"].sum()) == n_orders
