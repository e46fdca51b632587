"""Credit by every method: published paths exactly, totals to the cent, and what each rule does on small paths."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from lifecycle_kit.journeys import shapley
from lifecycle_kit.journeys.attribution import METHODS, NOT_CAUSAL, attribution_of

CHANNELS = ("ads", "mail", "search", "social")


def counts_of(*rows, **more):
    """(path, n_converted, n_lost) -> the path table."""
    paths, won, lost = zip(*rows, strict=True)
    return pd.DataFrame({"path": list(paths), "n_converted": won, "n_lost": lost} | more)


def of(result, method, column="n_converted"):
    """One column of one method, by channel."""
    return result.shares.query("method == @method").set_index("channel")[column].to_dict()


def point(counts, methods=METHODS, **options):
    """No intervals: most tests are about the figure."""
    return attribution_of(counts, methods, n_resamples=0, **options)


def oracle(shared, name):
    told = json.loads((shared / "oracles" / "04_attribution" / name).read_text(encoding="utf-8"))
    rows = [(tuple(row["path"]), row["conv"], row["null"]) for row in told["paths"] if isinstance(row, dict)]
    exact = {
        what: {channel: Fraction(value) for channel, value in by.items()} if isinstance(by, dict) else Fraction(by)
        for what, by in told["own_exact"].items()
    }
    return told, rows, exact


def same(found, exact):
    assert found.keys() == exact.keys()
    assert all(abs(Fraction(found[channel]) - exact[channel]) < Fraction(1, 10**12) for channel in exact)


@pytest.mark.parametrize("name", ["bryl_markov.json", "puzyrov_markov.json"])
def test_markov_oracles(shared, name):
    _, rows, exact = oracle(shared, name)
    found = point(counts_of(*rows), "markov")
    same(of(found, "markov", "removal_effect"), exact["removal_effect"])
    same(of(found, "markov", "share"), exact["share"])
    total = sum(won for _, won, _ in rows)
    same(of(found, "markov"), exact.get("conversions") or {c: share * total for c, share in exact["share"].items()})


@pytest.mark.parametrize("money", [False, True])
def test_rules_oracle(shared, money):
    told, _, exact = oracle(shared, "mam_nine_paths.json")
    each = told["conversion_value_each"]
    rows = [(tuple(path.split(" > ")), 1 if money else each, 0) for path in told["paths"]]
    found = point(counts_of(*rows, **({"value": float(each)} if money else {})))
    for method in ("first", "last", "linear"):
        same(of(found, method, "value" if money else "n_converted"), exact[method])
    column = "value" if money else "n_converted"
    totals = found.shares.groupby("method")[column].sum()
    assert totals.to_dict() == pytest.approx(dict.fromkeys(METHODS, 27), abs=1e-9)


PATHS = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5).map(tuple)
TABLES = st.lists(
    st.tuples(PATHS, st.integers(0, 40), st.integers(0, 40), st.integers(0, 99_999)), min_size=1, max_size=12
)


@given(rows=TABLES, order=st.sampled_from([1, 2]), v=st.sampled_from(["conversions", "rate"]))
def test_totals_to_the_cent(rows, order, v):
    money = [cents / 100 if won else np.nan for _, won, _, cents in rows]
    found = point(counts_of(*[row[:3] for row in rows], value=money), order=order, v=v)
    n_won = sum(won for _, won, _, _ in rows)
    cents = sum(cents for _, won, _, cents in rows if won)
    assert found.n_converted == n_won
    for _, rows_of in found.shares.groupby("method"):
        if not n_won:
            assert rows_of["share"].isna().all()
            assert (rows_of["n_converted"] == 0).all()
            assert rows_of["value"].isna().all()
            continue
        assert rows_of["n_converted"].sum() == pytest.approx(n_won, rel=1e-12)
        assert rows_of["share"].sum() == pytest.approx(1, rel=1e-12)
        assert sum(round(value * 100) for value in rows_of["value"]) == cents
    for _, rows_of in found.rounded().groupby("method"):
        hundredths = rows_of["n_converted"] * 100
        assert hundredths.round().sum() == n_won * 100
        assert np.allclose(hundredths, hundredths.round(), atol=1e-6)


@given(rows=TABLES)
def test_rounding_moves_nobody_by_more_than_a_cent(rows):
    found = point(counts_of(*[row[:3] for row in rows]), ("linear", "position", "markov"))
    moved = found.rounded()["n_converted"] - found.shares["n_converted"]
    assert (moved.abs() < 0.01 + 1e-9).all()


def test_rules_by_hand():
    found = point(counts_of((("ads", "mail", "ads", "search"), 10, 3)), half_life_steps=1)
    assert of(found, "first") == {"ads": 10, "mail": 0, "search": 0}
    assert of(found, "last") == {"ads": 0, "mail": 0, "search": 10}
    assert of(found, "linear") == {"ads": 5, "mail": 2.5, "search": 2.5}
    assert of(found, "position") == pytest.approx({"ads": 5, "mail": 1, "search": 4})
    assert of(found, "time_decay") == pytest.approx({"ads": 10 * 5 / 15, "mail": 10 * 2 / 15, "search": 10 * 8 / 15})
    assert of(found, "shapley") == pytest.approx(dict.fromkeys(("ads", "mail", "search"), 10 / 3))


def test_position_of_short_paths():
    two = counts_of((("ads", "mail"), 10, 0))
    assert of(point(two, "position"), "position") == {"ads": 5, "mail": 5}
    assert of(point(two, "position", positions=(0.6, 0.2, 0.2)), "position") == pytest.approx({"ads": 7.5, "mail": 2.5})
    assert of(point(two, "position", positions=(0, 1, 0)), "position") == {"ads": 5, "mail": 5}


@pytest.mark.parametrize("options", [{}, {"order": 2}, {"v": "rate"}])
def test_paths_of_one_step(options):
    found = point(counts_of((("ads",), 3, 7), (("mail",), 1, 0)), **options)
    for method in METHODS:
        rate = method == "shapley" and options.get("v") == "rate"  # 3 of 10, 1 of 1, together 4 of 11: see below
        expected = {"ads": 3, "mail": 1}
        if rate:
            ads, mail = (0.3 + 4 / 11 - 1) / 2, (1 + 4 / 11 - 0.3) / 2
            expected = {"ads": 4 * ads / (4 / 11), "mail": 4 * mail / (4 / 11)}  # ads lower the rate
        assert of(found, method) == pytest.approx(expected)


def test_time_decay_by_days():
    counts = counts_of((("ads", "mail", "search"), 7, 5), (("social",), 0, 2), ages=[(21.0, 14.0, 7.0), None])
    found = point(counts, "time_decay")
    assert of(found, "time_decay") == pytest.approx({"ads": 1, "mail": 2, "search": 4, "social": 0})
    assert "7 days" in found.rules["time_decay"]
    assert of(point(counts, "time_decay", half_life_days=14), "time_decay")["ads"] == pytest.approx(
        7 / (1 + 2**0.5 + 2)
    )
    by_steps = point(counts, "time_decay", half_life_steps=1)
    assert "1 steps" in by_steps.rules["time_decay"]
    # far away in time is not nowhere: what counts is how much older a step is
    old = counts_of((("ads", "mail"), 3, 0), ages=[(100_007.0, 100_000.0)])
    assert of(point(old, "time_decay"), "time_decay") == pytest.approx({"ads": 1, "mail": 2})


def test_rows_of_one_path_are_added_up():
    apart = counts_of((("ads", "mail"), 2, 1), (["ads", "mail"], 3, 4), (("mail",), 1, 9), value=[5.0, 7.5, 1.25])
    once = counts_of((("ads", "mail"), 5, 5), (("mail",), 1, 9), value=[12.5, 1.25])
    pd.testing.assert_frame_equal(attribution_of(apart).shares, attribution_of(once).shares)


def brute_shapley(rows, v):
    """By the definition: every subset, every channel, in whole fractions."""
    channels = sorted({channel for path, _, _ in rows for channel in path})
    n = len(channels)

    def worth(within):
        won = sum(w for path, w, _ in rows if set(path) <= within)
        both = won + sum(lost for path, _, lost in rows if set(path) <= within)
        return Fraction(won) if v == "conversions" else Fraction(won, both or 1)

    values = dict.fromkeys(channels, Fraction(0))
    for channel in channels:
        others = [c for c in channels if c != channel]
        for size in range(n):
            weight = Fraction(factorial(size) * factorial(n - size - 1), factorial(n))
            for some in combinations(others, size):
                values[channel] += weight * (worth({*some, channel}) - worth({*some}))
    return values


@settings(max_examples=25)
@given(
    rows=st.lists(
        st.tuples(
            st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8).map(tuple),
            st.integers(0, 9),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=10,
    ),
    v=st.sampled_from(["conversions", "rate"]),
)
def test_shapley_is_what_all_subsets_say(rows, v):
    total = sum(won for _, won, _ in rows)
    found = point(counts_of(*rows), "shapley", v=v)
    if not total:
        assert found.shares["share"].isna().all()
        return
    exact = brute_shapley(rows, v)
    whole = sum(exact.values())
    same(of(found, "shapley", "share"), {channel: value / whole for channel, value in exact.items()})


@pytest.fixture(scope="module")
def many_channels(seed=20250630):
    """Journeys over 14 channels that differ in what they do to the rate."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(300):
        path = tuple(f"c{i:02}" for i in random.choice(14, size=random.integers(1, 5)))
        won = int(random.binomial(20, 0.1 + 0.02 * int(path[0][1:])))
        rows.append((path, won, 20 - won))
    return counts_of(*rows)


