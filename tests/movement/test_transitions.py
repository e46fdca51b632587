"""The moves of a period, by hand; their balance is a property test beside the stage engine's."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk
from tests.small_shops import FEW, orders


@pytest.fixture(scope="module")
def few():
    with lk.load(orders(*FEW), timezone="Europe/Paris", currency="EUR") as made:
        yield made


def test_transitions_by_hand(few):
    spells = lk.history(few, lk.load_model("orders_only"), "2024-03-09")
    moves = lk.transitions(spells, "2024-01-31")
    assert sorted(moves.counts.itertuples(index=False, name=None)) == [
        ("(new)", "new", 1, 1),
        ("new", "active", 1, 1),
        ("new", "taken_back", 1, 1),
    ]
    new = moves.balance.set_index("status").loc["new"]
    assert new[["opening", "n_in", "n_out", "closing"]].tolist() == [2, 1, 2, 1]
    for since, until in (("2024-03-09", "2024-03-09"), ("2024-03-01", "2024-02-01"), ("2024-02-01", "2024-03-10")):
        with pytest.raises(lk.UsageError, match="does not fit into a history"):
            lk.transitions(spells, since, until)
