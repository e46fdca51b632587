"""The report's section on what customers are worth: there where it can be told, and a sentence where not."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest

from lifecycle_kit.cli import main
from lifecycle_kit.errors import UsageError
from lifecycle_kit.reports import LIFECYCLE_REPORT
from lifecycle_kit.reports.parameters import check_parameters

SECTION = re.compile(r'id="s-what-customers-are-worth">(.*?)<h2 ', re.DOTALL)


def section(folder, *words):
    assert main(["report", "--out", str(folder), *map(str, words)]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    found = re.sub(r'src="[^"]*"', "", SECTION.search(page)[1])
    return found, " ".join(re.sub(r"<[^>]+>", " ", found).split())


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory):
    """The sample as a file of orders, without costs."""
    package = importlib.util.find_spec("lifetimes")
    if package is None:
        pytest.skip("lifetimes is not installed: its wheel carries CDNOW (extra 'test' or 'datasets')")
    raw = Path(next(iter(package.submodule_search_locations))) / "datasets" / "CDNOW_sample.txt"
    names = ["id_among_all", "person_id", "ordered_at", "n_cds", "net_revenue"]
    rows = pd.read_csv(raw, sep=r"\s+", header=None, names=names, dtype="str")
    rows["ordered_at"] = pd.to_datetime(rows["ordered_at"], format="%Y%m%d").dt.strftime("%Y-%m-%d")
    path = tmp_path_factory.mktemp("cdnow") / "orders.csv"
    rows[["person_id", "ordered_at", "net_revenue"]].to_csv(path, index=False)
    return path


def test_parameters_of_value_are_declared():
    given = check_parameters(LIFECYCLE_REPORT, {"data": ".", "margin": "0.3", "value_months": "12"})
    assert (given["margin"], given["value_months"], given["discount_rate"]) == (0.3, 12, 0.1)
    assert check_parameters(LIFECYCLE_REPORT, {"data": "."})["margin"] == ""
    with pytest.raises(UsageError, match="'margin' cannot be '30'"):
        check_parameters(LIFECYCLE_REPORT, {"data": ".", "margin": "30"})


def test_too_few_who_came_back_are_told(tmp_path):
    (tmp_path / "shop").mkdir()
    lines = [f"p{i % 9},2024-0{1 + i % 6}-05,{10 + i}.00" for i in range(30)]
    (tmp_path / "shop" / "orders.csv").write_text("\n".join(["person_id,ordered_at,net_revenue", *lines]))
    found, words = section(tmp_path / "r", "--data", tmp_path / "shop")
    assert "What customers are worth is left out. 9 of 9 customers bought again, and models need 30." in words
    assert "<img" not in found
    assert not (tmp_path / "r" / "tables" / "customer_value.parquet").exists()


@pytest.mark.slow
def test_an_unknown_margin_is_not_guessed(tmp_path, cdnow):
    found, words = section(tmp_path / "r", "--data", cdnow)
    assert "The margin is not known" in words
    assert "given as --margin 0.3" in words
    assert found.count("<img") == 1  # the back-test needs no margin
    assert (tmp_path / "r" / "tables" / "backtest.csv").exists()
    assert not (tmp_path / "r" / "tables" / "customer_value.parquet").exists()


@pytest.mark.slow
def test_value_with_its_tables(tmp_path, cdnow):
    found, words = section(tmp_path / "r", "--data", cdnow, "--margin", 0.3, "--months", 12)
    assert "Horizon: 12 months" in words
    assert "90% range" in words
    assert "The simple formula, yearly profit times years, says" in words
    assert "does not tell which channel brought a customer" in words
    assert "Nobody with a known first purchase was won" in words
    assert found.count("<img") == 5  # distribution, whale curve, back-test, stages, movers
    tables = tmp_path / "r" / "tables"
    values = pd.read_parquet(tables / "customer_value.parquet")
    groups = pd.read_csv(tables / "value_groups.csv")
    assert len(values) == 2357
    assert groups.loc[groups["by"] == "all", "clv"].item() == pytest.approx(values["clv"].sum())
    assert len(pd.read_parquet(tables / "value_movers.parquet")) == 2357