def test_shapley_sampled_agrees_with_exact_within_its_error(many_channels, monkeypatch):
    exact = point(many_channels, "shapley", v="rate").shares
    monkeypatch.setattr(shapley, "LARGEST_EXACT", 13)
    found = point(many_channels, "shapley", v="rate", n_permutations=400, seed=1)
    sampled = found.shares
    assert exact["standard_error"].isna().all()
    assert sampled["share"].sum() == pytest.approx(1)
    z = (sampled["share"] - exact["share"]) / sampled["standard_error"]
    assert z.abs().max() < 4
    assert 0.3 < z.std() < 2  # neither too proud nor too shy
    assert any("random orders" in note for note in found.warnings)
    fewer = point(many_channels, "shapley", v="rate", n_permutations=100, seed=1).shares
    assert fewer["standard_error"].mean() / sampled["standard_error"].mean() == pytest.approx(2, rel=0.25)


def test_shapley_sampled_has_the_interval_of_the_exact(many_channels, monkeypatch):
    exact = attribution_of(many_channels, "shapley", v="rate", n_resamples=100).shares
    monkeypatch.setattr(shapley, "LARGEST_EXACT", 13)
    sampled = attribution_of(many_channels, "shapley", v="rate", n_resamples=100, n_permutations=400).shares
    widths = (sampled["hi"] - sampled["lo"]) / (exact["hi"] - exact["lo"])
    assert widths.between(0.7, 1.4).all()
    assert ((sampled["lo"] < sampled["share"]) & (sampled["share"] < sampled["hi"])).all()


