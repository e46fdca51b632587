"""The scorecard says value, interval, change, target and flag of each KPI, and draws its history."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.scorecard import plot_scorecard
from tests.plots.conftest import card_frame
from tests.plots.test_pictures import texts

GOOD, BAD, GREY = "#00704f", "#c22f1f", "#57606a"


def colour_of(ax, words):
    return next(text.get_color() for text in ax.texts if text.get_text() == words)


def test_values_intervals_changes_and_targets_are_written():
    ax = plot_scorecard(card_frame())
    written = set(texts(ax))
    assert {"AWARENESS", "PURCHASE", "RETENTION", "Daily traffic"} <= written
    assert any(text.startswith("units of currency, ") for text in written)
    assert {"120", "108 to 132", "▲ 20%", "better than 100", "✓ 110", "at least: met"} <= written
    assert {"80.50", "72.45 to 88.55", "= no change"} <= written
    assert {
        "30.0%",
        "27.0% to 33.0%",
        "▲ 50%",
        "worse than 20.0%",
        "✗ 25.0%",
        "at most: missed",
        "above\nlimits",
    } <= written
    assert (colour_of(ax, "▲ 20%"), colour_of(ax, "▲ 50%"), colour_of(ax, "= no change")) == (GOOD, BAD, GREY)


def test_a_change_of_what_is_neither_good_nor_bad_is_grey():
    ax = plot_scorecard(card_frame().assign(better_when="neither"))
    assert colour_of(ax, "▲ 20%") == GREY
    assert "from 100" in texts(ax)


def test_the_spark_line_is_the_history():
    ax = plot_scorecard(card_frame())
    traffic, _, lapse = ax.child_axes
    # the first point is the beginning of the log: not in the line, and not in the scale
    assert np.allclose(traffic.lines[0].get_ydata(), [np.nan, np.nan, 100, 120], equal_nan=True)
    assert traffic.get_ylim()[1] < 150
    (triangle,) = [line for line in traffic.lines if line.get_marker() == "^" and len(line.get_ydata())]
    assert triangle.get_color() == "#8c959f"
    (band,) = traffic.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == (pytest.approx(70), pytest.approx(130))
    (ring,) = [line for line in lapse.lines if line.get_markerfacecolor() == "none" and len(line.get_ydata())]
    assert (list(ring.get_ydata()), ring.get_color()) == ([0.3], BAD)
    dot = lapse.lines[-1]
    assert (dot.get_marker(), list(dot.get_ydata()), dot.get_markerfacecolor()) == ("o", [0.3], dot.get_color())
    assert "Triangle: off the scale." in "\n".join(texts(ax))


@pytest.mark.parametrize("change", [{"mature_share": 0.5}, {"mark": "partial"}])
def test_an_unfinished_last_point_is_hollow(change):
    ax = plot_scorecard(card_frame().assign(**change))
    assert ax.child_axes[0].lines[-1].get_markerfacecolor() == "#ffffff"
    assert "Hollow dot" in "\n".join(texts(ax))


def test_a_null_value_says_why_and_has_no_change():
    reason = "nobody has been observed for 90 days"
    ax = plot_scorecard(card_frame().assign(value=np.nan, lo=None, hi=None, change=None, reason=reason))
    written = [text.replace("\n", " ") for text in texts(ax)]
    assert written.count(f"No value: {reason}") == 3
    assert not any("nan" in text or "▲" in text for text in written)


def test_without_a_past_or_from_zero():
    card = card_frame().iloc[:2].assign(
        change=None, previous=[None, 0.0], change_absolute=[None, 80.5], target_met=None, limit_lo=None, limit_hi=None
    )  # fmt: skip
    card["history"] = [[card["history"].iloc[0][-1]], []]
    ax = plot_scorecard(card)
    ax.figure.canvas.draw()
    assert {"no comparison", "▲ 80.50", "from 0.00", "110", "at least: not known"} <= set(texts(ax))
    assert [len(panel.patches) for panel in ax.child_axes] == [0, 0]


def test_a_limit_on_one_side_reaches_the_edge():
    ax = plot_scorecard(card_frame().assign(limit_lo=None))
    (band,) = ax.child_axes[2].patches
    low = ax.child_axes[2].get_ylim()[0]
    assert (band.get_y(), band.get_y() + band.get_height()) == (pytest.approx(low), pytest.approx(0.26))


def test_stages_keep_their_order_and_their_rows_together():
    card = card_frame().iloc[[2, 0, 1, 2]].assign(label=["first", "second", "third", "fourth"])
    ax = plot_scorecard(card)
    height = {text.get_text(): text.get_position()[1] for text in ax.texts}
    order = ["RETENTION", "first", "fourth", "AWARENESS", "second", "PURCHASE", "third"]
    assert sorted(order, key=lambda name: -height[name]) == order


def test_the_words_count_and_name_what_is_flagged_and_missed():
    alt = alt_text(plot_scorecard(card_frame(), title="Shop"))
    assert alt == "Shop: 3 KPIs, 1 outside its limits: Lapse rate (above); 1 of 2 targets missed: Lapse rate."
    calm = card_frame().assign(flag=None, target_met=[True, None, None])
    assert alt_text(plot_scorecard(calm, title="S")) == "S: 3 KPIs, none outside its limits; the one target met."
    none = card_frame().iloc[[1]]
    assert alt_text(plot_scorecard(none, title="S")).endswith(
        "1 KPI, none outside its limits; no target to compare with."
    )


@pytest.mark.parametrize("n", [1, 3, 45])
def test_readable_at_any_number_of_rows(n):
    card = pd.concat([card_frame()] * 15, ignore_index=True).iloc[:n]
    card = card.assign(label="The time to the second purchase, as the median of all people observed for a year or more")
    ax = plot_scorecard(card, source="the shop, as of 2025-12-31")
    ax.figure.canvas.draw()
    boxes = [(text, text.get_window_extent()) for text in ax.texts]
    assert all(text.get_fontsize() >= 6.5 for text, _ in boxes)
    edge = ax.figure.bbox
    assert all(edge.x0 <= b.x0 and b.x1 <= edge.x1 and edge.y0 <= b.y0 and b.y1 <= edge.y1 for _, b in boxes)
    hits = [(a.get_text(), b.get_text()) for i, (a, x) in enumerate(boxes) for b, y in boxes[:i] if x.overlaps(y)]
    assert hits == []


def test_large_numbers_become_smaller_type_instead_of_running_into_the_next_column():
    card = card_frame().iloc[[1]].assign(value=1_234_567_890.0, lo=1_200_000_000.0, hi=1_300_000_000.0, target=2e9)
    ax = plot_scorecard(card)
    box = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert not box["1,200,000,000 to 1,300,000,000"].overlaps(box["= no change"])
    assert not box["1,234,567,890"].overlaps(box["= no change"])


def test_a_target_that_cannot_be_judged_is_still_shown():
    card = card_frame().assign(target=100.0, target_met=pd.array([None] * len(card_frame()), dtype="boolean"))
    assert any("not known" in text for text in texts(plot_scorecard(card)))
