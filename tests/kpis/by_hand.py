"""What a KPI must give by hand, and how it is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.kpis.intervals import bucket_bootstrap


def values_of(dataset, names, since, until, **options):
    """KPIs of everybody over one stretch of days: one row per KPI."""
    found = lk.compute_kpis(dataset, names, since=since, until=until, **options).to_frame()
    return found[found["slice"].isna()].set_index("kpi")


def one(dataset, name, since, until, **options):
    """One KPI of everybody over one stretch of days."""
    return values_of(dataset, name, since, until, **options).iloc[0]


@dataclass(frozen=True)
class Hand:
    """What a KPI must give.

    `interval` may be a function of the dataset. None: there is none, and the reason says why. Its upper end None: there
    is none, as a curve does not reach it.
    """

    value: float
    n_num: float
    n_den: float | None
    interval: tuple[float, float] | Callable | None
    mature_share: float = 1.0


def agree(dataset, row, hand):
    """Compare a row of KPI values with what was worked out by hand."""
    interval = hand.interval(dataset) if callable(hand.interval) else hand.interval
    assert row["value"] == pytest.approx(hand.value, rel=1e-12)
    assert row["n_num"] == pytest.approx(hand.n_num, rel=1e-12)
    if hand.n_den is None:
        assert np.isnan(row["n_den"])
    else:
        assert row["n_den"] == pytest.approx(hand.n_den, rel=1e-12)
    assert row["mature_share"] == pytest.approx(hand.mature_share, rel=1e-12)
    if interval is None:
        assert np.isnan(row["lo"])
        assert np.isnan(row["hi"])
        assert "interval" in row["reason"]
    else:
        low, high = interval
        assert row["lo"] == pytest.approx(low, rel=1e-6)
        assert row["hi"] == pytest.approx(np.inf if high is None else high, rel=1e-6)
        assert pd.isna(row["reason"])


def per_unit(*pairs):
    """Interval of a ratio over units (people, days) that each bring (above, below): as in Cochran, worked out plainly.

    The residuals above - ratio * below are what differs; their standard deviation over the root of n, per mean below.
    """
    above, below = np.array(pairs, dtype=float).T
    ratio, n = above.sum() / below.sum(), len(above)
    residuals = above - ratio * below
    half = 1.959963985 * np.sqrt((residuals**2).sum() / (n - 1)) / np.sqrt(n) / below.mean()
    return ratio - half, ratio + half


def drawn(dataset, sums, figure):
    """Interval of a figure over random groups of people: `sums` by person_id, a tuple of amounts each."""
    keys = dataset.engine.arrow("SELECT person_id, person_key FROM persons").to_pylist()
    groups = np.zeros((100, len(next(iter(sums.values())))))
    for row in keys:
        if row["person_id"] in sums:
            groups[_group(row["person_key"])] += sums[row["person_id"]]
    return bucket_bootstrap(groups, figure)


def _group(key):
    prime = 2**31 - 1
    stirred = (key + 1_000_000_007) * 48_271 % prime
    for _ in range(2):
        stirred = (stirred * stirred + 11) % prime
    return stirred % 100
