"""Which reader reads which kind."""

from __future__ import annotations

from dataclasses import replace

from lifecycle_kit.contract.parse.columns import Probe, RawColumn, Reading
from lifecycle_kit.contract.parse.ids import read_id
from lifecycle_kit.contract.parse.money import read_money
from lifecycle_kit.contract.parse.options import ParseOptions
from lifecycle_kit.contract.parse.plain import read_boolean, read_integer, read_json, read_text
from lifecycle_kit.contract.parse.times import read_date, read_timestamp

__all__ = ["read_column"]

_PLAIN = {"id": read_id, "text": read_text, "integer": read_integer, "boolean": read_boolean, "json": read_json}


def read_column(
    column: RawColumn, kind: str, probe: Probe, options: ParseOptions, *, business_timezone: str = "UTC"
) -> Reading:
    """Return how a raw column becomes a canonical column of `kind`.

    Raises
    ------
    DataError
        The column as a whole can be read in two ways and nothing is declared, or its type does not fit.
    """
    found = _read(column, kind, probe, options, business_timezone)
    return found if found.decided else replace(found, decided=found.value)


def _read(column: RawColumn, kind: str, probe: Probe, options: ParseOptions, business_timezone: str) -> Reading:
    if kind == "timestamp":
        return read_timestamp(column, probe, options, business_timezone)
    if kind == "date":
        return read_date(column, probe, options, business_timezone)
    if kind == "money":
        return read_money(column, probe, options)
    return _PLAIN[kind](column, probe)
