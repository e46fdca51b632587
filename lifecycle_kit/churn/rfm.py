"""Recency, frequency, monetary: three scores per customer that never part equals, and groups with a name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from lifecycle_kit.churn.rfm_rules import RULES, group_of
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lifecycle_kit.contract.dataset import Dataset

    Floats = NDArray[np.float64]

__all__ = ["RFM", "Monetary", "rfm", "rfm_of", "scores_of"]

Monetary = Literal["revenue", "mean_order_value"]
MOST_GROUPS = 10
_SCORES = {"r": "recency", "f": "frequency", "m": "monetary"}


@dataclass(frozen=True, eq=False, repr=False)
class RFM:
    """Scores and groups of customers.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer: person_id, recency_days (since the last purchase), frequency (purchases), monetary (major
        units), revenue, r, f, m (scores, `n_groups` is best; m is missing where revenue is unknown), cell ("5-4-4"),
        group.
    scores : pandas.DataFrame
        One row per measure and score: measure, score, n_customers, lowest, highest (values), reason (why nobody has the
        score, in words; missing where somebody has).
    n_groups : int
        Scores go from 1 to this.
    monetary : {"revenue", "mean_order_value"}
        What the third score is of.
    as_of : date
    source : str
    warnings : tuple of str
    """

    frame: pd.DataFrame
    scores: pd.DataFrame
    n_groups: int
    monetary: Monetary
    as_of: dt.date
    source: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        groups = self.groups()
        biggest = ", ".join(f"{row.group} {row.n_customers:,}" for row in groups.head(4).itertuples(index=False))
        told = "".join(f"\n  {sentence}" for sentence in self.warnings)
        return f"RFM({len(self.frame):,} customers, scores 1 to {self.n_groups}: {biggest} ...; {self.source}){told}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per customer."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def cells(self) -> pd.DataFrame:
        """Return one row per cell that has a customer, best scores first.

        Columns: r, f, m, cell, group, n_customers, share, purchases, revenue, revenue_share. Revenue is of the
        customers whose revenue is known.
        """
        by = ["r", "f", "m", "cell", "group"]
        made = self._brought(by)
        return made.sort_values(["r", "f", "m"], ascending=False, kind="stable", ignore_index=True)

    def groups(self) -> pd.DataFrame:
        """Return one row per named group that has a customer, the largest first.

        Columns: group, rule (in words), n_customers, share, purchases, revenue, revenue_share, median_recency_days,
        median_frequency, median_monetary.
        """
        made = self._brought(["group"])
        medians = self.frame.groupby("group", sort=False)[["recency_days", "frequency", "monetary"]].median()
        for name in medians:
            made[f"median_{name}"] = made["group"].map(medians[name])
        words = {g: "; or ".join(rule.words for rule in RULES if rule.group == g) for g in made["group"]}
        made.insert(1, "rule", made["group"].map(words))
        return made.sort_values("n_customers", ascending=False, kind="stable", ignore_index=True)

    def members(self, group: str) -> pd.DataFrame:
        """Return the customers of a named group, one row each.

        Raises
        ------
        UnknownNameError
            When there is no such group.
        """
        known = list(dict.fromkeys(rule.group for rule in RULES))
        if group not in known:
            raise UnknownNameError("group", str(group), known)
        return self.frame[self.frame["group"] == group].reset_index(drop=True)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw recency by frequency: how many customers each cell has, and what part of the revenue they brought."""
        from lifecycle_kit.plots.rfm import plot_rfm_grid

        grid = self._brought(["r", "f"])
        return plot_rfm_grid(
            grid, n_groups=self.n_groups, title=f"Recency and frequency, {self.as_of}", source=self.source, ax=ax
        )

    def _brought(self, by: list[str]) -> pd.DataFrame:
        grouped = self.frame.groupby(by, sort=False, dropna=False)
        made = grouped.agg(
            n_customers=("person_id", "size"), purchases=("frequency", "sum"), revenue=("revenue", "sum")
        ).reset_index()
        made.insert(len(by) + 1, "share", made["n_customers"] / len(self.frame))
        total = made["revenue"].sum()
        made["revenue_share"] = made["revenue"] / total if total > 0 else float("nan")
        return made


def rfm(
    dataset: Dataset,
    *,
    as_of: str | dt.date | None = None,
    since: str | dt.date | None = None,
    n_groups: int = 5,
    monetary: Monetary = "revenue",
) -> RFM:
    """Score customers by how long ago, how often and for how much they bought.

    A score is 1 + the whole part of `n_groups` x the share of customers who are strictly worse. So a 5 of 5 says that
    at least 80 % are worse, and customers with equal values have equal scores. Cutting into equal parts (NTILE) would
    part them by accident; here parts are of unequal size instead, and a score may be empty, which is said.

    Parameters
    ----------
    dataset : Dataset
    as_of : str or date, optional
        Last day that is known. Default: the log's last day.
    since : str or date, optional
        Only customers whose first purchase was not earlier.
    n_groups : int, default 5
        Number of scores, 2 to 10.
    monetary : {"revenue", "mean_order_value"}
        Of all purchases. Revenue grows with frequency; the mean value of an order does not.

    Returns
    -------
    RFM

    Raises
    ------
    UsageError
        When an option is none of the allowed.
    DataError
        When nobody bought, or there are fewer customers than scores.

    Notes
    -----
    Source: Hughes (1994), Strategic Database Marketing; the groups are common practice, declared in `RULES`.
    """
    from lifecycle_kit.churn.purchase_table import purchase_table

    _check(n_groups, monetary)
    told = purchase_table(dataset, as_of, since)
    return rfm_of(told.frame, as_of=told.as_of, n_groups=n_groups, monetary=monetary, source=told.source)


