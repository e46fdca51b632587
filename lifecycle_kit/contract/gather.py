"""What was asked for becomes raw tables in the engine, and feeds out of them into the contract's tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.declaration import DATASET_FILES
from lifecycle_kit.contract.feeds import Feed, plain_feed
from lifecycle_kit.contract.parse import ParseOptions
from lifecycle_kit.contract.routes import routed_feeds, split_whitespace
from lifecycle_kit.contract.sources import RawTable, SourceOptions, discover, read_source
from lifecycle_kit.contract.sources.files import stem_of
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from lifecycle_kit.contract.mapping import MappingFile
    from lifecycle_kit.contract.request import Request
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Gathered", "Roots", "find_roots", "gather"]


@dataclass(frozen=True, eq=False)
class Gathered:
    """The raw tables, what flows out of them, and the accounts of lines that flow nowhere."""

    raws: tuple[RawTable, ...]
    feeds: list[Feed]
    name: str
    # lines that a mapping takes nowhere, by raw table: SQL that gives _file, _line, _reasons
    unrouted: dict[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Roots:
    """Where a source's raw tables are.

    Attributes
    ----------
    sources : dict
        Contract table, or source that a mapping names -> what `read_source` takes.
    label : str
        Name of the whole, where nothing declares one.
    notes : tuple of str
    """

    sources: dict[str, Any]
    label: str
    notes: tuple[str, ...] = ()


def find_roots(engine: DuckDBEngine | None, request: Request) -> Roots:
    """Find the raw tables of what was asked for; nothing of a folder is opened."""
    mapping = request.declared.mapping
    if mapping is not None:
        return Roots(mapping.sources(request.source), mapping.name)
    return Roots(*_contract_sources(engine, request.source))


def gather(engine: DuckDBEngine, request: Request, roots: Roots) -> Gathered:
    """Make the raw tables readable in the engine, and say what flows out of them."""
    declared = request.declared
    if declared.mapping is not None:
        raws = _read_mapped(engine, roots.sources, declared.mapping, request.text)
        feeds, unrouted = routed_feeds(engine, declared.mapping, raws, request.overrides)
        return Gathered(tuple(raws.values()), feeds, declared.name or roots.label, unrouted, roots.notes)
    options = ParseOptions.declared({**declared.parse, **request.overrides})
    raws = {t: read_source(engine, s, table_name=f"_raw_{t}", options=request.text) for t, s in roots.sources.items()}
    feeds = [plain_feed(t, r, options) for t, r in raws.items()]
    return Gathered(tuple(raws.values()), feeds, roots.label, {}, roots.notes)


def _contract_sources(
    engine: DuckDBEngine | None, source: str | os.PathLike[str] | Mapping[str, Any]
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


def _read_mapped(
    engine: DuckDBEngine, sources: dict[str, Any], mapping: MappingFile, text: SourceOptions
) -> dict[str, RawTable]:
    options = SourceOptions(
        delimiter="\t" if mapping.is_whitespace else text.delimiter or mapping.delimiter,
        encoding=text.encoding or mapping.encoding,
    )
    raws = {}
    for i, (name, where) in enumerate(sources.items()):
        raws[name] = read_source(engine, where, table_name=f"_raw_{i}", options=options)
        if mapping.is_whitespace:
            raws[name] = split_whitespace(engine, raws[name])
    return raws
