"""What is known of each customer at the close of a day, one row per customer: what a model of risk learns from."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.feature_list import FEATURES, NEEDS, Feature
from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.heard import View

__all__ = ["Features", "LogTells", "customer_features", "features_of", "look_at_log"]

Day = str | dt.date
# touchpoints that the engine groups by person and day at a time
_PER_BUCKET = 2_000_000
# a customer's own gap counts as much as everybody's once there are so many
OWN_GAPS = 2


@dataclass(frozen=True, eq=False, repr=False)
class Features:
    """What was known of customers at the close of a day.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer: person_id, then one column per feature. What is not known is missing. Money in major
        units.
    declared : tuple of Feature
        What each column is, in their order.
    cut : date
        What happened later is not known.
    left_out : mapping of str to str
        Features that the log cannot feed, and why.
    usual_gap_days : float
        Mean days between two successive days with an order, over all customers; nan where nobody came twice.
    currency : str or None
    source : str
    warnings : tuple of str
    """

    frame: pd.DataFrame
    declared: tuple[Feature, ...]
    cut: dt.date
    left_out: Mapping[str, str]
    usual_gap_days: float
    currency: str | None
    source: str
    warnings: tuple[str, ...]

    @property
    def numeric(self) -> tuple[str, ...]:
        """Names of the features that are numbers."""
        return tuple(feature.name for feature in self.declared if feature.kind == "numeric")

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names of the features that are names."""
        return tuple(feature.name for feature in self.declared if feature.kind == "categorical")

    @property
    def units(self) -> dict[str, str]:
        """Unit of each feature; of money the dataset's currency."""
        money = self.currency or "currency"
        return {f.name: money if f.unit == "currency" else f.unit for f in self.declared}

    @cached_property
    def hash_(self) -> str:
        """Return the sha256 of the frame's content."""
        from lifecycle_kit.churn.fingerprint import frame_sha256

        return frame_sha256(self.frame)

    @property
    def schema_hash(self) -> str:
        """Return the sha256 of the features' names, kinds and units."""
        units = self.units
        told = "\n".join(f"{f.name}\t{f.kind}\t{units[f.name]}" for f in self.declared)
        return hashlib.sha256(told.encode()).hexdigest()

    def __repr__(self) -> str:
        out = f", {len(self.left_out)} left out" if self.left_out else ""
        told = "".join(f"\n  {sentence}" for sentence in self.warnings)
        return f"Features({len(self.frame):,} customers, {len(self.declared)} features{out}; {self.source}){told}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per customer. Its `attrs` tell the units."""
        frame = self.frame.copy()
        frame.attrs["units"] = self.units
        return frame

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def dictionary(self) -> pd.DataFrame:
        """Return one row per feature, left out ones too: feature, kind, unit, words, group, left_out (why, or null)."""
        import pandas as pd

        units = self.units
        rows = [
            {
                "feature": feature.name,
                "kind": feature.kind,
                "unit": units.get(feature.name, feature.unit),
                "words": feature.words,
                "group": feature.group,
                "left_out": self.left_out.get(feature.name),
            }
            for feature in FEATURES
        ]
        return pd.DataFrame(rows).astype({"left_out": "str"})


def customer_features(dataset: Dataset, cut: Day, *, since: Day | None = None) -> Features:
    """Return what was known of each customer at the close of `cut`: of everybody with a purchase that stands then.

    A purchase is all orders of one business day. A visit is a business day with any touchpoint of their own but an
    order. `overdue` is the days since the last order over the customer's usual gap: the mean of the own gaps and of two
    more that are everybody's mean.

    Parameters
    ----------
    dataset : Dataset
    cut : str or date
        Last business day that is known.
    since : str or date, optional
        Only customers whose first purchase, in the whole log, is on or after this day.

    Returns
    -------
    Features
        Those that the log can feed by then; the others are told in `left_out`, and no zeros stand for them.

    Raises
    ------
    UsageError
        When `cut` is no day, or `since` is after it.
    DataError
        When the log is empty, has no orders, or nobody had bought.

    Notes
    -----
    What a device did before it was brought to its person is left out while the link was not known, for the link tells
    that the person came back. `country` and the channel of the customers' table carry no date and are taken as known.
    What happened by `cut` and reached the log later is in it, as everywhere in the kit.
    """
    day, begun = _days(dataset, cut, since)
    return features_of(dataset, day, begun, look_at_log(dataset, day), None)


