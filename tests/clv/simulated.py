"""Purchase histories with known parameters: what the models of purchases are fitted on in tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Cohort:
    """Simulated customers.

    Attributes
    ----------
    frame : data frame
        frequency, recency, T and log_gaps, one row per customer, times in the unit of the parameters.
    later : array of int
        Purchases after T, within the horizon that was asked for.
    is_alive : array of bool
        Whether the customer has not stopped by T.
    """

    frame: pd.DataFrame
    later: np.ndarray
    is_alive: np.ndarray


def cohort(
    windows,
    *,
    r,
    alpha,
    a=None,
    b=None,
    s=None,
    beta=None,
    first_coin=0,
    k=1,
    horizon=0.0,
    random,
    days_per_unit=None,
):
    """Simulate customers, each seen from the first purchase for the length of a window, then for a horizon more.

    Parameters
    ----------
    windows : array
        Time from each customer's first purchase to the end of the data.
    r, alpha : float
        Gamma distribution of the rate of waits.
    a, b : float, optional
        Beta distribution of the probability to stop after a purchase.
    s, beta : float, optional
        Gamma distribution of the rate of leaving at any moment. Without both pairs nobody ever leaves.
    first_coin : {0, 1}
        Whether one may stop at the first purchase too.
    k : int
        Waits in the time between two purchases.
    horizon : float
        How long to look on after the window.
    random : numpy.random.Generator
    days_per_unit : float, optional
        Round times up to whole days, purchases of one day being one. Default: exact times.
    """
    windows = np.asarray(windows, dtype=np.float64)
    n = len(windows)
    rate = random.gamma(r, size=n) / alpha
    leaves_at, stop = np.full(n, np.inf), np.zeros(n)
    if s is not None:
        leaves_at = random.exponential(size=n) / np.maximum(random.gamma(s, size=n) / beta, 1e-300)
    if a is not None:
        stop = random.beta(a, b, size=n)
    frequency, later = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    recency, log_gaps = np.zeros(n), np.zeros(n)
    is_alive = leaves_at > windows
    for i in range(n):
        T = windows[i]
        if first_coin and random.random() < stop[i]:
            is_alive[i] = False
            continue
        last = now = 0.0
        while True:
            now += random.gamma(k) / max(rate[i], 1e-300)
            if now > min(T + horizon, leaves_at[i]):
                break
            if now <= T:
                at = now if days_per_unit is None else np.ceil(now * days_per_unit) / days_per_unit
                at = min(at, T)
                if at > last:
                    frequency[i] += 1
                    log_gaps[i] += np.log(at - last)
                    recency[i] = last = at
            else:
                later[i] += 1
            if random.random() < stop[i]:
                is_alive[i] &= now > T
                break
    frame = pd.DataFrame({"frequency": frequency, "recency": recency, "T": windows, "log_gaps": log_gaps})
    return Cohort(frame, later, is_alive)


def grouped(frame):
    """Return the distinct histories, and how many customers have each."""
    keys = ["frequency", "recency", "T"]
    found = frame.groupby(keys, as_index=False).size()
    return found[keys], found["size"].to_numpy()
