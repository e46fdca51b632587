"""The contract as data: which tables a shop's log may have, their grain, columns and keys.

Times are naive UTC in microseconds; money is a whole number of minor units (cents) of one
currency; ids are text, kept to the letter. Nothing here computes: the reader and the checks
(`read`, `parse`, `rules`) follow these declarations, and the data dictionary is printed from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CANONICAL",
    "COSTS_SCHEMA",
    "DEVICES_SCHEMA",
    "LOG_SCHEMA",
    "PERSONS_SCHEMA",
    "REFERRALS_SCHEMA",
    "RESOLVED_REVERSALS",
    "SURVEYS_SCHEMA",
    "TABLES",
    "Column",
    "Table",
]

Kind = Literal["id", "text", "timestamp", "date", "money", "integer", "boolean", "json"]


@dataclass(frozen=True)
class Column:
    """One column of a contract table."""

    name: str
    kind: Kind
    doc: str
    required: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One contract table: its grain in words, the columns that identify a row, its columns."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that every source of this table must have."""
        return tuple(c.name for c in self.columns if c.required)

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError when there is none."""
        return {c.name: c for c in self.columns}[name]


TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        Table(
            "events",
            "one touchpoint of one person",
            ("event_id",),
            (
                Column("event_id", "id", "Identity of the touchpoint; two rows with one id are one touchpoint."),
                Column("person_id", "id", "The known customer. Empty while the visitor is anonymous."),
                Column("anonymous_id", "id", "The browser or device. Needed where person_id is empty."),
                Column("event", "text", "What happened, snake_case: page_viewed, signed_up ...", required=True),
                Column("occurred_at", "timestamp", "When it happened.", required=True),
                Column("ingested_at", "timestamp", "When it reached the log; occurred_at where unknown."),
                Column("session_id", "id", "The visit it belongs to."),
                Column("channel", "text", "Marketing channel that brought the visit."),
                Column("campaign", "text", "Campaign within the channel."),
                Column("order_id", "id", "The order it is about, if any."),
                Column("revenue", "money", "Amount of the event, positive; a refund's amount is positive too."),
                Column("properties", "json", "Anything else, as one JSON object."),
            ),
        ),
        Table(
            "orders",
            "one order",
            ("order_id",),
            (
                Column("order_id", "id", "Identity of the order; numbered by the reader where the source has none."),
                Column("person_id", "id", "The customer who ordered.", required=True),
                Column("ordered_at", "timestamp", "When the order was placed.", required=True),
                Column("net_revenue", "money", "Paid by the customer, net of tax and discount.", required=True),
                Column("cost", "money", "Cost of goods, shipping and fees of the order."),
                Column("discount", "money", "Discount given."),
                Column("currency", "text", "ISO 4217 code; one currency in a dataset."),
                Column("status", "text", "completed, refunded or cancelled."),
                Column("refunded_at", "timestamp", "When the whole order was given back."),
                Column("ingested_at", "timestamp", "When it reached the log; ordered_at where unknown."),
            ),
        ),
        Table(
            "customers",
            "one person",
            ("person_id",),
            (
                Column("person_id", "id", "The customer.", required=True),
                Column("first_seen_at", "timestamp", "First contact."),
                Column("acquired_channel", "text", "Channel of the first contact."),
                Column("country", "text", "Country."),
                Column("consent_marketing", "boolean", "May be written to."),
                Column("is_test", "boolean", "A test account: kept out of every figure, and counted."),
            ),
        ),
        Table(
            "identities",
            "one link between a device and a person",
            ("anonymous_id", "person_id"),
            (
                Column("anonymous_id", "id", "The device.", required=True),
                Column("person_id", "id", "The person it turned out to be.", required=True),
                Column("linked_at", "timestamp", "When that became known."),
            ),
        ),
        Table(
            "costs",
            "one day of one channel (and campaign)",
            ("date", "channel", "campaign", "purpose"),
            (
                Column("date", "date", "The business day.", required=True),
                Column("channel", "text", "Marketing channel.", required=True),
                Column("campaign", "text", "Campaign within the channel."),
                Column("amount", "money", "What was spent.", required=True),
                Column("purpose", "text", "acquisition or retention."),
                Column("impressions", "integer", "Times shown."),
                Column("clicks", "integer", "Clicks paid for."),
            ),
        ),
        Table(
            "surveys",
            "one answer",
            ("person_id", "at"),
            (
                Column("person_id", "id", "Who answered.", required=True),
                Column("at", "timestamp", "When.", required=True),
                Column("score", "integer", "Would recommend, 0 to 10.", required=True),
            ),
        ),
        Table(
            "referrals",
            "one invitation",
            ("referral_id",),
            (
                Column("referral_id", "id", "Identity of the invitation; numbered where the source has none."),
                Column("referrer_id", "id", "The customer who invited.", required=True),
                Column("referred_id", "id", "Who was invited, once known."),
                Column("sent_at", "timestamp", "When the invitation was sent.", required=True),
                Column("converted_at", "timestamp", "When the invited person first ordered."),
            ),
        ),
    )
}

# What every analysis reads: one row per touchpoint, whatever table it came from. Orders appear as
# order_completed (and order_refunded), surveys as survey_answered, referrals as referral_sent and
# referral_converted on the referrer. `person_key` is dense and joins to `persons`. A touchpoint that a device
# brought to its person says so: before `linked_at` nobody could know, and it was `device_key`'s (see `devices`).
# `cost` stands on the order_completed of an order in the book, empty where nobody knows it: to join a table of
# orders by their text ids would cost more than all else that profit asks for.
LOG_SCHEMA: dict[str, str] = {
    "person_key": "int64",
    "event": "string",
    "occurred_at": "timestamp",
    "known_at": "timestamp",
    "business_day": "date",
    "order_id": "string",
    "revenue": "int64",
    "session_id": "string",
    "channel": "string",
    "refunded_at": "timestamp",
    "device_key": "int64",
    "linked_at": "timestamp",
    "cost": "int64",
}

# Reversals that the reader has already resolved: the reversing event, and the column of the log that says when
# the row was taken back (the earliest order_refunded of the same person and order; null otherwise). A join over
# the whole log at every snapshot would double its cost.
RESOLVED_REVERSALS: dict[str, str] = {"order_refunded": "refunded_at"}

PERSONS_SCHEMA: dict[str, str] = {
    "person_key": "int64",
    "person_id": "string",
    "is_anonymous": "boolean",
    "country": "string",
    "acquired_channel": "string",
}

# Devices that were linked to a person, for questions about what was known before the link. Keys are negative, so
# that no person has one of them.
DEVICES_SCHEMA: dict[str, str] = {
    "device_key": "int64",
    "anonymous_id": "string",
}

# What marketing cost, for questions about the price of a customer: money spent is nobody's touchpoint, so the log
# cannot tell it. `date` is a business day.
COSTS_SCHEMA: dict[str, str] = {
    "date": "date",
    "channel": "string",
    "campaign": "string",
    "amount": "int64",
    "purpose": "string",
}

# What people answered, for questions about satisfaction: the log says that somebody did, not the score.
SURVEYS_SCHEMA: dict[str, str] = {
    "person_key": "int64",
    "at": "timestamp",
    "score": "int64",
}

# Who invited whom, for questions about how customers bring customers: the log does not say which invitation was
# the one that converted. `person_key` is the one who invited; `referred_id` need not be anybody in `persons`.
REFERRALS_SCHEMA: dict[str, str] = {
    "person_key": "int64",
    "referred_id": "string",
    "sent_at": "timestamp",
    "converted_at": "timestamp",
}

# What an engine must hold to answer: the tables behind every question, however a company fills them.
CANONICAL: dict[str, dict[str, str]] = {
    "log": LOG_SCHEMA,
    "persons": PERSONS_SCHEMA,
    "devices": DEVICES_SCHEMA,
    "costs": COSTS_SCHEMA,
    "surveys": SURVEYS_SCHEMA,
    "referrals": REFERRALS_SCHEMA,
}
