"""What `simulate_shop` returns: the logged tables, and the truth kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lifecycle_kit.simulate.files import MADE_BY, write_files
from lifecycle_kit.simulate.parameters import ShopParameters
from lifecycle_kit.simulate.truth import Truth

__all__ = ["SimulatedShop"]


@dataclass(frozen=True, eq=False)
class SimulatedShop:
    """What a simulated shop's systems logged, and, kept apart, what was really going on.

    Attributes
    ----------
    tables : mapping of str to pyarrow.Table
        The seven contract tables. Nothing in them is known only to the simulator.
    truth : Truth
        Per-customer truth, planted facts, and every row that `dirty` changed.
    parameters : ShopParameters
    seed, start, months, visits_per_day, dirty
        The call that made it.
    """

    tables: Mapping[str, pa.Table]
    truth: Truth
    parameters: ShopParameters
    seed: int
    start: str
    months: int
    visits_per_day: float
    dirty: bool

    def write(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the tables as Parquet, `shop.yaml` beside them and the truth in `truth/`.

        Raises
        ------
        UsageError
            When the folder holds something else than a simulated shop and `overwrite` is False.
        """
        return write_files(self.tables, self.truth, self._description(), folder, overwrite=overwrite)

    def _description(self) -> str:
        dirty = " --dirty" if self.dirty else ""
        turned = "" if self.parameters == ShopParameters() else "# Parameters were changed from Python.\n"
        return (
            "# Made by the simulator; made again by the command below. CC0.\n"
            f"{turned}"
            "dataset: 1\n"
            f"name: simulated shop{' (dirty)' if self.dirty else ''}\n"
            f"timezone: {self.parameters.timezone}\n"
            f"currency: {self.parameters.currency}\n"
            "money_unit: minor\n"
            f"made_by: {MADE_BY} --seed {self.seed} --start {self.start} --months {self.months} "
            f"--visits-per-day {self.visits_per_day:g}{dirty}\n"
            f"seed: {self.seed}\n"
        )