def test_shapley_of_conversions_needs_no_sampling():
    rows = [((f"c{i}", f"c{i + 1}"), 2, 1) for i in range(40)]
    found = point(counts_of(*rows), "shapley")
    assert of(found, "shapley")["c0"] == 1
    assert of(found, "shapley")["c1"] == 2
    assert found.warnings == ()


def test_costs():
    counts = counts_of((("ads", "mail"), 4, 4), (("social",), 0, 5))
    costs = pd.DataFrame({"channel": ["ads", "ads", "social", "socail", "radio"], "cost": [10, 2.5, 7, 3, 20]})
    found = point(counts, ("first", "linear"), costs=costs)
    assert of(found, "linear", "cost_per_conversion")["ads"] == 12.5 / 2
    assert of(found, "first", "cost_per_conversion")["ads"] == 12.5 / 4
    table = found.shares.query("method == 'first'").set_index("channel")
    assert table["cost"].sum() == 42.5
    assert np.isnan(table.loc["mail", "cost"])
    assert table.loc[["social", "socail", "radio", "mail"], "cost_per_conversion"].isna().all()
    assert table.loc["radio", ["n_converted", "share"]].tolist() == [0, 0]
    assert list(table.index) == sorted(table.index)
    assert found.warnings == (
        "costs: channel 'radio' is in no path. Nothing is credited to it.",
        "costs: channel 'socail' is in no path. Did you mean 'social'?",
    )


