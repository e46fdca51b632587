"""Routes over raw tables: each line goes one way, and what no route takes is set aside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.feeds import Feed
from lifecycle_kit.contract.parse import ParseOptions, RawColumn
from lifecycle_kit.contract.parse.columns import said
from lifecycle_kit.contract.sqltext import any_of, ident, literal
from lifecycle_kit.errors import DataError, nearest

if TYPE_CHECKING:
    from lifecycle_kit.contract.mapping import Condition, MappingFile, Route
    from lifecycle_kit.contract.sources import RawTable
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["routed_feeds", "split_whitespace"]

_COMPARED = {"greater_than": ">", "at_least": ">=", "less_than": "<", "at_most": "<="}


def routed_feeds(
    engine: DuckDBEngine, mapping: MappingFile, raws: dict[str, RawTable], overrides: dict[str, Any]
) -> tuple[list[Feed], dict[str, str]]:
    """Return the feeds of a mapping, and per raw table the SQL of the lines that go aside.

    Raises
    ------
    DataError
        A column that the source lacks, or a line that two routes take.
    """
    feeds: list[Feed] = []
    unrouted: dict[str, str] = {}
    file_options = ParseOptions.declared(mapping.parse)
    for name, raw in raws.items():
        routes = [r for r in mapping.routes if (r.source or "") == name]
        takes = [" AND ".join(_condition(c, raw) for c in r.conditions) or "TRUE" for r in routes]
        _refuse_overlaps(engine, raw, routes, takes)
        reasons = [(t, r.reason) for t, r in zip(takes, routes, strict=True) if r.table is None]
        for route, take in zip(routes, takes, strict=True):
            if route.table is None:
                continue
            for plan in route.columns.values():
                for column in plan.columns:
                    _known(column, raw, route.where)
            for column in route.group_by:
                _known(column, raw, route.where)
            options = file_options.over(route.parse, where=route.where).over(overrides)
            columns = {
                c: replace(p, columns=tuple(_known(x, raw, route.where) for x in p.columns))
                for c, p in route.columns.items()
            }
            group_by = tuple(_known(c, raw, route.where) for c in route.group_by)
            feeds.append(Feed(route.table, raw, columns, options, take, group_by, route.name))
        taken = any_of(f"coalesce({t}, FALSE)" for t, r in zip(takes, routes, strict=True) if r.table is not None)
        whens = " ".join(f"WHEN {t} THEN {literal(reason)}" for t, reason in reasons)
        reason = f"CASE {whens} ELSE 'no route takes it' END" if reasons else "'no route takes it'"
        unrouted[raw.name] = f"SELECT *, [{reason}] AS _reasons FROM {ident(raw.name)} WHERE NOT ({taken})"
    return feeds, unrouted


def split_whitespace(engine: DuckDBEngine, raw: RawTable) -> RawTable:
    """Return a raw table of one column as one of several, cut where there are blanks (CDNOW's format)."""
    (line,) = raw.columns
    names = line.split()
    if len(set(names)) < len(names):
        raise DataError(f"The header has a name twice: {line.strip()!r}.", fix="Rename one of them.")
    parts = f"regexp_split_to_array(trim({ident(line)}), '[ \\t]+')"
    # a line with too many fields loses none: it is shorn of all and set aside as empty
    fields = ", ".join(
        f"CASE WHEN len(p) = {len(names)} THEN p[{i}] ELSE '' END AS {ident(n)}" for i, n in enumerate(names, 1)
    )
    view = f"{raw.name}_cut"
    engine.execute(
        f"""CREATE VIEW {ident(view)} AS SELECT {fields}, _file, _line
        FROM (SELECT {parts} AS p, _file, _line FROM {ident(raw.name)})"""
    )
    return replace(raw, name=view, columns=dict.fromkeys(names, "VARCHAR"))


def _known(column: str, raw: RawTable, where: str) -> str:
    if column in raw.columns:
        return column
    hint = nearest(column, raw.columns)
    raise DataError(
        f"The source has no column {column!r}; found: {', '.join(map(repr, raw.columns))}.",
        fix=f"Did you mean {hint!r}?" if hint else "Correct the mapping file.",
        where=where,
    )


def _condition(condition: Condition, raw: RawTable) -> str:
    name = _known(condition.column, raw, condition.where)
    column = RawColumn(name, raw.columns[name], name)
    x = column.sql
    text = f"CAST({x} AS VARCHAR)"
    present = said(column)
    value = condition.value
    match condition.word:
        case "present":
            return present
        case "missing":
            return f"(NOT {present})"
        case "equals":
            return f"({text} IS NOT DISTINCT FROM {literal(value)})"
        case "not_equals":
            return f"({text} IS DISTINCT FROM {literal(value)})"
        case "one_of" | "not_one_of":
            listed = f"coalesce({text} IN ({', '.join(map(literal, value))}), FALSE)"
            return listed if condition.word == "one_of" else f"(NOT {listed})"
        case "starts_with" | "not_starts_with" | "ends_with":
            function = "ends_with" if condition.word == "ends_with" else "starts_with"
            listed = any_of(f"coalesce({function}({text}, {literal(v)}), FALSE)" for v in value)
            return f"(NOT ({listed}))" if condition.word.startswith("not") else f"({listed})"
    return f"coalesce(TRY_CAST({text} AS DOUBLE) {_COMPARED[condition.word]} {value!r}, FALSE)"


def _refuse_overlaps(engine: DuckDBEngine, raw: RawTable, routes: list[Route], takes: list[str]) -> None:
    total = " + ".join(f"CAST(coalesce({t}, FALSE) AS INTEGER)" for t in takes)
    n, file, line = engine.rows(f"SELECT count(*), min(_file), min(_line) FROM {ident(raw.name)} WHERE ({total}) > 1")[
        0
    ]
    if not n:
        return
    flags = engine.rows(
        f"SELECT {', '.join(f'coalesce({t}, FALSE)' for t in takes)} FROM {ident(raw.name)} "
        f"WHERE ({total}) > 1 ORDER BY _file, _line LIMIT 1"
    )[0]
    both = [r.name for r, flag in zip(routes, flags, strict=True) if flag]
    raise DataError(
        f"{n:,} lines are taken by several routes: {' and '.join(both)} (first {file} line {line}).",
        fix="Narrow one of them with 'where', so that each line goes one way.",
        where=routes[0].where,
    )
