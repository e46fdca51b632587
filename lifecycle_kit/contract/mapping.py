"""A mapping file: how the columns of a foreign source become the contract's, as one small YAML.

Every line of the source goes one way: into a table by one route, or aside with a reason. Conditions are a
closed set of words, never SQL.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifecycle_kit.contract.feeds import Plan
from lifecycle_kit.contract.parse import ParseOptions
from lifecycle_kit.contract.sources import DuckDBTable
from lifecycle_kit.contract.sources.files import format_of, stem_of
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError, nearest
from lifecycle_kit.yaml_lines import Entry, read_yaml

__all__ = ["CONDITIONS", "Condition", "MappingFile", "Route", "read_mapping"]

# the word, and whether it takes a text, a list of texts, a number or nothing
CONDITIONS: dict[str, str] = {
    "present": "nothing",
    "missing": "nothing",
    "equals": "text",
    "not_equals": "text",
    "one_of": "texts",
    "not_one_of": "texts",
    "starts_with": "texts",
    "not_starts_with": "texts",
    "ends_with": "texts",
    "greater_than": "number",
    "at_least": "number",
    "less_than": "number",
    "at_most": "number",
}
_ROUTE_KEYS = ("table", "set_aside", "from", "where", "group_by", "columns", "parse", "name")
_TOP_KEYS = ("name", "timezone", "currency", "read", "parse", "routes", "description")
_READ_KEYS = ("delimiter", "encoding", "whitespace")


@dataclass(frozen=True)
class Condition:
    """One word about one column."""

    column: str
    word: str
    value: Any
    where: str


@dataclass(frozen=True)
class Route:
    """Where the lines that fulfil all conditions go.

    Attributes
    ----------
    table : str or None
        Contract table; None: aside, for `reason`.
    reason : str or None
    source : str or None
        File, table or frame it reads; None: the only one there is.
    conditions : tuple of Condition
    group_by : tuple of str
    columns : dict of Plan
    parse : dict
        Options put over the file's own.
    name, where : str
        For messages: the route, and its place in the file.
    """

    table: str | None
    reason: str | None
    source: str | None
    conditions: tuple[Condition, ...]
    group_by: tuple[str, ...]
    columns: dict[str, Plan]
    parse: dict[str, Any]
    name: str
    where: str


@dataclass(frozen=True)
class MappingFile:
    """A mapping file, read and checked."""

    name: str
    routes: tuple[Route, ...]
    timezone: str | None = None
    currency: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    is_whitespace: bool = False
    parse: dict[str, Any] = field(default_factory=dict)

    def sources(self, given: Any) -> dict[str, Any]:
        """Return what to read for each source that a route names (``""`` where none is named).

        Raises
        ------
        DataError
            A named source is not there, or several are and none is named.
        """
        names = list(dict.fromkeys(r.source or "" for r in self.routes))
        if isinstance(given, Mapping):
            return {n: _pick(n, {str(k): v for k, v in given.items()}, "the sources given") for n in names}
        if not isinstance(given, str | os.PathLike):
            return self._only(names, given)
        path = Path(given)
        if format_of(path.name)[0] == "duckdb" and not path.is_dir():
            return {n: DuckDBTable(path, n) for n in names}
        if not path.is_dir():
            return self._only(names, path)
        files = [p for p in sorted(path.iterdir()) if not p.name.startswith(".") and format_of(p.name)[0] is not None]
        found = {p.name: p for p in files}
        stems = {stem_of(p.name): p for p in files}
        return {n: _pick(n, {**stems, **found} if n else found, path.name) for n in names}

    def _only(self, names: list[str], source: Any) -> dict[str, Any]:
        if len(names) > 1:
            raise DataError(
                f"The mapping {self.name!r} reads {len(names)} sources ({', '.join(names)}), one was given.",
                fix="Give the folder that has them, or a dict from these names to sources.",
            )
        return {names[0]: source}


def _pick(name: str, found: dict[str, Any], where: str) -> Any:
    if not name:
        if len(found) == 1:
            return next(iter(found.values()))
        raise DataError(f"There are {len(found)} sources in {where}, and a route names none.", fix="Say 'from: ...'.")
    if name in found:
        return found[name]
    hint = nearest(name, found)
    raise DataError(
        f"There is no source {name!r} in {where}; found: {', '.join(map(repr, found)) or 'nothing'}.",
        fix=f"Did you mean {hint!r}?" if hint else "Correct 'from' in the mapping file.",
    )


def read_mapping(path: str | os.PathLike[str], *, text: str | None = None) -> MappingFile:
    """Read a mapping file (or `text`, called `path` in messages).

    Raises
    ------
    UsageError
        An unknown key (with the nearest name and its line), a missing one, a value of the wrong type.
    """
    top = read_yaml(Path(path)) if text is None else read_yaml(text, name=str(path))
    keys = top.mapping("the mapping file", required=("mapping",), optional=_TOP_KEYS)
    if keys["mapping"].integer("mapping") != 1:
        raise keys["mapping"].problem("This kit reads mapping files of version 1.", "Write 'mapping: 1'.")
    if "routes" not in keys or not keys["routes"].sequence("routes"):
        raise top.problem("The mapping file has no routes.", "Add 'routes:' with one entry per table.")
    read = keys["read"].mapping("read", optional=_READ_KEYS) if "read" in keys else {}
    texts = {k: keys[k].text(k) for k in ("timezone", "currency") if k in keys}
    return MappingFile(
        name=keys["name"].text("name") if "name" in keys else Path(path).stem,
        routes=tuple(_route(r, i) for i, r in enumerate(keys["routes"].sequence("routes"), start=1)),
        **texts,
        **{k: str(read[k].plain()) for k in ("delimiter", "encoding") if k in read},
        is_whitespace=bool(read["whitespace"].plain()) if "whitespace" in read else False,
        parse=_parse(keys.get("parse")),
    )


def _route(entry: Entry, number: int) -> Route:
    keys = entry.mapping("a route", optional=_ROUTE_KEYS)
    if ("table" in keys) == ("set_aside" in keys):
        raise entry.problem("A route needs either 'table' or 'set_aside'.", "Say where its lines go.")
    table = keys["table"].choice("table", TABLES) if "table" in keys else None
    columns = _columns(keys["columns"], table) if "columns" in keys and table else {}
    if table:
        for name in TABLES[table].required:
            if name not in columns:
                raise entry.problem(
                    f"The route into {table} has no column {name!r}.", f"Add '{name}: <source column>' under columns."
                )
    elif "columns" in keys or "group_by" in keys:
        raise entry.problem("A route that sets aside has no columns.", "Leave 'columns' and 'group_by' out.")
    return Route(
        table=table,
        reason=keys["set_aside"].text("set_aside") if "set_aside" in keys else None,
        source=keys["from"].text("from") if "from" in keys else None,
        conditions=tuple(c for k, v in _mapping_of(keys.get("where"), "where") for c in _conditions(k, v)),
        group_by=tuple(_texts(keys["group_by"], "group_by")) if "group_by" in keys else (),
        columns=columns,
        parse=_parse(keys.get("parse")),
        name=keys["name"].text("name") if "name" in keys else f"route {number} ({table or 'set aside'})",
        where=entry.where,
    )


def _mapping_of(entry: Entry | None, what: str) -> list[tuple[str, Entry]]:
    return list(entry.mapping(what).items()) if entry is not None else []


def _conditions(column: str, entry: Entry) -> list[Condition]:
    if isinstance(entry.value, str):
        word = entry.choice("condition", CONDITIONS)
        if CONDITIONS[word] != "nothing":
            raise entry.problem(f"The condition {word!r} needs a value.", f"Write '{column}: {{{word}: ...}}'.")
        return [Condition(column, word, None, entry.where)]
    found = []
    for word, value in entry.mapping(f"the condition on {column}").items():
        if word not in CONDITIONS:
            raise UnknownNameError("condition", word, CONDITIONS, where=value.where)
        kind = CONDITIONS[word]
        given: Any = None
        if kind == "number":
            given = value.plain()
            if isinstance(given, bool) or not isinstance(given, int | float):
                raise value.problem(f"{word} must be a number, found {given!r}.")
        elif kind == "texts":
            given = tuple(_texts(value, word))
        elif kind == "text":
            given = str(_scalar(value, word))
        found.append(Condition(column, word, given, value.where))
    return found


def _columns(entry: Entry, table: str | None) -> dict[str, Plan]:
    allowed = [c.name for c in TABLES[str(table)].columns]
    found = {}
    for name, value in entry.mapping("columns").items():
        if name not in allowed:
            raise UnknownNameError(f"column of {table}", name, allowed, where=value.where)
        found[name] = _plan(value, name, TABLES[str(table)].column(name).kind)
    return found


def _plan(entry: Entry, column: str, kind: str) -> Plan:
    if isinstance(entry.value, str):
        return Plan((entry.value,))
    keys = entry.mapping(column, optional=("column", "constant", "template", "multiply", "negate", "values"))
    ways = [k for k in ("column", "constant", "template", "multiply") if k in keys]
    if len(ways) != 1:
        raise entry.problem(f"{column} needs one of column, constant, template, multiply.", "Keep one of them.")
    values = {k: str(_scalar(v, k)) for k, v in keys["values"].mapping("values").items()} if "values" in keys else {}
    negated = bool(keys["negate"].plain()) if "negate" in keys else False
    if (negated or ways == ["multiply"]) and kind != "money":
        raise entry.problem(f"{column} is no amount: it cannot be multiplied or negated.", "Rename a column instead.")
    if ways[0] in ("constant", "template") and kind not in ("id", "text"):
        raise entry.problem(f"{column} is of kind {kind}: it cannot be made from text.", "Give a source column.")
    way = keys[ways[0]]
    if ways[0] == "multiply":
        factors = _texts(way, "multiply")
        if len(factors) != 2:
            raise way.problem(f"multiply takes two columns, found {len(factors)}.", "Write 'multiply: [a, b]'.")
        return Plan(tuple(factors), is_product=True, is_negated=negated)
    text = str(_scalar(way, ways[0]))
    if ways[0] == "constant":
        return Plan((), text)
    if ways[0] == "template":
        names = tuple(re.findall(r"\{([^{}]+)\}", text))
        if not names:
            raise way.problem("The template names no column.", "Write a column in braces: 'guest:{InvoiceNo}'.")
        return Plan(names, text)
    return Plan((text,), is_negated=negated, values=values)


def _texts(entry: Entry, what: str) -> list[str]:
    items = entry.value if isinstance(entry.value, list) else [entry]
    return [str(_scalar(i, what)) for i in items]


def _scalar(entry: Entry, what: str) -> str | int | float:
    if isinstance(entry.value, bool) or not isinstance(entry.value, str | int | float):
        raise entry.problem(f"{what} must be a text, found {entry.plain()!r}.", "Put it in quotes.")
    return entry.value


def _parse(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {}
    names = [f.name for f in dataclasses.fields(ParseOptions)]
    keys = entry.mapping("parse", optional=names)
    values = {k: v.plain() for k, v in keys.items()}
    try:
        ParseOptions(**values)
    except UsageError as error:
        raise UsageError(error.problem, fix=error.fix, where=entry.where) from None
    return values
