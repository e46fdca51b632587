"""The moment a question is asked about: checked against the log, and what to warn of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lifecycle_kit.calendar import closing_instant, day_of, parse_as_of, zone
from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.errors import DataError, UsageError, nearest
from lifecycle_kit.stages.model import StageModel

__all__ = ["AsOf", "Moment", "resolve_moment"]

AsOf = str | dt.date | dt.datetime
_STALE_DAYS = 30


@dataclass(frozen=True)
class Moment:
    """An as-of (and as-known) moment of one dataset.

    Attributes
    ----------
    dataset_name : str
        Whose log.
    as_of : date or datetime
        As asked; a date means the close of that business day.
    instant : datetime
        The same as a naive UTC instant.
    as_known : date, datetime or None
        What is known is what reached the log until then; None is everything.
    known_instant : datetime or None
        The same as a naive UTC instant.
    warnings : tuple of str
        What a reader of the answer must know.
    timezone : str
        The business time zone.
    """

    dataset_name: str
    as_of: dt.date | dt.datetime
    instant: dt.datetime
    as_known: dt.date | dt.datetime | None = None
    known_instant: dt.datetime | None = None
    warnings: tuple[str, ...] = ()
    timezone: str = "UTC"

    @property
    def source(self) -> str:
        """The source line of a picture."""
        known = "" if self.as_known is None else f", as known on {self.as_known}"
        return f"{self.dataset_name}, as of {self.as_of}{known}"

    @property
    def day(self) -> dt.date:
        """The business day on which it falls."""
        return day_of(self.instant, self.timezone)


def resolve_moment(
    dataset: Dataset, model: StageModel, as_of: AsOf | None = None, as_known: AsOf | None = None
) -> Moment:
    """Check an as-of date against a dataset; the default is the last business day of its log.

    Raises
    ------
    UsageError
        When it lies before the first touchpoint, or the model's days end elsewhere than the dataset's.
    DataError
        When the log is empty.
    """
    for given, kind, how in ((dataset, Dataset, "load(...)"), (model, StageModel, "load_model(...)")):
        if not isinstance(given, kind):
            raise UsageError(f"{given!r} is not a {kind.__name__}.", fix=f"Give what {how} returns.")
    if dataset.first_at is None or dataset.last_at is None:
        raise DataError(f"The log of {dataset.name!r} is empty.", fix="Run 'lifecycle check' to see why.")
    if model.timezone not in (None, dataset.timezone):
        raise UsageError(
            f"The model {model.name!r} counts days in {model.timezone}, the dataset in {dataset.timezone}.",
            fix=f"Load the data with timezone={model.timezone!r}, or leave the time zone out of the model.",
        )
    first, last = day_of(dataset.first_at, dataset.timezone), day_of(dataset.last_at, dataset.timezone)
    asked = last if as_of is None else parse_as_of(as_of)
    if isinstance(asked, dt.datetime) and asked.tzinfo is None:
        asked = asked.replace(tzinfo=zone(dataset.timezone))  # said once, so that it cannot be read in two ways later
    instant = closing_instant(asked, dataset.timezone)
    if instant < dataset.first_at:
        raise UsageError(
            f"As-of {asked} is before the first touchpoint of {dataset.name!r} on {first}.",
            fix=f"Use a date from {first} to {last}.",
        )
    warnings = []
    stale = (instant - dataset.last_at).days
    if stale > _STALE_DAYS:
        warnings.append(
            f"As-of {asked} is {stale:,} days after the last touchpoint ({last}): "
            "people age in this answer without any chance to act."
        )
    warnings += _misspelt(dataset, model)
    known = None if as_known is None else parse_as_of(as_known)
    return Moment(
        dataset_name=dataset.name,
        as_of=asked,
        instant=instant,
        as_known=known,
        known_instant=None if known is None else closing_instant(known, dataset.timezone),
        warnings=tuple(warnings),
        timezone=dataset.timezone,
    )


def _misspelt(dataset: Dataset, model: StageModel) -> list[str]:
    """Events that a model names and the log does not have, where the log has one much like it."""
    import ibis

    from lifecycle_kit.contract.tables import LOG_SCHEMA
    from lifecycle_kit.engine.base import fetch

    asked = {e for signal in model.signals.values() for e in signal.events or ()}
    asked |= {signal.reversed_by.event for signal in model.signals.values() if signal.reversed_by}
    log = ibis.table(LOG_SCHEMA, name="log")
    there = set(fetch(log.select("event").distinct(), dataset.engine)["event"].to_pylist())
    found = []
    for event in sorted(asked - there):
        alike = nearest(event, there - asked)
        if alike:
            found.append(f"The log has no event {event!r}, which {model.name!r} listens to. Did you mean {alike!r}?")
    return found
