"""The models of repeat purchases by the names that reports and the command line know them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle_kit.errors import UnknownNameError

if TYPE_CHECKING:
    from lifecycle_kit.clv.purchase_model import PurchaseModel

__all__ = ["NO_LEAVING", "named_model", "usual_models"]

# the baseline among the models: it knows chance, but not that people leave
NO_LEAVING = "NBD"


def usual_models() -> dict[str, PurchaseModel]:
    """Return the models that a back-test tries when it is not told which."""
    from lifecycle_kit.clv.bgnbd import BGNBD
    from lifecycle_kit.clv.mbgcnbd import MBGCNBD
    from lifecycle_kit.clv.mbgnbd import MBGNBD
    from lifecycle_kit.clv.nbd import NBD
    from lifecycle_kit.clv.pareto_nbd import ParetoNBD

    return {
        "BG/NBD": BGNBD(),
        "MBG/NBD": MBGNBD(),
        "Pareto/NBD": ParetoNBD(),
        "MBG/CNBD-k": MBGCNBD(),
        NO_LEAVING: NBD(),
    }


def named_model(model: str | PurchaseModel) -> tuple[str, PurchaseModel]:
    """Return a model and its name, from either.

    Raises
    ------
    UnknownNameError
        When there is no model of this name.
    """
    if not isinstance(model, str):
        return type(model).__name__, model
    known = usual_models()
    if model not in known:
        raise UnknownNameError("model", model, known)
    return model, known[model]
