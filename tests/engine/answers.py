"""Every kind of answer about one dataset, as frames, so that two engines can be compared frame by frame."""

from __future__ import annotations

import pandas as pd

import lifecycle_kit as lk


def answers(dataset, model, as_of=None, as_known=None):
    """Return name -> frame."""
    now, changes = lk.snapshot_changes(dataset, model, as_of)
    known = lk.snapshot(dataset, model, as_of, as_known=as_known)
    made = lk.history(dataset, model, as_of)
    first, last = dataset.days
    middle = first + (last - first) // 2
    moves = lk.transitions(made, middle)
    found = {
        "members": now.members(),
        "counts": now.to_frame(),
        "changes": changes,
        "members as known": known.members(),
        "spells": made.to_frame(),
        "spells as known": lk.history(dataset, model, as_of, as_known=as_known).to_frame(),
        "at": made.at(middle),
        "occupancy": lk.occupancy(made).to_frame(),
        "transitions": moves.to_frame(),
        "balance": moves.balance,
        "contents": dataset.contents(),
        "metrics": lk.compute_kpis(dataset, model=model, by="month", until=as_of).to_frame(),
        "numbers": pd.DataFrame({"n": [now.n_people, now.n_not_met, made.n_spells]}),
    }
    for person_id in people_of_interest(found["spells"]):
        one = lk.person(dataset, model, person_id, as_of, as_known=as_known)
        found[f"touchpoints of {person_id}"] = one.to_frame()
        found[f"spells of {person_id}"] = one.spells
    return found


def people_of_interest(spells):
    """The person with most spells, and the first."""
    return list(dict.fromkeys([spells["person_id"].value_counts().idxmax(), spells["person_id"].iloc[0]]))


def assert_same(found, expected):
    """Compare frame by frame, types included; only floats summed in another order may differ, in the last digits."""
    assert list(found) == list(expected)
    for name in expected:
        pd.testing.assert_frame_equal(found[name], expected[name], rtol=1e-12, atol=0, obj=name)
