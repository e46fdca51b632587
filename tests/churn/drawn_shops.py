"""Shops of orders drawn at random, with known rates."""

from __future__ import annotations

import pandas as pd

import lifecycle_kit as lk

BEGIN = pd.Timestamp("2023-01-01")


def orders_of(random, n_customers, n_days, *, mean_gap=60.0, leaves=0.15, shape=1.0):
    """Customers of gamma-distributed rates who may leave at any repeat order -> a frame of orders."""
    rates = random.gamma(shape, 1 / shape, n_customers) / mean_gap
    rows = []
    for i, rate in enumerate(rates):
        day = random.uniform(0, n_days)
        first = True
        while day < n_days:
            rows.append((f"c{i:05d}", day, 1_000 + int(random.integers(5_000))))
            if not first and random.random() < leaves:
                break
            first = False
            day += random.exponential(1 / rate)
    frame = pd.DataFrame(rows, columns=["person_id", "day", "net_revenue"])
    frame["ordered_at"] = (BEGIN + pd.to_timedelta(frame["day"], unit="D")).astype("datetime64[us]").dt.floor("s")
    frame["order_id"] = [f"o{i}" for i in range(len(frame))]
    return frame.drop(columns="day").astype({"net_revenue": "Int64"})


def shop_of(orders, **more):
    """Open a dataset of orders in cents."""
    return lk.load({"orders": orders, **more}, currency="EUR", money_unit="minor")
