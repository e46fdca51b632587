"""The frame that a model of risk is given: its columns checked against those it learnt from."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.feature_list import Feature
from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CODE", "ID", "MISSING", "Schema", "declared_from", "without_constants"]

ID = "person_id"
# unit of numbers that are names: a tariff, an age group
CODE = "code"
# what stands for a name that is not known
MISSING = "(missing)"


@dataclasses.dataclass(frozen=True)
class Schema:
    """The features of a model.

    Attributes
    ----------
    declared : tuple of Feature
        In the order in which the model reads them.
    units : mapping of str to str
    dropped : tuple of str
        Features that were the same for everybody when the model was fitted: they may be in a frame, and are not read.
    """

    declared: tuple[Feature, ...]
    units: Mapping[str, str]
    dropped: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the features."""
        return [feature.name for feature in self.declared]

    def of_kind(self, kind: str) -> list[str]:
        """Names of the features of a kind."""
        return [feature.name for feature in self.declared if feature.kind == kind]

    @property
    def groups(self) -> dict[str, list[Feature]]:
        """Features by what they tell of."""
        found: dict[str, list[Feature]] = {}
        for feature in self.declared:
            found.setdefault(feature.group, []).append(feature)
        return found

    def read(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the features of a frame as the model reads them: floats, and names with none missing.

        Raises
        ------
        DataError
            When features are missing, of another kind, in other units, or infinite, or there are others; all are named.
        """
        wrong = self._mismatch(frame)
        if wrong:
            raise DataError(
                f"The frame is not what the model learnt from: {'; '.join(wrong)}.",
                fix=f"Give the features {', '.join(self.names)}, made as those it was fitted on.",
            )
        return _as_read(frame, self.declared)

    def _mismatch(self, frame: pd.DataFrame) -> list[str]:
        there = [str(name) for name in frame.columns]
        missing = [name for name in self.names if name not in there]
        known = {ID, *self.names, *self.dropped}
        extra = [name for name in there if name not in known]
        wrong = []
        if missing:
            wrong.append(f"missing {', '.join(missing)}")
        if extra:
            wrong.append(f"unknown {', '.join(extra)}")
        for feature in self.declared:
            # a column of nothing but missing values is of any kind
            if feature.name in there and frame[feature.name].notna().any():
                kind, wanted = _kind(frame[feature.name]), "numeric" if feature.unit == CODE else feature.kind
                if kind != wanted:
                    wrong.append(f"{feature.name} is {kind}, not {wanted}")
        units = frame.attrs.get("units", {})
        both = [name for name in self.names if name in units and name in self.units]
        wrong += [
            f"{name} is in {units[name]}, not in {self.units[name]}" for name in both if units[name] != self.units[name]
        ]
        return wrong


def declared_from(frame: pd.DataFrame, categorical: Sequence[str], groups: Mapping[str, str]) -> tuple[Feature, ...]:
    """Declare the columns of somebody's own frame: each is a group of its own unless `groups` says another."""
    unknown = [name for name in (*categorical, *groups) if name not in frame.columns]
    if unknown:
        raise UsageError(
            f"The frame has no column {unknown[0]!r}.", fix=f"It has {', '.join(map(str, frame.columns))}."
        )
    declared = []
    for name in map(str, frame.columns):
        kind = _kind(frame[name])
        if kind not in ("numeric", "categorical"):
            raise UsageError(
                f"Feature {name!r} is {kind}: no number and no name.", fix="Turn it into days, or drop it."
            )
        unit = CODE if kind == "numeric" and name in categorical else ""
        is_name = kind == "categorical" or unit == CODE
        declared.append(Feature(name, "categorical" if is_name else "numeric", unit, name, groups.get(name, name)))
    return tuple(declared)


def without_constants(frame: pd.DataFrame, declared: Collection[Feature]) -> tuple[tuple[Feature, ...], list[str]]:
    """Return the features that differ between rows, and the names of those that do not."""
    constant = [f.name for f in declared if frame[f.name].nunique(dropna=False) < 2]
    return tuple(f for f in declared if f.name not in constant), constant


def _kind(values: pd.Series) -> str:
    import pandas as pd

    dtype = values.dtype
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype):
        return "numeric"
    if (
        isinstance(dtype, pd.CategoricalDtype)
        or pd.api.types.is_string_dtype(dtype)
        or pd.api.types.is_object_dtype(dtype)
    ):
        return "categorical"
    return f"of type {dtype}"


def _as_read(frame: pd.DataFrame, declared: Collection[Feature]) -> pd.DataFrame:
    import pandas as pd

    made: dict[str, Any] = {}
    for feature in declared:
        values = frame[feature.name]
        if feature.kind == "numeric":
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            if np.isinf(numbers).any():
                raise DataError(f"Feature {feature.name!r} is infinite for somebody.", fix="Leave it missing there.")
            made[feature.name] = numbers
        else:
            if feature.unit == CODE:
                # 1 and 1.0 are one code
                values = values.astype("float64").map(lambda code: f"{code:.15g}", na_action="ignore")
            texts = values.astype("object").where(values.notna().to_numpy(), MISSING)
            made[feature.name] = texts.astype("str").astype("object").to_numpy()
    return pd.DataFrame(made)
