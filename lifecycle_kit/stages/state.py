"""A saved state: the next snapshot reads only what arrived since, and answers as a full pass would."""

from __future__ import annotations

import datetime as dt
import os
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lifecycle_kit.calendar import closing_instant
from lifecycle_kit.contract.book import Book, accounts_of, read_book
from lifecycle_kit.contract.canonical import is_canonical
from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.kept import ALIAS
from lifecycle_kit.contract.ledger import Listing, list_source
from lifecycle_kit.contract.report import Account, CheckReport
from lifecycle_kit.contract.request import prepare
from lifecycle_kit.engine.attached import attach, clear_file_errors
from lifecycle_kit.errors import UsageError
from lifecycle_kit.lock import path_lock
from lifecycle_kit.stages.model import UNPLACED, StageModel
from lifecycle_kit.stages.moment import AsOf, resolve_moment
from lifecycle_kit.stages.projection import counts_at, events_heard, extent, members_at
from lifecycle_kit.stages.refresh import refresh, sweep
from lifecycle_kit.stages.snapshot import Snapshot, beside_earlier, look

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["STATE_FILE", "State", "open_state"]

STATE_FILE = "state.duckdb"


@dataclass(frozen=True, eq=False, repr=False)
class State:
    """Everybody's spells, saved, with what is needed to bring them up to date. Made by `open_state`; close it.

    Attributes
    ----------
    path : Path
        The file.
    model : StageModel
    name, timezone : str
        Of the dataset.
    notes : tuple of str
        What was read now; and where everything was, why.
    assumed : tuple of str
        What was assumed about amounts.
    accounts : tuple of Account
        Per table, lines read, kept and set aside, of all that was ever read.
    files : tuple of Path
        What was read.
    """

    path: Path
    model: StageModel
    name: str
    timezone: str
    notes: tuple[str, ...]
    assumed: tuple[str, ...]
    accounts: tuple[Account, ...]
    files: tuple[Path, ...]
    _dataset: Dataset = field(repr=False)
    _engine: DuckDBEngine = field(repr=False)
    _stack: ExitStack = field(repr=False)

    def __repr__(self) -> str:
        return f"State({self.name!r}, {self.model.name!r}, {self.path.name})"

    def snapshot(self, as_of: AsOf | None = None) -> Snapshot:
        """Return how many people, and who, are in each status, as `snapshot` does.

        Raises
        ------
        UsageError
            When the date lies before the log.
        """
        moment = resolve_moment(self._dataset, self.model, as_of)
        with clear_file_errors(self.path):
            people, n_not_met = members_at(self._engine, self.model, moment.instant)
        return Snapshot(self.model, moment, people, n_not_met, (*moment.warnings, *look(self.model, people)))

    def changes(self, as_of: AsOf | None = None) -> tuple[Snapshot, pd.DataFrame]:
        """Return a snapshot, and its counts beside those of a month and a year before, as `snapshot_changes` does."""
        names = {status.rank: status.id for status in self.model.by_rank} | {0: UNPLACED}

        def counts_on(day: dt.date) -> Mapping[str, int]:
            with clear_file_errors(self.path):
                found = counts_at(self._engine, closing_instant(day, self.timezone))
            return {names[rank]: n for rank, n in found.items()}

        now = self.snapshot(as_of)
        return now, beside_earlier(now, self._dataset, counts_on)

    def to_frame(self) -> pd.DataFrame:
        """Return what the state holds: one row per table of its file, table and n_rows."""
        import pandas as pd

        tables = self._engine.rows(
            f"SELECT table_name FROM duckdb_tables() WHERE database_name = '{ALIAS}' ORDER BY table_name"
        )
        counts = [self._engine.rows(f"SELECT count(*) FROM {ALIAS}.{table}")[0][0] for (table,) in tables]
        return pd.DataFrame({"table": [table for (table,) in tables], "n_rows": counts})

    def set_aside(self) -> pa.Table:
        """Return every line set aside so far: file, line, table, reasons (list of text)."""
        return self._engine.arrow(
            f"""SELECT file, line, tbl AS "table", reasons FROM {ALIAS}.aside
            UNION ALL SELECT file, line, tbl, reasons FROM {ALIAS}.dropped ORDER BY ALL"""
        )

    def close(self) -> None:
        """Give back the file and its lock. Safe to call twice."""
        self._stack.close()

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_state(
    folder: str | os.PathLike[str],
    source: str | os.PathLike[str] | Mapping[str, Any],
    model: StageModel | None = None,
    **declared: Any,
) -> State:
    """Bring the state in a folder up to date with a source, or make it, and return it.

    Only files that came since are read, where the source has folders of files (``events/2025-06-30.parquet``). A
    changed file, declaration or model, or another version of the kit, makes the state anew; `State.notes` says so.

    Parameters
    ----------
    folder : path
        Where the state is kept, and nothing else; made if it is not there.
    source : path, or mapping of contract table to path
        As in `load`, without data frames. A file counts as unchanged while its size and time are.
    model : StageModel, optional
        The company's map. None: the shipped one that the data can feed.
    **declared
        What `load` takes besides.

    Raises
    ------
    UsageError
        The folder cannot hold a state, or the call is wrong.
    DataError
        As in `load`.
    RunError
        Another run has the state, it is damaged, or the disk or memory is too small. What was there still is.
    """
    if model is not None and not isinstance(model, StageModel):
        raise UsageError(f"{model!r} is not a StageModel.", fix="Give what load_model(...) returns.")
    if is_canonical(source):
        raise UsageError(f"{source} holds tables that were checked already.", fix="Give the files they came from.")
    request = prepare(_absolute(source), **declared)
    path = Path(os.path.abspath(folder)) / STATE_FILE
    listing = list_source(request)
    _check_folder(path, request.source, listing)
    with ExitStack() as stack:
        stack.enter_context(path_lock(path, "state"))
        sweep(path)
        chosen, done = refresh(path, request, listing, model)
        state = _opened(path, chosen, done, listing, stack, request.memory_limit, request.scratch)
        # from here on the state itself lets go of the file
        kept = stack.pop_all()
        weakref.finalize(state, kept.close)
        object.__setattr__(state, "_stack", kept)
    return state


