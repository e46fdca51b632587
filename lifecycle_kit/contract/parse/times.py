"""Times: ISO 8601 as it stands, anything else only as declared or as the whole column proves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from lifecycle_kit.contract.parse.columns import Probe, RawColumn, Reading, family, filled, fits, said, shown, trimmed
from lifecycle_kit.contract.parse.options import ParseOptions
from lifecycle_kit.contract.sqltext import literal
from lifecycle_kit.contract.zones import never_or_twice, to_utc
from lifecycle_kit.errors import DataError

__all__ = ["read_date", "read_timestamp"]

_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
_OFFSET = r" ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
_ISO_DAY = r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}"
_ISO = rf"{_ISO_DAY}([T ]{_CLOCK}({_OFFSET})?)?"
_ISO_OFFSET = rf"{_ISO_DAY}[T ]{_CLOCK}{_OFFSET}"
# day and month in either order, year last
_TURNED = r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?"
_SHORT_YEAR = r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}([ T].*)?"
_NUMBER = r"[0-9]+([.][0-9]+)?"
_LEAP_SECOND = r".*[0-9]:60([^0-9].*)?"

# how many of the unit make a second, and the SQL of the microseconds since 1970
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}
_GUESSES = (
    (20_000, 80_000, "Excel serial days", "date_unit='excel'"),
    (19_000_101, 22_001_231, "dates written YYYYMMDD", "date_format='%Y%m%d'"),
    (10**8, 10**10, "seconds since 1970", "date_unit='s'"),
    (10**11, 10**13, "milliseconds since 1970", "date_unit='ms'"),
    (10**14, 10**16, "microseconds since 1970", "date_unit='us'"),
)


@dataclass(frozen=True)
class _Local:
    """A moment as the source has it: SQL of a naive timestamp, and which of its rows are UTC already."""

    value: str
    present: str
    problem: str
    is_utc: str = "FALSE"
    is_day: bool = False
    notes: tuple[str, ...] = ()


def read_timestamp(column: RawColumn, probe: Probe, options: ParseOptions, business_timezone: str) -> Reading:
    """Read a moment as naive UTC.

    Raises
    ------
    DataError
        Dates whose day and month cannot be told apart, or that contradict each other; bare numbers;
        two-digit years; a declared format that fits nothing.
    """
    local = _local(column, probe, options)
    if local.is_utc == "TRUE":
        return Reading(local.value, local.present, local.problem, shown(column.sql), notes=local.notes)
    timezone, notes = options.source_timezone, list(local.notes)
    if timezone is None:
        timezone = business_timezone if local.is_day else "UTC"
        what = "days without a time" if local.is_day else "times without an offset"
        if probe.has(f"{local.present} AND NOT ({local.is_utc})"):
            notes.append(f"{column.label}: {what} are read in {timezone} (source_timezone)")
    if timezone == "UTC":
        return Reading(local.value, local.present, local.problem, shown(column.sql), notes=tuple(notes))
    first, last = probe.ask(f"min({local.value})", f"max({local.value})")
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    span = (first or now, last or now)
    v = local.value
    value = to_utc(v, timezone, *span)
    gap, overlap = never_or_twice(v, timezone, *span)
    if local.is_utc != "FALSE":
        value = f"CASE WHEN {local.is_utc} THEN {v} ELSE {value} END"
        gap, overlap = (f"(NOT ({local.is_utc}) AND ({p}))" for p in (gap, overlap))
    counts = {name: p for name, p in (("clock_gap", gap), ("clock_overlap", overlap)) if p != "FALSE"}
    # the offsets follow from the zone, whatever times the column spans
    decided = f"{v} in {timezone}"
    return Reading(
        value, local.present, local.problem, shown(column.sql), counts=counts, notes=tuple(notes), decided=decided
    )


def read_date(column: RawColumn, probe: Probe, options: ParseOptions, business_timezone: str) -> Reading:
    """Read a calendar day. A moment with an offset falls on the day it is in the business time zone."""
    local = _local(column, probe, options)
    value = f"CAST({local.value} AS DATE)"
    if local.is_utc != "FALSE" and business_timezone != "UTC":
        there = f"CAST(timezone({literal(business_timezone)}, timezone('UTC', {local.value})) AS DATE)"
        value = f"CASE WHEN {local.is_utc} THEN {there} ELSE {value} END"
    return Reading(value, local.present, local.problem, shown(column.sql), notes=local.notes)


def _local(column: RawColumn, probe: Probe, options: ParseOptions) -> _Local:
    x, present = column.sql, said(column)
    endless = "'is not a finite time'"
    match family(column.type):
        case "timestamp":
            moment = f"CAST({x} AS TIMESTAMP)"
            return _Local(f"CASE WHEN isfinite({moment}) THEN {moment} END", present, endless)
        case "timestamptz":
            moment = f"timezone('UTC', CAST({x} AS TIMESTAMPTZ))"
            return _Local(f"CASE WHEN isfinite({moment}) THEN {moment} END", present, endless, is_utc="TRUE")
        case "date":
            moment = f"CAST({x} AS TIMESTAMP)"
            return _Local(f"CASE WHEN isfinite({x}) THEN {moment} END", present, endless, is_day=True)
        case "int" | "float" | "decimal":
            return _numbers(column, probe, options)
        case "text":
            return _texts(column, probe, options)
        case "null":
            return _Local("NULL::TIMESTAMP", "FALSE", endless, is_utc="TRUE")
    raise DataError(f"{column.label} is of type {column.type}, which is not a time.", fix="Give it as a timestamp.")


def _numbers(column: RawColumn, probe: Probe, options: ParseOptions) -> _Local:
    x = f"CAST({column.sql} AS DOUBLE)"
    present = said(column)
    if options.date_unit is None:
        if options.date_format and family(column.type) == "int":
            value = _by_format(f"CAST({column.sql} AS VARCHAR)", options.date_format)
            return _Local(value, present, _format_problem(options.date_format))
        if not probe.has(present):
            return _Local("NULL::TIMESTAMP", present, "'is a bare number'", is_utc="TRUE")
        raise _bare_numbers(column, probe, x, present)
    return _counted(x, present, options.date_unit)


def _counted(number: str, present: str, unit: str) -> _Local:
    """Return the moment that a number of days or seconds stands for."""
    if unit == "excel":
        # 1900 was no leap year, though Excel thinks so: serials up to its 29 February mean two days
        value = (
            f"CASE WHEN {number} >= 61 AND {number} < 2958466 "
            f"THEN TIMESTAMP '1899-12-30' + to_seconds(CAST(round({number} * 86400) AS BIGINT)) END"
        )
        return _Local(value, present, "'is not an Excel day from March 1900 on'")
    per_second = _PER_SECOND[unit]
    micros = f"CAST(round({number} * {1_000_000 // per_second}) AS BIGINT)"
    bounds = f"{number} >= {-2_208_988_800 * per_second} AND {number} < {253_402_300_800 * per_second}"
    value = f"CASE WHEN {bounds} THEN make_timestamp({micros}) END"
    return _Local(value, present, f"'is no number of {unit} since 1970'", is_utc="TRUE")


def _texts(column: RawColumn, probe: Probe, options: ParseOptions) -> _Local:
    s, present = trimmed(column), filled(column)
    if (options.date_format or options.date_unit) and _is_all_iso(column, probe, options):
        # declared for another column of the source: this one says itself what it is
        found = _texts(column, probe, replace(options, date_format=None, date_unit=None))
        note = f"{column.label}: every value is ISO 8601; the declared date format is not used here"
        return replace(found, notes=(*found.notes, note))
    if options.date_format is not None:
        value = _by_format(s, options.date_format)
        if probe.has(present) and not probe.has(f"{present} AND {value} IS NOT NULL"):
            raise DataError(
                f"No value of {column.label} fits date_format={options.date_format!r}: "
                f"{probe.lines(present, column.sql)}.",
                fix="Declare the format that the values have.",
            )
        is_utc = "TRUE" if "%z" in options.date_format else "FALSE"
        is_day = not any(d in options.date_format for d in ("%H", "%I"))
        return _Local(value, present, _format_problem(options.date_format), is_utc=is_utc, is_day=is_day)
    if options.date_unit is not None:
        number = f"TRY_CAST({s} AS DOUBLE)"
        counted = _counted(number, present, options.date_unit)
        return counted if counted.is_utc == "TRUE" else _Local(counted.value, present, counted.problem)
    n, n_iso, n_timed, n_turned, n_number, n_short = probe.ask(
        f"count_if({present})",
        *(f"count_if({present} AND {p})" for p in (fits(s, _ISO), f"{fits(s, _ISO)} AND length({s}) > 10")),
        *(f"count_if({present} AND {fits(s, p)})" for p in (_TURNED, _NUMBER, _SHORT_YEAR)),
    )
    if n_number * 2 > n:
        raise _bare_numbers(column, probe, f"TRY_CAST({s} AS DOUBLE)", f"{present} AND {fits(s, _NUMBER)}")
    if n_short * 2 > n:
        where = probe.lines(f"{present} AND {fits(s, _SHORT_YEAR)}", column.sql)
        raise DataError(
            f"{column.label} has two-digit years, whose century would be a guess: {where}.",
            fix="Export the dates with four-digit years.",
        )
    iso = _iso(s)
    other = "'is not a date or time'"
    notes: tuple[str, ...] = ()
    value = iso
    if n_turned > n_iso:
        pattern, note = _proven_order(column, probe, s, present)
        value = f"coalesce({iso}, {_by_format(s, pattern)})"
        notes = (note,)
        n_timed += probe.ask(f"count_if({fits(s, _TURNED)} AND length({s}) > 10)")[0]
    else:
        other = f"CASE WHEN {fits(s, _TURNED)} THEN 'is written unlike the rest of the column' ELSE {other} END"
    problem = f"""CASE WHEN {fits(s, _LEAP_SECOND)} THEN 'has a second 60'
        WHEN {fits(s, _SHORT_YEAR)} THEN 'has a two-digit year'
        WHEN {fits(s, _NUMBER)} THEN 'is a bare number: declare date_unit'
        WHEN {fits(s, _ISO)} OR {fits(s, _TURNED)} AND {literal(bool(notes))} = 'True'
        THEN 'is not in the calendar' ELSE {other} END"""
    return _Local(value, present, problem, is_utc=fits(s, _ISO_OFFSET), is_day=not n_timed, notes=notes)


def _is_all_iso(column: RawColumn, probe: Probe, options: ParseOptions) -> bool:
    s, present = trimmed(column), filled(column)
    if not probe.has(present) or probe.has(f"{present} AND NOT {fits(s, _ISO)}"):
        return False
    return not (options.date_format and probe.has(f"{present} AND {_by_format(s, options.date_format)} IS NOT NULL"))


def _iso(s: str) -> str:
    text = f"replace({s}, ',', '.')"
    # with an offset the moment is exact; the session runs in UTC, so the naive rest is the UTC time
    return (
        f"CASE WHEN {fits(s, _ISO_OFFSET)} THEN timezone('UTC', TRY_CAST({text} AS TIMESTAMPTZ)) "
        f"WHEN {fits(s, _ISO)} THEN TRY_CAST({text} AS TIMESTAMP) END"
    )


def _proven_order(column: RawColumn, probe: Probe, s: str, present: str) -> tuple[str, str]:
    """Return the one order of day and month that the column allows, or raise."""
    turned = f"{present} AND {fits(s, _TURNED)}"
    first = f"CAST(nullif(regexp_extract({s}, '^([0-9]+)', 1), '') AS INTEGER)"
    second = f"CAST(nullif(regexp_extract({s}, '^[0-9]+[/.-]([0-9]+)', 1), '') AS INTEGER)"
    is_turned = fits(s, _TURNED)
    day_first = f"({turned} AND CASE WHEN {is_turned} THEN {first} > 12 AND {second} <= 12 ELSE FALSE END)"
    month_first = f"({turned} AND CASE WHEN {is_turned} THEN {second} > 12 AND {first} <= 12 ELSE FALSE END)"
    has_day_first, has_month_first = probe.has(day_first), probe.has(month_first)
    if has_day_first and has_month_first:
        raise DataError(
            f"{column.label} has dates that only fit day/month ({probe.lines(day_first, column.sql, 1)}) "
            f"and dates that only fit month/day ({probe.lines(month_first, column.sql, 1)}).",
            fix="Mend the export, or declare date_format='%d/%m/%Y' to set the others aside.",
        )
    if not has_day_first and not has_month_first:
        raise DataError(
            f"{column.label} is ambiguous: day/month or month/day, as in {probe.lines(turned, column.sql)}.",
            fix="Declare date_format='%d/%m/%Y' or date_format='%m/%d/%Y'.",
        )
    order = "%d/%m/%Y" if has_day_first else "%m/%d/%Y"
    proof = probe.lines(day_first if has_day_first else month_first, column.sql, 1)
    return order, f"{column.label}: dates are read as {order}, the only order that fits all ({proof})"


def _by_format(s: str, pattern: str) -> str:
    if "%z" in pattern:
        return f"timezone('UTC', try_strptime({s}, {literal(pattern)}))"
    formats = [pattern]
    if pattern in ("%d/%m/%Y", "%m/%d/%Y"):
        # the mark between the numbers and a time behind them change nothing about their order
        formats = [pattern.replace("/", mark) + clock for mark in "/.-" for clock in ("", " %H:%M", " %H:%M:%S")]
    value = f"CAST(try_strptime({s}, [{', '.join(map(literal, formats))}]) AS TIMESTAMP)"
    # DuckDB reads 24 for %Y as the year 24, which nobody means
    return f"CASE WHEN year({value}) >= 1000 THEN {value} END" if "%Y" in pattern else value


def _format_problem(pattern: str) -> str:
    return literal(f"does not fit date_format {pattern}")


def _bare_numbers(column: RawColumn, probe: Probe, number: str, present: str) -> DataError:
    (middle,) = probe.ask(f"median({number}) FILTER ({present})")
    looks = next((g for g in _GUESSES if g[0] <= (middle or 0) < g[1]), None)
    return DataError(
        f"{column.label} holds bare numbers{f', which look like {looks[2]}' if looks else ''}: "
        f"{probe.lines(present, column.sql)}.",
        fix=f"Declare {looks[3]}." if looks else "Declare date_unit ('excel', 's', 'ms' or 'us') or date_format.",
    )
