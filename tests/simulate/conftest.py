"""One clean and one dirty shop, made once: they take a second or two each."""

from __future__ import annotations

import pandas as pd
import pytest

from lifecycle_kit.simulate import SimulatedShop, calibration, simulate_shop


@pytest.fixture(scope="session")
def shop() -> SimulatedShop:
    return simulate_shop(seed=7)


@pytest.fixture(scope="session")
def measured(shop: SimulatedShop) -> pd.DataFrame:
    return calibration(shop)


@pytest.fixture(scope="session")
def small_clean() -> SimulatedShop:
    return simulate_shop(seed=3, months=14, visits_per_day=120)


@pytest.fixture(scope="session")
def small_dirty() -> SimulatedShop:
    return simulate_shop(seed=3, months=14, visits_per_day=120, dirty=True)
