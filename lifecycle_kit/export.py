"""Files that leave the kit: written whole or not at all, and harmless when a spreadsheet opens them."""

from __future__ import annotations

import csv
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.errors import RunError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["arrow_table", "folder_written_whole", "neutralised", "write_table", "written_whole"]

# a cell that begins so is run as a formula by Excel and LibreOffice
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_table(table: pa.Table | pd.DataFrame, path: str | Path) -> tuple[str, ...]:
    """Write a table as Parquet (exact) or CSV (safe for spreadsheets), by the ending of `path`.

    In a CSV a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Returns
    -------
    tuple of str
        The texts that were altered; empty for Parquet.

    Raises
    ------
    UsageError
        When the ending is neither .csv nor .parquet, or the folder does not exist.
    RunError
        When the file cannot be written.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = Path(path)
    if target.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{target.name!r} ends in neither .csv nor .parquet.", fix="Choose one of the two.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", fix="Create it first.")
    with written_whole(target) as part:
        if target.suffix == ".parquet":
            arrow = pa.Table.from_pandas(table, preserve_index=False) if isinstance(table, pd.DataFrame) else table
            pq.write_table(arrow, part, compression="zstd")
            altered: tuple[str, ...] = ()
        else:
            frame = table.to_pandas() if isinstance(table, pa.Table) else table
            safe, altered = _neutral_frame(frame)
            # every text is quoted: a carriage return inside an id would end the row for many readers
            safe.to_csv(part, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return altered


def arrow_table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame of results as Arrow: texts are string also where all are missing, days are date32.

    Days beside instants, which have no type in common, become text (ISO 8601).
    """
    import datetime as dt

    import pyarrow as pa

    plain = {}
    for name in frame.columns:
        values = frame[name]
        if values.dtype == object and len({isinstance(value, dt.datetime) for value in values}) > 1:
            values = values.astype("str")
        found = pa.array(values, from_pandas=True)
        is_text = pa.types.is_null(found.type) or pa.types.is_large_string(found.type)
        plain[str(name)] = found.cast(pa.string()) if is_text else found
    return pa.table(plain)


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a path to write to; what is there afterwards replaces `target` in one step, or nothing does.

    Raises
    ------
    RunError
        When the file cannot be written; an older one is untouched.
    """
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, target)
    except OSError as error:
        raise RunError(f"{target} cannot be written: {error.strerror or error}.", fix="Give another path.") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def folder_written_whole(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder beside `folder` to write into; at the end it takes that name, or nothing is left of it.

    Raises
    ------
    UsageError
        When the folder holds something already, or its parent does not exist.
    RunError
        When it cannot be written.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already.", fix="Give a folder that does not exist yet, or an empty one.")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", fix="Create it first.")
    part = target.absolute().with_name(f".{target.absolute().name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir()
        yield part
        os.replace(part, target)
    except OSError as error:
        raise RunError(f"{target} cannot be written: {error.strerror or error}.", fix="Give another path.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def neutralised(text: str | None) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe in front of one that it would run."""
    return f"'{text}" if text and text.startswith(_FORMULA) else text or ""


def _neutral_frame(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pandas as pd

    safe, altered = frame.copy(), []
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.CategoricalDtype):
            safe[column] = safe[column].astype("str")
        if not pd.api.types.is_string_dtype(safe[column].dtype):
            continue
        if safe[column].dtype == object:  # days, or texts among other values
            risky = safe[column].map(lambda value: isinstance(value, str) and value.startswith(_FORMULA)).astype(bool)
        else:
            risky = safe[column].str.startswith(_FORMULA).fillna(False).astype(bool)
        altered += safe.loc[risky, column].tolist()
        safe.loc[risky, column] = "'" + safe.loc[risky, column]
    return safe, tuple(altered)
