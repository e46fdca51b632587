"""Delimited text: nothing dropped, nothing guessed, physical lines, errors that name the place."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle_kit.contract.sources import RawTable, SourceOptions, read_source
from lifecycle_kit.contract.sources import delimited as delimited_module
from lifecycle_kit.contract.sources import text as text_module
from lifecycle_kit.contract.sources.files import inspect
from lifecycle_kit.engine.duckdb import DuckDBEngine
from lifecycle_kit.errors import DataError, LifecycleError, UsageError

HEAD = "person_id,ordered_at,net_revenue\n"
BODY = "a,2024-01-01,1.50\nb,2024-01-02,2.50\nc,2024-01-03,3.50\n"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(scratch=tmp_path)
    yield engine
    engine.close()


Read = Callable[..., tuple[RawTable, list[tuple[Any, ...]]]]


@pytest.fixture
def read(engine: DuckDBEngine, tmp_path: Path) -> Read:
    """Write bytes or text to a file, read it, and return the description and the rows in line order."""

    def run(content: str | bytes, name: str = "orders.csv", **options: Any) -> tuple[RawTable, list[tuple[Any, ...]]]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        raw = read_source(engine, path, table_name="raw", options=SourceOptions(**options))
        rows = engine.rows("SELECT * FROM raw ORDER BY _line")
        assert raw.n_rows == len(rows) + raw.unreadable.num_rows
        return raw, rows

    return run


def refused(read: Read, content: str | bytes, name: str = "orders.csv", **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(content, name, **options)
    assert caught.value.where is not None
    assert caught.value.where.startswith(name)
    assert caught.value.fix
    return str(caught.value)


def values(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row[:-2] for row in rows]


def test_plain_file_keeps_names_text_file_and_line(read: Read) -> None:
    raw, rows = read(HEAD + BODY)
    assert raw.columns == dict.fromkeys(("person_id", "ordered_at", "net_revenue"), "VARCHAR")
    assert rows[0] == ("a", "2024-01-01", "1.50", "orders.csv", 2)
    assert rows[2][-1] == 4
    (file,) = raw.files
    assert (file.encoding, file.delimiter, file.n_rows, file.size_bytes) == ("utf-8", ",", 3, len(HEAD + BODY))
    assert "delimiter ',' found in the header" in file.notes


def test_b001_latin1_is_refused_with_line_offset_and_encoding(read: Read) -> None:
    content = (HEAD + "a,2024-01-01,1\nZoé,2024-01-02,2\n").encode("latin-1")
    message = refused(read, content)
    assert "line 3" in message
    assert f"offset {content.index(0xE9)}" in message
    assert 'encoding="cp1252"' in message
    assert "Zoé" in message
    _, rows = read(content, encoding="cp1252")
    assert rows[1][0] == "Zoé"


def test_b001_offset_and_line_hold_far_into_the_file_and_inside_gzip(read: Read) -> None:
    content = HEAD.encode() + b"a,2024-01-01,1\r\n" * 40_000 + b"Zo\xe9,2024-01-02,2\n"
    message = refused(read, gzip.compress(content), "orders.csv.gz")
    assert "line 40002" in message
    assert f"offset {content.index(0xE9)} " in message


def test_b001_bytes_that_the_declared_encoding_lacks_are_refused(read: Read) -> None:
    assert "0x81" in refused(read, HEAD.encode() + b"\x81,2024-01-01,1\n", encoding="cp1252")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_b002_utf16_is_read_by_its_mark(read: Read, encoding: str) -> None:
    text = (HEAD + "Zoé,2024-01-01,1\n").replace(",", "\t")
    mark = "" if encoding in ("utf-16", "utf-32") else "\ufeff"
    raw, rows = read((mark + text).encode(encoding), "orders.txt")
    assert values(rows) == [("Zoé", "2024-01-01", "1")]
    assert next(iter(raw.columns)) == "person_id"
    assert any("byte order mark" in note for note in raw.notes)


def test_b002_utf16_without_a_mark_names_the_encoding(read: Read) -> None:
    content = (HEAD + BODY).encode("utf-16-le")
    assert 'encoding="utf-16-le"' in refused(read, content)
    assert len(read(content, encoding="utf-16-le")[1]) == 3


@pytest.mark.parametrize("declared", [None, "utf-8", "utf8", "utf-8-sig"])
def test_b003_utf8_mark_is_no_part_of_the_first_column(read: Read, declared: str | None) -> None:
    raw, rows = read((HEAD + BODY).encode("utf-8-sig"), encoding=declared)
    assert next(iter(raw.columns)) == "person_id"
    assert rows[0][0] == "a"


def test_b003_error_offset_counts_the_mark(read: Read) -> None:
    content = HEAD.encode("utf-8-sig") + b"\xff,2024-01-01,1\n"
    assert f"offset {content.index(0xFF)} " in refused(read, content).replace("0xff", "")


def test_mark_against_the_declared_encoding_is_refused(read: Read) -> None:
    assert "mark of utf-8" in refused(read, (HEAD + BODY).encode("utf-8-sig"), encoding="cp1252")


def test_unknown_encoding_is_a_usage_error(read: Read) -> None:
    with pytest.raises(UsageError, match="utf-9"):
        read(HEAD + BODY, encoding="utf-9")
    with pytest.raises(UsageError, match="rot13"):
        read(HEAD + BODY, encoding="rot13")


def test_b005_nul_byte_is_refused_with_line_and_column(read: Read) -> None:
    message = refused(read, HEAD + "a,2024-01-01,1\nb\0x,2024-01-02,2\n")
    assert "line 3, character 2" in message
    assert "b\\x00x" in message


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_b007_line_ends_do_not_change_rows_or_lines(read: Read, end: str) -> None:
    _, rows = read((HEAD + BODY).replace("\n", end))
    assert values(rows) == [tuple(line.split(",")) for line in BODY.splitlines()]
    assert [row[-1] for row in rows] == [2, 3, 4]


def test_b007_mixed_line_ends(read: Read) -> None:
    _, rows = read("a,b\r1,2\r\n3,4\n5,6\r7,8")
    assert values(rows) == [("1", "2"), ("3", "4"), ("5", "6"), ("7", "8")]
    assert [row[-1] for row in rows] == [2, 3, 4, 5]


def test_b007_crlf_cut_between_blocks_is_one_line_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cut.csv"
    path.write_bytes("a,b\r\n1,2\r\r\nZoé,4\r5,6".encode())
    for size in range(1, 12):
        monkeypatch.setattr(text_module, "BLOCK_BYTES", size)
        blocks = text_module.line_blocks(inspect(path, path.name), "utf-8", SourceOptions())
        assert [line for block in blocks for line in block] == ["a,b\r\n", "1,2\r", "\r\n", "Zoé,4\r", "5,6"]


def test_blocks_of_any_size_give_the_same_rows(
    read: Read, engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'a,b\r\n"x\r\n""y""\r\n",2\r\n\r\n3\r\n"5"6,1\r\nZoé,"7\n8"'
    seen = []
    for size in (1, 2, 3, 7, 1000):
        monkeypatch.setattr(text_module, "BLOCK_BYTES", size)
        raw, rows = read(text)
        seen.append((rows, raw.unreadable.to_pylist(), raw.notes))
        engine.execute("DROP TABLE raw")
    assert all(s == seen[0] for s in seen)
    rows, unreadable, notes = seen[0]
    assert rows == [('x\r\n"y"\r\n', "2", "orders.csv", 2), ("Zoé", "7\n8", "orders.csv", 8)]
    assert [(u["line"], u["raw"]) for u in unreadable] == [(6, "3"), (7, '"5"6,1')]
    assert any("1 blank line" in n for n in notes)


@pytest.mark.parametrize(("delimiter", "name"), [(";", "orders.csv"), ("\t", "orders.tsv"), ("|", "orders.txt")])
def test_b008_delimiter_is_found_and_noted(read: Read, delimiter: str, name: str) -> None:
    raw, rows = read((HEAD + BODY).replace(",", delimiter), name)
    assert raw.files[0].delimiter == delimiter
    assert len(raw.columns) == 3
    assert len(rows) == 3
    assert f"delimiter {delimiter!r} found in the header" in raw.files[0].notes


def test_b008_two_possible_delimiters_must_be_declared(read: Read) -> None:
    text = 'person_id;"amount, EUR";at, UTC\na;1,5;2024-01-01\n'
    message = refused(read, text)
    assert "comma (1) and semicolon (2)" in message
    assert "delimiter=" in message
    raw, rows = read(text, delimiter=";")
    assert list(raw.columns) == ["person_id", "amount, EUR", "at, UTC"]
    assert values(rows) == [("a", "1,5", "2024-01-01")]


def test_b008_delimiter_inside_a_quoted_name_does_not_count(read: Read) -> None:
    raw, _ = read('"id";"amount, EUR"\na;1\n')
    assert raw.files[0].delimiter == ";"


def test_b008_one_column_is_read_and_noted(read: Read) -> None:
    raw, rows = read("person_id\na\nb\n")
    assert values(rows) == [("a",), ("b",)]
    assert any("one column found" in n for n in raw.notes)


def test_excel_sep_line_declares_the_delimiter(read: Read) -> None:
    raw, rows = read("sep=;\r\na;b\r\n1,5;2\r\n")
    assert values(rows) == [("1,5", "2")]
    assert rows[0][-1] == 3
    assert raw.files[0].delimiter == ";"


@pytest.mark.parametrize("options", [{"delimiter": ";;"}, {"delimiter": ""}, {"quote": "\n"}, {"delimiter": '"'}])
def test_wrong_characters_are_a_usage_error(read: Read, options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        read(HEAD + BODY, **options)


def test_b011_newline_in_quotes_is_one_row_and_lines_stay_physical(read: Read) -> None:
    _, rows = read('id,note\n1,"line1\nline2\n\nline4"\n2,x\n')
    assert values(rows) == [("1", "line1\nline2\n\nline4"), ("2", "x")]
    assert [row[-1] for row in rows] == [2, 6]


def test_b012_open_quote_names_the_line_where_it_opened(read: Read) -> None:
    lines = ["id,note", "1,a", "2,b", '3,"c', "4,d", "5,e"]
    message = refused(read, "\n".join(lines))
    assert "line 4" in message
    assert "never closed" in message


def test_b012_the_opening_quote_and_not_the_start_of_the_record_is_named(read: Read) -> None:
    assert "orders.csv, line 3:" in refused(read, 'id,note,x\n1,"a\nb","c\n4,d,e\n')


def test_b012_open_quote_that_a_later_one_closes_wrongly(read: Read) -> None:
    message = refused(read, 'id,note\n1,a\n2,"b\n3,c\n4,"d"\n')
    assert "orders.csv, line 3:" in message
    assert "runs to line 5" in message


def test_b012_open_quote_in_a_large_file_ends_within_bounds(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited_module, "MAX_RECORD_CHARS", 500_000)
    message = refused(read, 'id,note\n1,"a\n' + "2,b\n" * 400_000)
    assert "orders.csv, line 2:" in message
    assert "500,000 characters" in message


def test_b012_open_quote_in_the_header(read: Read) -> None:
    assert "line 1" in refused(read, 'id,"note\n1,a\n')


def test_b013_rows_too_long_or_too_short_are_set_aside_as_they_are(read: Read) -> None:
    raw, rows = read("a,b,c,d\n1,2,3,4\nd,2024-02-02,1,2,34\n1,2\n5,6,7,8\n")
    assert len(rows) == 2
    assert raw.n_rows == 4
    assert raw.unreadable.to_pylist() == [
        {
            "file": "orders.csv",
            "line": 3,
            "raw": "d,2024-02-02,1,2,34",
            "reason": "has 5 fields, the header has 4",
        },
        {"file": "orders.csv", "line": 4, "raw": "1,2", "reason": "has 2 fields, the header has 4"},
    ]


def test_b013_a_record_over_several_lines_says_so(read: Read) -> None:
    raw, rows = read('a,b,c\n1,"x\ny"\n4,5,6\n')
    assert len(rows) == 1
    assert raw.unreadable.to_pylist() == [
        {
            "file": "orders.csv",
            "line": 2,
            "raw": '1,"x\ny"',
            "reason": "has 2 fields, the header has 3; it runs to line 3: is a quote left open?",
        }
    ]


def test_b013_text_after_a_closed_quote_is_set_aside(read: Read) -> None:
    raw, rows = read('a,b\n"5" nail,1\n6,2\n')
    assert values(rows) == [("6", "2")]
    assert raw.unreadable.column("line").to_pylist() == [2]
    assert "expected after" in raw.unreadable.column("reason")[0].as_py()


def test_b013_no_row_that_fits_means_the_delimiter_is_wrong(read: Read) -> None:
    assert "'|' the delimiter?" in refused(read, "a|b\n" + "1;2\n" * 1_200)


def test_b053_leading_zeros_stay(read: Read) -> None:
    assert [r[0] for r in read("id,x\n00123,1\n0123,1\n123,1\n")[1]] == ["00123", "0123", "123"]


def test_b055_words_that_look_like_nothing_stay_text(read: Read) -> None:
    words = ["NA", "null", "None", "nan", "NULL", "N/A", "", "-", "\\N"]
    assert [r[0] for r in read("id,x\n" + "".join(f"{w},1\n" for w in words))[1]] == words


def test_b067_empty_file(read: Read) -> None:
    assert "empty (0 bytes)" in refused(read, b"")


@pytest.mark.parametrize("content", ["  \n \n", "\n\n", "\ufeff", "\ufeff\n"])
def test_b067_file_of_blanks(read: Read, content: str) -> None:
    assert "nothing but blanks" in refused(read, content)


def test_b068_header_only(read: Read, engine: DuckDBEngine) -> None:
    assert "0 data rows" in refused(read, HEAD)
    assert engine.rows("SELECT table_name FROM information_schema.tables") == []


@pytest.mark.parametrize("header", ["amount,amount", "Amount,amount"])
def test_b071_duplicate_headers(read: Read, header: str) -> None:
    message = refused(read, f"id,{header}\n1,2,3\n")
    assert "amount" in message
    assert "line 1" in message


@pytest.mark.parametrize("name", ["_file", "_line", "_LINE"])
def test_reserved_column_names_are_refused(read: Read, name: str) -> None:
    assert repr(name) in refused(read, f"id,{name}\n1,2\n")


def test_b081_a_gz_that_is_not_gzip(read: Read) -> None:
    assert "not a gzip file" in refused(read, HEAD + BODY, "orders.csv.gz")


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"PK\x03\x04" + b"x" * 50, "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 50, "Excel"),
        (b"PAR1" + b"x" * 50, ".parquet"),
        (gzip.compress(b"a,b\n1,2\n"), ".csv.gz"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"SQLite format 3\0" + b"x" * 50, "SQLite"),
    ],
    # gzip writes the time into its head: an id made of it would differ between two workers
    ids=["xlsx", "xls", "parquet", "gzip", "html", "sqlite"],
)
def test_b081_a_csv_that_is_something_else(read: Read, head: bytes, word: str) -> None:
    assert word in refused(read, head)


def test_gzip_is_read(read: Read) -> None:
    raw, rows = read(gzip.compress((HEAD + BODY).encode()), "orders.csv.gz")
    assert len(rows) == 3
    assert rows[2][-2:] == ("orders.csv.gz", 4)
    assert raw.files[0].format == "csv"


def test_cut_gzip_is_refused(read: Read) -> None:
    packed = gzip.compress((HEAD + BODY * 10_000).encode())
    assert "gzip file is broken" in refused(read, packed[: len(packed) // 2], "orders.csv.gz")


def test_b082_gzip_bomb_is_bounded(read: Read) -> None:
    bomb = gzip.compress((HEAD + BODY * 20_000).encode())
    message = refused(read, bomb, "orders.csv.gz", max_uncompressed_bytes=100_000)
    assert "100,000 bytes" in message
    assert "max_uncompressed_bytes" in message


def test_b082_a_bomb_of_zeros_ends_at_the_first_block(read: Read) -> None:
    assert "NUL byte" in refused(read, gzip.compress(b"\0" * 50_000_000), "orders.csv.gz")


def test_b082_a_line_without_end_is_bounded(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "MAX_RECORD_CHARS", 300_000)
    assert "longer than 300,000" in refused(read, gzip.compress(b"a,b\n" + b"x" * 5_000_000), "orders.csv.gz")


def test_very_long_field_is_read_and_the_process_limit_is_given_back(read: Read) -> None:
    before = csv.field_size_limit()
    long = "x" * (before * 3)
    assert read(f'id,x\n1,"{long}"\n')[1][0][1] == long
    assert csv.field_size_limit() == before


def test_blank_lines_are_counted_and_left_out(read: Read) -> None:
    raw, rows = read(HEAD + "\na,2024-01-01,1\n   \n\nb,2024-01-02,2\n\n")
    assert [row[-1] for row in rows] == [3, 6]
    assert raw.n_rows == 2
    assert "4 blank line(s) left out" in raw.files[0].notes


def test_a_row_of_empty_fields_is_a_row(read: Read) -> None:
    assert values(read("a;b\n;\n1;2\n")[1]) == [("", ""), ("1", "2")]


def test_header_with_trailing_delimiter(read: Read) -> None:
    raw, rows = read("a,b,\n1,2,\n3,4\n5,6,7\n")
    assert list(raw.columns) == ["a", "b"]
    assert values(rows) == [("1", "2"), ("3", "4")]
    assert raw.unreadable.to_pylist()[0]["raw"] == "5,6,7"
    assert any("empty field(s)" in n for n in raw.notes)


def test_unnamed_first_column_gets_a_name(read: Read) -> None:
    raw, rows = read(",id\n0,a\n1,b\n")
    assert list(raw.columns) == ["column_1", "id"]
    assert values(rows)[1] == ("1", "b")
    assert any("called column_1" in n for n in raw.notes)


def test_quoted_header_with_a_line_break(read: Read) -> None:
    raw, rows = read('"person_id","net ""revenue""\nin EUR"\na,1\n')
    assert list(raw.columns) == ["person_id", 'net "revenue"\nin EUR']
    assert rows[0][-1] == 3


def test_header_after_blank_lines(read: Read) -> None:
    raw, rows = read("\n\na,b\n1,2\n")
    assert rows[0][-1] == 4
    assert "the header is on line 3" in raw.files[0].notes


def test_other_quote_character(read: Read) -> None:
    assert values(read("a;b\n'x;''y';\"2\n", quote="'")[1]) == [("x;'y", '"2')]


FRENCH = 'N° client;Date;Montant HT\r\n00042;31/12/2024;1 234,50\r\n00043;01/02/2024;"12,00 €"\r\n'


def test_french_excel_export_as_declared(read: Read) -> None:
    raw, rows = read(FRENCH.encode("cp1252"), encoding="cp1252")
    assert list(raw.columns) == ["N° client", "Date", "Montant HT"]
    assert values(rows) == [("00042", "31/12/2024", "1 234,50"), ("00043", "01/02/2024", "12,00 €")]
    assert (raw.files[0].encoding, raw.files[0].delimiter) == ("cp1252", ";")


def test_french_excel_export_undeclared_names_the_encoding(read: Read) -> None:
    message = refused(read, FRENCH.encode("cp1252"))
    assert "line 1" in message
    assert 'encoding="cp1252"' in message
    assert "N° client" in message


def test_french_excel_csv_utf8(read: Read) -> None:
    assert values(read(FRENCH.encode("utf-8-sig"))[1])[1][2] == "12,00 €"


def test_several_files_are_one_table_with_their_own_lines(engine: DuckDBEngine, tmp_path: Path) -> None:
    parts = tmp_path / "orders"
    parts.mkdir()
    (parts / "b.csv").write_text("x;id\n9;b\n")
    (parts / "a.csv").write_text("id,x\na,1\nc\n")
    raw = read_source(engine, parts, table_name="raw")
    assert engine.rows("SELECT * FROM raw ORDER BY _file") == [
        ("a", "1", "orders/a.csv", 2),
        ("b", "9", "orders/b.csv", 2),
    ]
    assert [(f.display, f.n_rows, f.delimiter) for f in raw.files] == [
        ("orders/a.csv", 2, ","),
        ("orders/b.csv", 1, ";"),
    ]
    assert raw.n_rows == 3
    assert raw.unreadable.column("file").to_pylist() == ["orders/a.csv"]


def test_several_files_must_have_the_same_columns(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,x\na,1\n")
    (tmp_path / "b.csv").write_text("id,y\na,1\n")
    with pytest.raises(DataError, match=r"b\.csv: Its header lacks 'x' and adds 'y'"):
        read_source(engine, [tmp_path / "a.csv", tmp_path / "b.csv"], table_name="raw")
    assert engine.rows("SELECT table_name FROM information_schema.tables") == []


def test_partition_folders_become_columns(engine: DuckDBEngine, tmp_path: Path) -> None:
    for day in ("2024-01-01", "2024-01-02"):
        folder = tmp_path / "orders" / f"day={day}"
        folder.mkdir(parents=True)
        (folder / "part.csv").write_text("id\na\n")
    raw = read_source(engine, tmp_path / "orders", table_name="raw")
    assert list(raw.columns) == ["id", "day"]
    assert engine.rows("SELECT id, day, _file FROM raw ORDER BY day")[1] == (
        "a",
        "2024-01-02",
        "orders/day=2024-01-02/part.csv",
    )


def test_a_failed_read_leaves_the_engine_usable(read: Read, engine: DuckDBEngine) -> None:
    with pytest.raises(LifecycleError):
        read(HEAD + BODY + '"open\n')
    assert len(read(HEAD + BODY)[1]) == 3


def test_more_rows_than_one_insert(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited_module, "INSERT_ROWS", 1_000)
    monkeypatch.setattr(text_module, "BLOCK_BYTES", 4_096)
    _, rows = read("id,x\n" + "".join(f"{i},é\n" for i in range(5_000)))
    assert [(int(i), line) for i, _, _, line in rows] == [(i, i + 2) for i in range(5_000)]
