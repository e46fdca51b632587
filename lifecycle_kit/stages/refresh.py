"""A saved state is brought up to date: by what is new alone where that gives what reading everything would."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.contract.arrivals import Collector, UnfitError, take_in
from lifecycle_kit.contract.book import Book, first_book, made_by, read_book, write_book
from lifecycle_kit.contract.capabilities import capabilities_of
from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.kept import ALIAS, numbered_alike, spread
from lifecycle_kit.contract.ledger import Listing, News, compare
from lifecycle_kit.contract.load import latest_time, load_request
from lifecycle_kit.contract.rejudge import rejudge
from lifecycle_kit.engine.attached import attach, clear_file_errors, detach, transaction
from lifecycle_kit.errors import UsageError
from lifecycle_kit.stages.model_file import suited_model
from lifecycle_kit.stages.projection import TABLES, create_tables, project_people, project_spells, put, visits_after

if TYPE_CHECKING:
    from lifecycle_kit.contract.report import CheckReport
    from lifecycle_kit.contract.request import Request
    from lifecycle_kit.engine.duckdb import DuckDBEngine
    from lifecycle_kit.stages.model import StageModel

__all__ = ["refresh", "sweep"]

# a state whose replaced spells outnumber those that stand, and these, is written anew as a whole
_WORTH_IT = 500_000


def refresh(path: Path, request: Request, listing: Listing, model: StageModel | None) -> tuple[StageModel, str]:
    """Bring the state at `path` up to date, or make it; return its model, and what was done in one sentence."""
    from lifecycle_kit.engine.duckdb import DuckDBEngine

    if not path.exists():
        return _build(path, request, listing, model, "there was no state")
    engine = DuckDBEngine(memory_limit=request.memory_limit, scratch=request.scratch)
    try:
        with clear_file_errors(path):
            attach(engine, path, ALIAS)
            found = _by_news(engine, path, request, listing, model)
    finally:
        engine.close()
    return found if isinstance(found, tuple) else _build(path, request, listing, model, found)


def sweep(path: Path) -> None:
    """Remove what killed runs left behind: parts that never became a state."""
    for part in path.parent.glob(f".{path.name}.*.part*"):
        with suppress(OSError):
            part.unlink()


def _by_news(
    engine: DuckDBEngine, path: Path, request: Request, listing: Listing, model: StageModel | None
) -> tuple[StageModel, str] | str:
    """Add what is new to the attached state; a text says why everything must be read instead."""
    book = read_book(engine)
    if book is None:
        raise UsageError(
            f"{path.name} is a DuckDB file, but no saved state of this kit.", fix="Name another folder for the state."
        )
    if book.made_by != made_by(engine):
        return f"it was made by another version ({book.made_by})"
    if model is not None and model.hash_ != book.model:
        return f"the stage model changed ({book.model} to {model.hash_})"
    if reason := book.manner.why_not(request):
        return reason
    news = compare(listing, book.files, book.folders if book.keeps_rows else ())
    if news.reason:
        why = f", {book.manner.whole}" if book.manner.whole else ""
        return f"{news.reason}{why}"
    if not news.added and not news.restamped:
        done = _chosen(engine, request, book, model), "Nothing new to read."
    else:
        try:
            done = _add(engine, path, request, listing, model, book, news)
        except UnfitError as error:
            return error.problem
    detach(engine, path, ALIAS)
    return done


def _add(
    engine: DuckDBEngine,
    path: Path,
    request: Request,
    listing: Listing,
    model: StageModel | None,
    book: Book,
    news: News,
) -> tuple[StageModel, str]:
    if not news.added:
        with transaction(engine, path):
            write_book(engine, book.restamped(news.restamped))
        return _chosen(engine, request, book, model), "Nothing new to read."
    arrived = take_in(engine, request, listing.some(news.added))
    told = book.with_news(arrived, listing, news.added).restamped(news.restamped)
    relations = {
        table: [f"{ALIAS}.rows_{table}", *([arrived.relations[table]] if table in arrived.relations else [])]
        for table in book.manner.columns
    }
    if numbered_alike(engine, relations):
        raise UnfitError("events may name orders by numbers that the reader gave them")
    n_touched = spread(engine, relations, arrived.relations)
    dataset = rejudge(engine, told.manner, relations, name=book.name, timezone=book.timezone)
    project_people(engine)
    chosen = _chosen(engine, request, book, model)
    project_spells(dataset, chosen, engine)
    ((n_replaced,),) = engine.rows(
        f"""SELECT count(*) FROM {ALIAS}.spells WHERE number IN
        (SELECT number FROM {ALIAS}.persons WHERE actor IN (FROM touched))"""
    )
    told = replace(told, n_replaced=book.n_replaced + n_replaced)
    with transaction(engine, path):
        for table, relation in arrived.relations.items():
            engine.execute(f"INSERT INTO {ALIAS}.rows_{table} BY NAME FROM {relation} ORDER BY actor")
        engine.execute(f"INSERT INTO {ALIAS}.aside SELECT tbl, file, line, reasons, raw FROM arrived_aside")
        engine.execute(
            f"""DELETE FROM {ALIAS}.spells WHERE number IN
            (SELECT number FROM {ALIAS}.persons WHERE actor IN (FROM touched))"""
        )
        for table in ("persons", "dropped"):
            engine.execute(f"DELETE FROM {ALIAS}.{table} WHERE actor IN (FROM touched)")
        engine.execute(f"INSERT INTO {ALIAS}.dropped BY NAME FROM rejudged_aside")
        put(engine)
        write_book(engine, told.with_notes(engine))
    _compact_if_worth_it(engine, path, told)
    n_lines = sum(numbers[0] for numbers in arrived.accounts.values())
    return (
        chosen,
        f"Read {_count(len(news.added), 'new file')} ({n_lines:,} lines); {_count(n_touched, 'person')} placed anew.",
    )


def _build(
    path: Path, request: Request, listing: Listing, model: StageModel | None, why: str
) -> tuple[StageModel, str]:
    """Read everything and write a whole new state, which then takes the place of the one there is, if any."""
    attached = False

    def store(engine: DuckDBEngine, table: str, rows: str) -> None:
        nonlocal attached
        if not attached:
            attach(engine, part, ALIAS)
            attached = True
        if listing.folders and collector.manner.whole is None:
            # while it reads, the loader packs little; what is kept should be small
            ((packing,),) = engine.rows("SELECT current_setting('disabled_compression_methods')")
            engine.execute("RESET disabled_compression_methods")
            engine.execute(f"CREATE TABLE {ALIAS}.rows_{table} AS {rows} ORDER BY actor")
            engine.execute(f"SET disabled_compression_methods = '{packing}'")

    collector = Collector(store, latest_time(()))
    with _part(path) as part, clear_file_errors(path):
        roots = None if listing.roots is None else listing.some(listing.entries)
        dataset = load_request(request, collector, roots)
        try:
            engine: DuckDBEngine = dataset.engine  # type: ignore[assignment]
            chosen = model or suited_model(dataset)
            manner = replace(collector.manner, fingerprint=request.fingerprint, currency=dataset.currency)
            manner = replace(manner, whole=_whole(engine, manner.whole, listing, dataset.report, manner.columns))
            if manner.whole is not None:
                for table in manner.columns:
                    engine.execute(f"DROP TABLE IF EXISTS {ALIAS}.rows_{table}")
            book = first_book(engine, dataset, manner, listing, chosen.hash_)
            create_tables(engine)
            project_people(engine)
            project_spells(dataset, chosen, engine)
            put(engine)
            write_book(engine, book)
            detach(engine, part, ALIAS)
        finally:
            dataset.close()
    return chosen, f"Everything was read: {why}."


def _whole(
    engine: DuckDBEngine, known: str | None, listing: Listing, report: CheckReport, tables: Iterable[str]
) -> str | None:
    """Return why nothing can be added to a source that was just read."""
    if known or not listing.folders:
        return known
    names = [file.display for file in report.files]
    if len(set(names)) < len(names):
        return "two of its files have one name"
    if numbered_alike(engine, {table: [f"{ALIAS}.rows_{table}"] for table in tables}):
        return "events may name orders by numbers that the reader gave them"
    return None


def _chosen(engine: DuckDBEngine, request: Request, book: Book, model: StageModel | None) -> StageModel:
    """Return the model of the spells: the one asked for, or that which the data can feed.

    Raises
    ------
    UnfitError
        When the data can feed another model now than the one of the spells.
    """
    if model is not None:
        return model
    from lifecycle_kit.contract.report import CheckReport
    from lifecycle_kit.contract.sources.describe import no_unreadable

    feeds = capabilities_of({f"event:{name}" for name in visits_after(engine)})
    report = CheckReport(book.name, book.timezone, None, (), {}, (), (), (), feeds, no_unreadable())
    chosen = suited_model(Dataset(engine, book.name, book.timezone, None, report, None, None, {}))
    if chosen.hash_ != book.model:
        raise UnfitError(f"the stage model that suits the data changed (to {chosen.name})")
    return chosen


def _compact_if_worth_it(engine: DuckDBEngine, path: Path, book: Book) -> None:
    """Write the state anew, without what was replaced, where that is most of it."""
    ((n_standing,),) = engine.rows(f"SELECT count(*) FROM {ALIAS}.spells")
    if book.n_replaced < max(_WORTH_IT, n_standing):
        return
    with _part(path) as part:
        attach(engine, part, "whole")
        for (table,) in engine.rows(f"SELECT table_name FROM duckdb_tables() WHERE database_name = '{ALIAS}'"):
            order = TABLES.get(table, "actor" if table.startswith("rows_") else "ALL")
            engine.execute(f"CREATE TABLE whole.{table} AS FROM {ALIAS}.{table} ORDER BY {order}")
        engine.execute(f"DETACH {ALIAS}")
        engine.execute("DETACH whole")
        engine.execute(f"ATTACH '{part}' AS {ALIAS}")
        with transaction(engine, part):
            write_book(engine, replace(book, n_replaced=0).with_notes(engine))
        detach(engine, part, ALIAS)
    attach(engine, path, ALIAS)


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Give a path to write a whole state to; when that went well, it takes the place of the old one in one step."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        with clear_os_errors_of(path):
            with part.open("rb") as written:
                os.fsync(written.fileno())
            # what an older state had not yet taken in belongs to that one
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
            os.replace(part, path)
    finally:
        for left in (part, part.with_name(f"{part.name}.wal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


@contextmanager
def clear_os_errors_of(path: Path) -> Iterator[None]:
    """Turn what the system says about a state into a RunError."""
    from lifecycle_kit.errors import RunError

    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path.name} cannot be written: {error.strerror or error}.", fix="Name another folder for the state."
        ) from error


def _count(n: int, what: str) -> str:
    plural = {"person": "people"}.get(what, f"{what}s")
    return f"{n:,} {what if n == 1 else plural}"