def _opened(
    path: Path,
    model: StageModel,
    done: str,
    listing: Listing,
    stack: ExitStack,
    memory_limit: str,
    scratch: str | os.PathLike[str] | None,
) -> State:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

    engine = DuckDBEngine(memory_limit=memory_limit, scratch=scratch)
    stack.callback(engine.close)
    attach(engine, path, ALIAS)
    with clear_file_errors(path):
        book = read_book(engine)
        assert book is not None
        accounts = accounts_of(engine, book)
        dataset = _told(engine, book, accounts)
    files = tuple(listing.paths.values())
    notes = (done,)
    return State(
        path, model, book.name, book.timezone, notes, tuple(book.notes), accounts, files, dataset, engine, stack
    )


def _told(engine: DuckDBEngine, book: Book, accounts: tuple[Account, ...]) -> Dataset:
    """Return the dataset as far as questions about moments need it: its span, and the names of its events."""
    from lifecycle_kit.contract.sources.describe import no_unreadable

    names = ", ".join(f"('{name.replace(chr(39), chr(39) * 2)}')" for name in events_heard(engine))
    listed = f"(VALUES {names}) AS v(event)" if names else "(SELECT NULL::VARCHAR AS event WHERE FALSE)"
    engine.execute(f"CREATE VIEW log AS SELECT event FROM {listed}")
    currency = book.manner.currency
    report = CheckReport(
        book.name, book.timezone, currency, accounts, {}, (), tuple(book.notes), (), {}, no_unreadable()
    )
    return Dataset(engine, book.name, book.timezone, currency, report, *extent(engine), {})


def _absolute(source: Any) -> Any:
    """Return a source whose files are called the same from wherever it is named."""
    if isinstance(source, str | os.PathLike):
        return Path(os.path.abspath(source))
    if isinstance(source, Mapping):
        return {name: _absolute(value) for name, value in source.items()}
    return source


def _check_folder(path: Path, source: Any, listing: Listing) -> None:
    """Make the folder of a state; refuse one that is part of the source."""
    home = path.parent
    places = [file.parent for file in listing.paths.values()] if listing.roots is not None else []
    if isinstance(source, Path) and source.is_dir():
        places.append(source)
    if home.resolve() in {place.resolve() for place in places}:
        raise UsageError(
            f"{home.name} holds the source; a state there would be taken for a part of it.",
            fix="Name a folder of its own.",
        )
    if home.exists() and not home.is_dir():
        raise UsageError(f"{home} is a file, not a folder.", fix="Name a folder for the state.")
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The folder {home.name} cannot be made: {error.strerror or error}.", fix="Name a folder you may write to."
        ) from error
