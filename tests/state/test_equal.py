"""The incremental answer is the full one, whatever arrives, in whatever order."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lifecycle_kit.stages.model_file import parse_model
from lifecycle_kit.stages.state import open_state
from tests.stages.conftest import EVERY_POLICY
from tests.state.conftest import at, write_part

# an example takes seconds: to make a failing one small would take longer than to read it
SLOW = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
}
PEOPLE = [f"p{n}" for n in range(6)]
DEVICES = [f"d{n}" for n in range(4)] + ["p1"]  # a device that is called as a person is
EVENTS = [
    *["page_viewed", "product_viewed", "product_added", "signed_up", "support_ticket"],
    *["order_completed", "order_refunded", "order_cancelled"],
]
hours = st.integers(0, 120).map(lambda n: n * 12)
orders = st.integers(1, 5).map(lambda n: f"o{n}")
people = st.sampled_from(PEOPLE)
maybe = st.one_of(st.none(), people)
cents = st.integers(0, 9).map(lambda n: n * 1_000)


def row(table, **fields):
    return st.tuples(st.just(table), st.fixed_dictionaries(fields))


event = st.one_of(
    row(
        "events",
        event_id=st.one_of(st.none(), st.integers(0, 30).map(lambda n: f"e{n}")),
        person_id=maybe,
        anonymous_id=st.sampled_from(DEVICES),
        event=st.sampled_from(EVENTS),
        occurred_at=hours.map(at),
        order_id=st.one_of(st.none(), orders),
        revenue=st.one_of(st.none(), cents),
        channel=st.sampled_from(["search", "mail"]),
    ),
    row("identities", anonymous_id=st.sampled_from(DEVICES), person_id=people, linked_at=hours.map(at)),
)
other = st.one_of(
    row(
        "orders",
        order_id=st.one_of(st.none(), orders),
        person_id=people,
        ordered_at=hours.map(at),
        net_revenue=st.integers(-2, 9).map(lambda n: n * 1_000),
        cost=st.one_of(st.none(), st.sampled_from([1, 2])),
        status=st.sampled_from([None, "completed", "cancelled"]),
        refunded_at=st.one_of(st.none(), st.integers(60, 160).map(lambda n: at(n * 12))),
    ),
    row(
        "customers",
        person_id=people,
        country=st.sampled_from(["DE", "FR"]),
        is_test=st.sampled_from([False, False, False, True]),
    ),
    row("surveys", person_id=people, at=hours.map(at), score=st.integers(0, 12)),
    row(
        "referrals",
        referral_id=st.one_of(st.none(), st.sampled_from(["r1", "r2"])),
        referrer_id=people,
        referred_id=maybe,
        sent_at=hours.map(at),
        converted_at=st.one_of(st.none(), st.integers(130, 160).map(lambda n: at(n * 12))),
    ),
    row("costs", date=hours.map(lambda h: at(h).date()), channel=st.sampled_from(["a", "b"]), amount=cents),
)
BASE = {
    "events": {"person_id": "p0", "event": "page_viewed", "occurred_at": at(3), "anonymous_id": "d9"},
    "identities": {"anonymous_id": "d9", "person_id": "p0", "linked_at": at(4)},
    "orders": {"person_id": "p0", "ordered_at": at(5), "net_revenue": 500, "order_id": "o0"},
    "customers": {"person_id": "p0", "country": "DE", "is_test": False},
    "surveys": {"person_id": "p0", "at": at(6), "score": 3},
    "referrals": {"referrer_id": "p0", "sent_at": at(7), "referral_id": "r0"},
    "costs": {"date": at(0).date(), "channel": "a", "amount": 1},
}
COLUMNS = {
    "events": ("event_id", "order_id", "revenue", "channel"),
    "orders": ("cost", "status", "refunded_at"),
    "referrals": ("referred_id", "converted_at"),
}


@st.composite
def shops(draw):
    """Rows, each with the file it stands in; which tables there are; the order in which the files come."""
    kinds = draw(st.sampled_from([("events",), ("events", "identities"), ("events", "orders"), tuple(BASE)]))
    rows = draw(st.lists(st.one_of(event, event, other), min_size=8, max_size=40))
    rows = [(table, fields) for table, fields in rows if table in kinds]
    files = draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    arrival = draw(st.permutations(range(4)))
    return kinds, list(zip(files, rows, strict=True)), arrival


def check_grows(shop, model, same, **declared):
    kinds, rows, arrival = shop
    with tempfile.TemporaryDirectory() as folder:
        source, kept = Path(folder) / "shop", Path(folder) / "state"
        for table in kinds:
            write_part(source, table, "m", [BASE[table]], COLUMNS.get(table, ()))
        done = []
        for number in arrival:
            for table in kinds:
                own = [fields for file, (name, fields) in rows if file == number and name == table]
                if own:
                    columns = (*COLUMNS.get(table, ()), *BASE[table])
                    write_part(source, table, f"{'az'[number % 2]}{number}", own, columns)
            with open_state(kept, source, model, **declared) as state:
                done.append(state.notes[0])
        with open_state(kept, source, model, **declared) as state:
            assert state.notes == ("Nothing new to read.",)
            same(state, source, "2024-01-20", "2024-02-15", "2024-06-30", **declared)
        return done


POLICIES = st.sampled_from(
    [{}, {"duplicates": "first"}, {"duplicates": "last"}, {"timezone": "Europe/Paris"}, {"duplicates": "set_aside"}]
)


def _check(shop, policy, same):
    done = check_grows(shop, parse_model(EVERY_POLICY), same, negative_amount="refund", **policy)
    # the property says nothing unless files are in fact added
    assert sum("new file" in text for text in done) == sum("Everything" not in text for text in done) - sum(
        "Nothing" in text for text in done
    )
    assert "there was no state" in done[0]
    assert not any("Everything" in text for text in done[1:]), done


@given(shops(), POLICIES)
@settings(max_examples=10, **SLOW)
def test_random_batches(same, shop, policy):
    _check(shop, policy, same)


@pytest.mark.slow
@given(shops(), POLICIES)
@settings(max_examples=200, **SLOW)
def test_many_random_batches(same, shop, policy):
    _check(shop, policy, same)
