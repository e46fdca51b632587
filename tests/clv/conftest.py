"""The example shop, for tests that need customers enough to fit."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk


@pytest.fixture(scope="package")
def tilde(root):
    with lk.load(root / "data" / "shop") as shop:
        yield shop
