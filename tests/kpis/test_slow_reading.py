"""Shares, lapses and waiting times against a slow reading: plain loops over random logs, week after week."""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lifecycle_kit as lk
from lifecycle_kit.movement.durations import kaplan_meier
from tests.told_rows import shop

# short windows, so that their edges are met often in a log of some weeks
CATALOGUE = lk.parse_catalogue(
    """
catalogue: 1
name: short windows
extends: standard
kpis:
  - id: repeat
    based_on: repeat_rate
    measure: {followed: {from: {first: order}, to: order, within: 9}}
  - id: later
    based_on: repeat_rate
    measure: {followed: {from: {first: order}, to: order, between: [4, 12]}}
  - id: ever
    based_on: repeat_rate
    measure: {followed: {from: {first: order}, to: order, after: 6}}
  - id: to_cart
    based_on: add_to_cart_rate
    measure: {followed: {from: {each_period: product_viewed}, to: product_added, within: 5}}
  - id: given_up
    based_on: cart_abandonment
    measure: {followed: {from: {each_day: product_added}, to: order, within: 3, gives: absence}}
  - id: reviewed
    based_on: review_rate
    measure: {followed: {from: {each: order}, to: review_posted, within: 8, same_order: true}}
  - id: lapse
    based_on: lapse_rate
    measure: {base: {active: order, for: 10, gives: ended}}
  - id: looks
    based_on: referral_rate
    measure: {base: {active: order, for: 10, gives: {people: product_viewed}}}
"""
).only(["repeat", "later", "ever", "to_cart", "given_up", "reviewed", "lapse", "looks", "time_to_second_purchase"])

FIRST = dt.date(2024, 2, 20)
N_DAYS = 40
# weeks from the second one on; what came before is the base's past
SINCE, AS_OF = FIRST + dt.timedelta(days=9), FIRST + dt.timedelta(days=N_DAYS - 1)

PEOPLE = st.sampled_from("abcdefghijklmnop")
# few people, days and hours: many things happen at one instant
WHEN = st.tuples(st.integers(0, N_DAYS - 1), st.sampled_from([0, 9, 23]))
ORDERS = st.lists(st.tuples(PEOPLE, WHEN, st.sampled_from([None, None, None, 1, 5])), min_size=20, max_size=80)
EVENTS = st.lists(
    st.tuples(
        PEOPLE,
        WHEN,
        st.sampled_from(["product_viewed", "product_added", "review_posted"]),
        st.integers(0, 30),
    ),
    max_size=80,
)
# one of each, long ago, so that no KPI lacks its events
ALWAYS = [("z", (0, 0), name, 99) for name in ("product_viewed", "product_added", "review_posted")]


def instant(when):
    day, hour = when
    return dt.datetime.combine(FIRST + dt.timedelta(days=day), dt.time(hour))


def weeks():
    """The periods asked for: Mondays to Sundays, the first and last cut."""
    start = SINCE
    while start <= AS_OF:
        end = min(start + dt.timedelta(days=6 - start.weekday()), AS_OF)
        yield start, end
        start = end + dt.timedelta(days=1)


def days(late, early):
    return (late.date() - early.date()).days


