"""The simulated shop with every fault of real logs: each planted row is accounted for, by line and to the cent."""

from __future__ import annotations

import pandas as pd
import pytest

from lifecycle_kit.contract.load import load
from lifecycle_kit.simulate import FAULTS, simulate_shop
from tests.contract.looks import balanced, column, warned

# fault -> the reason that its row is set aside for
SET_ASIDE = {
    "missing_id": {"orders": "person_id is empty", "events": "person_id and anonymous_id are both empty"},
    "exact_duplicate": dict.fromkeys(("orders", "events", "customers"), "exact duplicate of line"),
    "conflicting_duplicate": {"orders": "rows with different values"},
    "test_account": dict.fromkeys(("orders", "events", "customers"), "test account"),
    "negative_amount": {"orders": "is negative"},
    "empty_amount": {"orders": "net_revenue is empty"},
    "future_date": {"orders": "is in the future"},
}
WARNED = {"return_without_order": "orphan_refunds"}
# said by the shop itself: the order is in the log, as what it is
AS_IT_SAYS = {"cancelled"}
# nothing in a row tells that its clock was an hour off, and rows that never came are not there to be looked at
NOT_SEEN_ROW_BY_ROW = {"shifted_clock", "tracking_outage"}


def simulated(*, dirty):
    """A small shop of five months."""
    return simulate_shop(seed=7, months=5, visits_per_day=60, dirty=dirty)


@pytest.fixture(scope="module")
def shop():
    """The shop with faults."""
    return simulated(dirty=True)


@pytest.fixture(scope="module")
def faults(shop):
    """One row per planted fault; `line` is what the reader calls its row."""
    planted = shop.truth.planted.to_pandas()
    return planted.assign(line=planted["row"] + 1)


@pytest.fixture(scope="module")
def found(shop):
    """The checked dataset."""
    with load(shop.tables, timezone=shop.parameters.timezone, negative_amount="set_aside") as dataset:
        yield dataset


@pytest.fixture(scope="module")
def aside(found):
    """(table, line) -> reasons."""
    return {(r["table"], r["line"]): r["reasons"] for r in found.report.set_aside.to_pylist()}


def test_every_kind_of_fault_is_looked_for_here(faults):
    assert set(SET_ASIDE) | set(WARNED) | AS_IT_SAYS | NOT_SEEN_ROW_BY_ROW == set(FAULTS) == set(faults["kind"])


@pytest.mark.parametrize(("kind", "table"), [(k, t) for k, tables in SET_ASIDE.items() for t in tables])
def test_a_planted_row_is_set_aside_for_its_fault(faults, aside, kind, table):
    planted = faults.query("kind == @kind and table == @table")
    assert len(planted) >= 3
    for line in planted["line"]:
        assert len(aside[table, line]) == 1
        assert SET_ASIDE[kind][table] in aside[table, line][0]


def test_nothing_else_is_set_aside(shop, faults, aside):
    planted = faults[faults["kind"].isin(SET_ASIDE)]
    expected = set(zip(planted["table"], planted["line"].astype(int), strict=True))
    # of two rows that contradict each other neither is believed: the honest one goes with the planted one
    orders = shop.tables["orders"].to_pandas()
    contradicted = orders[orders["order_id"].isin(planted.query("kind == 'conflicting_duplicate'")["id"])]
    partners = {("orders", i + 1) for i in contradicted.index} - expected
    assert len(partners) == (planted["kind"] == "conflicting_duplicate").sum()
    assert set(aside) == expected | partners


@pytest.mark.parametrize("kind", WARNED)
def test_what_is_kept_with_a_warning(faults, found, kind):
    planted = faults.query("kind == @kind")
    warning = warned(found, WARNED[kind])
    assert warning.n == len(planted) > 0
    about = pd.Series(column(found, "SELECT event_id FROM events WHERE order_id LIKE 'z%'"))
    assert sorted(about) == sorted(planted["id"])


def test_test_accounts_are_counted_as_people(faults, found):
    assert warned(found, "test_accounts").n == len(faults.query("kind == 'test_account' and table == 'customers'"))
    assert not column(found, "SELECT person_id FROM persons WHERE person_id LIKE 'test%'")


def test_a_cancelled_order_is_in_the_log_as_cancelled(faults, found):
    planted = faults.query("kind == 'cancelled'")
    told = column(found, "SELECT order_id FROM log WHERE event = 'order_cancelled'")
    assert set(planted["id"]) <= set(told)
    assert not set(told) & set(column(found, "SELECT order_id FROM log WHERE event = 'order_completed'"))


def test_what_no_row_tells_is_kept_without_a_word(faults, found, aside):
    shifted = faults.query("kind == 'shifted_clock'")
    assert len(shifted) > 0
    assert not {("events", line) for line in shifted["line"]} & set(aside)
    assert len(faults.query("kind == 'tracking_outage'")) > 0
    assert {w.name for w in found.report.warnings} == {"test_accounts", *WARNED.values()}


def test_lines_and_cents_add_up_to_the_clean_shop(shop, faults, found):
    assert balanced(found)
    accounts = {a.table: a for a in found.report.tables}
    for name, table in shop.tables.items():
        assert accounts[name].n_read == table.num_rows
        planted = faults[(faults["table"] == name) & faults["kind"].isin(SET_ASIDE)]
        n_partners = (planted["kind"] == "conflicting_duplicate").sum()
        assert accounts[name].n_set_aside == len(planted) + n_partners
    clean = simulated(dirty=False).tables["orders"].to_pandas().set_index("order_id")["net_revenue"]
    # orders of the clean shop whose only row, or one of whose two rows, went aside
    kinds = ("missing_id", "conflicting_duplicate", "negative_amount", "empty_amount", "future_date")
    lost = faults[(faults["table"] == "orders") & faults["kind"].isin(kinds)]["id"]
    assert accounts["orders"].cents_read == shop.tables["orders"].to_pandas()["net_revenue"].sum()
    assert accounts["orders"].cents_kept == clean.sum() - clean[lost].sum()
    assert set(column(found, "SELECT order_id FROM orders")) == set(clean.index) - set(lost)


def test_declared_otherwise(shop, faults, opened):
    options = {"negative_amount": "refund", "duplicates": "first"}
    tables = {name: shop.tables[name] for name in ("customers", "orders")}
    found = opened(tables, timezone=shop.parameters.timezone, **options)
    orders = faults[faults["table"] == "orders"]
    # the planted copies stand last: the honest rows stay now, and the negative ones are refunds
    gone = orders[orders["kind"].isin(set(SET_ASIDE) - {"negative_amount"})]
    lines = {r["line"] for r in found.report.set_aside.to_pylist() if r["table"] == "orders"}
    assert lines == set(gone["line"])
    refunds = orders.query("kind == 'negative_amount'")
    told = found.engine.rows("SELECT order_id, event FROM events ORDER BY 1")
    assert told == [(order, "order_refunded") for order in sorted(refunds["id"])]
    assert sum(column(found, "SELECT revenue FROM events")) == refunds["clean_value"].astype(int).sum()
    assert warned(found, "orphan_refunds").n == len(refunds)  # a negative order takes back no other order
    assert balanced(found)
