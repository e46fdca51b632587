"""Features of the user's own, made by a function, beside those of the kit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifecycle_kit.churn.risk_given import declared_from
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from lifecycle_kit.churn.features import Features
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["with_extra"]


def with_extra(features: Features, extra: Callable[[Dataset, dt.date], Any] | None, dataset: Dataset) -> Features:
    """Return the features with those of ``extra(dataset, cut)`` beside them; missing where it tells nothing.

    Raises
    ------
    UsageError
        When it gives no frame with person_id, several rows of somebody, or a feature of a name that is taken.
    """
    import pandas as pd

    if extra is None:
        return features
    made = extra(dataset, features.cut)
    if not isinstance(made, pd.DataFrame) or "person_id" not in made.columns:
        raise UsageError(
            f"extra gave {type(made).__name__} without a column person_id.", fix="Return one row per customer."
        )
    repeated = made["person_id"][made["person_id"].duplicated()]
    if len(repeated):
        raise UsageError(f"extra gave several rows of {repeated.iloc[0]!r}.", fix="Return one row per customer.")
    added = made.drop(columns="person_id")
    taken = [name for name in added.columns if name in features.frame.columns]
    if taken:
        raise UsageError(f"extra gave a feature {taken[0]!r}, which there is already.", fix="Give it another name.")
    frame = features.frame.merge(made, on="person_id", how="left")
    return replace(features, frame=frame, declared=(*features.declared, *declared_from(added, (), {})))
