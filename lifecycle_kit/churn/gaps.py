"""How long it takes until customers buy again: gaps between purchases, those that are still open counted right.

The engine counts gaps per day; no person leaves it. A percentile of the gaps that have ended would be too short: who
waits long is not in it yet, and who left for good never will be.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.clv.purchases import Clock
    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.movement.durations import SurvivalCurve
    from lifecycle_kit.stages.heard import View

__all__ = ["Gaps", "gap_curve"]

Day = str | dt.date
# touchpoints that the engine groups by person and day at a time, in some 100 MB
_PER_BUCKET = 2_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Gaps:
    """The gaps between purchases of all customers, up to a day.

    Attributes
    ----------
    counts : pandas.DataFrame
        One row per length that occurs: days, n_ended (gaps that ended with the next purchase), n_open (customers whose
        last purchase is so long ago). Every purchase begins one gap.
    curve : SurvivalCurve
        Share of gaps still open after each number of days (Kaplan-Meier).
    as_of : date
    since : date or None
        Only customers whose first purchase was not earlier.
    source : str
    """

    counts: pd.DataFrame
    curve: SurvivalCurve
    as_of: dt.date
    since: dt.date | None
    source: str

    @property
    def n_ended(self) -> int:
        """Gaps that ended with another purchase."""
        return int(self.counts["n_ended"].sum())

    @property
    def n_open(self) -> int:
        """Gaps still open: one per customer."""
        return int(self.counts["n_open"].sum())

    @property
    def reached(self) -> float:
        """Share of gaps that have ended by the last day on which one did: no larger share has an answer."""
        return 1 - float(self.curve.survival[-1])

    def __repr__(self) -> str:
        return f"Gaps({self.n_ended:,} ended, {self.n_open:,} open, {self.reached:.1%} reached; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per length that occurs.

        Columns: days, n_at_risk, n_ended, n_open, share_ended, lo, hi (of the curve), naive (share of the ended gaps
        that were no longer).
        """
        import pandas as pd

        curve = self.curve
        ended = curve.n_events.cumsum()
        return pd.DataFrame(
            {
                "days": curve.time,
                "n_at_risk": curve.n_at_risk,
                "n_ended": curve.n_events,
                "n_open": curve.n_censored,
                "share_ended": 1 - curve.survival,
                "lo": 1 - curve.hi,
                "hi": 1 - curve.lo,
                "naive": ended / ended[-1] if ended[-1] else float("nan"),
            }
        )

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def day_by(self, share: float) -> int | None:
        """Return the first day by which at least `share` of the gaps have ended; None where the curve never gets there.

        Parameters
        ----------
        share : float
            In (0, 1).
        """
        found = self.curve.quantile(checked_share(share))
        return None if found is None else int(found)

    def naive_day_by(self, share: float) -> int | None:
        """Return the first day by which at least `share` of the gaps that ended had ended; None where none has.

        This is what is wrong: it leaves out who still waits. It stands beside `day_by` to show by how much.
        """
        checked_share(share)
        ended = self.counts["n_ended"].to_numpy().cumsum()
        if ended[-1] == 0:
            return None
        return int(self.counts["days"].to_numpy()[(ended >= share * ended[-1] - 1e-9).argmax()])

    def plot(
        self, *, thresholds: Mapping[str, float] | None = None, share: float | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the curve, and the share of ended gaps beside it.

        Parameters
        ----------
        thresholds : mapping of str to float, optional
            Days to mark, by name.
        share : float, optional
            Height at which both are compared.
        """
        from lifecycle_kit.plots.lapse import plot_gap_curve

        return plot_gap_curve(self.to_frame(), thresholds=thresholds, share=share, source=self.source, ax=ax)


def gap_curve(dataset: Dataset, *, as_of: Day | None = None, since: Day | None = None) -> Gaps:
    """Return the gaps between purchases up to the close of `as_of`.

    A purchase is all that somebody orders on one business day; cancelled and wholly refunded orders are none. Each
    customer's last purchase begins a gap that is still open: it counts as at least so long.

    Parameters
    ----------
    dataset : Dataset
    as_of : str or date, optional
        Last day that is known. Default: the log's last day.
    since : str or date, optional
        Only customers whose first purchase was not earlier.

    Returns
    -------
    Gaps

    Raises
    ------
    UsageError
        When a day is none, or `since` is after `as_of`.
    DataError
        When the log has no orders, or nobody had bought.

    Notes
    -----
    Who buys often has more gaps and weighs more. Who left for good never ends a gap: where many do, the curve levels
    off below 1, and a share above that has no day. The curve's interval takes gaps as independent, so it is somewhat
    too narrow where customers differ.
    """
    from lifecycle_kit.engine.scratch import Scratch
    from lifecycle_kit.kpis.asked import days_asked
    from lifecycle_kit.kpis.periods import day_given
    from lifecycle_kit.movement.durations import kaplan_meier

    _, _, known = days_asked(dataset, None, None, as_of, n_days=None)
    begun = None if since is None else day_given(since)
    if begun is not None and begun > known:
        raise UsageError(f"since {begun} is after the as-of day {known}.", fix=f"Give a day up to {known}.")
    clock = _clock(dataset)
    queries = [_counted(view, clock, known, begun) for view in _views(dataset, known)]
    with Scratch(dataset.engine) as scratch:
        told = queries[0] if len(queries) == 1 else scratch.store("gaps", *queries)
        summed = told.group_by("days").aggregate(**{n: told[n].sum().cast("int64") for n in ("n_ended", "n_open")})
        found = scratch.fetch(summed.order_by("days"))
    if found.empty:
        when = f"by {known}" if begun is None else f"for the first time from {begun} to {known}"
        raise DataError(
            f"Nobody had bought {when}.", fix="Cancelled and wholly refunded orders are no purchases; ask a later day."
        )
    curve = kaplan_meier(*(found[name].to_numpy() for name in ("days", "n_ended", "n_open")))
    source = f"{dataset.name}, as of {known}" + ("" if begun is None else f", first bought since {begun}")
    return Gaps(found, curve, known, begun, source)


def checked_share(share: float) -> float:
    """Return a share that is strictly between 0 and 1."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise UsageError(f"share is {share!r}.", fix="Give a share between 0 and 1: 0.8.")
    return float(share)


def _clock(dataset: Dataset) -> Clock:
    from lifecycle_kit.clv.purchases import Clock
    from lifecycle_kit.kpis.declared import ORDER
    from lifecycle_kit.kpis.needs import Needs, contents_of, lacking

    contents = contents_of(dataset)
    reason = lacking(Needs(frozenset({ORDER}), capabilities=("stages_from_orders",)), dataset, contents, False)
    if reason:
        raise DataError(f"There are no purchases in {dataset.name!r}: it {reason}.", fix="Give the shop's orders.")
    return Clock("day", "day", dataset.timezone, "order_cancelled" in contents.events)


def _views(dataset: Dataset, as_of: dt.date) -> list[View]:
    """Return the log as it was then, in parts of some people where the engine works better so."""
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.stages.buckets import extent, in_buckets
    from lifecycle_kit.stages.heard import View

    view = View(closing_instant(as_of, dataset.timezone))
    if not dataset.engine.splits_work:
        return [view]
    return list(in_buckets(view, extent(dataset.engine, view), _PER_BUCKET))


def _counted(view: View, clock: Clock, as_of: dt.date, since: dt.date | None) -> ir.Table:
    """Return one row per length of a gap: days, n_ended, n_open."""
    import ibis

    from lifecycle_kit.clv.purchases import moments
    from lifecycle_kit.stages.windows import in_order

    made = moments(view, clock)
    if since is not None:
        first = made.group_by("person_key").aggregate(first=made.moment.min())
        new = first.filter(first["first"] >= clock.opens(since)).select("person_key")
        made = made.semi_join(new, "person_key")
    following = made.moment.lead().over(in_order(by="moment"))
    told = made.select("moment", following=following)
    closes = ibis.literal(clock.closes(as_of), "int64")
    is_open = told.following.isnull()
    gaps = told.select(
        days=(is_open.ifelse(closes, told.following) - told.moment).cast("int64"),
        n_ended=(~is_open).cast("int64"),
        n_open=is_open.cast("int64"),
    )
    return gaps.group_by("days").aggregate(
        n_ended=gaps.n_ended.sum().cast("int64"), n_open=gaps.n_open.sum().cast("int64")
    )
