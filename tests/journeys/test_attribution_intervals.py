"""The path bootstrap: covers a simulated truth as often as it says, and depends on nothing but the seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.journeys import resample
from lifecycle_kit.journeys.attribution import METHODS, attribution_of
from lifecycle_kit.journeys.counted import counted_paths
from lifecycle_kit.journeys.resample import interval, resampled

PATHS = [("a",), ("b",), ("c",), ("a", "b"), ("b", "a"), ("a", "c", "b"), ("c", "b"), ("b", "b", "c"), ("c", "a")]
WON = np.array([30, 10, 5, 40, 20, 25, 15, 20, 10]) / 1000
LOST = np.array([200, 150, 100, 90, 60, 75, 60, 50, 40]) / 1000


def table(won, lost):
    return pd.DataFrame({"path": PATHS, "n_converted": won, "n_lost": lost})


@pytest.fixture(scope="module")
def drawn_shops(seed=20250630):
    """Journeys of 150 shops that live by the same truth."""
    random = np.random.default_rng(seed)
    n = len(PATHS)
    return [table(cells[:n], cells[n:]) for cells in random.multinomial(2_000, np.r_[WON, LOST] / 1, size=150)]


@pytest.mark.parametrize("options", [{}, {"order": 2, "v": "rate"}])
def test_coverage(drawn_shops, options):
    methods = ("linear", "markov", "shapley")
    truth = attribution_of(table((WON * 1000).round(), (LOST * 1000).round()), methods, n_resamples=0, **options).shares
    expected = truth["share"].to_numpy() * 2_000 * WON.sum()
    inside, counts_inside = [], []
    for i, shop in enumerate(drawn_shops):
        found = attribution_of(shop, methods, n_resamples=150, level=0.9, seed=i, **options).shares
        inside.append((found["lo"] <= truth["share"]) & (truth["share"] <= found["hi"]))
        counts_inside.append((found["n_converted_lo"] <= expected) & (expected <= found["n_converted_hi"]))
    for covered in (inside, counts_inside):
        share = np.mean(covered, axis=0)
        assert share.mean() == pytest.approx(0.9, abs=0.04)
        assert share.min() > 0.8


def test_same_seed_same_interval_whatever_is_asked_beside_it(drawn_shops, monkeypatch):
    shop = drawn_shops[0]
    together = attribution_of(shop, METHODS, n_resamples=50, seed=3).shares
    alone = attribution_of(shop, "markov", n_resamples=50, seed=3).shares
    markov = together.query("method == 'markov'").reset_index(drop=True)
    pd.testing.assert_frame_equal(markov, alone)
    monkeypatch.setattr(resample, "AT_ONCE", 100)  # a few at a time
    pd.testing.assert_frame_equal(attribution_of(shop, "markov", n_resamples=50, seed=3).shares, alone)
    other = attribution_of(shop, "markov", n_resamples=50, seed=4).shares
    assert (other["lo"] != alone["lo"]).all()
    assert (other["share"] == alone["share"]).all()


@pytest.mark.parametrize("picks", [0, 10**9], ids=["multinomial", "one by one"])
def test_both_ways_to_draw_are_the_same_lottery(drawn_shops, monkeypatch, picks):
    monkeypatch.setattr(resample, "PICKS_PER_DRAW", picks)
    counted = counted_paths(drawn_shops[0])
    blocks = list(resampled(counted, 2_000, seed=1))
    won, lost = (np.hstack(parts) for parts in zip(*blocks, strict=True))
    cells, n = np.vstack([won, lost]), 2_000
    told = np.concatenate([counted.n_converted, counted.n_lost])
    assert (cells.sum(axis=0) == n).all()
    error = np.sqrt(told * (1 - told / n) / 2_000)
    assert np.abs((cells.mean(axis=1) - told) / np.maximum(error, 1e-9)).max() < 4.5
    np.testing.assert_allclose(cells.var(axis=1), told * (1 - told / n), rtol=0.2)


def test_hardly_any_conversion_has_no_interval():
    rare = pd.DataFrame({"path": [("a",), ("b",)], "n_converted": [1, 0], "n_lost": [5, 5]})
    found = attribution_of(rare, ("linear", "markov"))
    assert found.shares[["lo", "hi"]].isna().all(axis=None)
    assert found.shares["share"].tolist() == [1, 0, 1, 0]
    assert found.shares["n_converted_lo"].tolist() == [0, 0, 0, 0]
    assert found.warnings == (
        "No interval of share for linear, markov: more than 5% of the resamples have no conversion to divide.",
    )


def test_no_resamples_no_interval():
    found = attribution_of(table((WON * 1000).round(), (LOST * 1000).round()), n_resamples=0)
    assert found.shares[["lo", "hi", "n_converted_lo", "n_converted_hi"]].isna().all(axis=None)
    assert found.n_resamples == 0
    assert found.warnings == ()


def test_level_is_heeded(drawn_shops):
    narrow, wide = (attribution_of(drawn_shops[0], "linear", level=level).shares for level in (0.5, 0.99))
    assert ((wide["lo"] < narrow["lo"]) & (narrow["hi"] < wide["hi"])).all()
    assert narrow["share"].between(narrow["lo"], narrow["hi"]).all()


def test_few_resamples_without_conversion_are_left_out():
    drawn = np.array([[np.nan, *range(1, 40)], [np.nan, np.nan, np.nan, *range(3, 40)], range(40)], float)
    lo, hi = interval(drawn, 0.5)
    assert lo[[0, 2]] == pytest.approx([np.quantile(np.arange(1, 40), 0.25), np.quantile(np.arange(40), 0.25)])
    assert hi[[0, 2]] == pytest.approx([np.quantile(np.arange(1, 40), 0.75), np.quantile(np.arange(40), 0.75)])
    assert np.isnan([lo[1], hi[1]]).all()  # 3 of 40 are more than 5 %
