"""Past days at which a risk is asked for, and who came back within the window after each: labels never overlap."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.features import Features, features_of, look_at_log
from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from numpy.typing import NDArray

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["MOST", "Cuts", "Labelled", "checked_window", "cuts_of", "labelled"]

# customers looked at: all training cuts together, the calibration cut, the test cut
MOST = {"training": 200_000, "calibration": 100_000, "test": 100_000}
# earlier seasons help; a shop of five years ago does not
MOST_TRAINING_CUTS = 4


@dataclass(frozen=True)
class Cuts:
    """The days at whose close risk is asked for; of each, labels are of the window after it.

    Attributes
    ----------
    training : tuple of date
        Oldest first.
    calibration, test : date
    last : date
        Last day that is known; the test window ends on it.
    window_days : int
    """

    training: tuple[dt.date, ...]
    calibration: dt.date
    test: dt.date
    last: dt.date
    window_days: int

    def window_of(self, cut: dt.date) -> str:
        """Say which days a cut's labels are of."""
        return f"{cut + dt.timedelta(days=1)} to {cut + dt.timedelta(days=self.window_days)}"


@dataclass(frozen=True, eq=False)
class Labelled:
    """Customers at a cut, and whether they came back.

    Attributes
    ----------
    features : Features
    churned : array of bool
        No order that stands in the window after the cut.
    one_in : int
        Every so manieth customer of the log is in it; 1: all.
    """

    features: Features
    churned: NDArray[np.bool_]
    one_in: int


def checked_window(window_days: Any) -> int:
    """Return a window that is one.

    Raises
    ------
    UsageError
        When it is no whole number of days, or not above 0.
    """
    if isinstance(window_days, bool) or not isinstance(window_days, int | np.integer) or window_days < 1:
        raise UsageError(f"window_days is {window_days!r}.", fix="Give a whole number of days of at least 1: 91.")
    return int(window_days)


def cuts_of(dataset: Dataset, window_days: int, until: str | dt.date | None) -> Cuts:
    """Return the cuts that fit into the log: test, calibration, and up to four for training.

    An earlier training cut is taken where at least one window of the log lies before it.

    Raises
    ------
    UsageError
        When `until` is after the log's end.
    DataError
        When the log is too short for three windows and something to look back on.
    """
    from lifecycle_kit.kpis.asked import days_asked

    first, _, last = days_asked(dataset, None, None, until, n_days=None)
    assert dataset.days is not None
    if last > dataset.days[1]:
        raise UsageError(
            f"until {last} is after {dataset.days[1]}, where the log ends: who had no order since is not known.",
            fix=f"Give a day up to {dataset.days[1]}.",
        )
    step = dt.timedelta(days=window_days)
    n_days = (last - first).days + 1
    if n_days <= 3 * window_days:
        longest = (n_days - 1) // 3
        fix = f"Give a window of at most {longest:,} days." if longest else "Give a longer log."
        raise DataError(
            f"The log of {n_days:,} days is too short for three windows of {window_days:,} days (training, "
            "calibration, test) after a day to look back from.",
            fix=fix,
        )
    training = [last - 3 * step]
    while len(training) < MOST_TRAINING_CUTS and training[0] - step >= first + step - dt.timedelta(days=1):
        training.insert(0, training[0] - step)
    return Cuts(tuple(training), last - 2 * step, last - step, last, window_days)


def labelled(
    dataset: Dataset, cut: dt.date, window_days: int, *, since: dt.date | None, most: int, seed: int, cancels: bool
) -> Labelled:
    """Return customers at a cut with their labels; where there are more than `most`, a systematic sample of them.

    Parameters
    ----------
    cancels : bool
        Whether the log, in all its length, knows cancelled orders.
    """
    from lifecycle_kit.churn.feature_queries import some_people

    tells = look_at_log(dataset, cut)
    one_in = max(1, -(-tells.n_buyers // most))
    people = None if one_in == 1 else some_people(one_in, seed)
    features = features_of(dataset, cut, since, tells, people)
    came = _came_back(dataset, cut, window_days, people, cancels)
    churned = ~features.frame["person_id"].isin(came).to_numpy(dtype=bool)
    return Labelled(features, churned, one_in)


def _came_back(dataset: Dataset, cut: dt.date, window_days: int, people: ir.Table | None, cancels: bool) -> Any:
    import ibis

    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.churn.feature_queries import bought_after
    from lifecycle_kit.contract.tables import PERSONS_SCHEMA
    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.heard import View

    view = View(closing_instant(cut + dt.timedelta(days=window_days), dataset.timezone), person_keys=people)
    buyers = bought_after(view, cut, has_cancellations=cancels)
    persons = ibis.table(PERSONS_SCHEMA, name="persons").select("person_key", "person_id")
    return fetch(buyers.join(persons, "person_key").select("person_id"), dataset.engine)["person_id"].to_pandas()
