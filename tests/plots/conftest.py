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
                    "kpi": metric, "label": metric.replace("_", " "), "unit": unit, "period_start": start,
                    "period_end": start + dt.timedelta(days=27), "value": v, "lo": v * 0.9, "hi": v * 1.2,
                    "mature_share": 0.5 if month == n_periods else 1.0, "reason": "nobody yet" if gone else None,
                    "dimension": None, "slice": None, "mark": None, "n_den": 1.0,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def kpis_frame(n_periods=4, slices=(None,), labels=("Daily traffic", "Conversion rate"), marks=None):
    """Values 10, 20, ... of people per day, and 0.1, 0.2, ... of a share; times 1, 2, ... for each slice."""
    rows = []
    for label, unit, size in zip(labels, ("people per day", "share"), (10.0, 0.1), strict=True):
        for s, name in enumerate(slices, 1):
            for month in range(1, n_periods + 1):
                start, value = dt.date(2025, month, 1), size * month * s
                rows.append(
                    {
                        "kpi": label.lower().replace(" ", "_"), "label": label, "stage": "purchase", "unit": unit,
                        "better_when": "higher", "period_start": start, "period_end": start + dt.timedelta(days=27),
                        "dimension": None if name is None else "channel", "slice": name, "value": value,
                        "lo": value * 0.9, "hi": value * 1.2, "n_num": 1, "n_den": 100 * s, "mature_share": 1.0,
                        "method": "wilson", "definition_hash": "abc", "mark": (marks or {}).get(month), "reason": None,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def card_frame(labels=("Daily traffic", "Average order value", "Lapse rate"), stages=None):
    units, better = ("people", "money", "share"), ("higher", "neither", "lower")
    values, previous = (120.0, 80.5, 0.3), (100.0, 80.5, 0.2)
    rows = []
    for i, label in enumerate(labels):
        j = i % 3
        history = [
            {"period_start": dt.date(2025, month, 1), "value": v, "flag": flag, "mark": mark}
            for month, v, flag, mark in (
                (1, values[j] * 9, None, "left-censored" if j == 0 else None),
                (2, float("nan"), None, None),
                (3, previous[j], None, None),
                (4, values[j], "above" if j == 2 else None, None),
            )
        ]
        rows.append(
            {
                "kpi": f"kpi_{i}", "label": label, "stage": (stages or ("awareness", "purchase", "retention"))[j],
                "unit": units[j], "better_when": better[j], "period_start": dt.date(2025, 4, 1),
                "period_end": dt.date(2025, 4, 30), "value": values[j], "lo": values[j] * 0.9, "hi": values[j] * 1.1,
                "previous": previous[j], "change": values[j] / previous[j] - 1,
                "change_absolute": values[j] - previous[j], "flag": "above" if j == 2 else None,
                "limit_lo": previous[j] * 0.7, "limit_hi": previous[j] * 1.3, "target": (110.0, None, 0.25)[j],
                "target_met": (True, None, False)[j], "n_den": 1000, "mature_share": 1.0, "mark": None, "reason": None,
                "history": history,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def triangle_frame(cohorts=("2025-01", "2025-02", "2025-03"), n_ages=3):
    rows = [
        (cohort, 1000 * (c + 1), age, 1.0 if age == 0 else 0.3 / age if age < n_ages - c else float("nan"),
         "left-censored" if c == 0 else None)
        for c, cohort in enumerate(cohorts)
        for age in range(n_ages)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["cohort", "n_people", "age", "share", "mark"])


def curves_frame(cohorts=("2025-01", "2025-02", "2025-03"), n_ages=3):
    rows = [
        (cohort, age, 10.0 * (age + 1) + c) for c, cohort in enumerate(cohorts) for age in range(max(n_ages - c, 1))
    ]
    return pd.DataFrame(rows, columns=["cohort", "age", "value"])


def deciles_frame(share=(0.5, 0.3, 0.15, 0.05)):
    frame = pd.DataFrame({"decile": range(1, len(share) + 1), "n_people": 50, "share": list(share)})
    return frame.assign(revenue=frame["share"] * 1e6)


def bridge_frame(n_periods=3):
    return pd.DataFrame(
        {
            "period_start": [dt.date(2025, month, 1) for month in range(1, n_periods + 1)],
            "new": [90, 50, 40][:n_periods],
            "returning": [0, 20, 30][:n_periods],
            "resurrecting": [0, 0, 5][:n_periods],
            "dormant": [0, 30, 25][:n_periods],
            "mark": ["left-censored", None, "partial"][:n_periods],
        }
    )
