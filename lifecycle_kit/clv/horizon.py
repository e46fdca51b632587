"""How far a value looks ahead, and what money is worth by then: real calendar months, each with its own discount."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.calendar import months_after
from lifecycle_kit.clv.purchases import DAYS, TimeUnit
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Horizon"]

# a hundred years: further than any log tells of
MOST_MONTHS = 1200


@dataclass(frozen=True)
class Horizon:
    """Calendar months after an as-of day.

    Attributes
    ----------
    as_of : date
    n_months : int
    discount_rate : float
        Per year: 0.1 is 10 %.
    """

    as_of: dt.date
    n_months: int
    discount_rate: float

    def __post_init__(self) -> None:
        n, rate = self.n_months, self.discount_rate
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_MONTHS:
            raise UsageError(
                f"horizon_months is {n!r}.", fix=f"Give a whole number of months from 1 to {MOST_MONTHS:,}."
            )
        if not np.isfinite(rate) or not -0.5 < rate < 10:
            raise UsageError(f"discount_rate is {rate!r}.", fix="Give a share per year: 0.1 for 10 %.")

    @property
    def ends(self) -> list[dt.date]:
        """Last day of each month from the as-of day."""
        return [months_after(self.as_of, i) for i in range(1, self.n_months + 1)]

    @property
    def last(self) -> dt.date:
        """Last day that counts."""
        return self.ends[-1]

    @property
    def years(self) -> float:
        """Its length in years of 365.25 days."""
        return (self.last - self.as_of).days / DAYS["year"]

    def times(self, time_unit: TimeUnit) -> NDArray[np.float64]:
        """Return the end of each month as time after the as-of day."""
        return np.array([(end - self.as_of).days for end in self.ends]) / DAYS[time_unit]

    @property
    def discounts(self) -> NDArray[np.float64]:
        """What money of each month is worth on the as-of day: it comes in the middle of the month."""
        days = np.array([0, *((end - self.as_of).days for end in self.ends)])
        middles = (days[1:] + days[:-1]) / 2
        return np.asarray((1 + self.discount_rate) ** (-middles / DAYS["year"]))

    def __str__(self) -> str:
        years = f"{self.n_months} months to {self.last}"
        return f"{years}, discounted at {self.discount_rate:.1%} a year"
