"""Event names: one spelling for what GA4, Segment and shops call differently."""

from __future__ import annotations

from typing import Any

__all__ = ["EVENT_ALIASES", "event_aliases"]

EVENT_ALIASES: dict[str, str] = {
    "page_view": "page_viewed",
    "view_item": "product_viewed",
    "view_item_list": "product_list_viewed",
    "select_item": "product_clicked",
    "search": "products_searched",
    "add_to_cart": "product_added",
    "remove_from_cart": "product_removed",
    "view_cart": "cart_viewed",
    "add_to_wishlist": "product_added_to_wishlist",
    "begin_checkout": "checkout_started",
    "add_payment_info": "payment_info_entered",
    "purchase": "order_completed",
    "refund": "order_refunded",
    "sign_up": "signed_up",
    "login": "signed_in",
    "generate_lead": "lead_generated",
    "share": "product_shared",
}
_KNOWN = frozenset(EVENT_ALIASES.values())


def event_aliases(found: list[tuple[Any, int]], declared: dict[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return canonical names for those found names that are known under another spelling, and a note for each.

    Parameters
    ----------
    found : list of (name, count)
    declared : dict of str
        Names that a mapping file renames itself; they are left alone.
    """
    aliases: dict[str, str] = {}
    notes = []
    for name, n in found:
        if not isinstance(name, str) or name in declared:
            continue
        spelt = name.strip().lower().replace(" ", "_")
        canonical = EVENT_ALIASES.get(spelt, spelt if spelt in _KNOWN else name)
        if canonical != name:
            aliases[name] = canonical
            notes.append(f"events.event: {name!r} is read as {canonical!r} ({n:,} rows)")
    return aliases, tuple(notes)