@dataclass(frozen=True)
class LogTells:
    """What a log holds by a day.

    Attributes
    ----------
    parts : frozenset of str
        Keys of NEEDS that it feeds.
    has_cancellations, has_unlinked : bool
    n_buyers : int
        People with an order, standing or not.
    """

    parts: frozenset[str]
    has_cancellations: bool
    has_unlinked: bool
    n_buyers: int


def look_at_log(dataset: Dataset, cut: dt.date) -> LogTells:
    """Return which parts a log has by the close of a day: what it will hold later is not looked at."""
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.churn.feature_queries import ORDER_PREFIXES, log_tells, persons_tell
    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.kpis.rows import NOT_OWN
    from lifecycle_kit.stages.heard import View

    view = View(closing_instant(cut, dataset.timezone))
    told = {row["event"]: row for row in fetch(log_tells(view), dataset.engine).to_pylist()}
    persons = fetch(persons_tell(), dataset.engine).to_pylist()[0]
    orders = told.get("order_completed")
    own = [row for event, row in told.items() if event not in NOT_OWN]
    has_channels = any(row["n_channel"] for row in own)
    found = {
        "orders": orders is not None,
        "money": orders is not None and orders["n_revenue"] > 0,
        "refunds": "order_refunded" in told,
        "visits": any(not row["event"].startswith(ORDER_PREFIXES) for row in own),
        "channels": has_channels,
        "acquired": has_channels or persons["n_acquired"] > 0,
        "country": persons["n_country"] > 0,
    }
    return LogTells(
        frozenset(name for name, has in found.items() if has),
        "order_cancelled" in told,
        orders is not None and orders["n_unlinked"] > 0,
        0 if orders is None else orders["n_people"],
    )


def features_of(
    dataset: Dataset, cut: dt.date, since: dt.date | None, tells: LogTells, people: ir.Table | None
) -> Features:
    """Return the features of everybody, or of some people only (a table of person_key)."""
    import pandas as pd

    from lifecycle_kit.churn.feature_queries import each_customer
    from lifecycle_kit.engine.base import fetch

    _check_orders(dataset, cut, tells)
    parts = []
    for view in _views(dataset, cut, people):
        query = each_customer(
            view,
            cut,
            since,
            tells.parts,
            has_cancellations=tells.has_cancellations,
            has_unlinked=tells.has_unlinked,
        )
        found = fetch(query, dataset.engine)
        if found.num_rows:
            parts.append(found)
    if not parts:
        raise _nobody(dataset, cut, since)
    n_gaps, days = 0, 0
    for part in parts:
        n_gaps += int(_whole(part, "n_order_days").sum()) - part.num_rows
        days += int((_whole(part, "days_since_first_order") - _whole(part, "days_since_last_order")).sum())
    usual = days / n_gaps if n_gaps else float("nan")
    frames = []
    while parts:
        frames.append(_columns(parts.pop(0), tells.parts, usual))
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    declared = tuple(f for f in FEATURES if f.name in frame.columns)
    left_out = {f.name: NEEDS[f.needs] for f in FEATURES if f.needs not in tells.parts}
    return Features(
        frame,
        declared,
        cut,
        left_out,
        usual,
        dataset.currency,
        f"{dataset.name}, at the close of {cut}",
        tuple(_warnings(dataset, cut, frame)),
    )


def _days(dataset: Dataset, cut: Day, since: Day | None) -> tuple[dt.date, dt.date | None]:
    from lifecycle_kit.kpis.asked import days_asked
    from lifecycle_kit.kpis.periods import day_given

    _, _, day = days_asked(dataset, None, None, cut, n_days=None)
    begun = None if since is None else day_given(since)
    if begun is not None and begun > day:
        raise UsageError(f"since {begun} is after the cut {day}.", fix=f"Give a day up to {day}.")
    return day, begun


def _check_orders(dataset: Dataset, cut: dt.date, tells: LogTells) -> None:
    if "orders" in tells.parts:
        return
    capability = dataset.capabilities["stages_from_orders"]
    if not capability.available:
        raise DataError(
            f"There are no purchases in {dataset.name!r}: it needs {' and '.join(capability.missing)}.",
            fix="Give the shop's orders.",
        )
    raise _nobody(dataset, cut, None)


