"""Orders by the million, written as they are made: memory does not grow with their number."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle_kit.errors import RunError, UsageError
from lifecycle_kit.simulate.asked import checked_count, checked_months, checked_start
from lifecycle_kit.simulate.clock import Clock, Floats, Ints, make_clock
from lifecycle_kit.simulate.columns import arrow_schema, contract_table, ids, names, times
from lifecycle_kit.simulate.orders import price_orders
from lifecycle_kit.simulate.parameters import SEGMENTS, ShopParameters
from lifecycle_kit.simulate.streams import Streams

__all__ = ["simulate_orders"]

MOST_PER_CHUNK = 500_000
ORDERS_PER_CUSTOMER = 2.5  # what the shop comes to over three years


def simulate_orders(
    path: str | Path,
    *,
    n_orders: int,
    n_customers: int | None = None,
    seed: int = 7,
    start: str = "2024-01-01",
    months: int = 36,
    chunk_customers: int = 100_000,
    parameters: ShopParameters | None = None,
    overwrite: bool = False,
) -> Path:
    """Write exactly `n_orders` orders of `n_customers` customers to one Parquet file.

    Columns and types are those of the contract's orders table, one row group per chunk of
    customers, rows by customer and time.

    Parameters
    ----------
    path : str or Path
        The Parquet file. It appears only when whole.
    n_orders, n_customers : int
        How many; by default one customer per 2.5 orders. Everybody orders at least once.
    seed : int
        The same call gives the same file.
    start : str
        First day.
    months : int
        Length of the log.
    chunk_customers : int
        Customers held in memory at a time. A smaller number takes less memory, and gives other rows.
    overwrite : bool
        Replace a file that is already there.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    UsageError
        When a number is out of range, or the file is there and `overwrite` is False.

    Notes
    -----
    Given their number, the repeat orders of a Poisson process are spread evenly over the customer's
    life. So the number is shared out first, in proportion to rate x life (gamma rate, exponential
    life with hazard rate x dropout: the continuous twin of BG/NBD), and the times are drawn after.
    That makes both counts exact and needs no second pass.
    """
    p = parameters if parameters is not None else ShopParameters()
    customers = _customers(checked_count("n_orders", n_orders), n_customers)
    chunk_customers = checked_count("chunk_customers", chunk_customers)
    # Few customers with very many orders each would fill a chunk: orders bound it too.
    chunk_customers = max(1, min(chunk_customers, MOST_PER_CHUNK * customers // n_orders))
    checked_months(months)
    begin = checked_start(start)
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"{target} is not a file in a folder that exists.", fix="Name a file, such as orders.parquet.")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} is already there.", fix="Name another file, or pass overwrite=True.")

    streams = Streams(seed)
    clock = make_clock(p, begin, months, streams.part("calendar"))
    part = target.with_name(target.name + ".part")
    try:
        with pq.ParquetWriter(
            part, arrow_schema("orders"), compression="zstd", use_dictionary=["person_id", "currency", "status"]
        ) as writer:
            for table in _chunks(p, clock, streams, n_orders, customers, chunk_customers):
                writer.write_table(table, row_group_size=table.num_rows)
        os.replace(part, target)
    except OSError as error:
        raise RunError(f"{target} could not be written: {error}.", fix="Make room or name another file.") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _customers(n_orders: int, n_customers: int | None) -> int:
    customers = (
        max(1, round(n_orders / ORDERS_PER_CUSTOMER))
        if n_customers is None
        else checked_count("n_customers", n_customers)
    )
    if customers > n_orders:
        raise UsageError(
            f"{customers:,} customers cannot share {n_orders:,} orders.", fix="Everybody orders at least once."
        )
    return customers


def _chunks(
    p: ShopParameters, clock: Clock, streams: Streams, n_orders: int, n_customers: int, chunk: int
) -> Iterator[pa.Table]:
    made = 0
    for number, first in enumerate(range(0, n_customers, chunk)):
        last = min(first + chunk, n_customers)
        due = n_orders * last // n_customers  # whole numbers: the last chunk ends exactly at n_orders
        rng = streams.part("bulk", number)
        yield _chunk(p, clock, rng, first, last - first, made, due - made, (len(str(n_customers)), len(str(n_orders))))
        made = due


def _chunk(
    p: ShopParameters,
    clock: Clock,
    rng: np.random.Generator,
    first_customer: int,
    n_customers: int,
    first_order: int,
    n_orders: int,
    widths: tuple[int, int],
) -> pa.Table:
    r, alpha = p.purchase_gamma
    shape, q = p.spend_shape
    end = float(clock.demand_clock[-1])
    begins = rng.random(n_customers) * end
    rate = rng.gamma(r, 1 / alpha, n_customers) / 7 + 1e-9  # per demand day
    life = rng.exponential(1.0, n_customers) / (rate * rng.beta(*p.dropout_beta, n_customers) + 1e-12)
    window = np.minimum(life, end - begins)
    weight = rate * window
    counts = rng.multinomial(n_orders - n_customers, weight / weight.sum())

    who = np.repeat(np.arange(n_customers), counts)
    repeats = begins[who] + window[who] * rng.random(who.size)
    person, s = _by_person(np.arange(n_customers), begins, who, repeats, end)
    t = np.minimum(clock.from_demand(s), clock.n_days - 1e-3)
    ordered = clock.utc_seconds(t)

    value = shape / rng.gamma(q, p.spend_shape[0] / (p.mean_order_value * (q - 1)), n_customers)
    in_promotion = clock.promotion[t.astype(np.int64)] == 2
    segment = np.full(n_orders, SEGMENTS.index("occasional"))
    net, cost, discount = price_orders(p, rng, value[person], in_promotion, segment)
    lag_shape, lag_mean = p.refund_lag_days
    refund_t = t + 1 + rng.gamma(lag_shape, (lag_mean - 1) / lag_shape, n_orders)
    refunded = (rng.random(n_orders) < p.refund_rate) & (refund_t < clock.n_days)
    refund_at = clock.utc_seconds(refund_t)
    return contract_table(
        "orders",
        {
            "order_id": ids("o", np.arange(first_order, first_order + n_orders), widths[1]),
            "person_id": ids("c", np.arange(first_customer, first_customer + n_customers), widths[0]).take(
                pa.array(person)
            ),
            "ordered_at": times(ordered),
            "net_revenue": pa.array(net),
            "cost": pa.array(cost),
            "discount": pa.array(discount),
            "currency": names(np.zeros(n_orders, dtype=np.int64), (p.currency,)),
            "status": names(refunded.astype(np.int64), ("completed", "refunded")),
            "refunded_at": times(refund_at, refunded),
        },
    )


def _by_person(people: Ints, begins: Floats, who: Ints, repeats: Floats, end: float) -> tuple[Ints, Floats]:
    """Order first and repeat orders by person and time with one sort of one number.

    The person is the whole part and the time the fraction: 35 bits of fraction remain for a chunk of
    a quarter of a million people, which is milliseconds.
    """
    key = np.concatenate([people + begins / (end * 1.000001), who + repeats / (end * 1.000001)])
    key.sort()
    person = key.astype(np.int64)
    return person, (key - person) * np.float64(end * 1.000001)
