"""The customer base: bars as long as the frame says, losses below zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.customer_base import plot_concentration, plot_growth
from tests.plots.conftest import bridge_frame, deciles_frame
from tests.plots.test_pictures import texts


def bars(ax):
    """Bottom and height of the bars of each part."""
    return {
        group.get_label().removeprefix("part "): [(bar.get_y(), bar.get_height()) for bar in group]
        for group in ax.child_axes[0].containers
    }


def test_bars_by_decile():
    ax = plot_concentration(deciles_frame())
    assert [bar.get_height() for bar in ax.patches] == [0.5, 0.3, 0.15, 0.05]
    assert {"50.0%\n500k", "5.0%\n50k"} <= set(texts(ax))
    assert ax.get_xticklabels()[0].get_text() == "1\n50"
    assert "200 people" in alt_text(ax)
    assert "1: 50.0%; 2: 30.0%" in alt_text(ax)


@pytest.mark.parametrize("share", [(1.0,), (1.1, -0.1), (np.nan, np.nan), (0.0, 0.0)])
def test_extremes_of_concentration(share):
    ax = plot_concentration(deciles_frame(share))
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    assert low <= min(0, np.nanmin([0, *share])) < high
    assert "nan" not in " ".join(texts(ax)).lower() + alt_text(ax)


def test_what_stays_is_stacked_above_and_what_is_lost_below():
    ax = plot_growth(bridge_frame())
    assert bars(ax) == {
        "new": [(0, 90), (0, 50), (0, 40)],
        "returning": [(90, 0), (50, 20), (40, 30)],
        "resurrecting": [(90, 0), (70, 0), (70, 5)],
        "dormant": [(0, 0), (0, -30), (0, -25)],
    }
    assert {"new", "returning", "resurrecting", "dormant"} <= set(texts(ax))
    assert "new 40, returning 30, resurrecting 5, dormant 25" in alt_text(ax)
    assert ax.child_axes[0].get_ylabel() == "people, below zero: lost"


def test_marked_periods_are_grey_or_hatched_with_a_note():
    ax = plot_growth(bridge_frame())
    inside = ax.child_axes[0]
    spans = [p for p in inside.patches if p.get_alpha() == 0.22]
    assert len(spans) == 1
    assert spans[0].get_x() < inside.containers[0][0].get_x()
    assert [bar.get_hatch() for bar in inside.containers[0]] == ["", "", "////"]
    assert any("Grey: the log begins" in text and "Hatched:" in text for text in texts(ax))
    assert not any("Grey" in text for text in texts(plot_growth(bridge_frame().assign(mark=None))))


def test_money_with_its_own_parts():
    up, down = ("new", "retained", "expansion", "reactivation"), ("contraction", "churned")
    bridge = pd.DataFrame({part: [100_000.0, 120_000.0] for part in (*up, *down)})
    bridge = bridge.assign(period_start=["2025-01-01", "2025-02-01"], mark=None)
    ax = plot_growth(bridge, parts_up=up, parts_down=down, unit="money")
    assert bars(ax)["reactivation"] == [(300_000, 100_000), (360_000, 120_000)]
    assert bars(ax)["churned"] == [(-100_000, -100_000), (-120_000, -120_000)]
    assert ax.child_axes[0].get_ylabel().startswith("units of currency")
    ax.figure.canvas.draw()
    assert any(text.startswith("\u2212") and text.endswith("k") for text in texts(ax))


@pytest.mark.parametrize("n", [1, 2])
def test_few_periods(n):
    ax = plot_growth(bridge_frame(n), source="the shop")
    ax.figure.canvas.draw()
    assert len(ax.child_axes[0].containers[0]) == n


def test_null_parts_are_not_drawn():
    ax = plot_growth(bridge_frame().assign(new=None, returning=np.nan, resurrecting=None, dormant=None))
    ax.figure.canvas.draw()
    assert all(height == 0 for part in bars(ax).values() for _, height in part)
    assert "new unknown" in alt_text(ax)


def test_negative_parts_are_refused():
    with pytest.raises(UsageError, match="'dormant' has a negative value, -30"):
        plot_growth(bridge_frame().assign(dormant=[0, -30, -25]))
    assert plt.get_fignums() == []
