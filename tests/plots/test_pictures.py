"""What is drawn equals the frame; every picture has its title, its labels, its source and its alt text."""

from __future__ import annotations

import math
import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import Circle, PathPatch
from matplotlib.text import Text

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.cohorts import plot_cohort_curves, plot_retention
from lifecycle_kit.plots.customer_base import plot_concentration, plot_growth
from lifecycle_kit.plots.kpis import plot_kpis
from lifecycle_kit.plots.lifecycle import plot_lifecycle
from lifecycle_kit.plots.person import plot_person
from lifecycle_kit.plots.scorecard import plot_scorecard
from lifecycle_kit.plots.stages import plot_occupancy, plot_snapshot
from tests.plots.clv_frames import CLV_EMPTY, CLV_PICTURES
from tests.plots.conftest import (
    HOSTILE,
    STATUSES,
    balance_frame,
    bridge_frame,
    card_frame,
    counts_frame,
    curves_frame,
    deciles_frame,
    kpis_frame,
    occupancy_frame,
    person_frames,
    snapshot_frame,
    triangle_frame,
    values_frame,
)
from tests.plots.journey_frames import JOURNEY_EMPTY, JOURNEY_PICTURES

PERIOD = {"since": "2025-11-30", "until": "2025-12-31"}
PERSON = {"person_id": "c1", "until": pd.Timestamp(2025, 1, 31)}
SPREAD, CLOSE = [24000, 900, 70, 0, 20], [90, 80, 70, 0, 20]

PICTURES = (
    {
        "snapshot, far apart": lambda **how: plot_snapshot(snapshot_frame(SPREAD), title="People", **how),
        "snapshot, close": lambda **how: plot_snapshot(snapshot_frame(CLOSE), title="People", **how),
        "occupancy": lambda **how: plot_occupancy(occupancy_frame(), **how),
        "lifecycle": lambda **how: plot_lifecycle(balance_frame(), counts_frame(), **PERIOD, **how),
        "person": lambda **how: plot_person(*person_frames(), STATUSES, **PERSON, **how),
        "kpis of four": lambda **how: plot_kpis(values_frame(), **how),
        "kpis of four, one period": lambda **how: plot_kpis(values_frame(1), **how),
        "kpis": lambda **how: plot_kpis(kpis_frame(), **how),
        "kpis, slices": lambda **how: plot_kpis(kpis_frame(slices=("search", "social", "mail", "direct")), **how),
        "scorecard": lambda **how: plot_scorecard(card_frame(), **how),
        "retention": lambda **how: plot_retention(triangle_frame(), **how),
        "retention, many ages": lambda **how: plot_retention(triangle_frame(n_ages=20), **how),
        "cohort curves": lambda **how: plot_cohort_curves(curves_frame(), **how),
        "concentration": lambda **how: plot_concentration(deciles_frame(), **how),
        "growth": lambda **how: plot_growth(bridge_frame(), **how),
    }
    | JOURNEY_PICTURES
    | CLV_PICTURES
)
every_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES.keys())


def texts(ax):
    return [text.get_text() for text in ax.figure.findobj(Text) if text.get_text()]


@every_picture
def test_title_labels_source_and_alt_text(draw):
    ax = draw(source="the shop, as of 2025-12-31")
    assert ax.get_title(loc="left")
    assert any("Source: the shop, as of 2025-12-31" in text for text in texts(ax))
    assert len(alt_text(ax)) > 60
    for drawn in [ax, *ax.child_axes]:
        if drawn.axison:
            assert drawn.get_ylabel()
            ticks = [t.get_text() for t in drawn.get_xticklabels()]
            assert drawn.get_xlabel() or ticks in ([], ["2025-01-01\nto 2025-01-28"])


@every_picture
def test_on_the_axes_of_the_caller_and_defaults_untouched(draw):
    before = dict(mpl.rcParams)
    _, ax = plt.subplots(figsize=(6, 4))
    n_open = len(plt.get_fignums())
    assert draw(ax=ax) is ax
    assert len(plt.get_fignums()) == n_open
    assert dict(mpl.rcParams) == before
    ax.figure.canvas.draw()


@every_picture
def test_no_text_is_cut_by_the_edge_or_read_as_formula(draw):
    ax = draw(source="$x$ and $\\frac")
    ax.figure.canvas.draw()
    edge = ax.figure.bbox
    for text in ax.figure.findobj(Text):
        if not (text.get_text() and text.get_visible()):
            continue
        box = text.get_window_extent()
        inside = edge.x0 - 1 <= box.x0 and box.x1 <= edge.x1 + 1 and edge.y0 - 1 <= box.y0 and box.y1 <= edge.y1 + 1
        # a locator makes ticks beyond the limits, which are not drawn
        assert inside or not text.get_clip_on() or text in _ticks(ax), text


