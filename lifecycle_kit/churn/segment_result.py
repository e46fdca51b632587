"""What came of parting customers: who is where, what the groups are like, and the verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.clusterers import quietly
from lifecycle_kit.churn.purchase_table import MEASURES, purchase_table
from lifecycle_kit.churn.segment_verdict import NOT_JUDGED, USABLE, Bars
from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.model import StageModel

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["Segments", "labels_of", "placed"]

_NOT_MET = "not met"


@dataclass(frozen=True, eq=False, repr=False)
class Segments:
    """Groups of customers with a verdict.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer: person_id, segment, recency_days, frequency, monetary, tenure_days, mean_gap_days.
    verdict : {"usable", "do not use", "not judged"}
    reasons : str
        Why, in words; empty where the groups are usable.
    useful_for : str
        In which outcomes the groups differ beyond chance, and at least as much as RFM groups.
    candidates : pandas.DataFrame
        One row per candidate: candidate, method, n_asked, n_groups, stability_seeds, stability_bootstrap,
        stability_low, stability_high (adjusted Rand index; of the resamples the middle 90 %), n_resamples, silhouette
        (nothing hangs on it), smallest (customers of the smallest group), smallest_wanted, smallest_later (of all
        customers a window later), smallest_later_wanted, keep (share in the same group a window later); for each
        outcome _effect (adjusted share of variance between groups), _p (that any candidate does as well by chance),
        _rfm (effect of named RFM groups); verdict, useful_for, reasons.
    chosen : str
        The candidate that was taken.
    profiles : pandas.DataFrame
        As `profile` gives it.
    deviations : pandas.DataFrame
        One row per group and measure: segment, measure, label, median, deviation (of the median from that of all, in
        standard deviations on the scale of the fit).
    outcomes : pandas.DataFrame
        One row per grouping ("segments", "RFM groups"), group and outcome: grouping, group, outcome, n_customers,
        value, lo, hi (95 % intervals), random_lo, random_hi (where 95 % of random groups of that size lie).
    transitions : pandas.DataFrame
        One row per pair of groups: from_segment, to_segment, n_customers, share.
    earlier : pandas.DataFrame
        The same method with as many groups, fitted a window earlier and judged by the window before the last, which
        did not choose it: one row per outcome: outcome, effect, p, rfm. Empty where the log is too short.
    features : pandas.DataFrame
        One row per measure: what was left out, filled, drawn in.
    pipeline : Pipeline
        Fitted.
    names : tuple of str
        Name of each group, the one with the largest median revenue first.
    numbers : tuple of int
        How the pipeline numbers them.
    as_of : date
    fitted_on : date
        Last day that the fit knew.
    window_days : int
    bars : Bars
    warnings : tuple of str
    source : str
    """

    frame: pd.DataFrame
    verdict: str
    reasons: str
    useful_for: str
    candidates: pd.DataFrame
    chosen: str
    profiles: pd.DataFrame
    deviations: pd.DataFrame
    outcomes: pd.DataFrame
    transitions: pd.DataFrame
    earlier: pd.DataFrame
    features: pd.DataFrame
    pipeline: Pipeline
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    as_of: dt.date
    fitted_on: dt.date
    window_days: int
    bars: Bars
    warnings: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        by = self.chosen if "groups" in self.chosen else f"{self.chosen}, {len(self.names)} groups"
        what = f"{len(self.frame):,} customers; {by}"
        why = f": {self.reasons}" if self.reasons else f" (for {self.useful_for})" if self.useful_for else ""
        told = "".join(f"\n  {sentence}" for sentence in self.warnings)
        return f"Segments({what}; {self.source})\n  Verdict: {self.verdict}{why}.{told}"

    @property
    def is_usable(self) -> bool:
        """Whether the groups cleared every bar."""
        return self.verdict == USABLE

    def to_frame(self) -> pd.DataFrame:
        """Return one row per customer."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def report(self) -> pd.DataFrame:
        """Return the verdict first, then what the chosen candidate was judged by.

        Returns
        -------
        pandas.DataFrame
            question, found, wanted (texts), is_cleared (missing where it was not judged, or is no bar).
        """
        import pandas as pd

        row, bars = self.candidates.set_index("candidate").loc[self.chosen], self.bars
        why = self.reasons or f"for {self.useful_for}"
        rows: list[tuple[str, str, str | None, bool | None]] = [
            ("verdict", f"{self.verdict}: {why}", USABLE, None if self.verdict == NOT_JUDGED else self.is_usable)
        ]
        for name, how in (("seeds", "with another seed"), ("bootstrap", "on a resample")):
            value = float(row[f"stability_{name}"])
            wanted = f"at least {bars.stability:.2f}"
            rows.append((f"same groups {how} (ARI)", f"{value:.2f}", wanted, value >= bars.stability))
        for name, when in (("smallest", ""), *((("smallest_later", ", a window later"),) if self._outcomes else ())):
            n, wanted = row[name], row[f"{name}_wanted"]
            rows.append((f"customers in the smallest group{when}", f"{n:,}", f"at least {wanted:,}", n >= wanted))
        for outcome in self._outcomes:
            effect, p, plain = (float(row[f"{outcome}_{part}"]) for part in ("effect", "p", "rfm"))
            does = p <= bars.beyond_chance and effect > 0 and effect >= bars.of_rfm * plain
            wanted = f"p at most {bars.beyond_chance:g}, and at least {bars.of_rfm * plain:.3f} as RFM; in one outcome"
            rows.append((f"{outcome} in the next window differs", f"{effect:.3f} (p = {p:.2g})", wanted, does))
        if self._outcomes:
            keep = float(row["keep"])
            rows.append(
                ("customers who keep their group", f"{keep:.0%}", f"at least {bars.keep:.0%}", keep >= bars.keep)
            )
        for again in self.earlier.itertuples(index=False):
            told = f"{again.effect:.3f} (p = {again.p:.2g}), RFM {again.rfm:.3f}"
            rows.append((f"{again.outcome} in the window before, which did not choose", told, None, None))
        made = pd.DataFrame(rows, columns=["question", "found", "wanted", "is_cleared"])
        return made.astype({"is_cleared": "boolean"})

    @property
    def _outcomes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.outcomes["outcome"]))

    def profile(self) -> pd.DataFrame:
        """Return one row per group: what is typical of it.

        Columns: segment, description, n_customers, share, revenue, revenue_share, medians of the measures
        (recency_days, frequency, monetary, tenure_days, mean_gap_days), one_time_share, n_fitted (customers that the
        fit saw).
        """
        return self.profiles.copy()

    def members(self, segment: str) -> pd.DataFrame:
        """Return the customers of a group, one row each: ready for `write_table`.

        Raises
        ------
        UnknownNameError
            When there is no such group.
        """
        if segment not in self.names:
            raise UnknownNameError("segment", str(segment), self.names)
        return self.frame[self.frame["segment"] == segment].reset_index(drop=True)

    def assign(
        self, dataset: Dataset, as_of: str | dt.date | None = None, *, since: str | dt.date | None = None
    ) -> pd.DataFrame:
        """Return the group of each customer on another day, by the same fitted pipeline.

        Returns
        -------
        pandas.DataFrame
            As `frame`.
        """
        return placed(self.pipeline, purchase_table(dataset, as_of, since).frame, self.names, self.numbers)

    def by_stage(self, dataset: Dataset, stage_model: StageModel) -> pd.DataFrame:
        """Return in which stage of a model the customers of each group are, on the as-of day.

        Returns
        -------
        pandas.DataFrame
            One row per group and stage, in order: segment, stage ("not met" where the model has not met them),
            n_people, share (of the group).
        """
        import pandas as pd

        from lifecycle_kit.stages.snapshot import snapshot

        people = snapshot(dataset, stage_model, self.as_of).members()
        # ids of devices may be the same as those of people; a customer is a person
        stage_of = people.drop_duplicates("person_id").set_index("person_id")["stage"]
        stage = self.frame["person_id"].map(stage_of).fillna(_NOT_MET)
        stages = [*dict.fromkeys(stage_model.to_frame()["stage"]), _NOT_MET]
        counts = pd.crosstab(self.frame["segment"], stage).reindex(index=list(self.names), columns=stages, fill_value=0)
        counts = counts.loc[:, counts.sum() > 0]
        made = counts.rename_axis(columns="stage").stack().rename("n_people").reset_index()
        made["share"] = made["n_people"] / made.groupby("segment")["n_people"].transform("sum").replace(0, np.nan)
        return made.astype({"segment": "str", "stage": "str"})

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw what is typical of each group: a cell per group and measure."""
        from lifecycle_kit.plots.segments import plot_profiles

        title = f"What is typical of each group, {self.as_of}"
        return plot_profiles(self.profiles, self.deviations, **self._told(title), ax=ax)

    def plot_snake(self, *, ax: Axes | None = None) -> Axes:
        """Draw the standardised medians of each group as a line."""
        from lifecycle_kit.plots.segments import plot_snake

        return plot_snake(self.deviations, **self._told(f"How the groups differ, {self.as_of}"), ax=ax)

    def plot_by_stage(self, dataset: Dataset, stage_model: StageModel, *, ax: Axes | None = None) -> Axes:
        """Draw in which stage the customers of each group are."""
        from lifecycle_kit.plots.segments import plot_segments_by_stage

        shares = self.by_stage(dataset, stage_model)
        told = self._told(f"Groups over the stages of {stage_model.name}, {self.as_of}")
        return plot_segments_by_stage(shares, labels=stage_model.labels, **told, ax=ax)

    def plot_out_of_time(self, *, ax: Axes | None = None) -> Axes:
        """Draw what each group did in the window after the fit, beside random groups and RFM groups."""
        from lifecycle_kit.plots.segments_judged import plot_out_of_time

        self._require_judged()
        title = f"The {self.window_days} days after {self.fitted_on}, which nobody had seen"
        return plot_out_of_time(self.outcomes, **self._told(title), ax=ax)

    def plot_transitions(self, *, ax: Axes | None = None) -> Axes:
        """Draw who kept the group within the window, and where the others went."""
        from lifecycle_kit.plots.segments_judged import plot_kept

        self._require_judged()
        title = f"Groups on {self.fitted_on} and {self.window_days} days later"
        return plot_kept(self.transitions, **self._told(title), ax=ax)

    def plot_stability(self, *, ax: Axes | None = None) -> Axes:
        """Draw how stable each candidate is, by number of groups."""
        from lifecycle_kit.plots.segments_judged import plot_stability

        told = self._told("Do the same groups come back?")
        return plot_stability(self.candidates, wanted=self.bars.stability, chosen=self.chosen, **told, ax=ax)

    def _told(self, title: str) -> dict[str, Any]:
        note = None if self.is_usable else f"Verdict: {self.verdict}."
        return {"title": title, "source": self.source, "note": note}

    def _require_judged(self) -> None:
        if self.outcomes.empty:
            raise UsageError(f"Nothing was held out to draw: {self.reasons}.", fix="Give a shorter window_days.")


def placed(pipeline: Pipeline, table: pd.DataFrame, names: Sequence[str], numbers: Sequence[int]) -> pd.DataFrame:
    """Return customers with the name of their group."""
    import pandas as pd

    label = labels_of(pipeline, table, numbers)
    made = table[["person_id", *MEASURES]].reset_index(drop=True)
    segment = pd.Series(np.array(names, dtype=object)[label]).astype("str")
    made.insert(1, "segment", segment)
    return made


def labels_of(pipeline: Pipeline, table: pd.DataFrame, numbers: Sequence[int]) -> Whole:
    """Return the place of each customer's group in the order of the numbers."""
    place = np.argsort(np.asarray(numbers))
    with quietly():
        return np.asarray(place[pipeline.predict(table)], dtype=np.int64)
