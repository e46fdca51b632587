"""Who becomes known, who will order, and what each of them is like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecycle_kit.simulate.clock import Clock, Floats, Ints
from lifecycle_kit.simulate.parameters import CHANNELS, SEGMENTS, ShopParameters
from lifecycle_kit.simulate.streams import Streams
from lifecycle_kit.simulate.visits import AnonymousVisits, Bools

__all__ = ["People", "make_people"]


@dataclass(frozen=True, eq=False)
class People:
    """One entry per known person, in the order in which they became known. `t` values are business days."""

    device: Ints
    visit: Ints  # index of the visit that made them known
    linked_t: Floats
    first_seen_t: Floats
    channel: Ints  # of the first visit
    is_lead: Bools  # signed up before any order
    invited: Bools
    read_care_guide: Bools  # before any order
    guide_by_mail: Bools  # of these, the leads who read it after sign-up
    first_order_t: Floats  # infinite: no order within the log
    purchase_rate: Floats  # orders per demand week while alive
    dropout: Floats  # chance to leave after each repeat order
    order_value: Floats  # mean of the person's orders, EUR
    satisfaction: Floats  # standard normal
    invitations: Floats  # invitations per order
    segment: Ints

    @property
    def n(self) -> int:
        """Number of known people."""
        return self.device.size


def make_people(p: ShopParameters, clock: Clock, streams: Streams, visits: AnonymousVisits) -> People:
    """Turn each conversion into a person with a nature and, perhaps, a first order."""
    visit = np.flatnonzero(visits.signs_up | visits.orders)
    visit = visit[np.argsort(visits.t[visit], kind="stable")]
    device, linked_t = visits.device[visit], visits.t[visit]
    first_visit = np.searchsorted(visits.device, device, side="left")
    is_lead = visits.signs_up[visit]
    n = visit.size

    rng = streams.part("leads")
    # A lead may have read the guide on an anonymous visit, or later by mail: both lift, once.
    read_before = np.bincount(visits.device[visits.care_guide], minlength=visits.n_devices)[device] > 0
    guide_by_mail = is_lead & ~read_before & (rng.random(n) < p.care_guide_lead_rate)
    read_care_guide = read_before | guide_by_mail
    share = read_care_guide[is_lead].mean() if is_lead.any() else 0.0
    lift = np.where(read_care_guide, p.care_guide_lift, 1.0) / (1 + share * (p.care_guide_lift - 1))
    by_referral = visits.channel[visit] == CHANNELS.index("referral")
    share_referral = by_referral[is_lead].mean() if is_lead.any() else 0.0
    invited = is_lead & by_referral & (rng.random(n) < min(1.0, p.invited_share / max(share_referral, 1e-9)))
    rate = np.asarray([p.lead_to_order.get(c, 0.0) for c in CHANNELS])[visits.channel[visit]]
    rate = np.where(invited, p.invited_to_order, rate)
    will_order = rng.random(n) < np.minimum(rate * lift, 1.0)
    lag = rng.lognormal(*p.lead_lag_log, n)
    later = clock.from_demand(clock.to_demand(linked_t) + lag)
    # At least a quarter of an hour after the sign-up visit, or it would have been one visit.
    later = np.where(is_lead & will_order, np.maximum(later, linked_t + 0.02), np.inf)
    later = np.where(later < clock.n_days - 0.03, later, np.inf)

    rng = streams.part("natures")
    r, alpha = p.purchase_gamma
    a, b = p.dropout_beta
    shape, q = p.spend_shape
    purchase_rate = rng.gamma(r, 1 / alpha, n)
    scale = p.mean_order_value * (q - 1) / shape
    order_value = shape / rng.gamma(q, 1 / scale, n)
    satisfaction = rng.normal(0.0, 1.0, n)
    spread = 0.9
    return People(
        device=device,
        visit=visit,
        linked_t=linked_t,
        first_seen_t=visits.t[first_visit],
        channel=visits.channel[first_visit],
        is_lead=is_lead,
        invited=invited,
        read_care_guide=read_care_guide,
        guide_by_mail=guide_by_mail,
        first_order_t=np.where(is_lead, later, linked_t),
        purchase_rate=purchase_rate,
        dropout=rng.beta(a, b, n),
        order_value=order_value,
        satisfaction=satisfaction,
        invitations=p.invitation_mean * np.exp(spread * satisfaction - spread**2 / 2),
        segment=_segments(streams.part("segments"), purchase_rate, order_value),
    )


def _segments(rng: np.random.Generator, purchase_rate: Floats, order_value: Floats) -> Ints:
    """Draw the planted segment from the person's ranks in rate and value.

    Rate and value keep their laws; the segment is read off them with chance, so a clustering can
    find it again, but never perfectly.
    """
    n = purchase_rate.size
    often = np.argsort(np.argsort(purchase_rate)) / max(n, 1)
    much = np.argsort(np.argsort(order_value)) / max(n, 1)
    weight = np.stack([5 * often**5, 5 * much**6, 1.6 * (1 - much) ** 2, np.full(n, 0.5)])
    assert len(weight) == len(SEGMENTS)
    edges = np.cumsum(weight / weight.sum(axis=0), axis=0)
    drawn: Ints = (rng.random(n) > edges).sum(axis=0).clip(0, len(SEGMENTS) - 1)
    return drawn
