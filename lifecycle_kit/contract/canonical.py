"""The canonical tables as a folder: what a dataset leaves behind so that any engine can take it up.

One Parquet file (or folder of Parquet files) per table of CANONICAL, and `dataset.json`, which says what the
rows cannot: the time zone in which days end, the currency, what the check found.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.tables import CANONICAL
from lifecycle_kit.errors import DataError
from lifecycle_kit.export import folder_written_whole

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["DATASET_JSON", "is_canonical", "read_said", "write_canonical"]

DATASET_JSON = "dataset.json"
# changes whenever the tables, or what their columns mean, change
_FORMAT = 2
# what dataset.json may say, and as what
_KINDS: dict[str, tuple[type, ...]] = {
    "format": (int,),
    "name": (str,),
    "timezone": (str,),
    "currency": (str, type(None)),
    "first_at": (str,),
    "last_at": (str,),
    "tables": (dict,),
    "report": (dict,),
    "written_by": (str,),
}
_NEEDED = ("format", "timezone")


def is_canonical(source: object) -> bool:
    """Return whether `source` is the path of a folder that `Dataset.write` made, or that looks like one."""
    return isinstance(source, str | os.PathLike) and (Path(source) / DATASET_JSON).is_file()


def write_canonical(dataset: Dataset, folder: str | os.PathLike[str]) -> Path:
    """Write the canonical tables and `dataset.json` into a new folder, whole or not at all, a part at a time.

    Raises
    ------
    UsageError
        When the folder holds something already, or its parent does not exist.
    RunError
        When it cannot be written.
    """
    with folder_written_whole(folder) as part:
        for table, declared in CANONICAL.items():
            # alone, `at` would be a word of DuckDB's SQL; after a dot it is a name, whatever the engine
            columns = ", ".join(f"t.{column}" for column in declared)
            dataset.engine.to_parquet(f"SELECT {columns} FROM {table} AS t", part / f"{table}.parquet")
        text = json.dumps(_said_of(dataset), indent=2, ensure_ascii=False)
        (part / DATASET_JSON).write_text(text + "\n", encoding="utf-8")
    return Path(folder)


def _said_of(dataset: Dataset) -> dict[str, Any]:
    from importlib.metadata import version

    # the door lets no empty log in
    assert dataset.first_at is not None
    assert dataset.last_at is not None
    return {
        "format": _FORMAT,
        "name": dataset.name,
        "timezone": dataset.timezone,
        "currency": dataset.currency,
        "first_at": dataset.first_at.isoformat(),
        "last_at": dataset.last_at.isoformat(),
        "tables": dict(dataset.tables),
        "report": dataset.report.to_dict(),
        "written_by": f"lifecycle-kit {version('lifecycle-kit')}",
    }


def read_said(folder: Path) -> dict[str, Any]:
    """Return what `dataset.json` says, checked; times as datetimes.

    Raises
    ------
    DataError
        When it is missing, is no JSON, lacks what is needed, or is of another version.
    """
    where = str(folder / DATASET_JSON)
    fix = f'Write at least {{"format": {_FORMAT}, "timezone": "Europe/Paris"}}.'
    try:
        said = json.loads((folder / DATASET_JSON).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"The folder has no {DATASET_JSON}.", fix=fix, where=str(folder)) from None
    except (OSError, ValueError) as error:
        raise DataError(f"It cannot be read as JSON: {error}.", fix=fix, where=where) from error
    if not isinstance(said, dict) or not all(key in said for key in _NEEDED):
        raise DataError(f"It does not say {' and '.join(_NEEDED)}.", fix=fix, where=where)
    for key, value in said.items():
        if key in _KINDS and (not isinstance(value, _KINDS[key]) or isinstance(value, bool)):
            raise DataError(f"{key} is {value!r}, not {_KINDS[key][0].__name__}.", fix="Correct it.", where=where)
    if said["format"] != _FORMAT:
        raise DataError(
            f"It is of format {said['format']}; this kit reads format {_FORMAT}.", fix="Write it again.", where=where
        )
    for key in ("first_at", "last_at"):
        if key in said:
            said[key] = _naive(said[key], key, where)
    return said


def _naive(text: str, key: str, where: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise DataError(
            f"{key} is {text!r}, not a time.",
            fix="Write it as 2024-01-31T12:00:00 (UTC), or leave it out.",
            where=where,
        ) from None
    return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
