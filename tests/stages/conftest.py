"""Small worlds for the stage engine: the golden oracle's events, and logs made by hypothesis."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import strategies as st

from lifecycle_kit.contract.load import load
from lifecycle_kit.stages.model_file import parse_model
from tests.stages.reference import Touch

START = dt.datetime(2024, 1, 1)

EVERY_POLICY = """
lifecycle: 1
name: every_policy
signals:
  seen:       {event: any, agg: count}
  touches:    {event: [product_viewed, product_added], agg: count, window: 9d}
  view_days:  {event: product_viewed, agg: distinct_days, window: 12d}
  fresh:      {event: product_viewed, agg: first, window: 5d}
  leads:      {event: signed_up, agg: count}
  orders:     {event: order_completed, agg: count, reversed_by: {event: order_refunded, match: order_id}}
  orders_20d: {event: order_completed, agg: count, window: 20d, reversed_by: {event: order_refunded, match: order_id}}
  spend_30d:  {event: order_completed, agg: sum, of: revenue, window: 30d,
               reversed_by: {event: order_refunded, match: order_id}}
  late:       {event: order_completed, agg: overdue, factor: 1.5}
  order_days: {event: order_completed, agg: distinct_days, reversed_by: {event: order_cancelled, match: order_id}}
stages:
  - {id: awareness, rank: 10}
  - {id: consideration, rank: 20}
  - {id: purchase, rank: 30}
  - {id: retention, rank: 40}
statuses:
  - {id: anonymous, stage: awareness, rank: 11, when: "seen > 1"}
  - {id: fresh_eyes, stage: consideration, rank: 20, when: "fresh = 1"}
  - {id: engaged, stage: consideration, rank: 21, when: "touches > 0 or view_days >= 2"}
  - {id: lead, stage: consideration, rank: 22, when: "leads > 0 and not touches > 3"}
  - {id: first_purchase, stage: purchase, rank: 31, when: "orders = 1 and orders_20d >= 1"}
  - {id: lapsed, stage: retention, rank: 41, when: "orders >= 1 and orders_20d = 0"}
  - {id: slow, stage: retention, rank: 45, when: "late = 1 and orders > 0"}
  - {id: repeat, stage: retention, rank: 42, when: "order_days >= 2 and orders_20d >= 1"}
  - {id: vip, stage: retention, rank: 43,
     enter: "spend_30d >= 80 and orders >= 2", exit: "spend_30d < 40 or orders_20d = 0"}
  - {id: club, stage: retention, rank: 44, enter: "orders_20d >= 3", exit: "orders_20d < 1"}
"""


@pytest.fixture(scope="session")
def every_policy():
    """A model that uses every kind of signal, two latches, and leaves some people unplaced."""
    return parse_model(EVERY_POLICY)


# the policies about the past, on top of the rules: forward only, no way back into a status, neither
POLICIES = [{}, {"forward_only": True}, {"reentry": False}]


# Few orders and coarse times, so that ties, re-entries and repeated orders happen often; many people in one
# log, because compiling a query costs more than running it
PEOPLE = [f"p{number:02d}" for number in range(12)]
DEVICES = {"d00": ("p00", 30), "d01": ("p01", 3), "d02": ("p01", 50)}  # device -> person, day of the link


def _touch(actor, event, hours, delay, order, revenue):
    """A device is the person it turned out to be; refunds are of any size, a few of no known one."""
    person, day = DEVICES.get(actor, (actor, None))
    about_order = event.startswith("order")
    return Touch(
        person,
        event,
        START + dt.timedelta(hours=hours),
        START + dt.timedelta(hours=hours + delay),
        f"o{order}" if about_order else None,
        revenue * 100 if about_order and (revenue or event == "order_completed") else None,
        actor if actor in DEVICES else None,
        None if day is None else START + dt.timedelta(days=day),
    )


EVENTS = [
    *("page_viewed", "product_viewed", "product_added", "signed_up"),
    *["order_completed"] * 4,
    *("order_refunded", "order_cancelled"),
]
DELAYS = [0, 0, 0, 24, 240]

touches = st.builds(
    _touch,
    actor=st.sampled_from([*PEOPLE, *DEVICES]),
    event=st.sampled_from(EVENTS),
    hours=st.integers(0, 60).map(lambda n: n * 12),
    delay=st.sampled_from(DELAYS),
    order=st.integers(1, 4),
    revenue=st.integers(0, 90),
)
logs = st.lists(touches, min_size=60, max_size=110)


def random_log(rng, n_touches: int) -> list[Touch]:
    """The same kind of log without hypothesis, for engines on which an example takes seconds."""
    return [
        _touch(
            rng.choice([*PEOPLE, *DEVICES]),
            rng.choice(EVENTS),
            rng.randrange(61) * 12,
            rng.choice(DELAYS),
            rng.randint(1, 4),
            rng.randint(0, 90),
        )
        for _ in range(n_touches)
    ]


def as_frame(log: list[Touch]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": pd.Series([None if t.device else t.person for t in log], dtype="str"),
            "anonymous_id": pd.Series([t.device for t in log], dtype="str"),
            "event": [t.event for t in log],
            "occurred_at": pd.Series([t.at for t in log], dtype="datetime64[us]"),
            "ingested_at": pd.Series([t.known for t in log], dtype="datetime64[us]"),
            "order_id": pd.Series([t.order_id for t in log], dtype="str"),
            "revenue": pd.Series([t.revenue for t in log], dtype="Int64"),
        }
    )


def links_of(log: list[Touch]) -> pd.DataFrame:
    links = sorted({(t.device, t.person, t.linked) for t in log if t.device})
    return pd.DataFrame(
        {
            "anonymous_id": pd.Series([device for device, _, _ in links], dtype="str"),
            "person_id": pd.Series([person for _, person, _ in links], dtype="str"),
            "linked_at": pd.Series([at for *_, at in links], dtype="datetime64[us]"),
        }
    )


def dataset_of(log: list[Touch], **options):
    links = links_of(log)
    return load({"events": as_frame(log)} | ({"identities": links} if len(links) else {}), **options)
