"""How near a simulated shop comes to the figures it was built from, measured on its tables alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.simulate.parameters import CHANNELS

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.simulate.result import SimulatedShop

__all__ = ["TARGETS", "Target", "as_markdown", "calibration"]


@dataclass(frozen=True)
class Target:
    """One figure to meet: the band it must lie in, what was seen elsewhere, and where."""

    name: str
    low: float
    high: float
    seen: str
    source: str


CONJURA, CDNOW, OLIST = "Conjura", "CDNOW", "Olist"
SHARES = {
    "organic": 0.30,
    "paid_shopping": 0.23,
    "direct": 0.15,
    "email": 0.09,
    "referral": 0.09,
    "paid_search": 0.05,
    "paid_social": 0.05,
    "other": 0.04,
}

TARGETS: tuple[Target, ...] = (
    Target("orders per visit", 0.020, 0.026, "0.021", CONJURA),
    Target("orders per visit, days before the promotion", 0.010, 0.024, "0.014", CONJURA),
    Target("orders per visit, promotion", 0.050, 0.090, "0.067", CONJURA),
    Target("visits a day, promotion / ordinary", 2.2, 4.6, "3.76", CONJURA),
    Target("visits a day, before / ordinary", 1.0, 2.1, "1.64", CONJURA),
    Target("pages per visit", 1.30, 1.50, "1.40", "public site"),
    Target("returning share of visits", 0.14, 0.22, "0.174", "public site"),
    *(Target(f"visits by {c}", s * 0.75, s * 1.25 + 0.005, f"{s:.2f}", CONJURA) for c, s in SHARES.items()),
    Target("visits by email, promotion", 0.25, 0.45, "0.34", CONJURA),
    Target("daily noise, log sd", 0.09, 0.19, "0.13", "public site"),
    Target("daily noise, lag-1 autocorrelation", 0.5, 0.9, "0.72", "public site"),
    Target("leads per visit", 0.033, 0.045, "0.04", "ASSUMPTION"),
    Target("leads who order", 0.085, 0.125, "0.105", OLIST),
    Target("median days from lead to order", 9.0, 22.0, "14.7", OLIST),
    Target("second order within 30 days", 0.10, 0.22, "0.175", CDNOW),
    Target("second order within 90 days", 0.21, 0.34, "0.293", CDNOW),
    Target("second order within 180 days", 0.29, 0.42, "0.376", CDNOW),
    Target("second order within 365 days", 0.37, 0.50, "0.460", CDNOW),
    Target("order value, mean", 114.0, 126.0, "126", CONJURA),
    Target("order value, log sd", 0.60, 1.23, "0.73-1.23", "three sets"),
    Target("revenue of the top 10 % of customers", 0.35, 0.61, "0.35-0.61", "three sets"),
    Target("share of order value refunded", 0.05, 0.09, "0.069", "Online Retail"),
    Target("acquisition cost per new customer", 22.0, 40.0, "22-27", CONJURA),
    Target("acquisition cost per new customer, promotion", 4.0, 16.0, "5.6", CONJURA),
    Target("revenue over marketing spend", 5.0, 10.0, "5.9-8.4", CONJURA),
    Target("orders a day, January / year", 0.45, 0.85, "0.65", "Online Retail"),
    Target("orders a day, September / year", 0.95, 1.45, "1.20", "Online Retail"),
    Target("orders a day, October / year", 1.05, 1.55, "1.28", "Online Retail"),
    Target("orders a day, November / year", 1.50, 2.50, "1.82", "Online Retail"),
    Target("five-star reviews", 0.77, 0.85, "0.81", "578 k reviews"),
    Target("reviewers who review once", 0.65, 0.90, "0.78", "578 k reviews"),
    Target("leads who were invited", 0.020, 0.050, "0.036", f"{OLIST} (weak)"),
    Target("profit over revenue, before marketing", 0.25, 0.55, "0.3-0.5", "ASSUMPTION"),
)


def calibration(shop: SimulatedShop) -> pd.DataFrame:
    """Measure a clean shop of at least two years against `TARGETS`.

    Returns
    -------
    pandas.DataFrame
        One row per target: ``figure, shown, low, high, seen, source, within``.
    """
    import pandas as pd

    shown = {**_visits(shop), **_conversion(shop), **_orders(shop), **_voices(shop)}
    rows = [(t.name, shown[t.name], t.low, t.high, t.seen, t.source, t.low <= shown[t.name] <= t.high) for t in TARGETS]
    return pd.DataFrame(rows, columns=["figure", "shown", "low", "high", "seen", "source", "within"])


def as_markdown(table: pd.DataFrame) -> str:
    """Write the rows of `calibration` as a Markdown table, for the README of the data."""
    head = "| figure | shown | seen | source |\n|---|---|---|---|\n"
    return head + "".join(f"| {r.figure} | {r.shown:.3g} | {r.seen} | {r.source} |\n" for r in table.itertuples())


def _local_day(at: pd.Series, zone: str) -> pd.Series:
    return at.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()


def _day_kind(shop: SimulatedShop, days: pd.Series) -> pd.Series:
    import pandas as pd

    facts = shop.truth.facts
    text = days.dt.strftime("%Y-%m-%d")
    kind = pd.Series("ordinary", index=days.index)
    kind[text.isin(facts["days_before_promotion"])] = "before"
    kind[text.isin(facts["promotion_days"])] = "promotion"
    return kind


def _sessions(shop: SimulatedShop) -> pd.DataFrame:
    events = shop.tables["events"].select(["session_id", "anonymous_id", "event", "occurred_at", "channel"]).to_pandas()
    events = events[events["session_id"].notna()]
    pages = events["event"].isin(["page_viewed", "product_viewed"])
    s = events.groupby("session_id", sort=True).agg(
        device=("anonymous_id", "first"), at=("occurred_at", "first"), channel=("channel", "first")
    )
    s["n_pages"] = pages.groupby(events["session_id"]).sum()
    s["day"] = _local_day(s["at"], shop.parameters.timezone)
    s["kind"] = _day_kind(shop, s["day"])
    return s


def _visits(shop: SimulatedShop) -> dict[str, float]:
    import numpy as np

    s = _sessions(shop)
    per_day = s.groupby("day").agg(n=("channel", "size"), kind=("kind", "first"))
    ordinary = per_day["kind"] == "ordinary"
    # Promotion against the ordinary days of the same Novembers: season is not the promotion's doing.
    november = per_day[per_day.index.month == 11]
    by_kind = november.groupby("kind")["n"].mean()
    log = np.log(per_day["n"][ordinary])
    # The season is taken from the parameters: months' own means would take the slow noise out with it.
    p = shop.parameters
    years = (log.index - log.index[0]).days.to_numpy() / 365.25
    log = log - np.log([p.season_ordinary[m - 1] for m in log.index.month]) - years * np.log(p.yearly_growth)
    log = log - log.groupby(log.index.day_of_week).transform("mean")
    lagged = log.shift(1, freq="D").reindex(log.index)
    out = {
        "visits a day, promotion / ordinary": by_kind["promotion"] / by_kind["ordinary"],
        "visits a day, before / ordinary": by_kind["before"] / by_kind["ordinary"],
        "pages per visit": s["n_pages"].mean(),
        "returning share of visits": s["device"].duplicated().mean(),
        "visits by email, promotion": (s["channel"][s["kind"] == "promotion"] == "email").mean(),
        "daily noise, log sd": log.std(),
        "daily noise, lag-1 autocorrelation": log.corr(lagged),
    }
    shares = s["channel"].value_counts(normalize=True)
    return {**out, **{f"visits by {c}": float(shares.get(c, 0.0)) for c in CHANNELS}}


def _conversion(shop: SimulatedShop) -> dict[str, float]:
    import pandas as pd

    s = _sessions(shop)
    orders = shop.tables["orders"].to_pandas()
    orders["kind"] = _day_kind(shop, _local_day(orders["ordered_at"], shop.parameters.timezone))
    events = shop.tables["events"].select(["person_id", "event", "occurred_at"]).to_pandas()
    leads = events[events["event"] == "signed_up"].set_index("person_id")["occurred_at"]
    first = orders.groupby("person_id")["ordered_at"].min()
    lag = (first.reindex(leads.index) - leads).dt.total_seconds() / 86_400
    # Leads of the last half year had no time to order.
    old = leads < orders["ordered_at"].max() - pd.Timedelta(days=180)
    costs = shop.tables["costs"].to_pandas()
    won = costs[costs["purpose"] == "acquisition"]
    in_promotion = pd.to_datetime(won["date"]).dt.strftime("%Y-%m-%d").isin(shop.truth.facts["promotion_days"])
    is_first = ~orders.sort_values("ordered_at")["person_id"].duplicated()
    n_first_promotion = (is_first & (orders["kind"] == "promotion")).sum()
    ratio = orders["kind"].value_counts() / s["kind"].value_counts()
    return {
        "orders per visit": len(orders) / len(s),
        "orders per visit, days before the promotion": ratio["before"],
        "orders per visit, promotion": ratio["promotion"],
        "leads per visit": len(leads) / len(s),
        "leads who order": lag[old].notna().mean(),
        "median days from lead to order": lag[old].median(),
        "acquisition cost per new customer": won["amount"].sum() / 100 / len(first),
        "acquisition cost per new customer, promotion": won["amount"][in_promotion].sum() / 100 / n_first_promotion,
        "revenue over marketing spend": orders["net_revenue"].sum() / costs["amount"].sum(),
    }


def _orders(shop: SimulatedShop) -> dict[str, float]:
    import numpy as np
    import pandas as pd

    orders = shop.tables["orders"].to_pandas().sort_values(["person_id", "ordered_at"])
    number = orders.groupby("person_id").cumcount()
    first = orders[number == 0].set_index("person_id")["ordered_at"]
    second = orders[number == 1].set_index("person_id")["ordered_at"].reindex(first.index)
    gap = (second - first).dt.total_seconds() / 86_400
    end = orders["ordered_at"].max()
    out: dict[str, float] = {}
    for days in (30, 90, 180, 365):
        watched = first < end - pd.Timedelta(days=days)
        out[f"second order within {days} days"] = float((gap[watched] <= days).mean())
    spent = orders.groupby("person_id")["net_revenue"].sum().sort_values(ascending=False)
    day = _local_day(orders["ordered_at"], shop.parameters.timezone)
    # The second year: in the first the shop has few customers yet, and every month outgrows the last.
    last_year = day[day >= day.max() - pd.Timedelta(days=364)]
    per_day = last_year.groupby(last_year.dt.month).size() / last_year.groupby(last_year.dt.month).agg(
        lambda d: d.iloc[0].days_in_month
    )
    back = orders["status"] == "refunded"
    euros = orders["net_revenue"] / 100
    kept = orders[~back]
    return {
        **out,
        "order value, mean": euros.mean(),
        "order value, log sd": np.log(euros).std(),
        "revenue of the top 10 % of customers": spent.iloc[: len(spent) // 10].sum() / spent.sum(),
        "share of order value refunded": orders["net_revenue"][back].sum() / orders["net_revenue"].sum(),
        "profit over revenue, before marketing": 1 - kept["cost"].sum() / kept["net_revenue"].sum(),
        **{
            f"orders a day, {name} / year": per_day[month] / (len(last_year) / 365)
            for name, month in (("January", 1), ("September", 9), ("October", 10), ("November", 11))
        },
    }


def _voices(shop: SimulatedShop) -> dict[str, float]:
    events = shop.tables["events"].select(["person_id", "event", "properties"]).to_pandas()
    reviews = events[events["event"] == "review_posted"]
    referred = shop.tables["referrals"]["referred_id"].drop_null()
    n_leads = (events["event"] == "signed_up").sum()
    return {
        "five-star reviews": (reviews["properties"] == '{"stars":5}').mean(),
        "reviewers who review once": (reviews["person_id"].value_counts() == 1).mean(),
        "leads who were invited": len(referred) / n_leads,
    }
