"""Shifted beta-geometric: at each renewal a coin of the contract's own says whether it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lifecycle_kit.clv.contract_model import ContractModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["ShiftedBetaGeometric"]


class ShiftedBetaGeometric(ContractModel):
    """Each contract ends with a probability of its own, the same at every renewal.

    S(t) = B(a, b + t) / B(a, b). The share renewed rises from year to year, not because anybody grows loyal: those who
    leave easily have left.

    Parameters
    ----------
    n_ahead : int, default 1
        How many renewals `predict` looks ahead.
    prior_sd : float, optional
        Log-normal prior, see `ContractModel`.

    Attributes
    ----------
    a_, b_ : float
        Beta distribution of the probability to end at a renewal.
    churn_probability_ : float
        Its mean, a / (a + b): the share lost at the first renewal.

    The others are those of `ContractModel`.

    Notes
    -----
    Source: Fader and Hardie (2007), "How to project customer retention".
    """

    _names = ("a", "b")
    _ridges: ClassVar = {("a", "b"): "the probability to leave at a renewal"}

    def _steps(self, renewal: Floats, params: Floats) -> tuple[Floats, Floats]:
        a, b = params
        # S(t) / S(t - 1) = (b + t - 1) / (a + b + t - 1); a small b must not be added to t first
        left = b + (renewal - 1)
        return np.log1p(a / left), np.array([1 / (a + left), -a / left / (a + left)])

    def _stays(self, churn: Floats, waited: Floats, params: Floats) -> Floats:
        return np.asarray(waited / -np.log1p(-churn))
