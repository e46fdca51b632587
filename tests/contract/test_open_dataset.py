"""Checked tables as a folder: written whole, opened without a second check, filled by others and then looked at."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lifecycle_kit as lk
from lifecycle_kit.contract.sqltext import column_list
from lifecycle_kit.contract.tables import CANONICAL
from lifecycle_kit.engine.base import arrow_schema
from tests.contract.full_shop import told_all
from tests.small_shops import FEW, orders

MODEL = "orders_only"


@pytest.fixture
def written(tmp_path):
    """A folder that the kit wrote."""
    with lk.load(orders(*FEW), timezone="Europe/Paris", currency="EUR", name="few") as shop:
        return shop.write(tmp_path / "tables")


@pytest.fixture
def filled(tmp_path):
    """A folder as a company may fill it: two tables, one of them in parts, and the least to say about them."""
    log = pa.Table.from_pylist(
        [
            {"person_key": key, "event": event, "occurred_at": at, "known_at": at, "business_day": at.date()}
            for key, event, at in [
                (1, "order_completed", pd.Timestamp("2024-01-05 10:00").to_pydatetime()),
                (2, "page_viewed", pd.Timestamp("2024-02-05 10:00").to_pydatetime()),
            ]
        ],
        schema=arrow_schema(CANONICAL["log"]),
    )
    persons = pa.Table.from_pylist(
        [{"person_key": key, "person_id": name, "is_anonymous": False} for key, name in ((1, "ann"), (2, "bob"))],
        schema=arrow_schema(CANONICAL["persons"]),
    )
    folder = tmp_path / "filled"
    (folder / "log.parquet").mkdir(parents=True)
    pq.write_table(log.slice(0, 1), folder / "log.parquet" / "a.parquet")
    pq.write_table(log.slice(1), folder / "log.parquet" / "b.parquet")
    pq.write_table(persons.append_column("extra", pa.array([1, 2])), folder / "persons.parquet")
    say(folder, {"format": 2, "timezone": "Europe/Paris"})
    return folder


def rows_of(dataset, table):
    """The rows of a canonical table, its own columns only, in an order of their own."""
    return dataset.engine.rows(f"SELECT {column_list(CANONICAL[table])} FROM {table} ORDER BY ALL")


def say(folder, said):
    (folder / "dataset.json").write_text(json.dumps(said))


def change(folder, table, **columns):
    """Replace columns of a table; None leaves one out."""
    path = folder / f"{table}.parquet"
    found = pq.read_table(path)
    for name, values in columns.items():
        at = found.column_names.index(name)
        found = found.remove_column(at) if values is None else found.set_column(at, name, values)
    if path.is_dir():
        for part in path.iterdir():
            part.unlink()
        path = path / "a.parquet"
    pq.write_table(found, path)


def test_everything_that_was_known_is_known_again(written):
    with (
        lk.load(orders(*FEW), timezone="Europe/Paris", currency="EUR", name="few") as before,
        lk.open_dataset(written) as after,
    ):
        assert repr(after) == repr(before)
        told, known = after.report.to_dict(), before.report.to_dict()
        assert told | {"files": []} == known | {"files": []}
        assert (after.first_at, after.last_at, after.currency) == (before.first_at, before.last_at, "EUR")
        spells = [lk.history(dataset, lk.load_model(MODEL)).to_frame() for dataset in (before, after)]
        pd.testing.assert_frame_equal(*spells)


@pytest.mark.parametrize("table", CANONICAL)
def test_every_table_comes_through(tmp_path, table):
    with lk.load(told_all(), timezone="Europe/Paris") as before:
        expected = rows_of(before, table)
        before.write(tmp_path / "tables")
    with lk.open_dataset(tmp_path / "tables") as after:
        assert rows_of(after, table) == expected
        assert list(after.engine.columns(table)) == list(CANONICAL[table])
    assert bool(expected) == (table != "devices")


def test_money_answers_and_invitations_by_value(tmp_path):
    with lk.load(told_all()) as shop:
        shop.write(tmp_path / "tables")
    with lk.open_dataset(tmp_path / "tables") as shop:
        assert rows_of(shop, "costs") == [
            (dt.date(2024, 1, 5), "search", "winter", 12_345, "acquisition"),
            (dt.date(2024, 1, 6), "e-mail, etc.", None, 1, None),
        ]
        people = dict(shop.engine.rows("SELECT person_id, person_key FROM persons"))
        assert rows_of(shop, "surveys") == [
            (people["ann"], dt.datetime(2024, 1, 6, 10), 10),
            (people["bob"], dt.datetime(2024, 1, 5, 10), 3),
        ]
        assert rows_of(shop, "referrals") == [
            (people["ann"], "cyd", dt.datetime(2024, 1, 5, 10), dt.datetime(2024, 1, 10, 10)),
            (people["ann"], None, dt.datetime(2024, 1, 6, 10), None),
        ]


def test_what_tables_can_feed_is_what_the_source_could(tmp_path):
    with lk.load(told_all()) as before:
        before.write(tmp_path / "tables")
        known = {name: found.available for name, found in before.capabilities.items()}
    say(tmp_path / "tables", {"format": 2, "timezone": "UTC"})
    with lk.open_dataset(tmp_path / "tables") as after:
        assert {name: found.available for name, found in after.capabilities.items()} == known
    needs = {"costs": "acquisition_cost", "surveys": "satisfaction", "referrals": "advocacy"}
    assert all(known[name] for name in (*needs.values(), "profit_per_customer"))
    log = pq.read_table(tmp_path / "tables" / "log.parquet").to_pandas()
    unheard = log[~log["event"].isin(["survey_answered", "referral_converted"])].assign(cost=None)
    schema = arrow_schema(CANONICAL["log"])
    pq.write_table(pa.Table.from_pandas(unheard, schema), tmp_path / "tables" / "log.parquet")

    def lost(dataset):
        return {name for name, found in dataset.capabilities.items() if known[name] and not found.available}

    with lk.open_dataset(tmp_path / "tables") as by_table_alone:
        assert lost(by_table_alone) == {"profit_per_customer"}
    for table in needs:
        (tmp_path / "tables" / f"{table}.parquet").unlink()
    with lk.open_dataset(tmp_path / "tables") as without:
        assert lost(without) == {*needs.values(), "profit_per_customer"}
        assert {table: rows_of(without, table) for table in needs} == {table: [] for table in needs}
        assert [list(without.engine.columns(table)) for table in needs] == [list(CANONICAL[table]) for table in needs]


@pytest.mark.parametrize(
    ("table", "column"), [("costs", "amount"), ("surveys", "score"), ("referrals", "sent_at"), ("surveys", "at")]
)
def test_rows_that_say_nothing(tmp_path, table, column):
    with lk.load(told_all()) as shop:
        folder = shop.write(tmp_path / "tables")
    say(folder, {"format": 2, "timezone": "UTC"})
    kind = arrow_schema(CANONICAL[table]).field(column).type
    change(folder, table, **{column: pa.nulls(2, kind)})
    with pytest.raises(lk.DataError, match=f"2 rows of {table} have no {column}"):
        lk.open_dataset(folder)


def test_nothing_is_overwritten(written):
    with lk.open_dataset(written) as shop:
        before = {path.name: path.stat().st_mtime_ns for path in written.iterdir()}
        with pytest.raises(lk.UsageError, match="is there already"):
            shop.write(written)
        with pytest.raises(lk.UsageError, match="There is no folder"):
            shop.write(written / "no" / "such")
        assert {path.name: path.stat().st_mtime_ns for path in written.iterdir()} == before
        empty = written.parent / "empty"
        empty.mkdir()
        assert shop.write(empty) == empty


def test_a_folder_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    with lk.load(orders(*FEW)) as shop:

        def full(sql, path):
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(shop.engine, "to_parquet", full)
        with pytest.raises(lk.RunError, match="No space left"):
            shop.write(tmp_path / "tables")
    assert list(tmp_path.iterdir()) == []


def test_checked_tables_are_not_loaded_again(written):
    with pytest.raises(lk.UsageError, match=r"checked already\. Use open_dataset"):
        lk.load(written)


def test_tables_that_a_company_filled(filled):
    with lk.open_dataset(filled) as shop:
        assert (shop.name, shop.timezone, shop.tables) == ("filled", "Europe/Paris", {"log": 2, "persons": 2})
        assert lk.snapshot(shop, lk.load_model("shop"), "2024-02-05").members()["person_id"].tolist() == ["ann", "bob"]
        able = {name for name, found in shop.capabilities.items() if found.available}
        assert {"stages_from_orders", "daily_traffic", "conversion_rate"} <= able
        assert not {"profit_per_customer", "average_order_value", "identity"} & able
        assert lk.compute_kpis(shop, lk.BASE_METRICS).to_frame().set_index("kpi")["value"].notna().to_dict() == {
            "daily_traffic": True,
            "conversion_rate": True,
            "average_order_value": False,
            "profit_per_customer": False,
        }


@pytest.mark.parametrize(
    ("table", "columns", "told"),
    [
        (
            "log",
            {"known_at": None},
            "The column known_at of log is missing. Fill the table log with the columns person",
        ),
        ("log", {"cost": None}, r"The column cost of log is missing\. Fill the table log .* cost int64\."),
        ("log", {"person_key": pa.array([1, 2], pa.int32())}, "The column person_key of log is int32, not int64"),
        (
            "log",
            {"occurred_at": pa.array([1, 2], pa.timestamp("us", tz="UTC"))},
            r"occurred_at of log is timestamp\[us, tz=UTC\], not timestamp\[us\].*naive UTC",
        ),
        ("log", {"event": pa.array(["a", None])}, "1 rows of log have no event"),
        ("persons", {"person_key": pa.array([1, 1])}, "persons has 2 rows and 1 different keys"),
    ],
)
def test_tables_that_a_company_filled_wrongly(filled, table, columns, told):
    change(filled, table, **columns)
    with pytest.raises(lk.DataError, match=told):
        lk.open_dataset(filled)


def test_a_table_is_missing_or_broken(filled):
    persons = filled / "persons.parquet"
    persons.write_bytes(b"no Parquet")
    with pytest.raises(lk.DataError, match=r"persons\.parquet: It cannot be read as Parquet"):
        lk.open_dataset(filled)
    persons.unlink()
    with pytest.raises(lk.DataError, match="The table persons is missing"):
        lk.open_dataset(filled)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"timezone": "UTC"}, "does not say format and timezone"),
        ([], "does not say format and timezone"),
        ({"format": 1, "timezone": "UTC"}, "of format 1; this kit reads format 2"),
        ({"format": 2, "timezone": 3}, "timezone is 3, not str"),
        ({"format": 2, "timezone": "UTC", "first_at": "today"}, "first_at is 'today', not a time"),
        ({"format": 2, "timezone": "UTC", "report": {"tables": [{"rows": 1}]}}, "report in it is not one of this kit"),
    ],
)
def test_what_is_said_wrongly(filled, said, told):
    say(filled, said)
    with pytest.raises(lk.DataError, match=told):
        lk.open_dataset(filled)


def test_what_is_not_said_at_all(filled):
    (filled / "dataset.json").write_text("{")
    with pytest.raises(lk.DataError, match="cannot be read as JSON"):
        lk.open_dataset(filled)
    (filled / "dataset.json").unlink()
    with pytest.raises(lk.DataError, match=r"has no dataset\.json"):
        lk.open_dataset(filled)


def test_days_end_where_they_ended(written):
    with pytest.raises(lk.UsageError, match="end in Europe/Paris, not in UTC"):
        lk.open_dataset(written, timezone="UTC")


@pytest.mark.parametrize("given", [{}, {"folder": "x", "schema": "y"}])
def test_a_folder_or_a_schema(given):
    with pytest.raises(lk.UsageError, match="Give one of the two"):
        lk.open_dataset(**given)


def test_duckdb_has_no_schema_of_others():
    with pytest.raises(lk.UsageError, match="Give the folder"):
        lk.open_dataset(schema="analytics")
