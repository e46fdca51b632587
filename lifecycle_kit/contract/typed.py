"""A feed as typed rows: canonical columns beside file, line, and every reason against the row.

Views do the reading, so that only what a later question needs is computed. Where reading is work (text),
the rows are stored once; typed columns of a Parquet file are read again instead, which is cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lifecycle_kit.contract.feeds import Feed, Plan, RawProbe
from lifecycle_kit.contract.names import event_aliases
from lifecycle_kit.contract.parse import RawColumn, Reading, read_column
from lifecycle_kit.contract.parse.columns import family, said
from lifecycle_kit.contract.parse.money import Number, read_number, to_cents
from lifecycle_kit.contract.rules import MONEY, Rule
from lifecycle_kit.contract.sqltext import KIND_TYPES, any_of, ident, literal
from lifecycle_kit.contract.tables import TABLES, Column
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle_kit.contract.sources import RawTable
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Typed", "build_typed", "money_column", "raw_row"]

# the moment that orders the lines of one group
_MOMENT = {"orders": "ordered_at", "events": "occurred_at", "surveys": "at", "referrals": "sent_at"}
_PEOPLE = ("person_id", "anonymous_id", "referrer_id")


@dataclass(frozen=True, eq=False)
class Typed:
    """The typed rows of one feed.

    Attributes
    ----------
    rows : str
        Relation: `_file`, `_line`, canonical columns, `_bad`; and `_g` where lines are grouped.
    reasons : str
        Relation with `_reasons` (list of text) and `_raw` (the source's row as JSON); asked for bad lines only.
    lines : str or None
        Where lines are grouped: the relation of single lines, with `_g`, `_bad`, `_reasons`.
    columns : frozenset of str
        Canonical columns that the source gives.
    counts : dict
        Warning (``net_revenue.sub_cent``) -> (SQL count column, SQL sum column or None) in `rows` or `lines`.
    notes : tuple of str
    decisions : dict of str
        Canonical column -> how all of it is read, for comparison.
    """

    feed: Feed
    rows: str
    reasons: str
    lines: str | None
    columns: frozenset[str]
    counts: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    decisions: dict[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> str:
        """Relation with one row per source line."""
        return self.lines or self.rows


def build_typed(
    engine: DuckDBEngine, feed: Feed, index: int, *, business_timezone: str, rules: Callable[[set[str]], list[Rule]]
) -> Typed:
    """Create the relations of one feed.

    Parameters
    ----------
    rules : callable
        Gives the row rules for a set of columns.
    """
    probe = RawProbe(engine, feed)
    readings = {c: _read(feed, c, p, probe, business_timezone) for c, p in feed.columns.items()}
    columns = frozenset(readings)
    row_rules = rules(set(columns))
    own = [_of_column(TABLES[feed.table].column(c), r) for c, r in readings.items()]
    column_rules = [rule for pair in own for rule in pair]
    _refuse_mixed_units(feed, probe)
    notes = (*feed.notes, *(note for r in readings.values() for note in r.notes))
    inner = _values(feed, readings)
    counts = {
        f"{c}.{name}": (f"_n_{c}_{name}", f"_s_{c}_{name}" if name in r.sums else None)
        for c, r in readings.items()
        for name in r.counts
    }
    decisions = {c: r.decided or r.value for c, r in readings.items()}
    view = f"_view_{index}"
    if not feed.group_by:
        engine.execute(f"CREATE VIEW {view} AS {_judged(inner, column_rules + row_rules)}")
        rows = view
        if any(
            family(feed.raw.columns[c]) == "text" and _is_work(feed.table, t)
            for t, p in feed.columns.items()
            for c in p.columns
        ):
            rows = f"_rows_{index}"
            engine.execute(f"CREATE TABLE {rows} AS SELECT {_stored(feed.table, counts)} FROM {view}")
        return Typed(feed, rows, view, None, columns, counts, notes, decisions)
    lines, rows = f"_lines_{index}", f"_rows_{index}"
    engine.execute(f"CREATE VIEW {view} AS {_judged(inner, column_rules)}")
    engine.execute(f"CREATE TABLE {lines} AS SELECT * EXCLUDE (_raw) FROM {view}")
    engine.execute(
        f"CREATE TABLE {rows} AS {_judged(_grouped(feed, lines, columns), row_rules + _disagreements(columns))}"
    )
    return Typed(feed, rows, view, lines, columns, counts, notes, decisions)


def _refuse_mixed_units(feed: Feed, probe: RawProbe) -> None:
    """Raise when one table has amounts as whole numbers (cents) and with decimals (euros), undeclared.

    pandas turns a column of cents into decimals as soon as one is missing: reading both by their type would
    make costs a hundred times too large without a word.
    """
    if feed.options.money_unit is not None:
        return
    whole, broken = [], []
    for name, plan in feed.columns.items():
        if TABLES[feed.table].column(name).kind != "money" or plan.is_product:
            continue
        column = RawColumn(plan.columns[0], feed.raw.columns[plan.columns[0]], name)
        kind = family(column.type)
        if kind == "int":
            whole.append(name)
        elif kind in ("float", "decimal") and probe.has(said(column)):
            broken.append(name)
    if whole and broken:
        raise DataError(
            f"In {feed.table}, {' and '.join(whole)} come as whole numbers and {' and '.join(broken)} with decimals: "
            "cents or units?",
            fix="Declare money_unit='minor' (cents) or money_unit='major', or give all amounts one type.",
        )


def _is_work(table: str, column: str) -> bool:
    return TABLES[table].column(column).kind not in ("id", "text")


def _stored(table: str, counts: dict[str, tuple[str, str | None]]) -> str:
    extra = [name for pair in counts.values() for name in pair if name]
    return ", ".join(["_file", "_line", *(ident(c.name) for c in TABLES[table].columns), *map(ident, extra), "_bad"])


def _read(feed: Feed, column: str, plan: Plan, probe: RawProbe, business_timezone: str) -> Reading:
    declared = TABLES[feed.table].column(column)
    target = f"{feed.table}.{column}"

    def raw(name: str) -> RawColumn:
        return RawColumn(name, feed.raw.columns[name], target)

    if plan.is_product:
        found = _product([read_number(raw(c), probe, feed.options, places=6) for c in plan.columns])
    elif plan.text is not None:
        found = _template(plan, [read_column(raw(c), "id", probe, feed.options) for c in plan.columns])
    else:
        found = read_column(
            raw(plan.columns[0]), declared.kind, probe, feed.options, business_timezone=business_timezone
        )
    if plan.is_negated:
        found = replace(found, value=f"-({found.value})")
    values = dict(plan.values)
    notes: tuple[str, ...] = ()
    if feed.table == "events" and column == "event":
        aliases, notes = event_aliases(probe.values(found.value), values)
        values = {**aliases, **values}
    if values:
        whens = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in values.items())
        found = replace(found, value=f"CASE {found.value} {whens} ELSE {found.value} END")
    return replace(found, notes=(*found.notes, *notes))


def _product(factors: list[Number]) -> Reading:
    # each factor below 10^12 with six decimals: the product fits 38 digits exactly
    values = [f"CASE WHEN abs({f.value}) < 1000000000000 THEN CAST({f.value} AS DECIMAL(38,6)) END" for f in factors]
    problem = " ".join(f"WHEN ({v}) IS NULL THEN {f.problem}" for f, v in zip(factors, values, strict=True))
    return to_cents(
        Number(
            " * ".join(f"({v})" for v in values),
            " AND ".join(f.present for f in factors),
            f"CASE {problem} ELSE 'is too large' END",
            f"concat_ws(' x ', {', '.join(f.shown for f in factors)})",
            is_whole_type=all(f.is_whole_type for f in factors),
            is_float=any(f.is_float for f in factors),
            notes=tuple(n for f in factors for n in f.notes),
        )
    )


def _template(plan: Plan, parts: list[Reading]) -> Reading:
    text = str(plan.text)
    if not parts:
        return Reading(literal(text), "TRUE", can_fail=False)
    pieces: list[str] = []
    for name, part in zip(plan.columns, parts, strict=True):
        before, _, text = text.partition("{" + name + "}")
        pieces += [literal(before), part.value]
    present = " AND ".join(part.present for part in parts)
    return Reading(" || ".join([*pieces, literal(text)]), f"({present})", can_fail=False)


def _of_column(column: Column, reading: Reading) -> list[Rule]:
    """Return the rules that the contract implies for a column: not empty, and readable."""
    name, found = column.name, []
    if column.required:
        found.append(
            Rule(
                f"missing_{name}",
                "",
                (name,),
                f"{ident(name)} IS NULL AND NOT {ident(f'_p_{name}')}",
                literal(f"{name} is empty"),
            )
        )
    if reading.can_fail:
        found.append(
            Rule(
                f"unreadable_{name}",
                "",
                (name,),
                f"{ident(name)} IS NULL AND {ident(f'_p_{name}')}",
                f"concat({literal(name + ' ')}, {ident(f'_q_{name}')})",
            )
        )
    return found


def _values(feed: Feed, readings: dict[str, Reading]) -> str:
    """Return the innermost SELECT: values, and beside them what the rules and warnings look at."""
    select = ["_file", "_line"]
    for column in TABLES[feed.table].columns:
        name, reading = column.name, readings.get(column.name)
        if reading is None:
            select.append(f"NULL::{KIND_TYPES[column.kind]} AS {ident(name)}")
            continue
        select.append(f"CAST({reading.value} AS {KIND_TYPES[column.kind]}) AS {ident(name)}")
        if reading.can_fail or column.required:
            select.append(f"{reading.present} AS {ident(f'_p_{name}')}")
        if reading.can_fail:
            select.append(f"concat({reading.shown}, ' ', {reading.problem}) AS {ident(f'_q_{name}')}")
        select += [f"coalesce({p}, FALSE) AS {ident(f'_n_{name}_{w}')}" for w, p in reading.counts.items()]
        select += [f"{s} AS {ident(f'_s_{name}_{w}')}" for w, s in reading.sums.items()]
    if feed.group_by:
        key = ", ".join(f"coalesce(CAST({ident(c)} AS VARCHAR), '')" for c in feed.group_by)
        # the unit separator keeps ('a', 'bc') apart from ('ab', 'c')
        select.append(f"concat_ws(chr(31), {key}) AS _g")
    # as a column of the view it is worked out for those rows alone that are set aside
    select.append(f"{raw_row(feed.raw)} AS _raw")
    return f"SELECT {', '.join(select)} FROM {ident(feed.raw.name)} WHERE ({feed.where})"


def _judged(inner: str, rules: list[Rule]) -> str:
    bad = any_of(f"coalesce({r.when}, FALSE)" for r in rules)
    reasons = ", ".join(f"CASE WHEN {r.when} THEN {r.message} END" for r in rules) or "NULL::VARCHAR"
    listed = f"list_filter([{reasons}], lambda x: x IS NOT NULL)"
    return f"SELECT *, ({bad}) AS _bad, {listed} AS _reasons FROM ({inner}) AS v"


def _grouped(feed: Feed, lines: str, columns: frozenset[str]) -> str:
    moment = _MOMENT.get(feed.table)
    order = f"l.{ident(moment)}" if moment in columns else "l._line"
    select = ["l._g", "arg_min(l._file, (l._file, l._line)) AS _file", "arg_min(l._line, (l._file, l._line)) AS _line"]
    for column in TABLES[feed.table].columns:
        name, value = ident(column.name), f"l.{ident(column.name)}"
        if column.name not in columns:
            select.append(f"NULL::{KIND_TYPES[column.kind]} AS {name}")
        elif column.kind == "money":
            select.append(f"CAST(sum({value}) AS BIGINT) AS {name}")
        elif column.kind == "timestamp":
            select.append(f"min({value}) AS {name}")
        else:
            # of several values the one on the earliest line, whatever the order of the file
            select.append(f"arg_min({value}, ({order}, {value})) AS {name}")
    select += [f"count(DISTINCT l.{ident(c)}) AS {ident(f'_d_{c}')}" for c in _PEOPLE if c in columns]
    return f"SELECT {', '.join(select)} FROM {lines} AS l WHERE NOT l._bad GROUP BY l._g"


def _disagreements(columns: frozenset[str]) -> list[Rule]:
    return [
        Rule(
            f"several_{c}",
            "",
            (c,),
            f"{ident(f'_d_{c}')} > 1",
            f"concat('its lines name ', {ident(f'_d_{c}')}, ' different {c}')",
        )
        for c in _PEOPLE
        if c in columns
    ]


def raw_row(raw: RawTable) -> str:
    """Return SQL of a raw row as one JSON object of texts."""
    return f"json_object({', '.join(f'{literal(c)}, CAST({ident(c)} AS VARCHAR)' for c in raw.columns)})"


def money_column(table: str) -> str:
    """Return SQL of the amount that a table is accounted by; NULL where it has none."""
    return ident(MONEY[table]) if table in MONEY else "NULL::BIGINT"
