"""What a dataset leaves in its engine: persons, and the one log."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.tables import CANONICAL, LOG_SCHEMA, PERSONS_SCHEMA, TABLES
from lifecycle_kit.errors import DataError
from tests.contract.full_shop import told_all
from tests.contract.looks import column, reasons, warned

ENGINE_TYPES = {"int64": "BIGINT", "string": "VARCHAR", "timestamp": "TIMESTAMP", "date": "DATE", "boolean": "BOOLEAN"}


def orders(*rows):
    """Orders from (order, person, day, amount, status, refunded)."""
    names = ["order_id", "person_id", "ordered_at", "net_revenue", "status", "refunded_at"]
    return pd.DataFrame([(*r, *(None,) * (6 - len(r))) for r in rows], columns=names)


def events(*rows):
    """Events from (person, device, event, day, order)."""
    names = ["person_id", "anonymous_id", "event", "occurred_at", "order_id"]
    return pd.DataFrame([(*r, *(None,) * (5 - len(r))) for r in rows], columns=names)


def log(dataset):
    """Person, event, day, order of the log."""
    return dataset.engine.rows(
        """SELECT person_id, event, occurred_at::DATE::VARCHAR, order_id
        FROM log JOIN persons USING (person_key) ORDER BY ALL"""
    )


def test_schemas_are_the_declared_ones(opened):
    found = opened({"orders": orders(("1", "a", "2024-01-01", "1.00"))})
    for name, schema in (("log", LOG_SCHEMA), ("persons", PERSONS_SCHEMA)):
        assert found.engine.columns(name) == {c: ENGINE_TYPES[k] for c, k in schema.items()}
    for name, table in TABLES.items():
        assert {c.name for c in table.columns} <= set(found.engine.columns(name))


def test_keys_are_dense_and_follow_the_ids(opened):
    found = opened({"orders": orders(*[(str(i), p, "2024-01-01", "1.00") for i, p in enumerate("dbcaab")])})
    assert found.engine.rows("SELECT person_key, person_id FROM persons ORDER BY 1") == list(enumerate("abcd", 1))


def test_devices_belong_to_the_person_of_their_earliest_link(opened):
    links = pd.DataFrame(
        {
            "anonymous_id": ["x", "x", "y"],
            "person_id": ["late", "early", "early"],
            "linked_at": ["2024-03-01", "2024-02-01", "2024-02-01"],
        }
    )
    seen = events(
        (None, "x", "page_viewed", "2024-01-01"),
        (None, "y", "page_viewed", "2024-01-02"),
        (None, "z", "page_viewed", "2024-01-03"),
    )
    found = opened({"events": seen, "identities": links})
    assert [(p, e) for p, e, *_ in log(found)] == [("early", "page_viewed")] * 2 + [("z", "page_viewed")]
    assert warned(found, "several_links").examples == ("'x'",)
    assert found.engine.rows("SELECT person_id, is_anonymous FROM persons ORDER BY 1") == [
        ("early", False),
        ("late", False),
        ("z", True),
    ]


def test_a_person_and_a_device_of_one_name_stay_two(opened):
    found = opened(
        {"events": events(("a", None, "page_viewed", "2024-01-01"), (None, "a", "page_viewed", "2024-01-02"))}
    )
    assert found.engine.rows("SELECT person_id, is_anonymous FROM persons ORDER BY person_key") == [
        ("a", False),
        ("a", True),
    ]
    assert column(found, "SELECT count(DISTINCT person_key) FROM log") == [2]


def test_orders_are_the_book_of_record(opened):
    book = orders(("1", "a", "2024-01-01", "5.00"), ("2", "a", "2024-01-02", "6.00", "refunded", "2024-01-09"))
    told = events(
        ("a", None, "order_completed", "2024-01-01", "1"),
        ("a", None, "order_refunded", "2024-01-09", "2"),
        ("a", None, "order_refunded", "2024-01-05", "1"),
        ("a", None, "order_completed", "2024-01-03"),
        ("a", None, "order_completed", "2024-01-04", "9"),
    )
    found = opened({"orders": book, "events": told})
    assert log(found) == [
        ("a", "order_completed", "2024-01-01", "1"),
        ("a", "order_completed", "2024-01-02", "2"),
        ("a", "order_completed", "2024-01-04", "9"),
        ("a", "order_refunded", "2024-01-05", "1"),
        ("a", "order_refunded", "2024-01-09", "2"),
    ]
    assert warned(found, "unnamed_orders").n == 1
    assert warned(found, "orphan_orders").n == 1
    back = "SELECT order_id, refunded_at::DATE::VARCHAR FROM log WHERE event = 'order_completed' ORDER BY 1"
    assert found.engine.rows(back) == [("1", "2024-01-05"), ("2", "2024-01-09"), ("9", None)]


def test_the_log_says_what_an_order_cost(opened):
    found = opened(told_all())
    assert found.engine.rows("SELECT event, order_id, cost FROM log WHERE order_id IS NOT NULL ORDER BY ALL") == [
        ("order_cancelled", "o4", None),
        ("order_completed", "o1", 600),
        ("order_completed", "o2", None),
        ("order_completed", "o3", 300),
        ("order_completed", "o9", None),
        ("order_refunded", "o3", None),
    ]
    assert column(found, "SELECT sum(cost) FROM log WHERE order_id IS NULL") == [None]


@pytest.mark.parametrize("table", ["orders", "events"])
def test_a_cost_that_no_source_gives_is_not_stored(opened, table):
    told = {
        "orders": orders(("1", "a", "2024-01-01", "5.00")),
        "events": events(("a", None, "order_completed", "2024-01-01", "1")),
    }
    found = opened({table: told[table]})
    assert found.engine.rows("SELECT order_id, cost FROM log") == [("1", None)]
    if table == "orders":
        assert "cost" not in found.engine.columns("_orders")


def test_without_orders_the_events_tell_them(opened):
    found = opened({"events": events(("a", None, "order_completed", "2024-01-01"))})
    assert log(found) == [("a", "order_completed", "2024-01-01", None)]


def test_cancelled_orders_are_not_completed(opened):
    found = opened(
        {
            "orders": orders(
                ("1", "a", "2024-01-01", "5.00", "cancelled"),
                ("2", "a", "2024-01-01", "5.00", "cancelled", "2024-01-02"),
            )
        }
    )
    assert [(e, o) for _, e, _, o in log(found)] == [
        ("order_cancelled", "1"),
        ("order_completed", "2"),
        ("order_refunded", "2"),
    ]


def test_a_refund_without_a_date_is_shown(opened):
    found = opened({"orders": orders(("1", "a", "2024-01-01", "5.00", "refunded"))})
    assert warned(found, "undated_refunds").n == 1


def test_test_accounts_are_out_of_everything_and_counted(opened):
    found = opened(
        {
            "customers": pd.DataFrame({"person_id": ["a", "qa"], "is_test": [False, True]}),
            "orders": orders(
                ("1", "a", "2024-01-01", "5.00"), ("2", "qa", "2024-01-01", "7.00"), ("3", "qa", "2024-01-02", "-7.00")
            ),
            "identities": pd.DataFrame({"anonymous_id": ["d"], "person_id": ["qa"]}),
            "events": events((None, "d", "page_viewed", "2024-01-01"), ("a", None, "page_viewed", "2024-01-01")),
        },
        negative_amount="refund",
    )
    assert column(found, "SELECT person_id FROM persons") == ["a"]
    assert log(found) == [("a", "order_completed", "2024-01-01", "1"), ("a", "page_viewed", "2024-01-01", None)]
    assert warned(found, "test_accounts").n == 1
    assert {r["table"] for r in found.report.set_aside.to_pylist()} == {"customers", "orders", "identities", "events"}
    assert found.report.tables[2].cents_set_aside == 0


def test_known_at_is_when_it_reached_the_log(opened):
    book = orders(("1", "a", "2024-01-01", "5.00", "refunded", "2024-01-05")).assign(ingested_at="2024-01-09")
    found = opened({"orders": book, "events": events(("a", None, "page_viewed", "2024-01-02"))})
    known = dict(found.engine.rows("SELECT event, known_at::DATE::VARCHAR FROM log"))
    assert known == {"order_completed": "2024-01-09", "order_refunded": "2024-01-09", "page_viewed": "2024-01-02"}


def test_surveys_and_referrals_are_touchpoints(opened):
    found = opened(
        {
            "orders": orders(("1", "a", "2024-01-01", "5.00")),
            "surveys": pd.DataFrame({"person_id": ["a"], "at": ["2024-01-02"], "score": [9]}),
            "referrals": pd.DataFrame(
                {
                    "referrer_id": ["a", "a"],
                    "sent_at": ["2024-01-03", "2024-01-03"],
                    "converted_at": ["2024-01-04", None],
                }
            ),
        }
    )
    assert [e for _, e, *_ in log(found)] == [
        "order_completed",
        "referral_converted",
        "referral_sent",
        "referral_sent",
        "survey_answered",
    ]


def test_ga4_and_segment_names_are_read_as_ours(opened):
    found = opened(
        {
            "events": events(
                ("a", None, "view_item", "2024-01-01"),
                ("a", None, "Order Completed", "2024-01-02"),
                ("a", None, "own_thing", "2024-01-03"),
            )
        }
    )
    assert [e for _, e, *_ in log(found)] == ["order_completed", "own_thing", "product_viewed"]
    assert "'view_item' is read as 'product_viewed' (1 rows)" in " ".join(found.report.notes)


def test_asking_for_one_event_reads_one_branch(opened):
    found = opened(
        {
            "orders": orders(("1", "a", "2024-01-01", "5.00")),
            "surveys": pd.DataFrame({"person_id": ["a"], "at": ["2024-01-02"], "score": [9]}),
        }
    )
    plan = "\n".join(
        r[1] for r in found.engine.rows("EXPLAIN SELECT count(*) FROM log WHERE event = 'survey_answered'")
    )
    assert "_surveys" in plan
    assert "_orders" not in plan


def test_a_dataset_is_frozen_and_closes_itself():
    from lifecycle_kit.contract.load import load

    with load(
        {"orders": orders(("1", "a", "2024-01-01", "5.00"))}, name="corner shop", timezone="Europe/Paris"
    ) as found:
        assert isinstance(found, Dataset)
        assert (found.name, found.timezone, found.currency) == ("corner shop", "Europe/Paris", None)
        assert (found.first_at, found.last_at) == (dt.datetime(2023, 12, 31, 23), dt.datetime(2023, 12, 31, 23))
        assert found.tables == {"orders": 1}
        assert "corner shop" in repr(found)
        with pytest.raises(AttributeError):
            found.name = "other"


def test_a_folder_says_its_name_zone_and_currency(tmp_path, opened):
    orders(("1", "a", "2024-01-01 23:30", "5.00")).to_csv(tmp_path / "orders.csv", index=False)
    said = tmp_path / "shop.yaml"
    said.write_text("dataset: 1\nname: corner shop\ntimezone: Europe/Paris\ncurrency: EUR\nmade_by: hand\nseed: 7\n")
    found = opened(tmp_path)
    assert (found.name, found.timezone, found.currency) == ("corner shop", "Europe/Paris", "EUR")
    assert column(found, "SELECT business_day::VARCHAR FROM log") == ["2024-01-02"]
    (tmp_path / "dataset.yaml").write_text("dataset: 1\n")
    with pytest.raises(DataError, match=r"Both dataset.yaml and shop.yaml"):
        opened(tmp_path)


def test_what_the_data_can_feed(opened):
    found = opened({"orders": orders(("1", "a", "2024-01-01", "5.00"))})
    able = {name for name, c in found.capabilities.items() if c.available}
    assert able == {"stages_from_orders", "average_order_value"}
    assert not found.capabilities["conversion_rate"].available
    assert found.capabilities["profit_per_customer"].missing == ("orders.cost",)


def test_costs_alone_are_no_log(opened):
    with pytest.raises(DataError, match="no touchpoint"):
        opened({"costs": pd.DataFrame({"date": ["2024-01-01"], "channel": ["x"], "amount": ["1.00"]})})


def test_reasons_of_dropped_rows_are_in_the_report(opened):
    found = opened({"orders": orders(("1", "a", "2024-01-01", "5.00"), ("1", "a", "2024-01-01", "5.00"))})
    assert reasons(found) == {2: ["exact duplicate of line 1"]}
    assert found.report.reasons() == {"orders: exact duplicate of line …": 1}


def test_a_device_linked_again_and_again_is_no_contradiction(opened):
    links = pd.DataFrame(
        {"anonymous_id": ["x", "x"], "person_id": ["a", "a"], "linked_at": ["2024-03-01", "2024-02-01"]}
    )
    found = opened({"events": events((None, "x", "page_viewed", "2024-01-01")), "identities": links})
    assert reasons(found) == {}
    assert [p for p, *_ in log(found)] == ["a"]
    assert warned(found, "several_links") is None


def test_what_is_not_used_is_said(tmp_path, opened):
    orders(("1", "a", "2024-01-01", "5.00")).assign(colour="red").to_csv(tmp_path / "orders.csv", index=False)
    (tmp_path / "stock.csv").write_text("a\n1\n")
    notes = " ".join(opened(tmp_path).report.notes)
    assert "orders: not used, as the contract has no such columns: 'colour'" in notes
    assert "stock.csv" in notes


def test_now_may_be_a_day(opened):
    book = orders(("1", "a", "2024-01-01 23:00", "5.00"), ("2", "a", "2024-01-02", "5.00"))
    assert list(reasons(opened({"orders": book}, now="2024-01-01"))) == [2]
    assert list(reasons(opened({"orders": book}, now=dt.date(2024, 1, 1)))) == [2]


def test_nothing_of_the_checks_stays_in_the_engine(opened):
    found = opened({"orders": orders(("1", "a", "2024-01-01", "5.00"))})
    names = {n for (n,) in found.engine.rows("SELECT table_name FROM information_schema.tables")}
    assert names == set(CANONICAL) | set(TABLES) | {f"_{t}" for t in TABLES}
