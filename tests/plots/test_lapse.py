"""Pictures of lapse and of risk by value: what is drawn equals the frame, and is said in words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.lapse import plot_gap_curve, plot_lapse
from lifecycle_kit.plots.risk_value import plot_risk_value
from tests.plots.conftest import HOSTILE
from tests.plots.test_pictures import texts


def rules_frame(names=("180 days", "gap curve 80 %", "own rhythm x 3")):
    nan = math.nan
    rows = [
        (name, 100, 40, 0.4, 90, 30, 0.2, 0.1, 0.35, 60, 0.6, 0.5, 0.7) if i != 1 else
        (name, 0, 0, nan, 0, 0, nan, nan, nan, 0, nan, nan, nan)
        for i, name in enumerate(names)
    ]  # fmt: skip
    columns = [
        "rule", "n_customers", "n_lapsed", "share_lapsed", "n_then", "n_called_lapsed", "false_alarms",
        "false_alarms_lo", "false_alarms_hi", "n_called_active", "misses", "misses_lo", "misses_hi",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def gaps_frame():
    return pd.DataFrame(
        {
            "days": [7, 14, 30], "n_ended": [4, 2, 0], "n_open": [0, 2, 2], "share_ended": [0.4, 0.6, 0.6],
            "lo": [0.2, 0.4, 0.4], "hi": [0.6, 0.8, 0.8], "naive": [4 / 6, 1.0, 1.0],
        }
    )  # fmt: skip


def cells_frame(risks=("high", "middle", "low"), values=("high", "middle", "low")):
    rows = []
    for i, r in enumerate(risks):
        for j, v in enumerate(values):
            n = 0 if (i, j) == (2, 2) else 10 * (i + 1) * (j + 1)
            rows.append(
                (f"{r} risk, {v} value", r, v, n, n / 400, 1_000.0 * n, 500.0 * n, 400.0 * n, 600.0 * n, n / 400)
            )
    columns = ["cell", "risk_group", "value_group", "n_customers", "share_customers", "value", "at_risk", "lo", "hi"]
    return pd.DataFrame(rows, columns=[*columns, "share_at_risk"])


PICTURES = {
    "rules": lambda **how: plot_lapse(rules_frame(), **how),
    "gaps": lambda **how: plot_gap_curve(gaps_frame(), thresholds={"a": 10, "b": 11}, share=0.5, **how),
    "grid": lambda **how: plot_risk_value(cells_frame(), **how),
}


@pytest.mark.parametrize("name", PICTURES)
def test_title_source_and_words(name):
    ax = PICTURES[name](source="the shop, as of today")
    assert ax.get_title(loc="left")
    assert any("Source: the shop, as of today" in text for text in texts(ax))
    assert len(alt_text(ax)) > 80
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", PICTURES)
def test_on_the_callers_axes(name):
    figure, ax = plt.subplots()
    assert PICTURES[name](ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    figure.canvas.draw()


def test_a_dot_per_share_and_words_where_there_is_none():
    ax = plot_lapse(rules_frame(), window="2025-10-02 to 2025-12-31")
    now, alarms, misses = ax.child_axes
    dots = [
        [line.get_xdata()[0] for line in inside.lines if line.get_marker() == "o"] for inside in (now, alarms, misses)
    ]
    assert dots == [[0.4, 0.4], [0.2, 0.2], [0.6, 0.6]]
    spans = [tuple(line.get_xdata()) for line in alarms.lines if line.get_marker() != "o"]
    assert spans == [(0.1, 0.35)] * 2
    assert [label.get_text() for label in now.get_yticklabels()] == ["180 days", "gap curve 80 %", "own rhythm x 3"]
    assert {"no answer"} <= {text.get_text() for text in alarms.texts}
    assert "gap curve 80 %: no answer" in alt_text(ax)
    assert "180 days: called lapsed today 40.0%, false alarms a window ago 20.0%, misses 60.0%" in alt_text(ax)
    nobody = rules_frame().assign(false_alarms=math.nan)
    assert "nobody called lapsed" in {text.get_text() for text in plot_lapse(nobody).child_axes[1].texts}


def test_both_curves_and_the_thresholds():
    ax = plot_gap_curve(gaps_frame(), thresholds={"180 days": 180, "own rhythm": 25.5}, share=0.5)
    assert {"14 d", "7 d", "180 days: 180 d", "own rhythm: 26 d"} <= set(texts(ax))
    curve, naive = ax.lines[:2]
    assert curve.get_ydata().tolist() == [0, 0.4, 0.6, 0.6]
    assert naive.get_ydata().tolist() == pytest.approx([0, 4 / 6, 1, 1])
    assert ax.get_xlim()[1] > 180
    assert "50.0% with open gaps counted: by day 14. 50.0% from ended gaps alone: by day 7." in alt_text(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("days since a purchase", "share of gaps that have ended")
    never = plot_gap_curve(gaps_frame(), share=0.9)
    assert "90.0% with open gaps counted: never." in alt_text(never)


def test_no_gap_has_ended():
    frame = gaps_frame().assign(n_ended=0, share_ended=0.0, lo=0.0, naive=math.nan)
    ax = plot_gap_curve(frame, share=0.5)
    assert "ended gaps only" not in texts(ax)
    ax.figure.canvas.draw()


def test_a_cell_per_group_and_nobody_is_said():
    ax = plot_risk_value(cells_frame(), risk_names={"high": "80 % or more"})
    assert len(ax.patches) == 9
    assert {"nobody", "10 customers (2.5%)", "5k", "4k to 6k", "2.5% of all at risk"} <= set(texts(ax))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "high risk\n80 % or more",
        "middle risk",
        "low risk",
    ]
    light = [np.mean(to_rgb(patch.get_facecolor())) for patch in ax.patches]
    assert light[0] > light[4] > light[7]  # the more at risk, the darker
    assert "middle risk, middle value: 40 customers, 20,000.00 at risk (10.0%)" in alt_text(ax)
    ax = plot_risk_value(cells_frame().assign(share_at_risk=math.nan, at_risk=0.0))
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name):
    for ax in (
        plot_lapse(rules_frame((name, "b", "c")), title=name, source=name),
        plot_gap_curve(gaps_frame(), thresholds={name: 9}, title=name, source=name),
        plot_risk_value(cells_frame((name, "b", "c")), title=name, source=name),
    ):
        ax.figure.canvas.draw()


@pytest.mark.parametrize("draw", [plot_lapse, plot_gap_curve, plot_risk_value])
def test_nothing_to_draw(draw):
    with pytest.raises(UsageError, match="has no column"):
        draw(pd.DataFrame({"a": [1]}))
    frame = {plot_lapse: rules_frame, plot_gap_curve: gaps_frame, plot_risk_value: cells_frame}[draw]()
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(frame.iloc[:0])
    assert plt.get_fignums() == []
