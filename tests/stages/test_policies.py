"""Each policy of a stage model by hand, on a few touchpoints of one or two people."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.stages.model_file import parse_model


def shop(*events, links=()):
    """(person or None, device or None, event, when, order, cents) -> a dataset; links are (device, person, when)."""
    frame = pd.DataFrame(
        {
            "person_id": pd.Series([e[0] for e in events], dtype="str"),
            "anonymous_id": pd.Series([e[1] for e in events], dtype="str"),
            "event": [e[2] for e in events],
            "occurred_at": pd.to_datetime([e[3] for e in events], format="ISO8601"),
            "order_id": pd.Series([e[4] if len(e) > 4 else None for e in events], dtype="str"),
            "revenue": pd.Series([e[5] if len(e) > 5 else None for e in events], dtype="Int64"),
        }
    )
    tables = {"events": frame}
    if links:
        tables["identities"] = pd.DataFrame(
            {
                "anonymous_id": [link[0] for link in links],
                "person_id": [link[1] for link in links],
                "linked_at": pd.to_datetime([link[2] for link in links], format="ISO8601"),
            }
        )
    return lk.load(tables, currency="EUR")


def model_of(signals, statuses, policy=""):
    rows = "\n".join(
        f"  - {{id: {name}, stage: s, rank: {n}, {rule}}}" for n, (name, rule) in enumerate(statuses, start=1)
    )
    return parse_model(
        f"lifecycle: 1\nname: m\nsignals:\n{signals}\nstages: [{{id: s, rank: 1}}]\nstatuses:\n{rows}\n{policy}"
    )


def stays(dataset, model, until="2025-12-31T00:00:00", **options):
    frame = lk.history(dataset, model, until, **options).to_frame()
    since = frame["valid_from"].dt.strftime("%Y-%m-%d %H:%M")
    return list(zip(frame["person_id"], frame["status"], since, strict=True))


SPEND = model_of(
    """  orders: {event: order_completed, agg: count, reversed_by: {event: order_refunded, match: order_id}}
  spend:  {event: order_completed, agg: sum, of: revenue, window: 30d,
           reversed_by: {event: order_refunded, match: order_id}}""",
    [
        ("gone", 'when: "orders = 0"'),
        ("quiet", 'when: "orders > 0"'),
        ("small", 'when: "spend > 0"'),
        ("big", 'when: "spend >= 50"'),
    ],
)


def test_a_partial_refund_takes_back_its_amount_and_the_order_stands():
    bought = ("ann", None, "order_completed", "2024-01-01", "o1", 10_000)
    refunds = [
        ("ann", None, "order_refunded", "2024-01-05", "o1", 5_000),
        ("ann", None, "order_refunded", "2024-01-06", "o1", 1),
        ("ann", None, "order_refunded", "2024-01-07", "o1", 9_999),  # more than is left: the rest is given back
    ]
    with shop(bought, *refunds[:2]) as partly:
        # 100.00 - 50.00 is big still, one cent less is not; the window ends what is left, not the order
        assert stays(partly, SPEND) == [
            ("ann", "big", "2024-01-01 00:00"),
            ("ann", "small", "2024-01-06 00:00"),
            ("ann", "quiet", "2024-01-31 00:00"),
        ]
    with shop(bought, *refunds) as wholly:
        assert stays(wholly, SPEND)[-1] == ("ann", "gone", "2024-01-07 00:00")


def test_two_refunds_at_one_instant_count_together():
    with shop(
        ("ann", None, "order_completed", "2024-01-01", "o1", 10_000),
        ("ann", None, "order_refunded", "2024-01-05", "o1", 6_000),
        ("ann", None, "order_refunded", "2024-01-05", "o1", 4_000),
    ) as made:
        assert stays(made, SPEND) == [("ann", "big", "2024-01-01 00:00"), ("ann", "gone", "2024-01-05 00:00")]


@pytest.mark.parametrize(
    ("person", "order"),
    [("bob", "o1"), ("ann", "o2"), ("ann", None)],
    ids=["of another person", "of another order", "of no order"],
)
def test_a_refund_that_matches_nothing_takes_nothing(person, order):
    with shop(
        ("ann", None, "order_completed", "2024-01-01", "o1", 10_000),
        (person, None, "order_refunded", "2024-01-05", order, 10_000),
    ) as made:
        assert [stay for stay in stays(made, SPEND) if stay[0] == "ann"][:2] == [
            ("ann", "big", "2024-01-01 00:00"),
            ("ann", "quiet", "2024-01-31 00:00"),
        ]


def test_a_refund_without_amount_takes_back_everything():
    with shop(
        ("ann", None, "order_completed", "2024-01-01", "o1", 10_000),
        ("ann", None, "order_refunded", "2024-01-05", "o1"),
    ) as made:
        assert stays(made, SPEND)[-1] == ("ann", "gone", "2024-01-05 00:00")


def test_a_refund_before_its_order_counts_from_the_order_on():
    with shop(
        ("ann", None, "order_refunded", "2023-12-31", "o1", 6_000),
        ("ann", None, "order_completed", "2024-01-01", "o1", 10_000),
    ) as made:
        assert stays(made, SPEND)[0] == ("ann", "small", "2024-01-01 00:00")


RHYTHM = model_of(
    """  orders: {event: order_completed, agg: count}
  late:   {event: order_completed, agg: overdue, factor: 3}""",
    [("customer", 'when: "orders > 0"'), ("at_risk", 'when: "late = 1"')],
)


def test_overdue_by_the_persons_own_rhythm():
    weekly = [("ann", None, "order_completed", f"2024-01-{day:02d}", f"a{day}", 100) for day in (1, 8, 15)]
    again = ("ann", None, "order_completed", "2024-03-01", "a9", 100)
    monthly = [("bob", None, "order_completed", f"2024-0{month}-01", f"b{month}", 100) for month in (1, 2, 3)]
    twice = [("cyd", None, "order_completed", f"2024-01-0{day}", f"c{day}", 100) for day in (1, 2)]
    with shop(*weekly, again, *monthly, *twice) as made:
        found = stays(made, RHYTHM)
        # ann: a gap of 7 days, so overdue 21 days after the 15th; then gaps of 20 days on average, 60 from 1 March
        assert [stay for stay in found if stay[0] == "ann"] == [
            ("ann", "customer", "2024-01-01 00:00"),
            ("ann", "at_risk", "2024-02-05 00:00"),
            ("ann", "customer", "2024-03-01 00:00"),
            ("ann", "at_risk", "2024-04-30 00:00"),
        ]
        # bob: 31 and 29 days, 30 on average: 90 days after 1 March
        assert found[-2] == ("bob", "at_risk", "2024-05-30 00:00")
        # one gap is no rhythm
        assert found[-1] == ("cyd", "customer", "2024-01-01 00:00")
        for instant, status in (("2024-02-04T23:59:59", "customer"), ("2024-02-05T00:00:00", "at_risk")):
            assert lk.snapshot(made, RHYTHM, instant).members()["status"].tolist()[0] == status


REENTRY = """  views: {event: product_viewed, agg: count, window: 10d}
  seen:  {event: any, agg: count}
  leads: {event: signed_up, agg: count, window: 30d}"""
STATUSES = [
    ("seen", 'when: "seen > 0"'),
    ("viewing", 'when: "views > 0"'),
    ("lead", 'when: "leads > 0"'),
]


def test_reentry_denied_by_hand():
    events = [
        ("ann", None, "page_viewed", "2024-01-01"),
        ("ann", None, "product_viewed", "2024-01-02"),  # viewing until the 12th
        ("ann", None, "product_viewed", "2024-02-01"),  # viewing again: left before, and so is 'seen'
        ("ann", None, "signed_up", "2024-02-03"),  # a new status is open
        ("ann", None, "signed_up", "2024-05-01"),  # and closed once left
    ]
    allowed, denied = (model_of(REENTRY, STATUSES, f"policy: {{reentry: {word}}}") for word in ("allow", "deny"))
    assert allowed.hash_ != denied.hash_
    assert model_of(REENTRY, STATUSES).hash_ == allowed.hash_
    with shop(*events) as made:
        assert [status for _, status, _ in stays(made, allowed)] == [
            *("seen", "viewing", "seen", "viewing", "lead", "seen", "lead", "seen")
        ]
        assert stays(made, denied) == [
            ("ann", "seen", "2024-01-01 00:00"),
            ("ann", "viewing", "2024-01-02 00:00"),
            ("ann", "unplaced", "2024-01-12 00:00"),
            ("ann", "lead", "2024-02-03 00:00"),
            ("ann", "unplaced", "2024-03-04 00:00"),
        ]
        assert lk.snapshot(made, denied, "2024-02-10").members()["status"].tolist() == ["lead"]


def test_reentry_denied_and_forward_only_is_forward_only():
    model = dataclasses.replace(model_of(REENTRY, STATUSES), forward_only=True)
    with shop(("ann", None, "product_viewed", "2024-01-02"), ("ann", None, "page_viewed", "2024-02-01")) as made:
        assert stays(made, dataclasses.replace(model, reentry=False)) == stays(made, model)


VISITS = model_of(
    "  seen: {event: any, agg: count}\n  leads: {event: signed_up, agg: count}",
    [("visitor", 'when: "seen > 0"'), ("regular", 'when: "seen > 2"'), ("lead", 'when: "leads > 0"')],
)


@pytest.fixture(scope="module")
def linked():
    """A device that visits twice and turns out to be ann on the 10th; another that is hers from an unknown time on."""
    events = [
        (None, "d1", "page_viewed", "2024-01-01"),
        (None, "d1", "page_viewed", "2024-01-02"),
        ("ann", "d1", "signed_up", "2024-01-10"),
        (None, "d2", "page_viewed", "2024-01-03"),
        (None, "d9", "page_viewed", "2024-01-03"),
    ]
    with shop(*events, links=[("d1", "ann", "2024-01-10"), ("d2", "ann", None)]) as made:
        yield made


def test_history_before_the_link_joins_the_person(linked):
    assert stays(linked, VISITS) == [
        ("ann", "visitor", "2024-01-01 00:00"),
        ("ann", "regular", "2024-01-03 00:00"),
        ("ann", "lead", "2024-01-10 00:00"),
        ("d9", "visitor", "2024-01-03 00:00"),
    ]


def test_before_the_link_is_known_a_device_is_somebody_of_its_own(linked):
    before = lk.snapshot(linked, VISITS, "2024-01-09", as_known="2024-01-09")
    assert before.members().values.tolist() == [
        ["ann", "visitor", "s"],  # by the device whose link has no time: known from the start
        ["d1", "visitor", "s"],
        ["d9", "visitor", "s"],
    ]
    assert before.n_not_met == 0
    after = lk.snapshot(linked, VISITS, "2024-01-09", as_known="2024-01-10")
    assert after.members()[["person_id", "status"]].values.tolist() == [["ann", "regular"], ["d9", "visitor"]]
    as_known = dt.datetime(2024, 1, 9, 12, tzinfo=dt.UTC)
    assert stays(linked, VISITS, "2024-01-09", as_known=as_known) == [
        ("ann", "visitor", "2024-01-03 00:00"),
        ("d1", "visitor", "2024-01-01 00:00"),
        ("d9", "visitor", "2024-01-03 00:00"),
    ]


def test_a_persons_timeline_knows_no_more_than_was_known(linked):
    known = lk.person(linked, VISITS, "ann", "2024-01-09", as_known="2024-01-09").to_frame()
    assert known["occurred_at"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-03"]
    assert len(lk.person(linked, VISITS, "ann", "2024-01-09").to_frame()) == 3
