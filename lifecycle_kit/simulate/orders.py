"""Every order of the shop, with money, discount and the chance that it comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecycle_kit.simulate.clock import Clock, Floats, Ints
from lifecycle_kit.simulate.parameters import SEGMENTS, ShopParameters
from lifecycle_kit.simulate.people import People
from lifecycle_kit.simulate.repeat import repeat_orders
from lifecycle_kit.simulate.streams import Streams
from lifecycle_kit.simulate.visits import Bools

__all__ = ["Orders", "make_orders", "price_orders"]


@dataclass(frozen=True, eq=False)
class Orders:
    """One entry per order, by person and time. Money in cents; `t` in business days."""

    person: Ints
    t: Floats
    is_first: Bools
    net_revenue: Ints
    cost: Ints
    discount: Ints
    refund_t: Floats  # infinite: kept
    dropped_t: Floats  # per person: when the person left for good; infinite: alive, or never a customer

    @property
    def n(self) -> int:
        """Number of orders."""
        return self.person.size


def make_orders(p: ShopParameters, clock: Clock, streams: Streams, people: People) -> Orders:
    """Simulate first and repeat orders of all people."""
    buyers = np.flatnonzero(np.isfinite(people.first_order_t))
    begins = clock.to_demand(people.first_order_t[buyers]) / 7
    ends = float(clock.to_demand(np.asarray(clock.n_days - 0.03))) / 7
    repeats = repeat_orders(
        streams.part("repeat orders"), begins, people.purchase_rate[buyers], people.dropout[buyers], ends
    )
    person = np.concatenate([buyers, buyers[repeats.person]])
    t = np.concatenate([people.first_order_t[buyers], clock.from_demand(repeats.s * 7)])
    is_first = np.arange(person.size) < buyers.size
    # Two orders in the same half hour would be one visit: push the second away.
    order = np.lexsort((t, ~is_first, person))
    person, t, is_first = person[order], t[order], is_first[order]
    close = np.flatnonzero((np.diff(t, prepend=-1.0) < 0.02) & ~is_first)
    for i in close:
        t[i] = min(max(t[i], t[i - 1] + 0.02), clock.n_days - 0.021)

    dropped_t = np.full(people.n, np.inf)
    dropped_t[buyers] = clock.from_demand(repeats.dropped_s * 7)
    in_promotion = clock.promotion[t.astype(np.int64)] == 2
    segment = people.segment[person]
    net, cost, discount = price_orders(
        p, streams.part("order money"), people.order_value[person], in_promotion, segment
    )

    rng = streams.part("refunds")
    by_segment = np.asarray([p.segment_refund[s] for s in SEGMENTS])[segment]
    comes_back = rng.random(t.size) < np.minimum(p.refund_rate * by_segment, 1.0)
    shape, mean = p.refund_lag_days
    refund_t = t + 1 + rng.gamma(shape, (mean - 1) / shape, t.size)
    refund_t = np.where(comes_back & (refund_t < clock.n_days), refund_t, np.inf)
    return Orders(person, t, is_first, net, cost, discount, refund_t, dropped_t)


def price_orders(
    p: ShopParameters, rng: np.random.Generator, order_value: Floats, in_promotion: Bools, segment: Ints
) -> tuple[Ints, Ints, Ints]:
    """Draw what each order brought, cost and was discounted by, in cents.

    The Gamma-Gamma amount is what the customer paid; the discount is what the list price was above
    it, so the law of the spend stays as measured.
    """
    n = order_value.size
    shape = p.spend_shape[0]
    net = np.maximum(np.rint(rng.gamma(shape, 1 / shape, n) * order_value * 100), 100).astype(np.int64)
    rate = np.where(in_promotion, p.discount_rate_promotion, p.discount_rate)
    rate = np.minimum(rate * np.asarray([p.segment_discount[s] for s in SEGMENTS])[segment], 0.98)
    depth = np.asarray(p.discount_depth)[rng.integers(0, len(p.discount_depth), n)]
    depth = np.where(rng.random(n) < rate, depth, 0.0)
    discount = np.rint(net * depth / (1 - depth)).astype(np.int64)
    cost = (net + discount) * p.goods_share + net * p.fee_share + p.shipping_cost * 100
    return net, np.rint(cost).astype(np.int64), discount