class Slow:
    """What the log says, person by person."""

    def __init__(self, orders, events):
        self.orders = []  # (person, at, order_id) of those that stand
        for number, (person, when, back_after) in enumerate(orders):
            back = None if back_after is None else instant(when) + dt.timedelta(days=back_after)
            if back is None or back.date() > AS_OF:
                self.orders.append((person, instant(when), f"o{number}"))
        self.events = [(person, instant(when), name, f"o{number}") for person, when, name, number in events]

    def people(self):
        return sorted({person for person, *_ in self.orders + self.events})

    def of(self, person, what):
        if what == "order":
            return sorted(at for who, at, _ in self.orders if who == person)
        return sorted(at for who, at, name, _ in self.events if (who, name) == (person, what))

    def share(self, anchors, met, days_to_mature):
        """(anchors that met their target, anchors old enough), of (person, at, ...)."""
        old = [a for a in anchors if a[1].date() + dt.timedelta(days=days_to_mature - 1) <= AS_OF]
        return sum(met(a) for a in old), len(old)

    def firsts(self, start, end):
        found = [(person, self.of(person, "order")[0]) for person in self.people() if self.of(person, "order")]
        return [a for a in found if start <= a[1].date() <= end]

    def repeats(self, start, end, begin, stop, days_to_mature):
        def met(anchor):
            person, first = anchor
            return any(at > first and begin <= days(at, first) < stop for at in self.of(person, "order"))

        return self.share(self.firsts(start, end), met, days_to_mature)

    def to_cart(self, start, end):
        anchors = []
        for person in self.people():
            views = [at for at in self.of(person, "product_viewed") if start <= at.date() <= end]
            anchors += [(person, views[0])] if views else []
        return self.share(
            anchors,
            lambda a: any(at >= a[1] and days(at, a[1]) < 5 for at in self.of(a[0], "product_added")),
            5,
        )

    def given_up(self, start, end):
        carts = {}
        for person in self.people():
            for at in self.of(person, "product_added"):
                if start <= at.date() <= end:
                    carts.setdefault((person, at.date()), at)
        anchors = [(person, at) for (person, _), at in carts.items()]
        return self.share(
            anchors, lambda a: not any(at >= a[1] and days(at, a[1]) < 3 for at in self.of(a[0], "order")), 3
        )

    def reviewed(self, start, end):
        def met(anchor):
            person, at, order = anchor
            return any(
                who == person and name == "review_posted" and about == order and when >= at and days(when, at) < 8
                for who, when, name, about in self.events
            )

        return self.share([o for o in self.orders if start <= o[1].date() <= end], met, 8)

    def base(self, start):
        """People with an order on one of the ten days before a period."""
        first = start - dt.timedelta(days=10)
        return [p for p in self.people() if any(first <= at.date() < start for at in self.of(p, "order"))]

    def lapse(self, start, end):
        """Of the base: those for whom ten days in a row without an order come to their end in the period."""
        n_out = 0
        for person in self.base(start):
            ordered_on = {at.date() for at in self.of(person, "order")}
            over = [
                day
                for day in (start + dt.timedelta(days=i) for i in range((end - start).days + 1))
                if day - dt.timedelta(days=10) in ordered_on
                and not any(day - dt.timedelta(days=back) in ordered_on for back in range(10))
            ]
            n_out += bool(over)
        return n_out, len(self.base(start))

    def looks(self, start, end):
        base = self.base(start)
        return sum(any(start <= at.date() <= end for at in self.of(p, "product_viewed")) for p in base), len(base)

    def waiting(self, start, end):
        """Days until the second order, and days waited so far."""
        met, waiting = [], []
        for person, first in self.firsts(start, end):
            later = [at for at in self.of(person, "order") if at > first]
            if later:
                met.append(days(later[0], first))
            else:
                waiting.append((AS_OF - first.date()).days)
        return met, waiting


def tables_of(orders, events):
    return {
        "orders": [
            (
                f"o{n}",
                person,
                instant(when),
                1_000,
                0,
                {"refunded_at": None if back is None else instant(when) + dt.timedelta(days=back)},
            )
            for n, (person, when, back) in enumerate(orders)
        ],
        "events": [(person, name, instant(when), {"order_id": f"o{n}"}) for person, when, name, n in events],
    }


@settings(max_examples=8, report_multiple_bugs=False, suppress_health_check=[HealthCheck.too_slow])
@given(ORDERS, EVENTS)
def test_slow_reading(orders, events):
    # reviews of orders that there are, mostly of one's own
    events = [(orders[n][0] if n % 4 and n < len(orders) else who, *more, n) for who, *more, n in events] + ALWAYS
    slow = Slow(orders, events)
    with shop(**tables_of(orders, events)) as dataset:
        found = lk.compute_kpis(dataset, catalogue=CATALOGUE, since=SINCE, as_of=AS_OF, by="week").to_frame()
    found = found.set_index(["kpi", "period_start"])
    for start, end in weeks():
        read = {
            "repeat": slow.repeats(start, end, 0, 9, 9),
            "later": slow.repeats(start, end, 4, 12, 12),
            "ever": slow.repeats(start, end, 6, 999, 7),
            "to_cart": slow.to_cart(start, end),
            "given_up": slow.given_up(start, end),
            "reviewed": slow.reviewed(start, end),
            "lapse": slow.lapse(start, end),
            "looks": slow.looks(start, end),
        }
        for kpi, (n_num, n_den) in read.items():
            row = found.loc[(kpi, start)]
            assert row["n_den"] == n_den, (kpi, start)
            assert np.isnan(row["n_num"]) if n_den == 0 else row["n_num"] == n_num, (kpi, start, n_num)
        met, waiting = slow.waiting(start, end)
        row = found.loc[("time_to_second_purchase", start)]
        assert row["n_den"] == len(met) + len(waiting)
        if met or waiting:
            assert row["n_num"] == len(met)
            times = [*met, *waiting]
            curve = kaplan_meier(times, [1] * len(met) + [0] * len(waiting), [0] * len(met) + [1] * len(waiting))
            quantile = curve.quantile(0.25)
            assert np.isnan(row["value"]) if quantile is None else row["value"] == quantile
