"""Rows without an id get one: the person's id and a running number, so that later rows change nothing."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NUMBERED", "Numbering"]


@dataclass(frozen=True)
class Numbering:
    """How the rows of one table are numbered: by which column, whose, in which order."""

    column: str
    person: str
    order: str

    @property
    def sql(self) -> str:
        """The column, filled."""
        n = f"row_number() OVER (PARTITION BY {self.person}, {self.column} IS NULL ORDER BY {self.order})"
        return f"coalesce({self.column}, concat({self.person}, '#', {n})) AS {self.column}"


NUMBERED = {
    "orders": Numbering("order_id", "person_id", "ordered_at, net_revenue, cost, discount, status, refunded_at"),
    "referrals": Numbering("referral_id", "referrer_id", "sent_at, referred_id, converted_at"),
}
