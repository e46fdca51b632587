"""Pictures of a risk: what is drawn is the frame, with title, axes, source and words for whoever does not see it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.churn import plot_calibration_of_risk, plot_gain, plot_importance, plot_profit
from tests.plots.conftest import HOSTILE
from tests.plots.test_pictures import texts


def calibration_frame():
    """Two groups as foretold; the third happens less often."""
    return pd.DataFrame(
        {
            "n_customers": [100, 100, 50],
            "risk": [0.1, 0.4, 0.9],
            "observed": [0.12, 0.38, 0.6],
            "lo": [0.07, 0.29, 0.46],
            "hi": [0.2, 0.48, 0.72],
        }
    )


def importance_frame(groups=("recency", "money", "n_channels")):
    return pd.DataFrame({"group": groups, "auc_drop": [0.2, 0.01, -0.001], "auc_drop_sd": [0.01, 0.002, 0.001]})


def gain_frame(names=("gradient boosting", "base rate", "last order alone")):
    at = np.linspace(0, 1, 101)
    return pd.concat(
        [
            pd.DataFrame({"forecast": name, "share_of_customers": at, "gain": at**power})
            for name, power in zip(names, (0.5, 1.0, 0.8), strict=True)
        ]
    )


def profit_frame():
    n = np.arange(0, 101)
    expected = 10.0 * n - n**2 / 8.0
    return pd.DataFrame(
        {
            "share_of_customers": n / 100,
            "n_contacted": n,
            "expected": expected,
            "actual": expected - n,
            "pays": n <= 40,
        }
    )


PICTURES = {
    "calibration": lambda **how: plot_calibration_of_risk(calibration_frame(), forecast="boosting", **how),
    "importance": lambda **how: plot_importance(importance_frame(), **how),
    "gain": lambda **how: plot_gain(gain_frame(), **how),
    "profit": lambda **how: plot_profit(profit_frame(), **how),
}


@pytest.mark.parametrize("name", PICTURES)
def test_each_has_title_axes_source_and_words(name):
    ax = PICTURES[name](source="a shop, 2025")
    ax.figure.canvas.draw()
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert ax.get_ylabel() or name == "importance"
    assert any("Source: a shop, 2025" in text for text in texts(ax))
    assert len(alt_text(ax)) > 80
    assert "nan" not in alt_text(ax)


@pytest.mark.parametrize("name", PICTURES)
def test_each_draws_on_a_given_axes_and_takes_a_title(name):
    from matplotlib import pyplot as plt

    given = plt.figure().add_subplot()
    ax = PICTURES[name](ax=given, title="Mine")
    assert ax is given
    assert ax.get_title(loc="left") == "Mine"


def test_calibration_is_the_frame():
    ax = plot_calibration_of_risk(calibration_frame(), what="no order within 91 days", level=0.9)
    points = {
        line.get_marker(): list(zip(line.get_xdata(), line.get_ydata(), strict=True))
        for line in ax.lines
        if line.get_marker() in ("o", "s")
    }
    # the group that is off has another mark, not only another colour
    assert points == {"o": [(0.1, 0.12), (0.4, 0.38)], "s": [(0.9, 0.6)]}
    assert any("90 % interval" in text for text in texts(ax))
    assert "1 of 3 groups are off" in alt_text(ax)
    assert "foretold 10.0%, observed 12.0% of 100" in alt_text(ax)
    assert "no order within 91 days" in ax.get_title(loc="left").replace("\n", " ")


def test_importance_is_the_frame():
    ax = plot_importance(importance_frame())
    assert [bar.get_width() for bar in ax.patches] == [-0.001, 0.01, 0.2]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["n channels", "money", "recency"]
    assert "recency 0.200; money 0.010; n channels \u22120.001" in alt_text(ax)


def test_gain_is_the_frame():
    ax = plot_gain(gain_frame())
    assert [line.get_label() for line in ax.lines] == ["gradient boosting", "base rate", "last order alone"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), np.linspace(0, 1, 101))
    # told apart without colours too
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert "gradient boosting 44.7%; base rate 20.0%" in alt_text(ax)


def test_profit_is_the_frame():
    ax = plot_profit(profit_frame())
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(lines["expected, by the risks"], profit_frame()["expected"])
    np.testing.assert_allclose(lines["by who did not come back"], profit_frame()["actual"])
    assert "contacting 40 of 100 customers is expected to bring 200.00, and would have brought 160.00" in alt_text(ax)


def test_nobody_is_worth_a_contact():
    frame = profit_frame().assign(pays=[True] + [False] * 100)
    assert "contacting 0 of 100 customers" in alt_text(plot_profit(frame))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_from_data_are_drawn_as_they_are(hostile):
    for ax in (
        plot_importance(importance_frame((hostile, "b", "c"))),
        plot_gain(gain_frame((hostile, "b", "c"))),
        plot_calibration_of_risk(calibration_frame(), forecast=hostile, what=hostile, source=hostile),
    ):
        ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("draw", "frame", "column"),
    [
        (plot_calibration_of_risk, calibration_frame(), "observed"),
        (plot_importance, importance_frame(), "auc_drop_sd"),
        (plot_gain, gain_frame(), "gain"),
        (plot_profit, profit_frame(), "pays"),
    ],
)
def test_frames_that_cannot_be_drawn(draw, frame, column):
    with pytest.raises(UsageError, match=f"no column '{column}'"):
        draw(frame.drop(columns=column))
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(frame.iloc[:0])


def test_one_group_only():
    plot_calibration_of_risk(calibration_frame().iloc[:1]).figure.canvas.draw()
    plot_importance(importance_frame().iloc[:1]).figure.canvas.draw()
