"""What models of customer value are fitted on: how often each customer bought, when last, and how long ago first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from lifecycle_kit.clv.purchases import Clock, Grain, TimeUnit
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.heard import View

__all__ = ["PurchaseStatistics", "purchase_statistics", "statistic_counts"]

Day = str | dt.date
# touchpoints that the engine groups by person and moment at a time, in some 100 MB
_PER_BUCKET = 2_000_000


@dataclass(frozen=True, eq=False, repr=False)
class PurchaseStatistics:
    """The purchases of each customer in a few figures.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer, by person_key: person_key, person_id, channel (that brought them; missing where nothing
        tells it), first_day (of the first purchase), frequency (repeat purchases), recency (time from the first
        purchase to the last), T (time from the first purchase to the as-of day), log_gaps (sum of the natural logs of
        the times between successive purchases; 0 for one-time buyers), monetary (mean revenue of the repeat purchases;
        missing for one-time buyers, and where one of them is unknown), first_value (revenue of the first purchase),
        revenue, cost and profit (of all purchases; missing where an order does not tell it), n_orders (before
        merging). With `held_out_until` also n_held_out and revenue_held_out: what came after the as-of day. Times are
        in `time_unit`, money in major units.
    time_unit : {"day", "week", "year"}
    grain : {"day", "order"}
    as_of : date
        What happened later is not known.
    since : date or None
        Only customers whose first purchase was not earlier.
    held_out_until : date or None
        Last day of the held-out time.
    n_merged, n_merged_held_out : int
        Orders that became one purchase with an earlier one: of the same day, or the same second.
    source : str
        The source line of a picture.
    warnings : tuple of str
        What a reader should know, in sentences.
    """

    frame: pd.DataFrame
    time_unit: TimeUnit
    grain: Grain
    as_of: dt.date
    since: dt.date | None
    held_out_until: dt.date | None
    n_merged: int
    n_merged_held_out: int
    source: str
    warnings: tuple[str, ...]

    @property
    def n_customers(self) -> int:
        """How many customers there are."""
        return len(self.frame)

    @property
    def n_purchases(self) -> int:
        """Their purchases up to the as-of day, the first ones too."""
        return self.n_customers + int(self.frame["frequency"].sum())

    def __repr__(self) -> str:
        n_orders = self.n_purchases + self.n_merged
        merged = f", {self.n_merged:,} of {n_orders:,} orders merged" if self.n_merged else ""
        return (
            f"PurchaseStatistics({self.n_customers:,} customers, {self.n_purchases:,} purchases by {self.grain}{merged}"
            f", times in {self.time_unit}s; {self.source})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per customer. Its `attrs` tell the time unit."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)


def purchase_statistics(
    dataset: Dataset,
    *,
    as_of: Day | None = None,
    since: Day | None = None,
    held_out_until: Day | None = None,
    grain: Grain = "day",
    time_unit: TimeUnit = "week",
) -> PurchaseStatistics:
    """Return the statistic of each customer: everybody with a purchase that stands at the close of `as_of`.

    Orders that were cancelled or wholly refunded by then are no purchases; a partial refund lowers the amount. A refund
    that came later was not known, so the order still counts: a forecast made on that day had to count it too. What is
    held out is told as seen at the close of `held_out_until`.

    Parameters
    ----------
    dataset : Dataset
        The shop's log.
    as_of : str or date, optional
        Last business day that is known. Default: the log's last day.
    since : str or date, optional
        Only customers whose first purchase, in the whole log, is on or after this day. Whoever bought before the log
        began looks newer than they are; this leaves them out.
    held_out_until : str or date, optional
        Tell beside it what each customer bought after `as_of`, up to the close of this day: for back-tests.
    grain : {"day", "order"}
        What one purchase is. Day: all orders of a person on one business day, and times are whole days. Order: each
        order at its second, those of a person in one second being one; T then ends with the as-of day.
    time_unit : {"day", "week", "year"}
        What recency, T and the gaps are counted in: 1, 7 or 365.25 days of 24 hours. It changes no purchase.

    Returns
    -------
    PurchaseStatistics

    Raises
    ------
    UsageError
        When `since` is after `as_of`, `held_out_until` is not after it or beyond the log, or an option is none of the
        allowed.
    DataError
        When the log is empty or has no orders, or nobody had bought.

    Notes
    -----
    The statistic is that of Fader, Hardie and Lee (2005), "Counting your customers" the easy way; log_gaps is what
    Platzer and Reutterer (2016) add for regular buyers.
    """
    import pandas as pd

    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.clv.purchases import held_out, of_each, with_names
    from lifecycle_kit.engine.scratch import Scratch

    asked = _asked(dataset, as_of, since, held_out_until, grain, time_unit)
    queries = []
    for view in _views(dataset, asked):
        later = None
        if asked.until is not None:
            wider = replace(view, as_of=closing_instant(asked.until, dataset.timezone))
            later = held_out(wider, asked.clock, asked.as_of)
        named = with_names(view, of_each(view, asked.clock, asked.as_of, asked.since), later)
        # parts come by person_key already: sorted here, nothing need be copied to be put in order
        queries.append(named.order_by("person_key"))
    with Scratch(dataset.engine) as scratch:
        found = scratch.fetch(*queries)
    if found.empty:
        raise asked.nobody(dataset)
    n_merged = int(found["n_orders"].sum() - len(found) - found["frequency"].sum())
    n_later = 0 if asked.until is None else int((found["n_orders_held_out"] - found["n_held_out"]).sum())
    frame = pd.DataFrame(_columns(found, asked)).astype({"person_id": "str", "channel": "str"})
    frame.attrs["time_unit"] = time_unit
    told = "" if asked.until is None else f", the time to {asked.until} held out"
    source = f"{dataset.name}, as of {asked.as_of}{told}"
    return PurchaseStatistics(
        frame,
        time_unit,
        grain,
        asked.as_of,
        asked.since,
        asked.until,
        n_merged,
        n_later,
        source,
        tuple(_warnings(frame, dataset, asked)),
    )


def statistic_counts(
    dataset: Dataset,
    *,
    as_of: Day | None = None,
    since: Day | None = None,
    grain: Grain = "day",
    time_unit: TimeUnit = "week",
) -> pd.DataFrame:
    """Return how many customers have the same statistic, grouped in the engine: no person leaves it.

    A model without features needs no more, and this is quick for millions of orders. Parameters, definitions and errors
    are those of `purchase_statistics`.

    Returns
    -------
    pandas.DataFrame
        One row per distinct statistic, in its order: frequency, recency and T (in `time_unit`), n (customers). Its
        `attrs` tell the time unit.
    """
    import pandas as pd

    from lifecycle_kit.clv.purchases import counted
    from lifecycle_kit.engine.scratch import Scratch

    asked = _asked(dataset, as_of, since, None, grain, time_unit)
    queries = [counted(view, asked.clock, asked.as_of, asked.since) for view in _views(dataset, asked)]
    with Scratch(dataset.engine) as scratch:
        told = queries[0] if len(queries) == 1 else scratch.store("statistics", *queries)
        keys = ("frequency", "recency", "age")
        found = scratch.fetch(told.group_by(*keys).aggregate(n=told.n.sum().cast("int64")).order_by(*keys))
    if found.empty:
        raise asked.nobody(dataset)
    frame = pd.DataFrame(_times(found, asked.clock) | {"n": found["n"]})
    frame.attrs["time_unit"] = time_unit
    return frame


@dataclass(frozen=True)
class _Asked:
    """A question that was checked."""

    clock: Clock
    as_of: dt.date
    since: dt.date | None
    until: dt.date | None

    def nobody(self, dataset: Dataset) -> DataError:
        """Return the error that says why there is no customer."""
        assert dataset.days is not None
        first, last = dataset.days
        fix = f"The log tells of {first} to {last}; cancelled and wholly refunded orders are no purchases."
        if self.since is not None:
            return DataError(f"Nobody made a first purchase from {self.since} to {self.as_of}.", fix=fix)
        return DataError(f"Nobody had bought by {self.as_of}.", fix=fix)


def _asked(
    dataset: Dataset, as_of: Day | None, since: Day | None, until: Day | None, grain: Grain, time_unit: TimeUnit
) -> _Asked:
    from lifecycle_kit.kpis.asked import days_asked
    from lifecycle_kit.kpis.declared import ORDER
    from lifecycle_kit.kpis.needs import Needs, contents_of, lacking
    from lifecycle_kit.kpis.periods import day_given

    if grain not in get_args(Grain):
        raise UnknownNameError("grain", str(grain), get_args(Grain))
    if str(time_unit) == "month":
        raise UsageError("A month has no fixed length: 28 to 31 days.", fix="Write time_unit='week'.")
    if time_unit not in get_args(TimeUnit):
        raise UnknownNameError("time unit", str(time_unit), get_args(TimeUnit))
    _, _, known = days_asked(dataset, None, None, as_of, n_days=None)
    assert dataset.days is not None
    last = dataset.days[1]
    begun = None if since is None else day_given(since)
    if begun is not None and begun > known:
        raise UsageError(f"since {begun} is after the as-of day {known}.", fix=f"Give a day up to {known}.")
    end = None if until is None else day_given(until)
    if end is not None and not known < end <= last:
        what = f"is after {last}, where the log ends" if end > last else f"is not after the as-of day {known}"
        fix = f"Give a day from {known + dt.timedelta(days=1)} to {last}."
        if known >= last:
            fix = f"Give an as_of before {last}, where the log ends: nothing is left to hold out."
        raise UsageError(f"held_out_until {end} {what}.", fix=fix)
    contents = contents_of(dataset)
    reason = lacking(Needs(frozenset({ORDER}), capabilities=("stages_from_orders",)), dataset, contents, False)
    if reason:
        raise DataError(f"There are no purchases in {dataset.name!r}: it {reason}.", fix="Give the shop's orders.")
    clock = Clock(grain, time_unit, dataset.timezone, "order_cancelled" in contents.events)
    return _Asked(clock, known, begun, end)


def _views(dataset: Dataset, asked: _Asked) -> list[View]:
    """Return the log as it was then, in parts of some people where the engine works better so."""
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.stages.buckets import extent, in_buckets
    from lifecycle_kit.stages.heard import View

    view = View(closing_instant(asked.as_of, dataset.timezone))
    if not dataset.engine.splits_work:
        return [view]
    return list(in_buckets(view, extent(dataset.engine, view), _PER_BUCKET))


def _times(found: pd.DataFrame, clock: Clock) -> dict[str, Any]:
    return {
        "frequency": found["frequency"],
        "recency": found["recency"] / clock.per_unit,
        "T": found["age"] / clock.per_unit,
    }


def _columns(found: pd.DataFrame, asked: _Asked) -> dict[str, Any]:
    """Turn what the engine found into columns: time units, major units, missing where something is unknown."""
    knows_revenue, knows_cost, knows_first = (found[f"n_no_{name}"] == 0 for name in ("revenue", "cost", "first"))
    revenue, cost, first = (found[name] for name in ("revenue", "cost", "first_value"))
    repeats = found["frequency"]
    # of repeat purchases alone: the first one may be unknown and the mean of the others not
    knows_repeats = (repeats > 0) & (found["n_no_revenue"] == found["n_no_first"])
    columns = {
        **{name: found[name] for name in ("person_key", "person_id", "channel", "first_day")},
        **_times(found, asked.clock),
        "log_gaps": found["log_gaps"],
        "monetary": ((revenue - first) / 100 / repeats.where(repeats > 0)).where(knows_repeats),
        "first_value": (first / 100).where(knows_first),
        "revenue": (revenue / 100).where(knows_revenue),
        "cost": (cost / 100).where(knows_cost),
        "profit": ((revenue - cost) / 100).where(knows_revenue & knows_cost),
        "n_orders": found["n_orders"],
    }
    if asked.until is not None:
        columns["n_held_out"] = found["n_held_out"]
        columns["revenue_held_out"] = (found["revenue_held_out"] / 100).where(found["n_no_revenue_held_out"] == 0)
    return columns


def _warnings(frame: pd.DataFrame, dataset: Dataset, asked: _Asked) -> list[str]:
    from lifecycle_kit.kpis.asked import RUN_IN_DAYS

    assert dataset.days is not None
    first, last = dataset.days
    made = []
    if asked.as_of > last:
        made.append(
            f"The log ends on {last}, {(asked.as_of - last).days:,} days before the as-of day: customers look more "
            "silent than they are, unless really nothing happened since."
        )
    settled = first + dt.timedelta(days=RUN_IN_DAYS)
    early = int((frame["first_day"] < settled).sum())
    if early:
        made.append(
            f"{early:,} of {len(frame):,} customers made their first purchase in the log's first {RUN_IN_DAYS} days: "
            f"they may be older than they look. Unless the shop opened then, since='{settled}' leaves them out."
        )
    for name, missing in (("revenue", "revenue is"), ("cost", "cost and profit are")):
        n_unknown = int(frame[name].isna().sum())
        if n_unknown == len(frame):
            made.append(f"The {name} of orders is not known: {missing} missing.")
        elif n_unknown:
            whose = f"{n_unknown:,} of {len(frame):,} customers"
            made.append(f"The {name} of some orders is not known: {missing} missing for {whose}.")
    return made
