"""That no KPI of the catalogue was left out, and that the means of working by hand are right.

The arithmetic stands in the modules `test_by_hand_*`: each has `BY_HAND`, what every KPI must give, by id.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import lifecycle_kit as lk
from tests.kpis.by_hand import one, per_unit
from tests.told_rows import shop


def test_every_kpi_of_the_catalogue_was_worked_out_by_hand():
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_by_hand_*.py"))
    done = [kpi for name in names for kpi in importlib.import_module(f"tests.kpis.{name}").BY_HAND]
    assert sorted(done) == sorted(kpi.id for kpi in lk.load_catalogue())


def test_rows_become_a_dataset_to_the_cent():
    with shop(orders=[("o1", "ann", "2024-01-01 10:00", 1_234, 5)]) as dataset:
        assert one(dataset, "net_revenue", "2024-01-01", "2024-01-01")["value"] == 12.34


def test_the_plain_interval_is_that_of_a_mean_where_everybody_brings_one():
    # mean 4, standard deviation 2, five people
    low, high = per_unit((2, 1), (2, 1), (4, 1), (6, 1), (6, 1))
    assert (low, high) == pytest.approx((4 - 1.959964 * 2 / 5**0.5, 4 + 1.959964 * 2 / 5**0.5), abs=1e-6)
