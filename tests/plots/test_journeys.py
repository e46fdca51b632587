"""Paths, step matrix, funnel, attribution, crosswalk, and both views of the same people: what is drawn is the frame."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, Rectangle

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.attribution import NOT_CAUSAL, plot_attribution
from lifecycle_kit.plots.crosswalk import plot_crosswalk
from lifecycle_kit.plots.journey_and_lifecycle import plot_journey_and_lifecycle, plot_segment_journey_and_lifecycle
from lifecycle_kit.plots.journey_steps import plot_funnel, plot_step_matrix
from lifecycle_kit.plots.journeys import plot_paths
from tests.plots.conftest import HOSTILE
from tests.plots.journey_frames import (
    ENDS,
    MET_STAGES,
    attribution_frame,
    funnel_frame,
    hostile_journeys,
    matrix_frame,
    met_frame,
    names,
    own_and_company_frames,
    paths_frame,
    segment_frames,
)
from tests.plots.test_pictures import texts

GREEN, GREY, PALE = "#009e73", "#8c959f", "#c5ccd3"


def hits(ax, drawn=None):
    """Pairs of texts that lie on each other."""
    ax.figure.canvas.draw()
    found = [(t.get_text(), t.get_window_extent()) for t in (drawn or ax).texts if t.get_text()]
    return [(a, b) for i, (a, x) in enumerate(found) for b, y in found[:i] if x.overlaps(y)]


def chips(ax):
    """The steps drawn, row by row from above; "" for what is left out between them."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    heights = sorted({round(patch.get_y(), 3) for patch in found}, reverse=True)
    rows = [sorted((p for p in found if round(p.get_y(), 3) == y), key=lambda p: p.get_x()) for y in heights]
    return [[patch.get_label() for patch in row] for row in rows]


def tick_names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


# --- paths


def test_each_path_has_its_steps_and_its_journeys():
    frame = paths_frame([["page_viewed", "product_viewed"], ["email_opened"]])
    ax = plot_paths(frame)
    assert chips(ax) == [["page_viewed", "product_viewed"], ["email_opened"]]
    assert {"page viewed", "product viewed", "email opened", "100", "200", "10.0%"} <= set(texts(ax))
    bars = [bar for bar in ax.patches if bar.get_label() in ENDS]
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [GREEN, GREY, PALE] * 2
    wide = [bar.get_width() for bar in bars]
    assert np.allclose(np.array(wide) / wide[0], [1, 8, 1, 2, 16, 2])
    assert "page_viewed, product_viewed: 100 journeys, 10 converted, 80 lost, 10 open" in alt_text(ax)


def test_a_step_has_one_colour_in_all_rows():
    ax = plot_paths(paths_frame([["a", "b"], ["b", "a"]]))
    colours = {}
    for patch in ax.patches:
        if isinstance(patch, FancyBboxPatch):
            colours.setdefault(patch.get_label(), set()).add(to_hex(patch.get_facecolor()))
    assert [len(found) for found in colours.values()] == [1, 1]
    assert colours["a"] != colours["b"]


def test_numbers_stand_beside_bars_or_in_them():
    ax = plot_paths(paths_frame([["a"]] * 9))
    assert "10 / 80 / 10" in texts(ax)  # a short bar
    assert "720" in texts(ax)  # the longest one
    assert hits(ax) == []


def test_long_paths_are_shortened_in_the_middle():
    path = [f"step_{i}" for i in range(200)]
    ax = plot_paths(paths_frame([path, ["a"]]))
    row = chips(ax)[0]
    middle = row.index("")
    assert row[:middle] == path[:middle]
    assert row[middle + 1 :] == path[-(len(row) - middle - 1) :]
    assert f"… {200 - len(row) + 1} more" in texts(ax)
    assert hits(ax) == []
    right = max(p.get_x() + p.get_width() for p in ax.patches if isinstance(p, FancyBboxPatch))
    assert right < min(p.get_x() for p in ax.patches if p.get_label() == "(converted)")


def test_a_path_without_steps_and_without_value():
    ax = plot_paths(paths_frame([[], ["a"]]).assign(value=None))
    assert "no step before" in texts(ax)
    assert "value" not in texts(ax)
    assert "no step before: 100 journeys" in alt_text(ax)


