"""Back-tests of several data sets side by side: does a combination pay anywhere else than here?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lifecycle_kit.clv.scores import TIE, check_loss

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.clv.backtest import BackTest

__all__ = ["compare_backtests"]


def compare_backtests(
    results: Mapping[str, BackTest], by: str = "deviance", *, with_stack: bool = False
) -> pd.DataFrame:
    """Put back-tests of several data sets side by side.

    Parameters
    ----------
    results : mapping of str to BackTest
        By name of the data set.
    by : {"deviance", "mae", "rmse"}
    with_stack : bool, default False
        As in `BackTest.summary`: the stack too, and only origins that have one.

    Returns
    -------
    pandas.DataFrame
        One row per forecast: forecast, kind, the score on each data set (a column each), n_best (data sets on which it
        beats every single model by more than a twentieth of a per cent; for a single model: on which it is the best of
        them).
    """
    import pandas as pd

    check_loss(by)
    summaries = {name: result.summary(by, with_stack=with_stack) for name, result in results.items()}
    table = pd.DataFrame({name: found.set_index(["forecast", "kind"])[by] for name, found in summaries.items()})
    single = table[table.index.get_level_values("kind") == "model"]
    best = single.min()
    table["n_best"] = (table.lt(best * (1 - TIE)) | single.reindex(table.index).le(best)).sum(axis=1)
    order = table.drop(columns="n_best").rank().mean(axis=1).sort_values(kind="stable").index
    return table.loc[order].reset_index()