def _ticks(ax):
    return [label for drawn in [ax, *ax.child_axes] for label in (*drawn.get_xticklabels(), *drawn.get_yticklabels())]


@every_picture
def test_more_than_one_axes_is_refused(draw):
    _, axes = plt.subplots(2, 2)
    with pytest.raises(UsageError, match="one matplotlib Axes"):
        draw(ax=axes)


def test_bars_are_as_long_as_the_frame_says():
    ax = plot_snapshot(snapshot_frame(CLOSE), title="People")
    assert [bar.get_width() for bar in ax.patches] == CLOSE
    assert ax.get_xscale() == "linear"
    assert ax.get_xlim()[0] == 0
    assert [label.get_text() for label in ax.get_yticklabels()][2] == "first purchase"
    assert "90   34.6%" in texts(ax)


def test_statuses_of_very_different_size_are_points_on_a_named_log_axis():
    ax = plot_snapshot(snapshot_frame(SPREAD), title="People")
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert ax.get_xscale() == "log"
    assert "logarithmic" in ax.get_xlabel()
    assert [line.get_xdata()[0] for line in points if line.get_markerfacecolor() != "#ffffff"] == [24000, 900, 70, 20]
    assert sum(line.get_markerfacecolor() == "#ffffff" for line in points) == 1  # nobody: hollow, at the edge
    assert not ax.patches


def test_nobody_at_all_is_drawn_as_zero():
    ax = plot_snapshot(snapshot_frame([0] * 5), title="People")
    ax.figure.canvas.draw()
    assert [bar.get_width() for bar in ax.patches] == [0] * 5
    assert "nan" not in " ".join(texts(ax)) + alt_text(ax)


def test_areas_are_as_high_as_the_frame_says():
    frame = occupancy_frame()
    ax = plot_occupancy(frame)
    assert [panel.get_title(loc="left") for panel in ax.child_axes] == [
        "Awareness", "Consideration", "Purchase", "Retention",
    ]  # fmt: skip
    retention = ax.child_axes[3]
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in retention.collections]
    last = frame[frame["day"] == frame["day"].max()].set_index("status")["n_people"]
    assert tops == [last["lapsed"], last["lapsed"] + last["vip"]]
    assert f"vip\n{last['vip']}" in texts(ax)
    assert all(panel.get_ylim()[0] == 0 for panel in ax.child_axes)


def test_a_single_day_is_a_bar():
    ax = plot_occupancy(occupancy_frame(n_days=1))
    assert [bar.get_height() for bar in ax.child_axes[3].patches] == [41, 51]


def test_ribbons_and_discs_follow_the_numbers():
    counts = counts_frame()
    ax = plot_lifecycle(balance_frame(), counts, **PERIOD, min_share=0)
    place = {"(new)": -1} | {status: i for i, status in enumerate(STATUSES)}
    width = {patch.get_label(): patch.get_linewidth() for patch in ax.patches if isinstance(patch, PathPatch)}
    assert set(width) == {f"{place[a]}>{place[b]}" for a, b in zip(counts.from_status, counts.to_status, strict=True)}
    assert width["-1>0"] / width["0>1"] == pytest.approx(math.sqrt(400 / 100))
    assert width["0>1"] / width["1>2"] == pytest.approx(math.sqrt(100 / 25))
    radius = {patch.get_label(): patch.radius for patch in ax.patches if isinstance(patch, Circle)}
    assert radius["anonymous"] ** 2 / radius["lead"] ** 2 == pytest.approx(24000 / 900)
    written = texts(ax)
    assert {"24,000", "900", "\u22123", "400", "36"} <= set(written)
    assert not any("Not drawn" in text for text in written)


def test_moves_ahead_arch_above_moves_back_below():
    ax = plot_lifecycle(balance_frame(), counts_frame(), **PERIOD, min_share=0)
    for patch in ax.patches:
        if isinstance(patch, PathPatch):
            source, target = map(int, patch.get_label().split(">"))
            first, summit = patch.get_path().vertices[0, 1], patch.get_path().vertices[1, 1]
            assert (summit > first) == (target > source)


def test_thin_flows_are_left_out_and_counted():
    thin = [("anonymous", "first_purchase", 3, 2), ("first_purchase", "anonymous", 1, 1)]
    counts = pd.concat([counts_frame(), pd.DataFrame(thin, columns=counts_frame().columns)], ignore_index=True)
    ax = plot_lifecycle(balance_frame(), counts, **PERIOD, min_share=0.1)
    drawn = sum(isinstance(patch, PathPatch) for patch in ax.patches)
    note = next(text for text in texts(ax) if "Not drawn" in text)
    moves, kinds = map(int, re.search(r"Not drawn: (\d+) moves in (\d+) thin", note).groups())
    assert drawn + kinds == len(counts)
    total = sum(
        n for a, b, n in zip(counts.from_status, counts.to_status, counts.n_moves, strict=True)
        if f"{a} to {b} " not in alt_text(ax).replace("newcomers", "(new)")
    )  # fmt: skip
    assert moves == total == 4


