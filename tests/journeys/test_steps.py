"""Where a journey begins, what its steps are and how it ends: by hand, and read again in plain Python."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lifecycle_kit as lk
from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.journeys.declared import JourneyRules
from lifecycle_kit.journeys.looked_at import look
from lifecycle_kit.journeys.steps import journeys_of, marked, steps_of
from tests.engines import everywhere
from tests.told_rows import shop

BEGIN = dt.datetime(2024, 1, 1)
# minutes after the begin: at one instant, half an hour apart to the minute, a day apart to the minute and beyond
MINUTES = (0, 15, 30, 45, 75, 1440, 1455, 2880, 2881, 4321, 10_000)


@dataclass(frozen=True)
class Journey:
    """One journey as plain Python reads it; `rows` are all its touchpoints, steps made again included."""

    person: str
    rows: tuple[tuple[dt.datetime, bool, str], ...]
    steps: tuple[str, ...]
    outcome: str
    value: float | None


def read_plainly(events, orders, rules, as_of):
    """Read journeys without the kit, from rows of `shop`: an as-of day in UTC."""
    close = dt.datetime.fromisoformat(as_of) + dt.timedelta(days=1, microseconds=-1)
    touches, money = defaultdict(list), defaultdict(dict)
    for person, event, at, more in events:
        at = dt.datetime.fromisoformat(at)
        if at > close:
            continue
        if rules.conversion != ("order",) and event in rules.conversion:
            money[person].setdefault(at, None)
        elif rules.events is None or event in rules.events:
            name = event if rules.step == "event" else more["channel"]
            if name is not None:
                touches[person].append((at, name, more["session_id"]))
    if rules.conversion == ("order",):
        for _, person, at, cents, _, more in orders:
            at = dt.datetime.fromisoformat(at)
            refunded = more["refunded_at"]
            if at <= close and (refunded is None or dt.datetime.fromisoformat(refunded) > close):
                money[person][at] = money[person].get(at, 0) + cents
    made = []
    for person in sorted({*touches, *money}):
        mine = sorted(touches[person], key=lambda touch: (*touch[:2], touch[2] is None))
        if rules.per == "session":
            mine = _first_of_sessions(mine, dt.timedelta(minutes=rules.session_minutes))
        rows = sorted([(at, False, name) for at, name, _ in mine] + [(at, True, "converted") for at in money[person]])
        journeys = []
        for row in rows:
            last = journeys[-1][-1] if journeys else None
            if last is None or last[1] or row[0] - last[0] > dt.timedelta(days=rules.silence_days):
                journeys.append([])
            journeys[-1].append(row)
        for journey in journeys:
            steps = [name for _, converts, name in journey if not converts]
            if rules.collapsed:
                steps = [name for i, name in enumerate(steps) if i == 0 or name != steps[i - 1]]
            at, converts, _ = journey[-1]
            lost = at + dt.timedelta(days=rules.silence_days) < close
            cents = money[person][at] if converts else None
            made.append(
                Journey(
                    person,
                    tuple(journey),
                    tuple(steps),
                    "converted" if converts else "lost" if lost else "open",
                    None if cents is None else cents / 100,
                )
            )
    return made


def _first_of_sessions(touches, pause):
    kept, met, before = [], set(), None
    for at, name, session in touches:
        if session is None:
            begins = before is None or at - before >= pause
        else:
            begins = session not in met
            met.add(session)
        if begins:
            kept.append((at, name, session))
        before = at
    return kept


def instants(minutes):
    return (BEGIN + dt.timedelta(minutes=minutes)).isoformat(sep=" ")


@st.composite
def small_logs(draw):
    """Rows of events and of orders: three people, few names, many ties."""
    chance = random.Random(draw(st.integers(0, 10**9)))
    events = [
        (
            chance.choice("pqr"),
            chance.choice(["a", "b", "B", "buy"]),
            instants(chance.choice(MINUTES)),
            # names of channels and of events may be the same
            {"session_id": chance.choice([None, "s", "t"]), "channel": chance.choice([None, "x", "y", "a"])},
        )
        for _ in range(draw(st.integers(1, 25)))
    ]
    orders = []
    for i in range(draw(st.integers(1, 5))):
        minutes = chance.choice(MINUTES)
        refunded = chance.choice([None, None, instants(minutes + 60), instants(minutes + 3_000)])
        orders.append(
            (
                f"o{i}",
                chance.choice("pqr"),
                instants(minutes),
                chance.choice([100, 250, 0]),
                1,
                {"refunded_at": refunded},
            )
        )
    return events, orders


@st.composite
def some_rules(draw):
    return JourneyRules(
        step=draw(st.sampled_from(["event", "channel"])),
        per=draw(st.sampled_from(["touchpoint", "session"])),
        events=draw(st.sampled_from([None, None, ("a", "b")])),
        conversion=draw(st.sampled_from([("order",), ("buy",)])),
        silence_days=draw(st.integers(1, 3)),
        session_minutes=draw(st.sampled_from([15, 30])),
        collapsed=draw(st.booleans()),
    )


as_of_days = st.sampled_from(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-09"])


def journeys(dataset, rules=None, **period):
    """Journeys of a dataset in order, with their steps: person, steps, outcome, value in cents."""
    rules = rules or JourneyRules()
    with look(dataset, **period) as at:
        rows = at.scratch.store("marked", marked(rules, at.view))
        told = at.scratch.fetch(journeys_of(rules, rows, at.view)).sort_values(["person_key", "journey"])
        steps = (
            at.scratch.fetch(steps_of(rows))
            .sort_values("position")
            .groupby(["person_key", "journey"])["name"]
            .agg(tuple)
        )
    ids = {row["person_key"]: row["person_id"] for row in dataset.engine.arrow(
        "SELECT person_key, person_id FROM persons").to_pylist()}  # fmt: skip
    made = [
        (
            ids[row.person_key],
            steps.get((row.person_key, row.journey), ()),
            row.outcome,
            None if row.value != row.value else int(row.value),
        )
        for row in told.itertuples()
    ]
    # n_steps is told apart from the steps
    assert [int(n) for n in told["n_steps"]] == [len(row[1]) for row in made]
    return sorted(made, key=lambda row: row[0])


def of(*events, orders=(), **options):
    """Journeys of one small log, without the person's name where all are ann's."""
    tables = {"events": list(events)} | ({"orders": list(orders)} if orders else {})
    period = {name: options.pop(name) for name in ("since", "until", "as_of") if name in options}
    with shop(**tables) as dataset:
        return [row[1:] for row in journeys(dataset, JourneyRules(**options), **period)]


def touch(name, at, person="ann", **more):
    return (person, name, f"2024-{at}", more)


def order(at, cents=1_000, person="ann", n="o1", **more):
    return (n, person, f"2024-{at}", cents, 1, more)


def test_an_order_ends_a_journey_and_the_next_begins_after_it():
    found = of(touch("a", "01-01"), touch("b", "01-02"), touch("a", "01-04"), orders=[order("01-03", 1_234)])
    assert found == [(("a", "b"), "converted", 1_234), (("a",), "open", None)]


def test_a_silence_that_is_longer_loses_a_journey_and_one_just_as_long_does_not():
    just, longer = "01-31 10:00:00", "01-31 10:00:01"
    assert of(touch("a", "01-01 10:00"), touch("b", just)) == [(("a", "b"), "open", None)]
    assert of(touch("a", "01-01 10:00"), touch("b", longer)) == [(("a",), "lost", None), (("b",), "open", None)]
    assert of(touch("a", "01-01 10:00"), touch("b", "01-03"), silence_days=1)[0] == (("a",), "lost", None)


def test_a_silence_up_to_the_as_of_day_is_one_too():
    rows = [touch("a", "01-01 10:00"), touch("b", "03-01", person="bob")]
    assert of(*rows, as_of="2024-01-30") == [(("a",), "open", None)]
    # 30 days after ten o'clock are over at the close of the 31st
    assert of(*rows, as_of="2024-01-31") == [(("a",), "lost", None)]


def test_a_step_made_again_keeps_a_journey_open():
    rows = [touch("a", "01-01"), touch("a", "01-25"), touch("z", "02-10", person="bob")]
    assert of(*rows)[0] == (("a",), "open", None)
    assert of(*rows, collapsed=False)[0] == (("a", "a"), "open", None)
    # and a journey that is silent only counting from the first of them goes on
    rows = [touch("a", "01-01"), touch("a", "01-25"), touch("b", "02-10")]
    assert of(*rows) == [(("a", "b"), "open", None)]


def test_at_one_instant_touchpoints_come_by_name_and_before_the_order():
    rows = [touch("b", "01-02"), touch("a", "01-02"), touch("c", "01-02")]
    assert of(*rows, orders=[order("01-02")]) == [(("a", "b", "c"), "converted", 1_000)]


def test_equal_steps_in_a_row_are_one_or_not():
    rows = [touch(name, f"01-0{day}") for day, name in enumerate("aabba", 1)]
    assert of(*rows) == [(("a", "b", "a"), "open", None)]
    assert of(*rows, collapsed=False) == [(("a", "a", "b", "b", "a"), "open", None)]


def test_equal_steps_of_two_journeys_are_two():
    assert of(touch("a", "01-01"), touch("a", "01-03"), orders=[order("01-02")]) == [
        (("a",), "converted", 1_000),
        (("a",), "open", None),
    ]
    assert of(touch("a", "01-01"), touch("a", "03-01")) == [(("a",), "lost", None), (("a",), "open", None)]


def test_rows_of_the_same_step_at_the_same_instant_are_one_step_when_collapsed():
    rows = [touch("a", "01-01"), touch("a", "01-01"), touch("b", "01-01")]
    assert of(*rows) == [(("a", "b"), "open", None)]
    assert of(*rows, collapsed=False) == [(("a", "a", "b"), "open", None)]


def test_several_orders_at_one_instant_are_one_conversion_of_their_money_together():
    orders = [order("01-02", 1_000), order("01-02", 250, n="o2")]
    assert of(touch("a", "01-01"), orders=orders) == [(("a",), "converted", 1_250)]


def test_an_order_right_after_another_is_a_journey_without_steps():
    orders = [order("01-02 10:00", 1_000), order("01-02 10:01", 250, n="o2")]
    assert of(touch("a", "01-01"), orders=orders) == [(("a",), "converted", 1_000), ((), "converted", 250)]


def test_an_order_given_back_converts_nothing_from_then_on():
    orders = [order("01-02", refunded_at="2024-01-10")]
    rows = [touch("a", "01-01"), touch("b", "01-03"), touch("z", "01-20")]
    assert of(*rows, orders=orders) == [(("a", "b", "z"), "open", None)]
    assert of(*rows, orders=orders, as_of="2024-01-09") == [(("a",), "converted", 1_000), (("b",), "open", None)]


def test_events_as_conversion():
    rows = [touch("a", "01-01"), touch("won", "01-02"), touch("b", "01-03"), touch("signed", "01-04")]
    assert of(*rows, orders=[order("01-03 12:00")], conversion=("won", "signed")) == [
        (("a",), "converted", None),
        (("b",), "converted", None),
    ]
    # two at one instant are one, and an order is no step of theirs
    rows = [touch("a", "01-01"), touch("won", "01-02"), touch("signed", "01-02")]
    assert of(*rows, conversion=("won", "signed")) == [(("a",), "converted", None)]


def test_the_money_of_an_event_that_converts():
    rows = [touch("a", "01-01"), touch("won", "01-02", revenue=770)]
    assert of(*rows, conversion=("won",)) == [(("a",), "converted", 770)]


def test_only_some_events():
    rows = [touch("a", "01-01"), touch("b", "01-02"), touch("a", "01-03")]
    assert of(*rows, events=("a",)) == [(("a",), "open", None)]
    assert of(*rows, events=("a",), collapsed=False) == [(("a", "a"), "open", None)]


def test_channel_paths_leave_out_what_has_no_channel():
    rows = [
        touch("a", "01-01", channel="mail"),
        touch("b", "01-02", channel=None),
        touch("c", "01-03", channel="mail"),
        touch("a", "01-04", channel="search"),
    ]
    assert of(*rows, step="channel") == [(("mail", "search"), "open", None)]
    assert of(*rows, step="channel", collapsed=False) == [(("mail", "mail", "search"), "open", None)]


def test_sessions_by_their_id():
    rows = [
        touch("a", "01-01 10:00", session_id="s"),
        touch("b", "01-01 10:01", session_id="s"),
        # hours later, and still the session
        touch("c", "01-01 18:00", session_id="s"),
        touch("d", "01-01 18:01", session_id="t"),
    ]
    assert of(*rows, per="session") == [(("a", "d"), "open", None)]


def test_sessions_by_a_pause():
    rows = [
        touch("a", "01-01 10:00"),
        touch("b", "01-01 10:29"),
        touch("c", "01-01 10:58"),
        # a pause as long as this begins a new one
        touch("d", "01-01 11:28"),
    ]
    assert of(*rows, per="session") == [(("a", "d"), "open", None)]
    # counting from the touchpoint before, not from the session's first
    assert of(*rows, per="session", session_minutes=29) == [(("a", "b", "c", "d"), "open", None)]


def test_equal_touchpoints_at_one_instant_with_and_without_a_session_id_are_one_session():
    rows = [touch("a", "01-01", session_id="s"), touch("a", "01-01", session_id=None)]
    for one_order in (rows, rows[::-1]):
        assert of(*one_order, per="session", collapsed=False) == [(("a",), "open", None)]


def test_sessions_of_two_people_with_one_id_are_two():
    rows = [touch("a", "01-01", session_id="s"), touch("b", "01-01 01:00", person="bob", session_id="s")]
    assert of(*rows, per="session") == [(("a",), "open", None), (("b",), "open", None)]


def test_what_happened_after_the_as_of_day_is_hidden():
    rows = [touch("a", "01-01"), touch("b", "01-02 23:59:59"), touch("c", "01-03 00:00")]
    assert of(*rows, orders=[order("01-03")], as_of="2024-01-02") == [(("a", "b"), "open", None)]


def test_the_as_of_day_ends_where_the_shop_is():
    rows = [("ann", "a", "2024-01-01 10:00"), ("ann", "b", "2024-01-01 23:30"), ("ann", "c", "2024-01-05 10:00")]
    with shop(events=rows, timezone="Europe/Paris") as dataset:
        assert journeys(dataset, as_of="2024-01-01") == [("ann", ("a",), "open", None)]


@given(small_logs(), some_rules(), as_of_days)
@settings(max_examples=25)
def test_journeys_are_those_that_plain_python_reads(log, rules, as_of):
    events, orders = log
    with shop(events=events, orders=orders) as dataset:
        found = journeys(dataset, rules, since="2024-01-01", until=as_of, as_of=as_of)
    plain = read_plainly(events, orders, rules, as_of)
    assert found == [
        (each.person, each.steps, each.outcome, None if each.value is None else round(each.value * 100))
        for each in plain
    ]


@everywhere
def test_everywhere(on_engine):
    events = [
        touch(name, f"01-{day:02d} 10:00", person=person, session_id=session, channel=channel)
        for day, (person, name, session, channel) in enumerate(
            [("ann", "b", None, "x"), ("ann", "B", "s", None), ("bob", "a", "t", "y"), ("ann", "a b", "s", "x"),
             ("bob", "a", "t", "y"), ("ann", "ä", None, "x"), ("bob", "_", None, "x")], 1)
    ]  # fmt: skip
    # at one instant, in an order of letters that databases see differently
    events += [touch(name, "02-20", person="cyd", channel=name) for name in ("b", "B", "a", "_", "ä", "a b")]
    orders = [order("01-05"), order("01-05", 5, n="o2"), order("02-20", person="cyd", n="o3")]
    with shop(events=events, orders=orders) as dataset, on_engine(dataset) as there:
        for rules in (
            JourneyRules(),
            JourneyRules(per="session", collapsed=False, silence_days=2),
            JourneyRules(step="channel", conversion=("a",)),
        ):
            assert journeys(there, rules) == journeys(dataset, rules)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"step": "evnt"}, UnknownNameError, "event"),
        ({"per": "visit"}, UnknownNameError, "session"),
        ({"silence_days": 0}, UsageError, "silence_days 0"),
        ({"silence_days": 1.5}, UsageError, "silence_days 1.5"),
        ({"silence_days": True}, UsageError, "silence_days True"),
        ({"session_minutes": -1}, UsageError, "session_minutes -1"),
        ({"session_minutes": 36_601}, UsageError, "session_minutes 36601"),
        ({"conversion": ()}, UsageError, "No conversion"),
        ({"conversion": ("order", "signed_up")}, UsageError, "not both"),
    ],
)
def test_bad_rules(options, error, says):
    with pytest.raises(error, match=says):
        lk.JourneyRules(**options)


def test_one_name_and_a_list_of_names_are_what_they_look_like():
    assert JourneyRules(conversion="order") == JourneyRules(conversion=["order"]) == JourneyRules()
    assert JourneyRules(events="a", conversion=["b", "c"]) == JourneyRules(events=("a",), conversion=("b", "c"))
    assert hash(JourneyRules(events=["a"])) == hash(JourneyRules(events=("a",)))


def test_no_table_stays_behind():
    with shop(events=[("ann", "a", "2024-01-01")]) as dataset:
        before = dataset.engine.arrow("SELECT table_name FROM information_schema.tables").num_rows
        journeys(dataset)
        assert dataset.engine.arrow("SELECT table_name FROM information_schema.tables").num_rows == before
