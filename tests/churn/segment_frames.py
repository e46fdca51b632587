"""Customers on two days with planted groups, or with none: what segments are tested on."""

from __future__ import annotations

import numpy as np
import pandas as pd

WINDOW = 91
# median recency, purchases, revenue, tenure, gap; chance of no purchase in the window, spend of those who buy.
# the first two have the same recency, frequency and revenue: RFM cannot tell them apart, rhythm and tenure can
PLANTED = {
    "slow": (60, 4, 300, 900, 250, 0.9, 80),
    "quick": (60, 4, 300, 110, 15, 0.15, 120),
    "lost": (420, 2, 60, 800, 120, 0.97, 40),
    "best": (14, 14, 1_500, 700, 45, 0.08, 300),
}


def table(kind, recency, frequency, monetary, tenure, gap):
    n = len(kind)
    return pd.DataFrame(
        {
            "person_key": np.arange(n),
            "person_id": [f"p{i:05d}" for i in range(n)],
            "recency_days": np.round(recency).astype(float),
            "frequency": np.round(frequency).astype("int64"),
            "monetary": np.round(monetary, 2),
            "mean_order_value": np.round(monetary / np.round(frequency), 2),
            "tenure_days": np.round(tenure).astype(float),
            "mean_gap_days": np.where(np.round(frequency) > 1, gap, np.nan),
        }
    )


def planted(n=1_200, *, seed):
    """Four groups -> (before, now, name of each customer's group). People stay what they are."""
    random = np.random.default_rng(seed)
    kind = np.array(list(PLANTED))[random.integers(len(PLANTED), size=n)]
    middle = np.array([PLANTED[name] for name in kind], dtype=float)

    def spread():
        return np.exp(random.normal(0, 0.15, size=n))

    person = [spread() for _ in range(5)]

    def day():
        return table(kind, *[np.maximum(middle[:, j] * person[j] * spread() ** 0.3, 1) for j in range(5)])

    before, now = day(), day()
    before["has_lapsed"] = random.random(n) < middle[:, 5]
    before["spend"] = np.where(before["has_lapsed"], 0.0, middle[:, 6] * spread())
    return before, now, kind


def noise(n=1_200, *, seed):
    """No groups, and a next window that hangs on nothing -> (before, now)."""
    random = np.random.default_rng(seed)
    measures = [np.exp(random.normal(mu, 0.6, size=n)) for mu in (4, 1.5, 5, 6, 4)]
    made = table(np.zeros(n), *[np.maximum(column, 1) for column in measures])
    before = made.assign(has_lapsed=random.random(n) < 0.6)
    before["spend"] = np.where(before["has_lapsed"], 0.0, random.gamma(2, 30, size=n))
    return before, made


def without_window(before):
    """The same customers, nothing known of the window."""
    return before.drop(columns=["has_lapsed", "spend"])
