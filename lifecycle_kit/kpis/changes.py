"""What changed between two periods: a product of factors, each with its part of the change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["FACTORS", "decomposed"]

FACTORS = {
    "revenue": ("customers", "orders_per_customer", "average_order_value"),
    "profit": ("customers", "orders_per_customer", "average_order_value", "margin"),
}
_COLUMNS = ("product", "factor", "before", "now", "ratio", "contribution")


def decomposed(product: str, before: Mapping[str, float] | None, now: Mapping[str, float]) -> list[dict[str, Any]]:
    """Split the change of revenue or profit between two periods among the factors that it is the product of.

    customers x orders per customer x average order value = revenue; times margin = profit. A factor's part of the
    change is the logarithm of its ratio by the logarithm of the whole ratio: parts add up to the change, whatever the
    order of the factors. The last row is the product itself. Where a factor is not above 0 in both periods, or there is
    no period before, there are no parts: null.

    Source: Ang (2005), "The LMDI approach to decomposition analysis: a practical guide".

    Parameters
    ----------
    product : str
        A key of FACTORS.
    before, now : mapping
        n_people, n_orders, revenue and, for profit, profit; in major units. `before` is None where it is not known.
    """
    factors = FACTORS[product]
    new = _values(product, now)
    old: dict[str, Any] = dict.fromkeys(new) if before is None else _values(product, before)
    is_known = all(_is_above_zero(side[name]) for side in (old, new) for name in factors)
    parts: dict[str, float | None] = dict.fromkeys((*factors, product))
    if is_known:
        weight = _log_mean(old[product], new[product])
        parts |= {name: weight * math.log(new[name] / old[name]) for name in factors}
    if before is not None:
        parts[product] = new[product] - old[product]
    rows = []
    for name, part in parts.items():
        has_ratio = _is_above_zero(old[name]) and new[name] is not None
        ratio = new[name] / old[name] if has_ratio else None
        rows.append(dict(zip(_COLUMNS, (product, name, old[name], new[name], ratio, part), strict=True)))
    return rows


def _values(product: str, sums: Mapping[str, float]) -> dict[str, Any]:
    def per(top: str, bottom: str) -> float | None:
        return sums[top] / sums[bottom] if sums[bottom] else None

    values = {
        "customers": sums["n_people"],
        "orders_per_customer": per("n_orders", "n_people"),
        "average_order_value": per("revenue", "n_orders"),
    }
    return values | ({"margin": per("profit", "revenue")} if product == "profit" else {}) | {product: sums[product]}


def _is_above_zero(value: float | None) -> bool:
    return value is not None and value > 0


def _log_mean(a: float, b: float) -> float:
    """The mean of two amounts that turns a change of logarithms into a change of amounts."""
    # near 1 it is the quotient of two tiny numbers; its limit is the amount itself
    return a if math.isclose(a, b, rel_tol=1e-9) else (b - a) / math.log(b / a)
