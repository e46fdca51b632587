"""Watch KPIs: is the newest value within what the periods before it would let one expect?

Each value is held against a prediction interval from the periods before it. Where periods vary like independent
normal draws, a value falls outside by chance as often as `false_alarm_rate` says: no more, whatever the number of
periods known. Shares are compared as log odds and positive amounts as logarithms, where they vary more evenly. The
limits know nothing of seasons: in a shop with a busy November they call November unusual, and rightly so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["BASELINE", "FALSE_ALARM_RATE", "LEAST", "Limits", "flag_of", "limits_from"]

FALSE_ALARM_RATE = 0.01
# periods looked back on, at most and at least
BASELINE, LEAST = 12, 6


@dataclass(frozen=True)
class Limits:
    """What the periods before let one expect.

    Attributes
    ----------
    centre, lo, hi : float
        In the KPI's unit.
    n : int
        Number of periods they come from.
    """

    centre: float
    lo: float
    hi: float
    n: int


def limits_from(before: Sequence[float], unit: str, *, false_alarm_rate: float = FALSE_ALARM_RATE) -> Limits | None:
    """Return the limits for the next value.

    Parameters
    ----------
    before : sequence of float
        Values of the periods before, oldest first, none of them missing; the last `BASELINE` count.
    unit : str
        The KPI's unit; ``share`` is compared as log odds.
    false_alarm_rate : float
        Share of values that fall outside by chance.

    Returns
    -------
    Limits or None
        None with fewer than `LEAST` values: limits from so few would be too wide to say anything.

    Notes
    -----
    Mean plus and minus t x s x sqrt(1 + 1/n), the prediction interval of one more normal draw: a control chart of
    individual values whose rate of false alarms is right for short histories too (Hahn and Meeker, 1991, ch. 4).
    """
    from scipy.special import stdtrit

    used = list(before)[-BASELINE:]
    n = len(used)
    if n < LEAST:
        return None
    there, back = _scale(used, unit)
    moved = [there(value) for value in used]
    mean = sum(moved) / n
    spread = math.sqrt(sum((m - mean) ** 2 for m in moved) / (n - 1))
    half = float(stdtrit(n - 1, 1 - false_alarm_rate / 2)) * spread * math.sqrt(1 + 1 / n)
    lowest = -math.inf if unit == "points" or min(used) < 0 else 0.0
    return Limits(back(mean), max(back(mean - half), lowest), back(mean + half), n)


def flag_of(value: float, limits: Limits | None) -> str | None:
    """Return "above" or "below" where a value lies outside its limits."""
    if limits is None or math.isnan(value):
        return None
    # where nothing ever varied, rounding is no news
    slack = 1e-9 * max(abs(limits.lo), abs(limits.hi), abs(value))
    if value > limits.hi + slack:
        return "above"
    return "below" if value < limits.lo - slack else None


def _scale(values: Sequence[float], unit: str) -> tuple[Callable[[float], float], Callable[[float], float]]:
    if unit == "share" and all(0 < value < 1 for value in values):
        return lambda p: math.log(p / (1 - p)), lambda x: 1 / (1 + math.exp(-x)) if x > -700 else 0.0
    if unit not in ("share", "points") and all(value > 0 for value in values):
        return math.log, lambda x: math.exp(min(x, 700.0))
    return float, float
