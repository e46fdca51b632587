"""What a dataset can feed, as declarations: each capability says what it needs and what is lost without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CAPABILITIES", "Capability", "capabilities_of"]


@dataclass(frozen=True)
class Need:
    """One capability before any data is seen.

    Attributes
    ----------
    name : str
    text : str
        What it lets one do.
    any_of : tuple of tuple of str
        Ways to feed it; each is a set of ``table``, ``table.column``, ``event:name`` or ``visits``, all needed.
    without : str
        What is lost without it.
    """

    name: str
    text: str
    any_of: tuple[tuple[str, ...], ...]
    without: str


@dataclass(frozen=True)
class Capability:
    """One capability of one dataset.

    Attributes
    ----------
    name, text : str
    available : bool
    missing : tuple of str
        What the nearest way still lacks; empty where available.
    without : str
        What is lost.
    """

    name: str
    text: str
    available: bool
    missing: tuple[str, ...]
    without: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "missing": list(self.missing)}


_ORDER_EVENTS = ("event:order_", "event:guest_order_")

CAPABILITIES: tuple[Need, ...] = (
    Need("stages_from_orders", "stages of buyers", (("orders",), ("event:order_completed",)), "no buyer has a stage"),
    Need(
        "stages_before_purchase", "stages before the first order", (("visits",),), "stages begin with the first order"
    ),
    Need("daily_traffic", "daily traffic", (("visits",),), "no visits to count"),
    Need(
        "conversion_rate",
        "conversion rate of visits",
        (("visits", "orders"), ("visits", "event:order_completed")),
        "orders have no visits to be divided by",
    ),
    Need(
        "average_order_value",
        "average order value",
        (("orders",), ("event:order_completed", "events.revenue")),
        "no order has an amount",
    ),
    Need("profit_per_customer", "profit per customer", (("orders.cost",),), "no profit, only revenue"),
    Need("acquisition_cost", "cost of a new customer", (("costs",),), "no marketing costs to divide"),
    Need(
        "channels", "channels of visits", (("events.channel",), ("customers.acquired_channel",)), "no split by channel"
    ),
    Need(
        "refunds", "refunds", (("orders.refunded_at",), ("event:order_refunded",)), "orders count as never given back"
    ),
    Need(
        "as_known",
        "snapshots as they were known",
        (("orders.ingested_at",), ("events.ingested_at",)),
        "late data counts as known at once",
    ),
    Need("advocacy", "advocates by referral", (("referrals",), ("event:referral_converted",)), "nobody is an advocate"),
    Need("satisfaction", "answers to surveys", (("surveys",), ("event:survey_answered",)), "no scores"),
    Need("consent", "audiences with consent", (("customers.consent_marketing",),), "nobody is known to have agreed"),
    Need(
        "identity",
        "visits before the first sign-up",
        (("identities", "events.anonymous_id"),),
        "devices stay strangers",
    ),
)


def capabilities_of(found: set[str]) -> Mapping[str, Capability]:
    """Return every capability, judged by what a dataset has.

    Parameters
    ----------
    found : set of str
        ``table``, ``table.column`` (with any value in it) and ``event:name`` entries.
    """
    # orders told as events are no visits: a conversion rate over them would say nothing
    is_visited = any(f.startswith("event:") and not f.startswith(_ORDER_EVENTS) for f in found)
    found = found | {"visits"} if is_visited else found
    judged = {}
    for need in CAPABILITIES:
        lacks = min((tuple(n for n in way if n not in found) for way in need.any_of), key=len)
        judged[need.name] = Capability(need.name, need.text, not lacks, lacks, need.without)
    return judged
