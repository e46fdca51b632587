"""When things happen: season, weekday, promotion, noise, and the way from business days to UTC.

Inside the simulator time is a number of business days since the start (12.5 is noon of day 12,
local time). Rates follow two clocks: `traffic` for visits, `demand` for orders. Drawing a waiting
time on the demand clock and reading it back on the wall gives seasonal orders with the waiting-time
law left exactly as measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from lifecycle_kit.simulate.parameters import ShopParameters

__all__ = ["Clock", "make_clock"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Clock:
    """The shop's calendar. Arrays have one entry per day unless said otherwise."""

    start: date
    n_days: int
    midnights: Ints  # n_days + 1 UTC seconds of local midnights
    traffic: Floats  # 1 = an ordinary day of the first year
    promotion: NDArray[np.int8]  # 0 ordinary, 1 the days before, 2 the promotion
    newsletters: Ints  # day numbers on which a newsletter goes out
    demand_clock: Floats  # at each hour: demand so far, in mean days
    traffic_clock: Floats
    hour_clock: Floats  # 25 values from 0 to 1: share of a day gone

    def to_demand(self, t: Floats) -> Floats:
        """Business time -> demand time (both in days)."""
        return np.interp(np.asarray(t) * 24, np.arange(self.demand_clock.size), self.demand_clock)

    def from_demand(self, s: Floats) -> Floats:
        """Demand time -> business time; infinite beyond the end of the log."""
        return np.interp(s, self.demand_clock, np.arange(self.demand_clock.size), right=np.inf) / 24

    def to_traffic(self, t: Floats) -> Floats:
        """Business time -> traffic time (both in days)."""
        return np.interp(np.asarray(t) * 24, np.arange(self.traffic_clock.size), self.traffic_clock)

    def from_traffic(self, s: Floats) -> Floats:
        """Traffic time -> business time."""
        return np.interp(s, self.traffic_clock, np.arange(self.traffic_clock.size), right=np.inf) / 24

    def hour_of(self, u: Floats) -> Floats:
        """Uniform numbers -> shares of a day that follow the hours' profile."""
        return np.interp(u, self.hour_clock, np.arange(25) / 24)

    def utc_seconds(self, t: Floats) -> Ints:
        """Business time -> whole UTC seconds since 1970; a 23-hour day is stretched, never overrun."""
        day = np.clip(np.floor(t), 0, self.n_days - 1).astype(np.int64)
        begins, ends = self.midnights[day], self.midnights[day + 1]
        seconds: Ints = begins + np.minimum(((t - day) * (ends - begins)).astype(np.int64), ends - begins - 1)
        return seconds

    @property
    def end_seconds(self) -> int:
        """UTC second at which the log ends (exclusive)."""
        return int(self.midnights[-1])


def months_after(start: date, months: int) -> date:
    """First day after `months` whole months from `start`."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, start.day)


def make_clock(parameters: ShopParameters, start: date, months: int, rng: np.random.Generator) -> Clock:
    """Lay out the calendar of a shop that opens on `start`."""
    p = parameters
    end = months_after(start, months)
    n_days = (end - start).days
    days = [start + timedelta(days=i) for i in range(n_days)]
    promotion = _promotion(p, days)
    # The yearly mean is taken over whole years: a shop simulated for three winter months only
    # must not have its winter called normal.
    year_days = [date(start.year, 1, 1) + timedelta(days=i) for i in range(365 * 4 + 1)]
    year_promotion = _promotion(p, year_days)
    traffic_mean = _shape(p, year_days)[year_promotion == 0].mean()
    demand_mean = (_shape(p, year_days) * _lift(p, year_promotion, orders=True)).mean()

    noise = np.exp(_autoregressive(rng, n_days, p.noise_log_sd, p.noise_autocorrelation) - p.noise_log_sd**2 / 2)
    shape = _shape(p, days) * noise
    growth = p.yearly_growth ** (np.arange(n_days) / 365.25)
    traffic = shape * growth * _lift(p, promotion, orders=False) / traffic_mean
    demand = shape * _lift(p, promotion, orders=True) / demand_mean

    hours = np.asarray(p.hours, dtype=np.float64)
    hour_clock = np.concatenate([[0.0], np.cumsum(hours / hours.sum())])
    hour_clock[-1] = 1.0
    zone = ZoneInfo(p.timezone)
    midnights = [int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) for d in [*days, end]]
    newsletters = [
        i for i, d in enumerate(days) if d.weekday() == 1 and (d.toordinal() // 7 * 7) % p.newsletter_days < 7
    ]
    return Clock(
        start=start,
        n_days=n_days,
        midnights=np.asarray(midnights, dtype=np.int64),
        traffic=traffic,
        promotion=promotion,
        newsletters=np.asarray(newsletters, dtype=np.int64),
        demand_clock=_hourly(demand, hours),
        traffic_clock=_hourly(traffic / traffic.mean(), hours),
        hour_clock=hour_clock,
    )


def _shape(p: ShopParameters, days: list[date]) -> Floats:
    return np.asarray([p.season_ordinary[d.month - 1] * p.weekday[d.weekday()] for d in days])


def _lift(p: ShopParameters, promotion: NDArray[np.int8], *, orders: bool) -> Floats:
    visits = np.asarray([1.0, p.before_visits, p.promotion_visits])
    conversion = np.asarray([1.0, p.before_conversion, p.promotion_conversion])
    return (visits * conversion if orders else visits)[promotion]


def _promotion(p: ShopParameters, days: list[date]) -> NDArray[np.int8]:
    """Mark the promotion that begins on Black Friday (day after November's fourth Thursday)."""
    out = np.zeros(len(days), dtype=np.int8)
    for i, d in enumerate(days):
        first = date(d.year, 11, 1)
        friday = first + timedelta(days=(3 - first.weekday()) % 7 + 22)
        gap = (d - friday).days
        if 0 <= gap < p.promotion_days:
            out[i] = 2
        elif -p.before_days <= gap < 0:
            out[i] = 1
    return out


def _autoregressive(rng: np.random.Generator, n: int, sd: float, rho: float) -> Floats:
    shocks = rng.normal(0.0, sd * np.sqrt(1 - rho**2), n)
    out = np.empty(n)
    level = rng.normal(0.0, sd)
    for i in range(n):  # one step a day: a few hundred steps, not worth a filter
        level = rho * level + shocks[i]
        out[i] = level
    return out


def _hourly(daily: Floats, hours: Floats) -> Floats:
    """Cumulate a daily rate at each hour, spread by the hours' profile."""
    steps = daily[:, None] * (hours / hours.sum())[None, :]
    return np.concatenate([[0.0], np.cumsum(steps.ravel())])
