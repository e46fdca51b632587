"""Shops of a few orders, for answers that can be worked out by hand."""

from __future__ import annotations

import pandas as pd

# (person, when in UTC, amount in cents, when refunded)
FEW = [
    ("ann", "2024-01-05 10:00", 10_000),
    ("ann", "2024-02-05 10:00", 20_000),
    ("bob", "2024-01-10 23:30", 3_000),
    ("cyd", "2024-03-01 08:00", 5_000, "2024-03-09 00:00"),
]


def orders(*rows):
    """(person, when, amount in cents) -> a dataset of orders."""
    return {
        "orders": pd.DataFrame(
            {
                "order_id": [f"o{n}" for n in range(len(rows))],
                "person_id": [row[0] for row in rows],
                "ordered_at": pd.to_datetime([row[1] for row in rows]),
                "net_revenue": [row[2] for row in rows],
                "refunded_at": pd.to_datetime([row[3] if len(row) > 3 else None for row in rows]),
            }
        )
    }
