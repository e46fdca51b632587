"""From visits to the events table, one row per touchpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa

from lifecycle_kit.simulate.clock import Clock, Ints
from lifecycle_kit.simulate.columns import contract_table, ids, names, times
from lifecycle_kit.simulate.parameters import CHANNELS, ShopParameters
from lifecycle_kit.simulate.sessions import Sessions
from lifecycle_kit.simulate.streams import Streams
from lifecycle_kit.simulate.visits import Bools
from lifecycle_kit.simulate.voices import Voices

__all__ = ["EVENTS", "PAID", "Moments", "campaign_names", "events_table", "moments"]

EVENTS: tuple[str, ...] = (
    "page_viewed",
    "product_viewed",
    "care_guide_viewed",
    "signed_up",
    "product_added",
    "checkout_started",
    "review_posted",
    "support_ticket",
)
PAID: tuple[str, ...] = ("paid_shopping", "paid_search", "paid_social", "other")


@dataclass(frozen=True, eq=False)
class Moments:
    """UTC seconds of what happens within each visit."""

    care_guide: Ints
    sign_up: Ints
    add: Ints
    checkout: Ints
    order: Ints


def moments(s: Sessions) -> Moments:
    """Touchpoints of a visit follow each other at its own pace: pages, guide, sign-up, cart, checkout."""
    step = s.n_pages.astype(np.int64)
    care_guide = s.start + step * s.dwell
    step = step + s.care_guide
    sign_up = s.start + step * s.dwell
    step = step + s.signs_up
    add = s.start + step * s.dwell
    step = step + s.adds
    checkout = s.start + step * s.dwell
    return Moments(care_guide, sign_up, add, checkout, checkout + s.dwell)


def campaign_names(clock: Clock) -> tuple[str, ...]:
    """Words for campaign numbers: newsletters by day number, then always_on, then one promotion a year."""
    days = [clock.start + timedelta(days=i) for i in range(clock.n_days)]
    years = range(clock.start.year, days[-1].year + 1)
    return (*(f"newsletter_{d:%Y_%m_%d}" for d in days), "always_on", *(f"black_friday_{y}" for y in years))


def campaign_numbers(clock: Clock, channel: Ints, day: Ints, newsletter: Ints) -> Ints:
    """Campaign of each visit: its newsletter, or the paid campaign that ran on the day; -1 for none."""
    year = np.asarray([(clock.start + timedelta(days=i)).year - clock.start.year for i in range(clock.n_days)])
    running = np.where(clock.promotion == 2, clock.n_days + 1 + year, clock.n_days)
    paid = np.isin(channel, [CHANNELS.index(c) for c in PAID])
    return np.where(newsletter >= 0, newsletter, np.where(paid, running[day], -1))


def events_table(
    p: ShopParameters, clock: Clock, streams: Streams, s: Sessions, order_numbers: Ints, voices: Voices
) -> pa.Table:
    """Lay the visits and what customers say out as the contract's events, sorted by time."""
    at = moments(s)
    whole = np.arange(s.n)
    pages = np.repeat(whole, s.n_pages)
    step = np.arange(pages.size) - np.repeat(np.cumsum(s.n_pages) - s.n_pages, s.n_pages)
    guide, sign_up, add, checkout = (np.flatnonzero(x) for x in (s.care_guide, s.signs_up, s.adds, s.checks_out))
    kinds = [
        (np.where(s.engaged[pages], 1, 0), pages, s.start[pages] + step * s.dwell[pages]),
        (np.full(guide.size, 2), guide, at.care_guide[guide]),
        (np.full(sign_up.size, 3), sign_up, at.sign_up[sign_up]),
        (np.full(add.size, 4), add, at.add[add]),
        (np.full(checkout.size, 5), checkout, at.checkout[checkout]),
    ]
    kind = np.concatenate([k for k, _, _ in kinds])
    visit = np.concatenate([v for _, v, _ in kinds])
    second = np.concatenate([t for _, _, t in kinds])
    # A visitor who makes himself known is named from that touchpoint on, not before.
    tells = (kind == 3) | ((kind == 5) & (s.order[visit] >= 0))
    after = s.signs_up[visit] & (second > at.sign_up[visit])
    named = (s.shows_person[visit] | tells | after) & (s.person[visit] >= 0)
    ordered = np.where(kind == 5, s.order[visit], -1)

    rng = streams.part("late events")
    late = rng.random(s.n) < p.late_event_share
    delay = np.where(late, np.rint(rng.lognormal(10.2, 1.3, s.n)), 0).astype(np.int64)
    delay = np.where(s.start + 3600 + delay < clock.end_seconds, delay, 0)

    says = voices.second.size
    table = {
        "kind": np.concatenate([kind, voices.kind]),
        "visit": np.concatenate([visit, np.full(says, -1)]),
        "second": np.concatenate([second, voices.second]),
        "person": np.concatenate([np.where(named, s.person[visit], -1), voices.person]),
        "order": np.concatenate([np.where(ordered >= 0, order_numbers[ordered], -1), order_numbers[voices.order]]),
        "words": np.concatenate([np.full(kind.size, -1), voices.words]),
        "delay": np.concatenate([delay[visit], np.zeros(says, dtype=np.int64)]),
    }
    turn = np.lexsort((table["kind"], table["visit"], table["second"]))
    e = {k: v[turn] for k, v in table.items()}
    in_visit: Bools = e["visit"] >= 0
    campaign = campaign_numbers(clock, s.channel, s.day, s.newsletter)
    n = turn.size
    return contract_table(
        "events",
        {
            "event_id": ids("e", np.arange(n), len(str(n))),
            "person_id": ids("c", e["person"], voices.person_width),
            "anonymous_id": ids("a", np.where(in_visit, s.device[e["visit"]], -1), len(str(s.n))),
            "event": names(e["kind"], EVENTS),
            "occurred_at": times(e["second"]),
            "ingested_at": times(e["second"] + e["delay"], e["delay"] > 0),
            "session_id": ids("s", e["visit"], len(str(s.n))),
            "channel": names(np.where(in_visit, s.channel[e["visit"]], -1), CHANNELS),
            "campaign": names(np.where(in_visit, campaign[e["visit"]], -1), campaign_names(clock)),
            "order_id": ids("o", e["order"], len(str(order_numbers.size))),
            "properties": names(e["words"], voices.vocabulary),
        },
    )
