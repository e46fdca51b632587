"""Tables of the wrong shape, or telling too little: B066, B070, B072, B073, B075, B077."""

from __future__ import annotations

import json
import random

import pandas as pd
import pytest

from lifecycle_kit.errors import DataError, UsageError
from tests.contract.looks import balanced, cents, reasons, warned


def test_b066_one_instant_is_noticed(times):
    assert warned(times(*["2024-01-01T10:00:00"] * 30), "one_instant").n == 30
    assert warned(times(*["2024-01-01T10:00:00"] * 30, "2024-01-02"), "one_instant") is None


def test_b070_a_missing_column_says_what_was_found_and_how_to_map(orders_csv):
    with pytest.raises(DataError) as caught:
        orders_csv("1,a,10.00", header="order_id,customer_id,amount")
    text = str(caught.value)
    assert "no column 'person_id' and no 'ordered_at' and no 'net_revenue'" in text
    assert "found: 'order_id', 'customer_id', 'amount'" in text
    assert "person_id: 'customer_id'" in text
    assert "net_revenue: 'amount'" in text
    assert "ordered_at: <your column>" in text


def test_b072_near_names_are_suggested_not_matched(orders_csv):
    with pytest.raises(DataError, match=r"ordered_at: 'Date '.*net_revenue: 'Montant TTC'"):
        orders_csv("1,a,2024-01-01,10.00", header="order_id,person_id,Date ,Montant TTC")
    with pytest.raises(DataError, match=r"person_id: 'Person_ID'"):
        orders_csv("1,a,2024-01-01,10.00", header="order_id,Person_ID,ordered_at,net_revenue")


def test_b073_the_order_of_rows_changes_nothing(orders_csv):
    lines = [f"o{i},c{i % 7},2024-0{1 + i % 6}-{1 + i % 27:02d},{i}.10" for i in range(60)]
    look = "SELECT l.*, p.person_id FROM log l JOIN persons p USING (person_key) ORDER BY ALL"
    straight = orders_csv(*lines).engine.rows(look)
    random.Random(1).shuffle(lines)
    assert orders_csv(*lines).engine.rows(look) == straight


def test_b075_one_time_buyers_are_noticed(orders_csv):
    lines = [f"o{i},c{i},2024-01-01,{i}.10" for i in range(1, 61)]
    assert warned(orders_csv(*lines), "one_time_buyers").n == 60
    assert warned(orders_csv(*lines, "x,c1,2024-02-01,1.00"), "one_time_buyers") is None


def test_b077_a_whale_is_noticed(orders_csv):
    found = orders_csv("1,a,2024-01-01,999.00", "2,b,2024-01-01,0.50", "3,c,2024-01-01,0.50")
    assert "99.9% of revenue" in warned(found, "concentration").text


def test_a_row_has_all_its_reasons(orders_csv):
    header = "order_id,person_id,ordered_at,net_revenue,status,refunded_at"
    found = orders_csv("1,a,2024-01-01,1.00,completed,", "2,,2204-01-01,abc,paid,2020-01-01", header=header)
    assert reasons(found) == {
        3: [
            "person_id is empty",
            "net_revenue 'abc' is not a number",
            "ordered_at 2204-01-01 00:00:00 is in the future",
            "refunded_at 2020-01-01 00:00:00 is before ordered_at 2204-01-01 00:00:00",
            "status 'paid' is none of completed, refunded, cancelled",
        ]
    }
    (row,) = found.report.set_aside.to_pylist()
    assert list(json.loads(row["raw"]).values()) == ["2", "", "2204-01-01", "abc", "paid", "2020-01-01"]
    assert (row["file"], row["table"]) == ("orders.csv", "orders")


def test_ragged_lines_count_as_read_and_set_aside(orders_csv):
    found = orders_csv("1,a,2024-01-01,1.00", "2,b,2024-01-01,2.00,extra", "3,c,2024-01-01,4.00")
    assert cents(found) == {"1": 100, "3": 400}
    assert found.report.tables[0].n_read == 3
    assert list(reasons(found)) == [3]
    assert balanced(found)


def test_nothing_usable_says_why(orders_csv):
    with pytest.raises(DataError, match=r"None of the 2 rows of orders can be used.*'free' is not a number \(2\)"):
        orders_csv("1,a,2024-01-01,free", "2,b,2024-01-01,free")


def test_events_need_somebody(opened):
    events = pd.DataFrame(
        {
            "person_id": ["a", None],
            "anonymous_id": [None, None],
            "event": ["x", "y"],
            "occurred_at": ["2024-01-01", "2024-01-01"],
        }
    )
    found = opened({"events": events})
    assert reasons(found) == {2: ["person_id and anonymous_id are both empty"]}


@pytest.mark.parametrize(
    ("table", "columns", "reason"),
    [
        ("surveys", {"person_id": ["a", "b"], "at": "2024-01-01", "score": [10, 11]}, "score 11 is not from 0 to 10"),
        (
            "costs",
            {"date": "2024-01-01", "channel": ["x", "y"], "amount": ["1.00", "-1.00"]},
            "amount -1.00 is negative",
        ),
        (
            "costs",
            {"date": "2024-01-01", "channel": ["x", "y"], "amount": "1.00", "purpose": ["retention", "fun"]},
            "purpose 'fun' is none of acquisition, retention",
        ),
        (
            "referrals",
            {"referrer_id": ["a", "b"], "sent_at": "2024-01-02", "converted_at": ["2024-01-03", "2024-01-01"]},
            "converted_at 2024-01-01 00:00:00 is before sent_at 2024-01-02 00:00:00",
        ),
        (
            "events",
            {"person_id": ["a", "b"], "event": "x", "occurred_at": "2024-01-01", "properties": ["{}", "[1"]},
            "properties '[1' is not a JSON object",
        ),
        (
            "customers",
            {"person_id": ["a", "b"], "is_test": ["no", "maybe"]},
            "is_test 'maybe' is neither true nor false",
        ),
    ],
)
def test_rules_of_the_other_tables(opened, table, columns, reason):
    orders = pd.DataFrame(
        {"order_id": ["1"], "person_id": ["a"], "ordered_at": ["2024-01-01"], "net_revenue": ["1.00"]}
    )
    found = opened({"orders": orders, table: pd.DataFrame(columns)})
    assert reasons(found) == {2: [reason]}
    assert found.tables[table] == 1


def test_unknown_tables_and_sources_are_refused(opened, tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'orders'"):
        opened({"order": pd.DataFrame()})
    with pytest.raises(UsageError, match="empty mapping"):
        opened({})
    with pytest.raises(UsageError, match="int is not a source"):
        opened(3)
    (tmp_path / "notes.txt").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="No contract table"):
        opened(tmp_path)
    with pytest.raises(DataError, match="not called after a contract table"):
        opened(tmp_path / "notes.txt")
