"""A model of risk as it is handed out: judged, able to score customers, and to say what it leans on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.risk_profit import Costs, checked_costs
from lifecycle_kit.churn.risk_reasons import NOTE
from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lifecycle_kit.churn.features import Features
    from lifecycle_kit.churn.risk_fitted import Fitted
    from lifecycle_kit.churn.risk_split import Cuts
    from lifecycle_kit.clv.value import CustomerValue
    from lifecycle_kit.contract.dataset import Dataset

    Floats = NDArray[np.floating[Any]]
    Extra = Callable[[Dataset, dt.date], Any]

__all__ = ["MODEL_NAMES", "RiskModel", "RiskScores"]

MODEL_NAMES = {"boosting": "gradient boosting", "logistic": "logistic regression"}
# customers that reasons are worked out for; each costs as many predictions as there are groups of features
MOST_REASONS = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class RiskScores:
    """The risk of each customer.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer: person_id, risk (probability of no order within the window), where costs are known
        value_saved, expected_profit (of a contact) and contact (whether it pays), then reason_1 to reason_3 in words
        (the strongest first; missing where there are fewer, and beyond the customers that reasons were asked for).
    window_days : int or None
    cut : date or None
    note : str
        What reasons are, and what they are not.
    source : str
    warnings : tuple of str
    """

    frame: pd.DataFrame
    window_days: int | None
    cut: dt.date | None
    note: str
    source: str
    warnings: tuple[str, ...]
    _fitted: Fitted
    _read: pd.DataFrame

    def __repr__(self) -> str:
        what = "churn" if self.window_days is None else f"no order within {self.window_days:,} days"
        told = "".join(f"\n  {sentence}" for sentence in (self.note, *self.warnings))
        return (
            f"RiskScores({len(self.frame):,} customers, mean risk of {what} {self.frame['risk'].mean():.1%}; "
            f"{self.source}){told}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per customer."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def why(self, person_id: str) -> pd.DataFrame:
        """Return what each group of features adds to one customer's log-odds, beside the typical customer's.

        Returns
        -------
        pandas.DataFrame
            One row per group, the strongest first: group, log_odds (before calibration; above 0 raises the risk), told
            (the least typical feature of the group in words).
        """
        import pandas as pd

        from lifecycle_kit.churn.risk_reasons import contributions, reason_texts

        place = np.flatnonzero((self.frame["person_id"] == person_id).to_numpy())
        if not len(place):
            raise UsageError(f"There is no customer {person_id!r} among those scored.", fix="Look at to_frame().")
        read = self._read.iloc[place[:1]].reset_index(drop=True)
        added = contributions(self._fitted, read).iloc[0]
        groups = self._fitted.schema.groups
        told = [reason_texts(self._fitted, read, groups[group])[0] for group in added.index]
        found = pd.DataFrame({"group": list(added.index), "log_odds": added.to_numpy(), "told": told})
        order = found["log_odds"].abs().sort_values(ascending=False, kind="stable").index
        return found.loc[order].reset_index(drop=True)


@dataclass(frozen=True, eq=False, repr=False)
class RiskModel:
    """The probability that a customer does not come back within a window, and how far it can be trusted.

    Attributes
    ----------
    model : {"boosting", "logistic"}
    window_days : int or None
        Length of the window; None where labels came with the data.
    cuts : Cuts or None
        The days at whose close risk was asked for.
    parts : pandas.DataFrame
        One row per sample: part ("training", "calibration", "test"), what (its label window, or rows), n_customers,
        n_churned, share.
    scores : pandas.DataFrame
        On the test sample, one row per forecast and measure: forecast, kind ("model", "baseline"), measure (brier,
        brier_skill beside the base rate, log_loss, roc_auc, pr_auc, lift_at_10, brier_above_model), value, lo, hi,
        better_when.
    calibration : pandas.DataFrame
        Foretold beside observed on the test sample, per forecast and tenth; see `calibration_table`.
    gain : pandas.DataFrame
        How many of those who churn are among the riskiest, per forecast; see `gain_table`.
    importance : pandas.DataFrame
        Loss when a group of features is shuffled; see `group_importance`.
    profit : pandas.DataFrame or None
        What contacting more and more customers of the test sample brings; None where no costs were given.
    costs : Costs or None
    fitted : Fitted
    features_sha256 : str
        Of the training frame, labels included.
    left_out : mapping of str to str
        Features that the log cannot feed, and why.
    level : float
        Coverage of the intervals: customers are resampled, one window being all there is.
    seed : int
    source : str
    warnings : tuple of str
    """

    model: str
    window_days: int | None
    cuts: Cuts | None
    parts: pd.DataFrame
    scores: pd.DataFrame
    calibration: pd.DataFrame
    gain: pd.DataFrame
    importance: pd.DataFrame
    profit: pd.DataFrame | None
    costs: Costs | None
    fitted: Fitted
    features_sha256: str
    left_out: Mapping[str, str]
    level: float
    seed: int
    source: str
    warnings: tuple[str, ...]
    _extra: Extra | None = None

    @property
    def name(self) -> str:
        """What the model is called among the forecasts."""
        return MODEL_NAMES[self.model]

    @property
    def threshold(self) -> float | None:
        """The risk from which a contact pays; None without costs, or where value differs from customer to customer."""
        return None if self.costs is None else self.costs.threshold

    def __repr__(self) -> str:
        what = "labels of their own" if self.window_days is None else f"no order within {self.window_days:,} days"
        told = "".join(f"\n  {sentence}" for sentence in (self.verdict, *self.warnings))
        return f"RiskModel({self.name}, {what}; {self.source}){told}"

    def to_frame(self) -> pd.DataFrame:
        """Return the scores on the test sample, one row per forecast and measure."""
        return self.scores.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.scores)

    def summary(self) -> pd.DataFrame:
        """Return one row per forecast, one column per measure."""
        order = list(dict.fromkeys(self.scores["measure"]))
        wide = self.scores.pivot(index="forecast", columns="measure", values="value")[order]
        return wide.loc[list(dict.fromkeys(self.scores["forecast"]))].rename_axis(columns=None).reset_index()

    @property
    def verdict(self) -> str:
        """Say how good the risk is, and whether it beats what needs no model of risk."""
        own = self.scores[self.scores["forecast"] == self.name].set_index("measure")
        told = [
            f"On the test sample: Brier {_shown(own, 'brier')}, ROC area {_shown(own, 'roc_auc')}, lift in the "
            f"riskiest tenth {_shown(own, 'lift_at_10', 2)}."
        ]
        others = self.scores[(self.scores["measure"] == "brier_above_model") & (self.scores["kind"] == "baseline")]
        for row in others.itertuples():
            if row.lo > 0:
                continue
            beats = "is beaten by" if row.hi < 0 else "cannot be told from"
            told.append(f"It {beats} {row.forecast} by its Brier score ({row.lo:+.4f} to {row.hi:+.4f}).")
        if (others["lo"] > 0).all():
            told.append("Its Brier score beats every baseline.")
        return " ".join(told)

    def predict(self, frame: pd.DataFrame | Features) -> Floats:
        """Return the risk of each row, in [0, 1].

        Parameters
        ----------
        frame : pandas.DataFrame or Features
            The features the model learnt from; person_id may be there.

        Raises
        ------
        DataError
            When features are missing, unknown, of another kind or in other units; all are named.
        """
        return self.fitted.risk(self._frame_of(frame))

    def score(
        self,
        dataset: Dataset | pd.DataFrame | Features,
        cut: str | dt.date | None = None,
        *,
        reasons_for: int = MOST_REASONS,
        cost_of_contact: float | None = None,
        value_saved: float | CustomerValue | pd.DataFrame | None = None,
        extra: Extra | None = None,
    ) -> RiskScores:
        """Return the risk of each customer, with reasons.

        Parameters
        ----------
        dataset : Dataset, Features or pandas.DataFrame
            A log, whose customers at `cut` are scored; or features made elsewhere, with person_id.
        cut : str or date, optional
            Default: the log's last day.
        reasons_for : int, default 10,000
            Customers that reasons are given for: those of the highest expected profit, or risk.
        cost_of_contact, value_saved
            As in `risk_model`. Default: what the model was given.
        extra : callable, optional
            As in `risk_model`. Needed where a model that had some was loaded from a file.

        Raises
        ------
        UsageError
            When costs are half given, or the model needs features of its own that are not given.
        DataError
            When the features do not match those the model learnt from.
        """
        costs = self.costs if cost_of_contact is None and value_saved is None else (
            checked_costs(cost_of_contact, value_saved)
        )  # fmt: skip
        if isinstance(reasons_for, bool) or not isinstance(reasons_for, int) or reasons_for < 0:
            raise UsageError(f"reasons_for is {reasons_for!r}.", fix="Give a whole number of at least 0.")
        frame, day, source, said = self._asked(dataset, cut, extra)
        return _scores(self, frame, day, source, said, costs, reasons_for)

    def with_costs(self, cost_of_contact: float, value_saved: float | CustomerValue | pd.DataFrame) -> RiskModel:
        """Return the same model with other costs. The profit on the test sample is not known to it any more."""
        return replace(self, costs=checked_costs(cost_of_contact, value_saved), profit=None)

    def plot(self, *, forecast: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw foretold beside observed risk on the test sample."""
        from lifecycle_kit.plots.churn import plot_calibration_of_risk

        name = self.name if forecast is None else forecast
        known = list(dict.fromkeys(self.calibration["forecast"]))
        if name not in known:
            raise UnknownNameError("forecast", name, known)
        shown = self.calibration[self.calibration["forecast"] == name]
        return plot_calibration_of_risk(
            shown, forecast=name, what=self._what, level=self.level, source=self.source, ax=ax
        )

    def plot_importance(self, *, ax: Axes | None = None) -> Axes:
        """Draw by how much the risk gets worse when a group of features is shuffled."""
        from lifecycle_kit.plots.churn import plot_importance

        return plot_importance(self.importance, source=self.source, ax=ax)

    def plot_gain(self, *, ax: Axes | None = None) -> Axes:
        """Draw how many of those who churn are among the riskiest, beside the baselines."""
        from lifecycle_kit.plots.churn import plot_gain

        return plot_gain(self.gain, what=self._what, source=self.source, ax=ax)

    def plot_profit(self, *, ax: Axes | None = None) -> Axes:
        """Draw what contacting more and more customers brings.

        Raises
        ------
        UsageError
            When no costs were given: there is no profit to draw, and no threshold.
        """
        from lifecycle_kit.plots.churn import plot_profit

        if self.profit is None:
            raise UsageError(
                "No costs were given when the model was judged, so there is no profit.",
                fix="Give risk_model a cost_of_contact and a value_saved.",
            )
        return plot_profit(self.profit, source=self.source, ax=ax)

    @property
    def _what(self) -> str:
        return "churn" if self.window_days is None else f"no order within {self.window_days:,} days"

    def _frame_of(self, given: pd.DataFrame | Features) -> pd.DataFrame:
        import pandas as pd

        if isinstance(given, pd.DataFrame):
            return given
        made = given.frame.copy(deep=False)
        made.attrs["units"] = given.units
        # what the log can feed today and could not in training is not read
        unread = [n for n in (*given.numeric, *given.categorical) if n in self.left_out]
        return made.drop(columns=unread)

    def _asked(
        self, given: Any, cut: str | dt.date | None, extra: Extra | None
    ) -> tuple[pd.DataFrame, dt.date | None, str, list[str]]:
        import pandas as pd

        from lifecycle_kit.churn.features import Features, customer_features

        if isinstance(given, pd.DataFrame):
            if "person_id" not in given.columns:
                given = given.assign(person_id=[str(i) for i in range(len(given))])
            return given, None, self.source, []
        if not isinstance(given, Features):
            if self.window_days is None:
                raise UsageError(
                    "The model learnt from a frame, not from a log.", fix="Give a frame of the same features."
                )
            from lifecycle_kit.churn.risk_extra import with_extra
            from lifecycle_kit.kpis.asked import days_asked

            day = days_asked(given, None, None, cut, n_days=None)[2]
            given = with_extra(customer_features(given, day), extra or self._extra, given)
        return self._frame_of(given), given.cut, given.source, list(given.warnings)


