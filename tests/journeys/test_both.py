"""A segment and one person, path above and stages below: by hand on three people."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.journeys.both import person_path, segment_view
from lifecycle_kit.stages.model_file import load_model
from tests.engines import everywhere
from tests.journeys.test_steps import small_logs, touch
from tests.told_rows import shop

SHOP = {
    "events": [
        touch("page_viewed", "01-01 10:00", channel="search"),
        touch("product_viewed", "01-02 10:00"),
        touch("page_viewed", "01-05 00:00", person="bob", channel="search"),
        touch("signed_up", "01-01 08:00", person="cyd"),
        touch("page_viewed", "01-01 20:00", person="cyd", channel="mail"),
        # at one instant the last by name is what was done last
        touch("page_viewed", "01-04 08:00", person="cyd"),
        touch("product_added", "01-04 08:00", person="cyd"),
        touch("page_viewed", "01-30 12:00", person="zoe", channel="tv"),
    ],
    "orders": [("o1", "ann", "2024-01-03 12:00", 1_000, 1)],
    "customers": [
        ("ann", {"acquired_channel": "mail", "country": "FR"}),
        ("bob", {"acquired_channel": None, "country": "DE"}),
        ("zoe", {"acquired_channel": None, "country": "AT"}),
    ],
}


@pytest.fixture(scope="module")
def dataset():
    with shop(**SHOP) as made:
        yield made


@pytest.fixture(scope="module")
def model():
    return load_model("shop")


def by_age(frame, name):
    """age -> {name: people}, those of nobody left out."""
    made = {}
    for row in frame.itertuples():
        if row.n_people:
            made.setdefault(row.age_days, {})[getattr(row, name)] = row.n_people
    return made


def test_by_hand(dataset, model):
    found = segment_view(dataset, model, days=3)
    # zoe was first seen a day ago
    assert found.n_people == 3
    assert by_age(found.steps, "step") == {
        0: {"page_viewed": 2, "signed_up": 1},
        # ann's second touchpoint is just one day after the first
        1: {"product_viewed": 1, "page_viewed": 2},
        2: {"product_viewed": 1, "page_viewed": 2},
        3: {"order_completed": 1, "page_viewed": 1, "product_added": 1},
    }
    assert by_age(found.stages, "stage") == {
        0: {"awareness": 2, "consideration": 1},
        1: {"awareness": 1, "consideration": 2},
        2: {"awareness": 1, "consideration": 2},
        3: {"awareness": 1, "consideration": 1, "purchase": 1},
    }
    share = found.steps.set_index(["age_days", "step"])["share"]
    assert share[(0, "page_viewed")] == pytest.approx(2 / 3)
    # stages stand in the model's order
    assert found.stages["stage"].drop_duplicates().tolist() == ["awareness", "consideration", "purchase"]
    assert repr(found) == "SegmentView(3 people; shop, 2024-01-01 to 2024-01-30, as of 2024-01-30)"


def test_frames(dataset, model):
    found = segment_view(dataset, model, days=3)
    assert list(found.to_frame()) == ["age_days", "view", "name", "n_people", "share"]
    assert len(found.to_frame()) == len(found.steps) + len(found.stages) == found.to_arrow().num_rows


@pytest.mark.parametrize(
    ("options", "n_people"),
    [
        # ann as declared, though search brought her; cyd by the first touchpoint that has a channel
        ({"channel": "mail"}, 2),
        ({"channel": "search"}, 1),
        ({"country": "FR"}, 1),
        ({"country": "DE", "channel": "search"}, 1),
        ({"since": "2024-01-02"}, 1),
        ({"until": "2024-01-04"}, 2),
        # at the close of the fourth, ann and cyd were seen for three days
        ({"as_of": "2024-01-04"}, 2),
        ({"as_of": "2024-01-04", "days": 1}, 2),
        ({"as_of": "2024-01-06", "days": 1}, 3),
    ],
)
def test_segments(dataset, model, options, n_people):
    found = segment_view(dataset, model, **{"days": 3, **options})
    assert found.n_people == n_people
    for frame in (found.steps, found.stages):
        assert frame.groupby("age_days")["share"].sum().to_numpy() == pytest.approx(1)
    told = [f"{name} {options[name]}" for name in ("channel", "country") if name in options]
    assert all(text in found.source for text in told)


def test_a_segment_that_the_model_places_nowhere_is_new(dataset):
    found = segment_view(dataset, load_model("orders_only"), country="DE", days=3)
    assert by_age(found.stages, "stage") == {age: {"(new)": 1} for age in range(4)}
    # and one that is placed later
    found = segment_view(dataset, load_model("orders_only"), country="FR", days=3)
    assert by_age(found.stages, "stage") == {**{age: {"(new)": 1} for age in range(3)}, 3: {"purchase": 1}}
    assert found.stages["stage"].drop_duplicates().tolist() == ["(new)", "purchase"]


def test_the_last_age_is_always_there(model):
    with shop(events=[touch("page_viewed", "01-01"), touch("page_viewed", "12-31")]) as dataset:
        ages = segment_view(dataset, model, days=200).steps["age_days"]
    assert (ages.min(), ages.max()) == (0, 200)
    assert ages.nunique() <= 70


@given(small_logs())
@settings(max_examples=10)
def test_shares_add_up_to_one_at_every_age(log):
    events, orders = log
    with shop(events=[*events, ("z", "z", "2024-02-01", {})], orders=orders) as dataset:
        for model in (load_model("shop"), load_model("orders_only")):
            found = segment_view(dataset, model, days=9)
            for frame in (found.steps, found.stages):
                assert set(frame.groupby("age_days")["n_people"].sum()) == {found.n_people}
                assert frame.groupby("age_days").ngroups == 10


@everywhere
def test_everywhere(on_engine, model):
    with shop(**SHOP) as dataset, on_engine(dataset) as there:
        for options in ({}, {"channel": "mail"}):
            here, beyond = (segment_view(each, model, days=3, **options) for each in (dataset, there))
            assert by_age(beyond.steps, "step") == by_age(here.steps, "step")
            assert by_age(beyond.stages, "stage") == by_age(here.stages, "stage")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"channel": "mial"}, UnknownNameError, "mail"),
        ({"country": "FRA"}, UnknownNameError, "FR"),
        # there is, but she was not followed for so long
        ({"channel": "tv"}, UsageError, "Nobody was first seen"),
        ({"country": "FR", "channel": "search"}, UsageError, "Nobody was first seen"),
        ({"days": 400}, UsageError, "Nobody was first seen"),
        ({"days": 0}, UsageError, "days 0"),
        ({"days": 2.5}, UsageError, "days 2.5"),
        ({"days": True}, UsageError, "days True"),
        ({"since": "2025-01-01"}, UsageError, "is empty"),
    ],
)
def test_bad_calls(dataset, model, options, error, says):
    with pytest.raises(error, match=says):
        segment_view(dataset, model, **options)


def test_one_person(dataset, model):
    drawn = person_path(dataset, model, "ann")
    assert "ann" in drawn.figure.get_suptitle() + drawn.get_title() + drawn.get_title(loc="left")


def test_nobody_of_that_name(dataset, model):
    with pytest.raises(UsageError, match="'ann'"):
        person_path(dataset, model, "annn")
