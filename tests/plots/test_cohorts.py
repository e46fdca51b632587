"""Cohorts: a cell per share, nothing beyond the data, a line per cohort."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.cohorts import plot_cohort_curves, plot_retention
from tests.plots.conftest import curves_frame, triangle_frame
from tests.plots.test_pictures import texts

MEAN = pd.DataFrame({"age": [0, 1, 2], "share": [1.0, 0.25, 0.125]})


def cells(ax):
    """Filled cells: (age, row) with their colour."""
    return {
        (round(p.get_x() + 0.5), round(p.get_y() + 0.5, 2)): p.get_facecolor() for p in ax.patches if not p.get_hatch()
    }


def test_a_cell_per_share_and_blank_beyond_the_data():
    ax = plot_retention(triangle_frame(), mean=MEAN)
    assert set(cells(ax)) == {
        (0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (0, 2), (0, 3.35), (1, 3.35), (2, 3.35),
    }  # fmt: skip
    assert texts(ax).count("30%") == 2
    assert {"15%", "25%", "12%"} <= set(texts(ax))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["2025-01 *  (1,000)", "2025-02  (2,000)", "2025-03  (3,000)", "all"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the oldest on top
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("months since first order", "cohort (people in it)")


def test_a_share_of_zero_has_a_colour_and_more_is_darker():
    frame = triangle_frame().assign(share=[1, 0.4, 0.2, 1, 0.0, np.nan, 1, np.nan, np.nan])
    found = {key: sum(colour[:3]) for key, colour in cells(plot_retention(frame)).items()}
    assert found[0, 0] <= found[1, 0] < found[2, 0] < found[1, 1] < 3
    assert (2, 1) not in found


def test_the_first_cohort_of_the_log_is_hatched_and_starred():
    ax = plot_retention(triangle_frame())
    assert {round(p.get_y() + 0.5) for p in ax.patches if p.get_hatch()} == {0}
    assert any("Hatched: the log begins here" in text for text in texts(ax))
    ax = plot_retention(triangle_frame().assign(mark=None))
    assert not any(p.get_hatch() for p in ax.patches)
    assert not any("Hatched" in text for text in texts(ax))


def test_numbers_up_to_fifteen_ages_then_a_colour_bar():
    few, many = (plot_retention(triangle_frame(n_ages=n)) for n in (15, 16))
    assert ("30%" in texts(few), len(few.child_axes)) == (True, 0)
    assert ("30%" in [t.get_text() for t in many.texts], len(many.child_axes)) == (False, 1)
    assert many.child_axes[0].get_ylabel() == "share of the cohort"


def test_numbers_can_be_read_on_their_cells():
    ax = plot_retention(triangle_frame().assign(share=np.linspace(0, 1, 9)))

    def light(colour):
        return np.dot(to_rgb(colour), (0.299, 0.587, 0.114))

    written = [t for t in ax.texts if t.get_text().endswith("%")]
    assert len(written) == 9
    assert all(abs(light(t.get_color()) - light(t.get_bbox_patch().get_facecolor())) > 0.3 for t in written)


@pytest.mark.parametrize("n", [1, 60])
def test_one_cohort_and_many(n):
    frame = triangle_frame([f"cohort {i}" for i in range(n)], n_ages=n)
    ax = plot_retention(frame, mean=pd.DataFrame({"age": [0], "share": [1.0]}), source="the shop")
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


def test_nothing_known_yet():
    ax = plot_retention(triangle_frame().assign(share=np.nan))
    ax.figure.canvas.draw()
    assert not cells(ax)
    assert "no share known" in alt_text(ax)


def test_the_words_give_the_mean():
    alt = alt_text(plot_retention(triangle_frame(), mean=MEAN, title="Back", age_label="weeks"))
    assert alt == "Back: 3 cohorts, 2025-01 to 2025-03. All together: 100% at 0, 25.0% at 1, 12.5% at 2 (weeks)."


def test_a_line_per_cohort_from_light_to_dark():
    mean = pd.DataFrame({"age": [0, 1, 2], "value": [11.0, 21.0, 30.0]})
    ax = plot_cohort_curves(curves_frame(), mean=mean, value_label="revenue per customer")
    assert [list(line.get_ydata()) for line in ax.lines[:3]] == [[10, 20, 30], [11, 21], [12]]
    light = [sum(to_rgb(line.get_color())) for line in ax.lines[:3]]
    assert light == sorted(light, reverse=True)
    thick = max(ax.lines, key=lambda line: (line.get_color() != "#ffffff", line.get_linewidth()))
    assert list(thick.get_ydata()) == [11, 21, 30]
    assert {"2025-01", "2025-02", "2025-03", "mean"} <= set(texts(ax))
    assert ax.get_ylabel() == "revenue per customer (units of currency)"
    assert "2025-02 21.00 at 1" in alt_text(ax)
    assert "the mean 30.00 at 2" in alt_text(ax)


def test_only_the_oldest_and_the_newest_are_named_and_names_do_not_touch():
    ax = plot_cohort_curves(curves_frame([f"c{i:02d}" for i in range(24)], n_ages=24))
    ax.figure.canvas.draw()
    names = [text for text in ax.texts if text.get_text().startswith("c")]
    assert {text.get_text() for text in names} == {"c00", "c20", "c21", "c22", "c23"}
    boxes = [text.get_window_extent() for text in names]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_cohorts_from_the_beginning_of_the_log_are_grey_and_dashed():
    frame = curves_frame()
    ax = plot_cohort_curves(frame.assign(mark=np.where(frame["cohort"] == "2025-01", "left-censored", None)))
    assert [line.get_linestyle() for line in ax.lines] == ["--", "-", "-"]
    assert any("Grey, dashed: the log begins here" in text for text in texts(ax))


def test_curves_without_values():
    ax = plot_cohort_curves(curves_frame().assign(value=np.nan), unit="share")
    ax.figure.canvas.draw()
    assert "No value yet" in texts(ax)
    assert "2025-01 no value yet" in alt_text(ax)


def test_a_mean_without_its_column_is_refused():
    with pytest.raises(UsageError, match="'value'"):
        plot_cohort_curves(curves_frame(), mean=MEAN)
