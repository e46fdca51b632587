"""Amounts: decimal arithmetic to the whole cent, and no guess about points and commas."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle_kit.contract.parse.columns import Probe, RawColumn, Reading, family, filled, fits, said, shown, trimmed
from lifecycle_kit.contract.parse.options import ParseOptions
from lifecycle_kit.contract.sqltext import literal
from lifecycle_kit.errors import DataError

__all__ = ["Number", "read_money", "read_number", "to_cents"]

_SPACES = " \u00a0\u202f\u2009"
_APOSTROPHES = "'\u2019"
_NOT_FINITE = ("inf", "-inf", "+inf", "infinity", "-infinity", "+infinity", "nan", "-nan")
# amounts from 10^14 units on are typing errors in any currency, and sums of cents must fit 64 bits
_LIMIT = "100000000000000"

_POINT = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
_POINT_PROOF = r"[+-]?([0-9]*[.]([0-9]{0,2}|[0-9]{4,})|0+[.][0-9]+|[0-9]{4,}[.][0-9]+)"
_POINT_DOUBT = r"[+-]?[1-9][0-9]{0,2}([.][0-9]{3})+"
_COMMA = r"[+-]?[0-9][0-9 \x{00a0}\x{202f}\x{2009}.'\x{2019}]*,[0-9]*"
_COMMA_DOUBT = r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+"


@dataclass(frozen=True)
class Number:
    """A raw column as an exact decimal: SQL value, predicate, problem, and what was noted."""

    value: str
    present: str
    problem: str
    shown: str
    is_whole_type: bool = False
    is_float: bool = False
    notes: tuple[str, ...] = ()
    decided: str = ""


def read_money(column: RawColumn, probe: Probe, options: ParseOptions) -> Reading:
    """Read an amount as a whole number of cents.

    Raises
    ------
    DataError
        The column writes decimals with a comma, or in a way that can be read as thousands, and nothing is declared.
    """
    if family(column.type) == "null":
        return Reading("NULL::BIGINT", "FALSE", can_fail=False)
    unit = options.money_unit or ("minor" if family(column.type) == "int" else "major")
    if family(column.type) == "int" and unit == "minor":
        x = column.sql
        beyond = f"(abs({x}::HUGEINT) < {_LIMIT}00)"
        note = () if options.money_unit else (f"{column.label}: whole numbers, read as cents (money_unit='minor')",)
        return Reading(
            f"CASE WHEN {beyond} THEN CAST({x} AS BIGINT) END",
            said(column),
            "'is too large'",
            shown(x),
            notes=note,
        )
    return to_cents(read_number(column, probe, options), unit=unit)


def to_cents(number: Number, *, unit: str = "major") -> Reading:
    """Round an exact decimal to cents, half away from zero, and count what was rounded."""
    places = 2 if unit == "major" else 0
    d = number.value
    rounded = f"round({d}, {places})"
    cents = f"TRY_CAST({rounded} * 100 AS BIGINT)" if unit == "major" else f"TRY_CAST({rounded} AS BIGINT)"
    limit = _LIMIT if unit == "major" else f"{_LIMIT}00"
    # a float is never exactly a cent; what is left after ten decimals is noise, not money
    trace = "> 0.000001" if number.is_float else "<> 0"
    difference = f"({rounded} - {d})"
    return Reading(
        f"CASE WHEN abs({d}) < {limit} THEN {cents} END",
        number.present,
        number.problem,
        number.shown,
        counts={} if number.is_whole_type else {"sub_cent": f"abs({difference}) {trace}"},
        sums={} if number.is_whole_type else {"sub_cent": f"{difference}{'' if unit == 'major' else ' / 100'}"},
        notes=number.notes,
        decided=number.decided and f"{number.decided} in {unit}",
    )


def read_number(column: RawColumn, probe: Probe, options: ParseOptions, *, places: int | None = None) -> Number:
    """Read a column as an exact decimal, with `places` decimals where a factor of a product is wanted."""
    x = column.sql
    match family(column.type):
        case "int":
            return Number(_decimal(x, places or 0), said(column), "'is too large'", shown(x), is_whole_type=True)
        case "decimal":
            width = f"DECIMAL(38,{places})" if places is not None else None
            value = f"TRY_CAST({x} AS {width})" if width else x
            return Number(value, said(column), "'is too large'", shown(x))
        case "float":
            value = f"CASE WHEN abs({x}) < 1e16 THEN {_decimal(x, places if places is not None else 10)} END"
            problem = f"CASE WHEN isinf({x}) THEN 'is not finite' ELSE 'is too large' END"
            return Number(value, said(column), problem, shown(x), is_float=True)
        case "text":
            return _text(column, probe, options, 20 if places is None else places)
    raise DataError(f"{column.label} is of type {column.type}, which is not an amount.", fix="Give it as a number.")


def _decimal(sql: str, places: int) -> str:
    return f"TRY_CAST({sql} AS DECIMAL(38,{places}))"


def _text(column: RawColumn, probe: Probe, options: ParseOptions, places: int) -> Number:
    s, present = trimmed(column), filled(column)
    decided = ""
    if options.decimal is None and options.thousands is None:
        _refuse_doubt(column, probe, s, present)
        # where nothing proves that points are decimal marks nothing is in doubt either: both forms read alike
        decided = f"{s} with points"
        is_number, plain = f"({fits(s, _POINT)} AND NOT {fits(s, _POINT_DOUBT)})", s
        if not probe.has(f"{present} AND {fits(s, _POINT_PROOF)}"):
            is_number = f"{fits(s, _POINT)}"
        other = f"""WHEN {fits(s, _POINT_DOUBT)} OR {fits(s, _COMMA_DOUBT)}
            THEN 'may have a thousands mark or a decimal mark: declare decimal and thousands'
            WHEN {fits(s, _COMMA)} THEN 'has a comma, unlike the rest of the column'"""
    else:
        decimal = options.decimal or ("," if options.thousands == "." else ".")
        pattern, groups = _declared(decimal, options.thousands)
        is_number, other = f"{fits(s, pattern)}", ""
        plain = f"regexp_replace({s}, {literal(groups)}, '', 'g')"
        if decimal == ",":
            plain = f"replace({plain}, ',', '.')"
    value = f"CASE WHEN {is_number} THEN {_decimal(plain, places)} END"
    problem = f"""CASE WHEN lower({s}) IN {_NOT_FINITE} THEN 'is not finite' {other}
        WHEN {is_number} THEN 'is too large'
        WHEN {fits(s, _WITH_CURRENCY)} THEN 'is not a bare number: take the currency out'
        ELSE 'is not a number' END"""
    return Number(value, present, problem, shown(column.sql), decided=decided)


# 70,00 EUR, USD 5, €12
_WITH_CURRENCY = r"([A-Z]{3}|[€$£])\s*[-+]?[\d.,' ]+|[-+]?[\d.,' ]+\s*([A-Z]{3}|[€$£])"


def _refuse_doubt(column: RawColumn, probe: Probe, s: str, present: str) -> None:
    def count(pattern: str) -> str:
        return f"count_if({present} AND {fits(s, pattern)})"

    n_proof, n_doubt, n_comma, n_comma_doubt = probe.ask(
        *map(count, (_POINT_PROOF, _POINT_DOUBT, _COMMA, _COMMA_DOUBT))
    )
    if n_comma and n_comma == n_comma_doubt and not n_proof:
        where = probe.lines(f"{present} AND {fits(s, _COMMA_DOUBT)}", column.sql)
        raise DataError(
            f"{column.label} has {n_comma:,} amounts whose comma may be a decimal or a thousands mark: {where}.",
            fix="Declare decimal=',' or decimal='.' (with thousands=',').",
        )
    if n_comma > n_proof:
        where = probe.lines(f"{present} AND {fits(s, _COMMA)}", column.sql)
        raise DataError(
            f"{column.label} looks like it has a decimal comma, in {n_comma:,} amounts: {where}.",
            fix="Declare decimal=','.",
        )
    if n_doubt and not n_proof:
        where = probe.lines(f"{present} AND {fits(s, _POINT_DOUBT)}", column.sql)
        raise DataError(
            f"{column.label} has {n_doubt:,} amounts whose point may be a decimal or a thousands mark: {where}.",
            fix="Declare decimal='.' or decimal=',' (with thousands='.').",
        )


def _declared(decimal: str, thousands: str | None) -> tuple[str, str]:
    """Return the pattern of an amount, and of the marks to take out of it."""
    if thousands is None:
        marks = [f"[{_SPACES}]", f"[{_APOSTROPHES}]", "[.]" if decimal == "," else "[,]"]
    elif thousands in _SPACES:
        marks = [f"[{_SPACES}]"]
    elif thousands in _APOSTROPHES:
        marks = [f"[{_APOSTROPHES}]"]
    else:
        marks = [f"[\\{thousands}]"]
    grouped = "|".join(f"[0-9]{{1,3}}({mark}[0-9]{{3}})+" for mark in marks)
    pattern = f"[+-]?(({grouped}|[0-9]+)([{decimal}][0-9]*)?|[{decimal}][0-9]+)"
    return pattern, "|".join(marks)
