"""The frozen handle over checked tables: what every analysis is given.

In its engine a dataset leaves the contract tables under their names (kept rows only), `persons`
(one row per person) and `log` (one row per touchpoint, whatever table it came from).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import day_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from lifecycle_kit.contract.capabilities import Capability
    from lifecycle_kit.contract.report import CheckReport
    from lifecycle_kit.engine.base import Engine

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A shop's log, checked and ready. Made by `load`; use it in a `with` block or close it.

    Attributes
    ----------
    engine : Engine
        Holds the tables of CANONICAL: `log`, `persons` ...; the one that loaded the data also the contract tables.
    name : str
        Name of the shop, for titles.
    timezone : str
        IANA name of the business time zone: it says when a day ends.
    currency : str or None
        ISO 4217 code of every amount; None where nothing says it.
    report : CheckReport
        What was read, kept and set aside, and what the data can feed.
    first_at, last_at : datetime or None
        First and last touchpoint of the log, naive UTC; None where the log is empty.
    tables : mapping of str to int
        Contract table -> number of kept rows; only tables that the source has.
    """

    engine: Engine
    name: str
    timezone: str
    currency: str | None
    report: CheckReport
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    tables: Mapping[str, int]

    @property
    def capabilities(self) -> Mapping[str, Capability]:
        """What the data can and cannot feed: name -> Capability."""
        return self.report.capabilities

    @property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """First and last business day of the log; None where it is empty."""
        if self.first_at is None or self.last_at is None:
            return None
        return day_of(self.first_at, self.timezone), day_of(self.last_at, self.timezone)

    def contents(self) -> pd.DataFrame:
        """Return what the log holds: one row per event name, most frequent first.

        Columns: event, n_touchpoints, n_people, first_at, last_at (naive UTC), revenue (major units; missing for
        events without amounts).
        """
        import ibis

        from lifecycle_kit.contract.tables import LOG_SCHEMA
        from lifecycle_kit.engine.base import fetch

        log = ibis.table(LOG_SCHEMA, name="log")
        found = log.group_by("event").aggregate(
            n_touchpoints=log.count(),
            n_people=log.person_key.nunique(),
            first_at=log.occurred_at.min(),
            last_at=log.occurred_at.max(),
            revenue=log.revenue.sum().cast("float64") / 100,
        )
        return fetch(found.order_by(ibis.desc("n_touchpoints"), "event"), self.engine).to_pandas()

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write the canonical tables as a folder that `open_dataset` opens on any engine; whole or not at all.

        The folder must not exist yet, or be empty. What was set aside is not in it.
        """
        from lifecycle_kit.contract.canonical import write_canonical

        return write_canonical(self, folder)

    def close(self) -> None:
        """Give back the scratch database. Safe to call twice."""
        self.engine.close()

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        rows = ", ".join(f"{table} {n:,}" for table, n in self.tables.items())
        span = "empty" if self.days is None else f"{self.days[0]} to {self.days[1]}"
        return f"Dataset({self.name!r}, {rows}; {span}; {self.timezone})"