@pytest.mark.parametrize("options", [{}, {"v": "rate", "order": 2}])
def test_no_conversion_is_null_with_reason(options):
    counts = counts_of((("ads", "ads"), 0, 4), (("mail",), 0, 1), value=np.nan)
    found = attribution_of(counts, costs=pd.DataFrame({"channel": ["ads", "tv"], "cost": [1, 2]}), **options)
    table = found.shares
    assert (table["n_converted"] == 0).all()
    assert table[["share", "value", "lo", "hi", "cost_per_conversion"]].isna().all(axis=None)
    assert (table["reason"] == "no conversion to attribute").all()
    assert table["cost"].notna().any()


@pytest.mark.parametrize("rows", [[], [((("ads",), 0, 0))]])
def test_no_journey(rows):
    counts = counts_of(*rows) if rows else pd.DataFrame({"path": [], "n_converted": [], "n_lost": []})
    for options in ({}, {"v": "rate", "order": 2}):
        found = attribution_of(counts, **options)
        assert found.shares["share"].isna().all()
        assert found.warnings[0] == "There is no journey to attribute."
        assert found.to_arrow().num_rows == len(rows) * len(METHODS)


def test_conversions_without_money_are_told():
    counts = counts_of((("ads",), 2, 1), (("mail",), 3, 1), value=[10.0, None])
    found = point(counts, "linear")
    assert of(found, "linear", "value") == {"ads": 10, "mail": 0}
    assert found.warnings == ("3 of 5 conversions carry no value.",)
    assert point(counts_of((("ads",), 2, 1), value=[None]), "linear").value is None


def test_names_like_states_are_only_names():
    words = ("start", "conversion", "null", "(start)")
    rows = [((0, 1, 2), 4, 6), ((3, 0), 2, 9), ((2, 2, 1), 1, 5)]
    named = point(counts_of(*[(tuple(words[i] for i in path), won, lost) for path, won, lost in rows]), order=2)
    plain = point(counts_of(*[(tuple(CHANNELS[i] for i in path), won, lost) for path, won, lost in rows]), order=2)
    for method in METHODS:
        by = of(plain, method)
        assert of(named, method) == pytest.approx({words[CHANNELS.index(channel)]: n for channel, n in by.items()})


GOOD = counts_of((("ads", "mail"), 4, 4))


