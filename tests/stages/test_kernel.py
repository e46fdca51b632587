"""The compiled kernel tells the same spells as the SQL: every policy, any bucket, as of and as known."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lifecycle_kit as lk
from lifecycle_kit.stages.fast import has_kernel, spell_batches
from lifecycle_kit.stages.history import history
from tests.small_shops import FEW as FEW_ORDERS
from tests.small_shops import orders
from tests.stages.conftest import POLICIES, START, dataset_of, logs
from tests.stages.test_properties import END, FEW

needs_kernel = pytest.mark.skipif(not has_kernel(), reason="numba, the `fast` extra, is not installed")


@needs_kernel
@FEW
@given(
    log=logs,
    policy=st.sampled_from([*POLICIES, {"reentry": False, "forward_only": True}]),
    known_day=st.none() | st.integers(0, 40),
)
def test_kernel_equals_sql(every_policy, log, policy, known_day):
    model = dataclasses.replace(every_policy, **policy)
    known = None if known_day is None else START + dt.timedelta(days=known_day, seconds=1)
    with dataset_of(log) as dataset:
        told = [history(dataset, model, END, as_known=known, method=method).to_frame() for method in ("sql", "kernel")]
        pd.testing.assert_frame_equal(*told)


@needs_kernel
@pytest.mark.parametrize("model", lk.shipped_models())
def test_kernel_equals_sql_on_the_shop(root, model):
    with lk.load(root / "data" / "shop") as shop:
        told = [lk.history(shop, lk.load_model(model), method=method).to_arrow() for method in ("sql", "kernel")]
    assert told[0].num_rows > 1000
    assert told[0].equals(told[1])


@needs_kernel
def test_buckets_change_nothing(every_policy, root):
    from lifecycle_kit.stages.buckets import extent
    from lifecycle_kit.stages.heard import View

    with lk.load(root / "data" / "shop") as shop:
        view = View(dt.datetime(2025, 6, 30))
        size = extent(shop.engine, view)
        model = lk.load_model("shop")
        frames = [
            pd.concat([batch.to_pandas() for batch in spell_batches(shop.engine, model, view, size, per_bucket)])
            for per_bucket in (10**9, 30_000)
        ]
    frames = [frame.sort_values(["person_key", "valid_from"], ignore_index=True) for frame in frames]
    pd.testing.assert_frame_equal(*frames)


def test_sql_in_buckets_is_sql_in_one(root, monkeypatch):
    from lifecycle_kit.stages import spells

    with lk.load(root / "data" / "shop") as shop:
        model = lk.load_model("orders_only")
        whole = lk.history(shop, model, method="sql").to_arrow()
        monkeypatch.setattr(spells, "_PER_BUCKET", 20_000)
        assert lk.history(shop, model, method="sql").to_arrow().equals(whole)


def test_a_method_that_cannot_be_had(monkeypatch):
    from lifecycle_kit.stages import fast

    with lk.load(orders(*FEW_ORDERS)) as few:
        model = lk.load_model("orders_only")
        with pytest.raises(lk.UnknownNameError, match=r"Unknown method 'kernal'\. Did you mean 'kernel'"):
            lk.history(few, model, method="kernal")
        monkeypatch.setattr(fast, "has_kernel", lambda: False)
        with pytest.raises(lk.UsageError, match=r"needs numba. Install it: pip install 'lifecycle-kit\[fast\]'"):
            lk.history(few, model, method="kernel")
        assert lk.history(few, model).n_spells > 0
