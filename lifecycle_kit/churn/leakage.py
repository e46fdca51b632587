"""Whether a feature tells the future: worked out again on a log that ends at the cut, it must come to the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.contract.dataset import Dataset

    Make = Callable[[Dataset, dt.date], Any]

__all__ = ["SUSPICIOUS_AUC", "auc_alone", "check_no_future", "future_features", "suspicious_features"]

# a feature that tells the labels so well by itself is more often a leak than a discovery
SUSPICIOUS_AUC = 0.95
# categories beyond this are ids: each tells its own rows
_MANY = 50
# sums may be added up in another order
_RELATIVE, _ABSOLUTE = 1e-9, 1e-9
WHO = "(customers)"


def future_features(make: Make, dataset: Dataset, cut: str | dt.date) -> pd.DataFrame:
    """Return the features that change when everything after `cut` is removed from the log.

    Parameters
    ----------
    make : callable
        ``make(dataset, cut)`` gives one row per customer: person_id and features (a data frame, or `Features`).
    dataset : Dataset
    cut : str or date

    Returns
    -------
    pandas.DataFrame
        One row per feature that differs, the one of most customers first: feature, n_customers (whose value differs),
        share (of those in both frames), person_id (one of them), value (theirs), without_future (what it is without the
        future). The row "(customers)" counts customers who are in one frame only. Empty: nothing tells the future.

    Raises
    ------
    UsageError
        When nothing had happened by `cut`, or `make` gives something else, or fails where the future is gone.
    """
    import pandas as pd

    from lifecycle_kit.churn.without_future import without_future
    from lifecycle_kit.kpis.periods import day_given

    day = day_given(cut)
    made = _frame_of(make(dataset, day))
    with without_future(dataset, day) as past:
        try:
            again = _frame_of(make(past, day))
        except Exception as error:
            raise UsageError(
                f"The features cannot be made where the log ends on {day}: {error}",
                fix="Let the function read the canonical tables only, and nothing after the cut.",
            ) from error
    rows = []
    both = made.index.intersection(again.index)
    n_apart = len(made.index.symmetric_difference(again.index))
    if n_apart:
        who = made.index.symmetric_difference(again.index)[0]
        told = ("there", "not there") if who in made.index else ("not there", "there")
        rows.append((WHO, n_apart, n_apart / max(len(made), len(again)), who, *told))
    for name in dict.fromkeys([*made.columns, *again.columns]):
        one, other = (
            frame[name].loc[both] if name in frame.columns else pd.Series(np.nan, both) for frame in (made, again)
        )
        differs = _differs(one, other)
        if differs.any():
            at = int(np.flatnonzero(differs)[0])
            n = int(differs.sum())
            rows.append((str(name), n, n / len(both), both[at], str(one.iloc[at]), str(other.iloc[at])))
    columns = ["feature", "n_customers", "share", "person_id", "value", "without_future"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("n_customers", ascending=False, kind="stable", ignore_index=True)


def check_no_future(make: Make, dataset: Dataset, cut: str | dt.date) -> None:
    """Refuse features that tell the future.

    Parameters
    ----------
    make, dataset, cut
        As in `future_features`.

    Raises
    ------
    DataError
        When a feature changes without the future, naming each.
    """
    found = future_features(make, dataset, cut)
    if found.empty:
        return
    told = "; ".join(
        f"{row.feature} of {row.n_customers:,} customers ({row.person_id}: {row.value}, without the future "
        f"{row.without_future})"
        for row in found.head(5).itertuples()
    )
    more = f", and {len(found) - 5} more" if len(found) > 5 else ""
    raise DataError(
        f"Features of {cut} know what came later: {told}{more}.",
        fix="Make them from what had happened by the close of that day.",
    )


def suspicious_features(frame: pd.DataFrame, churned: NDArray[np.bool_]) -> dict[str, float]:
    """Return features that tell the labels nearly perfectly by themselves, with the AUC of each.

    Parameters
    ----------
    frame : pandas.DataFrame
        Features, one column each.
    churned : array of bool

    Returns
    -------
    dict
        Feature -> AUC of it alone (the better of both directions) where that is above 0.95.
    """
    found = {str(name): auc_alone(frame[name], churned) for name in frame.columns}
    return {name: auc for name, auc in found.items() if auc > SUSPICIOUS_AUC}


def auc_alone(values: pd.Series, churned: NDArray[np.bool_]) -> float:
    """Return how well one feature alone orders the labels, either way round; 0.5 for ids and for constants."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(values.dtype):
        names = values.astype("str").fillna("")
        if names.nunique() > _MANY:
            return 0.5
        values = names.map(pd.Series(churned, index=names.index).groupby(names).mean())
    # missing is a value of its own, below all others
    ranks = values.astype("float64").fillna(-np.inf).rank().to_numpy()
    n_churned = int(churned.sum())
    n_others = len(churned) - n_churned
    if not n_churned or not n_others:
        return 0.5
    auc = (ranks[churned].sum() - n_churned * (n_churned + 1) / 2) / (n_churned * n_others)
    return float(max(auc, 1 - auc))


def _frame_of(made: Any) -> pd.DataFrame:
    import pandas as pd

    frame = made if isinstance(made, pd.DataFrame) else getattr(made, "frame", None)
    if not isinstance(frame, pd.DataFrame) or "person_id" not in frame.columns:
        raise UsageError(
            f"The function gave {type(made).__name__} without a column person_id.",
            fix="Let it return a data frame of one row per customer.",
        )
    repeated = frame["person_id"][frame["person_id"].duplicated()]
    if len(repeated):
        raise UsageError(f"{repeated.iloc[0]!r} has several rows of features.", fix="Give one row per customer.")
    return frame.set_index("person_id")


def _differs(one: pd.Series, other: pd.Series) -> NDArray[np.bool_]:
    import pandas as pd

    missing = one.isna().to_numpy(), other.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(one.dtype) and pd.api.types.is_numeric_dtype(other.dtype):
        a, b = (values.to_numpy(dtype=np.float64, na_value=np.nan) for values in (one, other))
        same = np.isclose(a, b, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
    else:
        same = (one.astype("str").to_numpy() == other.astype("str").to_numpy()) | (missing[0] & missing[1])
    return np.asarray(~same | (missing[0] != missing[1]))
