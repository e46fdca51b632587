"""The stretch of a log that a question about journeys looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import closing_instant, day_of
from lifecycle_kit.engine.scratch import Scratch
from lifecycle_kit.kpis.asked import days_asked

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.heard import View

__all__ = ["Look", "look"]


@dataclass(frozen=True)
class Look:
    """A dataset as it was at the close of one day, and the days on which a journey may begin.

    Attributes
    ----------
    dataset : Dataset
    view : View
    first, last : date
        First and last business day of the period.
    source : str
    scratch : Scratch
        What the engine keeps until the question is answered.
    """

    dataset: Dataset
    view: View
    first: dt.date
    last: dt.date
    source: str
    scratch: Scratch

    @property
    def view_day(self) -> dt.date:
        """The as-of day."""
        return day_of(self.view.as_of, self.dataset.timezone)

    def begins_in_period(self, at: ir.TimestampValue) -> ir.BooleanValue:
        """Return whether an instant lies in the period."""
        import ibis

        zone = self.dataset.timezone
        opens = closing_instant(self.first - dt.timedelta(days=1), zone)
        return (at > ibis.literal(opens, "timestamp")) & (
            at <= ibis.literal(closing_instant(self.last, zone), "timestamp")
        )


@contextmanager
def look(
    dataset: Dataset,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
) -> Iterator[Look]:
    """Open a stretch of a log; its tables are forgotten at the end.

    Raises
    ------
    DataError
        When the log is empty.
    UsageError
        When the period is empty or ends after `as_of`.
    """
    from lifecycle_kit.stages.heard import View

    first, last, known = days_asked(dataset, since, until, as_of, n_days=None)
    view = View(closing_instant(known, dataset.timezone))
    source = f"{dataset.name}, {first} to {last}, as of {known}"
    with Scratch(dataset.engine) as scratch:
        yield Look(dataset, view, first, last, source, scratch)
