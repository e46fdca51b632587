"""Repeat orders by a BG/NBD process: Poisson orders while alive, a chance to leave after each repeat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecycle_kit.simulate.clock import Floats, Ints

__all__ = ["Repeats", "repeat_orders"]


@dataclass(frozen=True, eq=False)
class Repeats:
    """Repeat orders (one entry each, by person and time) and when each person left (infinite: alive)."""

    person: Ints
    s: Floats
    dropped_s: Floats


def repeat_orders(rng: np.random.Generator, begins: Floats, rate: Floats, dropout: Floats, ends: float) -> Repeats:
    """Simulate the process for every person at once.

    Parameters
    ----------
    rng : numpy.random.Generator
    begins : array
        Time of each person's first order, in weeks.
    rate : array
        Orders per week while alive.
    dropout : array
        Chance to leave right after each repeat order.
    ends : float
        Time at which observation stops, in weeks. Nobody drops out after it.

    Notes
    -----
    Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: no chance to leave at the
    first order. One turn of the loop handles the k-th repeat of everybody still alive.
    """
    person = np.arange(begins.size, dtype=np.int64)
    now = begins.astype(np.float64)
    dropped = np.full(begins.size, np.inf)
    who: list[Ints] = []
    when: list[Floats] = []
    while person.size:
        now = now + rng.exponential(1.0, person.size) / np.maximum(rate[person], 1e-12)
        seen = now < ends
        person, now = person[seen], now[seen]
        who.append(person)
        when.append(now)
        leaves = rng.random(person.size) < dropout[person]
        dropped[person[leaves]] = now[leaves]
        person, now = person[~leaves], now[~leaves]
    people = np.concatenate(who) if who else person
    times = np.concatenate(when) if when else now
    order = np.lexsort((times, people))
    return Repeats(people[order], times[order], dropped)
