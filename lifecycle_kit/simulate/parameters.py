"""The figures a simulated shop is built from, each with the place it was seen or the word ASSUMPTION.

Nothing here computes. A lesson can print `ShopParameters.figures()` and show which numbers of the
shop were measured somewhere and which were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from lifecycle_kit.errors import UsageError

__all__ = ["CHANNELS", "SEGMENTS", "Figure", "ShopParameters"]

CHANNELS: tuple[str, ...] = (
    "organic",
    "paid_shopping",
    "direct",
    "email",
    "referral",
    "paid_search",
    "paid_social",
    "other",
)

SEGMENTS: tuple[str, ...] = ("regular", "big_basket", "bargain", "occasional")

BRAND = "an online brand's traffic (Conjura excerpt)"
CDNOW = "CDNOW master, 23,570 customers"
OLIST = "Olist marketing funnel"
RETAIL = "UCI Online Retail, invoices of identified customers"
SITE = "a public site's 2,167 days"
REVIEWS = "578 k product reviews"


@dataclass(frozen=True)
class Figure:
    """One parameter with its value and where it comes from."""

    name: str
    value: object
    source: str

    @property
    def is_assumption(self) -> bool:
        """True when nobody measured it: it was chosen."""
        return self.source.startswith("ASSUMPTION")


def _seen(value: Any, source: str) -> Any:
    if isinstance(value, dict):
        return field(default_factory=lambda: MappingProxyType(value), metadata={"source": source})
    return field(default=value, metadata={"source": source})


def _chosen(value: Any, why: str) -> Any:
    return _seen(value, f"ASSUMPTION: {why}")


@dataclass(frozen=True)
class ShopParameters:
    """Everything that can be turned in the simulated shop.

    Money is in euros here (the tables hold cents), rates are shares in [0, 1], lags are in days
    unless the name says otherwise. Every field carries its source; see `figures`.
    """

    timezone: str = _chosen("Europe/Paris", "a French shop")
    currency: str = _chosen("EUR", "a French shop")

    # Traffic
    season_ordinary: tuple[float, ...] = _seen(
        (0.66, 0.74, 0.88, 0.79, 1.04, 0.96, 0.89, 0.85, 1.21, 1.28, 0.78, 0.88),
        f"{RETAIL}, orders a day by month; November holds its ordinary days only, the promotion makes up the rest",
    )
    weekday: tuple[float, ...] = _chosen((1.06, 1.04, 1.02, 1.02, 0.97, 0.86, 1.03), "Monday first; a consumer shop")
    hours: tuple[float, ...] = _chosen(
        (8, 4, 2, 1, 1, 3, 10, 22, 36, 46, 52, 52, 56, 54, 50, 48, 48, 52, 58, 66, 74, 72, 50, 24),
        "weight of each local hour; lunch and evening peaks",
    )
    noise_log_sd: float = _seen(0.13, SITE)
    noise_autocorrelation: float = _seen(0.72, f"{SITE}, lag 1, weekday removed")
    yearly_growth: float = _chosen(1.10, "visits of one year over those of the year before")
    new_share: float = _seen(0.80, f"{SITE}: 17.4 % of visits are returning; known customers browse more")
    channel_new: Mapping[str, float] = _seen(
        {
            "organic": 0.325,
            "paid_shopping": 0.282,
            "direct": 0.119,
            "email": 0.012,
            "referral": 0.105,
            "paid_search": 0.058,
            "paid_social": 0.058,
            "other": 0.044,
        },
        f"{BRAND}, shares of all visits, less what returning visitors bring",
    )
    channel_return: Mapping[str, float] = _chosen(
        {"direct": 0.42, "organic": 0.38, "paid_shopping": 0.11, "referral": 0.04, "paid_search": 0.03, "other": 0.02},
        "how an anonymous visitor comes back",
    )
    channel_known: Mapping[str, float] = _chosen(
        {"email": 0.66, "direct": 0.19, "organic": 0.11, "paid_search": 0.02, "paid_shopping": 0.02},
        "how a lead or customer comes back",
    )
    promotion_email_share: float = _seen(0.34, f"{BRAND}, promotion week")
    before_visits: float = _seen(1.80, f"{BRAND}: 2,325 over 1,419 visits a day; new visitors carry most of it")
    before_conversion: float = _seen(0.61, f"{BRAND}: 1.4 over 2.1 orders per 100 visits, the same")
    promotion_visits: float = _seen(4.50, f"{BRAND}: 5,333 over 1,419 visits a day, the same")
    promotion_conversion: float = _seen(2.67, f"{BRAND}: 6.7 over 2.1 orders per 100 visits, the same")
    promotion_days: int = _chosen(4, "Black Friday to Monday: seven such days would make November 3.4 times the mean")
    before_days: int = _chosen(7, "days of waiting before the promotion")

    # A visit
    engaged_new: float = _seen(0.27, f"{SITE}: 1.40 pages a visit; an engaged visit sees 2.4")
    engaged_return: float = _chosen(0.36, "anonymous visitor who comes back")
    engaged_known: float = _chosen(0.48, "lead or customer who comes back")
    more_products: float = _chosen(0.58, "chance of one more product page, again and again")
    returns_mean: float = _seen(0.115, f"{SITE}: return visits of one anonymous visitor, tuned to 17.4 % returning")
    returns_shape: float = _chosen(0.30, "gamma shape: few people make most of the returns")
    return_gap_log: tuple[float, float] = _chosen((1.2, 1.2), "days between anonymous visits, log mean and sd")
    cart_rate: float = _chosen(0.12, "engaged visit without order that fills a cart")
    checkout_rate: float = _chosen(0.35, "filled cart without order that starts a checkout")

    # From visitor to customer
    lead_rate: float = _chosen(0.045, "sign-ups per anonymous visit, 4 per 100 of all; 8.6 per ad click caps it")
    lead_to_order: Mapping[str, float] = _seen(
        {
            "organic": 0.118,
            "paid_shopping": 0.105,
            "direct": 0.112,
            "email": 0.030,
            "referral": 0.085,
            "paid_search": 0.123,
            "paid_social": 0.056,
            "other": 0.051,
        },
        f"{OLIST} by origin (other: its display; paid_shopping was not there: the mean of all)",
    )
    lead_lag_log: tuple[float, float] = _seen((2.84, 1.55), f"{OLIST}, days from contact to first order")
    direct_rate: float = _seen(0.0062, f"{BRAND}: tuned so that all orders come to 2.1-2.6 per 100 visits")
    direct_by_channel: Mapping[str, float] = _chosen(
        {
            "organic": 1.05,
            "paid_shopping": 1.05,
            "direct": 1.1,
            "email": 0.8,
            "referral": 0.85,
            "paid_search": 1.2,
            "paid_social": 0.6,
            "other": 0.5,
        },
        "first order without sign-up, relative to the mean; ordered as Olist's leads",
    )
    care_guide_rate: float = _chosen(0.05, "engaged anonymous visits that read the care guide (planted)")
    care_guide_lead_rate: float = _chosen(0.10, "leads who read it before any order (planted)")
    care_guide_buyer_rate: float = _chosen(0.06, "buyers who read it after the first order, as was meant (planted)")
    care_guide_lift: float = _chosen(2.0, "what reading it does to the chance of a first order (planted)")
    second_device_rate: float = _chosen(0.14, "known people who also come on another device")
    logged_in_rate: float = _chosen(0.75, "visits of a known person on which the log shows who it is")
    lead_visits_mean: float = _chosen(0.75, "visits a lead makes after sign-up")
    lead_visits_days: float = _chosen(40.0, "mean days between sign-up and such a visit")
    visits_per_repeat: float = _chosen(2.6, "visits without order per repeat order of a living customer")
    dropped_visit_share: float = _chosen(0.08, "of that, what remains once the customer has dropped out")
    consent_rate: Mapping[str, float] = _chosen({"lead": 0.88, "direct": 0.55}, "who may be written to")
    countries: Mapping[str, float] = _chosen(
        {"FR": 0.82, "BE": 0.08, "DE": 0.04, "CH": 0.03, "ES": 0.03}, "where a French shop delivers"
    )

    # Repeat orders and money
    purchase_gamma: tuple[float, float] = _seen((0.268, 6.00), f"{CDNOW}, BG/NBD r and alpha, weeks")
    dropout_beta: tuple[float, float] = _seen((0.483, 2.11), f"{CDNOW}, BG/NBD a and b")
    spend_shape: tuple[float, float] = _seen((5.09, 4.00), f"{CDNOW}, Gamma-Gamma p and q")
    mean_order_value: float = _seen(119.0, f"{BRAND}: 126 net; the spend scale follows from it")
    goods_share: float = _chosen(0.46, "cost of goods over the price before discount")
    shipping_cost: float = _chosen(6.40, "per order")
    fee_share: float = _chosen(0.018, "payment fees over what was paid")
    refund_rate: float = _seen(0.065, f"{RETAIL}: 6.9 % of value; its 19.7 per 100 orders count single lines")
    refund_lag_days: tuple[float, float] = _chosen((3.0, 14.0), "gamma shape and mean days to the refund")
    discount_rate: float = _chosen(0.18, "orders with a discount on ordinary days")
    discount_rate_promotion: float = _chosen(0.90, "the same during the promotion")
    discount_depth: tuple[float, ...] = _chosen((0.10, 0.15, 0.20, 0.30), "share off the price, equally likely")
    segment_discount: Mapping[str, float] = _chosen(
        {"regular": 0.6, "big_basket": 0.5, "bargain": 2.6, "occasional": 0.9}, "planted: discounts by segment"
    )
    segment_refund: Mapping[str, float] = _chosen(
        {"regular": 0.7, "big_basket": 1.6, "bargain": 1.2, "occasional": 1.0}, "planted: refunds by segment"
    )
    late_order_share: float = _chosen(0.02, "orders that reach the log days later (marketplace file)")
    late_event_share: float = _chosen(0.004, "visits that reach the log hours or days later (offline app)")

    # What customers say
    review_rate: float = _chosen(0.09, "reviews per order")
    review_stars: tuple[float, ...] = _seen((0.022, 0.016, 0.028, 0.124, 0.81), f"{REVIEWS}: 81 % five, 6.6 % up to 3")
    survey_rate: float = _chosen(0.14, "orders followed by an answered survey")
    ticket_rate: float = _chosen(0.05, "support tickets per kept order")
    ticket_rate_refund: float = _chosen(0.55, "support tickets per order that will be given back")
    invitation_mean: float = _chosen(0.10, "unanswered invitations per order")
    invited_share: float = _seen(0.036, f"{OLIST}: leads that came by referral (weak)")
    invited_to_order: float = _chosen(0.25, "a friend's word weighs three times Olist's 8.5 % (weak)")

    # Marketing
    click_cost: Mapping[str, float] = _seen(
        {"paid_search": 0.80, "paid_shopping": 0.77, "paid_social": 1.51, "other": 0.45},
        f"{BRAND} (other, a display network: ASSUMPTION)",
    )
    click_rate: Mapping[str, float] = _chosen(
        {"paid_search": 0.042, "paid_shopping": 0.009, "paid_social": 0.011, "other": 0.004}, "clicks per impression"
    )
    clicks_per_visit: float = _chosen(1.08, "clicks paid for that never load the page")
    click_cost_log_sd: float = _chosen(0.10, "day to day")
    newsletter_days: int = _chosen(14, "days between two newsletters, sent on Tuesdays")
    newsletter_pull: float = _chosen(0.6, "visits by mail that wait for the next newsletter")
    newsletter_cost: float = _chosen(45.0, "per newsletter")
    mail_cost: float = _chosen(0.003, "per mail sent")

    def __post_init__(self) -> None:
        for name in ("season_ordinary", "weekday", "hours"):
            wanted = {"season_ordinary": 12, "weekday": 7, "hours": 24}[name]
            given = getattr(self, name)
            if len(given) != wanted or min(given) <= 0:
                raise UsageError(f"{name} needs {wanted} positive numbers, got {given!r}.", fix="Give one per period.")
        for name in ("channel_new", "channel_return", "channel_known", "lead_to_order", "click_cost"):
            unknown = sorted(set(getattr(self, name)) - set(CHANNELS))
            if unknown:
                raise UsageError(f"{name} names channels {unknown}.", fix=f"Allowed: {', '.join(CHANNELS)}.")
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name.endswith(("_rate", "_share")) and isinstance(value, float) and not 0 <= value <= 1:
                raise UsageError(f"{f.name}={value!r} is not a share.", fix="Give a number from 0 to 1.")

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        """Every parameter with its default and its source, in order of declaration."""
        made = cls()
        return tuple(Figure(f.name, getattr(made, f.name), str(f.metadata["source"])) for f in fields(cls))
