"""Risks, values and stages as they were given: checked, and put together person by person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNKNOWN", "Given", "checked_edges", "read"]

UNKNOWN = "(unknown)"


@dataclass(frozen=True, eq=False)
class Given:
    """Who has both a risk and a value.

    Attributes
    ----------
    people : pandas.DataFrame
        person_id, risk, clv, lo and hi (where given), stage (where stages were given), ordered by person_id.
    n_without_value, n_without_risk : int
        People in the other frame only.
    said : tuple of str
    """

    people: pd.DataFrame
    n_without_value: int
    n_without_risk: int
    said: tuple[str, ...]


def read(risk: pd.DataFrame, value: pd.DataFrame, stages: pd.DataFrame | None) -> Given:
    """Check the frames and put them together."""
    risks = _told(risk, "risk", ("person_id", "risk"))
    values = _told(value, "value", ("person_id", "clv"), ("lo", "hi"))
    outside = risks[~risks["risk"].between(0, 1)]
    if len(outside):
        first = outside.iloc[0]
        raise UsageError(
            f"The risk of {first['person_id']!r} is {first['risk']:g}.",
            fix="Give probabilities from 0 to 1; leave out whoever has none.",
        )
    wrong = values[~(np.isfinite(values["clv"]) & (values["clv"] >= 0))]
    if len(wrong):
        first = wrong.iloc[0]
        raise UsageError(
            f"The clv of {first['person_id']!r} is {first['clv']:g}.",
            fix="Give amounts of 0 or more; leave out whoever has none.",
        )
    people = risks.merge(values, on="person_id").sort_values("person_id", ignore_index=True)
    n_without_value, n_without_risk = len(risks) - len(people), len(values) - len(people)
    if people.empty:
        raise UsageError(
            f"None of {len(risks):,} people with a risk has a value.", fix="Give both of the same customers."
        )
    said = []
    for n, has, lacks in ((n_without_value, "risk", "value"), (n_without_risk, "value", "risk")):
        if n:
            said.append(f"{n:,} people with a {has} have no {lacks}: they are in no cell.")
    if stages is not None:
        told = _told(stages, "stages", ("person_id",), ("stage",), needed="stage")
        there = told.set_index("person_id")["stage"]
        people["stage"] = people["person_id"].map(there).astype("object").fillna(UNKNOWN).astype("str")
        n_more = int((~told["person_id"].isin(people["person_id"])).sum())
        if n_more:
            said.append(f"Of the people with a stage {n_more:,} have no risk or no value: they are in no cell.")
    return Given(people, n_without_value, n_without_risk, tuple(said))


def _told(
    frame: pd.DataFrame, what: str, columns: Sequence[str], more: Sequence[str] = (), *, needed: str | None = None
) -> pd.DataFrame:
    """Return the columns of a frame that has one row per person; numbers as such."""
    import pandas as pd

    for column in (*columns, *([needed] if needed else [])):
        if column not in getattr(frame, "columns", ()):
            raise UsageError(f"The frame of {what} has no column {column!r}.", fix=f"It needs {', '.join(columns)}.")
    made = frame[[*columns, *(name for name in more if name in frame.columns)]].copy()
    if made["person_id"].isna().any():
        raise UsageError(f"The frame of {what} has a row without person_id.", fix="Give one row per person.")
    made["person_id"] = made["person_id"].astype("str")
    twice = made["person_id"][made["person_id"].duplicated()]
    if len(twice):
        raise UsageError(f"The frame of {what} names {twice.iloc[0]!r} more than once.", fix="Give one row per person.")
    for name in made.columns.drop("person_id"):
        if name == "stage":
            continue
        try:
            made[name] = pd.to_numeric(made[name]).astype("float64")
        except (ValueError, TypeError) as error:
            raise UsageError(f"{name} holds what is no number: {error}.", fix="Give numbers.") from error
    return made


def checked_edges(name: str, edges: Sequence[float]) -> tuple[float, float]:
    """Return two shares in order."""
    try:
        low, high = (float(edge) for edge in edges)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not 0 < low < high < 1:
        raise UsageError(f"{name} is {edges!r}.", fix="Give two numbers between 0 and 1, the smaller first.")
    return low, high
