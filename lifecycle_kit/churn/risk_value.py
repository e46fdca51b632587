"""Risk beside value: how many customers may not come back, what they are worth, and what is at stake where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.risk_value_given import UNKNOWN, checked_edges, read
from lifecycle_kit.clv.asked import level_of
from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["RISK_EDGES", "VALUE_EDGES", "RiskValueGrid", "risk_value"]

# below 0.5 somebody is more likely to order than not; from 0.8 on four of five do not
RISK_EDGES = (0.5, 0.8)
# the most valuable fifth of customers, the next three tenths, the rest
VALUE_EDGES = (0.2, 0.5)
RISKS, VALUES = ("low", "middle", "high"), ("high", "middle", "low")
# one customer with so much of all value, and more than twice the mean, is called out
WHALE = 0.1
# draws of a customer's outcome, as many customers at a time as fit into some 50 MB
DRAWS, CHUNK = 2_000, 5_000


@dataclass(frozen=True, eq=False, repr=False)
class RiskValueGrid:
    """Customers by risk and value.

    Attributes
    ----------
    cells : pandas.DataFrame
        One row per cell, empty ones too, high risk and high value first: cell (its name), risk_group and value_group
        ("low", "middle", "high"), n_customers, share_customers, mean_risk, value (of all in it together), share_value,
        at_risk (sum of risk x value), lo and hi (between which it will lie), share_at_risk, stage (in which most of
        them are, the first in the alphabet of equals; missing without stages), meaning (a sentence). Means and shares
        are missing where there is nobody.
    people : pandas.DataFrame
        One row per customer in both frames: person_id, risk, clv, lo and hi (where they were given), stage, cell,
        at_risk.
    crosstab : pandas.DataFrame
        One row per cell and stage: cell, stage, n_customers, share (of the cell). Empty without stages.
    risk_edges, value_edges : tuple of float
        Probabilities; shares of customers, the most valuable first.
    level : float
        Of the intervals.
    n_without_value, n_without_risk : int
        People in one frame only. They are in no cell.
    assumptions : tuple of str
    warnings : tuple of str
    source : str or None
    """

    cells: pd.DataFrame
    people: pd.DataFrame
    crosstab: pd.DataFrame
    risk_edges: tuple[float, float]
    value_edges: tuple[float, float]
    level: float
    n_without_value: int
    n_without_risk: int
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    source: str | None

    def __repr__(self) -> str:
        n, value, at_risk = (self.cells[name].sum() for name in ("n_customers", "value", "at_risk"))
        told = "".join(f"\n  {sentence}" for sentence in self.warnings)
        return f"RiskValueGrid({n:,} customers worth {value:,.0f}, {at_risk:,.0f} at risk){told}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per cell."""
        return self.cells.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.cells)

    def members(self, cell: str | None = None) -> pd.DataFrame:
        """Return who is in a cell, or everybody, the most at risk first: one row per person.

        Parameters
        ----------
        cell : str, optional
            Its name: "high risk, high value".
        """
        known = list(self.cells["cell"])
        if cell is not None and cell not in known:
            raise UnknownNameError("cell", str(cell), known)
        found = self.people if cell is None else self.people[self.people["cell"] == cell]
        return found.sort_values(["at_risk", "person_id"], ascending=[False, True], ignore_index=True)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the grid: the darker a cell, the more revenue is at risk in it."""
        from lifecycle_kit.plots.risk_value import plot_risk_value

        return plot_risk_value(
            self.cells,
            risk_names=_named(RISKS, _risk_words(self.risk_edges)),
            value_names=_named(VALUES, _value_words(self.value_edges)),
            level=self.level,
            source=self.source,
            ax=ax,
        )


def risk_value(
    risk: pd.DataFrame,
    value: pd.DataFrame,
    *,
    stages: pd.DataFrame | None = None,
    risk_edges: Sequence[float] | None = None,
    value_edges: Sequence[float] | None = None,
    level: float = 0.9,
    seed: int = 0,
    source: str | None = None,
) -> RiskValueGrid:
    """Put customers into a grid of risk by value.

    Parameters
    ----------
    risk : pandas.DataFrame
        person_id, risk: the probability of no order in the next window, in [0, 1].
    value : pandas.DataFrame
        person_id, clv (what the customer is expected to bring; 0 or more), optionally lo and hi, which are carried
        along: `customer_value(...).frame`.
    stages : pandas.DataFrame, optional
        person_id, stage: `snapshot(...).members()`.
    risk_edges : two floats, default (0.5, 0.8)
        Probabilities at which middle and high risk begin.
    value_edges : two floats, default (0.2, 0.5)
        Shares of customers, the most valuable first, with which high and middle value end. Customers of equal value
        stay together: their place is the middle of the places they take up.
    level : float, default 0.9
        Of the intervals of revenue at risk.
    seed : int
    source : str, optional
        The source line of a picture.

    Returns
    -------
    RiskValueGrid

    Raises
    ------
    UsageError
        When a frame lacks a column or names somebody twice, a risk is outside [0, 1], a value is negative or missing,
        the frames have nobody in common, or edges are none.

    Notes
    -----
    The interval is of what will happen if the risks are right: each customer orders or not, independently of the
    others, and whoever does not takes their whole value with them; simulated. That risks are estimates, and that a bad
    season meets all customers at once, is not in it: the truth may lie further out.
    """
    import pandas as pd

    risks = checked_edges("risk_edges", RISK_EDGES if risk_edges is None else risk_edges)
    values = checked_edges("value_edges", VALUE_EDGES if value_edges is None else value_edges)
    level = level_of(level)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed is {seed!r}.", fix="Give a whole number of at least 0.")
    given = read(risk, value, stages)
    people = given.people
    p, clv = (people[name].to_numpy(dtype=np.float64) for name in ("risk", "clv"))
    by_risk = np.searchsorted(risks, p, side="right")
    places, tied = _places(clv, values)
    by_value = np.searchsorted(values, places, side="left")
    # high risk first, high value first
    code = (len(RISKS) - 1 - by_risk) * len(VALUES) + by_value
    keys = [(r, v) for r in reversed(RISKS) for v in VALUES]
    names = [f"{r} risk, {v} value" for r, v in keys]
    n = len(keys)
    lows, highs = _interval(p, clv, code, n, level, seed)
    at_risk = p * clv
    counts = np.bincount(code, minlength=n)
    sums = {name: np.bincount(code, x, minlength=n) for name, x in (("risk", p), ("value", clv), ("at_risk", at_risk))}
    risk_words, value_words = _risk_words(risks), _value_words(values)
    cells = pd.DataFrame(
        {
            "cell": names,
            "risk_group": [r for r, _ in keys],
            "value_group": [v for _, v in keys],
            "n_customers": counts.astype(np.int64),
            "share_customers": counts / len(people),
            "mean_risk": np.divide(sums["risk"], counts, out=np.full(n, np.nan), where=counts > 0),
            "value": sums["value"],
            "share_value": _shares(sums["value"]),
            "at_risk": sums["at_risk"],
            "lo": lows,
            "hi": highs,
            "share_at_risk": _shares(sums["at_risk"]),
        }
    )
    people = people.assign(cell=np.array(names, dtype=object)[code], at_risk=at_risk).astype({"cell": "str"})
    crosstab = _crosstab(people, names)
    most = crosstab.sort_values(["n_customers", "stage"], ascending=[False, True]).drop_duplicates("cell")
    stage_of = dict(zip(most["cell"], most["stage"], strict=True))
    cells["stage"] = pd.Series([stage_of.get(name) for name in names], dtype="str")
    cells["meaning"] = [
        f"Of the {value_words[VALUES.index(v)]} of customers by value, those who will not order in the window with a "
        f"probability of {risk_words[RISKS.index(r)]}."
        for r, v in keys
    ]
    cells = cells.astype(dict.fromkeys(("cell", "risk_group", "value_group", "meaning"), "str"))
    return RiskValueGrid(
        cells,
        people,
        crosstab,
        risks,
        values,
        level,
        given.n_without_value,
        given.n_without_risk,
        _assumptions(level),
        (*given.said, *_said(people, cells, clv, tied)),
        source,
    )


def _places(clv: Floats, edges: tuple[float, float]) -> tuple[Floats, list[tuple[float, int]]]:
    """Return where each customer stands, 0 the most valuable and 1 the least, and ties that lie across an edge."""
    distinct, back, counts = np.unique(-clv, return_inverse=True, return_counts=True)
    n = len(clv)
    end = np.cumsum(counts)
    middle = (end - counts / 2) / n
    across = [
        (float(-value), int(count))
        for value, count, last in zip(distinct, counts, end, strict=True)
        if any((last - count) / n < edge - 1e-12 and last / n > edge + 1e-12 for edge in edges) and count > 1
    ]
    # rounding must not push half of an even number over an edge
    return np.asarray(np.round(middle, 12)[back.ravel()]), across


def _interval(p: Floats, clv: Floats, code: Whole, n_cells: int, level: float, seed: int) -> tuple[Floats, Floats]:
    """Draw who does not order, and return between which sums the values of those lie, by cell."""
    random = np.random.default_rng(seed)
    lost = np.zeros((DRAWS, n_cells))
    for first in range(0, len(p), CHUNK):
        rows = slice(first, first + CHUNK)
        worth = np.zeros((len(p[rows]), n_cells))
        worth[np.arange(len(worth)), code[rows]] = clv[rows]
        gone = random.random((DRAWS, len(worth)), dtype=np.float32) < p[rows].astype(np.float32)
        lost += gone.astype(np.float64) @ worth
    tail = (1 - level) / 2
    low, high = np.quantile(lost, [tail, 1 - tail], axis=0)
    return low, high


def _shares(parts: NDArray[Any]) -> Floats:
    total = float(parts.sum())
    return np.asarray(parts / total if total > 0 else np.full(len(parts), np.nan))


def _crosstab(people: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    if "stage" not in people:
        empty = pd.DataFrame({"cell": [], "stage": [], "n_customers": [], "share": []})
        return empty.astype({"cell": "str", "stage": "str", "n_customers": "int64", "share": "float64"})
    found = people.groupby(["cell", "stage"], as_index=False).size().rename(columns={"size": "n_customers"})
    found["share"] = found["n_customers"] / found.groupby("cell")["n_customers"].transform("sum")
    order = found["cell"].map({name: i for i, name in enumerate(names)})
    return found.iloc[np.lexsort((found["stage"], -found["n_customers"], order))].reset_index(drop=True)


def _risk_words(edges: tuple[float, float]) -> list[str]:
    low, high = (f"{100 * edge:g} %" for edge in edges)
    return [f"below {low}", f"{low} to below {high}", f"{high} or more"]


def _value_words(edges: tuple[float, float]) -> list[str]:
    high, middle = edges
    return [f"top {100 * high:g} %", f"next {100 * (middle - high):g} %", f"other {100 * (1 - middle):g} %"]


def _named(groups: Sequence[str], told: list[str]) -> dict[str, str]:
    return dict(zip(groups, told, strict=True))


def _assumptions(level: float) -> tuple[str, ...]:
    return (
        "Revenue at risk is the sum of risk x clv: as if whoever does not order in the window took their whole value "
        "along. Some only come later, so it is an upper figure, to compare cells by.",
        "A clv that is lowered already by the chance that the customer is gone, as customer_value's is, counts that "
        "chance twice.",
        f"The intervals ({level:.0%}) take customers' outcomes as independent draws with the given risks, times their "
        f"value ({DRAWS:,} simulations, whatever lo and hi say); that risks are estimates is not in them.",
    )


def _said(people: pd.DataFrame, cells: pd.DataFrame, clv: Floats, tied: list[tuple[float, int]]) -> list[str]:
    made = []
    total = float(clv.sum())
    if total == 0:
        made.append("Nobody is worth anything: every clv is 0, and so is every revenue at risk.")
    elif len(clv) > 1:
        for i in np.flatnonzero(clv >= max(WHALE, 2 / len(clv)) * total):
            who = people.iloc[int(i)]
            made.append(
                f"One customer, {who['person_id']!r}, holds {clv[i] / total:.0%} of all value (risk {who['risk']:.0%}; "
                f"{who['cell']}): figures of that cell are this customer's."
            )
    for value, n in tied:
        made.append(f"{n:,} customers of equal value, {value:,.2f}, lie across an edge: they stay in one group.")
    empty = cells.loc[cells["n_customers"] == 0, "cell"]
    if len(empty):
        made.append(f"Nobody is in {len(empty)} of {len(cells)} cells: {'; '.join(empty)}.")
    n_unknown = int((people["stage"] == UNKNOWN).sum()) if "stage" in people else 0
    if n_unknown:
        made.append(f"The stage of {n_unknown:,} of {len(people):,} customers is not known: {UNKNOWN}.")
    return made
