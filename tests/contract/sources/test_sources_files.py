"""Files before they are read, discovery, Parquet and DuckDB files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle_kit.contract.sources import DuckDBTable, SourceOptions, discover, read_source, reading
from lifecycle_kit.contract.sources import database as database_module
from lifecycle_kit.engine.duckdb import DuckDBEngine, EngineFailure
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError

CSV = "id,x\na,1\nb,2\n"
TABLE = pa.table({"id": ["a", "b"], "x": [1, 2]})


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(scratch=tmp_path_factory.mktemp("scratch"))
    yield engine
    engine.close()


def refused(engine: DuckDBEngine, source: object, kind: type[Exception] = DataError) -> str:
    with pytest.raises(kind) as caught:
        read_source(engine, source, table_name="raw")
    assert engine.rows("SELECT table_name FROM information_schema.tables") == []
    return str(caught.value)


def write_duckdb(path: Path, *statements: str) -> Path:
    engine = DuckDBEngine(scratch=path.parent)
    engine.execute(f"ATTACH '{path}' AS target")
    engine.execute("USE target")
    for statement in statements:
        engine.execute(statement)
    engine.close()
    return path


# --- files


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_b088_named_pipe_is_refused_without_waiting(engine: DuckDBEngine, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "orders.csv")
    assert "named pipe" in refused(engine, tmp_path / "orders.csv")
    with pytest.raises(DataError, match="named pipe"):
        discover(tmp_path / "orders.csv")
    # also inside a folder, and inside a DuckDB request
    assert "named pipe" in refused(engine, tmp_path)
    assert "named pipe" in refused(engine, DuckDBTable(tmp_path / "orders.csv", "orders"))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_b088_device_is_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    assert "a device" in refused(engine, "/dev/zero")
    (tmp_path / "orders.csv").symlink_to("/dev/zero")
    assert "a device" in refused(engine, tmp_path / "orders.csv")


def test_b088_folder_without_data_is_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("x")
    assert "no CSV or Parquet" in refused(engine, tmp_path)
    assert "a folder" in refused(engine, [tmp_path])


def test_b088_dangling_link_names_its_target(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").symlink_to("gone.csv")
    assert "symbolic link to 'gone.csv'" in refused(engine, tmp_path / "orders.csv")


def test_b088_link_in_a_circle(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").symlink_to("orders.csv")
    refused(engine, tmp_path / "orders.csv")


def test_b088_link_is_followed_and_the_real_path_recorded(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "v7.csv").write_text(CSV)
    (tmp_path / "orders.csv").symlink_to("v7.csv")
    (file,) = read_source(engine, tmp_path / "orders.csv", table_name="raw").files
    assert file.path == (tmp_path / "v7.csv").resolve()
    assert file.display == "orders.csv"
    assert "symbolic link to v7.csv" in file.notes


def test_missing_file_names_its_neighbour(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(CSV)
    message = refused(engine, tmp_path / "order.csv")
    assert "Did you mean 'orders.csv'?" in message
    assert str(tmp_path) not in message


def test_file_deleted_after_discovery(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(CSV)
    found = discover(tmp_path)
    (tmp_path / "orders.csv").unlink()
    assert "no such file" in refused(engine, found["orders"])


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_no_permission(engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_text(CSV)

    def denied(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    # the tests may run as root, who may read everything
    monkeypatch.setattr("lifecycle_kit.contract.sources.files.open", denied, raising=False)
    assert "may not read" in refused(engine, tmp_path / name)


def test_unknown_ending_is_refused_by_what_it_is(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "orders.xlsx").write_bytes(b"PK\x03\x04" + b"x" * 60)
    assert "Excel" in refused(engine, tmp_path / "orders.xlsx")
    (tmp_path / "orders").write_text(CSV)
    assert "without an ending" in refused(engine, tmp_path / "orders")


def test_relative_paths_are_shown_as_given(
    engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "orders").mkdir(parents=True)
    (tmp_path / "data" / "orders" / "a.csv").write_text(CSV)
    monkeypatch.chdir(tmp_path)
    assert read_source(engine, "data/orders", table_name="r1").files[0].display == "data/orders/a.csv"
    assert read_source(engine, ["data/orders/a.csv"], table_name="r2").files[0].display == "data/orders/a.csv"
    assert (
        read_source(engine, Path("data/orders/a.csv"), table_name="r3").files[0].path
        == Path("data/orders/a.csv").resolve()
    )


def test_absolute_lists_are_shown_from_their_common_folder(engine: DuckDBEngine, tmp_path: Path) -> None:
    for part in ("north", "south"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "orders.csv").write_text(CSV)
    raw = read_source(engine, [tmp_path / "north/orders.csv", tmp_path / "south/orders.csv"], table_name="raw")
    assert [f.display for f in raw.files] == ["north/orders.csv", "south/orders.csv"]


def test_one_file_twice_is_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.csv").symlink_to("a.csv")
    assert "count twice" in refused(engine, tmp_path, UsageError)


def test_two_formats_are_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    pq.write_table(TABLE, tmp_path / "b.parquet")
    assert "a.csv is csv" in refused(engine, tmp_path)


def test_wrong_calls(engine: DuckDBEngine, tmp_path: Path) -> None:
    assert "int is not a source" in refused(engine, 3, UsageError)
    refused(engine, [], UsageError)
    refused(engine, "a\0b.csv", UsageError)
    (tmp_path / "a.csv").write_text(CSV)
    read_source(engine, tmp_path / "a.csv", table_name="raw")
    with pytest.raises(UsageError, match="already holds"):
        read_source(engine, tmp_path / "a.csv", table_name="RAW")


ODD = ["l'été.{}", 'with "quotes".{}', "100%_[a-c]*?.{}", "日本 ; -- x.{}", "{{a,b}}.{}", "$HOME ~.{}"]


@pytest.mark.parametrize("pattern", ODD)
def test_odd_names(engine: DuckDBEngine, tmp_path: Path, pattern: str) -> None:
    for other in ("100%_bxy.csv", "100%_bxy.parquet", "a.parquet"):
        (tmp_path / other).write_text("not to be read")
    name = pattern.format("csv")
    (tmp_path / name).write_text(CSV)
    read_source(engine, tmp_path / name, table_name="c'\"c")
    name = pattern.format("parquet")
    pq.write_table(TABLE, tmp_path / name)
    read_source(engine, tmp_path / name, table_name="p'\"p")
    assert engine.rows('SELECT id, x, _file FROM "p\'""p" ORDER BY 1') == [("a", 1, name), ("b", 2, name)]
    name = pattern.format("duckdb")
    (tmp_path / name).write_bytes(
        write_duckdb(tmp_path / "made.duckdb", "CREATE TABLE t AS SELECT 1 AS x").read_bytes()
    )
    read_source(engine, DuckDBTable(tmp_path / name, "t"), table_name="d")
    assert engine.rows("SELECT x, _file FROM d") == [(1, name)]


# --- discovery


def test_discover_finds_tables_by_name(tmp_path: Path) -> None:
    (tmp_path / "Orders.CSV").write_text(CSV)
    pq.write_table(TABLE, tmp_path / "events.parquet")
    (tmp_path / "costs.csv.gz").write_bytes(b"x")
    (tmp_path / "customers").mkdir()
    pq.write_table(TABLE, tmp_path / "customers" / "part-0.parquet")
    for other in ("order.csv", "orders.xlsx", "notes.txt", ".hidden"):
        (tmp_path / other).write_text("x")
    found = discover(tmp_path)
    assert {k: Path(v).name for k, v in found.items() if isinstance(v, Path)} == {
        "events": "events.parquet",
        "orders": "Orders.CSV",
        "customers": "customers",
        "costs": "costs.csv.gz",
    }
    assert found.ignored == ("notes.txt", "order.csv", "orders.xlsx")
    assert found.unnamed is None


@pytest.mark.parametrize("second", ["orders.parquet", "orders.csv.gz", "ORDERS.tsv"])
def test_discover_refuses_two_sources_for_one_table(tmp_path: Path, second: str) -> None:
    for name in ("orders.csv", second):
        (tmp_path / name).write_text(CSV)
    with pytest.raises(DataError, match=f"orders has 2 sources: .*{second}"):
        discover(tmp_path)


def test_discover_in_a_duckdb_file(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = write_duckdb(
        tmp_path / "shop.duckdb",
        "CREATE TABLE Orders AS SELECT 1 AS x",
        "CREATE VIEW events AS SELECT * FROM Orders",
        "CREATE TABLE other AS SELECT 1 AS x",
    )
    for given in (engine, None):
        found = discover(path, engine=given)
        assert dict(found) == {"events": DuckDBTable(path, "events"), "orders": DuckDBTable(path, "Orders")}
        assert found.ignored == ("other",)


def test_discover_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV)
    found = discover(tmp_path / "sales.csv")
    assert not found
    assert found.unnamed == tmp_path / "sales.csv"
    with pytest.raises(DataError, match="no such file"):
        discover(tmp_path / "sale.csv")


# --- Parquet


def test_parquet_is_a_view_with_row_numbers(engine: DuckDBEngine, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "orders.parquet", row_group_size=1)
    raw = read_source(engine, tmp_path / "orders.parquet", table_name="raw")
    assert raw.columns == {"id": "VARCHAR", "x": "BIGINT"}
    assert raw.n_rows == 2
    assert raw.unreadable.num_rows == 0
    assert engine.rows("SELECT * FROM raw ORDER BY _line") == [
        ("a", 1, "orders.parquet", 1),
        ("b", 2, "orders.parquet", 2),
    ]
    assert engine.rows("SELECT table_type FROM information_schema.tables") == [("VIEW",)]


@pytest.mark.parametrize("damage", ["cut", "footer", "text", "head"])
def test_b083_broken_footer_names_the_file(engine: DuckDBEngine, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "orders.parquet"
    pq.write_table(TABLE, path)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-50]
    elif damage == "footer":
        data[-250:-50] = b"\xff" * 200
    elif damage == "head":
        data = data[:10]
    else:
        data = bytearray(CSV.encode())
    path.write_bytes(data)
    assert refused(engine, path).startswith("orders.parquet: ")


def test_b083_damage_inside_the_data_names_the_file(engine: DuckDBEngine, tmp_path: Path) -> None:
    parts = tmp_path / "orders"
    parts.mkdir()
    for name in ("a.parquet", "b.parquet"):
        pq.write_table(pa.table({"id": [f"person {i}" for i in range(5_000)]}), parts / name, use_dictionary=False)
    data = bytearray((parts / "b.parquet").read_bytes())
    data[4:204] = b"\xff" * 200
    (parts / "b.parquet").write_bytes(data)
    raw = read_source(engine, parts, table_name="raw")
    with pytest.raises(DataError, match=r"^orders/b.parquet: The Parquet file is broken"), reading(engine, raw):
        engine.rows("SELECT max(id) FROM raw")


def test_b083_a_file_changed_or_gone_after_the_read_is_named(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pq.write_table(TABLE, path)
    raw = read_source(engine, path, table_name="raw")
    path.unlink()
    with pytest.raises(DataError, match="moved or changed"), reading(engine, raw):
        engine.rows("FROM raw")


def test_reading_leaves_other_failures_alone(engine: DuckDBEngine, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "orders.parquet")
    raw = read_source(engine, tmp_path / "orders.parquet", table_name="raw")
    with pytest.raises(EngineFailure), reading(engine, raw):
        engine.rows("SELECT id::BIGINT FROM raw")


def test_b087_drifting_type_names_file_column_and_both_types(engine: DuckDBEngine, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    pq.write_table(pa.table({"id": [1], "x": [1]}), tmp_path / "b.parquet")
    message = refused(engine, tmp_path)
    assert "b.parquet" in message
    assert "'id' as int64" in message
    assert "a.parquet has it as string" in message


@pytest.mark.parametrize(
    ("columns", "word"),
    [({"id": ["a"]}, "lacks the column 'x'"), ({"id": ["a"], "x": [1], "y": [1]}, "has a column 'y'")],
)
def test_b087_drifting_columns(
    engine: DuckDBEngine, tmp_path: Path, columns: dict[str, list[object]], word: str
) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    pq.write_table(pa.table(columns), tmp_path / "b.parquet")
    assert word in refused(engine, tmp_path)


def test_b087_harmless_differences_between_parts(engine: DuckDBEngine, tmp_path: Path) -> None:
    empty = pa.table({"x": pa.array([None], pa.null()), "id": pa.array(["c"]).dictionary_encode()})
    pq.write_table(empty, tmp_path / "a.parquet")
    pq.write_table(TABLE, tmp_path / "b.parquet")
    pq.write_table(TABLE.slice(0, 0), tmp_path / "c.parquet")
    raw = read_source(engine, tmp_path, table_name="raw")
    assert raw.columns == {"x": "BIGINT", "id": "VARCHAR"}
    assert [f.n_rows for f in raw.files] == [1, 2, 0]
    assert engine.rows("SELECT id, x FROM raw ORDER BY id") == [("a", 1), ("b", 2), ("c", None)]


def test_empty_parquet(engine: DuckDBEngine, tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "orders.parquet")
    assert "0 data rows" in refused(engine, tmp_path / "orders.parquet")


def test_column_that_is_always_null_is_text(engine: DuckDBEngine, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "n": pa.array([None], pa.null())}), tmp_path / "orders.parquet")
    assert read_source(engine, tmp_path / "orders.parquet", table_name="raw").columns["n"] == "VARCHAR"


@pytest.mark.parametrize("names", [["a", "A"], ["a", "a"], ["a", "_line"], ["a", "file_row_number"], ["a", ""]])
def test_b071_parquet_names_that_clash(engine: DuckDBEngine, tmp_path: Path, names: list[str]) -> None:
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=names), tmp_path / "orders.parquet")
    assert refused(engine, tmp_path / "orders.parquet").startswith("orders.parquet: ")


def test_parquet_partitions_are_text_columns_and_folders_above_are_not(engine: DuckDBEngine, tmp_path: Path) -> None:
    for day in ("2024-01-01", "__HIVE_DEFAULT_PARTITION__"):
        folder = tmp_path / "year=2024" / "orders" / f"day={day}"
        folder.mkdir(parents=True)
        pq.write_table(TABLE, folder / "p.parquet")
    raw = read_source(engine, tmp_path / "year=2024" / "orders", table_name="raw")
    assert raw.columns == {"id": "VARCHAR", "x": "BIGINT", "day": "VARCHAR"}
    assert engine.rows("SELECT DISTINCT day FROM raw ORDER BY 1") == [("2024-01-01",), (None,)]


# --- DuckDB files


def test_duckdb_table_view_and_schema_are_copied(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = write_duckdb(
        tmp_path / "shop.duckdb",
        "CREATE TABLE orders AS SELECT range AS x, NULL AS n FROM range(3)",
        "CREATE VIEW seen AS SELECT x FROM orders",
        "CREATE SCHEMA old",
        "CREATE TABLE old.orders AS SELECT 9 AS x",
    )
    raw = read_source(engine, DuckDBTable(path, "ORDERS"), table_name="r1")
    read_source(engine, DuckDBTable(path, "seen"), table_name="r2")
    read_source(engine, DuckDBTable(path, "old.orders"), table_name="r3")
    path.unlink()
    assert engine.rows("FROM r1 ORDER BY _line")[2] == (2, None, "shop.duckdb", 3)
    assert engine.rows("SELECT x, _line FROM r2 ORDER BY x") == [(0, 1), (1, 2), (2, 3)]
    assert engine.rows("SELECT x FROM r3") == [(9,)]
    assert raw.columns["x"] == "BIGINT"
    assert raw.files[0].format == "duckdb"
    assert raw.n_rows == 3
    assert engine.rows("SELECT count(*) FROM duckdb_databases() WHERE database_name LIKE 'source_%'") == [(0,)]


def test_duckdb_table_missing_names_the_nearest(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = write_duckdb(tmp_path / "shop.duckdb", "CREATE TABLE orders AS SELECT 1 AS x")
    assert "Did you mean 'orders'?" in refused(engine, DuckDBTable(path, "order"), UnknownNameError)


def test_duckdb_table_without_rows(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = write_duckdb(tmp_path / "shop.duckdb", "CREATE TABLE orders (x INT)")
    assert "0 rows" in refused(engine, DuckDBTable(path, "orders"))


@pytest.mark.parametrize("damage", ["text", "cut", "blocks"])
def test_duckdb_file_that_is_not_one_or_broken(engine: DuckDBEngine, tmp_path: Path, damage: str) -> None:
    path = write_duckdb(tmp_path / "shop.duckdb", "CREATE TABLE orders AS SELECT range AS x FROM range(9)")
    data = bytearray(path.read_bytes())
    if damage == "text":
        data = bytearray(CSV.encode())
    elif damage == "cut":
        data = data[: len(data) // 2]
    else:
        data[12288:15288] = b"\xff" * 3000
    path.write_bytes(data)
    message = refused(engine, DuckDBTable(path, "orders"))
    assert message.startswith("shop.duckdb: ")
    assert str(tmp_path) not in message


def test_duckdb_view_that_no_longer_works(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = write_duckdb(
        tmp_path / "shop.duckdb",
        "CREATE TABLE gone AS SELECT 1 AS x",
        "CREATE VIEW orders AS SELECT * FROM gone",
        "DROP TABLE gone",
    )
    assert "shop.duckdb, table orders" in refused(engine, DuckDBTable(path, "orders"))


def test_duckdb_file_without_a_table_is_a_wrong_call(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = write_duckdb(tmp_path / "shop.duckdb", "CREATE TABLE orders AS SELECT 1 AS x")
    assert "which of its tables" in refused(engine, path, UsageError)
    (tmp_path / "a.csv").write_text(CSV)
    assert "not a DuckDB file" in refused(engine, DuckDBTable(tmp_path / "a.csv", "orders"), UsageError)


def test_b106_file_in_use_by_another_process_is_waited_for_then_named(
    engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_duckdb(tmp_path / "shop.duckdb", "CREATE TABLE orders AS SELECT 1 AS x")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    waits: list[float] = []
    try:
        assert holder.stdout
        assert holder.stdout.readline()
        monkeypatch.setattr(database_module.time, "sleep", waits.append)
        message = refused(engine, DuckDBTable(path, "orders"))
        assert f"in use by process {holder.pid}" in message
        assert len(waits) == len(database_module.WAITS_SECONDS)
        monkeypatch.setattr(database_module.time, "sleep", lambda _: holder.communicate())
        assert read_source(engine, DuckDBTable(path, "orders"), table_name="raw").n_rows == 1
    finally:
        holder.communicate()


def test_b106_file_open_in_this_process(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = write_duckdb(tmp_path / "shop.duckdb", "CREATE TABLE orders AS SELECT 1 AS x")
    other = DuckDBEngine(scratch=tmp_path)
    other.execute(f"ATTACH '{path}' AS shop")
    try:
        assert "this Python process" in refused(engine, DuckDBTable(path, "orders"))
    finally:
        other.close()


def test_options_do_not_touch_other_formats(engine: DuckDBEngine, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "orders.parquet")
    options = SourceOptions(delimiter=";", encoding="cp1252")
    (file,) = read_source(engine, tmp_path / "orders.parquet", table_name="raw", options=options).files
    assert (file.delimiter, file.encoding) == (None, None)
