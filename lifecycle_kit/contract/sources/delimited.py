"""Delimited text into the engine: every field as text, every record with its physical line.

Python's csv reader cuts the records, in strict mode, over lines that are counted: an engine's
own sniffer may drop rows without a word. A record that does not fit the header is set aside; a
quote left open ends the read, because nothing after it can be trusted.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.sources.describe import RawFile, RawTable, SourceOptions, no_unreadable
from lifecycle_kit.contract.sources.files import InputFile
from lifecycle_kit.contract.sources.header import Layout, open_quote_line, read_header
from lifecycle_kit.contract.sources.names import check_columns
from lifecycle_kit.contract.sources.text import MAX_RECORD_CHARS, find_encoding, line_blocks
from lifecycle_kit.contract.sqltext import ident, literal
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["read_delimited"]

# so many records, and not one that fits: the delimiter is wrong, not the records
HOPELESS = 1_000
# rows are cut in small blocks, which the garbage collector likes, and inserted in large ones, which the engine likes
INSERT_ROWS = 100_000


@dataclass
class _Block:
    """Records cut from one block of lines."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    # (line, raw, reason)
    unreadable: list[tuple[int, str, str]] = field(default_factory=list)
    n_blank: int = 0


def read_delimited(
    engine: DuckDBEngine, files: Sequence[InputFile], *, table_name: str, options: SourceOptions, notes: Sequence[str]
) -> RawTable:
    """Copy delimited files into one engine table, all columns VARCHAR; nothing is left behind on an error."""
    import pyarrow as pa

    columns: list[str] = []
    done: list[RawFile] = []
    unreadable = [no_unreadable()]
    engine.execute("BEGIN TRANSACTION")
    try:
        with _long_fields():
            for file in files:
                encoding, found = find_encoding(file, options)
                blocks = line_blocks(file, encoding, options)
                first = next(blocks, [])
                layout = read_header(first, options, file.display)
                names = check_columns([*layout.columns, *file.partitions], where=file.display)
                if not columns:
                    columns = names
                    _create(engine, table_name, columns)
                _same_columns(names, columns, file.display, files[0].display)
                waiting: list[pa.Table] = []
                counts = dict.fromkeys(("rows", "unreadable", "blank"), 0)
                for block in _records(first, blocks, layout, file.display):
                    counts["rows"] += len(block.rows)
                    counts["unreadable"] += len(block.unreadable)
                    counts["blank"] += block.n_blank
                    if block.rows:
                        waiting.append(_to_arrow(block))
                    if sum(t.num_rows for t in waiting) >= INSERT_ROWS:
                        _insert(engine, table_name, waiting, layout, file)
                    if block.unreadable:
                        unreadable.append(_set_aside(block, file.display))
                    if not counts["rows"] and counts["unreadable"] >= HOPELESS:
                        raise _hopeless(layout, block, file.display)
                _insert(engine, table_name, waiting, layout, file)
                blank = (f"{counts['blank']} blank line(s) left out",) if counts["blank"] else ()
                done.append(
                    RawFile(
                        file.path,
                        file.display,
                        "csv",
                        counts["rows"] + counts["unreadable"],
                        file.sha256,
                        file.size_bytes,
                        encoding,
                        layout.delimiter,
                        (*file.notes, *found, *layout.notes, *blank, *(notes if not done else ())),
                    )
                )
        n_rows = sum(f.n_rows for f in done)
        if not n_rows:
            raise DataError(
                f"There is a header ({', '.join(columns)}) and 0 data rows.",
                fix="Export it again, with data.",
                where=done[0].display,
            )
        engine.execute("COMMIT")
    except BaseException:
        engine.execute("ROLLBACK")
        raise
    return RawTable(table_name, dict.fromkeys(columns, "VARCHAR"), tuple(done), n_rows, pa.concat_tables(unreadable))


def _records(first: list[str], blocks: Iterator[list[str]], layout: Layout, display: str) -> Iterator[_Block]:
    before = layout.n_lines
    lines = first[layout.n_lines :]
    following = next(blocks, None)
    while True:
        block, used = _cut(lines, before, layout, display, is_last=following is None)
        yield block
        before += used
        if following is None:
            return
        rest = lines[used:]
        n_chars = sum(map(len, rest))
        if n_chars > MAX_RECORD_CHARS:
            raise _open_quote(rest, before, layout, display, f"runs on for {MAX_RECORD_CHARS:,} characters")
        lines = rest
        # at least as much again: a record that spans many blocks is not cut anew for each of them
        while following is not None and n_chars >= 0:
            n_chars -= sum(map(len, following))
            lines += following
            following = next(blocks, None)


