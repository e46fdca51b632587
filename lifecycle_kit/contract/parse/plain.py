"""Text, whole numbers, yes or no, and JSON."""

from __future__ import annotations

from lifecycle_kit.contract.parse.columns import Probe, RawColumn, Reading, family, filled, said, shown, trimmed
from lifecycle_kit.errors import DataError

__all__ = ["read_boolean", "read_integer", "read_json", "read_text"]

_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_ABSENT = Reading("NULL", "FALSE", can_fail=False)


def read_text(column: RawColumn, probe: Probe) -> Reading:
    """Read a text as it stands; blanks alone are no text."""
    x = column.sql
    match family(column.type):
        case "text":
            return Reading(f"CASE WHEN {filled(column)} THEN CAST({x} AS VARCHAR) END", filled(column), can_fail=False)
        case "nested" | "other":
            raise DataError(f"{column.label} is of type {column.type}, which is not a text.", fix="Give it as text.")
    return Reading(f"CAST({x} AS VARCHAR)", said(column), can_fail=False)


def read_integer(column: RawColumn, probe: Probe) -> Reading:
    """Read a whole number; ``7.0`` is one, ``7.5`` is not."""
    x = column.sql
    problem = "'is not a whole number'"
    match family(column.type):
        case "int":
            return Reading(f"TRY_CAST({x} AS BIGINT)", said(column), problem, shown(x))
        case "float" | "decimal":
            number = f"CAST({x} AS DOUBLE)"
            return Reading(
                f"CASE WHEN isfinite({number}) AND {number} = trunc({number}) THEN TRY_CAST({x} AS BIGINT) END",
                said(column),
                problem,
                shown(x),
            )
        case "text":
            digits = f"regexp_extract({trimmed(column)}, '^([+-]?[0-9]+)([.]0*)?$', 1)"
            return Reading(f"TRY_CAST(nullif({digits}, '') AS BIGINT)", filled(column), problem, shown(x))
        case "null":
            return _ABSENT
    raise DataError(f"{column.label} is of type {column.type}, not a whole number.", fix="Give it as whole numbers.")


def read_boolean(column: RawColumn, probe: Probe) -> Reading:
    """Read true or false: words, or 1 and 0."""
    x = column.sql
    match family(column.type):
        case "boolean":
            return Reading(x, said(column), can_fail=False)
        case "null":
            return _ABSENT
        case "text":
            word, present = f"lower({trimmed(column)})", filled(column)
        case "int" | "float" | "decimal":
            present = said(column)
            word = f"CASE WHEN {x} = 1 THEN '1' WHEN {x} = 0 THEN '0' END"
        case _:
            raise DataError(f"{column.label} is of type {column.type}, not true or false.", fix="Give true or false.")
    return Reading(
        f"CASE WHEN {word} IN {_TRUE} THEN TRUE WHEN {word} IN {_FALSE} THEN FALSE END",
        present,
        "'is neither true nor false'",
        shown(x),
    )


def read_json(column: RawColumn, probe: Probe) -> Reading:
    """Read one JSON object, kept as its text."""
    x = column.sql
    match family(column.type):
        case "text":
            text = f"CAST({x} AS VARCHAR)"
            is_object = f"CASE WHEN json_valid({text}) THEN json_type({text}) = 'OBJECT' ELSE FALSE END"
            return Reading(
                f"CASE WHEN {filled(column)} AND {is_object} THEN {text} END",
                filled(column),
                "'is not a JSON object'",
                shown(x),
            )
        case "nested":
            return Reading(f"CAST(to_json({x}) AS VARCHAR)", said(column), can_fail=False)
        case "null":
            return _ABSENT
    raise DataError(f"{column.label} is of type {column.type}, not a JSON object.", fix="Give a JSON object as text.")