def _scores(
    model: RiskModel,
    frame: pd.DataFrame,
    day: dt.date | None,
    source: str,
    said: list[str],
    costs: Costs | None,
    reasons_for: int,
) -> RiskScores:
    import pandas as pd

    from lifecycle_kit.churn.risk_reasons import N_REASONS, told_reasons

    read = model.fitted.schema.read(frame)
    person_ids = frame["person_id"].reset_index(drop=True)
    made = pd.DataFrame({"person_id": person_ids, "risk": model.fitted.risk_of_read(read)})
    order = made["risk"]
    if costs is not None:
        made["value_saved"] = costs.of(person_ids)
        made["expected_profit"] = costs.gain(made["risk"].to_numpy(), person_ids)
        made["contact"] = made["expected_profit"] > 0
        order = made["expected_profit"].fillna(-np.inf)
        said = [*said, *costs.said(person_ids)]
    chosen = np.sort(np.argsort(-order.to_numpy(), kind="stable")[:reasons_for])
    told = told_reasons(model.fitted, read.iloc[chosen].reset_index(drop=True))
    for number in range(N_REASONS):
        column = np.full(len(made), None, dtype=object)
        column[chosen] = [reasons[number] if number < len(reasons) else None for reasons in told]
        made[f"reason_{number + 1}"] = pd.Series(column, dtype="str")
    return RiskScores(made, model.window_days, day, NOTE, source, tuple(said), model.fitted, read)


def _shown(own: pd.DataFrame, measure: str, digits: int = 3) -> str:
    row = own.loc[measure]
    if not np.isfinite(row["value"]):
        return "unknown"
    return f"{row['value']:.{digits}f} ({row['lo']:.{digits}f} to {row['hi']:.{digits}f})"
