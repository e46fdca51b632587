"""How good a forecast was: what was expected of each customer beside what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["LOSSES", "SCORES", "TIE", "calibration", "check_loss", "gini", "scores", "top_lift"]

# name -> what it is, and whether less is better
SCORES = {
    "bias": "expected total over actual total, less 1",
    "mae": "mean absolute error per customer",
    "rmse": "root of the mean squared error per customer",
    "deviance": "mean Poisson deviance per customer: the score that the right expectation wins",
    "spearman": "rank correlation of expected and actual",
    "gini": "how well customers are ranked: 1 is the perfect order, 0 none",
    "decile_lift": "actual mean of the tenth with the highest expectation over that of all",
}
# bias and the lifts are no losses to choose by
LOSSES = ("deviance", "mae", "rmse")
# a combination must be lower by so much of a score to beat: less is a tie
TIE = 5e-4


def scores(expected: Floats, actual: Floats) -> dict[str, float]:
    """Return the scores of a forecast, by name as in `SCORES`. What cannot be told (nobody bought) is NaN.

    Parameters
    ----------
    expected, actual : array
        Per customer: an expected count or amount, and the count or amount that came.
    """
    error = expected - actual
    total = float(actual.sum())
    return {
        "bias": float(expected.sum()) / total - 1 if total > 0 else np.nan,
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "deviance": _deviance(expected, actual),
        "spearman": _spearman(expected, actual),
        "gini": gini(expected, actual),
        "decile_lift": top_lift(expected, actual),
    }


def _deviance(expected: Floats, actual: Floats) -> float:
    """Return the mean Poisson deviance. Infinite where something came that was held to be impossible."""
    from scipy.special import xlogy

    if (actual < 0).any() or (expected < 0).any():
        return np.nan  # refunds outweigh orders
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(actual > 0, actual / expected, 1.0)
    return float(2 * (xlogy(actual, ratio) - actual + expected).mean())


def _spearman(expected: Floats, actual: Floats) -> float:
    from scipy.stats import spearmanr

    if np.ptp(expected) == 0 or np.ptp(actual) == 0:
        return np.nan
    return float(spearmanr(expected, actual).statistic)


def gini(expected: Floats, actual: Floats) -> float:
    """Return the concentration of the actual when sorted by the expected, over that of the perfect order.

    Customers with equal expectations share what came, so that no order of the rows can flatter.
    """
    perfect = _concentration(actual, actual)
    return _concentration(expected, actual) / perfect if perfect > 0 else np.nan


def _concentration(by: Floats, actual: Floats) -> float:
    total = float(actual.sum())
    if total <= 0 or not len(by):
        return np.nan
    values, back = np.unique(-by, return_inverse=True)
    n = np.bincount(back, minlength=len(values))
    came = np.bincount(back, actual, minlength=len(values))
    people = np.concatenate([[0], np.cumsum(n)]) / len(by)
    share = np.concatenate([[0], np.cumsum(came)]) / total
    return float(np.trapezoid(share, people)) * 2 - 1


def top_lift(expected: Floats, actual: Floats, share: float = 0.1) -> float:
    """Return the actual mean of the customers with the highest expectations, over the mean of all.

    Where equal expectations lie across the edge, each of these customers counts in part.
    """
    n_top = share * len(expected)
    mean = float(actual.mean())
    if mean <= 0:
        return np.nan
    edge = np.sort(expected)[::-1][int(np.ceil(n_top)) - 1]
    above, at = expected > edge, expected == edge
    rest = n_top - int(above.sum())
    came = float(actual[above].sum()) + rest * float(actual[at].mean())
    return came / n_top / mean


def calibration(expected: Floats, actual: Floats, frequency: NDArray[np.integer[Any]]) -> pd.DataFrame:
    """Return expected and actual means of groups of customers: by repeat purchases so far, and by expectation.

    Returns
    -------
    pandas.DataFrame
        One row per group: by ("frequency" or "tenth"), group, n_customers, expected, actual (means per customer). The
        last group of frequency is 7 and more; tenths are of the customers by expectation, lowest first, equal
        expectations in one tenth.
    """
    import pandas as pd

    told = pd.DataFrame({"expected": expected, "actual": actual})
    tenth = np.ceil(told["expected"].rank(method="average", pct=True) * 10).astype("int64")
    parts = []
    for by, group in (("frequency", pd.Series(np.minimum(frequency, 7))), ("tenth", tenth)):
        found = told.groupby(group.to_numpy()).agg(
            n_customers=("actual", "size"), expected=("expected", "mean"), actual=("actual", "mean")
        )
        parts.append(found.rename_axis("group").reset_index().assign(by=by))
    made = pd.concat(parts, ignore_index=True)
    return made[["by", "group", "n_customers", "expected", "actual"]]


def check_loss(by: str) -> None:
    """Refuse a score that is no loss to choose by.

    Raises
    ------
    UnknownNameError
        When it is none of `LOSSES`.
    """
    if by not in LOSSES:
        raise UnknownNameError("score", by, LOSSES)
