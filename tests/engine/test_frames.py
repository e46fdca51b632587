"""Every engine gives the answers of DuckDB, frame by frame."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random

import pandas as pd
import pytest

import lifecycle_kit as lk
from tests.stages.conftest import DEVICES, EVERY_POLICY, PEOPLE, POLICIES, START, _touch, dataset_of

END = START + dt.timedelta(days=75, seconds=1)
KNOWN = START + dt.timedelta(days=20, seconds=1)
EVENTS = ["page_viewed", "product_viewed", "product_added", "signed_up"] + ["order_completed"] * 4
EVENTS += ["order_refunded", "order_cancelled"]


def random_log(seed):
    """150 touchpoints of people and devices, with ties, late arrivals and refunds."""
    rng = random.Random(seed)
    actors = [*PEOPLE, *DEVICES]
    return [
        _touch(
            rng.choice(actors),
            rng.choice(EVENTS),
            rng.randrange(61) * 12,
            rng.choice([0, 0, 0, 24, 240]),
            rng.randint(1, 4),
            rng.randint(0, 90),
        )
        for _ in range(150)
    ]


@pytest.fixture(scope="module")
def here(seed):
    """The log on the DuckDB that loaded it."""
    with dataset_of(random_log(seed), timezone="Europe/Paris", currency="EUR") as loaded:
        yield loaded


@pytest.fixture(scope="module")
def there(here, on_engine):
    """The same log on the engine under test."""
    with on_engine(here) as dataset:
        yield dataset


def same(one, other):
    assert len(one) > 0
    pd.testing.assert_frame_equal(one, other)


@pytest.fixture(scope="module", params=["orders_only", "shop"])
def model(request):
    return lk.load_model(request.param)


@pytest.mark.parametrize("known", [None, KNOWN])
def test_snapshot(here, there, model, known):
    one, other = (lk.snapshot(dataset, model, END, as_known=known) for dataset in (here, there))
    same(one.to_frame(), other.to_frame())
    same(one.members(), other.members())
    assert one.warnings == other.warnings


@pytest.mark.parametrize("known", [None, KNOWN])
def test_history_and_what_is_made_of_it(here, there, model, known):
    one, other = (lk.history(dataset, model, END.date(), as_known=known) for dataset in (here, there))
    same(one.to_frame(), other.to_frame())
    same(lk.occupancy(one).to_frame(), lk.occupancy(other).to_frame())
    moves = [lk.transitions(made, "2024-01-10", "2024-02-20") for made in (one, other)]
    same(moves[0].counts, moves[1].counts)
    same(moves[0].balance, moves[1].balance)


@pytest.mark.parametrize("by", [None, "month"])
def test_base_metrics(here, there, by):
    one, other = (lk.base_metrics(d, "2024-01-01", "2024-01-31", by=by).to_frame() for d in (here, there))
    same(one, other)


@pytest.mark.parametrize("person_id", ["p00", "p01"])
def test_person(here, there, model, person_id):
    one, other = (lk.person(dataset, model, person_id, END) for dataset in (here, there))
    same(one.to_frame(), other.to_frame())
    same(one.spells, other.spells)


@pytest.mark.parametrize("policy", [*POLICIES, {"forward_only": True, "reentry": False}], ids=str)
@pytest.mark.parametrize("known", [None, KNOWN])
def test_every_policy(here, there, policy, known):
    model = dataclasses.replace(lk.parse_model(EVERY_POLICY), **policy)
    one, other = (lk.history(dataset, model, END, as_known=known) for dataset in (here, there))
    same(one.to_frame(), other.to_frame())
    one, other = (lk.snapshot(dataset, model, END, as_known=known) for dataset in (here, there))
    same(one.members(), other.members())


def test_golden_oracle(shared, on_engine):
    """The 15 spells and the snapshots that were worked out by hand."""
    golden = shared / "oracles" / "12_stage_engine_golden"
    model = lk.load_model(golden / "stages.yaml")
    expected = json.loads((golden / "expected_snapshots.json").read_text(encoding="utf-8"))
    wanted = pd.read_csv(golden / "expected_spells.csv", parse_dates=["valid_from", "valid_to"])
    loaded = lk.load({"events": golden / "events.csv"}, timezone="Europe/Paris", currency="EUR")
    with loaded, on_engine(loaded) as dataset:
        spells = lk.history(dataset, model, "2025-12-30").to_frame()
        members = lk.snapshot(dataset, model, expected["as_of"]).members()
    assert len(spells) == 15
    pd.testing.assert_frame_equal(
        spells[wanted.columns], wanted, check_dtype=False, check_index_type=False, check_column_type=False
    )
    told = [[status, len(own), ",".join(own["person_id"])] for status, own in members.groupby("status")]
    assert told == expected["snapshot"]
