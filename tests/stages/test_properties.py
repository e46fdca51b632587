"""What must hold for every log: the engine equals the slow reading, and history equals snapshot."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import random

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lifecycle_kit.movement.transitions import transitions
from lifecycle_kit.stages.history import history
from lifecycle_kit.stages.occupancy import month_ends, occupancy
from lifecycle_kit.stages.snapshot import snapshot
from tests.stages import reference
from tests.stages.conftest import DEVICES, PEOPLE, POLICIES, START, dataset_of, logs

END = START + dt.timedelta(days=75, seconds=1)
# an example holds a hundred touchpoints of a dozen people; a failing one is printed, not shrunk for minutes
FEW = settings(max_examples=4, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def status_of(model, rank):
    return "unplaced" if rank == 0 else next(s.id for s in model.statuses if s.rank == rank)


def expected_spells(model, log, until, known=None):
    found = []
    seen = reference.cut(log, until, known)
    for person in sorted({t.person for t in seen}):
        own = [t for t in seen if t.person == person]
        for rank, came_from, valid_from in reference.spells(model, own, until):
            origin = None if came_from is None else status_of(model, came_from)
            found.append((person, status_of(model, rank), origin, pd.Timestamp(valid_from)))
    return found


def actual_spells(made):
    frame = made.to_frame()
    frame["came_from"] = frame["came_from"].astype(object).where(frame["came_from"].notna(), None)
    return list(frame[["person_id", "status", "came_from", "valid_from"]].itertuples(index=False, name=None))


@FEW
@given(log=logs, policy=st.sampled_from(POLICIES))
def test_history_equals_the_slow_reading(on_engine, every_policy, log, policy):
    model = dataclasses.replace(every_policy, **policy)
    with dataset_of(log) as made_here, on_engine(made_here) as dataset:
        made = history(dataset, model, END)
        assert actual_spells(made) == expected_spells(model, log, END)


@FEW
@given(log=logs, known_day=st.integers(0, 40))
def test_as_known_history_equals_the_slow_reading(on_engine, every_policy, log, known_day):
    known = START + dt.timedelta(days=known_day, seconds=1)
    with dataset_of(log) as made_here, on_engine(made_here) as dataset:
        made = history(dataset, every_policy, END, as_known=known)
        assert actual_spells(made) == expected_spells(every_policy, log, END, known)


@FEW
@given(log=logs, hours=st.lists(st.integers(0, 75 * 24), min_size=3, max_size=3), policy=st.sampled_from(POLICIES))
def test_snapshot_equals_history_on_any_instant(on_engine, every_policy, log, hours, policy):
    model = dataclasses.replace(every_policy, **policy)
    with dataset_of(log) as made_here, on_engine(made_here) as dataset:
        made = history(dataset, model, END)
        for hour in hours:
            instant = max(START + dt.timedelta(hours=hour), dataset.first_at).replace(tzinfo=dt.UTC)
            pd.testing.assert_frame_equal(snapshot(dataset, model, instant).members(), made.at(instant))


@FEW
@given(log=logs)
def test_everybody_is_in_exactly_one_status_after_the_first(every_policy, log):
    with dataset_of(log) as dataset:
        spells = history(dataset, every_policy, END).to_frame()
    for _, own in spells.groupby("person_id"):
        assert own["valid_to"].iloc[:-1].tolist() == own["valid_from"].iloc[1:].tolist()
        assert own["valid_to"].isna().tolist() == [False] * (len(own) - 1) + [True]
        assert (own["valid_from"].diff().dropna() > pd.Timedelta(0)).all()
        assert (own["status"] != own["status"].shift()).all()


@FEW
@given(log=logs)
def test_the_balance_closes_for_every_status_and_month(every_policy, log):
    with dataset_of(log) as dataset:
        made = history(dataset, every_policy, END.date())
        days = [START.date() - dt.timedelta(days=1), *month_ends(START.date(), END.date())]
        for since, until in itertools.pairwise(days):
            moves = transitions(made, since, until)
            balance = moves.balance
            assert (balance["opening"] + balance["n_in"] - balance["n_out"] == balance["closing"]).all()
            assert balance["n_in"].sum() == moves.counts["n_moves"].sum()
        closing = occupancy(made, [days[-1]]).to_frame().set_index("status")["n_people"]
        assert balance.set_index("status")["closing"].to_dict() == closing.to_dict()


@FEW
@given(log=logs, data=st.data())
def test_order_of_rows_and_names_of_people_do_not_matter(every_policy, log, data):
    shuffled = data.draw(st.permutations(log))
    new_names = {actor: f"{999 - number}" for number, actor in enumerate([*PEOPLE, *DEVICES])}
    renamed = [dataclasses.replace(t, person=new_names[t.person], device=new_names.get(t.device)) for t in log]
    with dataset_of(log) as a, dataset_of(shuffled) as b, dataset_of(renamed) as c:
        first = history(a, every_policy, END).to_frame()
        pd.testing.assert_frame_equal(first, history(b, every_policy, END).to_frame())
        back = history(c, every_policy, END).to_frame()
        back["person_id"] = back["person_id"].map({new: old for old, new in new_names.items()}).astype("str")
        back = back.sort_values(["person_id", "valid_from"], ignore_index=True)
        pd.testing.assert_frame_equal(first, back)


@FEW
@given(log=logs, later=logs)
def test_later_touchpoints_change_nothing_earlier(every_policy, log, later):
    horizon = max(t.at for t in log)
    moved = [dataclasses.replace(t, at=t.at + (horizon - START) + dt.timedelta(seconds=1)) for t in later]
    last = horizon.replace(tzinfo=dt.UTC)
    with dataset_of(log) as before, dataset_of(log + moved) as after:
        pd.testing.assert_frame_equal(
            history(before, every_policy, last).to_frame(), history(after, every_policy, last).to_frame()
        )
        pd.testing.assert_frame_equal(
            snapshot(before, every_policy, last).members(), snapshot(after, every_policy, last).members()
        )


def test_splitting_a_file_changes_nothing(every_policy, tmp_path, seed):
    from lifecycle_kit.contract.load import load
    from tests.stages.conftest import as_frame

    rng = random.Random(seed)
    log = [
        reference.Touch(
            f"p{rng.randrange(8)}",
            rng.choice(["product_viewed", "signed_up", "order_completed", "order_refunded"]),
            START + dt.timedelta(minutes=rng.randrange(60 * 24 * 60)),
            END,
            f"o{rng.randrange(20)}",
            rng.randrange(9_000),
        )
        for _ in range(200)
    ]
    frame = as_frame(log)
    folder = tmp_path / "events"
    folder.mkdir()
    for number, rows in enumerate((frame.iloc[:70], frame.iloc[70:71], frame.iloc[71:])):
        rows.to_parquet(folder / f"part{number}.parquet", index=False)
    with load({"events": frame}) as whole, load({"events": folder}) as parts:
        expected = history(whole, every_policy, END).to_frame()
        pd.testing.assert_frame_equal(expected, history(parts, every_policy, END).to_frame())
        assert expected["person_id"].nunique() == 8


@pytest.mark.parametrize("missing", [["signed_up"], []])
def test_the_yardstick_itself_can_fail(every_policy, missing):
    """A wrong engine must be caught: dropping one kind of event changes the expected spells."""
    log = [
        reference.Touch("p1", "product_viewed", START, START, None, None),
        reference.Touch("p1", "signed_up", START + dt.timedelta(hours=1), START, None, None),
    ]
    kept = [t for t in log if t.event not in missing]
    with dataset_of(log) as dataset:
        same = actual_spells(history(dataset, every_policy, END)) == expected_spells(every_policy, kept, END)
    assert same == (not missing)
