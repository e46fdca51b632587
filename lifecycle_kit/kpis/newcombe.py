"""The interval of a difference between two proportions."""

from __future__ import annotations

import math

from lifecycle_kit.kpis.intervals import wilson

__all__ = ["newcombe"]


def newcombe(
    n_successes: int, n_trials: int, other_successes: int, other_trials: int, *, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the first proportion less the other one, by the hybrid score method.

    For two samples that nobody is in twice. Each side lends the distance to its Wilson limit, so the interval stays
    between -1 and 1, and has a width where one proportion is 0 or 1.

    Source: Newcombe (1998), "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", method 10.

    Raises
    ------
    ValueError
        When a sample is empty, or has more successes than trials.
    """
    low, high = wilson(n_successes, n_trials, level=level)
    other_low, other_high = wilson(other_successes, other_trials, level=level)
    p, other = n_successes / n_trials, other_successes / other_trials
    down, up = math.hypot(p - low, other_high - other), math.hypot(high - p, other - other_low)
    return p - other - down, p - other + up
