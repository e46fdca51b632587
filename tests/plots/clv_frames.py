"""Small frames of customer value as the results give them, and every picture drawn from one."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from lifecycle_kit.plots.clv import plot_value_distribution, plot_whale
from lifecycle_kit.plots.clv_backtest import plot_calibration, plot_tracking
from lifecycle_kit.plots.clv_groups import plot_groups, plot_movers, plot_one_more

HORIZON = "24 months to 2027-12-31, discounted at 10.0% a year"
MODELS = {"BG/NBD": 1.0, "MBG/NBD": 0.9, "NBD": 1.3}
DAYS = {"before": "2025-09-30", "after": "2025-12-31"}


def tracking_frame(models=MODELS, n_periods=6, n_held_out=2):
    """10, 20, ... purchases came, and a share of that was expected."""
    rows = [
        (name, period, dt.date(2025, 1, 1) + dt.timedelta(weeks=period), period > n_periods - n_held_out,
         10 * period, 10.0 * period * size, "baseline" if name == "NBD" else "model")
        for name, size in models.items()
        for period in range(1, n_periods + 1)
    ]  # fmt: skip
    names = ["model", "period", "ends_on", "held_out", "cumulative_actual", "cumulative_expected", "kind"]
    return pd.DataFrame(rows, columns=names)


def calibration_frame(models=MODELS, groups=(0, 1, 2, 7)):
    rows = [
        (name, group, 100 - 10 * group, size * (group + 1) / 4, (group + 1) / 4,
         "baseline" if name == "NBD" else "model")
        for name, size in models.items()
        for group in groups
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["forecast", "group", "n_customers", "expected", "actual", "kind"])


def values_of(clv=(0.0, 1.0, 20.0, 20.0, 40.0, 300.0)):
    return pd.DataFrame({"clv": list(clv)})


def whale_frame(with_revenue=True):
    at = [i / 100 for i in range(101)]
    revenue = [x**0.5 for x in at] if with_revenue else [None] * 101
    return pd.DataFrame({"share_of_customers": at, "share_of_clv": [x**0.25 for x in at], "share_of_revenue": revenue})


def groups_frame(names=("organic", "paid_search", "email"), what="channel"):
    n = range(1, len(names) + 1)
    frame = pd.DataFrame({what: list(names), "n_customers": [1000 * i for i in n]})
    value = pd.Series([100.0 / i for i in n])
    return frame.assign(clv_per_customer=value, lo=value * 0.8, hi=value * 1.5, share=1 / len(names))


def movers_frame(names=("c1", "c2", "c3")):
    n = range(1, len(names) + 1)
    frame = pd.DataFrame({"person_id": list(names), "clv_before": [100.0 if i % 2 else 0.0 for i in n]})
    frame = frame.assign(clv_after=[0.5 if i % 2 else 80.0 for i in n], n_bought=[i - 1 for i in n])
    return frame.assign(change=frame["clv_after"] - frame["clv_before"])


def one_more_frame(channels=("organic", "paid_search", "email"), with_costs=True):
    rows = [("all channels", 300, 182.0, 170.0, 190.0, 34.0, 0.0, "all", None)]
    for i, name in enumerate(channels):
        cost, months = (0.0, 60.0, 400.0)[i % 3], (None, 2.0, None)[i % 3]
        reason = ("winning them cost nothing", None, "not covered within 24 months")[i % 3]
        rows.append((name, 100, 180.0 - i, 150.0, 200.0, cost, months, ("channel", "all")[i % 2], reason))
    names = ["channel", "n_won", "value", "lo", "hi", "cac", "payback_months", "fitted_on", "reason"]
    frame = pd.DataFrame(rows, columns=names)
    return frame if with_costs else frame.assign(cac=None, payback_months=None, reason="no costs are known")


CLV_PICTURES = {
    "tracking": lambda **how: plot_tracking(tracking_frame(), **how),
    "calibration": lambda **how: plot_calibration(calibration_frame(), horizon="26 weeks", **how),
    "values of customers": lambda **how: plot_value_distribution(values_of(), horizon=HORIZON, **how),
    "whale curve": lambda **how: plot_whale(whale_frame(), horizon=HORIZON, **how),
    "value of channels": lambda **how: plot_groups(groups_frame(), what="channel", horizon=HORIZON, **how),
    "movers": lambda **how: plot_movers(movers_frame(), **DAYS, **how),
    "one more": lambda **how: plot_one_more(one_more_frame(), horizon=HORIZON, **how),
    "one more, no costs": lambda **how: plot_one_more(one_more_frame(with_costs=False), horizon=HORIZON, **how),
}

CLV_EMPTY = {
    "tracking": lambda: plot_tracking(tracking_frame().iloc[:0]),
    "calibration": lambda: plot_calibration(calibration_frame().iloc[:0], horizon="26 weeks"),
    "values of customers": lambda: plot_value_distribution(values_of().iloc[:0], horizon=HORIZON),
    "whale curve": lambda: plot_whale(whale_frame().iloc[:0], horizon=HORIZON),
    "value of channels": lambda: plot_groups(groups_frame().iloc[:0], what="channel", horizon=HORIZON),
    "movers": lambda: plot_movers(movers_frame().iloc[:0], **DAYS),
    "one more": lambda: plot_one_more(one_more_frame().iloc[:0], horizon=HORIZON),
}


def hostile_values(hostile):
    """Every picture of customer value with these five names in every place that data fills."""
    how = {"title": hostile[2], "source": hostile[0]}
    models = dict(zip(hostile, (1.0, 0.9, 0.8, 0.7, 0.6), strict=True))
    return [
        plot_tracking(tracking_frame(models), time_unit=hostile[4], **how),
        plot_calibration(calibration_frame(models), horizon=hostile[1], **how),
        plot_value_distribution(values_of(), horizon=hostile[1], **how),
        plot_whale(whale_frame(), horizon=hostile[4], **how),
        plot_groups(groups_frame(hostile, hostile[0]), what=hostile[0], horizon=hostile[3], **how),
        plot_movers(movers_frame(hostile), before=hostile[0], after=hostile[1], **how),
        plot_one_more(one_more_frame(hostile).assign(reason=hostile[2]), horizon=hostile[1], **how),
    ]
