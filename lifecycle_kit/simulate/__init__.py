"""A shop with known truth: the course's data and the tests' yardstick."""

from __future__ import annotations

from lifecycle_kit.simulate.parameters import Figure, ShopParameters
from lifecycle_kit.simulate.shop import SimulatedShop, simulate_shop
from lifecycle_kit.simulate.truth import Truth
from lifecycle_kit.simulate.write import write_shop

__all__ = ["Figure", "ShopParameters", "SimulatedShop", "Truth", "simulate_shop", "write_shop"]
