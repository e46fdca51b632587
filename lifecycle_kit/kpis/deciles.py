"""How different customers are: tenths from best to worst, and how much hangs on few, made in the engine.

People are ranked through a table of distinct amounts, so no row per person leaves the engine. Where people with one
amount fall into two tenths, each tenth gets its part of what they have together: nobody is put first by chance, and
every engine gives the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

if TYPE_CHECKING:
    from lifecycle_kit.kpis.question import Question

__all__ = ["N_TENTHS", "concentration_of", "tenths_of"]

N_TENTHS = 10
_SUMS = ("n_orders", "revenue", "profit")


def _ranked(people: ir.Table, measure: str) -> ir.Table:
    """One row per distinct amount, best first: amount, n, sums, and how many people come before it."""
    amounts = people.group_by(amount=people[measure]).aggregate(
        n=people.count(), **{name: people[name].sum().cast("int64") for name in _SUMS}
    )
    upto = amounts.n.sum().over(ibis.cumulative_window(order_by=ibis.desc("amount"))).cast("int64")
    ranked = amounts.mutate(upto=upto)
    return ranked.mutate(before=ranked.upto - ranked.n)


def tenths_of(question: Question, people: ir.Table, measure: str, n_people: int) -> list[dict[str, Any]]:
    """Return what each tenth has, best first: n_people, n_orders, revenue and profit in minor units.

    Parameters
    ----------
    people : ir.Table
        One row per person: n_orders, revenue, profit.
    measure : str
        What they are ranked by: revenue or profit.
    n_people : int
        How many they are. What a division by ten leaves over goes to the best tenths, one each.
    """
    ranked = _ranked(people, measure)
    size, over = divmod(n_people, N_TENTHS)
    ends = [size * i + min(i, over) for i in range(N_TENTHS + 1)]
    made: dict[str, ir.Value] = {}
    for i, (first, last) in enumerate(pairwise(ends)):
        held = ibis.greatest(
            ibis.least(ranked.upto, ibis.literal(last, "int64"))
            - ibis.greatest(ranked.before, ibis.literal(first, "int64")),
            ibis.literal(0, "int64"),
        ).cast("float64")
        for name in _SUMS:
            # of those with one amount, the part that this tenth holds
            made[f"{name}_{i}"] = (held * ranked[name].cast("float64") / ranked.n.cast("float64")).sum()
    (row,) = question.scratch.fetch(ranked.aggregate(**made)).to_dict("records")
    return [
        {"n_people": last - first, **{name: row[f"{name}_{i}"] if last > first else 0.0 for name in _SUMS}}
        for i, (first, last) in enumerate(pairwise(ends))
    ]


def concentration_of(question: Question, people: ir.Table, measure: str, n_people: int) -> dict[str, Any]:
    """Return total, mean and median of a measure (minor units), its Gini coefficient, and the lowest amount.

    The Gini coefficient is half the mean difference of two people, by the mean: 0 where all are alike, (n - 1) / n
    where one has everything. Null where an amount is below 0, or all are 0: it would not lie between 0 and 1.

    Source: Gini (1912), as Sen (1973), On Economic Inequality, p. 31, writes it with ranks.
    """
    ranked = _ranked(people, measure)
    amount, n = ranked.amount.cast("float64"), ranked.n.cast("float64")
    middle = ((n_people + 1) // 2, n_people // 2 + 1)
    # mean rank of those with one amount, the lowest being 1
    rank = (2 * n_people + 1 - ranked.upto - ranked.before).cast("float64") / 2
    made = {
        "total": (amount * n).sum(),
        "by_rank": (amount * n * rank).sum(),
        "lowest": ranked.amount.min(),
        **{f"m{i}": amount.max(where=(ranked.before < at) & (ranked.upto >= at)) for i, at in enumerate(middle)},
    }
    (row,) = question.scratch.fetch(ranked.aggregate(**made)).to_dict("records")
    total = float(row["total"])
    is_defined = row["lowest"] >= 0 and total > 0
    gini = 2 * row["by_rank"] / (n_people * total) - (n_people + 1) / n_people if is_defined else None
    return {"total": total, "mean": total / n_people, "median": (row["m0"] + row["m1"]) / 2, "gini": gini}
