"""What every model fitted by maximum likelihood tells: parameters, their errors, and when not to trust them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from lifecycle_kit.clv.maximum import HIGHEST, LOWEST, Likelihood, Maximum, maximise
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["FitWarning", "LikelihoodModel", "NotFittedYetError", "Params"]

Params = dict[str, float]

# a log parameter with a standard error above this is not told by the data
FLAT = 3.0


def _levels_inside() -> int:
    """Return how many calls of this room stand between a warning and the line that asked for the fit."""
    frame, n = sys._getframe(1), 0
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("lifecycle_kit.clv."):
        frame, n = frame.f_back, n + 1  # type: ignore[assignment]
    return n


class FitWarning(UserWarning):
    """A fit that must not be trusted blindly: see the model's `warnings_`."""


class NotFittedYetError(UsageError, NotFittedError):  # type: ignore[misc]
    """The model was asked before it was fitted."""


class LikelihoodModel(BaseEstimator):  # type: ignore[misc]
    """Base of the models with parameters above 0 that are fitted by maximum likelihood, in their logarithms.

    Attributes
    ----------
    params_ : dict
        Parameters by name; each is an attribute too, with an underscore behind its name.
    std_errors_ : dict
        Their standard errors, from the curvature in the log parameters. Infinite where the data do not tell one.
    log_covariance_ : array
        Covariance of the log parameters.
    log_likelihood_ : float
        Of all customers, at `params_`, without the prior.
    converged_ : bool
    warnings_ : tuple of str
        What must be known before the fit is used: a ridge, a parameter that ran to its bound, no convergence. Each is
        also a Python warning.
    n_customers_ : float
    """

    # names of the parameters, and which of them have the unit of the data (times, or money)
    _names: ClassVar[tuple[str, ...]]
    _in_units: ClassVar[tuple[str, ...]] = ()
    # what is alike for all customers when both parameters of a pair grow without end
    _ridges: ClassVar[dict[tuple[str, str], str]] = {}
    prior_sd: float | None

    def _settle(self, likelihood: Likelihood, n_customers: float, scale: float, rough: Likelihood | None) -> Floats:
        """Find the parameters and tell of them; return the log parameters in units of `scale`."""
        found = maximise(
            self._with_prior(likelihood),
            np.zeros(len(self._names)),
            n_customers,
            None if rough is None else self._with_prior(rough),
        )
        log_params = found.place + np.log(scale) * np.array([name in self._in_units for name in self._names])
        self.params_: Params = dict(zip(self._names, np.exp(log_params).tolist(), strict=True))
        for name, value in self.params_.items():
            setattr(self, f"{name}_", value)
        self.converged_, self.n_customers_ = found.converged, n_customers
        self._tell(found)
        return found.place

    def _with_prior(self, likelihood: Likelihood) -> Likelihood:
        if self.prior_sd is None:
            return likelihood
        precision = float(self.prior_sd) ** -2

        def penalised(place: Floats) -> tuple[float, Floats]:
            value, gradient = likelihood(place)
            return value - precision / 2 * float(place @ place), gradient - precision * place

        return penalised

    def _tell(self, found: Maximum) -> None:
        sizes, axes = np.linalg.eigh(found.information)
        # a direction that the data do not bend has no finite error
        flat = sizes <= 1e-9 * max(float(sizes[-1]), 1.0)
        inverse = np.where(flat, np.inf, 1 / np.where(flat, 1.0, sizes))
        spread = np.sqrt((axes**2 @ np.where(flat, 0.0, inverse)) + np.where((axes**2 @ flat) > 1e-6, np.inf, 0.0))
        self.log_covariance_ = (axes * np.minimum(inverse, FLAT**2)) @ axes.T
        self.std_errors_ = {n: v * s for (n, v), s in zip(self.params_.items(), spread.tolist(), strict=True)}
        told = [] if found.converged else [f"The fit did not converge: {found.message}."]
        place = dict(zip(self._names, found.place.tolist(), strict=True))
        wide = dict(zip(self._names, spread.tolist(), strict=True))
        told += self._of_ridges(place, wide)
        self.warnings_ = tuple(told)
        for sentence in told:
            warnings.warn(f"{type(self).__name__}: {sentence}", FitWarning, stacklevel=_levels_inside() + 1)

    def _of_ridges(self, place: Params, wide: Params) -> list[str]:
        told, seen = [], set()
        for (first, second), what in self._ridges.items():
            if first not in place:
                continue
            endless = max(place[first], place[second]) > HIGHEST - 0.5
            vague = max(wide[first], wide[second])
            ratio = self.params_[first] / self.params_[second]
            per = " per time unit of the data" if second in self._in_units else ""
            if endless or (place[first] > np.log(5) and vague > 1):
                told.append(
                    f"{first} and {second} can grow together at hardly any loss (a ridge): {what} is about the same "
                    f"for everybody. Their ratio ({ratio:.3g}{per}) is told by the data, they are not. Do not read "
                    "them, or differences between customers, as facts."
                )
                seen |= {first, second}
        for name, value in place.items():
            if name not in seen and (value < LOWEST + 0.5 or value > HIGHEST - 0.5):
                told.append(f"{name} ran to the bound of what is allowed: the data do not tell it.")
            elif name not in seen and wide[name] > FLAT:
                told.append(f"{name} is hardly told by the data: its standard error is over {np.exp(FLAT):.0f}-fold.")
        return told

    def drawn_parameters(self, n_draws: int, random: np.random.Generator) -> Iterator[Params]:
        """Yield parameters as likely as the data leave them: normal in their logarithms around the fit."""
        self._check_fitted()
        middle = np.log(list(self.params_.values()))
        sizes, axes = np.linalg.eigh(self.log_covariance_)
        away = axes * np.sqrt(np.clip(sizes, 0, FLAT**2))
        for z in random.standard_normal((n_draws, len(middle))):
            # a draw beyond the bounds of a fit is a place that no fit can find
            moved = np.clip(away @ z, -FLAT, FLAT)
            yield dict(zip(self._names, np.exp(middle + moved).tolist(), strict=True))

    def parameters_of(self, parameters: str, n_draws: int, random: np.random.Generator) -> Iterator[Params]:
        """Return the parameters of each of some draws: "drawn" each time, or always the "fitted" ones.

        Raises
        ------
        UsageError
            When it is neither.
        """
        if parameters not in ("drawn", "fitted"):
            raise UsageError(f"parameters is {parameters!r}.", fix="Give 'drawn' or 'fitted'.")
        return self.drawn_parameters(n_draws, random) if parameters == "drawn" else repeat(self.params_, n_draws)

    def summary(self) -> Any:
        """Return the fit as a frame: one row per parameter, with its value, standard error and 95 % interval."""
        import pandas as pd

        self._check_fitted()
        value = np.array(list(self.params_.values()))
        error = np.array(list(self.std_errors_.values()))
        # the exponential of much more overflows
        factor = np.exp(np.minimum(1.959964 * error / value, 600.0))
        told = {"parameter": list(self._names), "value": value, "std_error": error}
        return pd.DataFrame(told | {"lo": value / factor, "hi": value * factor})

    def _check_fitted(self) -> None:
        if not hasattr(self, "params_"):
            raise NotFittedYetError(f"This {type(self).__name__} is not fitted yet.", fix="Call fit first.")

    def _check_parameters(self) -> None:
        if self.prior_sd is not None and not (
            isinstance(self.prior_sd, (int, float, np.number)) and 0 < self.prior_sd < np.inf
        ):
            raise UsageError(f"prior_sd is {self.prior_sd!r}.", fix="Give a number above 0, or None for no prior.")
