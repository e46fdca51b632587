"""The graph of steps: what is drawn and what is left out, places that stay, labels that can be read."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch, PathPatch

from lifecycle_kit.plots import alt_text, layers, outcomes
from lifecycle_kit.plots.journeys import plot_graph
from tests.plots.journey_frames import ENDS, graph_frames
from tests.plots.test_pictures import texts


def boxes(ax):
    """Where each node stands: left, bottom, width, height in points."""
    return {
        patch.get_label(): (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height())
        for patch in ax.patches
        if isinstance(patch, FancyBboxPatch)
    }


def drawn_edges(ax):
    return {
        patch.get_label(): patch.get_linewidth()
        for patch in ax.patches
        if isinstance(patch, PathPatch) and not isinstance(patch, FancyBboxPatch)
    }


def hits(ax):
    """Pairs of texts that lie on each other, notes left out."""
    ax.figure.canvas.draw()
    found = [(text.get_text(), text.get_window_extent()) for text in ax.texts if "Line: share" not in text.get_text()]
    return [(a, b) for i, (a, x) in enumerate(found) for b, y in found[:i] if x.overlaps(y)]


def line(steps=("a", "b", "c"), n=1000):
    """A journey with one way through, half of the people lost at every step."""
    rows = [("(start)", steps[0], n, 1.0, np.nan)]
    for i, step in enumerate(steps):
        n //= 2
        after = steps[i + 1] if i + 1 < len(steps) else "(converted)"
        rows += [(step, after, n, 0.5, 2.0), (step, "(lost)", n, 0.5, np.nan)]
    edges = pd.DataFrame(rows, columns=["from_step", "to_step", "n", "share", "hours"])
    nodes = pd.DataFrame({"step": list(steps), "n": [1000 // 2**i for i in range(len(steps))]})
    return edges, nodes.assign(n_first=0, n_last=0)


def test_a_way_through_reads_from_left_to_right():
    edges, nodes = line()
    ax = plot_graph(edges, nodes)
    left = {node: box[0] for node, box in boxes(ax).items()}
    assert sorted(left, key=left.get)[:4] == ["(start)", "a", "b", "c"]
    assert left["c"] < left["(converted)"] == left["(lost)"]
    assert set(drawn_edges(ax)) == {f"{a} > {b}" for a, b in zip(edges["from_step"], edges["to_step"], strict=True)}
    written = {text.replace("\n", " ").replace(", ", " ") for text in texts(ax)}
    assert {"50% 2 h", "100%", "1,000", "500", "250", "converted", "start", "875"} <= written
    assert not any("Left out" in text for text in written)


def test_the_order_is_that_of_the_journey_not_of_the_names():
    left = {node: box[0] for node, box in boxes(plot_graph(*line(("z", "m", "a")))).items()}
    assert left["z"] < left["m"] < left["a"]


def test_width_grows_with_the_square_root_of_the_moves():
    width = drawn_edges(plot_graph(*line()))
    assert width["a > b"] / width["c > (converted)"] == pytest.approx(math.sqrt(500 / 125))


def test_green_grey_and_orange():
    edges, nodes = line()
    back = pd.DataFrame([("c", "a", 300, 0.5, 1.0)], columns=edges.columns)
    ax = plot_graph(pd.concat([edges, back]), nodes)
    colour = {patch.get_label(): patch.get_edgecolor()[:3] for patch in ax.patches if isinstance(patch, PathPatch)}
    assert colour["c > (converted)"] == pytest.approx((0, 158 / 255, 115 / 255))
    assert colour["a > (lost)"] == pytest.approx((140 / 255, 149 / 255, 159 / 255))
    assert colour["c > a"] == pytest.approx((213 / 255, 94 / 255, 0))
    # the way back ends at the right side of its box, so that its head points left
    (head,) = [p for p in ax.patches if p.get_label() == "c > a"]
    x, _, width, _ = boxes(ax)["a"]
    assert head.get_path().vertices[-1, 0] > x + width


def test_a_step_that_follows_itself_is_told_in_its_box():
    edges, nodes = line()
    again = pd.DataFrame([("a", "a", 400, 0.4, 3.0)], columns=edges.columns)
    ax = plot_graph(pd.concat([edges, again]), nodes)
    assert any("↻ 40%" in text for text in texts(ax))
    assert "a > a" not in drawn_edges(ax)


def test_the_mean_or_the_median_is_named():
    assert any("mean time" in text for text in texts(plot_graph(*line())))
    assert any("median time" in text for text in texts(plot_graph(*line(), times="median")))


@pytest.mark.parametrize("n", [1, 2, 5, 12, 30, 200])
def test_readable_at_any_number_of_steps(n):
    edges, nodes = graph_frames(n)
    ax = plot_graph(edges, nodes, source="the shop")
    places = boxes(ax)
    kept = min(n, 12)
    assert set(places) == {"(start)", *ENDS, *nodes.sort_values("n", ascending=False)["step"].head(kept)}
    assert hits(ax) == []
    rectangles = list(places.values())
    for i, (x, y, width, height) in enumerate(rectangles):
        assert all(x + width <= a or a + w <= x or y + height <= b or b + h <= y for a, b, w, h in rectangles[:i])
    assert all(text.get_fontsize() >= 7 for text in ax.texts)
    # every node that is drawn is joined to another one
    joined = " > ".join(drawn_edges(ax)).split(" > ")
    assert set(places) <= set(joined)


def test_what_is_left_out_is_counted():
    edges, nodes = graph_frames(200)
    ax = plot_graph(edges, nodes)
    told = next(text for text in texts(ax) if "Left out" in text)
    steps, lines, share = re.search(r"Left out: ([\d,]+) steps and ([\d,]+) edges that carry ([\d.]+)%", told).groups()
    shown = edges[(edges["from_step"] + " > " + edges["to_step"]).isin(drawn_edges(ax))]
    assert int(steps) == 188
    assert int(lines.replace(",", "")) == len(edges) - len(shown)
    assert float(share) / 100 == pytest.approx(1 - shown["n"].sum() / edges["n"].sum(), abs=0.001)
    assert "Left out: 188 steps" in alt_text(ax)


def test_ten_thousand_steps_are_cut_before_they_cost_anything():
    n = 10_000
    steps = [f"s{i:05d}" for i in range(n)]
    edges = pd.DataFrame({"from_step": "(start)", "to_step": steps, "n": range(n, 0, -1), "share": 1 / n})
    edges = edges.assign(hours=np.nan)
    ends = edges.assign(from_step=steps, to_step="(lost)", share=1.0)
    nodes = pd.DataFrame({"step": steps, "n": range(n, 0, -1), "n_first": 1, "n_last": 1})
    ax = plot_graph(pd.concat([edges, ends]), nodes)
    assert len(boxes(ax)) == 12 + 2
    assert any("Left out: 9,988 steps" in text for text in texts(ax))
    assert hits(ax) == []


def test_the_same_data_is_the_same_picture():
    edges, nodes = graph_frames(30)
    files = []
    for frames in ((edges, nodes), (edges.sample(frac=1, random_state=1), nodes.sample(frac=1, random_state=2))):
        ax = plot_graph(*frames, title="T")
        file = io.BytesIO()
        ax.figure.savefig(file, format="png", metadata={"Software": None})
        files.append(file.getvalue())
    assert files[0] == files[1]


@pytest.mark.parametrize("n", [5, 30, 200])
def test_a_count_that_changes_a_little_moves_nothing(n):
    edges, nodes = graph_frames(n)
    before = boxes(plot_graph(edges, nodes))
    for row in np.random.default_rng(1).choice(len(edges), 6, replace=False):
        other = edges.copy()
        other.loc[row, "n"] += max(1, other.loc[row, "n"] // 100)
        assert boxes(plot_graph(other, nodes)) == before
        plt.close("all")


def test_an_edge_more_or_less_moves_no_step():
    edges, nodes = graph_frames(30)
    before = boxes(plot_graph(edges, nodes))
    thin = edges[edges["n"] > 5]
    assert len(thin) < len(edges)
    assert boxes(plot_graph(thin, nodes)).keys() == before.keys()
    assert boxes(plot_graph(edges.drop(edges.index[edges["n"].argmin()]), nodes)) == before


def test_a_smaller_picture_has_fewer_steps():
    _, ax = plt.subplots(figsize=(6, 4))
    plot_graph(*graph_frames(30), ax=ax)
    assert 3 <= len(boxes(ax)) - 4 < 12
    assert hits(ax) == []


def test_edges_pass_between_boxes_not_through_them():
    ax = plot_graph(*graph_frames(30))
    places = boxes(ax)
    for patch in ax.patches:
        if not isinstance(patch, PathPatch):
            continue
        ends = patch.get_label().split(" > ")
        points = layers.sampled([tuple(point) for point in patch.get_path().vertices])
        for node, (x, y, width, height) in places.items():
            if node not in ends:
                assert not any(x < a < x + width and y < b < y + height for a, b in points), (patch.get_label(), node)


def test_only_a_circle_that_nobody_enters_from_the_start():
    edges = pd.DataFrame(
        [("a", "b", 5, 1.0, 1.0), ("b", "a", 5, 1.0, 1.0)], columns=["from_step", "to_step", "n", "share", "hours"]
    )
    nodes = pd.DataFrame({"step": ["a", "b"], "n": [5, 5], "n_first": 0, "n_last": 0})
    ax = plot_graph(edges, nodes)
    assert set(drawn_edges(ax)) == {"a > b", "b > a"}
    assert "nan" not in " ".join(texts(ax)) + alt_text(ax)


def test_words_tell_ends_and_moves():
    alt = alt_text(plot_graph(*line(), title="Shop"))
    assert alt.startswith("Shop. Ends: converted 125, lost 875. Most frequent moves: start to a 1,000 (100%);")
    assert "a to b 500 (50%, 2 h)" in alt


@pytest.mark.parametrize(
    ("hours", "written"),
    [
        (0.005, "18 s"), (0.5, "30 min"), (1.2, "72 min"), (2, "2 h"), (2.54, "2.5 h"), (30, "30 h"), (60, "2.5 d"),
        (24 * 400, "400 d"), (0, "0 s"), (float("nan"), ""),
    ],
)  # fmt: skip
def test_times_have_their_own_unit(hours, written):
    assert outcomes.after(hours) == written


def test_edges_side_by_side_are_apart():
    edges, nodes = graph_frames(12)
    ax = plot_graph(edges, nodes)
    ways = {p.get_label(): p.get_path().vertices for p in ax.patches if isinstance(p, PathPatch)}
    # where an edge passes a column it is level: a Bezier curve of four points at one height
    level = [
        (round(way[i, 0] + way[i + 3, 0]), way[i, 1])
        for way in ways.values()
        for i in range(3, len(way) - 3, 3)
        if np.ptp(way[i : i + 4, 1]) < 1e-9
    ]
    assert len(level) > 5
    gaps = [abs(a - b) for i, (x, a) in enumerate(level) for other, b in level[:i] if x == other]
    assert min(gaps) > 5
