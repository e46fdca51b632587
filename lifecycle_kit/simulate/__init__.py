"""A shop with known truth: the course's data and the tests' yardstick."""

from __future__ import annotations

from lifecycle_kit.simulate.bulk import simulate_orders
from lifecycle_kit.simulate.calibration import calibration
from lifecycle_kit.simulate.dirty import FAULTS
from lifecycle_kit.simulate.parameters import CHANNELS, SEGMENTS, Figure, ShopParameters
from lifecycle_kit.simulate.result import SimulatedShop
from lifecycle_kit.simulate.shop import simulate_shop
from lifecycle_kit.simulate.truth import Truth
from lifecycle_kit.simulate.write import write_shop

__all__ = [
    "CHANNELS",
    "FAULTS",
    "SEGMENTS",
    "Figure",
    "ShopParameters",
    "SimulatedShop",
    "Truth",
    "calibration",
    "simulate_orders",
    "simulate_shop",
    "write_shop",
]
