"""What tests look at in a dataset."""

from __future__ import annotations

from typing import Any

from lifecycle_kit.contract.dataset import Dataset


def column(dataset: Dataset, sql: str) -> list[Any]:
    """First column of a query."""
    return [row[0] for row in dataset.engine.rows(sql)]


def cents(dataset: Dataset) -> dict[str, int]:
    """Order -> cents."""
    return dict(dataset.engine.rows("SELECT order_id, net_revenue FROM orders"))


def reasons(dataset: Dataset) -> dict[int, list[str]]:
    """Line -> reasons."""
    return {r["line"]: r["reasons"] for r in dataset.report.set_aside.to_pylist()}


def warned(dataset: Dataset, name: str) -> Any:
    """The warning of that name, or None."""
    return next((w for w in dataset.report.warnings if w.name == name), None)


def balanced(dataset: Dataset) -> bool:
    """Kept and set aside are what was read, in lines and cents."""
    return all(
        a.n_read == a.n_kept + a.n_set_aside and (a.cents_read or 0) == (a.cents_kept or 0) + (a.cents_set_aside or 0)
        for a in dataset.report.tables
    )
