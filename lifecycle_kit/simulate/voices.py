"""What customers say after an order: reviews, support tickets, survey answers, invitations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lifecycle_kit.simulate.clock import Clock, Ints
from lifecycle_kit.simulate.columns import contract_table, ids, times
from lifecycle_kit.simulate.orders import Orders
from lifecycle_kit.simulate.parameters import ShopParameters
from lifecycle_kit.simulate.people import People
from lifecycle_kit.simulate.streams import Streams

__all__ = ["Voices", "make_voices", "referrals_table", "surveys_table"]

DAY = 86_400
TOPICS: tuple[str, ...] = ("delivery", "product", "return", "payment")


@dataclass(frozen=True, eq=False)
class Voices:
    """Reviews (kind 6) and tickets (kind 7): who, when, about which order, in which words."""

    kind: Ints
    person: Ints
    second: Ints
    order: Ints
    words: Ints
    vocabulary: tuple[str, ...]
    person_width: int


def make_voices(
    p: ShopParameters, clock: Clock, streams: Streams, people: People, orders: Orders, ordered: Ints
) -> Voices:
    """Draw reviews and tickets for each order; what would come after the end of the log is not in it."""
    returned = np.isfinite(orders.refund_t)
    mood = people.satisfaction[orders.person] - 1.2 * returned

    rng = streams.part("reviews")
    # People review when very glad or very cross, and most only once.
    willing = rng.random(orders.n) < np.minimum(p.review_rate * np.exp(0.5 * np.abs(mood) - 0.45), 1.0)
    about = np.flatnonzero(willing)
    edges = np.cumsum(p.review_stars)
    # A mood plus luck, read off its own ranks: the shares of stars come out as measured.
    felt = mood[about] + rng.normal(0.0, 1.0, about.size)
    rank = (np.argsort(np.argsort(felt)) + 0.5) / max(about.size, 1)
    stars = np.minimum(np.searchsorted(edges, rank, side="right"), 4)
    review_at = ordered[about] + (rng.gamma(4.0, 3.0, about.size) * DAY).astype(np.int64) + DAY

    rng = streams.part("tickets")
    asks = np.flatnonzero(rng.random(orders.n) < np.where(returned, p.ticket_rate_refund, p.ticket_rate))
    topic = np.where(returned[asks] & (rng.random(asks.size) < 0.7), 2, rng.integers(0, len(TOPICS), asks.size))
    until = np.where(np.isfinite(orders.refund_t[asks]), orders.refund_t[asks] - orders.t[asks], 12.0)
    ticket_at = ordered[asks] + ((0.05 + 0.9 * rng.random(asks.size)) * until * DAY).astype(np.int64)

    kind = np.concatenate([np.full(about.size, 6), np.full(asks.size, 7)])
    second = np.concatenate([review_at, ticket_at])
    order = np.concatenate([about, asks])
    words = np.concatenate([stars, 5 + topic])
    inside = second < clock.end_seconds
    return Voices(
        kind=kind[inside],
        person=orders.person[order[inside]],
        second=second[inside],
        order=order[inside],
        words=words[inside],
        vocabulary=(*(f'{{"stars":{k}}}' for k in range(1, 6)), *(f'{{"topic":"{t}"}}' for t in TOPICS)),
        person_width=len(str(people.n)),
    )


def surveys_table(
    p: ShopParameters, clock: Clock, streams: Streams, people: People, orders: Orders, ordered: Ints
) -> pa.Table:
    """Answers to "would you recommend us", two weeks or so after an order."""
    rng = streams.part("surveys")
    about = np.flatnonzero(rng.random(orders.n) < p.survey_rate)
    who = orders.person[about]
    felt = people.satisfaction[who] - 1.2 * np.isfinite(orders.refund_t[about]) + rng.normal(0.0, 0.6, about.size)
    score = np.clip(np.rint(8.3 + 1.6 * felt), 0, 10).astype(np.int64)
    at = ordered[about] + 14 * DAY + (rng.exponential(1.5, about.size) * DAY).astype(np.int64)
    inside = at < clock.end_seconds
    turn = np.lexsort((who[inside], at[inside]))
    who, at, score = who[inside][turn], at[inside][turn], score[inside][turn]
    # One person answers at most once at an instant: that is the table's key.
    _, once = np.unique(np.stack([at, who]), axis=1, return_index=True)
    return contract_table(
        "surveys",
        {"person_id": ids("c", who[once], len(str(people.n))), "at": times(at[once]), "score": pa.array(score[once])},
    )


def referrals_table(
    p: ShopParameters, clock: Clock, streams: Streams, people: People, orders: Orders, ordered: Ints, linked: Ints
) -> pa.Table:
    """Invitations: those an invited lead came by, and those nobody followed.

    Who invited whom is drawn among the orders of the six weeks before the friend signed up, the
    keener inviters first. So an invitation always follows an order of the one who sent it.
    """
    rng = streams.part("referrals")
    turn = np.argsort(ordered, kind="stable")
    when, weight = ordered[turn], np.cumsum(people.invitations[orders.person[turn]])
    total = np.concatenate([[0.0], weight])
    friends = np.flatnonzero(people.invited)
    high = total[np.searchsorted(when, linked[friends] - 600)]
    low = total[np.searchsorted(when, linked[friends] - 42 * DAY)]
    some = high > low
    friends, low, high = friends[some], low[some], high[some]
    pick = np.searchsorted(weight, low + (high - low) * rng.random(friends.size), side="right")
    pick = turn[np.minimum(pick, turn.size - 1)] if friends.size else friends
    sent = ordered[pick] + 300 + ((linked[friends] - ordered[pick] - 300) * rng.random(friends.size)).astype(np.int64)

    first = np.full(people.n, -1, dtype=np.int64)
    first[orders.person[orders.is_first]] = ordered[orders.is_first]

    more = rng.poisson(people.invitations[orders.person])
    by = np.repeat(np.arange(orders.n), more)
    sent_in_vain = ordered[by] + (rng.exponential(9.0, by.size) * DAY).astype(np.int64) + 300
    by, sent_in_vain = by[sent_in_vain < clock.end_seconds], sent_in_vain[sent_in_vain < clock.end_seconds]

    referrer = np.concatenate([orders.person[pick], orders.person[by]])
    referred = np.concatenate([friends, np.full(by.size, -1)])
    at = np.concatenate([sent, sent_in_vain])
    turn = np.lexsort((referrer, at))
    referrer, referred, at = referrer[turn], referred[turn], at[turn]
    converted = np.where(referred >= 0, first[referred], -1)
    width = len(str(people.n))
    return contract_table(
        "referrals",
        {
            "referral_id": ids("r", np.arange(at.size), len(str(max(at.size, 1)))),
            "referrer_id": ids("c", referrer, width),
            "referred_id": ids("c", referred, width),
            "sent_at": times(at),
            "converted_at": times(converted, converted >= 0),
        },
    )
