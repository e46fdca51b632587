"""A shop told row by row, in plain tuples."""

from __future__ import annotations

import pandas as pd

import lifecycle_kit as lk

COLUMNS = {
    "events": ("person_id", "event", "occurred_at"),
    "orders": ("order_id", "person_id", "ordered_at", "net_revenue", "cost"),
    "costs": ("date", "channel", "amount", "purpose"),
    "surveys": ("person_id", "at", "score"),
    "referrals": ("referrer_id", "sent_at", "converted_at"),
    "customers": ("person_id",),
    "identities": ("anonymous_id", "person_id"),
}
TIMES = ("occurred_at", "ordered_at", "refunded_at", "at", "sent_at", "converted_at", "linked_at")
AMOUNTS = ("net_revenue", "revenue", "cost", "amount", "score")


def tables(**told):
    """Rows as tuples in the order of COLUMNS, a dict last for any other column -> frames. Amounts are cents."""
    made = {}
    for name, rows in told.items():
        dicts = []
        for row in rows:
            *plain, more = row if isinstance(row[-1], dict) else (*row, {})
            dicts.append(dict(zip(COLUMNS[name], plain, strict=False)) | more)
        frame = pd.DataFrame(dicts)
        for column in frame.columns.intersection(TIMES):
            # times to the second or finer, each its own way
            frame[column] = pd.to_datetime(frame[column], format="ISO8601")
        frame = frame.astype(dict.fromkeys(frame.columns.intersection(AMOUNTS), "Int64"))
        made[name] = frame
    return made


def shop(*, timezone=None, **told):
    """Rows -> a dataset; times are UTC."""
    return lk.load(tables(**told), currency="EUR", timezone=timezone)
