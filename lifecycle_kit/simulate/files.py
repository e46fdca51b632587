"""Write a simulated shop to a folder: small, sorted Parquet, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle_kit.errors import RunError, UsageError
from lifecycle_kit.simulate.truth import Truth

__all__ = ["MADE_BY", "check_folder", "write_files"]

MADE_BY = "lifecycle simulate"
DESCRIPTION = "shop.yaml"


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a path that is a file, or a folder with somebody else's work in it."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder.", fix="Name a folder.")
    if not folder.is_dir() or overwrite:
        return
    description = folder / DESCRIPTION
    ours = description.is_file() and f"made_by: {MADE_BY}" in description.read_text(encoding="utf-8", errors="replace")
    if any(folder.iterdir()) and not ours:
        raise UsageError(
            f"{folder} is not empty and was not made by the simulator.",
            fix="Name another folder, or pass overwrite=True (--overwrite) to write into it.",
        )


def write_files(
    tables: Mapping[str, pa.Table], truth: Truth, description: str, folder: str | Path, *, overwrite: bool
) -> Path:
    """Write tables, description and truth. Each file appears under its name only when whole."""
    folder = Path(folder)
    check_folder(folder, overwrite=overwrite)
    try:
        (folder / "truth").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder} cannot be made: {error.strerror}.", fix="Name a folder you may write to.") from error
    # The description goes first: a folder half written by us is still known to be ours.
    _replace(folder / DESCRIPTION, lambda part: part.write_text(description, encoding="utf-8"))
    for name, table in tables.items():
        _replace(folder / f"{name}.parquet", partial(_parquet, table))
    apart = folder / "truth"
    _replace(apart / "customers.parquet", partial(_parquet, truth.customers))
    facts = json.dumps(truth.facts, indent=1, ensure_ascii=False) + "\n"
    _replace(apart / "facts.json", lambda part: part.write_text(facts, encoding="utf-8"))
    planted = apart / "planted.parquet"
    if truth.planted is not None:
        _replace(planted, partial(_parquet, truth.planted))
    else:
        planted.unlink(missing_ok=True)
    return folder


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        os.replace(part, path)
    except OSError as error:
        raise RunError(f"{path} could not be written: {error}.", fix="Make room or name another folder.") from error
    finally:
        part.unlink(missing_ok=True)


def _parquet(table: pa.Table, path: Path) -> None:
    """Ids are in order, so storing their differences beats a dictionary; few-valued text does not."""
    encodings: dict[str, str] = {}
    dictionary: list[str] = []
    for f in table.schema:
        if pa.types.is_string(f.type) and f.name.endswith("_id"):
            encodings[f.name] = "DELTA_BYTE_ARRAY"
        elif pa.types.is_timestamp(f.type):
            encodings[f.name] = "DELTA_BINARY_PACKED"
        else:
            dictionary.append(f.name)
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=dictionary,
        column_encoding=encodings or None,
        row_group_size=1 << 20,
        data_page_size=1 << 20,
        write_statistics=True,
        store_schema=False,
    )
