"""The report of a check, and what it writes."""

from __future__ import annotations

import json

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from lifecycle_kit.contract.report import Account
from lifecycle_kit.contract.sources import DuckDBTable
from lifecycle_kit.errors import RunError


@pytest.fixture
def report(orders_csv):
    """A report with two lines set aside."""
    return orders_csv(
        "1,a,2024-01-01,1.00",
        '2,,2024-01-01,"2,50"',
        "3,b,2024-01-02,-4.10",
        "4,c,2024-01-01,3.00",
        negative_amount="refund",
    ).report


def test_to_frame_has_one_row_per_table(report):
    frame = report.to_frame()
    assert frame.to_dict("records") == [
        {
            "table": "orders",
            "n_read": 4,
            "n_kept": 3,
            "n_set_aside": 1,
            "n_rows": 2,
            "revenue_read": -0.10,
            "revenue_kept": -0.10,
            "revenue_set_aside": 0.0,
        }
    ]


def test_to_dict_is_json_and_names_nobody(report):
    told = json.dumps(report.to_dict())
    assert json.loads(told)["tables"][0]["n_set_aside"] == 1
    assert "person_id is empty" in told
    assert len(json.loads(told)["files"][0]["sha256"]) == 64
    assert '"2,50"' not in told


def test_set_aside_is_written_whole_or_not_at_all(report, tmp_path):
    path = report.write_set_aside(tmp_path / "set_aside.csv")
    frame = pd.read_csv(path, encoding="utf-8-sig")
    assert frame.line.tolist() == [3]
    assert frame.reasons[0] == "person_id is empty; net_revenue '2,50' has a comma, unlike the rest of the column"
    assert json.loads(frame.raw[0])["net_revenue"] == "2,50"
    with pytest.raises(RunError, match="No such file"):
        report.write_set_aside(tmp_path / "no" / "such" / "folder.csv")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_link_is_replaced_not_written_through(report, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (tmp_path / "set_aside.csv").symlink_to(victim)
    report.write_set_aside(tmp_path / "set_aside.csv")
    assert victim.read_text() == "mine"


def test_an_account_is_plain_data():
    assert vars(Account("orders", 3, 2, 1)) == {
        "table": "orders",
        "n_read": 3,
        "n_kept": 2,
        "n_set_aside": 1,
        "cents_read": None,
        "cents_kept": None,
        "cents_set_aside": None,
    }


@pytest.mark.parametrize("kind", ["csv", "parquet", "duckdb", "folder", "parts", "table"])
def test_where_the_files_lie_is_nobody_s_business(kind, tmp_path, opened):
    frame = pd.DataFrame({"person_id": ["a", None], "ordered_at": ["2024-01-01"] * 2, "net_revenue": ["1.00", "2.00"]})
    folder = tmp_path / "orders"
    folder.mkdir()
    frame.to_csv(folder / "orders.csv", index=False)
    frame.to_csv(folder / "more.csv", index=False)
    frame.to_parquet(tmp_path / "orders.parquet")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.register("frame", pa.Table.from_pandas(frame))
        connection.execute("CREATE TABLE orders AS SELECT * FROM frame").fetchall()
    source = {
        "csv": folder / "orders.csv",
        "parquet": {"orders": tmp_path / "orders.parquet"},
        "duckdb": tmp_path / "shop.duckdb",
        "folder": {"orders": folder},
        "parts": {"orders": [folder / "orders.csv", folder / "more.csv"]},
        "table": {"orders": DuckDBTable(tmp_path / "shop.duckdb", "orders")},
    }[kind]
    report = opened(source).report
    written = report.write_set_aside(tmp_path / "aside.csv").read_text(encoding="utf-8-sig")
    assert report.set_aside.num_rows > 0
    for text in (json.dumps(report.to_dict()), written, repr(report), str(report.to_frame())):
        assert str(tmp_path) not in text


def test_set_aside_that_cannot_be_written_is_a_clear_error(report, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(RunError, match="cannot be written"):
        report.write_set_aside(tmp_path / "taken")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["orders.csv", "taken"]


def test_refunds_of_too_much_and_of_nothing_are_warned_of(opened):
    orders = pd.DataFrame(
        {
            "order_id": ["A1", "A2"],
            "person_id": ["p", "p"],
            "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-02"]),
            "net_revenue": [5000, 5000],
        }
    )
    refunds = pd.DataFrame(
        {
            "person_id": ["p", "p", "p"],
            "event": ["order_refunded"] * 3,
            "occurred_at": pd.to_datetime(["2024-01-03"] * 3),
            "order_id": ["A1", "A2", "AV7"],
            "revenue": [5001, 5000, 5000],
        }
    )
    warned = {w.name: w for w in opened({"orders": orders, "events": refunds}).report.warnings}
    assert (warned["excess_refunds"].n, warned["excess_refunds"].examples) == (1, ("'A1'",))
    assert (warned["orphan_refunds"].n, warned["orphan_refunds"].examples) == (1, ("'AV7'",))


def test_a_dataset_file_may_say_the_unit_of_amounts(opened, tmp_path):
    pd.DataFrame({"person_id": ["a"], "ordered_at": pd.to_datetime(["2024-01-01"]), "net_revenue": [70]}).to_parquet(
        tmp_path / "orders.parquet"
    )
    for unit, cents in (("major", 7000), ("minor", 70)):
        (tmp_path / "dataset.yaml").write_text(f"dataset: 1\nmoney_unit: {unit}\n")
        found = opened(tmp_path)
        assert found.engine.rows("SELECT net_revenue FROM orders") == [(cents,)]
        assert not [note for note in found.report.notes if "money_unit" in note]
    assert [n for n in opened({"orders": tmp_path / "orders.parquet"}).report.notes if "money_unit='minor'" in n]
