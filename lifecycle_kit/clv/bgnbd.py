"""BG/NBD: the customer may stop after each repeat purchase."""

from __future__ import annotations

from lifecycle_kit.clv.beta_geometric import BetaGeometric

__all__ = ["BGNBD"]


class BGNBD(BetaGeometric):
    """BG/NBD: purchases at a rate of one's own, and a coin after each repeat purchase that says whether to stop.

    Who never came back has had no coin: P(alive) is 1 for every one-time buyer, however long ago. Where that is absurd
    (it mostly is), use `MBGNBD` or `ParetoNBD`.

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
    Source: Fader, Hardie and Lee (2005), "Counting your customers the easy way".
    """

    _first_coin = 0
