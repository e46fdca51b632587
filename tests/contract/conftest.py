"""Small shops as files and frames, closed when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.load import load

HEADER = "order_id,person_id,ordered_at,net_revenue"


@pytest.fixture
def opened() -> Iterator[Callable[..., Dataset]]:
    """`load`, whose datasets are closed at the end."""
    found: list[Dataset] = []

    def open_dataset(source: Any, **options: Any) -> Dataset:
        found.append(load(source, **options))
        return found[-1]

    yield open_dataset
    for dataset in found:
        dataset.close()


@pytest.fixture
def orders_csv(tmp_path: Path, opened: Callable[..., Dataset]) -> Callable[..., Dataset]:
    """Load lines of an orders.csv; the header is the contract's unless given."""

    def load_lines(*lines: str, header: str = HEADER, **options: Any) -> Dataset:
        path = tmp_path / "orders.csv"
        path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
        return opened(path, **options)

    return load_lines


@pytest.fixture
def amounts(orders_csv: Callable[..., Dataset]) -> Callable[..., Dataset]:
    """Load orders that differ in their amount alone, one a day and person."""

    def load_amounts(*texts: str, **options: Any) -> Dataset:
        lines = [f'o{i},c{i},2024-01-{i:02d},"{text}"' for i, text in enumerate(texts, 1)]
        return orders_csv(*lines, **options)

    return load_amounts


@pytest.fixture
def times(orders_csv: Callable[..., Dataset]) -> Callable[..., Dataset]:
    """Load orders that differ in their time alone."""

    def load_times(*texts: str, **options: Any) -> Dataset:
        return orders_csv(*[f"o{i},c{i},{text},10.00" for i, text in enumerate(texts, 1)], **options)

    return load_times


@pytest.fixture
def ids(opened: Callable[..., Dataset], tmp_path: Path) -> Callable[..., Dataset]:
    """Load orders of these persons from a CSV file, one each, each in its own quotes."""

    def load_ids(*texts: str, **options: Any) -> Dataset:
        path = tmp_path / "orders.csv"
        lines = [f'o{i},"{text}",2024-01-{i:02d},{i}.00' for i, text in enumerate(texts, 1)]
        path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
        return opened(path, **options)

    return load_ids
