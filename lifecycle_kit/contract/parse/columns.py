"""What a reader of values is given (a raw column, a way to ask about it) and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from lifecycle_kit.contract.sqltext import ident, literal

__all__ = ["BLANKS", "Probe", "RawColumn", "Reading", "family", "filled", "fits", "said", "shown", "trimmed"]

# what counts as empty at the ends of a text, besides the space: tabs, line ends, no-break spaces
BLANKS = " \t\r\n\u00a0\u202f\u2007\u3000\ufeff"


class Probe(Protocol):
    """Asks the raw table a few questions before its values are read."""

    def ask(self, *aggregates: str) -> tuple[Any, ...]:
        """Return one row of aggregates over the raw table."""

    def has(self, predicate: str) -> bool:
        """Say whether any row fulfils the predicate."""

    def lines(self, predicate: str, value: str, n: int = 3) -> str:
        """Return up to `n` examples as ``file line 4 'value'``, for errors."""


@dataclass(frozen=True)
class RawColumn:
    """One column of a raw table (or an expression over it).

    Attributes
    ----------
    name : str
        The source's own name of it.
    type : str
        DuckDB type.
    target : str
        What it is to become, as ``orders.net_revenue``, for messages.
    """

    name: str
    type: str
    target: str

    @property
    def sql(self) -> str:
        """The column as SQL."""
        return ident(self.name)

    @property
    def label(self) -> str:
        """The column as messages call it."""
        own = self.target.rpartition(".")[2]
        return self.target if own == self.name else f"{self.target} (column {self.name!r})"


@dataclass(frozen=True)
class Reading:
    """How one raw column becomes one canonical column.

    Attributes
    ----------
    value : str
        SQL of the canonical value; NULL where there is none or it cannot be read.
    present : str
        SQL predicate: the source says something here.
    problem : str
        SQL text that ends the sentence "net_revenue '12,50' ..." where a value is present and not readable.
    shown : str
        SQL text of the raw value, for messages.
    can_fail : bool
        False where every present value is readable by its type, so that no rule need look.
    counts : dict of str
        Name of a warning -> SQL predicate of the rows it counts.
    sums : dict of str
        Name of a warning -> SQL number to add up over those rows.
    notes : tuple of str
        What was decided about the whole column.
    decided : str
        The same for comparison: two parts of a column with equal ones are read as the whole would be. Empty: `value`.
    """

    value: str
    present: str
    problem: str = "'cannot be read'"
    shown: str = "NULL"
    can_fail: bool = True
    counts: dict[str, str] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    decided: str = ""


def family(kind: str) -> str:
    """Return the family of a DuckDB type: text, int, float, decimal, timestamp, timestamptz, date ..."""
    upper = kind.upper()
    if upper.endswith("[]") or upper.startswith(("STRUCT", "MAP", "UNION", "LIST")):
        return "nested"
    for prefix, name in _FAMILIES:
        if upper.startswith(prefix):
            return name
    return "other"


_FAMILIES = (
    ("VARCHAR", "text"),
    ("TEXT", "text"),
    ("ENUM", "text"),
    ("UUID", "text"),
    ("JSON", "text"),
    ("TIMESTAMPTZ", "timestamptz"),
    ("TIMESTAMP WITH TIME ZONE", "timestamptz"),
    ("TIMESTAMP", "timestamp"),
    ("DATE", "date"),
    ("DECIMAL", "decimal"),
    ("DOUBLE", "float"),
    ("FLOAT", "float"),
    ("BOOLEAN", "boolean"),
    ("TINYINT", "int"),
    ("SMALLINT", "int"),
    ("INTEGER", "int"),
    ("BIGINT", "int"),
    ("HUGEINT", "int"),
    ("UTINYINT", "int"),
    ("USMALLINT", "int"),
    ("UINTEGER", "int"),
    ("UBIGINT", "int"),
    ("UHUGEINT", "int"),
    ('"NULL"', "null"),
    ("NULL", "null"),
)


def trimmed(column: RawColumn) -> str:
    """Return SQL of a column as text without blanks at its ends."""
    text = column.sql if column.type.upper() == "VARCHAR" else f"CAST({column.sql} AS VARCHAR)"
    marks = "".join(BLANKS)
    return f"trim({text}, '{marks}')"


def filled(column: RawColumn) -> str:
    """Return the SQL predicate that a text column is more than blanks."""
    # the comparison settles nearly every row, and CASE looks at all the characters of the others alone
    text = column.sql if column.type.upper() == "VARCHAR" else f"CAST({column.sql} AS VARCHAR)"
    return f"(CASE WHEN {text} > '!' AND {text} < '\x7f' THEN TRUE ELSE coalesce({trimmed(column)} <> '', FALSE) END)"


def said(column: RawColumn) -> str:
    """Return the SQL predicate that something is said: more than blanks, and no NaN, which is a gap in pandas."""
    match family(column.type):
        case "text":
            return filled(column)
        case "float":
            return f"({column.sql} IS NOT NULL AND NOT isnan({column.sql}))"
    return f"({column.sql} IS NOT NULL)"


def fits(sql: str, pattern: str) -> str:
    """Return the SQL predicate that the whole of a text fits a regular expression."""
    return f"regexp_full_match({sql}, {literal(pattern)})"


def shown(sql: str) -> str:
    """Return SQL of a value as messages show it: short, in quotes, odd characters as code points."""
    text = f"left(CAST({sql} AS VARCHAR), 60)"
    return f"concat('''', {text}, '''')"
