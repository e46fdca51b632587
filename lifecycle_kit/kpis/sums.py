"""Sums by period and slice: what the engine gives, and how they add up to everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["N_BUCKETS", "Cell", "Reading", "by_bucket", "cells", "divided", "null"]

# random groups of people that a bootstrap draws from
N_BUCKETS = 100


@dataclass(frozen=True)
class Cell:
    """One period of one slice.

    Attributes
    ----------
    period : int
    slice : str or None
        None is everybody.
    stage : str or None
        Of KPIs that are told once per stage of the model.
    """

    period: int
    slice: str | None = None
    stage: str | None = None


@dataclass(frozen=True)
class Reading:
    """The value of a KPI in one cell, with what it was made of; None is null, and `reason` says why.

    Attributes
    ----------
    value, lo, hi : float or None
    n_num, n_den : float or None
        Numerator and denominator; money in major units.
    mature_share : float or None
        Share of those who could be counted that is old enough.
    reason : str or None
    """

    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    n_num: float | None = None
    n_den: float | None = None
    mature_share: float | None = None
    reason: str | None = None


def null(reason: str, **known: Any) -> Reading:
    """Return a reading without a value."""
    return Reading(reason=reason, **known)


def cells(
    found: pd.DataFrame, n_periods: int, has_slices: bool, keys: Sequence[str] = (), others: Collection[str] = ()
) -> Iterator[tuple[Cell, pd.DataFrame]]:
    """Return the rows of every cell: everybody's in each period (slices added up), then each slice's.

    Parameters
    ----------
    found : pandas.DataFrame
        Columns period, slice, `keys`, and sums. Who is in one slice is in no other, so sums add up.
    n_periods : int
        A period without rows has an empty frame.
    has_slices : bool
    keys : sequence of str
        Columns that tell the rows of one cell apart (a bucket, a number of days).
    others : collection of str
        Slices to tell besides those with rows.
    """
    sums = [c for c in found.columns if c not in ("period", "slice", *keys)]
    everybody = found.groupby(["period", *keys], as_index=False)[sums].sum() if len(found) else found
    by_period = dict(iter(everybody.groupby("period")))
    for period in range(n_periods):
        yield Cell(period), by_period.get(period, everybody.iloc[:0])
    if has_slices:
        per_slice = dict(iter(found.groupby(["period", "slice"])))
        for name in sorted({*found["slice"], *others}):
            for period in range(n_periods):
                yield Cell(period, name), per_slice.get((period, name), found.iloc[:0])


def by_bucket(found: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return sums of every bucket, empty ones too: shape (N_BUCKETS, number of columns)."""
    sums = np.zeros((N_BUCKETS, len(columns)))
    sums[found["bucket"].to_numpy()] = found[list(columns)].to_numpy(dtype="float64")
    return sums


def divided(top: Any, bottom: Any) -> Any:
    """Return top / bottom, nan where there is nothing to divide by."""
    top, bottom = np.broadcast_arrays(np.asarray(top, "float64"), np.asarray(bottom, "float64"))
    return np.divide(top, bottom, out=np.full(bottom.shape, np.nan), where=bottom != 0)
