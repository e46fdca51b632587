"""Counted paths, checked and turned into whole numbers: what every attribution method reads.

Channels are numbers from here on, so a channel may be called "start" or "conversion" and meet nothing of that name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Counted", "counted_paths"]

NEEDED = ("path", "n_converted", "n_lost")
TO_DO = {
    "path": "Give a tuple of channel names in order of time, with one step at least: ('search', 'mail').",
    "count": "Give a whole number of journeys, zero or more.",
    "value": "Give the money of all converted journeys of the path together, or leave it empty.",
    "ages": "Give, for every path that converts, the days before the conversion of each step, latest step last.",
}


@dataclass(frozen=True, eq=False, repr=False)
class Counted:
    """Distinct paths of channel numbers, end to end in one array.

    Attributes
    ----------
    channels : tuple of str
        Names, sorted; a channel's number is its place here.
    steps : array of int
        Channel numbers of all paths, one path after the other.
    offsets : array of int
        Path `k` is ``steps[offsets[k]:offsets[k + 1]]``.
    n_converted, n_lost : array of int
        Journeys of each path.
    value : array of float, or None
        Money of each path's converted journeys; None where no money is told.
    ages : array of float, or None
        Days before the conversion, beside `steps`.
    warnings : tuple of str
        What the reader of the result must know.
    """

    channels: tuple[str, ...]
    steps: NDArray[np.int64]
    offsets: NDArray[np.int64]
    n_converted: NDArray[np.int64]
    n_lost: NDArray[np.int64]
    value: NDArray[np.float64] | None
    ages: NDArray[np.float64] | None
    warnings: tuple[str, ...] = ()

    @property
    def n_paths(self) -> int:
        return len(self.n_converted)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    @property
    def path_of_step(self) -> NDArray[np.int64]:
        """Number of the path that each step is part of."""
        return np.repeat(np.arange(self.n_paths), self.lengths)

    @property
    def place_of_step(self) -> NDArray[np.int64]:
        """How many steps of the same path stand before each step."""
        return np.arange(len(self.steps)) - np.repeat(self.offsets[:-1], self.lengths)

    @property
    def members(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Path and channel of every distinct channel of every path, in that order."""
        width = max(len(self.channels), 1)
        pairs = np.unique(self.path_of_step * width + self.steps)
        return pairs // width, pairs % width


def counted_paths(counts: pd.DataFrame, *, with_ages: bool = False) -> Counted:
    """Check a table of counted paths; rows of the same path are added up, rows without journeys are left out.

    Parameters
    ----------
    counts : pandas.DataFrame
        One row per path: path, n_converted, n_lost; value and ages if there are.
    with_ages : bool
        Read `ages` too. Rows of one path then stay apart, as their ages differ.

    Raises
    ------
    UsageError
        When `counts` is not a frame, or lacks a column.
    DataError
        When a row has no path, no proper count, or money without a conversion.
    """
    import pandas as pd

    if not isinstance(counts, pd.DataFrame):
        raise UsageError(f"counts is a {type(counts).__name__}, not a pandas.DataFrame.", fix="Give the path table.")
    needed = (*NEEDED, "ages") if with_ages else NEEDED
    missing = [name for name in needed if name not in counts.columns]
    if missing:
        raise UsageError(f"counts has no column {missing[0]!r}.", fix=f"It needs {', '.join(needed)}.")
    paths = _paths(counts["path"].tolist())
    won, lost = (_whole(counts[name], name) for name in ("n_converted", "n_lost"))
    value, warnings = _money(counts, won)
    ages = _ages(counts["ages"].tolist(), paths, won) if with_ages else None

    names, numbers = _numbered(paths)
    used = np.flatnonzero(won + lost)
    if ages is None:
        seen: dict[tuple[str, ...], int] = {}
        group = np.fromiter((seen.setdefault(paths[row], len(seen)) for row in used), np.int64, len(used))
        kept = used[np.unique(group, return_index=True)[1]] if len(used) else used
    else:
        group, kept = np.arange(len(used)), used
    lengths = np.fromiter(map(len, paths), np.int64, len(paths))
    begins = np.cumsum(lengths) - lengths
    offsets = np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64)
    pick = np.repeat(begins[kept] - offsets[:-1], lengths[kept]) + np.arange(offsets[-1])

    def added(values: NDArray[np.int64]) -> NDArray[np.int64]:
        out = np.zeros(len(kept), np.int64)
        np.add.at(out, group, values[used])
        return out

    money = None if value is None else np.zeros(len(kept))
    if value is not None and money is not None:
        np.add.at(money, group, value[used])
    return Counted(
        names,
        numbers[pick],
        offsets,
        added(won),
        added(lost),
        money,
        None if ages is None else ages[pick],
        warnings,
    )


