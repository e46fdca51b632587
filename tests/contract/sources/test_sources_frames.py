"""Frames keep their types and are left alone; all kinds of source say the same."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle_kit.contract.sources import FRAME, DuckDBTable, read_source
from lifecycle_kit.engine.duckdb import DuckDBEngine
from lifecycle_kit.errors import DataError, UsageError

pl = pytest.importorskip("polars")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(scratch=tmp_path)
    yield engine
    engine.close()


def texts(engine: DuckDBEngine, name: str = "raw") -> list[tuple[str | None, ...]]:
    """Return every value as the engine writes it: no time zone library, no Python types in between."""
    columns = [c for c in engine.columns(name) if not c.startswith("_")]
    shown = ", ".join(f'CAST("{c}" AS VARCHAR)' for c in columns)
    return engine.rows(f"SELECT {shown} FROM {name} ORDER BY _line")


def refused(engine: DuckDBEngine, frame: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_source(engine, frame, table_name="raw")
    assert caught.value.where == FRAME
    assert caught.value.fix
    assert engine.rows("SELECT table_name FROM information_schema.tables") == []
    return str(caught.value)


MOMENT = dt.datetime(2024, 3, 31, 1, 30, 15)
PARIS = pd.Timestamp("2024-03-31 03:30:15", tz="Europe/Paris")

PANDAS: list[tuple[pd.Series, str, list[str | None]]] = [
    (pd.Series(["a", None]), "VARCHAR", ["a", None]),
    (pd.Series(["00123", np.nan], dtype=object), "VARCHAR", ["00123", None]),
    (pd.Series(["NA", pd.NA], dtype="string"), "VARCHAR", ["NA", None]),
    (pd.Series(["x", None], dtype="category"), "VARCHAR", ["x", None]),
    (pd.Series([7, 8], dtype="category"), "BIGINT", ["7", "8"]),
    (pd.Series([1, None], dtype="Int64"), "BIGINT", ["1", None]),
    (pd.Series([2**53 + 1, None], dtype="Int64"), "BIGINT", [str(2**53 + 1), None]),
    (pd.Series([1, 2], dtype="uint8"), "UTINYINT", ["1", "2"]),
    (pd.Series([True, None], dtype="boolean"), "BOOLEAN", ["true", None]),
    (pd.Series([1.5, np.nan]), "DOUBLE", ["1.5", None]),
    (pd.Series([0.1, 1e300]), "DOUBLE", ["0.1", "1e+300"]),
    (pd.Series([1, None, np.nan], dtype=object), "BIGINT", ["1", None, None]),
    (pd.Series([1.5, None], dtype=object), "DOUBLE", ["1.5", None]),
    (pd.Series([np.int32(3), 4], dtype=object), "BIGINT", ["3", "4"]),
    (pd.Series([True, None], dtype=object), "BOOLEAN", ["true", None]),
    (pd.Series([None, None], dtype=object), "VARCHAR", [None, None]),
    (pd.Series([Decimal("1.20"), None], dtype=object), "DECIMAL(3,2)", ["1.20", None]),
    (pd.Series([dt.date(2024, 1, 2), None], dtype=object), "DATE", ["2024-01-02", None]),
    (pd.Series([MOMENT, pd.NaT], dtype=object), "TIMESTAMP", ["2024-03-31 01:30:15", None]),
    (pd.Series([PARIS, None], dtype=object), "TIMESTAMP WITH TIME ZONE", ["2024-03-31 01:30:15+00", None]),
    (
        pd.Series([PARIS, PARIS.tz_convert("UTC")], dtype=object),
        "TIMESTAMP WITH TIME ZONE",
        ["2024-03-31 01:30:15+00"] * 2,
    ),
    (pd.Series([MOMENT]).astype("datetime64[s]"), "TIMESTAMP_S", ["2024-03-31 01:30:15"]),
    (pd.Series([MOMENT]).astype("datetime64[ms]"), "TIMESTAMP_MS", ["2024-03-31 01:30:15"]),
    (pd.Series([MOMENT]).astype("datetime64[us]"), "TIMESTAMP", ["2024-03-31 01:30:15"]),
    (pd.Series([MOMENT, None]).astype("datetime64[ns]"), "TIMESTAMP_NS", ["2024-03-31 01:30:15", None]),
    (
        pd.Series([pd.Timestamp("2024-01-01 00:00:00.123456789")], dtype=object),
        "TIMESTAMP_NS",
        ["2024-01-01 00:00:00.123456789"],
    ),
    (pd.Series([PARIS]).dt.as_unit("us"), "TIMESTAMP WITH TIME ZONE", ["2024-03-31 01:30:15+00"]),
    (pd.Series([PARIS]).dt.as_unit("s"), "TIMESTAMP WITH TIME ZONE", ["2024-03-31 01:30:15+00"]),
    (pd.Series([{"a": 1}, {"é": None}, None]), "VARCHAR", ['{"a": 1}', '{"é": null}', None]),
    (pd.Series([uuid.UUID(int=1)], dtype=object), "VARCHAR", ["00000000-0000-0000-0000-000000000001"]),
    (pd.Series(pd.arrays.SparseArray([1, 0])), "BIGINT", ["1", "0"]),
    (pd.Series([1.5], dtype="float16"), "FLOAT", ["1.5"]),
    (pd.Series(["a"], dtype=pd.ArrowDtype(pa.string())), "VARCHAR", ["a"]),
]


@pytest.mark.parametrize("case", range(len(PANDAS)), ids=[f"{s.dtype}-{k}" for s, k, _ in PANDAS])
def test_pandas_column_keeps_type_and_values(engine: DuckDBEngine, case: int) -> None:
    column, kind, expected = PANDAS[case]
    frame = pd.DataFrame({"v": column})
    before = frame.copy(deep=True)
    raw = read_source(engine, frame, table_name="raw")
    assert raw.columns == {"v": kind}
    assert texts(engine) == [(e,) for e in expected]
    pd.testing.assert_frame_equal(frame, before)


def test_pandas_index_is_ignored_and_rows_are_numbered(engine: DuckDBEngine) -> None:
    frame = pd.DataFrame({"v": ["a", "b"]}, index=pd.Index([9, 9], name="v"))
    raw = read_source(engine, frame, table_name="raw")
    assert engine.rows("SELECT * FROM raw ORDER BY _line") == [("a", FRAME, 1), ("b", FRAME, 2)]
    (file,) = raw.files
    assert (file.path, file.display, file.format, file.n_rows, file.sha256) == (None, FRAME, "pandas", 2, None)


def test_a_change_of_the_frame_afterwards_changes_nothing(engine: DuckDBEngine) -> None:
    frame = pd.DataFrame({"v": np.array([1.0, 2.0])})
    read_source(engine, frame, table_name="raw")
    frame.loc[0, "v"] = 9.0
    assert texts(engine) == [("1.0",), ("2.0",)]


MIXED: list[tuple[list[Any], str]] = [
    (["a", 1], "int, str"),
    ([1, 2.5], "float, int"),
    ([1, True], "bool, int"),
    ([b"a", "a"], "bytes, str"),
    ([MOMENT, "2024-01-01"], "datetime, str"),
    ([MOMENT, PARIS], "datetime, datetime with zone"),
    ([MOMENT, dt.date(2024, 1, 1)], "date, datetime"),
]


@pytest.mark.parametrize(("values", "named"), MIXED)
def test_mixed_column_is_refused_by_name_and_types(engine: DuckDBEngine, values: list[Any], named: str) -> None:
    message = refused(engine, pd.DataFrame({"id": pd.Series(values, dtype=object)}))
    assert f"'id' mixes types: {named}." in message


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([object()]),
        pd.Series([1j]),
        pd.Series(pd.period_range("2024", periods=1, freq="M")),
        pd.Series(pd.interval_range(0, 1)),
        pd.Series([2**70, 1], dtype=object),
        pd.Series([{"a": object()}]),
    ],
)
def test_pandas_type_without_counterpart_is_refused(engine: DuckDBEngine, column: pd.Series) -> None:
    assert "'odd'" in refused(engine, pd.DataFrame({"odd": column}))


@pytest.mark.parametrize("names", [["a", "a"], ["a", "A"], ["a", 0], ["a", ("b", "c")], ["a", "_file"], ["a", ""]])
def test_b071_frame_names(engine: DuckDBEngine, names: list[Any]) -> None:
    refused(engine, pd.DataFrame([[1, 2]], columns=pd.Index(names, dtype=object, tupleize_cols=False)))


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": []}), pl.DataFrame({"a": []}), pa.table({"a": []})])
def test_frame_without_rows(engine: DuckDBEngine, frame: Any) -> None:
    assert "0 rows" in refused(engine, frame)
    assert "no columns" in refused(engine, type(frame)() if not isinstance(frame, pa.Table) else pa.table({}))


def test_a_series_is_not_a_source(engine: DuckDBEngine) -> None:
    with pytest.raises(UsageError, match="Series is not a source"):
        read_source(engine, pd.Series([1]), table_name="raw")


def test_polars_types(engine: DuckDBEngine) -> None:
    frame = pl.DataFrame(
        {
            "text": ["00123", None],
            "cat": pl.Series(["x", None], dtype=pl.Categorical),
            "enum": pl.Series(["x", "x"], dtype=pl.Enum(["x"])),
            "none": [None, None],
            "ns": pl.Series([MOMENT, None], dtype=pl.Datetime("ns")),
            "zone": pl.Series([MOMENT, None]).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Paris"),
            "day": [dt.date(2024, 1, 2), None],
            "money": [Decimal("1.20"), None],
            "n": pl.Series([1, None], dtype=pl.UInt32),
        }
    )
    expected = {
        "text": "VARCHAR",
        "cat": "VARCHAR",
        "enum": "VARCHAR",
        "none": "VARCHAR",
        "ns": "TIMESTAMP_NS",
        "zone": "TIMESTAMP WITH TIME ZONE",
        "day": "DATE",
        "money": "DECIMAL(38,2)",
        "n": "UINTEGER",
    }
    for name, given in (("raw", frame), ("lazy", frame.lazy())):
        assert read_source(engine, given, table_name=name).columns == expected
        assert texts(engine, name)[0] == (
            "00123",
            "x",
            "x",
            None,
            "2024-03-31 01:30:15",
            "2024-03-31 01:30:15+00",
            "2024-01-02",
            "1.20",
            "1",
        )


def test_polars_that_cannot_be_read(engine: DuckDBEngine) -> None:
    assert "'odd'" in refused(engine, pl.DataFrame({"odd": pl.Series([object()], dtype=pl.Object)}))
    assert "'odd'" in refused(engine, pl.DataFrame({"odd": pl.Series([2**100], dtype=pl.Int128)}))
    assert "cannot be collected" in refused(engine, pl.LazyFrame({"a": [1]}).select("b"))


def test_pyarrow_table_and_batch(engine: DuckDBEngine) -> None:
    table = pa.table(
        {
            "a": pa.chunked_array([["x"], ["y"]]),
            "b": pa.array([1, None], pa.decimal256(60, 0)).cast(pa.decimal256(60, 2)),
        }
    )
    read_source(engine, table, table_name="raw")
    assert texts(engine) == [("x", "1.00"), ("y", None)]
    read_source(engine, pa.record_batch({"a": ["x"]}), table_name="batch")
    assert texts(engine, "batch") == [("x",)]


def test_pyarrow_text_that_is_not_utf8(engine: DuckDBEngine) -> None:
    bad = pa.array([b"\xff"], pa.binary()).view(pa.string())
    assert "broken" in refused(engine, pa.table({"a": bad}))


# --- every kind of source


IDS = ["00123", "0123", "NA", "null", "Zoé", 'a "quoted", id', "line\nbreak"]
PAID = ["1.5", "-2.25", "0.0", "1234.5", "10.75", "3.0", "99.99"]
AT = ["2024-01-01 00:00:00", "2024-02-29 23:59:59", *(f"2024-03-0{d} 12:00:00" for d in range(1, 6))]


def sources(folder: Path) -> dict[str, Any]:
    stamps = [dt.datetime.fromisoformat(a) for a in AT]
    frame = pd.DataFrame({"person_id": IDS, "paid": [float(p) for p in PAID], "at": pd.to_datetime(stamps)})
    table = pa.table({"person_id": IDS, "paid": [float(p) for p in PAID], "at": pa.array(stamps, pa.timestamp("us"))})
    frame.to_csv(folder / "orders.csv", index=False)
    frame.to_csv(folder / "french.csv", index=False, sep=";", lineterminator="\r\n", encoding="utf-16")
    found: dict[str, Any] = {"csv": folder / "orders.csv", "utf-16": folder / "french.csv"}
    # the variants of storage that must not matter
    for unit in ("s", "ms", "us", "ns"):
        found[f"pandas {unit}"] = frame.assign(at=frame["at"].astype(f"datetime64[{unit}]"))
        path = folder / f"{unit}.parquet"
        pq.write_table(table.set_column(2, "at", table["at"].cast(pa.timestamp(unit))), path, row_group_size=3)
        found[f"parquet {unit}"] = path
    pq.write_table(table, folder / "int96.parquet", use_deprecated_int96_timestamps=True)
    found["parquet int96"] = folder / "int96.parquet"
    coded = table.set_column(0, "person_id", table["person_id"].dictionary_encode())
    pq.write_table(coded, folder / "coded.parquet")
    found["parquet dictionary"] = folder / "coded.parquet"
    found["pandas category"] = frame.astype({"person_id": "category"})
    found["polars"] = pl.from_arrow(table)
    found["polars lazy"] = pl.from_arrow(coded).lazy()
    found["pyarrow"] = coded
    (folder / "parts").mkdir()
    pq.write_table(table.slice(0, 3), folder / "parts" / "0.parquet")
    pq.write_table(table.slice(3), folder / "parts" / "1.parquet")
    found["parquet parts"] = folder / "parts"
    maker = DuckDBEngine(scratch=folder)
    maker.register("given", table)
    maker.execute(f"ATTACH '{folder}/shop.duckdb' AS shop")
    maker.execute("CREATE TABLE shop.orders AS SELECT * FROM given")
    maker.close()
    found["duckdb"] = DuckDBTable(folder / "shop.duckdb", "orders")
    return found


def test_b086_every_source_gives_the_same_values(engine: DuckDBEngine, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    expected = list(zip(IDS, [float(p) for p in PAID], [dt.datetime.fromisoformat(a) for a in AT], strict=True))
    for i, (kind, source) in enumerate(sources(folder).items()):
        raw = read_source(engine, source, table_name=f"raw{i}")
        seen = engine.rows(f'SELECT person_id, paid::DOUBLE, "at"::TIMESTAMP FROM raw{i} ORDER BY _file, _line')
        assert seen == expected, kind
        assert (raw.n_rows, raw.unreadable.num_rows, list(raw.columns)) == (7, 0, ["person_id", "paid", "at"]), kind
        assert raw.columns["person_id"] == "VARCHAR", kind
