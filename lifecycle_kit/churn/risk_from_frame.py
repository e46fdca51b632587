"""The same learner, calibration and judgement for data that brings labels of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.risk_fitted import Sample, fit_risk
from lifecycle_kit.churn.risk_given import ID, Schema, declared_from
from lifecycle_kit.churn.risk_result import MODEL_NAMES, RiskModel
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.clv.value import CustomerValue

__all__ = ["risk_from_frame"]

# shares of the rows: learnt from, calibrated on; the rest is the test
_TRAINING, _CALIBRATION = 0.6, 0.2
_WORDS = ("every label is no", "every label is yes")


def risk_from_frame(
    features: pd.DataFrame,
    churned: Any,
    *,
    order: str | None = None,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    groups: Mapping[str, str] | None = None,
    directions: Mapping[str, int] | None = None,
    model: str = "boosting",
    cost_of_contact: float | None = None,
    value_saved: float | CustomerValue | pd.DataFrame | None = None,
    level: float = 0.95,
    seed: int = 0,
    name: str = "own labels",
) -> RiskModel:
    """Fit, calibrate and judge a risk on a frame with labels of its own.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer (or contact): numbers and names; person_id, where there is one, is no feature. Nothing in
        it may be known only once the label is.
    churned : array of bool, or str
        Whether each left (or did what is foretold); or the column of `features` that says so.
    order : str, optional
        The column by which rows follow each other in time (no feature then), or "rows" where they already do: the first
        60 % are learnt from, the next 20 % calibrate, the last 20 % are the test. Default: no time is known; rows are
        drawn, and rows that are equal in every feature go to one sample together, or the test would hold what was
        learnt by heart.
    drop : sequence of str
        Columns that are not to be learnt from.
    categorical : sequence of str
        Columns of numbers that are names (a tariff, a code). Texts are names anyway.
    groups : mapping of str to str, optional
        Feature -> group; features of one group are shuffled, and given as a reason, together.
    directions : mapping of str to {-1, 1}, optional
        Which way the risk goes with a feature: boosting keeps to it.
    model, cost_of_contact, value_saved, level, seed
        As in `risk_model`.
    name : str
        What the data is called.

    Returns
    -------
    RiskModel
        Without window and cuts; the baseline is the base rate.

    Raises
    ------
    UsageError
        When an option is none of the allowed, or the labels are not yes or no for each row.
    DataError
        When a sample has one kind of rows only or too few, or nothing can be learnt.
    """
    from lifecycle_kit.churn import risk_baselines as baselines
    from lifecycle_kit.churn.risk_judge import judge
    from lifecycle_kit.churn.risk_profit import checked_costs

    if model not in MODEL_NAMES:
        raise UnknownNameError("model", str(model), MODEL_NAMES)
    if not 0 < level < 1:
        raise UsageError(f"level is {level!r}.", fix="Give a coverage between 0 and 1: 0.95.")
    costs = checked_costs(cost_of_contact, value_saved)
    frame, labels = _given(features, churned)
    parts, when = _split(frame, order, seed)
    # the column of time puts rows in order; what is learnt of one year does not hold for the next because of its number
    out = [*drop, *([order] if order not in (None, "rows") else [])]
    unknown = [column for column in out if column not in frame.columns]
    if unknown:
        raise UsageError(f"There is no column {unknown[0]!r} to drop.", fix=f"There are {', '.join(frame.columns)}.")
    own = frame.drop(columns=list(dict.fromkeys(out)))
    if ID not in own.columns:
        own = own.assign(**{ID: [str(i) for i in range(len(own))]})
    declared = declared_from(own.drop(columns=ID), categorical, groups or {})
    declared = _directed(declared, directions or {})
    schema = Schema(declared, dict(own.attrs.get("units", {})), tuple(dict.fromkeys(out)))
    training, calibration, test = (
        Sample(own.iloc[rows].reset_index(drop=True), labels[rows], f"{what} ({len(rows):,} {when})", _WORDS)
        for what, rows in zip(("training", "calibration", "test"), parts, strict=True)
    )
    fitted, said = fit_risk(model, schema, training, calibration, seed)
    risks = {
        MODEL_NAMES[model]: fitted.risk(test.frame),
        baselines.BASE_RATE: baselines.of_base_rate(calibration.churned, len(test.churned)),
    }
    made = judge(fitted, risks, training, calibration, test, costs, test_cut=None, level=level, seed=seed)
    return RiskModel(
        model=model,
        window_days=None,
        cuts=None,
        costs=costs,
        fitted=fitted,
        left_out={},
        level=level,
        seed=seed,
        source=f"{name}, {test.what}",
        warnings=tuple(dict.fromkeys([*said, *made.said])),
        **made.tables,
    )


def _given(features: pd.DataFrame, churned: Any) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    import pandas as pd

    if not isinstance(features, pd.DataFrame) or features.empty:
        raise UsageError("There are no features.", fix="Give a data frame of one row per customer.")
    repeated = features.columns[features.columns.duplicated()]
    if len(repeated):
        raise UsageError(f"There are several columns {repeated[0]!r}.", fix="Give each a name of its own.")
    frame = features.rename(columns=str)
    if isinstance(churned, str):
        if churned not in frame.columns:
            raise UsageError(f"There is no column {churned!r}.", fix=f"There are {', '.join(frame.columns)}.")
        values = frame[churned]
        frame = frame.drop(columns=churned)
    else:
        values = pd.Series(churned).reset_index(drop=True)
    if len(values) != len(frame):
        raise UsageError(f"There are {len(values):,} labels for {len(frame):,} rows.", fix="Give one for each row.")
    if values.isna().any():
        n = int(values.isna().sum())
        raise UsageError(f"{n:,} labels are missing.", fix="Leave out rows of whom it is not known.")
    if not values.isin([True, False, 0, 1]).all():
        odd = values[~values.isin([True, False, 0, 1])].iloc[0]
        raise UsageError(f"A label is {str(odd)!r}.", fix="Give True or False, or 1 or 0.")
    return frame.reset_index(drop=True), values.astype(bool).to_numpy()


def _split(frame: pd.DataFrame, order: str | None, seed: int) -> tuple[list[NDArray[np.int64]], str]:
    """Return the rows of training, calibration and test, and how they were chosen, in words."""
    n = len(frame)
    if n < 5:
        raise DataError(f"{n} rows are too few to learn from, calibrate on and test.", fix="Give more.")
    if order is None:
        import pandas as pd

        # of equal rows all go one way: a group each, dealt at random
        same = pd.util.hash_pandas_object(frame.drop(columns=[ID], errors="ignore"), index=False).to_numpy()
        _, codes = np.unique(same, return_inverse=True)
        place = np.random.default_rng(seed).random(int(codes.max()) + 1)[codes]
        edges = np.searchsorted([_TRAINING, _TRAINING + _CALIBRATION], place, side="right")
        return [np.flatnonzero(edges == part) for part in range(3)], "rows drawn at random"
    if order == "rows":
        rows = np.arange(n)
        when = "rows in their order"
    elif order in frame.columns:
        if frame[order].isna().any():
            raise UsageError(f"The column {order!r} has missing values: no order in time.", fix="Leave those rows out.")
        rows = np.argsort(frame[order].to_numpy(), kind="stable")
        when = f"rows in order of {order}"
    else:
        raise UnknownNameError("order", order, ["rows", *frame.columns])
    first, second = round(_TRAINING * n), round((_TRAINING + _CALIBRATION) * n)
    return [rows[:first], rows[first:second], rows[second:]], when


def _directed(declared: Any, directions: Mapping[str, int]) -> Any:
    from dataclasses import replace

    known = [feature.name for feature in declared if feature.kind == "numeric"]
    for name, direction in directions.items():
        if name not in known:
            raise UnknownNameError("numeric feature", name, known)
        if direction not in (-1, 1):
            raise UsageError(f"The direction of {name!r} is {direction!r}.", fix="Give 1 or -1.")
    return tuple(replace(feature, direction=directions.get(feature.name, 0)) for feature in declared)
