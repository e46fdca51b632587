"""Who will not come back: a model fitted on past windows, calibrated on a later one, judged on the last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.risk_fitted import Sample, fit_risk
from lifecycle_kit.churn.risk_result import MODEL_NAMES, RiskModel
from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.churn.risk_profit import Costs
    from lifecycle_kit.churn.risk_split import Cuts, Labelled
    from lifecycle_kit.clv.purchase_model import PurchaseModel
    from lifecycle_kit.clv.value import CustomerValue
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["risk_model"]


def risk_model(
    dataset: Dataset,
    *,
    window_days: int = 91,
    until: str | dt.date | None = None,
    model: str = "boosting",
    since: str | dt.date | None = None,
    extra: Callable[[Dataset, dt.date], Any] | None = None,
    cost_of_contact: float | None = None,
    value_saved: float | CustomerValue | pd.DataFrame | None = None,
    p_alive_model: str | PurchaseModel = "MBG/NBD",
    level: float = 0.95,
    seed: int = 0,
) -> RiskModel:
    """Fit the probability that a customer has no order within the next `window_days`, and judge it on the last window.

    The log's last window is the test, the one before it calibrates, and the one before that (and up to three earlier
    ones, where the log is long enough) is learnt from. Features are of the close of the day before a window, so no
    label is known to any feature, and no window is used twice. The model that is handed out is the one that was judged.

    Parameters
    ----------
    dataset : Dataset
    window_days : int, default 91
        No order that stands within so many days is what the risk is of.
    until : str or date, optional
        Last day that is known. Default: the log's last day.
    model : {"boosting", "logistic"}
        Gradient boosting whose risk never falls with silence and never rises with orders or visits, or logistic
        regression. Both are calibrated by isotonic regression.
    since : str or date, optional
        Only customers whose first purchase is on or after this day.
    extra : callable, optional
        ``extra(dataset, cut)`` gives a data frame of person_id and more features. It is refused where it tells the
        future: see `check_no_future`.
    cost_of_contact, value_saved : optional
        What a contact costs, and what it saves of somebody who would not have come back (value x the share of contacts
        that work): one amount, a frame of person_id and value, or a `CustomerValue` (its clv). Contact pays where
        risk x value_saved > cost_of_contact. Without both no threshold is made up.
    p_alive_model : str or PurchaseModel, default "MBG/NBD"
        Model of purchases to compare with, fitted at the test cut.
    level : float, default 0.95
        Coverage of the intervals.
    seed : int

    Returns
    -------
    RiskModel
        Where a cut has more than some 100,000 customers, a systematic sample of them is looked at, which is said.

    Raises
    ------
    UsageError
        When an option is none of the allowed.
    DataError
        When the log is too short for three windows, a sample has one kind of customers only or too few, nothing can be
        learnt, or `extra` tells the future.
    """
    from lifecycle_kit.churn.leakage import check_no_future
    from lifecycle_kit.churn.risk_profit import checked_costs
    from lifecycle_kit.churn.risk_split import MOST, checked_window, cuts_of, labelled
    from lifecycle_kit.clv.models import named_model
    from lifecycle_kit.kpis.needs import contents_of
    from lifecycle_kit.kpis.periods import day_given

    if model not in MODEL_NAMES:
        raise UnknownNameError("model", str(model), MODEL_NAMES)
    if not 0 < level < 1:
        raise UsageError(f"level is {level!r}.", fix="Give a coverage between 0 and 1: 0.95.")
    window = checked_window(window_days)
    costs = checked_costs(cost_of_contact, value_saved)
    named_model(p_alive_model)
    cuts = cuts_of(dataset, window, until)
    begun = None if since is None else day_given(since)
    if extra is not None:
        check_no_future(extra, dataset, cuts.calibration)
    cancels = "order_cancelled" in contents_of(dataset).events

    def at(cut: dt.date, most: int) -> Labelled:
        from lifecycle_kit.churn.risk_extra import with_extra

        found = labelled(dataset, cut, window, since=begun, most=most, seed=seed, cancels=cancels)
        return type(found)(with_extra(found.features, extra, dataset), found.churned, found.one_in)

    each = [at(cut, MOST["training"] // len(cuts.training)) for cut in cuts.training]
    calibration, test = at(cuts.calibration, MOST["calibration"]), at(cuts.test, MOST["test"])
    return _judged(dataset, cuts, each, calibration, test, model, costs, extra, p_alive_model, level, seed)


def _judged(
    dataset: Dataset,
    cuts: Cuts,
    each: list[Labelled],
    calibration: Labelled,
    test: Labelled,
    model: str,
    costs: Costs | None,
    extra: Any,
    p_alive_model: str | PurchaseModel,
    level: float,
    seed: int,
) -> RiskModel:
    import pandas as pd

    from lifecycle_kit.churn import risk_baselines as baselines
    from lifecycle_kit.churn.risk_given import Schema
    from lifecycle_kit.churn.risk_judge import judge

    # a feature is learnt from where the log feeds it at every cut
    whole = [*each, calibration, test]
    left_out = {name: why for part in whole for name, why in part.features.left_out.items()}
    declared = tuple(f for f in test.features.declared if f.name not in left_out)
    schema = Schema(declared, {f.name: test.features.units[f.name] for f in declared})
    columns = ["person_id", *schema.names]

    def sample(parts: list[Labelled], days: list[dt.date], what: str) -> Sample:
        windows = ", ".join(cuts.window_of(day) for day in days)
        frame = pd.concat([part.features.frame[columns] for part in parts], ignore_index=True)
        return Sample(frame, np.concatenate([part.churned for part in parts]), f"{what} ({windows})")

    training = sample(each, list(cuts.training), "training")
    calibrating = sample([calibration], [cuts.calibration], "calibration")
    testing = sample([test], [cuts.test], "test")
    fitted, said = fit_risk(model, schema, training, calibrating, seed)
    n_test = len(testing.churned)
    risks = {MODEL_NAMES[model]: fitted.risk(testing.frame)}
    risks[baselines.BASE_RATE] = baselines.of_base_rate(calibration.churned, n_test)
    silence = "days_since_last_order"
    risks[baselines.RECENCY] = baselines.of_recency(
        calibrating.frame[silence].to_numpy(dtype=np.float64),
        calibration.churned,
        testing.frame[silence].to_numpy(dtype=np.float64),
    )
    called, alive, more = baselines.of_purchases(test.features.frame, cuts.window_days, p_alive_model)
    if alive is not None:
        risks[called] = alive
    sampled = [part.one_in for part in whole if part.one_in > 1]
    if sampled:
        more.append(
            f"Of so many customers a part is looked at: one in {max(sampled):,} at a training cut, one in "
            f"{calibration.one_in:,} for calibration, one in {test.one_in:,} for the test."
        )
    short = each[0].features.warnings
    made = judge(fitted, risks, training, calibrating, testing, costs, test_cut=cuts.test, level=level, seed=seed)
    name = f"{dataset.name}, test window {cuts.window_of(cuts.test)}"
    return RiskModel(
        model=model,
        window_days=cuts.window_days,
        cuts=cuts,
        costs=costs,
        fitted=fitted,
        left_out=left_out,
        level=level,
        seed=seed,
        source=name,
        warnings=tuple(dict.fromkeys([*short, *said, *more, *made.said])),
        _extra=extra,
        **made.tables,
    )
