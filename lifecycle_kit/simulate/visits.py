"""Visits of people nobody knows yet, and the moment some of them make themselves known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecycle_kit.simulate.clock import Clock, Floats, Ints
from lifecycle_kit.simulate.parameters import CHANNELS, ShopParameters
from lifecycle_kit.simulate.streams import Streams

__all__ = ["AnonymousVisits", "anonymous_visits", "channel_numbers", "draw_channels"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AnonymousVisits:
    """One entry per visit, sorted by device and time; ends for a device with the visit that makes it known."""

    device: Ints
    t: Floats
    channel: Ints
    engaged: Bools
    care_guide: Bools
    signs_up: Bools
    orders: Bools
    n_devices: int


def channel_numbers(shares: Mapping[str, float]) -> Floats:
    """Shares by channel name -> an array in the order of CHANNELS, summing to one."""
    out = np.asarray([shares.get(c, 0.0) for c in CHANNELS])
    shares_in_order: Floats = out / out.sum()
    return shares_in_order


def draw_channels(rng: np.random.Generator, shares: Floats, n: int) -> Ints:
    """Draw `n` channel numbers."""
    return np.minimum(np.searchsorted(np.cumsum(shares), rng.random(n), side="right"), len(CHANNELS) - 1).astype(
        np.int64
    )


def anonymous_visits(p: ShopParameters, clock: Clock, streams: Streams, visits_per_day: float) -> AnonymousVisits:
    """Simulate every visit up to and including a device's sign-up or first order."""
    device, t, channel, first = _arrivals(p, clock, streams, visits_per_day)
    order = np.lexsort((t, device))
    device, t, channel, first = device[order], t[order], channel[order], first[order]

    rng = streams.part("visit outcomes")
    n = t.size
    engaged = rng.random(n) < np.where(first, p.engaged_new, p.engaged_return)
    engaged_share = engaged.mean() if n else 1.0
    care_guide = engaged & (rng.random(n) < p.care_guide_rate)
    # The lift is paid for by everyone else, so the mean rate stays where it was measured.
    lift = np.where(care_guide, p.care_guide_lift, 1.0) / (1 + p.care_guide_rate * (p.care_guide_lift - 1))
    conversion = np.asarray([1.0, p.before_conversion, p.promotion_conversion])[clock.promotion[t.astype(np.int64)]]
    by_channel = np.asarray([p.direct_by_channel.get(c, 1.0) for c in CHANNELS])[channel]
    orders = engaged & (rng.random(n) < p.direct_rate / engaged_share * conversion * by_channel * lift)
    signs_up = engaged & ~orders & (rng.random(n) < p.lead_rate / engaged_share / (1 - p.direct_rate))

    # A device's anonymous life ends with its first conversion.
    known = orders | signs_up
    before = np.cumsum(known) - known
    starts = np.searchsorted(device, device, side="left")
    keep = before - before[starts] == 0
    # Devices are numbered by first visit: readable ids, and small files.
    return AnonymousVisits(
        device=device[keep],
        t=t[keep],
        channel=channel[keep],
        engaged=engaged[keep],
        care_guide=care_guide[keep],
        signs_up=signs_up[keep],
        orders=orders[keep],
        n_devices=int(device.max()) + 1 if n else 0,
    )


def _arrivals(
    p: ShopParameters, clock: Clock, streams: Streams, visits_per_day: float
) -> tuple[Ints, Floats, Ints, Bools]:
    rng = streams.part("new visitors")
    per_day = rng.poisson(visits_per_day * p.new_share * clock.traffic)
    n = int(per_day.sum())
    day = np.repeat(np.arange(clock.n_days), per_day)
    t = np.sort(day + clock.hour_of(rng.random(n)))
    channel = draw_channels(rng, channel_numbers(p.channel_new), n)
    # In the promotion many come by a mail that was passed on, or read where nobody is logged in.
    mailed = (clock.promotion[t.astype(np.int64)] == 2) & (rng.random(n) < p.promotion_email_share)
    channel = np.where(mailed, CHANNELS.index("email"), channel)

    rng = streams.part("return visits")
    count = rng.poisson(p.returns_mean * rng.gamma(p.returns_shape, 1 / p.returns_shape, n))
    device = np.repeat(np.arange(n, dtype=np.int64), count)
    gap = rng.lognormal(*p.return_gap_log, device.size)
    starts = np.cumsum(count) - count
    total = np.cumsum(gap)
    since = total - np.repeat((total - gap)[starts[count > 0]], count[count > 0]) if device.size else gap
    # Whole days away, then an hour of its own: people come back when they have time.
    again = np.floor(t[device] + 1 + since) + clock.hour_of(rng.random(device.size))
    inside = again < clock.n_days
    device, again = device[inside], again[inside]
    back = draw_channels(rng, channel_numbers(p.channel_return), device.size)
    return (
        np.concatenate([np.arange(n, dtype=np.int64), device]),
        np.concatenate([t, again]),
        np.concatenate([channel, back]),
        np.concatenate([np.ones(n, dtype=bool), np.zeros(device.size, dtype=bool)]),
    )
