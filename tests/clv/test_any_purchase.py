"""The chance to come back at all, beside drawn counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.clv.any_purchase import p_any_purchase
from lifecycle_kit.clv.forecasts import fit_all
from lifecycle_kit.clv.models import usual_models
from lifecycle_kit.errors import UsageError
from tests.clv.simulated import cohort

ASKED = pd.DataFrame({"frequency": [0, 1, 4, 4], "recency": [0.0, 5.0, 30.0, 12.0], "T": [40.0, 30.0, 35.0, 38.0]})


@pytest.fixture(scope="module")
def customers(seed):
    random = np.random.default_rng(seed)
    return cohort(random.uniform(20, 60, 800), r=1.2, alpha=8.0, a=1.1, b=2.5, horizon=13, random=random)


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD", "NBD", "Pareto/NBD"])
def test_beside_draws(name, customers, seed):
    # other models than the one that made the data may have ridges, which fit_all tells instead of warning
    model = fit_all({name: usual_models()[name]}, customers.frame)[0][name]
    found = p_any_purchase(model, ASKED, 13)
    drawn = model.simulate_counts(ASKED, 13, 20_000, random_state=seed, parameters="fitted")
    # four standard errors of 20,000 draws
    np.testing.assert_allclose(found, (drawn > 0).mean(axis=0), atol=4 * 0.5 / np.sqrt(20_000))


def test_where_it_must_end(customers):
    model = usual_models()["BG/NBD"].fit(customers.frame)
    none, short, long = (p_any_purchase(model, ASKED, horizon) for horizon in (0, 1, 1e6))
    assert none.tolist() == [0] * 4
    assert (short <= long).all()
    np.testing.assert_allclose(long, model.p_alive(ASKED), atol=1e-4)
    # for all of them: as many come back as did
    expected = p_any_purchase(model, customers.frame, 13).sum()
    assert expected == pytest.approx((customers.later > 0).sum(), rel=0.15)


@pytest.mark.parametrize("horizon", [-1, float("nan"), True])
def test_no_length_of_time(customers, horizon):
    model = usual_models()["NBD"].fit(customers.frame)
    with pytest.raises(UsageError, match="horizon is"):
        p_any_purchase(model, ASKED, horizon)
