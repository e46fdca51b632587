"""Customer value: lines, bars and points as the frame says, and words where something is not known."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.clv import plot_value_distribution, plot_whale
from lifecycle_kit.plots.clv_backtest import plot_calibration, plot_tracking
from lifecycle_kit.plots.clv_groups import plot_groups, plot_movers, plot_one_more
from lifecycle_kit.plots.line_ends import LineEnd, name_ends
from lifecycle_kit.plots.style import picture
from tests.plots.clv_frames import (
    DAYS,
    HORIZON,
    calibration_frame,
    groups_frame,
    hostile_values,
    movers_frame,
    one_more_frame,
    tracking_frame,
    values_of,
    whale_frame,
)
from tests.plots.conftest import HOSTILE
from tests.plots.test_pictures import texts

GREY = "#8c959f"


def lines(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def drawn(ax):
    ax.figure.canvas.draw()
    words = " ".join(texts(ax)) + alt_text(ax)
    assert "nan" not in words.lower()
    return words


def test_tracking_draws_what_came_and_what_each_model_expected():
    frame = tracking_frame()
    ax = plot_tracking(frame, source="the shop")
    found = lines(ax)
    assert list(found["came"].get_ydata()) == [10, 20, 30, 40, 50, 60]
    for name in ("BG/NBD", "MBG/NBD", "NBD"):
        expected = frame.loc[frame["model"] == name, "cumulative_expected"]
        assert list(found[name].get_ydata()) == expected.tolist()
    assert found["NBD"].get_color() == GREY  # a baseline
    assert GREY not in {found["BG/NBD"].get_color(), found["MBG/NBD"].get_color()}
    assert {"came", "BG/NBD", "MBG/NBD", "NBD"} <= set(texts(ax))  # at the ends of the lines, no legend
    assert ax.get_legend() is None
    assert "the last 2 held out" in alt_text(ax)
    assert "60 came; expected: BG/NBD 60, MBG/NBD 54, NBD 78" in alt_text(ax)


def test_the_held_out_time_is_shaded_and_named():
    ax = plot_tracking(tracking_frame())
    (span,) = [patch for patch in ax.patches if patch.get_label() == "held out"]
    begin, end = date2num(np.array(["2025-01-29", "2025-02-12"], dtype="datetime64[D]"))
    assert (span.get_x(), span.get_x() + span.get_width()) == (begin, end)
    assert any(text.startswith("held out") for text in texts(ax))
    ax = plot_tracking(tracking_frame(n_held_out=0))
    assert not any(text.startswith("held out") for text in texts(ax))
    assert not ax.patches


@pytest.mark.parametrize(("n_periods", "n_held_out"), [(1, 1), (2, 1), (3, 3)])
def test_tracking_of_one_model_and_few_periods(n_periods, n_held_out):
    frame = tracking_frame({"Pareto/NBD": 1.1}, n_periods, n_held_out).drop(columns="kind")
    ax = plot_tracking(frame)
    assert "baselines" not in drawn(ax)
    assert set(lines(ax)) == {"came", "Pareto/NBD"}


def test_models_that_tell_the_same_share_a_name():
    ax = plot_tracking(tracking_frame({"MBG/NBD": 1.0, "MBG/CNBD-k": 1.0, "BG/NBD": 2.0}))
    assert "MBG/NBD, MBG/CNBD-k" in texts(ax)
    first, second = (lines(ax)[name] for name in ("MBG/NBD", "MBG/CNBD-k"))
    assert first.get_color() != second.get_color()


def test_names_at_the_ends_do_not_overlap_and_stay_inside():
    with picture(None) as ax:
        ends = [LineEnd(f"model {i}", 0.5 + i / 1000, "#000000") for i in range(9)]
        ax.set_ylim(0, 1)
        name_ends(ax, 1.0, [*ends, LineEnd("lowest", 0.0, "#000000", bold=True)], within=(0, 1))
    ax.figure.canvas.draw()
    boxes = sorted(
        (text.get_window_extent() for text in ax.texts if text.get_text()), key=lambda box: box.y0
    )  # fmt: skip
    assert len(boxes) == 10
    assert all(low.y1 <= high.y0 + 1.5 for low, high in itertools.pairwise(boxes))
    assert all(box.x1 <= ax.figure.bbox.x1 and box.y0 >= ax.bbox.y0 - 2 for box in boxes)


def test_calibration_has_bars_of_what_came_and_lines_of_what_was_expected():
    frame = calibration_frame()
    ax = plot_calibration(frame, horizon="26 weeks")
    assert [bar.get_height() for bar in ax.patches] == [0.25, 0.5, 0.75, 2.0]
    assert np.allclose(lines(ax)["MBG/NBD"].get_ydata(), np.array([0.25, 0.5, 0.75, 2.0]) * 0.9)
    assert lines(ax)["NBD"].get_color() == GREY
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0\n100", "1\n90", "2\n80", "7+\n30"]
    assert "26 weeks" in ax.get_title(loc="left")
    assert "0.25, 0.50, 0.75, 2.00 came" in alt_text(ax)
    assert "mean purchases" in ax.get_ylabel()


def test_calibration_of_a_group_that_a_forecast_does_not_tell():
    frame = calibration_frame()
    frame.loc[frame["forecast"].eq("MBG/NBD") & frame["group"].eq(7), "expected"] = np.nan
    ax = plot_calibration(frame, horizon="26 weeks")
    assert "0.23, 0.45, 0.68, unknown" in drawn(ax)
    ax = plot_calibration(calibration_frame({"BG/NBD": 0.0}, (0,)).assign(actual=0.0), horizon="1 week")
    drawn(ax)


def test_every_customer_stands_in_a_bar_and_median_and_mean_are_told():
    frame = values_of((0.0, 1.0, 20.0, 20.0, 40.0, 300.0))
    ax = plot_value_distribution(frame, horizon=HORIZON)
    bars = {group.get_label(): [bar.get_height() for bar in group] for group in ax.containers}
    assert sum(bars["customers"]) == 4
    assert bars["next to nothing"] == [2]  # worth less than a tenth of the mean, 6.35
    assert ax.get_xscale() == "log"
    assert "logarithmic" in ax.get_xlabel()
    assert ax.get_ylabel() == "customers"
    assert {"median 20.00:\nhalf are below", "mean 63.50:\n83.3% are below"} <= set(texts(ax))
    assert any("33.3% of customers who are worth next to nothing" in text for text in texts(ax))
    assert "median 20.00, mean 63.50, 83.3% are below the mean" in alt_text(ax)


@pytest.mark.parametrize(
    "clv", [(5.0,), (3.0, 3.0), (0.0, 0.0), (np.nan, np.nan), (1e-12, 1e9), (np.nan, 4.0), (0.0,) * 9 + (100.0,)]
)
def test_extremes_of_values(clv):
    ax = plot_value_distribution(values_of(clv), horizon=HORIZON)
    words = drawn(ax)
    if np.nansum(clv) == 0:
        assert "worth nothing" in words
        return
    assert sum(bar.get_height() for bar in ax.patches) == np.isfinite(clv).sum()
    assert ("of unknown value" in words) == bool(np.isnan(clv).any())


def test_whale_curve_calls_out_the_best_tenth_and_fifth():
    frame = whale_frame()
    ax = plot_whale(frame, horizon=HORIZON)
    found = lines(ax)
    assert np.allclose(found["expected value"].get_ydata(), frame["share_of_clv"])
    assert np.allclose(found["revenue so far"].get_ydata(), frame["share_of_revenue"])
    assert found["revenue so far"].get_linestyle() != "-"
    assert found["top 10%"].get_xydata().tolist() == [[0.1, pytest.approx(0.1**0.25)]]
    assert found["top 20%"].get_xydata().tolist() == [[0.2, pytest.approx(0.2**0.25)]]
    assert "the best 10% hold 56.2%\nthe best 20% hold 66.9%" in texts(ax)
    assert "Of revenue so far: the best 10% hold 31.6%" in alt_text(ax)


def test_whale_curve_without_revenue_or_value():
    ax = plot_whale(whale_frame(with_revenue=False), horizon=HORIZON)
    assert "revenue so far" not in lines(ax)
    assert "revenue so far" not in drawn(ax)
    ax = plot_whale(whale_frame(with_revenue=False).assign(share_of_clv=np.nan), horizon=HORIZON)
    assert "no value to share out" in drawn(ax)


def test_groups_are_points_with_intervals_and_their_size():
    frame = groups_frame()
    ax = plot_groups(frame, what="channel", horizon=HORIZON)
    assert list(lines(ax)["value"].get_xdata()) == frame["clv_per_customer"].tolist()
    (intervals,) = [found for found in ax.collections if found.get_label() == "interval"]
    assert [path[:, 0].tolist() for path in intervals.get_segments()] == frame[["lo", "hi"]].to_numpy().tolist()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["organic", "paid search", "email"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
    assert {"1,000\n33.3%", "2,000\n33.3%", "100.00"} <= set(texts(ax))
    assert "organic 100.00 (80.00 to 150.00), 1,000 customers" in alt_text(ax)
    assert "by channel" in ax.get_title(loc="left")


def test_one_group_and_a_missing_value():
    drawn(plot_groups(groups_frame(("direct",)), what="channel", horizon=HORIZON))
    frame = groups_frame()
    frame.loc[1, ["clv_per_customer", "lo", "hi", "share"]] = np.nan
    assert "paid search not known" in drawn(plot_groups(frame, what="channel", horizon=HORIZON))


def test_more_groups_than_have_room_are_counted():
    names = [f"channel {i}" for i in range(18)]
    ax = plot_groups(groups_frame(names), what="channel", horizon=HORIZON)
    assert len(lines(ax)["value"].get_xdata()) == 15
    assert "Left out: 3 more, by channel." in drawn(ax)


def test_movers_go_from_a_ring_to_a_disc():
    frame = movers_frame()
    ax = plot_movers(frame, 2, **DAYS)
    found = lines(ax)
    assert [found[f"before {y}"].get_xdata()[0] for y in (0, 1)] == [100.0, 0.0]
    assert [found[f"after {y}"].get_xdata()[0] for y in (0, 1)] == [0.5, 80.0]
    assert "before 2" not in found
    assert found["before 0"].get_markerfacecolor() == "#ffffff"
    assert found["after 0"].get_color() != found["after 1"].get_color()  # down and up
    assert {"\u221299.50\nno purchases", "+80.00\n1 purchase"} <= set(texts(ax))
    assert "c1 100.00 to 0.50; c2 0.00 to 80.00." in alt_text(ax)
    assert "2025-09-30 to 2025-12-31" in ax.get_title(loc="left")


def test_movers_that_are_none_or_too_many():
    frame = movers_frame(("only",)).assign(n_bought=pd.NA, clv_before=np.nan, change=np.nan)
    assert "only not known to 0.50" in drawn(plot_movers(frame, **DAYS))
    with pytest.raises(UsageError, match="n is 31"):
        plot_movers(movers_frame(), 31, **DAYS)


def test_one_more_beside_what_winning_one_cost():
    frame = one_more_frame()
    ax = plot_one_more(frame, horizon=HORIZON)
    found = lines(ax)
    assert list(found["value"].get_xdata()) == [182.0, 180.0, 178.0]
    assert list(found["value, buys like all"].get_xdata()) == [179.0]  # hollow: too few customers of its own
    assert list(found["cost"].get_xdata()) == [34.0, 0.0, 60.0, 400.0]
    assert {"by the first purchase", "after 2 months", "paid back"} <= set(texts(ax))
    assert any("winning them cost" in text for text in texts(ax))
    assert ax.get_xlim()[1] > 400
    assert "email 178.00 (150.00 to 200.00), cost 400.00, not covered within 24 months" in alt_text(ax)
    assert any("Hollow: too few customers" in text for text in texts(ax))


def test_one_more_without_costs_says_why():
    ax = plot_one_more(one_more_frame(with_costs=False), horizon=HORIZON)
    words = drawn(ax)
    assert "Costs are left out: no costs are known." in words
    assert "winning one cost" not in ax.get_title(loc="left")
    assert "paid back" not in texts(ax)


def test_one_more_of_one_channel_with_a_missing_value():
    frame = one_more_frame(("direct",))
    frame.loc[1, ["value", "lo", "hi", "cac"]] = np.nan
    assert "direct not known" in drawn(plot_one_more(frame, horizon=HORIZON))


def test_hostile_names_of_customer_value_are_drawn_as_text(tmp_path):
    for i, ax in enumerate(hostile_values(HOSTILE)):
        for kind in ("png", "svg"):
            ax.figure.savefig(tmp_path / f"{i}.{kind}")
        assert any("$\\frac{" in text for text in texts(ax))
        assert "\u202e" not in "".join(texts(ax)) + alt_text(ax)
        assert "<script>" not in (tmp_path / f"{i}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("draw", "column"),
    [
        (lambda frame: plot_tracking(frame), "held_out"),
        (lambda frame: plot_calibration(frame, horizon="1 week"), "expected"),
        (lambda frame: plot_value_distribution(frame, horizon=HORIZON), "clv"),
        (lambda frame: plot_whale(frame, horizon=HORIZON), "share_of_clv"),
        (lambda frame: plot_groups(frame, what="stage", horizon=HORIZON), "stage"),
        (lambda frame: plot_movers(frame, **DAYS), "n_bought"),
        (lambda frame: plot_one_more(frame, horizon=HORIZON), "cac"),
    ],
)
def test_a_missing_column_of_customer_value_is_named(draw, column):
    names = {
        *tracking_frame(), *calibration_frame(), "clv", *whale_frame(), *groups_frame(what="stage"), *movers_frame(),
        *one_more_frame(),
    }  # fmt: skip
    frame = pd.DataFrame({name: [1.0] for name in names - {column}})
    with pytest.raises(UsageError, match=f"'{column}'"):
        draw(frame)
