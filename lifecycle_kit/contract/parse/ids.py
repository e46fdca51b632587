"""Ids: text kept to the letter, whole numbers kept to the digit."""

from __future__ import annotations

from lifecycle_kit.contract.parse.columns import Probe, RawColumn, Reading, family, filled, said, shown
from lifecycle_kit.errors import DataError

__all__ = ["read_id"]

_EXACT_IN_FLOAT = 2**53


def read_id(column: RawColumn, probe: Probe) -> Reading:
    """Read an id.

    Raises
    ------
    DataError
        Numbers with a decimal point that are too large to be told apart; a type that cannot be an id.
    """
    kind = family(column.type)
    x = column.sql
    if kind == "text":
        return _text(column, probe)
    if kind == "int":
        return Reading(f"CAST({x} AS VARCHAR)", said(column), can_fail=False, shown=shown(x))
    if kind in ("float", "decimal"):
        return _number(column, probe)
    if kind == "null":
        return Reading("NULL::VARCHAR", "FALSE", can_fail=False)
    if kind in ("date", "timestamp", "boolean"):
        return Reading(f"CAST({x} AS VARCHAR)", said(column), can_fail=False, shown=shown(x))
    raise DataError(f"{column.label} is of type {column.type}, which cannot be an id.", fix="Give ids as text.")


def _text(column: RawColumn, probe: Probe) -> Reading:
    x, present = column.sql, filled(column)
    text = x if column.type.upper() == "VARCHAR" else f"CAST({x} AS VARCHAR)"
    # pandas writes 123 as 123.0 wherever a column has a gap: true of every value or of none
    if probe.has(present) and not probe.has(f"{present} AND NOT regexp_full_match({text}, '[0-9]+[.]0')"):
        return Reading(
            f"CASE WHEN {present} THEN left({text}, -2) END",
            present,
            can_fail=False,
            shown=shown(x),
            notes=(f"{column.label}: every id ends in '.0', as pandas writes whole numbers; read without it",),
        )
    return Reading(f"CASE WHEN {present} THEN {text} END", present, can_fail=False, shown=shown(x))


def _number(column: RawColumn, probe: Probe) -> Reading:
    x = column.sql
    is_float = family(column.type) == "float"
    present = said(column)
    if is_float and probe.has(f"{present} AND abs({x}) > {_EXACT_IN_FLOAT}"):
        where = probe.lines(f"{present} AND abs({x}) > {_EXACT_IN_FLOAT}", f"printf('%.0f', {x})")
        raise DataError(
            f"{column.label} holds ids as {column.type} beyond 2^53, where neighbours are one number: {where}.",
            fix="Export the ids as text, or as whole numbers (int64).",
        )
    whole = f"{x} = trunc({x}) AND isfinite({x}::DOUBLE)" if is_float else f"{x} = trunc({x})"
    return Reading(
        f"CASE WHEN {present} AND {whole} THEN CAST(TRY_CAST({x} AS HUGEINT) AS VARCHAR) END",
        present,
        problem="'is not a whole number, so not an id'",
        shown=shown(x),
        notes=(f"{column.label}: ids come as {column.type}; read as whole numbers, without '.0'",),
    )
