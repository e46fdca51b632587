"""A mapping that is neither a file nor a name is refused in words."""

from __future__ import annotations

import pandas as pd
import pytest

import lifecycle_kit as lk


@pytest.mark.parametrize("given", [{"orders": {}}, 7, ["orders"]])
def test_a_mapping_that_is_no_file(given):
    orders = pd.DataFrame({"person_id": ["a"], "ordered_at": pd.to_datetime(["2024-01-01"]), "net_revenue": [1]})
    with pytest.raises(lk.UsageError, match="is not a mapping file"):
        lk.load({"orders": orders}, mapping=given)
