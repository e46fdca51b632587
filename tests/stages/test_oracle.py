"""The worked stage model of ../shared/oracles/12_stage_engine_golden: 15 spells and four snapshots."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest

import lifecycle_kit as lk


@pytest.fixture(scope="module")
def golden(shared):
    return shared / "oracles" / "12_stage_engine_golden"


@pytest.fixture(scope="module")
def dataset(golden):
    with lk.load({"events": golden / "events.csv"}, timezone="Europe/Paris", currency="EUR") as made:
        yield made


@pytest.fixture(scope="module")
def model(golden):
    return lk.load_model(golden / "stages.yaml")


@pytest.fixture(scope="module")
def expected(golden):
    return json.loads((golden / "expected_snapshots.json").read_text(encoding="utf-8"))


def told(snapshot):
    members = snapshot.members()
    return [[status, len(own), ",".join(own["person_id"])] for status, own in members.groupby("status")]


def test_all_fifteen_spells(dataset, model, golden):
    spells = lk.history(dataset, model, "2025-12-30").to_frame()
    wanted = pd.read_csv(golden / "expected_spells.csv", parse_dates=["valid_from", "valid_to"])
    assert len(spells) == 15
    pd.testing.assert_frame_equal(
        spells[wanted.columns], wanted, check_dtype=False, check_index_type=False, check_column_type=False
    )
    assert (spells["model_hash"] == model.hash_).all()


def test_snapshot_as_of(dataset, model, expected):
    assert told(lk.snapshot(dataset, model, expected["as_of"])) == expected["snapshot"]


def test_snapshot_as_known(dataset, model, expected):
    made = lk.snapshot(dataset, model, "2024-05-01", as_known="2024-05-01")
    assert told(made) == expected["snapshot_as_known_on_2024-05-01"]


@pytest.mark.parametrize("forward_only", [False, True])
def test_snapshot_long_after(dataset, model, expected, forward_only):
    made = lk.snapshot(dataset, dataclasses.replace(model, forward_only=forward_only), "2025-12-30")
    assert told(made) == expected["2025-12-30_forward_only" if forward_only else "2025-12-30_any"]
    assert "days after the last touchpoint" in made.warnings[0]
