"""What a check found: the account of every table, the files, notes, warnings, and the rows set aside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.export import neutralised, written_whole

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from lifecycle_kit.contract.capabilities import Capability
    from lifecycle_kit.contract.sources import RawFile

__all__ = ["Account", "CheckReport", "Warned"]


@dataclass(frozen=True)
class Account:
    """The account of one table: kept + set aside = read, in lines and to the cent.

    Attributes
    ----------
    table : str
        Contract table; the source's own name for lines that no route takes.
    n_read, n_kept, n_set_aside : int
        Source lines.
    cents_read, cents_kept, cents_set_aside : int or None
        Sum of the readable amounts (orders.net_revenue, events.revenue, costs.amount); None for other tables.
    """

    table: str
    n_read: int
    n_kept: int
    n_set_aside: int
    cents_read: int | None = None
    cents_kept: int | None = None
    cents_set_aside: int | None = None


@dataclass(frozen=True)
class Warned:
    """Something worth a look that sets no row aside.

    Attributes
    ----------
    name : str
        Short name, for scripts.
    table : str
    n : int
        How many.
    text : str
        What they are: reads after the number.
    examples : tuple of str
        Up to three, odd characters shown as code points.
    """

    name: str
    table: str
    n: int
    text: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = f": {', '.join(self.examples)}" if self.examples else ""
        return f"{self.n:,} {self.text}{shown}."


@dataclass(frozen=True, eq=False)
class CheckReport:
    """What was read, kept and set aside, and what the data can feed.

    Attributes
    ----------
    name, timezone, currency : str
    tables : tuple of Account
    n_rows : mapping of str to int
        Rows of each contract table after mapping (several lines may make one row).
    files : tuple of RawFile
        With real path, format, size and sha256.
    notes : tuple of str
        What was decided rather than declared.
    warnings : tuple of Warned
    capabilities : mapping of str to Capability
    set_aside : pyarrow.Table
        One row per line set aside: file, line, table, reasons (list of text), raw (one JSON object as text).
    """

    name: str
    timezone: str
    currency: str | None
    tables: tuple[Account, ...]
    n_rows: Mapping[str, int]
    files: tuple[RawFile, ...]
    notes: tuple[str, ...]
    warnings: tuple[Warned, ...]
    capabilities: Mapping[str, Capability]
    set_aside: pa.Table

    def __repr__(self) -> str:
        n = sum(a.n_set_aside for a in self.tables)
        told = f"{len(self.tables)} tables, {n:,} lines set aside, {len(self.warnings)} warnings"
        return f"CheckReport({self.name!r}, {told})"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per table: n_read, n_kept, n_set_aside, n_rows, revenue_read, revenue_kept, revenue_set_aside.

        Revenue is in units of the currency (euros), exact to the cent; missing for tables without amounts.
        """
        import pandas as pd

        def units(cents: int | None) -> float | None:
            return None if cents is None else cents / 100

        rows = [
            {
                "table": a.table,
                "n_read": a.n_read,
                "n_kept": a.n_kept,
                "n_set_aside": a.n_set_aside,
                "n_rows": self.n_rows.get(a.table, 0),
                "revenue_read": units(a.cents_read),
                "revenue_kept": units(a.cents_kept),
                "revenue_set_aside": units(a.cents_set_aside),
            }
            for a in self.tables
        ]
        return pd.DataFrame(rows)

    def reasons(self) -> dict[str, int]:
        """Return how often each kind of reason occurs, most frequent first; values in reasons are left out."""
        import collections
        import re

        counts: collections.Counter[str] = collections.Counter()
        for table, found in zip(
            self.set_aside["table"].to_pylist(), self.set_aside["reasons"].to_pylist(), strict=True
        ):
            for reason in found:
                kind = re.sub(r"'.*'|\d{4}-\d\d-\d\d( [0-9:.]+)?|-?\d[\d.]*", "…", reason)
                counts[f"{table}: {kind}"] += 1
        return dict(counts.most_common())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON; without the rows set aside, which may name people."""
        return {
            "name": self.name,
            "timezone": self.timezone,
            "currency": self.currency,
            "tables": [vars(a) | {"n_rows": self.n_rows.get(a.table, 0)} for a in self.tables],
            "files": [
                {
                    "name": f.display,
                    "format": f.format,
                    "n_rows": f.n_rows,
                    "size_bytes": f.size_bytes,
                    "sha256": f.sha256,
                    "encoding": f.encoding,
                    "delimiter": f.delimiter,
                }
                for f in self.files
            ],
            "notes": list(self.notes),
            "warnings": [vars(w) | {"examples": list(w.examples)} for w in self.warnings],
            "reasons": self.reasons(),
            "capabilities": [c.to_dict() for c in self.capabilities.values()],
        }

    def write_set_aside(self, path: str | os.PathLike[str]) -> Path:
        """Write the rows set aside to one CSV file (UTF-8 with a mark, for Excel), whole or not at all.

        Reasons are joined by ``; ``. A field that a spreadsheet would run as a formula gets an apostrophe in front.
        """
        import csv

        target = Path(path)
        with written_whole(target) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "line", "table", "reasons", "raw"])
            for batch in self.set_aside.to_batches(max_chunksize=10_000):
                for row in batch.to_pylist():
                    told = (neutralised(text) for text in ("; ".join(row["reasons"]), row["raw"]))
                    writer.writerow([neutralised(row["file"]), row["line"], row["table"], *told])
        return target