def _nobody(dataset: Dataset, cut: dt.date, since: dt.date | None) -> DataError:
    assert dataset.days is not None
    fix = f"The log tells of {dataset.days[0]} to {dataset.days[1]}; cancelled and refunded orders are no purchases."
    if since is not None:
        return DataError(f"Nobody made a first purchase from {since} to {cut}.", fix=fix)
    return DataError(f"Nobody had bought by {cut}.", fix=fix)


def _views(dataset: Dataset, cut: dt.date, people: ir.Table | None) -> list[View]:
    """Return the log as it was then, in parts of some people where the engine works better so."""
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.stages.buckets import extent, in_buckets
    from lifecycle_kit.stages.heard import View

    view = View(closing_instant(cut, dataset.timezone), person_keys=people)
    if not dataset.engine.splits_work:
        return [view]
    return list(in_buckets(view, extent(dataset.engine, view), _PER_BUCKET))


def _whole(part: pa.Table, name: str) -> Any:
    return part[name].to_numpy()


def _columns(part: pa.Table, tells: frozenset[str], usual: float) -> pd.DataFrame:
    """Turn what the engine found into features: major units, missing where something is unknown."""
    import pandas as pd

    from lifecycle_kit.churn.feature_queries import PARTS

    def floats(name: str) -> Any:
        return part[name].to_numpy().astype(np.float64)

    first, last, n_days = (floats(n) for n in ("days_since_first_order", "days_since_last_order", "n_order_days"))
    n_gaps, span = n_days - 1, first - last
    mean_gap = np.divide(span, n_gaps, out=np.full(len(span), np.nan), where=n_gaps >= 1)
    # whole numbers below 2**53: the difference is exact, and never below 0
    spread = floats("squared_gaps") * n_gaps - span**2
    variance = np.divide(spread, n_gaps * (n_gaps - 1), out=np.full(len(span), np.nan), where=n_gaps >= 2)
    made: dict[str, Any] = {
        "person_id": part["person_id"].to_pandas().astype("str"),
        "mean_gap_days": mean_gap,
        "sd_gap_days": np.sqrt(variance),
        "overdue": last * (n_gaps + OWN_GAPS) / (span + OWN_GAPS * usual),
    }
    counts = ["days_since_last_order", "days_since_first_order", "n_orders", "n_order_days"]
    for name in [*counts, *(f"n_orders_{n}d" for n in (30, 90, 180, 365))]:
        made[name] = part[name].to_numpy()
    if "money" in tells:
        revenue = np.where(floats("n_no_revenue") == 0, floats("revenue") / 100, np.nan)
        made["revenue"] = revenue
        made["mean_order_value"] = revenue / floats("n_orders")
        made["revenue_90d"] = np.where(floats("n_no_revenue_90d") == 0, floats("revenue_90d") / 100, np.nan)
        made["last_order_value"] = np.where(floats("n_no_last") == 0, floats("last_order_value") / 100, np.nan)
    for name in (name for told, names in PARTS.items() if told in tells for name in names):
        # whoever never came has no last visit; every other of these is a count, and none is 0
        found = part[name] if name == "days_since_last_visit" else part[name].fill_null(0)
        made[name] = found.to_numpy()
    for name in ("channel", "country"):
        if name in part.column_names:
            made[name] = part[name].to_pandas().astype("str")
    return pd.DataFrame({name: made[name] for name in ("person_id", *(f.name for f in FEATURES)) if name in made})


def _warnings(dataset: Dataset, cut: dt.date, frame: pd.DataFrame) -> list[str]:
    assert dataset.days is not None
    first, last = dataset.days
    made = []
    if cut > last:
        made.append(
            f"The log ends on {last}, {(cut - last).days:,} days before the cut: customers look more silent than they "
            "are, unless really nothing happened since."
        )
    n_days = (cut - first).days + 1
    if n_days < 365:
        made.append(
            f"The log begins {n_days:,} days before the close of {cut}: features that look back longer see no more."
        )
    if "revenue" in frame and (n_unknown := int(frame["revenue"].isna().sum())):
        made.append(
            f"The revenue of some orders is not known: it is missing for {n_unknown:,} of {len(frame):,} customers."
        )
    return made
