"""Small frames as the results give them, and a guard against figures left open."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from matplotlib import pyplot as plt

STATUSES = ["anonymous", "lead", "first_purchase", "lapsed", "vip"]
STAGES = ["awareness", "consideration", "purchase", "retention", "retention"]

# a name from data that would be markup, script, invisible, mirrored or without a glyph
HOSTILE = ["$\\frac{", "<script>alert(1)</script>", "n" * 300, "\u05e9\u05dc\u05d5\u05dd", "a\u202eb\n\x00\U000f0000_$"]


@pytest.fixture(autouse=True)
def no_figure_left():
    plt.close("all")
    yield
    plt.close("all")


def snapshot_frame(n_people, statuses=None, stages=None):
    total = sum(n_people)
    return pd.DataFrame(
        {
            "stage": stages or STAGES,
            "status": statuses or STATUSES,
            "rank": range(1, len(n_people) + 1),
            "n_people": n_people,
            "share": [n / total if total else float("nan") for n in n_people],
        }
    )


def occupancy_frame(statuses=None, stages=None, n_days=3):
    names, groups = statuses or STATUSES, stages or STAGES
    rows = [
        (dt.date(2025, month, 28), stage, status, rank, 10 * rank + month)
        for month in range(1, n_days + 1)
        for rank, (status, stage) in enumerate(zip(names, groups, strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=["day", "stage", "status", "rank", "n_people"])


def balance_frame(statuses=None, stages=None, closing=(24000, 900, 70, 0, 20)):
    frame = pd.DataFrame({"status": statuses or STATUSES, "stage": stages or STAGES})
    return frame.assign(opening=[n + 3 for n in closing], n_in=0, n_out=3, closing=list(closing))


def counts_frame(statuses=None):
    a, b, c, d, e = statuses or STATUSES
    moves = [("(new)", a, 400), (a, b, 100), (b, c, 25), (c, e, 9), (c, d, 16), (d, a, 1), (e, d, 4), (b, a, 36)]
    return pd.DataFrame(
        [(x, y, n + 1, n) for x, y, n in moves], columns=["from_status", "to_status", "n_moves", "n_people"]
    )


def person_frames(statuses=None, stages=None):
    a, b = (statuses or STATUSES)[1:3]
    x, y = (stages or STAGES)[1:3]
    at = [pd.Timestamp(2025, 1, day) for day in (1, 5, 9)]
    touchpoints = pd.DataFrame(
        {
            "occurred_at": at,
            "event": ["product_viewed", "order_completed", "page_viewed"],
            "revenue": pd.array([None, 123450, None], dtype="Int64"),
        }
    )
    spells = pd.DataFrame(
        {"status": [a, b], "stage": [x, y], "valid_from": at[:2], "valid_to": [at[1], pd.NaT]},
    )
    return touchpoints, spells


def values_frame(n_periods=3):
    rows = []
    for metric, unit, value in (("daily_traffic", "people per day", 100.0), ("conversion_rate", "share", 0.02)):
        for month in range(1, n_periods + 1):
            start = dt.date(2025, month, 1)
            gone = metric == "conversion_rate" and month == 2
            v = float("nan") if gone else value * month
            rows.append(
                {
                    "metric": metric, "label": metric.replace("_", " "), "unit": unit, "period_start": start,
                    "period_end": start + dt.timedelta(days=27), "value": v, "lo": v * 0.9, "hi": v * 1.2,
                    "mature_share": 0.5 if month == n_periods else 1.0, "reason": "nobody yet" if gone else None,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)
