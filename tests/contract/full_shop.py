"""A shop of a few rows that tells of everything the canonical tables hold."""

from __future__ import annotations

import pandas as pd


def told_all():
    """What a shop may tell beside its orders: costs of orders, one left out; marketing; answers; invitations.

    The orders are o1 (cost 600), o2 (unknown), o3 (refunded, 300) and o4 (cancelled, 50); an event alone tells o9.
    """
    days = pd.to_datetime(["2024-01-05 10:00", "2024-01-06 10:00", "2024-01-07 10:00", "2024-01-08 10:00"])
    return {
        "orders": pd.DataFrame(
            {
                "order_id": ["o1", "o2", "o3", "o4"],
                "person_id": ["ann", "ann", "bob", "bob"],
                "ordered_at": days,
                "net_revenue": [1_000, 2_000, 500, 100],
                "cost": pd.array([600, None, 300, 50], dtype="Int64"),
                "status": ["completed", "completed", "refunded", "cancelled"],
                "refunded_at": pd.to_datetime([None, None, "2024-01-09 10:00", None]),
            }
        ),
        "events": pd.DataFrame(
            {
                "person_id": ["ann", "ann", "cyd"],
                "event": ["page_viewed", "order_completed", "order_completed"],
                "occurred_at": pd.to_datetime(["2024-01-04 10:00", "2024-01-05 10:00", "2024-01-10 10:00"]),
                "order_id": [None, "o1", "o9"],
                "revenue": pd.array([None, 1_000, 700], dtype="Int64"),
            }
        ),
        "costs": pd.DataFrame(
            {
                "date": pd.to_datetime(["2024-01-05", "2024-01-06"]).date,
                "channel": ["search", "e-mail, etc."],
                "campaign": ["winter", None],
                "amount": [12_345, 1],
                "purpose": ["acquisition", None],
                "clicks": [7, 8],
            }
        ),
        "surveys": pd.DataFrame({"person_id": ["bob", "ann"], "at": days[:2], "score": [3, 10]}),
        "referrals": pd.DataFrame(
            {
                "referrer_id": ["ann", "ann"],
                "referred_id": ["cyd", None],
                "sent_at": days[:2],
                "converted_at": pd.to_datetime(["2024-01-10 10:00", None]),
            }
        ),
    }
