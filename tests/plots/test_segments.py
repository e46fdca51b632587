"""Pictures of groups: a cell per median, lines, intervals beside chance, who stays, what comes back."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.rfm import plot_rfm_grid
from lifecycle_kit.plots.segments import plot_profiles, plot_segments_by_stage, plot_snake
from lifecycle_kit.plots.segments_judged import plot_kept, plot_out_of_time, plot_stability
from tests.plots.conftest import HOSTILE
from tests.plots.test_pictures import texts

NAMES = ["recent, frequent, big spend", "one-time, silent"]
MEASURES = {"recency_days": "days since the last purchase", "frequency": "purchases", "monetary": "revenue"}


def profiles(names=NAMES):
    n = len(names)
    return pd.DataFrame({"segment": names, "n_customers": range(100, 100 + n), "share": 1 / n, "revenue_share": 1 / n})


def deviations(names=NAMES):
    rows = [
        (name, measure, label, 10.0 * (i + 1), (-1.0) ** i * 1.5)
        for i, name in enumerate(names)
        for measure, label in MEASURES.items()
    ]
    return pd.DataFrame(rows, columns=["segment", "measure", "label", "median", "deviation"])


def by_stage(names=NAMES):
    rows = [(name, stage, 30, 0.5) for name in names for stage in ("purchase", "retention")]
    return pd.DataFrame(rows, columns=["segment", "stage", "n_people", "share"])


def outcomes(names=NAMES, shown=("lapse", "spend")):
    columns = ["grouping", "group", "outcome", "n_customers", "value", "lo", "hi", "random_lo", "random_hi"]
    rows = []
    for grouping, groups in (("segments", names), ("RFM groups", ["champions", "lost"])):
        for i, group in enumerate(groups):
            told = {"lapse": (0.2 + 0.5 * (i % 2), 0.05), "spend": (90.0 - i, 20.0), "response": (0.1, 0.02)}
            for name in shown:
                value, half = told[name]
                rows.append((grouping, group, name, 50, value, value - half, value + half, value - 2 * half, value))
    return pd.DataFrame(rows, columns=columns)


def moves(names=NAMES):
    rows = [
        (a, b, 60 if a == b else 40 // max(len(names) - 1, 1), 0.6 if a == b else 0.4)
        for a, b in itertools.product(names, names)
    ]
    return pd.DataFrame(rows, columns=["from_segment", "to_segment", "n_customers", "share"])


def candidates():
    made = pd.DataFrame({"method": ["kmeans"] * 3 + ["bisecting"] * 2, "n_groups": [2, 3, 4, 2, 3]})
    made["candidate"] = made["method"] + ", " + made["n_groups"].astype(str) + " groups"
    bounds = {"stability_seeds": 0.9, "stability_bootstrap": [0.95, 0.7, 0.6, 0.85, 0.3], "stability_low": 0.2}
    return made.assign(**bounds, stability_high=0.97, verdict=["usable"] + ["do not use"] * 4)


def grid(n=2):
    rows = [(r, f, 10 * r, r / (n * (n + 1) / 2) / n, 0.1) for r in range(1, n + 1) for f in range(1, n + 1)]
    return pd.DataFrame(rows, columns=["r", "f", "n_customers", "share", "revenue_share"])


EVERY = {
    "profiles": (lambda **how: plot_profiles(profiles(), deviations(), **how), "profiles"),
    "snake": (lambda **how: plot_snake(deviations(), **how), "deviations"),
    "stage": (lambda **how: plot_segments_by_stage(by_stage(), **how), "groups by stage"),
    "out of time": (lambda **how: plot_out_of_time(outcomes(), **how), "outcomes"),
    "kept": (lambda **how: plot_kept(moves(), **how), "moves between groups"),
    "stability": (lambda **how: plot_stability(candidates(), **how), "candidates"),
}


@pytest.mark.parametrize("name", EVERY)
def test_title_source_note_and_alt_text(name):
    draw, _ = EVERY[name]
    ax = draw(title="A title", source="the shop", note="Verdict: do not use.")
    written = "\n".join(texts(ax))
    assert ax.get_title(loc="left") == "A title"
    assert "Source: the shop" in written
    assert "Verdict: do not use." in written
    assert alt_text(ax).startswith("A title")
    assert "Verdict: do not use." in alt_text(ax)
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (plot_snake, deviations()),
        (plot_segments_by_stage, by_stage()),
        (plot_out_of_time, outcomes()),
        (plot_kept, moves()),
        (plot_stability, candidates()),
        (plot_rfm_grid, grid()),
        (lambda frame: plot_profiles(profiles(), frame), deviations()),
        (lambda frame: plot_profiles(frame, deviations()), profiles()),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused(draw, frame):
    with pytest.raises(UsageError, match="has no rows"):
        draw(frame.head(0))
    with pytest.raises(UsageError, match="has no column"):
        draw(frame.drop(columns=frame.columns[-1]))


@pytest.mark.parametrize("name", EVERY)
def test_names_from_data_are_letters(name):
    frames = {
        "profiles": lambda: plot_profiles(profiles(HOSTILE), deviations(HOSTILE)),
        "snake": lambda: plot_snake(deviations(HOSTILE)),
        "stage": lambda: plot_segments_by_stage(by_stage(HOSTILE)),
        "out of time": lambda: plot_out_of_time(outcomes(HOSTILE)),
        "kept": lambda: plot_kept(moves(HOSTILE)),
        "stability": lambda: plot_stability(candidates().assign(candidate=HOSTILE, method=HOSTILE)),
    }
    ax = frames[name]()
    ax.figure.canvas.draw()
    assert "$\\frac{" in alt_text(ax)


def test_a_median_per_cell_coloured_by_where_it_lies():
    ax = plot_profiles(profiles(), deviations())
    assert texts(ax).count("10") == 3
    colours = {(round(p.get_x() + 0.5), round(p.get_y() + 0.5)): p.get_facecolor() for p in ax.patches}
    # the first group is above the median of all, the second below
    above, below = colours[0, 0], colours[0, 1]
    assert above[2] > above[0]
    assert below[2] < below[0]


def test_nobody_in_a_measure_is_said():
    frame = deviations()
    frame.loc[0, ["median", "deviation"]] = np.nan
    assert "none" in texts(plot_profiles(profiles(), frame))
    line = plot_snake(frame).lines
    assert any(np.isnan(np.asarray(each.get_ydata(), dtype=float)).any() for each in line)


def test_groups_stand_beside_random_and_rfm_groups():
    ax = plot_out_of_time(outcomes(shown=("lapse", "spend", "response")))
    lapse, spend, response = ax.child_axes
    assert [panel.get_title(loc="left") for panel in ax.child_axes] == ["no purchase", "mean spend", "came by e-mail"]
    labels = [label.get_text() for label in lapse.get_yticklabels()]
    assert labels == [f"{NAMES[0]} (50)", f"{NAMES[1]} (50)", "champions (50)", "lost (50)"]
    assert {"segments", "RFM groups"} <= {text.get_text() for text in lapse.texts}
    assert len(lapse.patches) == len(spend.patches) == len(response.patches) == 4
    dots = [line.get_xdata()[0] for line in lapse.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([0.2, 0.7, 0.2, 0.7])
    assert lapse.get_ylim()[0] > lapse.get_ylim()[1]
    assert "no purchase: recent, frequent, big spend 20.0% (15.0% to 25.0%)" in alt_text(ax)


def test_who_stays_is_framed():
    ax = plot_kept(moves())
    assert texts(ax).count("60%") == 2
    assert sum(not patch.get_fill() for patch in ax.patches) == 2
    assert "60.0% keep their group" in alt_text(ax)


def test_the_one_taken_is_ringed_and_the_bar_is_drawn():
    ax = plot_stability(candidates(), wanted=0.8, chosen="kmeans, 2 groups")
    rings = [line for line in ax.lines if line.get_markersize() == 15]
    assert len(rings) == 1
    assert rings[0].get_ydata()[0] == 0.9  # the lower of 0.9 and 0.95
    assert any(line.get_linestyle() == "--" for line in ax.lines)
    filled = [line for line in ax.lines if line.get_markersize() == 7.5 and line.get_markerfacecolor() != "white"]
    assert len(filled) == 1
    assert "kmeans, 3 groups 0.70 (do not use)" in alt_text(ax)


def test_many_groups_fit():
    names = [f"one-time, very recent, long-standing number {i}" for i in range(8)]
    for ax in (plot_profiles(profiles(names), deviations(names)), plot_kept(moves(names))):
        ax.figure.canvas.draw()
        boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


def test_the_grid_has_a_cell_per_score():
    ax = plot_rfm_grid(grid(10), n_groups=10)
    assert len(ax.patches) == 100
    ax = plot_rfm_grid(grid(2), n_groups=5)
    assert len(ax.patches) == 4
    assert any("A blank cell: no customer." in text for text in texts(ax))
