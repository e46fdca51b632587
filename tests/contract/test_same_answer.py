"""One shop, every kind of source and of column: one answer (case B086 among them)."""

from __future__ import annotations

import decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ORDERS = pd.DataFrame(
    {
        "order_id": ["1", "2", "3", "4", "5"],
        "person_id": ["ann", "bob", "ann", "Zoé", "bob"],
        "ordered_at": pd.to_datetime(
            ["2024-01-05 10:00", "2024-02-29 23:59:59.123456", "2024-03-01", "2024-10-27 01:30", "2024-12-31 23:30"],
            format="ISO8601",
        ),
        "net_revenue": [decimal.Decimal(x) for x in ("10.00", "0.30", "19.99", "1234567.89", "5.00")],
        "status": ["completed", "refunded", "completed", "cancelled", "completed"],
        "refunded_at": pd.to_datetime([None, "2024-03-10 12:00", None, None, None]),
    }
)
EVENTS = pd.DataFrame(
    {
        "person_id": ["ann", None, None],
        "anonymous_id": [None, "d1", "d2"],
        "event": ["page_viewed", "page_viewed", "signed_up"],
        "occurred_at": pd.to_datetime(["2024-01-01", "2024-01-02 08:00", "2024-01-03 09:00"], format="ISO8601"),
    }
)
IDENTITIES = pd.DataFrame(
    {"anonymous_id": ["d1"], "person_id": ["bob"], "linked_at": pd.to_datetime(["2024-02-01 10:00"])}
)
TABLES = {"orders": ORDERS, "events": EVENTS, "identities": IDENTITIES}
PERSONS = "SELECT * EXCLUDE (country, acquired_channel) FROM persons ORDER BY person_key"
LOG = "SELECT * FROM log ORDER BY ALL"


def answer(dataset):
    """All that an analysis can see."""
    accounts = [(a.table, a.n_read, a.n_kept, a.cents_kept) for a in dataset.report.tables]
    return dataset.engine.rows(PERSONS), dataset.engine.rows(LOG), accounts


def as_csv(folder):
    for name, frame in TABLES.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def as_french_csv(folder):
    for name, frame in TABLES.items():
        frame.assign(**{"net_revenue": frame.net_revenue.map(str)} if name == "orders" else {}).to_csv(
            folder / f"{name}.csv", index=False, sep=";", encoding="utf-8-sig"
        )
    return folder


def as_parquet(folder):
    for name, frame in TABLES.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def as_duckdb(folder):
    import duckdb

    path = folder / "shop.duckdb"
    connection = duckdb.connect(str(path))
    for name, frame in TABLES.items():
        connection.register("frame", pa.Table.from_pandas(frame, preserve_index=False))
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame").fetchall()
        connection.unregister("frame")
    connection.close()
    return path


def as_pandas(folder):
    return TABLES


def as_polars(folder):
    return {name: pl.from_pandas(frame) for name, frame in TABLES.items()}


def as_text_frames(folder):
    return {
        name: frame.astype(object).where(frame.notna(), None).map(lambda v: None if v is None else str(v))
        for name, frame in TABLES.items()
    }


@pytest.fixture
def expected(opened):
    """The answer from pandas frames."""
    return answer(opened(TABLES, timezone="Europe/Paris"))


@pytest.mark.parametrize("make", [as_csv, as_french_csv, as_parquet, as_duckdb, as_polars, as_text_frames])
def test_every_source_gives_the_same_answer(make, tmp_path, opened, expected):
    assert answer(opened(make(tmp_path), timezone="Europe/Paris")) == expected


def test_the_answer_is_right(expected):
    persons, log, accounts = expected
    assert persons == [(1, "Zoé", False), (2, "ann", False), (3, "bob", False), (4, "d2", True)]
    told = sorted((event, str(day), revenue) for _, event, _, _, day, _, revenue, *_ in log)
    assert told == [
        ("order_cancelled", "2024-10-27", 123456789),
        ("order_completed", "2024-01-05", 1000),
        ("order_completed", "2024-03-01", 30),
        ("order_completed", "2024-03-01", 1999),
        ("order_completed", "2025-01-01", 500),
        ("order_refunded", "2024-03-10", 30),
        ("page_viewed", "2024-01-01", None),
        ("page_viewed", "2024-01-02", None),
        ("signed_up", "2024-01-03", None),
    ]
    assert accounts[1] == ("orders", 5, 5, 123460318)


def retyped(unit, *, zone=None):
    """The orders with other Arrow types for the same values."""
    table = pa.Table.from_pandas(ORDERS, preserve_index=False)
    for name in ("ordered_at", "refunded_at"):
        column = table[name].cast(pa.timestamp("us")).cast(pa.timestamp(unit, zone), safe=False)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    for name in ("person_id", "status"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].dictionary_encode())
    return table


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
@pytest.mark.parametrize("unit", ["ns", "us"])
def test_b086_units_zones_and_dictionaries(unit, zone, opened, expected, tmp_path):
    pq.write_table(retyped(unit, zone=zone), tmp_path / "orders.parquet")
    found = opened({**TABLES, "orders": tmp_path / "orders.parquet"}, timezone="Europe/Paris")
    assert answer(found) == expected


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_b086_coarse_units_give_what_they_hold(unit, opened):
    table = retyped(unit)
    found = opened({"orders": table})
    assert str(found.engine.rows("SELECT max(ordered_at) FROM orders WHERE order_id = '2'")[0][0]).startswith(
        "2024-02-29 23:59:59"
    )


def test_b086_int96_and_categories(opened, expected, tmp_path):
    pq.write_table(pa.Table.from_pandas(ORDERS), tmp_path / "orders.parquet", use_deprecated_int96_timestamps=True)
    assert answer(opened({**TABLES, "orders": tmp_path / "orders.parquet"}, timezone="Europe/Paris")) == expected
    categories = ORDERS.astype({"person_id": "category", "status": "category"})
    assert answer(opened({**TABLES, "orders": categories}, timezone="Europe/Paris")) == expected


def test_ids_are_alike_from_numbers_and_text(opened):
    base = {"order_id": [1, 2], "ordered_at": ["2024-01-01", "2024-01-02"], "net_revenue": ["1.00", "2.00"]}
    answers = [
        answer(opened({"orders": pd.DataFrame({**base, "person_id": ids})}))
        for ids in (
            [7, 8],
            [7.0, 8.0],
            ["7", "8"],
            pd.array([7, 8], dtype="Int64"),
            [decimal.Decimal(7), decimal.Decimal(8)],
        )
    ]
    assert all(a == answers[0] for a in answers)


def test_engine_is_given_back(opened, tmp_path):
    found = opened(TABLES, scratch=tmp_path)
    assert list(tmp_path.iterdir())
    found.close()
    assert not list(tmp_path.iterdir())
    with pytest.raises(Exception, match=r"(?i)clos"):
        found.engine.rows("SELECT 1")


def test_nothing_is_left_behind_by_an_error(tmp_path, opened):
    bad = ORDERS.assign(net_revenue="free")
    with pytest.raises(Exception, match="None of the"):
        opened({"orders": bad}, scratch=tmp_path)
    assert not list(tmp_path.iterdir())
