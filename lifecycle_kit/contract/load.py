"""From a source to a dataset: find, read, check, store."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.canonical import is_canonical
from lifecycle_kit.contract.check import Checked, Watch, check_feeds
from lifecycle_kit.contract.currency import one_currency
from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.findings import found_in, look_for_oddities
from lifecycle_kit.contract.gather import Gathered, Roots, find_roots, gather
from lifecycle_kit.contract.open_dataset import hand_over
from lifecycle_kit.contract.parse import ParseOptions
from lifecycle_kit.contract.report import Account, CheckReport
from lifecycle_kit.contract.request import Request, prepare
from lifecycle_kit.contract.settle import settle
from lifecycle_kit.contract.sources import RawTable, reading
from lifecycle_kit.contract.sources.files import stem_of
from lifecycle_kit.contract.sqltext import ident, instant, literal
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.contract.typed import raw_row
from lifecycle_kit.engine.choose import DEADLINE_SECONDS, check_engine, open_engine
from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["check_gathered", "clear", "latest_time", "load", "load_request"]

# clocks of source and reader may differ, and so may their time zones
_TOLERANCE = dt.timedelta(days=1)


def load(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    mapping: str | os.PathLike[str] | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    now: dt.datetime | dt.date | str | None = None,
    name: str | None = None,
    memory_limit: str = "2GB",
    scratch: str | os.PathLike[str] | None = None,
    source_timezone: str | None = None,
    date_format: str | None = None,
    date_unit: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    negative_amount: str | None = None,
    duplicates: str | None = None,
    money_unit: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    engine: str = "duckdb",
    connection: str | None = None,
    deadline: float = DEADLINE_SECONDS,
) -> Dataset:
    """Read a shop's log, check every row, and return the frozen dataset.

    Parameters
    ----------
    source : path, or mapping of contract table to frame or path
        A folder with ``orders.csv``, ``events.parquet`` ...; a DuckDB file; one CSV or Parquet file (with a
        mapping, or called after its table); or ``{"orders": frame, ...}``.
    mapping : str or path, optional
        A mapping file, or the name of a shipped one. None: the one in the folder, if any.
    timezone : str, optional
        Business time zone: where a day ends. None: the folder's declaration, else UTC.
    currency : str, optional
        ISO 4217 code; orders of other currencies are set aside.
    now : datetime, date or text, optional
        Times after it (UTC; a day means its end) are in the future. None: the clock, with a day of tolerance.
    name : str, optional
        Name of the shop.
    memory_limit : str
        DuckDB's limit; beyond it, work goes to disk.
    scratch : path, optional
        Where the scratch database is made.
    source_timezone, date_format, date_unit, decimal, thousands, negative_amount, duplicates, money_unit
        See `ParseOptions`; they go before what a mapping file declares.
    delimiter, encoding
        Of text files; found by themselves where not declared.
    engine : {"duckdb", "postgres", "spark"}
        What answers. Reading and checking is DuckDB's work; the checked tables are then handed over.
    connection, deadline
        PostgreSQL only, as in `open_dataset`: the name of an environment variable, and seconds.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        The source cannot be read, lacks columns, or can be read in two ways. The message says what to declare.
    UsageError
        The call or the mapping file is wrong.
    """
    check_engine(engine, connection, deadline)
    if is_canonical(source):
        raise UsageError(f"{source} holds tables that were checked already.", fix="Use open_dataset instead of load.")
    request = prepare(
        source,
        mapping=mapping,
        timezone=timezone,
        currency=currency,
        now=now,
        name=name,
        memory_limit=memory_limit,
        scratch=scratch,
        source_timezone=source_timezone,
        date_format=date_format,
        date_unit=date_unit,
        decimal=decimal,
        thousands=thousands,
        negative_amount=negative_amount,
        duplicates=duplicates,
        money_unit=money_unit,
        delimiter=delimiter,
        encoding=encoding,
    )
    if engine == "duckdb":
        return load_request(request)
    # opened first: what cannot be reached is said before the long work, not after it
    other = open_engine(engine, connection=connection, memory_limit=memory_limit, scratch=scratch, deadline=deadline)
    try:
        with load_request(request) as dataset:
            return hand_over(dataset, other)
    except BaseException:
        other.close()
        raise


def load_request(request: Request, watch: Watch | None = None, roots: Roots | None = None) -> Dataset:
    """Return the dataset that was asked for.

    Parameters
    ----------
    roots : Roots, optional
        Where its raw tables are; None: looked for.
    watch : callable, optional
        Is shown the readable rows of every contract table before it is decided which of them stand twice or belong
        to test accounts.
    """
    from lifecycle_kit.engine.duckdb import DuckDBEngine

    engine = DuckDBEngine(memory_limit=request.memory_limit, scratch=request.scratch)
    # what is copied for the checks alone is not worth squeezing; what stays says itself how it is packed
    engine.execute("SET disabled_compression_methods = 'fsst,dict_fsst'")
    try:
        gathered = gather(engine, request, roots or find_roots(engine, request))
        with ExitStack() as stack:
            # a Parquet file is read now, and may turn out to be broken only now
            for raw in gathered.raws:
                stack.enter_context(reading(engine, raw))
            dataset = _build(engine, request, gathered, watch)
        clear(engine)
        return dataset
    except BaseException:
        engine.close()
        raise


def _build(engine: DuckDBEngine, request: Request, gathered: Gathered, watch: Watch | None) -> Dataset:
    checked, code = check_gathered(engine, request, gathered, watch)
    engine.execute("RESET disabled_compression_methods")
    first_at, last_at = settle(engine, checked, request.business)
    if first_at is None:
        raise DataError("There is no touchpoint in the data.", fix="Give at least orders or events.")
    checked.warnings += look_for_oddities(engine, checked)
    n_rows = {t: engine.rows(f"SELECT count(*) FROM {ident(t)}")[0][0] for t in checked.clean}
    title = request.name or request.declared.name or gathered.name
    report = CheckReport(
        name=title,
        timezone=request.business,
        currency=code,
        tables=tuple(checked.accounts),
        n_rows=n_rows,
        files=tuple(f for raw in gathered.raws for f in raw.files),
        notes=(*gathered.notes, *(n for raw in gathered.raws for n in raw.notes), *_together(checked.notes)),
        warnings=tuple(w for w in checked.warnings if w.n),
        capabilities=found_in(engine, checked),
        set_aside=engine.arrow('SELECT file, line, tbl AS "table", reasons, raw FROM _aside ORDER BY ALL'),
    )
    return Dataset(engine, title, request.business, code, report, first_at, last_at, n_rows)


def check_gathered(
    engine: DuckDBEngine,
    request: Request,
    gathered: Gathered,
    watch: Watch | None = None,
    *,
    may_be_empty: bool = False,
) -> tuple[Checked, str | None]:
    """Return what the checks of the raw tables leave behind, and the currency of the amounts."""
    options = [f.options for f in gathered.feeds]
    declared = next((o.currency for o in options if o.currency), request.declared.currency)
    code = one_currency(engine, gathered.feeds, declared)
    checked = check_feeds(
        engine,
        gathered.feeds,
        business_timezone=request.business,
        future=instant(latest_time(options)),
        currency=code,
        watch=watch,
        may_be_empty=may_be_empty,
    )
    _set_unreadable_aside(engine, gathered, checked)
    return checked, code


def latest_time(options: Iterable[ParseOptions]) -> dt.datetime:
    """Return the instant after which times are in the future: as declared, or the clock with a day of tolerance."""
    declared = next((o.cutoff for o in options if o.cutoff), None)
    return declared or dt.datetime.now(dt.UTC).replace(tzinfo=None) + _TOLERANCE


def _set_unreadable_aside(engine: DuckDBEngine, gathered: Gathered, checked: Checked) -> None:
    """Account for lines that no column could be read from, and for lines that no route takes."""
    for raw in gathered.raws:
        own = {f.table for f in gathered.feeds if f.raw is raw}
        table = _source_label(raw) if gathered.unrouted else next(iter(own))
        n = raw.unreadable.num_rows
        if n:
            engine.register("_unreadable", raw.unreadable)
            engine.execute(
                f"""INSERT INTO _aside SELECT {literal(table)}, file, line, [reason],
                to_json(raw)::VARCHAR, NULL FROM _unreadable"""
            )
            engine.unregister("_unreadable")
        if raw.name in gathered.unrouted:
            # INSERT says how many; the label may be that of a contract table, so a count of it would say too much
            ((n_unrouted,),) = engine.rows(
                f"""INSERT INTO _aside SELECT {literal(table)}, _file, _line, _reasons, {raw_row(raw)}, NULL
                FROM ({gathered.unrouted[raw.name]})"""
            )
            n += n_unrouted
        if not n:
            continue
        at = next((i for i, a in enumerate(checked.accounts) if a.table == table), None)
        if at is None:
            checked.accounts.append(Account(table, n, 0, n))
        else:
            a = checked.accounts[at]
            checked.accounts[at] = Account(
                table, a.n_read + n, a.n_kept, a.n_set_aside + n, a.cents_read, a.cents_kept, a.cents_set_aside
            )


def clear(engine: DuckDBEngine) -> None:
    """Drop what only the checks needed; from here on the source files are not read again."""
    kept = {f"_{table}" for table in TABLES}
    for kind in ("VIEW", "TABLE"):
        for (name,) in engine.rows(f"SELECT {kind.lower()}_name FROM duckdb_{kind.lower()}s() WHERE NOT internal"):
            if name.startswith("_") and name not in kept:
                engine.execute(f"DROP {kind} {ident(name)}")


def _source_label(raw: RawTable) -> str:
    """Name of a source as accounts show it: its file, without folders or ending."""
    return stem_of(os.path.basename(raw.files[0].display))


def _together(notes: list[str]) -> list[str]:
    """Say once what holds for several columns."""
    columns: dict[str, list[str]] = {}
    for note in notes:
        column, _, text = note.partition(": ")
        columns.setdefault(text, []).append(column)
    return [f"{', '.join(names)}: {text}" for text, names in columns.items()]
