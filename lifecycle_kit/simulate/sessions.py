"""All visits of the shop in one place: those of strangers, and those of people it knows."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from lifecycle_kit.simulate.clock import Clock, Floats, Ints
from lifecycle_kit.simulate.orders import Orders
from lifecycle_kit.simulate.parameters import CHANNELS, ShopParameters
from lifecycle_kit.simulate.people import People
from lifecycle_kit.simulate.streams import Streams
from lifecycle_kit.simulate.visits import AnonymousVisits, Bools, channel_numbers, draw_channels

__all__ = ["Sessions", "make_sessions"]


@dataclass(frozen=True, eq=False)
class Sessions:
    """One entry per visit, by time of its start. -1 stands for none."""

    start: Ints  # UTC seconds
    dwell: Ints  # seconds from one touchpoint to the next
    day: Ints  # business day number
    device: Ints
    person: Ints  # known on arrival, or about to be
    shows_person: Bools  # the log shows who it is from the first touchpoint
    channel: Ints
    newsletter: Ints  # day number of the newsletter that brought it
    n_pages: Ints
    engaged: Bools
    care_guide: Bools
    signs_up: Bools
    adds: Bools
    checks_out: Bools
    order: Ints

    @property
    def n(self) -> int:
        """Number of visits."""
        return self.start.size


@dataclass(frozen=True, eq=False)
class _Known:
    person: Ints
    t: Floats
    order: Ints
    care_guide: Bools


def make_sessions(
    p: ShopParameters, clock: Clock, streams: Streams, visits: AnonymousVisits, people: People, orders: Orders
) -> Sessions:
    """Put anonymous and known visits together and fill in what happens on each."""
    known = _known_visits(p, clock, streams, people, orders)
    channel, t, newsletter = _known_channels(p, clock, streams, known)
    device, n_devices = _known_devices(p, streams, people, known.person, visits.n_devices)

    n_anonymous, n_known = visits.t.size, known.person.size
    person = np.full(n_anonymous, -1, dtype=np.int64)
    person[people.visit] = np.arange(people.n)
    order = np.full(n_anonymous, -1, dtype=np.int64)
    direct_first = np.flatnonzero(orders.is_first & ~people.is_lead[orders.person])
    order[people.visit[orders.person[direct_first]]] = direct_first

    rng = streams.part("known visits")
    engaged = (rng.random(n_known) < p.engaged_known) | (known.order >= 0) | known.care_guide
    shows = (rng.random(n_known) < p.logged_in_rate) | (known.order >= 0)
    everything = {
        "t": np.concatenate([visits.t, t]),
        "device": np.concatenate([visits.device, device]),
        "person": np.concatenate([person, known.person]),
        "shows_person": np.concatenate([np.zeros(n_anonymous, dtype=bool), shows]),
        "channel": np.concatenate([visits.channel, channel]),
        "newsletter": np.concatenate([np.full(n_anonymous, -1, dtype=np.int64), newsletter]),
        "engaged": np.concatenate([visits.engaged, engaged]),
        "care_guide": np.concatenate([visits.care_guide, known.care_guide]),
        "signs_up": np.concatenate([visits.signs_up, np.zeros(n_known, dtype=bool)]),
        "order": np.concatenate([order, known.order]),
    }
    return _fill_in(p, clock, streams, everything, n_devices)


def _fill_in(p: ShopParameters, clock: Clock, streams: Streams, s: dict[str, np.ndarray], n_devices: int) -> Sessions:
    # The last half hour stays free, so that every visit ends inside the log.
    start = np.minimum(clock.utc_seconds(s["t"]), clock.end_seconds - 1800)
    turn = np.lexsort((s["device"], start))
    s = {k: v[turn] for k, v in s.items()}
    start = start[turn]

    rng = streams.part("touchpoints")
    n = start.size
    pages = np.where(s["engaged"], np.minimum(rng.geometric(1 - p.more_products, n), 12), 1)
    buys = s["order"] >= 0
    adds = buys | (s["engaged"] & (rng.random(n) < p.cart_rate))
    checks_out = buys | (adds & (rng.random(n) < p.checkout_rate))
    # Devices are numbered by first visit: readable ids, and small files.
    first = np.full(n_devices, n, dtype=np.int64)
    np.minimum.at(first, s["device"], np.arange(n))
    number = np.empty(n_devices, dtype=np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(n_devices)
    made = {
        "start": start,
        "dwell": rng.integers(12, 90, n),
        "day": np.minimum(s.pop("t").astype(np.int64), clock.n_days - 1),
        "n_pages": pages,
        "adds": adds,
        "checks_out": checks_out,
        **s,
        "device": number[s["device"]],
    }
    return Sessions(**{f.name: made[f.name] for f in fields(Sessions)})


def _known_visits(p: ShopParameters, clock: Clock, streams: Streams, people: People, orders: Orders) -> _Known:
    """Visits of leads and customers: to order, to look around, to read the care guide."""
    ordering = np.flatnonzero(~orders.is_first | people.is_lead[orders.person])

    rng = streams.part("lead visits")
    leads = np.flatnonzero(people.is_lead)
    who_lead = np.repeat(leads, rng.poisson(p.lead_visits_mean, leads.size))
    t_lead = people.linked_t[who_lead] + 0.2 + rng.exponential(p.lead_visits_days, who_lead.size)
    t_lead = np.floor(t_lead) + clock.hour_of(rng.random(t_lead.size))
    t_lead = np.maximum(t_lead, people.linked_t[who_lead] + 0.05)

    rng = streams.part("customer visits")
    buyers = np.flatnonzero(np.isfinite(people.first_order_t))
    begins = clock.to_traffic(people.first_order_t[buyers])
    end = clock.to_traffic(np.asarray(float(clock.n_days)))
    left = np.minimum(clock.to_traffic(np.minimum(orders.dropped_t[buyers], clock.n_days)), end)
    per_day = p.visits_per_repeat * people.purchase_rate[buyers] / 7
    alive = rng.poisson(per_day * np.maximum(left - begins, 0))
    after = rng.poisson(per_day * np.maximum(end - left, 0) * p.dropped_visit_share)
    who_buyer = np.concatenate([np.repeat(buyers, alive), np.repeat(buyers, after)])
    low = np.concatenate([np.repeat(begins, alive), np.repeat(left, after)])
    high = np.concatenate([np.repeat(left, alive), np.repeat(np.full(buyers.size, end), after)])
    t_buyer = clock.from_traffic(low + (high - low) * rng.random(low.size))
    t_buyer = np.maximum(t_buyer, people.first_order_t[who_buyer] + 0.05)

    rng = streams.part("care guide")
    by_mail = np.flatnonzero(people.guide_by_mail)
    until = np.minimum(people.first_order_t[by_mail], people.linked_t[by_mail] + 21)
    t_lead_guide = (
        people.linked_t[by_mail] + 0.012 + (until - people.linked_t[by_mail] - 0.016) * rng.random(by_mail.size)
    )
    as_meant = buyers[rng.random(buyers.size) < p.care_guide_buyer_rate]
    t_buyer_guide = people.first_order_t[as_meant] + 1 + 20 * rng.random(as_meant.size)

    parts = [
        (orders.person[ordering], orders.t[ordering], ordering, False),
        (who_lead, t_lead, None, False),
        (who_buyer, t_buyer, None, False),
        (by_mail, t_lead_guide, None, True),
        (as_meant, t_buyer_guide, None, True),
    ]
    person = np.concatenate([who for who, _, _, _ in parts])
    t = np.concatenate([at for _, at, _, _ in parts])
    order = np.concatenate([np.full(who.size, -1) if o is None else o for who, _, o, _ in parts]).astype(np.int64)
    guide = np.concatenate([np.full(who.size, g) for who, _, _, g in parts])
    inside = (t < clock.n_days - 0.03) | (order >= 0)
    return _Known(person[inside], t[inside], order[inside], guide[inside])


def _known_channels(p: ShopParameters, clock: Clock, streams: Streams, known: _Known) -> tuple[Ints, Floats, Ints]:
    """How they came; visits by mail gather in the days after a newsletter."""
    rng = streams.part("known channels")
    n = known.person.size
    channel = draw_channels(rng, channel_numbers(p.channel_known), n)
    mailed = channel == CHANNELS.index("email")
    t = known.t.copy()
    if clock.newsletters.size:
        following = np.searchsorted(clock.newsletters, t, side="left")
        sent = clock.newsletters[np.minimum(following, clock.newsletters.size - 1)]
        moved = sent + np.floor(rng.exponential(0.9, n)) + clock.hour_of(rng.random(n))
        moves = mailed & (known.order < 0) & ~known.care_guide & (rng.random(n) < p.newsletter_pull)
        moves &= (following < clock.newsletters.size) & (moved > t) & (moved < clock.n_days - 0.03)
        t = np.where(moves, moved, t)
        last = np.searchsorted(clock.newsletters, np.floor(t), side="right") - 1
        sent = clock.newsletters[np.maximum(last, 0)]
        recent = mailed & (last >= 0) & (t - sent < 5)
        return channel, t, np.where(recent, sent, -1)
    return channel, t, np.full(n, -1, dtype=np.int64)


def _known_devices(
    p: ShopParameters, streams: Streams, people: People, person: Ints, n_devices: int
) -> tuple[Ints, int]:
    """Some people also come on a second device, numbered after all the first ones."""
    rng = streams.part("devices")
    has_second = np.flatnonzero(rng.random(people.n) < p.second_device_rate)
    second = np.full(people.n, -1, dtype=np.int64)
    second[has_second] = n_devices + np.arange(has_second.size)
    other = (second[person] >= 0) & (rng.random(person.size) < 0.4)
    device = np.where(other, second[person], people.device[person])
    # Only devices that were really used get a number.
    used = np.unique(device[device >= n_devices])
    new = np.full(n_devices + has_second.size, -1, dtype=np.int64)
    new[:n_devices] = np.arange(n_devices)
    new[used] = n_devices + np.arange(used.size)
    return new[device], n_devices + used.size
