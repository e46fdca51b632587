"""What a saved state knows beside rows and spells: the files it read, how it read them, and the account of lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.arrivals import COUNT_ASIDE, Arrived, Manner
from lifecycle_kit.contract.kept import ALIAS, told_columns
from lifecycle_kit.contract.ledger import Entry, Listing
from lifecycle_kit.contract.report import Account
from lifecycle_kit.contract.rules import MONEY
from lifecycle_kit.contract.sqltext import ident, literal

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.contract.sources import RawFile
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Book", "accounts_of", "first_book", "made_by", "read_book", "write_book"]

# changes whenever the tables of a state, or what a saved spell means, change
_FORMAT = 1
_MARK = "lifecycle-kit state"


@dataclass(frozen=True)
class Book:
    """The facts of a saved state.

    Attributes
    ----------
    made_by : str
        Versions of the format, the kit and DuckDB: another one makes the state anew.
    name, timezone : str
    manner : Manner
        How the source was read.
    model : str
        Hash of the stage model of the spells.
    files : dict of Entry
        Every file that was read, with its SHA-256.
    folders : list of str
        Roots to which files may come.
    accounts : dict
        Table as accounts call it -> lines read and lines that are no rows; amounts of both in cents, None without.
    notes : list of str
        What was assumed about amounts.
    n_replaced : int
        Spells that were replaced since the file was written as a whole.
    """

    made_by: str
    name: str
    timezone: str
    manner: Manner
    model: str
    files: dict[Entry, str | None] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    accounts: dict[str, list[int | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    n_replaced: int = 0

    @property
    def keeps_rows(self) -> bool:
        """Whether files can be added without reading everything."""
        return bool(self.folders) and self.manner.whole is None

    def with_news(self, arrived: Arrived, listing: Listing, entries: Iterable[Entry]) -> Book:
        """Return the book after new files were read."""
        accounts = {table: list(numbers) for table, numbers in self.accounts.items()}
        for table, more in arrived.accounts.items():
            known = accounts.get(table, [0, 0, 0, 0])
            accounts[table] = [None if n is None else n + m for n, m in zip(known, more, strict=True)]
        manner = self.manner.with_news(arrived.manner)
        files = self.files | digests(listing, entries, arrived.files)
        return replace(self, manner=manner, accounts=accounts, files=files)

    def restamped(self, entries: Iterable[Entry]) -> Book:
        """Return the book after files got another time, and kept their content."""
        stamped = {entry.id: entry for entry in entries}
        return replace(self, files={stamped.get(entry.id, entry): digest for entry, digest in self.files.items()})

    def with_notes(self, engine: DuckDBEngine) -> Book:
        """Return the book with the note on negative amounts as the kept rows have it now."""
        if self.manner.negative_amount != "refund" or "orders" not in self.manner.columns:
            return self
        ((n, cents),) = engine.rows(f"SELECT count(*), sum(net_revenue) FROM {ALIAS}.rows_orders WHERE net_revenue < 0")
        notes = [note for note in self.notes if "negative amounts" not in note]
        if n:
            notes.append(f"orders: {n:,} negative amounts ({cents / 100:,.2f}) are read as order_refunded events")
        return replace(self, notes=notes)


def made_by(engine: DuckDBEngine) -> str:
    """Return what must stay the same for a state to be understood."""
    ((database,),) = engine.rows("SELECT version()")
    return f"format {_FORMAT}, lifecycle-kit {version('lifecycle-kit')}, DuckDB {database}"


def first_book(engine: DuckDBEngine, dataset: Dataset, manner: Manner, listing: Listing, model: str) -> Book:
    """Return the book of a source that was read as a whole; the tables `aside` and `dropped` are filled.

    The rows that are kept, if any are, must be in their tables already.
    """
    report = dataset.report
    folders = sorted(listing.folders)
    book = Book(
        made_by(engine),
        dataset.name,
        dataset.timezone,
        manner,
        model,
        digests(listing, listing.entries, report.files),
        folders,
        notes=[n for n in report.notes if "money_unit" in n or "negative amounts" in n],
    )
    engine.register("set_aside", report.set_aside)
    empty = (
        "SELECT NULL::VARCHAR AS tbl, NULL::VARCHAR AS _file, NULL::BIGINT AS _line, 0::UBIGINT, 0::BIGINT WHERE FALSE"
    )
    rows = " UNION ALL ".join(_amounts(t, c) for t, c in manner.columns.items()) if book.keeps_rows else empty
    engine.execute(
        f"""CREATE TABLE {ALIAS}.dropped AS
        SELECT r.actor, r.tbl, r._file AS file, r._line AS line, a.reasons, r.amount
        FROM set_aside a JOIN ({rows}) AS r(tbl, _file, _line, actor, amount)
        ON r.tbl = a."table" AND r._file = a.file AND r._line = a.line"""
    )
    engine.execute(
        f"""CREATE TABLE {ALIAS}.aside AS SELECT a."table" AS tbl, a.file, a.line, a.reasons, a.raw FROM set_aside a
        ANTI JOIN {ALIAS}.dropped d ON d.tbl = a."table" AND d.file = a.file AND d.line = a.line"""
    )
    engine.unregister("set_aside")
    dropped = {t: (n, int(cents)) for t, n, cents in engine.rows(COUNT_ASIDE.format(f"{ALIAS}.dropped"))}
    accounts: dict[str, list[int | None]] = {}
    for a in report.tables:
        n, cents = dropped.get(a.table, (0, 0))
        of_bad = None if a.cents_set_aside is None else a.cents_set_aside - cents
        accounts[a.table] = [a.n_read, a.n_set_aside - n, a.cents_read, of_bad]
    return replace(book, accounts=accounts)


def accounts_of(engine: DuckDBEngine, book: Book) -> tuple[Account, ...]:
    """Return the account of every table: kept + set aside = read."""
    dropped = {t: (n, int(cents)) for t, n, cents in engine.rows(COUNT_ASIDE.format(f"{ALIAS}.dropped"))}
    found = []
    for table, (n_read, n_bad, cents_read, cents_bad) in book.accounts.items():
        n, cents = dropped.get(table, (0, 0))
        n_aside = (n_bad or 0) + n
        money = (None, None, None)
        if cents_read is not None and cents_bad is not None:
            money = (cents_read, cents_read - cents_bad - cents, cents_bad + cents)  # type: ignore[assignment]
        found.append(Account(table, n_read or 0, (n_read or 0) - n_aside, n_aside, *money))
    return tuple(found)


def read_book(engine: DuckDBEngine) -> Book | None:
    """Return the book of the attached state; None where the file is somebody else's."""
    found = engine.rows(f"SELECT 1 FROM duckdb_tables() WHERE database_name = {literal(ALIAS)} AND table_name = 'book'")
    if not found:
        return None
    told = engine.rows(f"SELECT mark, told FROM {ALIAS}.book")
    if len(told) != 1 or told[0][0] != _MARK:
        return None
    plain: dict[str, Any] = json.loads(told[0][1])
    if plain["made_by"] != made_by(engine):
        # another version may have written anything
        return Book(plain["made_by"], "", "", Manner(), "")
    files = {Entry(*row[:4]): row[4] for row in engine.rows(f"SELECT * FROM {ALIAS}.files")}
    return Book(**plain | {"manner": Manner(**plain["manner"]), "files": files})


