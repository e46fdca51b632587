"""Removal effects: the definition solved in whole fractions, loops, large chains, a planted second order."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_kit.errors import DataError
from lifecycle_kit.journeys import markov
from lifecycle_kit.journeys.attribution import attribution_of
from lifecycle_kit.journeys.counted import counted_paths
from lifecycle_kit.journeys.markov import Chain, removal_effects, walked


def counts_of(*rows):
    paths, won, lost = zip(*rows, strict=True)
    return pd.DataFrame({"path": list(paths), "n_converted": won, "n_lost": lost})


def effects_of(rows, order=1):
    """Removal effect by channel."""
    table = attribution_of(counts_of(*rows), "markov", order=order, n_resamples=0).shares
    return table.set_index("channel")["removal_effect"].to_dict()


WON, LOST = object(), object()


def brute(rows, order, without=None):
    """P(conversion), by elimination in fractions; a step into a state that holds `without` is a loss."""
    out: dict[object, dict[object, int]] = {}
    for path, won, lost in rows:
        states = [()] + [path[max(0, i - order + 1) : i + 1] for i in range(len(path))]
        if order == 2:
            states = [(), ("", path[0])] + [path[i - 1 : i + 1] for i in range(1, len(path))]
        steps = list(pairwise(states))
        for a, b, n in [*((a, b, won + lost) for a, b in steps), (states[-1], WON, won), (states[-1], LOST, lost)]:
            if n:
                by = out.setdefault(a, {})
                by[b] = by.get(b, 0) + n
    keep = [s for s in out if without is None or without not in s]
    place = {s: i for i, s in enumerate(keep)}
    system = []
    for s in keep:
        total = sum(out[s].values())
        row = [Fraction(0)] * (len(keep) + 1)
        row[place[s]] += 1
        for b, n in out[s].items():
            if b is WON:
                row[-1] += Fraction(n, total)
            elif b in place:
                row[place[b]] -= Fraction(n, total)
        system.append(row)
    for i in range(len(keep)):
        pivot = next(r for r in range(i, len(keep)) if system[r][i])
        system[i], system[pivot] = system[pivot], system[i]
        system[i] = [x / system[i][i] for x in system[i]]
        for r in range(len(keep)):
            if r != i and system[r][i]:
                factor = system[r][i]
                system[r] = [x - factor * y for x, y in zip(system[r], system[i], strict=True)]
    return system[place[()]][-1]


ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=6).map(tuple), st.integers(0, 9), st.integers(0, 9)
    ),
    min_size=1,
    max_size=7,
).filter(lambda rows: any(won for _, won, _ in rows))


@settings(max_examples=60)
@given(rows=ROWS, order=st.sampled_from([1, 2]))
def test_removal_is_its_definition(rows, order):
    rows = [row for row in rows if row[1] + row[2]]
    whole = brute(rows, order)
    found = effects_of(rows, order)
    for channel, effect in found.items():
        assert abs(Fraction(effect) - (1 - brute(rows, order, channel) / whole)) < Fraction(1, 10**12)


def collapsed(path):
    return tuple(c for i, c in enumerate(path) if i == 0 or path[i - 1] != c)


@given(rows=ROWS)
def test_repeats_do_not_matter_to_order_1(rows):
    shorter = [(collapsed(path), won, lost) for path, won, lost in rows]
    assert effects_of(rows) == pytest.approx(effects_of(shorter), rel=1e-12)


def test_repeats_matter_to_order_2():
    # after (a, a) nobody remembers b or c
    rows = [(("b", "a", "a"), 900, 100), (("c", "a", "a"), 100, 900)]
    assert effects_of(rows, 2) == pytest.approx({"a": 1, "b": 0.5, "c": 0.5}, rel=1e-12)
    shorter = [(collapsed(path), won, lost) for path, won, lost in rows]
    assert effects_of(shorter, 2) == pytest.approx({"a": 1, "b": 0.9, "c": 0.1}, rel=1e-12)


def test_order_2_finds_what_order_1_cannot():
    # everybody comes through b; those who met a before convert 9 times of 10, those who met c once
    rows = [(("a", "b"), 900, 100), (("c", "b"), 100, 900)]
    assert effects_of(rows, 2) == pytest.approx({"a": 0.9, "b": 1, "c": 0.1}, rel=1e-12)
    assert effects_of(rows, 1) == pytest.approx({"a": 0.5, "b": 1, "c": 0.5}, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_loops_only(order):
    rows = [(("a", "a", "a", "a"), 1, 3), (("b", "a", "b", "a"), 2, 0)]
    assert effects_of(rows, order)["a"] == pytest.approx(1, rel=1e-12)
    lost = attribution_of(counts_of((("a", "a", "a"), 0, 3)), "markov", order=order).shares
    assert lost["removal_effect"].isna().all()
    assert (lost["reason"] == "no conversion to attribute").all()


@pytest.mark.parametrize("order", [1, 2])
def test_long_loops_are_exact(order):
    path = ("a", "b") * 5_000
    rows = [(path, 1, 1), (("c",), 1, 1)]
    assert effects_of(rows, order) == pytest.approx({"a": 0.5, "b": 0.5, "c": 0.5}, rel=1e-9)


def test_a_channel_never_in_a_converting_path():
    dead_end = [(("a",), 3, 3), (("b",), 0, 4), (("a", "b"), 0, 2)]
    found = attribution_of(counts_of(*dead_end), "markov")
    table = found.shares.set_index("channel")
    assert table.loc["b", ["n_converted", "share", "lo", "hi", "removal_effect"]].tolist() == [0, 0, 0, 0, 0]
    assert found.warnings == ()
    # b is still in no converting path, but leads to a, from where people convert: the chain credits it, and says so
    leading = attribution_of(counts_of((("a",), 3, 3), (("b", "a"), 0, 2)), "markov")
    # 2 of 8 start at b, all go on to a: 1/4 of the conversions
    assert leading.shares.set_index("channel").loc["b", "removal_effect"] == pytest.approx(1 / 4)
    assert any("'b' in no converting path, but credited" in note for note in leading.warnings)


def test_no_lost_path_is_told():
    found = attribution_of(counts_of((("a", "b"), 3, 0)), ("linear", "markov"), n_resamples=0)
    assert any("no journey was lost" in note for note in found.warnings)
    assert found.shares.query("method == 'markov'")["share"].tolist() == [0.5, 0.5]
    assert attribution_of(counts_of((("a", "b"), 3, 0)), "linear", n_resamples=0).warnings == ()


def hand_made(moves, won, lost, start=(1, 0, 0)):
    source, target, n = (np.array(x) for x in zip(*moves, strict=True))
    columns = [np.array(x, float)[:, None] for x in (start, n, won, lost)]
    return Chain(np.arange(3), 3, source, target, *columns)


def test_singular_chain_says_what_to_do():
    # 0 -> 1 -> 2 -> 1 -> ...: nobody ever leaves 1 and 2
    stuck = hand_made([(0, 1, 5), (1, 2, 5), (2, 1, 5)], won=(1, 0, 0), lost=(0, 0, 0))
    with pytest.raises(DataError, match=r"channel 'mail' go round and never end.*Count their end"):
        removal_effects(stuck, ("ads", "mail", "web"))
    only_itself = hand_made([(0, 1, 5), (1, 1, 5)], won=(1, 0, 0), lost=(0, 0, 0))
    with pytest.raises(DataError, match="singular"):
        removal_effects(only_itself)
    nobody_there = hand_made([(0, 0, 5), (1, 2, 0), (2, 1, 0)], won=(1, 0, 0), lost=(1, 0, 0))
    converts, effects = removal_effects(nobody_there)
    assert converts.tolist() == [0.5]
    assert effects[:, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("rounds", [markov.ROUNDS, 2], ids=["in rounds", "factorised"])
def test_large_chains_are_solved_alike(order, rounds, seed, monkeypatch):
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(400):
        path = tuple(f"c{i}" for i in random.integers(0, 25, size=random.geometric(0.25)))
        rows.append((path, int(random.integers(0, 3)), int(random.integers(1, 9))))
    counted = counted_paths(counts_of(*rows))
    chain = walked(counted, order).chain(counted.n_converted[:, None] * 1.0, counted.n_lost[:, None] * 1.0)
    small = removal_effects(chain)
    monkeypatch.setattr(markov, "LARGEST_DENSE", 0)
    monkeypatch.setattr(markov, "COLUMNS", 7)
    monkeypatch.setattr(markov, "ROUNDS", rounds)
    large = removal_effects(chain)
    np.testing.assert_allclose(large[0], small[0], rtol=1e-12)
    np.testing.assert_allclose(large[1], small[1], rtol=1e-11)


def test_ten_thousand_channels():
    n = 10_000
    rows = [((f"c{i:05}", f"c{i + 1:05}"), 1, 1) for i in range(0, n, 2)]
    rows += [((f"c{i:05}",), 0, 1) for i in range(0, n, 2)]
    counts = counts_of(*rows)
    tracemalloc.start()
    try:
        found = attribution_of(counts, ("linear", "markov", "shapley"), n_resamples=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 250e6  # one matrix of all channels by all channels would be 800 MB
    shares = found.shares
    np.testing.assert_allclose(shares["share"], 1 / n, rtol=1e-9)
    assert shares.query("method == 'markov'")["lo"].isna().all()
    assert shares.query("method == 'linear'")["lo"].notna().all()
    assert any("no interval; a chain of 10,000 states" in note for note in found.warnings)
