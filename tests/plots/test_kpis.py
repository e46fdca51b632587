"""KPIs over time: every value at its place, marked periods seen, slices told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text
from lifecycle_kit.plots.kpis import plot_kpis
from lifecycle_kit.plots.units import number, short_number
from tests.plots.conftest import kpis_frame
from tests.plots.test_pictures import texts

WHITE = "#ffffff"


def lines(panel, marker):
    """The data of the lines (marker None) or of the points (marker "o") that show something."""
    found = [line for line in panel.lines if (line.get_marker() == "o") == (marker == "o")]
    return [line for line in found if np.isfinite(np.asarray(line.get_ydata(), dtype=float)).any()]


def test_values_bands_and_gaps():
    frame = kpis_frame()
    frame.loc[(frame["kpi"] == "conversion_rate") & (frame.index % 4 == 1), ["value", "lo", "hi"]] = np.nan
    traffic, conversion = plot_kpis(frame).child_axes
    assert list(traffic.lines[0].get_ydata()) == [10, 20, 30, 40]
    assert np.allclose(conversion.lines[0].get_ydata(), [0.1, np.nan, 0.3, 0.4], equal_nan=True)
    band = traffic.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (pytest.approx(9), pytest.approx(48))
    assert [panel.get_title(loc="left") for panel in (traffic, conversion)] == ["Daily traffic", "Conversion rate"]
    assert [panel.get_ylabel() for panel in (traffic, conversion)] == ["people per day", "share"]


def test_the_beginning_of_the_log_is_grey_and_a_partial_period_hollow_and_dashed():
    ax = plot_kpis(kpis_frame(marks={1: "left-censored", 4: "partial"}))
    traffic = ax.child_axes[0]
    (span,) = traffic.patches
    days = [pd.Timestamp("1970-01-01") + pd.Timedelta(days=x) for x in (span.get_x(), span.get_x() + span.get_width())]
    assert days == [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-29")]
    solid, dashed = lines(traffic, None)
    assert np.allclose(solid.get_ydata(), [10, 20, 30, np.nan], equal_nan=True)
    assert np.allclose(dashed.get_ydata(), [np.nan, np.nan, 30, 40], equal_nan=True)
    assert [list(p.get_ydata()) for p in lines(traffic, "o") if p.get_markerfacecolor() == WHITE] == [[40]]
    notes = "\n".join(texts(ax))
    assert "Grey: the log begins here, so everybody looks new." in notes
    assert "Hollow and dashed: the log covers only part of the period." in notes


def test_a_period_may_have_both_marks():
    ax = plot_kpis(kpis_frame(1, marks={1: "left-censored, partial"}))
    assert all(panel.patches for panel in ax.child_axes)
    assert "Hollow: the log covers only part" in "\n".join(texts(ax))


def test_unmarked_periods_have_no_notes():
    notes = "\n".join(texts(plot_kpis(kpis_frame())))
    assert "Band: 95% interval." in notes
    assert not any(word in notes for word in ("Grey", "Hollow", "Left out"))


def test_hollow_where_people_are_not_old_enough():
    frame = kpis_frame()
    ax = plot_kpis(frame.assign(mature_share=np.where(frame["value"] == 40, 0.5, 1.0)))
    assert [list(p.get_ydata()) for p in lines(ax.child_axes[0], "o") if p.get_markerfacecolor() == WHITE] == [[40]]
    assert "Hollow: not everybody counted is old enough yet." in "\n".join(texts(ax))


def test_one_line_per_slice_and_bands_for_few():
    few, many = (plot_kpis(kpis_frame(slices=names)) for names in (("a", "b"), ("a", "b", "c", "d")))
    for ax, n in ((few, 2), (many, 4)):
        drawn = lines(ax.child_axes[0], None)
        assert [list(line.get_ydata()) for line in drawn] == [[10 * s, 20 * s, 30 * s, 40 * s] for s in range(1, n + 1)]
        assert len({line.get_color() for line in drawn}) == n
        assert {"a", "b"} <= set(texts(ax))
        assert ax.get_title(loc="left").startswith("KPIs by channel")
    assert len(few.child_axes[0].collections) >= 2
    assert not many.child_axes[0].collections
    assert "95%" not in "\n".join(texts(many))
    assert "a 40.0, b 80.0 in the period to 2025-04-28" in alt_text(few)


def test_everybody_beside_slices_is_a_line_of_its_own():
    frame = pd.concat([kpis_frame(), kpis_frame(slices=("a",))])
    ax = plot_kpis(frame)
    assert {"everybody", "a"} <= set(texts(ax))
    assert len(lines(ax.child_axes[0], None)) == 2


def test_the_smallest_slices_are_left_out_and_counted():
    names = [f"slice_{i}" for i in range(11)]  # the first have the smallest denominators
    ax = plot_kpis(kpis_frame(slices=names))
    assert len(lines(ax.child_axes[0], None)) == 8
    written = texts(ax)
    assert "slice_2" not in written
    assert "slice_3" in written
    assert any("Left out: 3 slices with the smallest denominators." in text for text in written)


def test_a_single_period_with_slices_has_a_point_and_a_number_for_each():
    ax = plot_kpis(kpis_frame(1, slices=("a", "b", "c", "d")))
    points = lines(ax.child_axes[0], "o")
    assert [list(point.get_ydata()) for point in points] == [[10], [20], [30], [40]]
    assert {"10.0", "20.0", "30.0", "40.0"} <= set(texts(ax))


def test_more_than_twelve_kpis_or_one_dimension_are_refused():
    many = pd.concat([kpis_frame().assign(kpi=f"kpi_{i}") for i in range(13)])
    with pytest.raises(UsageError, match="13 KPIs are too many"):
        plot_kpis(many)
    two = pd.concat([kpis_frame(slices=("a",)), kpis_frame(slices=("UK",)).assign(dimension="country")])
    with pytest.raises(UsageError, match="channel, country"):
        plot_kpis(two)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("n", [1, 3, 12])
def test_panels_of_few_and_many_kpis_do_not_touch(n):
    frame = pd.concat([kpis_frame().iloc[:4].assign(kpi=f"kpi_{i}", label=f"KPI {i}") for i in range(n)])
    ax = plot_kpis(frame, source="the shop")
    ax.figure.canvas.draw()
    boxes = [panel.get_tightbbox() for panel in ax.child_axes]
    assert len(boxes) == n
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(ax.figure.bbox.x0 <= b.x0 and b.x1 <= ax.figure.bbox.x1 for b in boxes)


def test_nothing_but_nulls_says_why():
    ax = plot_kpis(kpis_frame().assign(value=None, lo=None, hi=None, reason="costs $ are not there"))
    ax.figure.canvas.draw()
    assert sum(t.replace("\n", " ") == "No value: costs $ are not there" for t in texts(ax)) == 2
    assert "Daily traffic: no value, costs $ are not there." in alt_text(ax)
    assert "nan" not in alt_text(ax)


def test_ticks_tell_each_other_apart():
    frame = kpis_frame().iloc[:4].assign(unit="money", value=[0.31, 0.42, 0.55, 0.6], lo=np.nan, hi=np.nan)
    (panel,) = plot_kpis(frame).child_axes
    panel.figure.canvas.draw()
    low, high = panel.get_ylim()
    ticks = [(t, label.get_text()) for t, label in zip(panel.get_yticks(), panel.get_yticklabels(), strict=True)]
    assert all(float(text) == pytest.approx(t) for t, text in ticks if low <= t <= high)


@pytest.mark.parametrize(
    ("unit", "value", "written"),
    [
        ("share", 0.0231, "2.31%"),
        ("share", 0.231, "23.1%"), ("share", 1.08, "108.0%"), ("share", -0.2, "\u221220.0%"),
        ("money", 84.2, "84.20"), ("money", 1240000.4, "1,240,000"), ("people", 12, "12"), ("orders", 12.5, "12.5"),
        ("people per day", 12, "12.0"), ("ratio", 1.256, "1.26"), ("people per person", 0.125, "0.12"),
        ("points", -31, "\u221231.0"),
        ("visits", 1234.4, "1,234"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_their_unit_wants(unit, value, written):
    assert number(unit)(value) == written


def test_short_numbers():
    assert [short_number("share")(x) for x in (0, 0.034, 0.25, 1)] == ["0%", "3.4%", "25%", "100%"]
    assert [short_number("money")(x) for x in (4628000, -890000, 62.31)] == ["4.63M", "\u2212890k", "62.3"]
