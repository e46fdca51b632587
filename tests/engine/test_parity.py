"""One model, one log, three engines: every policy, every answer, equal to the slow reading and to DuckDB."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import pandas as pd
import pytest

import lifecycle_kit as lk
from tests.engines import everywhere
from tests.stages.conftest import DEVICES, PEOPLE, POLICIES, START, dataset_of, random_log
from tests.stages.test_properties import END, actual_spells, expected_spells

KNOWN = START + dt.timedelta(days=20, seconds=1)


@pytest.fixture(scope="module")
def log(seed):
    return random_log(random.Random(seed), 150)


def test_the_log_is_worth_it(log):
    assert {t.person for t in log} == set(PEOPLE)
    assert {t.device for t in log} - {None} == set(DEVICES)


@everywhere
@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_every_policy_equals_the_slow_reading(on_engine, every_policy, log, policy):
    model = dataclasses.replace(every_policy, **policy)
    with dataset_of(log) as dataset, on_engine(dataset) as there:
        for known in (None, KNOWN):
            made = lk.history(there, model, END, as_known=known)
            assert actual_spells(made) == expected_spells(model, log, END, known)


@everywhere
@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_snapshots_equal_the_history(on_engine, every_policy, log, policy):
    model = dataclasses.replace(every_policy, **policy)
    with dataset_of(log) as dataset, on_engine(dataset) as there:
        made = lk.history(there, model, END)
        for day in (10, 40):
            instant = (START + dt.timedelta(days=day, seconds=1)).replace(tzinfo=dt.UTC)
            pd.testing.assert_frame_equal(lk.snapshot(there, model, instant).members(), made.at(instant))


@everywhere
def test_answers_equal_those_of_duckdb(on_engine, every_policy, log):
    with dataset_of(log) as dataset, on_engine(dataset) as there:
        told = []
        for place in (dataset, there):
            spells = lk.history(place, every_policy, END)
            days = lk.occupancy(spells)
            told.append(
                [
                    spells.to_frame(),
                    lk.snapshot(place, every_policy, END, as_known=KNOWN).members(),
                    days.counts,
                    days.moves,
                    lk.transitions(spells, "2024-01-20", "2024-02-20").to_frame(),
                    lk.person(place, every_policy, "p03").to_frame(),
                    lk.compute_kpis(place, by="month").to_frame(),
                    place.contents(),
                ]
            )
        for mine, theirs in zip(*told, strict=True):
            pd.testing.assert_frame_equal(mine, theirs)


def test_the_oracle(on_engine, shared):
    golden = shared / "oracles" / "12_stage_engine_golden"
    model = lk.load_model(golden / "stages.yaml")
    wanted = pd.read_csv(golden / "expected_spells.csv", parse_dates=["valid_from", "valid_to"])
    with (
        lk.load({"events": golden / "events.csv"}, timezone="Europe/Paris", currency="EUR") as dataset,
        on_engine(dataset) as there,
    ):
        spells = lk.history(there, model, "2025-12-30").to_frame()
    assert len(spells) == 15
    pd.testing.assert_frame_equal(
        spells[wanted.columns], wanted, check_dtype=False, check_index_type=False, check_column_type=False
    )
