"""One stream of random numbers per part of the shop, so that changing one part leaves the others alone."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from lifecycle_kit.errors import UsageError

__all__ = ["Streams"]


@dataclass(frozen=True)
class Streams:
    """A seed and the independent generators that grow from it by name."""

    seed: int

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer) or self.seed < 0:
            raise UsageError(f"seed={self.seed!r} is not a whole number of 0 or more.", fix="Give for example seed=7.")

    def part(self, name: str, number: int = 0) -> np.random.Generator:
        """Return a fresh generator for the part called `name`; the same name gives the same numbers."""
        # crc32, not hash(): Python's string hash changes from one process to the next.
        return np.random.default_rng(np.random.SeedSequence(int(self.seed), spawn_key=(crc32(name.encode()), number)))
