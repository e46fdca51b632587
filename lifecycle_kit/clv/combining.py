"""Several forecasts made into one: their average, and a stack whose weights come from hold-outs that had ended."""

from __future__ import annotations

import numpy as np

from lifecycle_kit.clv.forecasts import Forecasts
from lifecycle_kit.clv.models import NO_LEAVING

__all__ = ["AVERAGE", "COMBINED", "STACK", "combine"]

AVERAGE, STACK = "average", "stack"
COMBINED = (AVERAGE, STACK)


def combine(found: Forecasts, known: list[Forecasts]) -> dict[str, float]:
    """Add the average, and where hold-outs are known the stack, to the forecasts of an origin.

    Parameters
    ----------
    found : Forecasts
        Those of the origin; the combinations are added to its counts and revenues.
    known : list of Forecasts
        Those of earlier origins whose hold-outs had ended by this one.

    Returns
    -------
    dict
        Weights of the stack by model: non-negative least squares of what came on what was expected, all known hold-outs
        together. Empty where there is no stack. The model without leaving is a baseline and in neither.
    """
    from scipy.optimize import nnls

    names = [name for name in found.models if name != NO_LEAVING]
    if len(names) < 2:
        return {}
    _add(found, AVERAGE, dict.fromkeys(names, 1 / len(names)))
    if not known:
        return {}
    past = np.concatenate([np.column_stack([f.counts[name] for name in names]) for f in known])
    came = np.concatenate([f.actual for f in known])
    weights = dict(zip(names, nnls(past, came)[0].tolist(), strict=True))
    _add(found, STACK, weights)
    return weights


def _add(found: Forecasts, name: str, weights: dict[str, float]) -> None:
    for forecasts in (found.counts, found.revenues):
        if set(weights) <= set(forecasts):
            forecasts[name] = np.sum([weight * forecasts[model] for model, weight in weights.items()], axis=0)
