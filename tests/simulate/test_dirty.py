"""Every planted fault is listed, and the list explains every difference from the clean shop."""

from __future__ import annotations

import pandas as pd
import pytest

from lifecycle_kit.simulate import FAULTS, SimulatedShop

KEYS = {"events": "event_id", "orders": "order_id", "customers": "person_id"}


def planted(shop: SimulatedShop) -> pd.DataFrame:
    assert shop.truth.planted is not None
    return shop.truth.planted.to_pandas()


def test_all_faults_are_planted(small_dirty: SimulatedShop, small_clean: SimulatedShop) -> None:
    assert set(planted(small_dirty)["kind"]) == set(FAULTS)
    assert small_clean.truth.planted is None
    assert small_clean.truth.facts["outage_days"] == []


@pytest.mark.parametrize("name", ["events", "orders", "customers", "identities", "costs", "surveys", "referrals"])
def test_row_counts_add_up(small_dirty: SimulatedShop, small_clean: SimulatedShop, name: str) -> None:
    faults = planted(small_dirty)
    change = sum(FAULTS[kind] for kind in faults.loc[faults["table"] == name, "kind"])
    assert small_dirty.tables[name].num_rows == small_clean.tables[name].num_rows + change
    assert small_dirty.tables[name].schema == small_clean.tables[name].schema


@pytest.mark.parametrize("name", list(KEYS))
def test_rows_without_fault_are_the_clean_rows(
    small_dirty: SimulatedShop, small_clean: SimulatedShop, name: str
) -> None:
    faults = planted(small_dirty).query("table == @name")
    assert not faults["row"].dropna().duplicated().any()
    dirty = small_dirty.tables[name].to_pandas()
    untouched = dirty.drop(index=faults["row"].dropna().astype(int)).set_index(KEYS[name])
    clean = small_clean.tables[name].to_pandas().set_index(KEYS[name])
    pd.testing.assert_frame_equal(untouched, clean.loc[untouched.index], check_dtype=False)
    changed_or_lost = faults[faults["kind"].map(FAULTS) <= 0]
    assert len(untouched) + len(changed_or_lost) == len(clean)


def at_fault(shop: SimulatedShop, kind: str, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    faults = planted(shop).query("kind == @kind and table == @name")
    return shop.tables[name].to_pandas().iloc[faults["row"].astype(int)], faults


def test_amounts_ids_and_dates(small_dirty: SimulatedShop) -> None:
    rows, faults = at_fault(small_dirty, "negative_amount", "orders")
    assert (rows["net_revenue"].to_numpy() == -faults["clean_value"].astype(int).to_numpy()).all()
    rows, _ = at_fault(small_dirty, "empty_amount", "orders")
    assert rows["net_revenue"].isna().all()
    orders = small_dirty.tables["orders"].to_pandas()
    assert len(rows) == orders["net_revenue"].isna().sum()
    rows, _ = at_fault(small_dirty, "missing_id", "orders")
    assert len(rows) == orders["person_id"].isna().sum() == rows["person_id"].isna().sum()
    rows, _ = at_fault(small_dirty, "missing_id", "events")
    assert rows[["person_id", "anonymous_id"]].isna().all().all()
    rows, _ = at_fault(small_dirty, "future_date", "orders")
    assert (rows["ordered_at"].dt.year >= 2200).all()
    assert len(rows) == (orders["ordered_at"].dt.year > 2100).sum()
    rows, _ = at_fault(small_dirty, "cancelled", "orders")
    assert len(rows) == (orders["status"] == "cancelled").sum()


def test_duplicates(small_dirty: SimulatedShop, small_clean: SimulatedShop) -> None:
    clean = small_clean.tables["orders"].to_pandas().set_index("order_id")
    rows, _ = at_fault(small_dirty, "exact_duplicate", "orders")
    pd.testing.assert_frame_equal(rows.set_index("order_id"), clean.loc[rows["order_id"]], check_dtype=False)
    rows, _ = at_fault(small_dirty, "conflicting_duplicate", "orders")
    assert (rows["net_revenue"].to_numpy() > clean.loc[rows["order_id"], "net_revenue"].to_numpy()).all()
    orders = small_dirty.tables["orders"].to_pandas()
    twice = planted(small_dirty).query("table == 'orders' and kind in ['exact_duplicate', 'conflicting_duplicate']")
    assert orders["order_id"].duplicated().sum() == len(twice)


def local_day(at: pd.Series) -> pd.Series:
    return at.dt.tz_localize("UTC").dt.tz_convert("Europe/Paris").dt.strftime("%Y-%m-%d")


def test_outage_takes_events_only(small_dirty: SimulatedShop, small_clean: SimulatedShop) -> None:
    lost_days = small_dirty.truth.facts["outage_days"]
    assert len(lost_days) == 5  # type: ignore[arg-type]
    faults = planted(small_dirty).query("kind == 'tracking_outage'")
    assert set(faults["table"]) == {"events"}
    assert faults["row"].isna().all()
    clean = small_clean.tables["events"].to_pandas()
    assert set(faults["id"]) == set(clean.loc[local_day(clean["occurred_at"]).isin(lost_days), "event_id"])
    left = small_dirty.tables["events"].to_pandas()
    left = left[local_day(left["occurred_at"]).isin(lost_days)]
    assert not left["event_id"].isin(clean["event_id"]).any()
    orders = small_dirty.tables["orders"].to_pandas()
    assert local_day(orders["ordered_at"]).isin(lost_days).any()


def test_shifted_clock(small_dirty: SimulatedShop) -> None:
    rows, faults = at_fault(small_dirty, "shifted_clock", "events")
    ahead = rows["occurred_at"].to_numpy() - pd.to_datetime(faults["clean_value"]).to_numpy()
    assert set(ahead.astype("timedelta64[h]").astype(int)) <= {1, 2}
    days = local_day(pd.to_datetime(faults["clean_value"]))
    assert set(days) == set(small_dirty.truth.facts["shifted_days"])  # type: ignore[call-overload]


def test_returns_and_test_accounts(small_dirty: SimulatedShop) -> None:
    rows, _ = at_fault(small_dirty, "return_without_order", "events")
    assert (rows["event"] == "order_refunded").all()
    assert not rows["order_id"].isin(small_dirty.tables["orders"].to_pandas()["order_id"]).any()
    customers = small_dirty.tables["customers"].to_pandas()
    testers = set(customers.loc[customers["is_test"], "person_id"])
    rows, _ = at_fault(small_dirty, "test_account", "orders")
    assert set(rows["person_id"]) == testers
    orders = small_dirty.tables["orders"].to_pandas()
    assert len(rows) == orders["person_id"].isin(testers).sum()
    assert not testers & set(small_dirty.truth.customers["person_id"].to_pylist())
