"""Attribution from the log: which journeys count, what channels cost, what is left out and said."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from lifecycle_kit.errors import LifecycleError, UnknownNameError, UsageError
from lifecycle_kit.journeys.attribution_from_log import attribution
from lifecycle_kit.journeys.declared import JourneyRules
from lifecycle_kit.journeys.paths import paths
from tests.engines import everywhere
from tests.journeys.test_paths import load_ecom, plain_journeys
from tests.journeys.test_steps import order, touch
from tests.told_rows import shop

CHANNELS = JourneyRules(step="channel", per="session")
SHOP = {
    "events": [
        touch("seen", "01-01", channel="mail", session_id="s1"),
        # of the same visit: no step of its own
        touch("seen", "01-01 00:10", channel="search", session_id="s1"),
        touch("seen", "01-02", channel="search", session_id="s2"),
        touch("seen", "01-05", channel="mail", session_id="s3", person="bob"),
        touch("seen", "02-28", channel="mail", session_id="s4", person="cyd"),
        touch("seen", "01-05", channel="mail", session_id="s5", person="eve"),
    ],
    "orders": [
        order("01-03", 1_234),
        order("01-04", 500, person="dan", n="o2"),
        order("01-06", 300, person="eve", n="o3", refunded_at="2024-01-20"),
    ],
    "costs": [
        ("2024-01-01", "mail", 500, "acquisition"),
        ("2024-02-01", "mail", 250, "acquisition"),
        ("2024-02-28", "search", 200, "acquisition"),
        ("2024-01-05", "tv", 300, "acquisition"),
    ],
}


def credit(found, method):
    rows = found.shares[found.shares["method"] == method].set_index("channel")
    return rows["n_converted"].to_dict()


def column(found, name, method="first"):
    rows = found.shares[found.shares["method"] == method].set_index("channel")[name].astype(object)
    return rows.where(rows.notna(), None).to_dict()


def test_by_hand():
    with shop(**SHOP) as dataset:
        found = attribution(dataset, ["first", "last", "linear"], n_resamples=0)
    # ann converted by mail then search; bob and eve, who gave back, are lost; cyd is open; dan has no step
    assert (found.n_converted, found.n_lost, found.value) == (1, 2, 12.34)
    assert credit(found, "first") == {"mail": 1, "search": 0, "tv": 0}
    assert credit(found, "last") == {"mail": 0, "search": 1, "tv": 0}
    assert credit(found, "linear") == {"mail": 0.5, "search": 0.5, "tv": 0}
    assert column(found, "value", "linear") == {"mail": 6.17, "search": 6.17, "tv": 0}
    assert column(found, "cost") == {"mail": 7.5, "search": 2, "tv": 3}
    assert column(found, "cost_per_conversion") == {"mail": 7.5, "search": None, "tv": None}
    assert "1 conversions had no step before them; no channel gets their credit." in found.warnings
    assert "1 journeys are still open and count for nothing yet." in found.warnings


def test_costs_are_those_of_the_period():
    with shop(**SHOP) as dataset:
        found = attribution(dataset, "first", since="2024-01-01", until="2024-01-04", n_resamples=0)
        assert column(found, "cost") == {"mail": 5, "search": None}
        # eve's order stood when this was known
        early = attribution(dataset, "first", until="2024-01-10", as_of="2024-01-10", n_resamples=0)
    assert (early.n_converted, early.value) == (2, 15.34)


def test_without_costs_and_without_money():
    with shop(events=[*SHOP["events"], touch("won", "01-03")]) as dataset:
        rules = JourneyRules(step="channel", per="session", conversion=("won",))
        found = attribution(dataset, "first", rules=rules, n_resamples=0)
    assert found.value is None
    assert credit(found, "first") == {"mail": 1, "search": 0}
    assert found.shares[["cost", "cost_per_conversion"]].isna().all(axis=None)


def test_steps_that_are_no_channels_cost_nothing():
    with shop(**SHOP) as dataset:
        found = attribution(dataset, "first", rules=JourneyRules(), n_resamples=0)
    assert credit(found, "first") == {"seen": 1}
    assert found.shares["cost"].isna().all()


def test_no_word_where_nothing_is_left_out():
    with shop(events=SHOP["events"][:3], orders=SHOP["orders"][:1]) as dataset:
        found = attribution(dataset, ["first"], n_resamples=0)
    assert not [note for note in found.warnings if "open" in note or "no step" in note]
    assert "does not say what would have happened" in repr(found)


@everywhere
def test_everywhere(on_engine):
    with shop(**SHOP) as dataset, on_engine(dataset) as there:
        for rules in (CHANNELS, JourneyRules(step="channel", collapsed=False)):
            here, beyond = (attribution(each, rules=rules, n_resamples=20) for each in (dataset, there))
            assert_frame_equal(beyond.to_frame(), here.to_frame())
            assert beyond.warnings == here.warnings


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"methods": "frist"}, UnknownNameError, "first"),
        ({"methods": []}, LifecycleError, "method"),
        ({"order": 3}, LifecycleError, "order"),
        ({"n_resamples": -1}, LifecycleError, "n_resamples"),
        ({"since": "2024-02-01", "until": "2024-02-29", "as_of": "2024-02-29"}, UsageError, "is empty|after|has ended"),
        ({"since": "2024-02-01"}, UsageError, "has ended"),
        ({"since": "2024-01-04", "until": "2024-01-04"}, UsageError, "has ended"),
        ({"since": "2024-01-10", "until": "2024-01-20"}, UsageError, "No touchpoint fits"),
        ({"since": "2025-01-01"}, UsageError, "is empty"),
        ({"rules": JourneyRules(step="channel", events=("nothing",))}, UsageError, "has ended"),
    ],
)
def test_bad_calls(options, error, says):
    with shop(**SHOP) as dataset, pytest.raises(error, match=says):
        attribution(dataset, **options)


@pytest.mark.real_data
def test_the_clicks_of_a_real_shop(shared, tmp_path):
    dataset, plain = load_ecom(shared, tmp_path)
    with dataset:
        found = attribution(dataset, n_resamples=20)
        counts = paths(dataset, CHANNELS).counts
    read = plain_journeys(plain, "acquisition_channel", per_session=True)
    n_converted = sum(outcome == "converted" and bool(steps) for _, steps, outcome in read)
    assert found.n_converted == n_converted == counts.loc[counts["n_steps"] > 0, "n_converted"].sum()
    assert found.n_lost == sum(outcome == "lost" for _, _, outcome in read)
    assert found.shares.groupby("method")["n_converted"].sum().to_numpy() == pytest.approx(n_converted)
    # first and last channel of each journey that converted
    for method, place in (("first", 0), ("last", -1)):
        plainly = pd.Series([steps[place] for _, steps, outcome in read if outcome == "converted" and steps])
        assert credit(found, method) == plainly.value_counts().to_dict()
    n_without = sum(outcome == "converted" and not steps for _, steps, outcome in read)
    said = any(note.startswith(f"{n_without:,} conversions had no step") for note in found.warnings)
    assert said == (n_without > 0)
