"""Write a simulated shop to a folder: small, sorted Parquet, whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle_kit.errors import UsageError
from lifecycle_kit.simulate.parameters import ShopParameters

if TYPE_CHECKING:
    from lifecycle_kit.simulate.shop import SimulatedShop

__all__ = ["MADE_BY", "write_files", "write_shop"]

MADE_BY = "lifecycle simulate"
DESCRIPTION = "shop.yaml"


def write_shop(
    folder: str | Path,
    *,
    seed: int = 7,
    start: str = "2024-01-01",
    months: int = 24,
    visits_per_day: float = 400.0,
    dirty: bool = False,
    parameters: ShopParameters | None = None,
    overwrite: bool = False,
) -> Path:
    """Simulate a shop and write it to `folder`.

    A folder that holds a simulated shop is refreshed; one that holds anything else is left alone
    unless `overwrite` is True (then the shop's files are put beside what is there).

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    UsageError
        When a value is out of range, or the folder is not the simulator's to write to.
    """
    from lifecycle_kit.simulate.shop import simulate_shop

    check_folder(Path(folder), overwrite=overwrite)
    shop = simulate_shop(
        seed=seed, start=start, months=months, visits_per_day=visits_per_day, dirty=dirty, parameters=parameters
    )
    return shop.write(folder, overwrite=overwrite)


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


def write_files(shop: SimulatedShop, folder: str | Path, *, overwrite: bool) -> Path:
    """Write tables, description and truth. Each file appears under its name only when whole."""
    folder = Path(folder)
    check_folder(folder, overwrite=overwrite)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    # The description goes first: a folder half written by us is still known to be ours.
    _replace(folder / DESCRIPTION, lambda part: part.write_text(_description(shop), encoding="utf-8"))
    for name, table in shop.tables.items():
        _replace(folder / f"{name}.parquet", lambda part, t=table: _parquet(t, part))
    truth = folder / "truth"
    _replace(truth / "customers.parquet", lambda part: _parquet(shop.truth.customers, part))
    facts = json.dumps(shop.truth.facts, indent=1, ensure_ascii=False) + "\n"
    _replace(truth / "facts.json", lambda part: part.write_text(facts, encoding="utf-8"))
    planted = truth / "planted.parquet"
    if shop.truth.planted is not None:
        _replace(planted, lambda part: _parquet(shop.truth.planted, part))
    else:
        planted.unlink(missing_ok=True)
    return folder


def _description(shop: SimulatedShop) -> str:
    dirty = " --dirty" if shop.dirty else ""
    return (
        "# Made by the simulator; made again by the command below. CC0.\n"
        "dataset: 1\n"
        f"name: simulated shop{' (dirty)' if shop.dirty else ''}\n"
        f"timezone: {shop.parameters.timezone}\n"
        f"currency: {shop.parameters.currency}\n"
        f"made_by: {MADE_BY} --seed {shop.seed} --start {shop.start} --months {shop.months} "
        f"--visits-per-day {shop.visits_per_day:g}{dirty}\n"
        f"seed: {shop.seed}\n"
    )


def _replace(path: Path, write: object) -> None:
    part = path.with_name(path.name + ".part")
    try:
        write(part)  # type: ignore[operator]
        os.replace(part, path)
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