@pytest.mark.parametrize("n", [1, 2, 12])
def test_lifecycle_of_few_and_many_statuses(n):
    names, stages = [f"status_{i}" for i in range(n)], [f"stage_{i // 2}" for i in range(n)]
    balance = balance_frame(names, stages, closing=range(n))
    counts = pd.DataFrame(
        [(a, b, 5, 5) for a in names for b in names if a != b] + [("(new)", names[0], 9, 9)],
        columns=["from_status", "to_status", "n_moves", "n_people"],
    )
    ax = plot_lifecycle(balance, counts, **PERIOD, min_share=0)
    ax.figure.canvas.draw()
    assert sum(isinstance(patch, PathPatch) for patch in ax.patches) == n * (n - 1) + 1


def test_statuses_of_one_stage_stand_together():
    balance = balance_frame(STATUSES, ["one", "two", "one", "two", "one"])
    alt = alt_text(plot_lifecycle(balance, counts_frame(), **PERIOD))
    assert re.search("anonymous.*first_purchase.*vip.*lead.*lapsed", alt.split("People moving")[0])


def test_nobody_moved():
    ax = plot_lifecycle(balance_frame(), counts_frame().iloc[:0], **PERIOD)
    assert any("Nobody moved" in text for text in texts(ax))


def test_a_move_of_a_status_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="lead"):
        plot_lifecycle(balance_frame().drop(index=1), counts_frame(), **PERIOD)
    assert plt.get_fignums() == []


def test_person_has_spells_marks_and_amounts_in_major_units():
    ax = plot_person(*person_frames(), STATUSES, **PERSON)
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    days = mpl.dates.date2num([np.datetime64(d) for d in ("2025-01-01", "2025-01-05", "2025-01-31")])
    assert np.allclose(spans, [(days[0], days[1]), (days[1], days[2])])
    lanes = sorted(ax.get_yticklabels(), key=lambda label: label.get_position()[1])
    assert [label.get_text() for label in lanes] == [
        "STATUS", "first purchase", "lead", "TOUCHPOINTS", "product viewed", "order completed", "page viewed",
    ]  # fmt: skip
    assert "1,234.50" in texts(ax)
    assert "1,234.50 in all" in alt_text(ax)
    n_marks = sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() in ("o", "D"))
    assert n_marks == 3


def test_person_with_very_many_kinds_of_events_keeps_them_all():
    touchpoints, spells = person_frames()
    many = pd.DataFrame(
        {
            "occurred_at": pd.date_range("2025-01-01", periods=40, freq="h"),
            "event": [f"event_{i}" for i in range(40)],
            "revenue": pd.array([None] * 40, dtype="Int64"),
        }
    )
    ax = plot_person(pd.concat([touchpoints, many]), spells, STATUSES, **PERSON)
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() in ("o", "D")) == 43
    assert "other events" in texts(ax)


def test_amounts_without_room_are_counted():
    touchpoints, spells = person_frames()
    crowd = touchpoints.iloc[[1] * 5].assign(occurred_at=touchpoints["occurred_at"].iloc[1])
    ax = plot_person(crowd, spells, STATUSES, **PERSON)
    assert any("Left out for want of room: 3" in text for text in texts(ax))
    assert any("6,172.50" in text for text in texts(ax))


def test_metrics_have_gaps_bands_and_hollow_points():
    frame = values_frame(4)
    ax = plot_kpis(frame)
    traffic, conversion = ax.child_axes
    assert np.allclose(traffic.lines[0].get_ydata(), [100, 200, 300, 400])
    assert np.isnan(conversion.lines[0].get_ydata()).tolist() == [False, True, False, False]
    band = traffic.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (pytest.approx(90), pytest.approx(480))
    hollow = [line for line in traffic.lines if line.get_markerfacecolor() == "#ffffff"]
    assert [list(line.get_ydata()) for line in hollow] == [[400.0]]
    assert any("Hollow" in text for text in texts(ax))


def test_a_metric_without_value_says_why():
    frame = values_frame().assign(reason="the log has $no$ orders")
    frame.loc[frame["kpi"] == "conversion_rate", ["value", "lo", "hi"]] = float("nan")
    ax = plot_kpis(frame)
    ax.figure.canvas.draw()
    assert "No value: the log has $no$ orders" in [text.replace("\n", " ") for text in texts(ax)]
    assert "no value, the log has $no$ orders" in alt_text(ax)


def test_a_single_period_shows_value_and_interval():
    ax = plot_kpis(values_frame(1))
    assert {"100", "90.0 to 120", "2.00%", "1.80% to 2.40%"} <= set(texts(ax))


