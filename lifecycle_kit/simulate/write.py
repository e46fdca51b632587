"""`write_shop`: simulate a shop straight into a folder, for the command line."""

from __future__ import annotations

from pathlib import Path

from lifecycle_kit.simulate.files import check_folder
from lifecycle_kit.simulate.parameters import ShopParameters
from lifecycle_kit.simulate.shop import simulate_shop

__all__ = ["write_shop"]


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
    check_folder(Path(folder), overwrite=overwrite)
    shop = simulate_shop(
        seed=seed, start=start, months=months, visits_per_day=visits_per_day, dirty=dirty, parameters=parameters
    )
    return shop.write(folder, overwrite=overwrite)