@pytest.mark.parametrize("n", [1, 12, 200, 10_000])
def test_paths_of_any_number(n):
    ax = plot_paths(paths_frame([[f"s{i}", "x"] for i in range(n)]))
    assert len(chips(ax)) == min(n, 25)
    assert any("Left out" in text for text in texts(ax)) == (n > 25)
    assert hits(ax) == []
    assert ax.figure.get_figheight() < 15


# --- step matrix


def cells(ax):
    """What is written at a place; notes have none."""
    return {text.xy: text.get_text() for text in ax.texts if text.get_text() and text.xycoords == "data"}


def test_cells_are_shares_by_step_and_position():
    frame = matrix_frame(3, 3)
    ax = plot_step_matrix(frame)
    assert tick_names(ax) == ["page viewed", "search performed", "product viewed", *ENDS]
    places = list(ax.get_yticks())
    written = cells(ax)
    assert written[0, places[0]] == "33%"
    assert (2, places[0]) not in written  # nobody there: no cell
    assert len([p for p in ax.patches if isinstance(p, Rectangle)]) == frame["share"].notna().sum()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3"]


def test_steps_are_in_the_order_of_their_mean_position_and_ends_below():
    frame = pd.DataFrame(
        [("late", 1, 0.1), ("late", 3, 0.9), ("early", 1, 0.9), ("early", 3, 0.1), ("(lost)", 2, 0.2), ("b", 2, 0.1)],
        columns=["step", "position", "share"],
    )
    ax = plot_step_matrix(frame)
    assert tick_names(ax) == ["early", "b", "late", "(lost)"]
    assert np.diff(ax.get_yticks())[-1] > 1  # a gap before the ends


def test_a_share_that_is_tiny_is_not_zero():
    frame = pd.DataFrame({"step": ["a", "b"], "position": [1, 1], "share": [0.0001, 0.9999]})
    assert {"<0.1%", "100%"} <= set(texts(plot_step_matrix(frame)))


@pytest.mark.parametrize(("n", "n_positions"), [(1, 1), (30, 10), (200, 40), (10_000, 2)])
def test_a_matrix_of_any_size(n, n_positions):
    ax = plot_step_matrix(matrix_frame(n, n_positions))
    assert len(tick_names(ax)) == min(n, 30) + 3
    left = [text for text in texts(ax) if "Left out" in text]
    assert bool(left) == (n > 30 or n_positions > 15)
    if n == 200:
        assert "Left out: 170 steps with small shares and 25 positions." in left[0].replace("\n", " ")
    assert hits(ax) == []


def test_only_ended_journeys_or_none():
    frame = matrix_frame(2, 2)
    assert tick_names(plot_step_matrix(frame[frame["step"].isin(ENDS)])) == ENDS
    ax = plot_step_matrix(frame[~frame["step"].isin(ENDS)])
    assert not any("ended" in text for text in texts(ax))


# --- funnel


def test_bars_drop_off_and_intervals():
    frame = funnel_frame(3)
    ax = plot_funnel(frame)
    people = [bar.get_width() for bar in ax.patches if to_hex(bar.get_facecolor()) == "#0072b2"]
    gone = [(bar.get_x(), bar.get_width()) for bar in ax.patches if to_hex(bar.get_facecolor()) != "#0072b2"]
    assert people == [100_000, 50_000, 25_000]
    assert gone == [(50_000, 50_000), (25_000, 25_000)]
    spans = [c.get_segments()[0][:, 0] for c in ax.collections]
    assert np.allclose(spans, [[45_000, 55_000], [22_500, 27_500]])
    assert {"100,000", "50,000 (50.0% of the first)", "50.0% went on, 45.0% to 55.0%; median 2 h"} <= set(texts(ax))
    assert ax.get_xlim()[0] == 0
    assert "search_performed 50,000 (50.0% went on" in alt_text(ax)


def test_a_funnel_that_nobody_goes_through():
    frame = funnel_frame(3).assign(n_people=[10, 0, 0], share_of_previous=[np.nan, 0.0, np.nan], median_hours=np.nan)
    frame.loc[2, ["lo", "hi", "share_of_first"]] = np.nan
    ax = plot_funnel(frame)
    ax.figure.canvas.draw()
    assert {"0% went on, 45.0% to 55.0%", "nobody to go on"} <= set(texts(ax))
    assert "nan" not in " ".join(texts(ax)) + alt_text(ax)


