"""Logs that no shop should have: one person with nearly everything, everything at once, times out of order by years."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.stages.fast import has_kernel

METHODS = ["sql", "kernel"] if has_kernel() else ["sql"]


def web_log(person, seconds, event, seed=1):
    rng = np.random.default_rng(seed)
    n = len(person)
    is_order = np.isin(event, ["order_completed", "order_refunded"])
    return pd.DataFrame(
        {
            "event_id": [f"e{i}" for i in range(n)],
            "person_id": pd.Series(person).map("p{}".format).astype("str"),
            "event": pd.Series(event).astype("str"),
            "occurred_at": pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s"),
            "order_id": pd.Series(np.where(is_order, rng.integers(0, max(2, n // 5), n).astype(str), None)).astype(
                "str"
            ),
            "revenue": pd.Series(np.where(is_order, rng.integers(0, 20_000, n), None)).astype("Int64"),
        }
    )


def drawn(n, person, seconds, seed=1):
    events = ["page_viewed", "product_viewed", "order_completed", "order_completed", "order_refunded", "signed_up"]
    return web_log(person, seconds, np.random.default_rng(seed).choice(events, n), seed)


def told(frame, name, method):
    with lk.load({"events": frame}, currency="EUR") as shop:
        model = lk.load_model(name)
        spells = lk.history(shop, model, method=method)
        now = lk.snapshot(shop, model).members()
        pd.testing.assert_frame_equal(now, spells.at(spells.moment.as_of))
        return spells.to_frame()


@pytest.mark.parametrize("model", lk.shipped_models())
def test_one_person_has_nine_of_ten_touchpoints(model):
    rng = np.random.default_rng(5)
    n = 20_000
    person = np.where(rng.random(n) < 0.9, 0, rng.integers(1, 500, n))
    frame = drawn(n, person, rng.integers(0, 3 * 365 * 86_400, n))
    found = [told(frame, model, method) for method in METHODS]
    pd.testing.assert_frame_equal(found[0], found[-1])
    assert found[0]["person_id"].nunique() > 300


@pytest.mark.parametrize("method", METHODS)
def test_everything_happens_at_one_instant(method):
    frame = drawn(3_000, np.arange(3_000) % 50, np.zeros(3_000, dtype=int))
    spells = told(frame, "shop", method)
    # one instant is one step: nobody moves within it
    assert len(spells) == spells["person_id"].nunique() == 50
    assert spells["valid_to"].isna().all()


def test_rows_out_of_order_by_years_change_nothing(seed):
    rng = np.random.default_rng(seed)
    frame = drawn(4_000, rng.integers(0, 40, 4_000), rng.integers(0, 6 * 365 * 86_400, 4_000))
    wanted = told(frame.sort_values("occurred_at"), "shop", "sql")
    for method in METHODS:
        pd.testing.assert_frame_equal(told(frame.sample(frac=1, random_state=seed), "shop", method), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_one_person_has_a_million_touchpoints(method):
    rng = np.random.default_rng(9)
    n = 1_000_000
    frame = drawn(n + 10, np.r_[np.zeros(n, dtype=int), np.arange(10)], rng.integers(0, 3 * 365 * 86_400, n + 10))
    spells = told(frame, "shop", method)
    assert spells["person_id"].nunique() == 10