def rfm_of(
    table: pd.DataFrame, *, as_of: dt.date, n_groups: int = 5, monetary: Monetary = "revenue", source: str = ""
) -> RFM:
    """Score customers of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        As `PurchaseTable.frame`: person_id, recency_days, frequency, monetary (revenue), mean_order_value.
    as_of, n_groups, monetary, source
        As in `rfm`.
    """
    import pandas as pd

    _check(n_groups, monetary)
    if len(table) < n_groups:
        n = "is 1 customer" if len(table) == 1 else f"are {len(table):,} customers"
        raise DataError(
            f"There {n} for {n_groups} scores.", fix="Give fewer scores, a later as_of, or an earlier since."
        )
    made = table[["person_id", "recency_days", "frequency"]].copy()
    made["monetary"] = table["monetary" if monetary == "revenue" else "mean_order_value"]
    made["revenue"] = table["monetary"]
    values = {
        "r": -made["recency_days"].to_numpy(dtype=np.float64),
        "f": made["frequency"].to_numpy(dtype=np.float64),
        "m": made["monetary"].to_numpy(dtype=np.float64),
    }
    scores = {name: scores_of(given, n_groups) for name, given in values.items()}
    for name, score in scores.items():
        made[name] = pd.array(np.where(np.isnan(score), 0, score).astype(np.int64), dtype="Int64")
        made.loc[np.isnan(score), name] = pd.NA
    texts = [made[name].astype("str").where(made[name].notna(), "?") for name in scores]
    made["cell"] = texts[0].str.cat(texts[1:], sep="-")
    place = group_of(scores, n_groups)
    made["group"] = pd.Series(np.array([rule.group for rule in RULES])[place], index=made.index).astype("str")
    counted = pd.concat([_counted(name, values[name], scores[name], n_groups) for name in scores], ignore_index=True)
    return RFM(
        made.reset_index(drop=True), counted, n_groups, monetary, as_of, source, tuple(_said(counted, scores["m"]))
    )


def scores_of(values: Floats, n_groups: int) -> Floats:
    """Return 1 + the whole part of `n_groups` x the share of values that are strictly lower; nan of a nan."""
    known = np.isfinite(values)
    score = np.full(len(values), np.nan)
    lower = np.searchsorted(np.sort(values[known]), values[known], side="left")
    # whole numbers throughout: 3 of 5 parts must not become 2.9999
    score[known] = 1 + (n_groups * lower) // max(int(known.sum()), 1)
    return score


def _check(n_groups: int, monetary: str) -> None:
    if isinstance(n_groups, bool) or not isinstance(n_groups, int) or not 2 <= n_groups <= MOST_GROUPS:
        raise UsageError(f"n_groups is {n_groups!r}.", fix=f"Give a whole number from 2 to {MOST_GROUPS}.")
    if monetary not in get_args(Monetary):
        raise UnknownNameError("monetary", str(monetary), get_args(Monetary))


def _counted(name: str, values: Floats, score: Floats, n_groups: int) -> pd.DataFrame:
    """Count the customers of each score, and say why one has none."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    sign = -1 if name == "r" else 1
    known = np.isfinite(values)
    for s in range(1, n_groups + 1):
        those = sign * values[score == s]
        row: dict[str, Any] = {"measure": _SCORES[name], "score": s, "n_customers": len(those)}
        row["lowest"], row["highest"] = (those.min(), those.max()) if len(those) else (np.nan, np.nan)
        row["reason"] = None
        if not len(those) and known.any():
            # whoever is best among those with a lower score stands, with their equals, where this one would begin
            tied = values[known & (score < s)].max()
            n_tied = int((values == tied).sum())
            unit = {"r": " days ago", "f": " purchases" if tied != 1 else " purchase", "m": ""}[name]
            share = f"{n_tied / known.sum():.0%} of the customers"
            row["reason"] = f"{share} have the same value ({sign * tied:,.10g}{unit}), and equals share a score"
        rows.append(row)
    return pd.DataFrame(rows).astype({"reason": "str"})


def _said(counted: pd.DataFrame, monetary: Floats) -> list[str]:
    made = []
    empty = counted[counted["reason"].notna()]
    for (measure, reason), rows in empty.groupby(["measure", "reason"], sort=False):
        which = [str(score) for score in rows["score"]]
        names = which[0] if len(which) == 1 else f"{', '.join(which[:-1])} or {which[-1]}"
        made.append(f"Nobody has a {measure} score of {names}: {reason}.")
    n_unknown = int(np.isnan(monetary).sum())
    if n_unknown:
        made.append(
            f"The revenue of {n_unknown:,} of {len(monetary):,} customers is not known: they have no monetary score, "
            "and are in no group that asks for one."
        )
    return made