@pytest.mark.parametrize("n", [1, 2, 200, 10_000])
def test_a_funnel_of_any_length(n):
    ax = plot_funnel(funnel_frame(1).loc[[0] * n].assign(step=names(n)))
    assert len(tick_names(ax)) == min(n, 20)
    assert any("Left out" in text for text in texts(ax)) == (n > 20)
    assert hits(ax) == []


# --- attribution


def test_a_mark_and_an_interval_per_method_and_channel():
    frame = attribution_frame()
    ax = plot_attribution(frame)
    assert tick_names(ax) == ["search", "social", "email", "direct"]
    for method, line, bars in zip(["first_touch", "last_touch", "shapley"], ax.lines, ax.collections, strict=False):
        rows = frame[frame["method"] == method]
        assert line.get_label() == method
        assert np.allclose(line.get_xdata(), rows["share"])
        assert [round(y) for y in line.get_ydata()] == [0, 1, 2, 3]
        assert np.allclose([segment[:, 0] for segment in bars.get_segments()], rows[["lo", "hi"]])
    marks = [(line.get_marker(), line.get_color()) for line in ax.lines[:3]]
    assert len({m for m, _ in marks}) == len({c for _, c in marks}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["first touch", "last touch", "shapley"]


@pytest.mark.parametrize("channels", [["a"], ["a", "b", "c"], names(200)])
@pytest.mark.parametrize("methods", [["linear"], names(12)])
def test_it_always_says_that_it_is_not_causal(channels, methods):
    ax = plot_attribution(attribution_frame(channels, methods), title="T", source="S", note="One more.")
    ax.figure.canvas.draw()
    notes = "\n".join(texts(ax))
    assert NOT_CAUSAL in notes
    assert "One more." in notes
    assert NOT_CAUSAL in alt_text(ax)
    assert ("Left out" in notes) == (len(channels) > 15 or len(methods) > 8)
    assert len(tick_names(ax)) == min(len(channels), 15)
    legend = ax.get_legend()
    if legend is not None:
        assert not legend.get_window_extent().overlaps(ax._left_title.get_window_extent())


def test_cost_per_conversion_from_the_lowest_method_to_the_highest():
    ax = plot_attribution(attribution_frame())
    assert "4.50 to\n6.50" in texts(ax)
    assert "cost per\nconversion" in texts(ax)
    assert "cost per conversion 4.50 to 6.50" in alt_text(ax)
    free = plot_attribution(attribution_frame().assign(cost_per_conversion=np.nan))
    assert not any("cost" in text for text in texts(free))


def test_without_conversions_and_without_intervals():
    nothing = {"share": None, "lo": None, "hi": None, "n_converted": 0.0, "cost_per_conversion": None}
    ax = plot_attribution(attribution_frame().assign(**nothing))
    ax.figure.canvas.draw()
    assert "nan" not in " ".join(texts(ax)) + alt_text(ax)
    assert not any("95%" in text for text in texts(ax))
    assert not any(len(line.get_xdata()) for line in ax.lines[:3])


# --- crosswalk


def frames(ax):
    return [p.get_label() for p in ax.patches if isinstance(p, Rectangle) and not p.get_fill()]


def test_cells_and_the_frame_of_what_was_meant():
    ax = plot_crosswalk(met_frame())
    assert [label.get_text() for label in ax.get_xticklabels()] == MET_STAGES
    assert tick_names(ax) == ["page viewed", "≠ coupon sent", "survey answered"]
    shares = [text.get_text() for text in ax.texts if text.get_text().endswith("%") and "to" not in text.get_text()]
    assert shares == ["20%", "70%", "10%"] * 3
    assert "68% to 72%" in texts(ax)
    assert frames(ax) == ["page_viewed > awareness", "coupon_sent > purchase"]
    (frame,) = [p for p in ax.patches if p.get_label() == "coupon_sent > purchase"]
    assert (round(frame.get_x()), round(frame.get_y())) == (2, 1)
    assert hits(ax) == []


def test_what_was_met_elsewhere_is_told_in_words():
    alt = alt_text(plot_crosswalk(met_frame(), title="T"))
    assert "coupon_sent most in awareness (70.0%), meant for purchase" in alt
    assert "Most people met these elsewhere than meant: coupon_sent (10.0% in purchase)." in alt
    fine = met_frame(["page_viewed"])
    assert "met mostly where they were meant to be" in alt_text(plot_crosswalk(fine))
    silent = met_frame().assign(meant_for=None, is_meant=None)
    ax = plot_crosswalk(silent)
    assert not frames(ax)
    assert "meant" not in alt_text(ax)
    assert not any("Frame" in text for text in texts(ax))


def test_meant_for_a_stage_in_which_nobody_met_it():
    frame = met_frame(["page_viewed"]).assign(meant_for="advocacy", is_meant=False)
    ax = plot_crosswalk(frame)
    assert [label.get_text() for label in ax.get_xticklabels()][-1] == "advocacy"
    assert frames(ax) == ["page_viewed > advocacy"]
    assert tick_names(ax) == ["≠ page viewed"]


def test_stages_in_the_given_order_and_by_their_labels():
    ax = plot_crosswalk(met_frame(), stages=["purchase", "(new)", "never met", "awareness"], labels={"purchase": "Buy"})
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Buy", "(new)", "awareness"]
    assert "meant for Buy" in alt_text(ax)


@pytest.mark.parametrize(("n", "n_stages"), [(1, 3), (200, 3), (10_000, 3), (5, 30)])
def test_a_crosswalk_of_any_size(n, n_stages):
    frame = met_frame(names(n))
    if n_stages > 3:
        frame = pd.concat([frame.assign(stage=f"stage_{i}", meant_for=None) for i in range(n_stages)])
        frame = frame.drop_duplicates(["event", "stage"])
    ax = plot_crosswalk(frame)
    assert len(tick_names(ax)) == min(n, 40)
    assert any("Left out" in text for text in texts(ax)) == (n > 40 or n_stages > 14)
    assert hits(ax) == []


# --- both views


def spans(ax):
    return [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]


def test_the_path_above_and_the_stages_below_on_one_axis_of_time():
    own, company = own_and_company_frames()
    ax = plot_journey_and_lifecycle(own, company, until="2025-01-31")
    above, below = ax.child_axes
    assert above.get_xlim() == below.get_xlim()
    assert above.get_position().y0 > below.get_position().y1
    assert tick_names(above) == ["page viewed", "search performed", "product viewed", "order"]
    assert tick_names(below) == ["lead", "first purchase"]
    days = mpl.dates.date2num(own["at"])
    marks = {line.get_marker(): line for line in above.lines if line.get_marker() in ("o", "D")}
    assert np.allclose(marks["o"].get_xdata(), days[:3])
    assert np.allclose(marks["D"].get_xdata(), days[3:])
    end = mpl.dates.date2num(np.datetime64("2025-01-31"))
    assert np.allclose(spans(below), [(days[1], days[3]), (days[3], end)])
    assert ax.get_title(loc="left").endswith("up to 2025-01-30")
    for inside in (above, below):  # a conversion goes through both
        assert any(np.allclose(line.get_xdata(), days[3]) and line.get_color() == GREEN for line in inside.lines)
    assert "awareness" in texts(ax)


def test_a_label_stands_for_a_step_and_a_status():
    own, company = own_and_company_frames()
    own["label"] = ["Home", None, "Product", "Bought"]
    ax = plot_journey_and_lifecycle(own, company, labels={"lead": "Lead!", "purchase": "Buying"})
    assert tick_names(ax.child_axes[0]) == ["Home", "search performed", "Product", "Bought"]
    assert tick_names(ax.child_axes[1]) == ["Lead!", "first purchase"]
    assert "Buying" in texts(ax)
    assert "Home 2025-01-01" in alt_text(ax)
    assert "one conversion" in alt_text(ax)


def test_rare_steps_share_a_lane_but_conversions_keep_theirs():
    n = 10_000
    at = pd.date_range("2025-01-01", periods=n, freq="h")
    own = pd.DataFrame({"at": at, "name": [f"e{i % 200}" for i in range(n - 1)] + ["order"], "is_conversion": False})
    own.loc[n - 1, "is_conversion"] = True
    ax = plot_journey_and_lifecycle(own, own_and_company_frames()[1])
    above = ax.child_axes[0]
    assert len(tick_names(above)) == 10
    assert {"order", "other steps"} <= set(tick_names(above))
    marks = [len(line.get_xdata()) for line in above.lines if line.get_marker() in ("o", "D")]
    assert sum(marks) == n
    assert any("share one lane" in text for text in texts(ax))


def test_one_step_and_one_spell_at_one_instant():
    at = pd.Timestamp(2025, 1, 1)
    own = pd.DataFrame({"at": [at], "name": ["a"], "is_conversion": [False]})
    company = pd.DataFrame({"status": ["lead"], "stage": ["s"], "valid_from": [at], "valid_to": [pd.NaT]})
    ax = plot_journey_and_lifecycle(own, company)
    ax.figure.canvas.draw()
    assert "No conversion." in texts(ax)
    assert spans(ax.child_axes[1])[0][1] > spans(ax.child_axes[1])[0][0]


def tops(panel):
    """The upper edge of each area on the last day."""
    return [area.get_paths()[0].vertices[:, 1].max() for area in panel.collections]


def test_areas_of_a_segment_are_its_shares():
    own, company = segment_frames()
    ax = plot_segment_journey_and_lifecycle(own, company)
    above, below = ax.child_axes
    assert np.allclose(tops(above), [1 / 3, 2 / 3, 1])
    assert np.allclose(tops(below), [0.75, 1])
    assert above.get_xlim() == below.get_xlim() == (0, 3)
    assert {"awareness 75.0%", "purchase 25.0%", "page viewed 33.3%"} <= set(texts(ax))
    assert "By stage: awareness 75.0%, purchase 25.0%." in alt_text(ax)


def test_ends_of_journeys_lie_above_the_steps_in_their_colours():
    own, company = segment_frames(["(converted)", "page_viewed", "(lost)"])
    above = plot_segment_journey_and_lifecycle(own, company).child_axes[0]
    colours = [to_hex(area.get_facecolor()[0]) for area in above.collections]
    assert colours[1:] == [GREEN, GREY]


@pytest.mark.parametrize(("n", "n_days"), [(1, 1), (9, 3), (200, 3), (10_000, 2)])
def test_a_segment_with_any_number_of_steps(n, n_days):
    own, company = segment_frames(names(n), n_days=n_days)
    ax = plot_segment_journey_and_lifecycle(own, company)
    above = ax.child_axes[0]
    assert hits(ax, above) == []
    written = [text for text in texts(ax) if text.startswith(("step ", "other steps"))]
    assert len(written) == min(n, 9)
    assert any("Taken together" in text for text in texts(ax)) == (n > 9)


def test_names_of_thin_areas_are_moved_apart():
    own, company = segment_frames(names(8))
    own["share"] = own["step"].map(dict(zip(names(8), [0.93, *[0.01] * 7], strict=True)))
    ax = plot_segment_journey_and_lifecycle(own, company)
    assert hits(ax, ax.child_axes[0]) == []
    own, company = segment_frames(names(8), n_days=20)
    before, after = ([*[share] * 7, 1 - 7 * share] for share in (1 / 7, 0.01))
    for chosen, shares in ((own["age_days"] < 19, before), (own["age_days"] == 19, after)):
        own.loc[chosen, "share"] = own["step"].map(dict(zip(names(8), shares, strict=True)))
    ax = plot_segment_journey_and_lifecycle(own, company)  # the thin ones lie below on the last day
    above = ax.child_axes[0]
    assert hits(ax, above) == []
    floor = above.get_window_extent().y0
    assert all(text.get_window_extent().y0 > floor - 14 for text in above.texts)


def test_two_shares_of_one_day_are_refused():
    own, company = segment_frames()
    with pytest.raises(UsageError, match="two shares on day 0"):
        plot_segment_journey_and_lifecycle(pd.concat([own, own.head(1)]), company)
    assert plt.get_fignums() == []


# --- all


def test_hostile_names_are_drawn_as_text(tmp_path):
    for i, ax in enumerate(hostile_journeys(HOSTILE)):
        for kind in ("png", "svg"):
            ax.figure.savefig(tmp_path / f"{i}.{kind}")
        assert any("$\\frac{" in text for text in texts(ax))
        assert "\u202e" not in "".join(texts(ax)) + alt_text(ax)
        assert "<script>" not in (tmp_path / f"{i}.svg").read_text(encoding="utf-8")
        assert "\x00" not in "".join(texts(ax))


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (plot_paths, paths_frame()), (plot_step_matrix, matrix_frame()), (plot_funnel, funnel_frame()),
        (plot_attribution, attribution_frame()), (plot_crosswalk, met_frame()),
    ],
)  # fmt: skip
def test_a_missing_column_is_named(draw, frame):
    last = frame.columns[-1]
    with pytest.raises(UsageError, match=repr(last)):
        draw(frame.drop(columns=last))
    assert plt.get_fignums() == []