@pytest.mark.parametrize(
    ("counts", "options", "error", "says"),
    [
        (GOOD, {"methods": "markow"}, UnknownNameError, "Did you mean 'markov'"),
        (GOOD, {"methods": ()}, UsageError, "No method"),
        (GOOD, {"v": "rates"}, UnknownNameError, "Did you mean 'rate'"),
        (GOOD, {"order": 3}, UsageError, "order is 3"),
        (GOOD, {"level": 95}, UsageError, "level is 95"),
        (GOOD, {"n_resamples": -1}, UsageError, "n_resamples is -1"),
        (GOOD, {"positions": (0.5, 0.5, 0.5)}, UsageError, "add up to 1"),
        (GOOD, {"positions": (0.5, 0.5)}, UsageError, "three shares"),
        (GOOD, {"half_life_days": 7}, UsageError, "Add a column ages"),
        (GOOD, {"half_life_steps": 0}, UsageError, "above zero"),
        (GOOD.assign(ages=[(2, 1)]), {"half_life_days": float("nan")}, UsageError, "above zero"),
        (GOOD.assign(ages=[(2, 1)]), {"half_life_days": 7, "half_life_steps": 1}, UsageError, "one of"),
        (GOOD.assign(ages=[(1, 2)]), {}, DataError, "latest step last"),
        (GOOD.assign(ages=[(1,)]), {}, DataError, "row 1"),
        (GOOD.assign(ages=[(3, -1)]), {}, DataError, "row 1"),
        (GOOD.assign(ages=[None]), {}, DataError, "row 1"),
        ({"path": []}, {}, UsageError, "is a dict"),
        (GOOD.drop(columns="n_lost"), {}, UsageError, "no column 'n_lost'"),
        (GOOD.assign(path=[()]), {}, DataError, "no step"),
        (GOOD.assign(path=["ads > mail"]), {}, DataError, "no sequence"),
        (GOOD.assign(path=[None]), {}, DataError, "no sequence"),
        (GOOD.assign(path=[("ads", None)]), {}, DataError, "None in the path"),
        (GOOD.assign(path=[("ads", "")]), {}, DataError, "'unknown'"),
        (GOOD.assign(path=[("ads", 3)]), {}, DataError, "no channel name"),
        (GOOD.assign(n_converted=-1), {}, DataError, "n_converted is"),
        (GOOD.assign(n_lost=0.5), {}, DataError, "n_lost is"),
        (GOOD.assign(n_lost=np.nan), {}, DataError, "row 1"),
        (GOOD.assign(n_lost="many"), {}, DataError, "'many'"),
        (GOOD.assign(value="a lot"), {}, DataError, "'a lot'"),
        (GOOD.assign(value=np.inf), {}, DataError, "value is"),
        (GOOD.assign(n_converted=0, value=3.0), {}, DataError, "where no journey converted"),
        (GOOD, {"costs": {"ads": 3}}, UsageError, "no table"),
        (GOOD, {"costs": pd.DataFrame({"channel": ["ads"], "cost": [-1]})}, DataError, "costs, row 1"),
        (GOOD, {"costs": pd.DataFrame({"channel": ["ads"], "cost": ["x"]})}, DataError, "'x'"),
        (GOOD, {"costs": pd.DataFrame({"channel": [None], "cost": [1]})}, DataError, "channel"),
    ],
)
def test_bad_input(counts, options, error, says):
    with pytest.raises(error, match=says.replace("(", r"\(")):
        attribution_of(counts, **options)


def test_it_says_that_it_is_not_causal():
    found = point(GOOD, "markov")
    assert NOT_CAUSAL in repr(found)
    assert "does not say what would have happened without" in attribution_of.__doc__
    figure = found.plot().figure
    texts = " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))
    assert "Not causal" in " ".join(texts.split())


def test_table_and_arrow_have_proper_types():
    found = attribution_of(GOOD, n_resamples=20)
    frame, table = found.to_frame(), found.to_arrow()
    assert {str(kind) for kind in frame.dtypes} == {"str", "float64"}
    assert {str(field.type) for field in table.schema} == {"string", "double"}
    assert table.column_names == list(frame.columns)
    assert list(frame["method"].unique()) == list(METHODS)
    frame["share"] = 0  # a copy: the result stays
    assert found.shares["share"].sum() == pytest.approx(len(METHODS))
