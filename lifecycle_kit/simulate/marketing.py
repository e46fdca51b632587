"""What the shop spends: clicks to win customers, newsletters to keep them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from lifecycle_kit.simulate.clock import Clock, Ints
from lifecycle_kit.simulate.columns import contract_table, names
from lifecycle_kit.simulate.parameters import CHANNELS, ShopParameters
from lifecycle_kit.simulate.sessions import Sessions
from lifecycle_kit.simulate.streams import Streams
from lifecycle_kit.simulate.touchpoints import PAID, campaign_names, campaign_numbers
from lifecycle_kit.simulate.visits import Bools

__all__ = ["costs_table"]


def costs_table(
    p: ShopParameters, clock: Clock, streams: Streams, s: Sessions, linked_day: Ints, consents: Bools
) -> pa.Table:
    """One row per day and paid channel, and one per newsletter."""
    rng = streams.part("costs")
    days = np.arange(clock.n_days)
    rows: list[tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints]] = []
    for name in PAID:
        number = CHANNELS.index(name)
        visits = np.bincount(s.day[s.channel == number], minlength=clock.n_days)
        clicks = visits + rng.poisson(visits * (p.clicks_per_visit - 1))
        price = p.click_cost[name] * np.exp(rng.normal(0.0, p.click_cost_log_sd, clock.n_days))
        amount = np.rint(clicks * price * 100).astype(np.int64)
        impressions = clicks + rng.poisson(clicks * (1 / p.click_rate[name] - 1))
        campaign = campaign_numbers(clock, np.full(clock.n_days, number), days, np.full(clock.n_days, -1))
        rows.append((days, np.full(clock.n_days, number), campaign, amount, np.zeros_like(days), impressions, clicks))

    sent_on = clock.newsletters
    joined = np.sort(linked_day[consents])
    mails = np.searchsorted(joined, sent_on, side="left")
    clicks = np.bincount(s.newsletter[s.newsletter >= 0], minlength=clock.n_days)[sent_on]
    amount = np.rint((p.newsletter_cost + mails * p.mail_cost) * 100).astype(np.int64)
    email = np.full(sent_on.size, CHANNELS.index("email"))
    rows.append((sent_on, email, sent_on, amount, np.ones_like(sent_on), mails, clicks))

    day, channel, campaign, amount, purpose, impressions, clicks = (np.concatenate(x) for x in zip(*rows, strict=True))
    turn = np.lexsort((channel, day))
    dates = np.asarray([(clock.start + timedelta(days=i)).toordinal() - 719_163 for i in range(clock.n_days)])
    return contract_table(
        "costs",
        {
            "date": pa.array(dates[day[turn]].astype(np.int32)).cast(pa.date32()),
            "channel": names(channel[turn], CHANNELS),
            "campaign": names(campaign[turn], campaign_names(clock)),
            "amount": pa.array(amount[turn]),
            "purpose": names(purpose[turn], ("acquisition", "retention")),
            "impressions": pa.array(impressions[turn].astype(np.int64)),
            "clicks": pa.array(clicks[turn].astype(np.int64)),
        },
    )