EMPTY = (
    {
        "snapshot": lambda: plot_snapshot(snapshot_frame(CLOSE).iloc[:0], title="People"),
        "occupancy": lambda: plot_occupancy(occupancy_frame().iloc[:0]),
        "lifecycle": lambda: plot_lifecycle(balance_frame().iloc[:0], counts_frame(), **PERIOD),
        "person": lambda: plot_person(*(frame.iloc[:0] for frame in person_frames()), STATUSES, **PERSON),
        "kpis of four": lambda: plot_kpis(values_frame().iloc[:0]),
        "kpis": lambda: plot_kpis(kpis_frame().iloc[:0]),
        "scorecard": lambda: plot_scorecard(card_frame().iloc[:0]),
        "retention": lambda: plot_retention(triangle_frame().iloc[:0]),
        "retention's mean": lambda: plot_retention(triangle_frame(), mean=triangle_frame().iloc[:0]),
        "cohort curves": lambda: plot_cohort_curves(curves_frame().iloc[:0]),
        "concentration": lambda: plot_concentration(deciles_frame().iloc[:0]),
        "growth": lambda: plot_growth(bridge_frame().iloc[:0]),
    }
    | JOURNEY_EMPTY
    | CLV_EMPTY
)


@pytest.mark.parametrize("draw", EMPTY.values(), ids=EMPTY.keys())
def test_an_empty_frame_is_refused_and_leaves_no_figure(draw):
    with pytest.raises(UsageError, match="nothing to draw"):
        draw()
    assert plt.get_fignums() == []


def test_a_missing_column_is_named():
    with pytest.raises(UsageError, match="'share'"):
        plot_snapshot(snapshot_frame(CLOSE).drop(columns="share"), title="People")


def test_hostile_names_are_drawn_as_text(tmp_path):
    touchpoints, spells = person_frames(HOSTILE, HOSTILE)
    touchpoints["event"] = HOSTILE[:3]
    values = values_frame().assign(label=HOSTILE[0], unit=HOSTILE[4])
    drawn = [
        plot_snapshot(snapshot_frame(SPREAD, HOSTILE, HOSTILE), title=HOSTILE[0], source=HOSTILE[1]),
        plot_snapshot(snapshot_frame(CLOSE, HOSTILE, HOSTILE), title=HOSTILE[2]),
        plot_occupancy(occupancy_frame(HOSTILE, HOSTILE), source=HOSTILE[0]),
        plot_lifecycle(balance_frame(HOSTILE, HOSTILE), counts_frame(HOSTILE), **PERIOD, source=HOSTILE[0]),
        plot_person(touchpoints, spells, HOSTILE, person_id=HOSTILE[0], until=PERSON["until"]),
        plot_kpis(values, title=HOSTILE[0]),
        plot_kpis(kpis_frame(slices=HOSTILE, labels=HOSTILE[:2]).assign(unit=HOSTILE[4]), source=HOSTILE[2]),
        plot_kpis(kpis_frame(labels=HOSTILE[:2]).assign(value=None, reason=HOSTILE[4]), title=HOSTILE[3]),
        plot_scorecard(card_frame(HOSTILE, HOSTILE).assign(unit=HOSTILE[2]), source=HOSTILE[1]),
        plot_scorecard(card_frame(HOSTILE).assign(value=None, reason=HOSTILE[2]), title=HOSTILE[4]),
        plot_retention(triangle_frame(HOSTILE), age_label=HOSTILE[4], source=HOSTILE[2]),
        plot_cohort_curves(curves_frame(HOSTILE), unit=HOSTILE[4], value_label=HOSTILE[2], age_label=HOSTILE[0]),
        plot_concentration(deciles_frame(), title=HOSTILE[0], source=HOSTILE[4]),
        plot_growth(
            bridge_frame().rename(columns=dict(zip(("new", "dormant"), HOSTILE, strict=False))),
            parts_up=(HOSTILE[0],),
            parts_down=(HOSTILE[1],),
            unit=HOSTILE[4],
            title=HOSTILE[2],
        ),
    ]
    for i, ax in enumerate(drawn):
        for kind in ("png", "svg"):
            ax.figure.savefig(tmp_path / f"{i}.{kind}")
        assert any("$\\frac{" in text for text in texts(ax)) or i == 1
        assert "\u202e" not in "".join(texts(ax)) + alt_text(ax)
        assert "<script>" not in (tmp_path / f"{i}.svg").read_text(encoding="utf-8")


def test_labels_stand_for_ids():
    labels = {"vip": "VIP", "retention": "Staying"}
    assert "VIP" in texts(plot_snapshot(snapshot_frame(CLOSE), title="People", labels=labels))
    assert {"VIP", "Staying"} <= set(texts(plot_lifecycle(balance_frame(), counts_frame(), **PERIOD, labels=labels)))
