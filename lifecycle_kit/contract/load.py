"""From a source to a dataset: find, read, check, store."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle_kit.calendar import zone
from lifecycle_kit.contract.check import Checked, check_feeds
from lifecycle_kit.contract.currency import one_currency
from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.declaration import DATASET_FILES, Declaration, find_declaration
from lifecycle_kit.contract.feeds import Feed, plain_feed
from lifecycle_kit.contract.findings import found_in, look_for_oddities
from lifecycle_kit.contract.log import create_log, store_tables
from lifecycle_kit.contract.parse import ParseOptions
from lifecycle_kit.contract.people import build_persons
from lifecycle_kit.contract.report import Account, CheckReport
from lifecycle_kit.contract.routes import routed_feeds, split_whitespace
from lifecycle_kit.contract.rules import MONEY
from lifecycle_kit.contract.sources import RawTable, SourceOptions, discover, read_source, reading
from lifecycle_kit.contract.sources.files import stem_of
from lifecycle_kit.contract.sqltext import ident, instant, literal
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.contract.typed import raw_row
from lifecycle_kit.errors import DataError, RunError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from lifecycle_kit.contract.mapping import MappingFile
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["load"]

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
    from lifecycle_kit.engine.duckdb import DuckDBEngine

    given = {
        "source_timezone": source_timezone,
        "date_format": date_format,
        "date_unit": date_unit,
        "decimal": decimal,
        "thousands": thousands,
        "currency": currency,
        "negative_amount": negative_amount,
        "duplicates": duplicates,
        "now": now,
        "money_unit": money_unit,
    }
    overrides = {k: v for k, v in given.items() if v is not None}
    ParseOptions.declared(overrides)
    declared = find_declaration(source, mapping)
    business = timezone or declared.timezone or "UTC"
    zone(business)
    text = SourceOptions(delimiter=delimiter, encoding=encoding)
    engine = DuckDBEngine(memory_limit=memory_limit, scratch=scratch)
    # what is copied for the checks alone is not worth squeezing; what stays says itself how it is packed
    engine.execute("SET disabled_compression_methods = 'fsst,dict_fsst'")
    try:
        gathered = _gather(engine, source, declared, overrides, text)
        with ExitStack() as stack:
            # a Parquet file is read now, and may turn out to be broken only now
            for raw in gathered.raws:
                stack.enter_context(reading(engine, raw))
            dataset = _build(engine, gathered, declared, overrides, business=business, name=name)
        _clear(engine)
        return dataset
    except BaseException:
        engine.close()
        raise


@dataclass(frozen=True, eq=False)
class _Gathered:
    """The raw tables, what flows out of them, and the accounts of lines that flow nowhere."""

    raws: tuple[RawTable, ...]
    feeds: list[Feed]
    name: str
    # lines that a mapping takes nowhere, by raw table: SQL that gives _file, _line, _reasons
    unrouted: dict[str, str]
    notes: tuple[str, ...] = ()


def _gather(
    engine: DuckDBEngine,
    source: str | os.PathLike[str] | Mapping[str, Any],
    declared: Declaration,
    overrides: dict[str, Any],
    text: SourceOptions,
) -> _Gathered:
    if declared.mapping is not None:
        raws = _read_mapped(engine, source, declared.mapping, text)
        feeds, unrouted = routed_feeds(engine, declared.mapping, raws, overrides)
        return _Gathered(tuple(raws.values()), feeds, declared.name or declared.mapping.name, unrouted)
    options = ParseOptions.declared({**declared.parse, **overrides})
    found, label, notes = _contract_sources(engine, source)
    raws = {t: read_source(engine, s, table_name=f"_raw_{t}", options=text) for t, s in found.items()}
    feeds = [plain_feed(t, r, options) for t, r in raws.items()]
    return _Gathered(tuple(raws.values()), feeds, label, {}, notes)


def _contract_sources(
    engine: DuckDBEngine, source: str | os.PathLike[str] | Mapping[str, Any]
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    if isinstance(source, Mapping):
        for table in source:
            if table not in TABLES:
                raise UnknownNameError("table", str(table), TABLES)
        if not source:
            raise UsageError("The source is an empty mapping.", fix="Give at least {'orders': frame}.")
        return {t: source[t] for t in TABLES if t in source}, "shop", ()
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"{type(source).__name__} is not a source.",
            fix="Give a path, or a dict such as {'orders': frame}.",
        )
    found = discover(source, engine=engine)
    label = os.path.basename(os.path.abspath(source))
    stem = stem_of(label)
    if found.unnamed is not None:
        if stem.lower() not in TABLES:
            raise DataError(
                f"{label} is not called after a contract table ({', '.join(TABLES)}).",
                fix="Rename it to orders.csv if it holds orders, give {'orders': path}, or give a mapping file.",
            )
        return {stem.lower(): found.unnamed}, stem, ()
    if not found:
        raise DataError(
            f"No contract table in {label}; found: {', '.join(found.ignored) or 'nothing'}.",
            fix=f"Name the files after tables ({', '.join(f'{t}.csv' for t in TABLES)}), or give a mapping file.",
        )
    others = ", ".join(name for name in found.ignored if name not in DATASET_FILES)
    return dict(found), stem, (f"{label}: not read, as no contract table is called so: {others}",) if others else ()


def _read_mapped(engine: DuckDBEngine, source: Any, mapping: MappingFile, text: SourceOptions) -> dict[str, RawTable]:
    options = SourceOptions(
        delimiter="\t" if mapping.is_whitespace else text.delimiter or mapping.delimiter,
        encoding=text.encoding or mapping.encoding,
    )
    raws = {}
    for i, (name, where) in enumerate(mapping.sources(source).items()):
        raws[name] = read_source(engine, where, table_name=f"_raw_{i}", options=options)
        if mapping.is_whitespace:
            raws[name] = split_whitespace(engine, raws[name])
    return raws


def _build(
    engine: DuckDBEngine,
    gathered: _Gathered,
    declared: Declaration,
    overrides: dict[str, Any],
    *,
    business: str,
    name: str | None,
) -> Dataset:
    options = [f.options for f in gathered.feeds]
    code = one_currency(engine, gathered.feeds, next((o.currency for o in options if o.currency), declared.currency))
    limit = (
        next((o.cutoff for o in options if o.cutoff), None) or dt.datetime.now(dt.UTC).replace(tzinfo=None) + _TOLERANCE
    )
    checked = check_feeds(engine, gathered.feeds, business_timezone=business, future=instant(limit), currency=code)
    _set_unreadable_aside(engine, gathered, checked)
    span = _span(checked.moments)
    engine.execute("RESET disabled_compression_methods")
    build_persons(engine, checked.clean)
    store_tables(engine, checked.clean, checked.columns, timezone=business, span=span)
    create_log(engine, checked.clean, checked.columns, timezone=business, span=span)
    _balance(engine, checked)
    first_at, last_at = engine.rows("SELECT min(occurred_at), max(occurred_at) FROM log")[0]
    if first_at is None:
        raise DataError("There is no touchpoint in the data.", fix="Give at least orders or events.")
    checked.warnings += look_for_oddities(engine, checked)
    n_rows = {t: engine.rows(f"SELECT count(*) FROM {ident(t)}")[0][0] for t in checked.clean}
    title = name or declared.name or gathered.name
    report = CheckReport(
        name=title,
        timezone=business,
        currency=code,
        tables=tuple(checked.accounts),
        n_rows=n_rows,
        files=tuple(f for raw in gathered.raws for f in raw.files),
        notes=(*gathered.notes, *(n for raw in gathered.raws for n in raw.notes), *_together(checked.notes)),
        warnings=tuple(w for w in checked.warnings if w.n),
        capabilities=found_in(engine, checked),
        set_aside=engine.arrow('SELECT file, line, tbl AS "table", reasons, raw FROM _aside ORDER BY ALL'),
    )
    return Dataset(engine, title, business, code, report, first_at, last_at, n_rows)


def _set_unreadable_aside(engine: DuckDBEngine, gathered: _Gathered, checked: Checked) -> None:
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


def _clear(engine: DuckDBEngine) -> None:
    """Drop what only the checks needed; from here on the source files are not read again."""
    kept = {f"_{table}" for table in TABLES}
    for kind in ("VIEW", "TABLE"):
        for (name,) in engine.rows(f"SELECT {kind.lower()}_name FROM duckdb_{kind.lower()}s() WHERE NOT internal"):
            if name.startswith("_") and name not in kept:
                engine.execute(f"DROP {kind} {ident(name)}")


def _source_label(raw: RawTable) -> str:
    """Name of a source as accounts show it: its file, without folders or ending."""
    return stem_of(os.path.basename(raw.files[0].display))


def _balance(engine: DuckDBEngine, checked: Checked) -> None:
    """Refuse to go on when what is stored is not, to the cent, what was read less what was set aside."""
    for account in checked.accounts:
        if account.table not in ("orders", "events"):
            continue
        column = MONEY[account.table]
        (stored,) = engine.rows(f"SELECT coalesce(sum({column}), 0) FROM {account.table}")[0]
        # refunds left orders with their sign and joined events without it
        if int(stored) + checked.refund_cents != account.cents_kept:
            raise RunError(
                f"The account of {account.table} does not balance: kept {account.cents_kept}, stored {stored} cents.",
                fix="This is a fault of the kit: please report it with the file.",
            )


def _together(notes: list[str]) -> list[str]:
    """Say once what holds for several columns."""
    columns: dict[str, list[str]] = {}
    for note in notes:
        column, _, text = note.partition(": ")
        columns.setdefault(text, []).append(column)
    return [f"{', '.join(names)}: {text}" for text, names in columns.items()]


def _span(moments: list[dt.datetime]) -> tuple[dt.datetime, dt.datetime]:
    return (min(moments), max(moments)) if moments else (dt.datetime(2000, 1, 1), dt.datetime(2000, 1, 1))