def _paths(found: list[object]) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = []
    for row, path in enumerate(found):
        if isinstance(path, tuple):
            paths.append(path)
        elif isinstance(path, Sequence | np.ndarray) and not isinstance(path, str | bytes):
            paths.append(tuple(path))
        else:
            raise DataError(f"The path {path!r} is no sequence of channel names.", fix=TO_DO["path"], where=_at(row))
        if not paths[-1]:
            raise DataError("The path () has no step.", fix=TO_DO["path"], where=_at(row))
    kinds = set(map(type, chain.from_iterable(paths)))
    if not all(issubclass(kind, str) for kind in kinds) or any("" in path for path in paths):
        for row, path in enumerate(paths):
            for channel in path:
                if not isinstance(channel, str) or not channel:
                    raise DataError(
                        f"{channel!r} in the path {path!r} is no channel name.",
                        fix="Name every channel with text, also the unknown one: 'unknown'.",
                        where=_at(row),
                    )
    return paths


def _numbered(paths: list[tuple[str, ...]]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    names = tuple(sorted({str(channel) for channel in set(chain.from_iterable(paths))}))
    number = {name: i for i, name in enumerate(names)}
    return names, np.array([number[channel] for channel in chain.from_iterable(paths)], np.int64)


def _whole(column: pd.Series, name: str) -> NDArray[np.int64]:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~(np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers)) & (numbers < 2**53))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{name} is {column.iloc[row]!r}.", fix=TO_DO["count"], where=_at(row))
    return np.asarray(numbers, np.int64)


def _money(counts: pd.DataFrame, won: NDArray[np.int64]) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    import pandas as pd

    if "value" not in counts.columns:
        return None, ()
    column = counts["value"]
    money = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    empty = column.isna().to_numpy(dtype=bool)
    wrong = (~empty & ~np.isfinite(money)) | (~empty & (money != 0) & (won == 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        of = " where no journey converted" if np.isfinite(money[row]) else ""
        raise DataError(f"value is {column.iloc[row]!r}{of}.", fix=TO_DO["value"], where=_at(row))
    untold = empty & (won > 0)
    if untold.sum() == (won > 0).sum():
        return None, ()
    n_untold = int(won[untold].sum())
    warnings = (f"{n_untold:,} of {int(won.sum()):,} conversions carry no value.",) if n_untold else ()
    return np.where(empty, 0.0, money), warnings


def _ages(found: list[object], paths: list[tuple[str, ...]], won: NDArray[np.int64]) -> NDArray[np.float64]:
    ages = []
    for row, (given, path) in enumerate(zip(found, paths, strict=True)):
        if not won[row]:
            ages.append(np.full(len(path), np.nan))
            continue
        try:
            days = np.asarray(given, dtype=float)
        except (TypeError, ValueError):
            days = np.empty(0)
        if days.shape != (len(path),) or not np.isfinite(days).all() or (days < 0).any() or (np.diff(days) > 0).any():
            raise DataError(f"The ages of {path!r} are {given!r}.", fix=TO_DO["ages"], where=_at(row))
        ages.append(days)
    return np.concatenate(ages) if ages else np.empty(0)


def _at(row: int) -> str:
    return f"counts, row {row + 1}"
