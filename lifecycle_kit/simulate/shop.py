"""`simulate_shop`: the whole life of a shop, and the truth behind it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from lifecycle_kit.errors import UsageError
from lifecycle_kit.simulate.asked import checked_months, checked_start
from lifecycle_kit.simulate.clock import Clock, Ints, make_clock
from lifecycle_kit.simulate.columns import contract_table, ids, names, times
from lifecycle_kit.simulate.dirty import make_dirty
from lifecycle_kit.simulate.marketing import costs_table
from lifecycle_kit.simulate.orders import Orders, make_orders
from lifecycle_kit.simulate.parameters import CHANNELS, ShopParameters
from lifecycle_kit.simulate.people import People, make_people
from lifecycle_kit.simulate.result import SimulatedShop
from lifecycle_kit.simulate.sessions import Sessions, make_sessions
from lifecycle_kit.simulate.streams import Streams
from lifecycle_kit.simulate.touchpoints import events_table, moments
from lifecycle_kit.simulate.truth import Truth, customers_truth, facts
from lifecycle_kit.simulate.visits import anonymous_visits
from lifecycle_kit.simulate.voices import make_voices, referrals_table, surveys_table

__all__ = ["simulate_shop"]

# Beyond this the shop no longer fits a laptop's memory next to an analysis (about 0.8 kB a visit while it is made).
MOST_VISITS = 4_000_000


def simulate_shop(
    *,
    seed: int = 7,
    start: str | date = "2024-01-01",
    months: int = 24,
    visits_per_day: float = 400.0,
    dirty: bool = False,
    parameters: ShopParameters | None = None,
) -> SimulatedShop:
    """Simulate an online shop from its opening day on.

    Parameters
    ----------
    seed : int
        The same seed gives the same tables, to the byte. Each part of the shop has its own stream
        of random numbers, so turning one parameter does not reshuffle the rest.
    start : str or date
        Opening day, local. Nobody is known before it.
    months : int
        Length of the log in months.
    visits_per_day : float
        Visits on an ordinary day of the first year (season, promotion and growth come on top).
        All sizes follow from it; all rates stay.
    dirty : bool
        Plant the faults of real logs on top, and list each in ``truth.planted``.
    parameters : ShopParameters, optional
        The shop's figures; each says where it comes from.

    Returns
    -------
    SimulatedShop

    Raises
    ------
    UsageError
        When a value is out of range, or the shop would not fit in memory.

    Notes
    -----
    The shop is built in memory, some 0.8 kB a visit. For tens of millions of orders use
    `simulate_orders`, which streams.
    """
    p = parameters if parameters is not None else ShopParameters()
    begin = checked_start(start)
    checked_months(months)
    _check_size(months, visits_per_day)
    streams = Streams(seed)
    clock = make_clock(p, begin, months, streams.part("calendar"))
    visits = anonymous_visits(p, clock, streams, visits_per_day)
    people = make_people(p, clock, streams, visits)
    orders = make_orders(p, clock, streams, people)
    sessions = make_sessions(p, clock, streams, visits, people, orders)

    at = moments(sessions)
    buys = np.flatnonzero(sessions.order >= 0)
    ordered = np.zeros(orders.n, dtype=np.int64)
    ordered[sessions.order[buys]] = at.order[buys]
    linked = np.zeros(people.n, dtype=np.int64)
    joins = np.flatnonzero((sessions.person >= 0) & (sessions.signs_up | _direct_first(sessions, people, orders)))
    linked[sessions.person[joins]] = np.where(sessions.signs_up[joins], at.sign_up[joins], at.checkout[joins])
    # Orders are numbered by time, as a shop's till does.
    number = np.empty(orders.n, dtype=np.int64)
    number[np.lexsort((orders.person, ordered))] = np.arange(orders.n)

    voices = make_voices(p, clock, streams, people, orders, ordered)
    consents = _consents(p, streams, people)
    tables = {
        "events": events_table(p, clock, streams, sessions, number, voices),
        "orders": _orders_table(p, clock, streams, people, orders, ordered, number),
        "customers": _customers_table(p, clock, streams, people, consents, sessions),
        "identities": _identities_table(people, sessions, linked),
        "costs": costs_table(p, clock, streams, sessions, people.linked_t.astype(np.int64), consents),
        "surveys": surveys_table(p, clock, streams, people, orders, ordered),
        "referrals": referrals_table(p, clock, streams, people, orders, ordered, linked),
    }
    truth = Truth(customers_truth(clock, people, orders), facts(p, clock, tables, people), planted=None)
    shop = SimulatedShop(tables, truth, p, int(seed), begin.isoformat(), months, float(visits_per_day), dirty=False)
    return make_dirty(shop) if dirty else shop


def _check_size(months: int, visits_per_day: float) -> None:
    if isinstance(visits_per_day, bool) or not isinstance(visits_per_day, int | float) or not visits_per_day > 0:
        raise UsageError(f"visits_per_day={visits_per_day!r} is out of range.", fix="Give a number above 0.")
    if visits_per_day * months * 30.4 > MOST_VISITS:
        raise UsageError(
            f"{visits_per_day:g} visits a day over {months} months is more than {MOST_VISITS:,} visits.",
            fix="Ask for fewer, or stream orders alone with simulate_orders.",
        )


def _direct_first(s: Sessions, people: People, orders: Orders) -> np.ndarray:
    """Visits on which a stranger ordered at once."""
    first = np.zeros(s.n, dtype=bool)
    buys = np.flatnonzero(s.order >= 0)
    order = s.order[buys]
    first[buys] = orders.is_first[order] & ~people.is_lead[orders.person[order]]
    return first


def _consents(p: ShopParameters, streams: Streams, people: People) -> np.ndarray:
    rate = np.where(people.is_lead, p.consent_rate["lead"], p.consent_rate["direct"])
    return streams.part("consent").random(people.n) < rate


def _orders_table(
    p: ShopParameters, clock: Clock, streams: Streams, people: People, orders: Orders, ordered: Ints, number: Ints
) -> pa.Table:
    turn = np.argsort(number)
    refunded = np.isfinite(orders.refund_t)
    # Given back in office hours or not, but always after the order itself.
    refund_at = clock.utc_seconds(np.where(refunded, orders.refund_t, 0.0))
    refunded = refunded & (refund_at > ordered)
    rng = streams.part("late orders")
    late = rng.random(orders.n) < p.late_order_share
    delay = (np.rint(rng.uniform(1.0, 9.0, orders.n) * 1440) * 60).astype(np.int64)
    late &= ordered + delay < clock.end_seconds  # what arrives after the log was taken is not in it as late
    return contract_table(
        "orders",
        {
            "order_id": ids("o", number[turn], len(str(max(orders.n, 1)))),
            "person_id": ids("c", orders.person[turn], len(str(people.n))),
            "ordered_at": times(ordered[turn]),
            "net_revenue": pa.array(orders.net_revenue[turn]),
            "cost": pa.array(orders.cost[turn]),
            "discount": pa.array(orders.discount[turn]),
            "currency": names(np.zeros(orders.n, dtype=np.int64), (p.currency,)),
            "status": names(refunded[turn].astype(np.int64), ("completed", "refunded")),
            "refunded_at": times(refund_at[turn], refunded[turn]),
            "ingested_at": times((ordered + delay)[turn], late[turn]),
        },
    )


def _customers_table(
    p: ShopParameters, clock: Clock, streams: Streams, people: People, consents: np.ndarray, s: Sessions
) -> pa.Table:
    countries = tuple(p.countries)
    share = np.cumsum([p.countries[c] for c in countries])
    country = np.searchsorted(share / share[-1], streams.part("countries").random(people.n), side="right")
    first_seen = np.minimum(clock.utc_seconds(people.first_seen_t), clock.end_seconds - 1800)
    return contract_table(
        "customers",
        {
            "person_id": ids("c", np.arange(people.n), len(str(people.n))),
            "first_seen_at": times(first_seen),
            "acquired_channel": names(people.channel, CHANNELS),
            "country": names(np.minimum(country, len(countries) - 1), countries),
            "consent_marketing": pa.array(consents),
            "is_test": pa.array(np.zeros(people.n, dtype=bool)),
        },
    )


def _identities_table(people: People, s: Sessions, linked: Ints) -> pa.Table:
    """One link per device of a known person; a second device is linked when it first logs in."""
    mine = np.flatnonzero(s.person >= 0)
    # Second devices are met only after the person is known; they stay unlinked until a visit shows who it is.
    main_device = np.full(people.n, -1, dtype=np.int64)
    joins = mine[~s.shows_person[mine] & (s.signs_up[mine] | (s.order[mine] >= 0))]
    main_device[s.person[joins]] = s.device[joins]
    other = mine[s.shows_person[mine] & (s.device[mine] != main_device[s.person[mine]])]
    device, first = np.unique(s.device[other], return_index=True)
    device = np.concatenate([main_device, device])
    person = np.concatenate([np.arange(people.n), s.person[other][first]])
    at = np.concatenate([linked, s.start[other][first]])
    turn = np.lexsort((device, at))
    return contract_table(
        "identities",
        {
            "anonymous_id": ids("a", device[turn], len(str(s.n))),
            "person_id": ids("c", person[turn], len(str(people.n))),
            "linked_at": times(at[turn]),
        },
    )