def _cut(lines: list[str], before: int, layout: Layout, display: str, *, is_last: bool) -> tuple[_Block, int]:
    """Cut whole records from `lines`, the first of which is line `before + 1`; return them and the lines used."""
    block = _Block()
    width = len(layout.columns)
    reader: Any = csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote, strict=True)
    used = 0
    while True:
        try:
            for row in reader:
                n = len(row)
                if n == width:
                    block.rows.append(row)
                    block.lines.append(before + used + 1)
                elif n > width and n <= width + layout.n_unnamed and not any(row[width:]):
                    block.rows.append(row[:width])
                    block.lines.append(before + used + 1)
                else:
                    _misfit(block, row, lines[used : reader.line_num], before + used + 1, width, layout)
                used = reader.line_num
            return block, used
        except csv.Error as error:
            end = reader.line_num
            if end == len(lines) and "unexpected end of data" in str(error):
                if is_last:
                    raise _open_quote(lines[used:], before + used, layout, display, "is never closed") from error
                return block, used
            if end - used > 1:
                raise _open_quote(
                    lines[used:end], before + used, layout, display, f"runs to line {before + end}, and text follows it"
                ) from error
            block.unreadable.append(
                (before + used + 1, lines[used].rstrip("\r\n"), f"cannot be cut in fields: {error}")
            )
            # after an error the reader starts afresh on the next line
            used = end


def _misfit(block: _Block, row: list[str], raw: list[str], line: int, width: int, layout: Layout) -> None:
    text = "".join(raw).rstrip("\r\n")
    if not text.strip() and layout.delimiter not in text:
        block.n_blank += 1
        return
    reason = f"has {len(row)} field{'s' * (len(row) != 1)}, the header has {width}"
    if len(raw) > 1:
        reason += f"; it runs to line {line + len(raw) - 1}: is a quote left open?"
    block.unreadable.append((line, text, reason))


def _open_quote(lines: list[str], before: int, layout: Layout, display: str, what: str) -> DataError:
    line = before + 1 + open_quote_line("".join(lines), layout)
    return DataError(
        f"The quote {layout.quote} that opens on line {line} {what}.",
        fix="Close it, or double it if it is meant as a character.",
        where=f"{display}, line {line}",
    )


def _hopeless(layout: Layout, block: _Block, display: str) -> DataError:
    line, _, reason = block.unreadable[0]
    return DataError(
        f"None of the first {HOPELESS:,} rows fits the header; the row {reason}.",
        fix=f"Is {layout.delimiter!r} the delimiter? Declare the right one.",
        where=f"{display}, line {line}",
    )


def _same_columns(names: list[str], columns: list[str], display: str, first: str) -> None:
    if sorted(names) == sorted(columns):
        return
    lacks = [c for c in columns if c not in names]
    adds = [c for c in names if c not in columns]
    parts = [f"lacks {', '.join(map(repr, lacks))}"] if lacks else []
    parts += [f"adds {', '.join(map(repr, adds))}"] if adds else []
    raise DataError(
        f"Its header {' and '.join(parts)}, compared with {first}.",
        fix="Read files with the same columns together, the others apart.",
        where=display,
    )


def _create(engine: DuckDBEngine, table_name: str, columns: list[str]) -> None:
    kinds = "".join(f"{ident(c)} VARCHAR, " for c in columns)
    engine.execute(f"CREATE TABLE {ident(table_name)} ({kinds}_file VARCHAR, _line BIGINT)")


def _to_arrow(block: _Block) -> pa.Table:
    import pyarrow as pa

    fields = [pa.array(column, pa.string()) for column in zip(*block.rows, strict=True)]
    names = [f"c{i}" for i in range(len(fields))]
    return pa.table([*fields, pa.array(block.lines, pa.int64())], names=[*names, "line"])


def _insert(engine: DuckDBEngine, table_name: str, waiting: list[pa.Table], layout: Layout, file: InputFile) -> None:
    import pyarrow as pa

    if not waiting:
        return
    batch = pa.concat_tables(waiting)
    waiting.clear()
    into = [ident(c) for c in layout.columns]
    values = [f"c{i}" for i in range(len(into))]
    for key, value in file.partitions.items():
        into.append(ident(key))
        values.append("NULL" if value is None else literal(value))
    source = f"{table_name}__block"
    engine.register(source, batch)
    try:
        engine.execute(
            f"INSERT INTO {ident(table_name)} ({', '.join(into)}, _file, _line) "
            f"SELECT {', '.join(values)}, {literal(file.display)}, line FROM {ident(source)}"
        )
    finally:
        engine.unregister(source)


def _set_aside(block: _Block, display: str) -> pa.Table:
    import pyarrow as pa

    lines, raws, reasons = zip(*block.unreadable, strict=True)
    return pa.table(
        [pa.array([display] * len(lines)), pa.array(lines, pa.int64()), pa.array(raws), pa.array(reasons)],
        schema=no_unreadable().schema,
    )


_limit_lock = threading.Lock()
_limit_users = 0
_limit_before = 0


@contextmanager
def _long_fields() -> Iterator[None]:
    # the limit belongs to the whole process: raised while anybody here reads, then given back
    global _limit_users, _limit_before
    with _limit_lock:
        if not _limit_users:
            _limit_before = csv.field_size_limit(2 * MAX_RECORD_CHARS + (1 << 22))
        _limit_users += 1
    try:
        yield
    finally:
        with _limit_lock:
            _limit_users -= 1
            if not _limit_users:
                csv.field_size_limit(_limit_before)