def write_book(engine: DuckDBEngine, book: Book) -> None:
    """Put a book in the place of the one before, if any."""
    import pyarrow as pa

    told = json.dumps(asdict(replace(book, files={})))
    engine.execute(f"CREATE TABLE IF NOT EXISTS {ALIAS}.book (mark VARCHAR, told VARCHAR)")
    engine.execute(
        f"""CREATE TABLE IF NOT EXISTS {ALIAS}.files
        (root VARCHAR, name VARCHAR, size_bytes BIGINT, mtime_ns BIGINT, sha256 VARCHAR)"""
    )
    engine.execute(f"DELETE FROM {ALIAS}.book")
    engine.execute(f"INSERT INTO {ALIAS}.book VALUES ({literal(_MARK)}, {literal(told)})")
    engine.execute(f"DELETE FROM {ALIAS}.files")
    rows = [(e.root, e.name, e.size_bytes, e.mtime_ns, digest) for e, digest in book.files.items()]
    names = ["root", "name", "size_bytes", "mtime_ns", "sha256"]
    kinds = [pa.string(), pa.string(), pa.int64(), pa.int64(), pa.string()]
    columns = [pa.array(c, k) for c, k in zip(zip(*rows, strict=True), kinds, strict=True)]
    engine.register("book_files", pa.table(columns, names=names))
    engine.execute(f"INSERT INTO {ALIAS}.files FROM book_files")
    engine.unregister("book_files")


def digests(listing: Listing, entries: Iterable[Entry], files: Iterable[RawFile]) -> dict[Entry, str | None]:
    """Return entries with the SHA-256 of what was read of them."""
    by_path: Mapping[Path | None, str | None] = {f.path: f.sha256 for f in files}
    return {entry: by_path.get(listing.paths[entry.id].resolve()) for entry in entries}


def _amounts(table: str, given: Iterable[str]) -> str:
    column = MONEY.get(table)
    amount = ident(column) if column in told_columns(table, given) else "NULL::BIGINT"
    return f"SELECT {literal(table)}, _file, _line, actor, {amount} FROM {ALIAS}.rows_{table}"
