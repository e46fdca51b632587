"""Who counts as lapsed, by several rules side by side; and how often each was wrong about the window that followed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.gaps import gap_curve
from lifecycle_kit.churn.judged import Judged, Known, LapseRule
from lifecycle_kit.churn.lapse_rules import DEFAULTS, GapCurve, checked_rules
from lifecycle_kit.churn.lapse_scores import agreement, auc, called, judged_by_what_came, only_one
from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.churn.gaps import Gaps
    from lifecycle_kit.clv.statistics import PurchaseStatistics
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["Lapse", "lapse"]

Day = str | dt.date
# a rule whose share called lapsed moved by so much within the window is called out
JUMP = 0.15
# what `purchase_statistics` says of money, which nothing here reads
_OF_MONEY = ("The revenue of ", "The cost of ")


@dataclass(frozen=True, eq=False, repr=False)
class Lapse:
    """Rules of lapse side by side.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per rule. Today: rule (its name), words (the whole rule), n_customers (of whom it says something),
        n_lapsed, share_lapsed, threshold_median (days of silence; infinite: never), n_only (whom no other rule calls
        lapsed). Then, as of `origin`, with what came in the window: n_then (customers), n_no_order (who did not order),
        n_called_lapsed, share_called_lapsed, n_false_alarms (who ordered all the same), false_alarms (their share) with
        _lo and _hi (95 %, Wilson), n_called_active, n_missed (who did not order), misses with _lo and _hi; precision
        and recall (of "no order in the window"), balanced_accuracy, auc (of the rule's score). Missing where there is
        nobody to take a share of. reason: why a rule has no answer, else missing.
    agreement : pandas.DataFrame
        One row per pair of rules: rule_a, rule_b, n_customers, n_both, n_only_a, n_only_b, n_neither, share_agree.
    gaps : Gaps
        The gaps between purchases up to `as_of`.
    rules : tuple of LapseRule
    now, then : Mapping of str to Judged
        What each rule says at `as_of`, and said at `origin`.
    known_now, known_then : Known
        What it was told from, customers in the same order.
    ordered : array of bool
        Whether each customer of `origin` ordered in the window.
    as_of, origin : date
    window_days : int
        From `origin` to `as_of`.
    source : str
    warnings : tuple of str
    """

    frame: pd.DataFrame
    agreement: pd.DataFrame
    gaps: Gaps
    rules: tuple[LapseRule, ...]
    now: Mapping[str, Judged]
    then: Mapping[str, Judged]
    known_now: Known
    known_then: Known
    ordered: Any
    as_of: dt.date
    origin: dt.date
    window_days: int
    source: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        lines = [
            f"  {row.rule}: "
            + (f"no answer, {row.reason}" if row.n_customers == 0 else f"{row.share_lapsed:.1%} of {row.n_customers:,}")
            for row in self.frame.itertuples()
        ]
        return "\n".join([f"Lapse({self.source}; called lapsed:", *lines, *(f"  {w}" for w in self.warnings)]) + ")"

    def to_frame(self) -> pd.DataFrame:
        """Return the rules side by side, one row each."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def members(self, rule: str | LapseRule, *, then: bool = False) -> pd.DataFrame:
        """Return what a rule says of each customer.

        Parameters
        ----------
        rule : str or LapseRule
            A rule of this answer, or its name.
        then : bool
            As of `origin`, and whether they ordered in the window.

        Returns
        -------
        pandas.DataFrame
            One row per customer: person_id, days_silent, threshold (days of silence after which this customer is called
            lapsed; infinite: never; -1: from the first day; missing where the rule looks at no silence), score (the
            higher, the more lapsed; missing where the rule has none), lapsed (null where the rule has no answer). With
            `then` also ordered.
        """
        import pandas as pd

        name = rule.name if isinstance(rule, LapseRule) else rule
        judged, known = (self.then, self.known_then) if then else (self.now, self.known_now)
        if name not in judged:
            raise UnknownNameError("rule", str(name), judged)
        one = judged[name]
        made = pd.DataFrame(
            {
                "person_id": known.frame["person_id"],
                "days_silent": known.days_silent.astype(np.int64),
                "threshold": one.threshold,
                "score": np.full(len(one.lapsed), np.nan) if one.score is None else one.score,
                "lapsed": pd.Series(one.lapsed, index=known.frame.index, dtype="boolean").where(one.has_answer),
            }
        )
        return made.assign(ordered=self.ordered) if then else made

    def only(self, rule: str | LapseRule) -> pd.DataFrame:
        """Return whom this rule alone calls lapsed today: rows of `members`."""
        name = rule.name if isinstance(rule, LapseRule) else rule
        found = self.members(name)
        votes = sum(judged.lapsed.astype(np.int64) for judged in self.now.values())
        return found[self.now[name].lapsed & (votes == 1)].reset_index(drop=True)

    def auc_against(self, truth: pd.DataFrame, *, column: str = "alive") -> pd.DataFrame:
        """Return how well each rule's score tells who is gone, where that is known: in a simulation.

        Parameters
        ----------
        truth : pandas.DataFrame
            person_id, and whether they are still customers on the as-of day.
        column : str

        Returns
        -------
        pandas.DataFrame
            One row per rule: rule, n_customers (of whom both are known), n_gone, auc (of the score; missing without
            one), precision and recall (of "lapsed" as "gone").
        """
        import pandas as pd

        for needed in ("person_id", column):
            if needed not in truth.columns:
                raise UsageError(f"The truth has no column {needed!r}.", fix=f"Give person_id and {column}.")
        known = truth.dropna(subset=[column]).set_index("person_id")[column].astype("bool")
        rows = []
        for name in self.now:
            told = self.members(name).dropna(subset=["lapsed"])
            told = told[told["person_id"].isin(known.index)]
            gone = ~known.loc[told["person_id"]].to_numpy()
            lapsed = told["lapsed"].to_numpy(dtype=np.bool_)
            hits = int((gone & lapsed).sum())
            rows.append(
                {
                    "rule": name,
                    "n_customers": len(told),
                    "n_gone": int(gone.sum()),
                    "auc": float("nan") if told["score"].isna().any() else auc(told["score"], gone),
                    "precision": hits / lapsed.sum() if lapsed.any() else float("nan"),
                    "recall": hits / gone.sum() if gone.any() else float("nan"),
                }
            )
        return pd.DataFrame(rows).astype({"rule": "str"})

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw per rule the share called lapsed, false alarms and misses."""
        from lifecycle_kit.plots.lapse import plot_lapse

        begin = self.origin + dt.timedelta(days=1)
        return plot_lapse(self.frame, window=f"{begin} to {self.as_of}", source=self.source, ax=ax)

    def plot_gaps(self, *, ax: Axes | None = None) -> Axes:
        """Draw the gap curve, the naive share of ended gaps beside it, and each rule's (median) threshold."""
        found = zip(self.frame["rule"], self.frame["threshold_median"], strict=True)
        thresholds = {name: float(days) for name, days in found if np.isfinite(days) and days >= 0}
        share = next((rule.share for rule in self.rules if isinstance(rule, GapCurve)), 0.5)
        return self.gaps.plot(thresholds=thresholds, share=share, ax=ax)


def lapse(
    dataset: Dataset,
    rules: Sequence[LapseRule] | LapseRule = DEFAULTS,
    *,
    as_of: Day | None = None,
    since: Day | None = None,
    window_days: int = 91,
) -> Lapse:
    """Say whom each rule calls lapsed, and how often it was wrong a window ago.

    Without a contract "lapsed" is a choice; this makes it openly. Every rule is asked twice: today, and as of
    `window_days` earlier with what was known then (gap curve and models anew), which is compared with who ordered in
    the window. A purchase is all that somebody orders on one business day.

    Parameters
    ----------
    dataset : Dataset
    rules : sequence of LapseRule
        Of FixedDays, GapCurve, OwnRhythm, PAlive, ContractEnd. Default: FixedDays(180), GapCurve(0.5), OwnRhythm(3),
        PAlive(0.5).
    as_of : str or date, optional
        Last day that is known. Default: the log's last day.
    since : str or date, optional
        Only customers whose first purchase was not earlier.
    window_days : int, default 91
        A quarter.

    Returns
    -------
    Lapse

    Raises
    ------
    UsageError
        When an option is none of the allowed, or the window does not lie in the log.
    DataError
        When the log has no orders, or nobody had bought when the window began.

    Notes
    -----
    A false alarm is certain: somebody called lapsed ordered. A miss is not: who does not order in one window may order
    in the next. Rules with one threshold for everybody rank customers alike, by silence, so their AUC is the same.
    """
    import pandas as pd

    from lifecycle_kit.clv.statistics import purchase_statistics

    asked = checked_rules(rules)
    last, origin = _window(dataset, as_of, since, window_days)
    told = purchase_statistics(dataset, as_of=last, since=since, time_unit="day")
    before = purchase_statistics(dataset, as_of=origin, since=since, time_unit="day", held_out_until=last)
    gaps = gap_curve(dataset, as_of=last, since=since)
    known_now, known_then = _known(told, dataset, gaps), _known(before, dataset, None)
    now = {rule.name: rule.judge(known_now) for rule in asked}
    then = {rule.name: rule.judge(known_then) for rule in asked}
    ordered = before.frame["n_held_out"].to_numpy() > 0
    only = only_one(now)
    rows = []
    for rule in asked:
        name = rule.name
        row = {"rule": name, "words": rule.rule} | called(now[name]) | {"n_only": only[name]}
        reasons = [reason for reason in (now[name].reason, then[name].reason) if reason]
        rows.append(row | judged_by_what_came(then[name], ordered) | {"reason": "; ".join(reasons) or None})
    frame = pd.DataFrame(rows).astype({"rule": "str", "words": "str", "reason": "str"})
    early = [sentence for sentence in told.warnings if not sentence.startswith(_OF_MONEY)]
    said = [*early, *_said(frame, now, then, origin, last)]
    source = f"{told.source}" + ("" if since is None else f", first bought since {told.since}")
    return Lapse(
        frame,
        agreement(now),
        gaps,
        asked,
        now,
        then,
        known_now,
        known_then,
        ordered,
        last,
        origin,
        window_days,
        source,
        tuple(dict.fromkeys(said)),
    )


def _window(dataset: Dataset, as_of: Day | None, since: Day | None, window_days: int) -> tuple[dt.date, dt.date]:
    from lifecycle_kit.kpis.asked import days_asked
    from lifecycle_kit.kpis.periods import day_given

    if isinstance(window_days, bool) or not isinstance(window_days, int) or window_days <= 0:
        raise UsageError(f"window_days is {window_days!r}.", fix="Give a whole number of days, at least 1: 91.")
    _, _, last = days_asked(dataset, None, None, as_of, n_days=None)
    assert dataset.days is not None
    first, end = dataset.days
    if last > end:
        raise UsageError(
            f"as_of {last} is after {end}, where the log ends: who ordered in the window is not known.",
            fix=f"Give a day up to {end}.",
        )
    begins = first if since is None else max(first, day_given(since))
    longest = (last - begins).days
    if window_days > longest:
        what = "customers are asked for since" if since is not None and begins > first else "the log begins on"
        raise UsageError(
            f"The window of {window_days:,} days before {last} begins before there is anything: {what} {begins}.",
            fix=f"Give window_days up to {longest:,}." if longest > 0 else "Give a later as_of.",
        )
    return last, last - dt.timedelta(days=window_days)


def _known(told: PurchaseStatistics, dataset: Dataset, gaps: Gaps | None) -> Known:
    frame = told.frame[["person_id", "frequency", "recency", "T"]].copy()
    frame.attrs["time_unit"] = told.time_unit

    @cache
    def later() -> Gaps:
        return gap_curve(dataset, as_of=told.as_of, since=told.since) if gaps is None else gaps

    return Known(frame, told.as_of, dataset.timezone, later)


def _said(
    frame: pd.DataFrame, now: Mapping[str, Judged], then: Mapping[str, Judged], origin: dt.date, last: dt.date
) -> list[str]:
    made = []
    for row in frame.itertuples():
        name = str(row.rule)
        for day, judged in ((last, now[name]), (origin, then[name])):
            if judged.reason:
                made.append(f"{name}: no answer, as {judged.reason}.")
            elif not judged.lapsed.any():
                made.append(f"{name} calls nobody lapsed on {day}: there are no alarms to be false.")
            elif judged.lapsed[judged.has_answer].all():
                made.append(f"{name} calls everybody lapsed on {day}: nobody can be missed.")
            made += [f"{day}: {sentence}" for sentence in judged.said]
        if abs(row.share_lapsed - row.share_called_lapsed) > JUMP:
            made.append(
                f"{name} calls {row.share_lapsed:.1%} lapsed on {last}, and {row.share_called_lapsed:.1%} on {origin}: "
                "what a rule that moves so fast was then says little of what it is now."
            )
    return made
