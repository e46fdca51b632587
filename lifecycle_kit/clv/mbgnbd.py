"""MBG/NBD: the customer may stop after the first purchase too."""

from __future__ import annotations

from lifecycle_kit.clv.beta_geometric import BetaGeometric

__all__ = ["MBGNBD"]


class MBGNBD(BetaGeometric):
    """Modified BG/NBD: a coin after every purchase, the first included, says whether to stop.

    One-time buyers may have left at once, so their P(alive) falls with time.

    Parameters
    ----------
    horizon : float, default 52
        How far `predict` looks ahead, in the time unit of the data.
    prior_sd : float, optional
        Log-normal prior, see `PurchaseModel`.

    Attributes
    ----------
    r_, alpha_ : float
        Gamma distribution of the purchase rate: mean r / alpha per time unit.
    a_, b_ : float
        Beta distribution of the probability to stop: mean a / (a + b).

    Notes
    -----
    Source: Batislam, Denizel and Filiztekin (2007), "Empirical validation and comparison of models for customer base
    analysis".
    """

    _first_coin = 1
