"""What a model hears of a log, as seen from one moment: whose touchpoints, until when, known when.

Everything here, and in the modules that build on it, is an unexecuted Ibis expression over the declared
log; `engine` compiles and runs it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from lifecycle_kit.contract.tables import DEVICES_SCHEMA, LOG_SCHEMA, PERSONS_SCHEMA
from lifecycle_kit.stages.model import Signal, StageModel

if TYPE_CHECKING:
    from lifecycle_kit.stages.moment import Moment

__all__ = ["View", "after", "amount", "heard", "is_heard", "people", "seconds_between", "touchpoints", "view_at"]


@dataclass(frozen=True)
class View:
    """What the log is looked at with.

    Attributes
    ----------
    as_of : datetime
        Naive UTC instant; what happens later does not exist yet.
    as_known : datetime, optional
        Naive UTC instant; what reached the log later is not known yet, and neither is who a device belongs to.
    person_keys : ir.Table, optional
        A table with a column person_key: only these people.
    key_range : tuple of int, optional
        First and last person_key: a bucket of people.
    """

    as_of: dt.datetime
    as_known: dt.datetime | None = None
    person_keys: ir.Table | None = None
    key_range: tuple[int, int] | None = None


def view_at(moment: Moment) -> View:
    """Return the view of everybody at a moment."""
    return View(moment.instant, moment.known_instant)


def touchpoints(view: View) -> ir.Table:
    """Return the log as the view sees it: what had happened and was known, each with the person known then."""
    log = ibis.table(LOG_SCHEMA, name="log")
    if view.as_known is not None:
        known = ibis.literal(view.as_known, "timestamp")
        # until the link is known, a device is somebody of its own
        whose = (log.linked_at > known).ifelse(log.device_key, log.person_key)
        log = log.filter(log.known_at <= known).mutate(person_key=whose)
    if view.person_keys is not None:
        log = log.semi_join(view.person_keys, "person_key")
    if view.key_range is not None:
        log = log.filter(log.person_key.between(*view.key_range))
    return log.filter(log.occurred_at <= ibis.literal(view.as_of, "timestamp"))


def people(view: View) -> ir.Table:
    """Return who may be in an answer: person_key, person_id; with `as_known` the devices too, under their own ids."""
    persons = ibis.table(PERSONS_SCHEMA, name="persons").select("person_key", "person_id")
    if view.as_known is None:
        return persons
    devices = ibis.table(DEVICES_SCHEMA, name="devices")
    return persons.union(devices.select(person_key=devices.device_key, person_id=devices.anonymous_id))


def heard(model: StageModel, view: View) -> ir.Table:
    """Return the touchpoints that place a person in the lifecycle: those that any signal listens to."""
    log = touchpoints(view)
    return log if model.events is None else log.filter(log.event.isin(model.events))


def is_heard(signal: Signal, rows: ir.Table) -> ir.BooleanValue:
    """Return whether a signal listens to each row."""
    # every row has an event: a column of true, where a literal would not aggregate
    return rows.event.notnull() if signal.events is None else rows.event.isin(signal.events)


def amount(signal: Signal, rows: ir.Table) -> ir.IntegerValue:
    """Return what one heard row adds: 1, or its revenue in minor units."""
    return rows.revenue.fill_null(0) if signal.of == "revenue" else ibis.literal(1, "int64")


def after(instant: ir.TimestampValue, length: dt.timedelta) -> ir.TimestampValue:
    """Return the instant a window later; a day is 24 hours."""
    if length % dt.timedelta(days=1):
        return instant + ibis.interval(hours=length // dt.timedelta(hours=1))
    return instant + ibis.interval(days=length.days)


def seconds_between(begin: ir.TimestampValue, end: ir.TimestampValue) -> ir.IntegerValue:
    """Return the seconds from one instant to another, each without its fraction: whole on every engine."""
    first, last = (moment.truncate("s").epoch_seconds().cast("int64") for moment in (begin, end))
    return last - first
