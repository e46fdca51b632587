"""The faults of real logs, planted on a clean shop, and the list of every one of them.

Every row carries at most one fault, so counts can be reconciled: dirty rows = clean rows + rows
added - rows taken out. Column types stay those of the contract: an empty amount is null, a negative
one is a negative number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle_kit.simulate.columns import contract_table, names, times
from lifecycle_kit.simulate.result import SimulatedShop
from lifecycle_kit.simulate.streams import Streams
from lifecycle_kit.simulate.truth import PLANTED_SCHEMA, Truth

__all__ = ["FAULTS", "make_dirty"]

# What is planted, and what it does to the number of rows of its table.
FAULTS: dict[str, int] = {
    "missing_id": 0,
    "exact_duplicate": 1,
    "conflicting_duplicate": 1,
    "cancelled": 0,
    "tracking_outage": -1,
    "shifted_clock": 0,
    "return_without_order": 1,
    "test_account": 1,
    "negative_amount": 0,
    "empty_amount": 0,
    "future_date": 0,
}
N_TEST_ACCOUNTS = 12
OUTAGE_DAYS, SHIFTED_DAYS = 5, 3
CENTURIES_TYPO_DAYS = 65_744  # 180 years: 2204 for 2024


@dataclass(eq=False)
class _Sheet:
    """A table being spoiled, with the fault of each row beside it."""

    name: str
    key: str
    table: pa.Table
    fault: np.ndarray
    column: np.ndarray
    clean: np.ndarray

    @classmethod
    def of(cls, name: str, key: str, table: pa.Table) -> _Sheet:
        n = table.num_rows
        return cls(name, key, table, *(np.full(n, None, dtype=object) for _ in range(3)))

    def pick(self, rng: np.random.Generator, share: float, among: np.ndarray, least: int = 3) -> np.ndarray:
        """Choose rows that have no fault yet."""
        free = np.flatnonzero(among & (self.fault == None))  # noqa: E711 - elementwise
        n = min(max(least, round(share * free.size)), free.size)
        return np.sort(rng.choice(free, n, replace=False))

    def change(self, rows: np.ndarray, column: str, values: pa.Array, fault: str) -> None:
        """Overwrite one column of `rows` and note what stood there."""
        at = self.table.schema.get_field_index(column)
        old = self.table.column(at).combine_chunks()
        mask = np.zeros(len(old), dtype=bool)
        mask[rows] = True
        self.clean[rows] = [None if v is None else str(v) for v in old.take(pa.array(rows)).to_pylist()]
        self.fault[rows], self.column[rows] = fault, column
        new = pc.replace_with_mask(old, pa.array(mask), values.cast(old.type))
        self.table = self.table.set_column(at, self.table.schema.field(at), new)

    def add(self, rows: pa.Table, fault: str) -> None:
        """Append rows."""
        self.table = pa.concat_tables([self.table, rows])
        self.fault = np.concatenate([self.fault, np.full(rows.num_rows, fault, dtype=object)])
        self.column = np.concatenate([self.column, np.full(rows.num_rows, None, dtype=object)])
        self.clean = np.concatenate([self.clean, np.full(rows.num_rows, None, dtype=object)])

    def finish(self, time: str | None) -> tuple[pa.Table, list[pa.Table]]:
        """Take out what is lost, put the rest in order of time, and list the faults."""
        lost = self.fault == "tracking_outage"
        keep = np.flatnonzero(~lost)
        if time is not None:
            second = self.table[time].cast(pa.int64()).to_numpy()
            keep = keep[np.argsort(second[keep], kind="stable")]
        table = self.table.take(pa.array(keep)).combine_chunks()
        spoiled = np.flatnonzero(self.fault[keep] != None)  # noqa: E711 - elementwise
        noted = [self._noted(keep[spoiled], spoiled), self._noted(np.flatnonzero(lost), None)]
        return table, noted

    def _noted(self, rows: np.ndarray, place: np.ndarray | None) -> pa.Table:
        n = rows.size
        return pa.table(
            [
                pa.array(self.fault[rows].tolist(), pa.string()),
                pa.array([self.name] * n, pa.string()),
                self.table[self.key].take(pa.array(rows)).combine_chunks().cast(pa.string()),
                pa.nulls(n, pa.int64()) if place is None else pa.array(place, pa.int64()),
                pa.array(self.column[rows].tolist(), pa.string()),
                pa.array(self.clean[rows].tolist(), pa.string()),
            ],
            schema=PLANTED_SCHEMA,
        )


def make_dirty(shop: SimulatedShop) -> SimulatedShop:
    """Return the shop with faults planted on its tables and listed in its truth."""
    streams = Streams(shop.seed)
    events = _Sheet.of("events", "event_id", shop.tables["events"])
    orders = _Sheet.of("orders", "order_id", shop.tables["orders"])
    customers = _Sheet.of("customers", "person_id", shop.tables["customers"])
    outage, shifted = _spoil_days(shop, streams.part("dirty days"), events)
    _spoil_orders(streams.part("dirty orders"), orders)
    _spoil_events(streams.part("dirty events"), events)
    rows = customers.pick(streams.part("dirty customers"), 0.003, np.ones(customers.table.num_rows, dtype=bool))
    customers.add(customers.table.take(pa.array(rows)), "exact_duplicate")
    _add_test_accounts(shop, streams.part("test accounts"), events, orders, customers)

    tables, noted = dict(shop.tables), []
    for sheet, time in ((events, "occurred_at"), (orders, "ordered_at"), (customers, None)):
        tables[sheet.name], lists = sheet.finish(time)
        noted += lists
    told = {**shop.truth.facts, "outage_days": outage, "shifted_days": shifted}
    truth = Truth(shop.truth.customers, told, pa.concat_tables(noted).combine_chunks())
    return replace(shop, tables=tables, truth=truth, dirty=True)


def _spoil_days(shop: SimulatedShop, rng: np.random.Generator, events: _Sheet) -> tuple[list[str], list[str]]:
    """Lose five days of tracking, and write three days' local times as if they were UTC."""
    from datetime import date, datetime

    zone = ZoneInfo(shop.parameters.timezone)
    begin = date.fromisoformat(shop.start)
    seconds = events.table["occurred_at"].cast(pa.int64()).to_numpy() // 1_000_000
    n_days = max(int((seconds.max() - seconds.min()) // 86_400), OUTAGE_DAYS + SHIFTED_DAYS + 2) if seconds.size else 10

    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    def within(first: date, n: int) -> np.ndarray:
        low, high = midnight(first).timestamp(), midnight(first + timedelta(days=n)).timestamp()
        return np.flatnonzero((seconds >= low) & (seconds < high))

    # One in each half, so that they never meet.
    half = n_days // 2
    lost_from = begin + timedelta(days=int(rng.integers(half // 3, max(half - OUTAGE_DAYS, half // 3 + 1))))
    moved_from = begin + timedelta(days=int(rng.integers(half + OUTAGE_DAYS, max(n_days - SHIFTED_DAYS, half + 6))))
    lost, moved = within(lost_from, OUTAGE_DAYS), within(moved_from, SHIFTED_DAYS)
    events.fault[lost] = "tracking_outage"
    offset = np.asarray([int(datetime.fromtimestamp(t, zone).utcoffset().total_seconds()) for t in seconds[moved]])  # type: ignore[union-attr]
    events.change(moved, "occurred_at", times(seconds[moved] + offset), "shifted_clock")
    return (
        [(lost_from + timedelta(days=i)).isoformat() for i in range(OUTAGE_DAYS)],
        [(moved_from + timedelta(days=i)).isoformat() for i in range(SHIFTED_DAYS)],
    )


def _spoil_orders(rng: np.random.Generator, orders: _Sheet) -> None:
    kept = np.asarray(pc.equal(orders.table["status"], "completed"))
    everyone = np.ones(orders.table.num_rows, dtype=bool)
    twice = orders.pick(rng, 0.010, everyone)
    differing = orders.pick(rng, 0.005, np.isin(np.arange(everyone.size), twice, invert=True))
    untouched = np.isin(np.arange(everyone.size), np.concatenate([twice, differing]), invert=True)

    rows = orders.pick(rng, 0.012, untouched)
    orders.change(rows, "person_id", pa.nulls(rows.size, pa.string()), "missing_id")
    rows = orders.pick(rng, 0.020, untouched & kept)
    orders.change(rows, "status", pa.array(["cancelled"] * rows.size), "cancelled")
    rows = orders.pick(rng, 0.003, untouched & kept)
    orders.change(
        rows,
        "net_revenue",
        pc.negate(orders.table["net_revenue"].take(pa.array(rows))).combine_chunks(),
        "negative_amount",
    )
    rows = orders.pick(rng, 0.003, untouched)
    orders.change(rows, "net_revenue", pa.nulls(rows.size, pa.int64()), "empty_amount")
    rows = orders.pick(rng, 0.0005, untouched & kept)
    typo = orders.table["ordered_at"].take(pa.array(rows)).cast(pa.int64()).to_numpy() // 1_000_000
    orders.change(rows, "ordered_at", times(typo + CENTURIES_TYPO_DAYS * 86_400), "future_date")

    again = orders.table.take(pa.array(twice))
    other = orders.table.take(pa.array(differing))
    at = other.schema.get_field_index("net_revenue")
    dearer = pc.add(other["net_revenue"], pa.array(rng.integers(100, 2000, other.num_rows)))
    orders.add(again, "exact_duplicate")
    orders.add(other.set_column(at, other.schema.field(at), dearer), "conflicting_duplicate")


def _spoil_events(rng: np.random.Generator, events: _Sheet) -> None:
    n = events.table.num_rows
    everyone = np.ones(n, dtype=bool)
    twice = events.pick(rng, 0.004, everyone)
    untouched = np.isin(np.arange(n), twice, invert=True)
    # Nobody's events: neither the person nor the device is known, so no analysis can place them.
    rows = events.pick(rng, 0.003, untouched & np.asarray(pc.is_null(events.table["person_id"])))
    events.change(rows, "anonymous_id", pa.nulls(rows.size, pa.string()), "missing_id")
    events.add(events.table.take(pa.array(twice)), "exact_duplicate")

    # A parcel came back for an order the shop has never heard of.
    known = np.flatnonzero(np.asarray(pc.is_valid(events.table["person_id"])))
    k = min(max(8, round(known.size * 0.0005)), known.size)
    model = events.table.take(pa.array(np.sort(rng.choice(known, k, replace=False))))
    events.add(
        contract_table(
            "events",
            {
                "event_id": pa.array([f"x{i:04d}" for i in range(1, k + 1)]),
                "person_id": model["person_id"].combine_chunks(),
                "event": names(np.zeros(k, dtype=np.int64), ("order_refunded",)),
                "occurred_at": model["occurred_at"].combine_chunks(),
                "order_id": pa.array([f"z{i:04d}" for i in range(1, k + 1)]),
                "revenue": pa.array(rng.integers(1500, 25_000, k)),
            },
        ),
        "return_without_order",
    )


def _add_test_accounts(
    shop: SimulatedShop, rng: np.random.Generator, events: _Sheet, orders: _Sheet, customers: _Sheet
) -> None:
    """Accounts of the shop's own staff, with a few orders each and a page view before each of them."""
    seconds = shop.tables["events"]["occurred_at"].cast(pa.int64()).to_numpy() // 1_000_000
    low, high = (int(seconds.min()), int(seconds.max()) - 3600) if seconds.size else (0, 1)
    k, per = N_TEST_ACCOUNTS, 3
    who = np.repeat(np.arange(k), per)
    at = low + (rng.random(k * per) * (high - low)).astype(np.int64)
    person = [f"test{i + 1:02d}" for i in range(k)]
    amount = rng.integers(1, 200, k * per)
    customers.add(
        contract_table(
            "customers",
            {
                "person_id": pa.array(person),
                "first_seen_at": times(np.asarray([at[who == i].min() for i in range(k)])),
                "acquired_channel": names(np.zeros(k, dtype=np.int64), ("direct",)),
                "country": names(np.zeros(k, dtype=np.int64), tuple(shop.parameters.countries)[:1]),
                "consent_marketing": pa.array([True] * k),
                "is_test": pa.array([True] * k),
            },
        ),
        "test_account",
    )
    events.add(
        contract_table(
            "events",
            {
                "event_id": pa.array([f"y{i:04d}" for i in range(1, k * per + 1)]),
                "person_id": pa.array([person[i] for i in who]),
                "event": names(np.zeros(k * per, dtype=np.int64), ("page_viewed",)),
                "occurred_at": times(at),
                "session_id": pa.array([f"y{i:04d}" for i in range(1, k * per + 1)]),
                "channel": names(np.zeros(k * per, dtype=np.int64), ("direct",)),
            },
        ),
        "test_account",
    )
    orders.add(
        contract_table(
            "orders",
            {
                "order_id": pa.array([f"y{i:04d}" for i in range(1, k * per + 1)]),
                "person_id": pa.array([person[i] for i in who]),
                "ordered_at": times(at + 120),
                "net_revenue": pa.array(amount),
                "cost": pa.array(amount // 2),
                "discount": pa.array(np.zeros(k * per, dtype=np.int64)),
                "currency": names(np.zeros(k * per, dtype=np.int64), (shop.parameters.currency,)),
                "status": names(np.zeros(k * per, dtype=np.int64), ("completed",)),
            },
        ),
        "test_account",
    )
