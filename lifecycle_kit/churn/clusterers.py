"""The ways to part customers, as data: a name, and a pipeline that takes measures and gives groups."""

# scikit-learn calls a table of features X
# ruff: noqa: N803, N806

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import HDBSCAN, BisectingKMeans, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from lifecycle_kit.churn.segment_features import QUANTILES, preparation
from lifecycle_kit.errors import UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["METHODS", "Candidate", "DensityGroups", "check_methods", "pipeline_of", "quietly"]

# HDBSCAN compares every pair
MOST_FOR_DENSITY = 50_000


class DensityGroups(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """HDBSCAN that can place anybody: each customer goes to the nearest centre of the groups found.

    Where the density is too low for any group, HDBSCAN places nobody; here these customers go to the nearest centre
    too, and are counted.

    Parameters
    ----------
    smallest_share : float
        A group holds at least this share of the customers, and 50 of them.
    min_samples : int
        Neighbours that make a place dense.
    most : int
        HDBSCAN sees this many customers, drawn at random, where there are more.
    random_state : int

    Attributes
    ----------
    cluster_centers_ : array of float
    noise_share_ : float
        Share of customers of the fit in no dense place.
    """

    def __init__(
        self, smallest_share: float = 0.01, min_samples: int = 25, most: int = MOST_FOR_DENSITY, random_state: int = 0
    ) -> None:
        self.smallest_share = smallest_share
        self.min_samples = min_samples
        self.most = most
        self.random_state = random_state

    def fit(self, X: Floats, y: Any = None) -> DensityGroups:
        """Find dense groups and their centres."""
        X = np.asarray(X, dtype=np.float64)
        seen = X
        if len(X) > self.most:
            seen = X[np.sort(np.random.default_rng(self.random_state).choice(len(X), self.most, replace=False))]
        smallest = max(50, round(self.smallest_share * len(seen)))
        if len(seen) < 2 * smallest:
            labels = np.full(len(seen), -1)
        else:
            found = HDBSCAN(min_cluster_size=smallest, min_samples=self.min_samples, copy=True)
            labels = found.fit_predict(seen)
        self.noise_share_ = float((labels < 0).mean())
        there = np.unique(labels[labels >= 0])
        means = [seen[labels == label].mean(axis=0) for label in there]
        self.cluster_centers_ = np.array(means or [seen.mean(axis=0)])
        self.n_features_in_ = X.shape[1]
        self.labels_ = self.predict(X)
        return self

    def predict(self, X: Floats) -> Whole:
        """Return the nearest centre of each row."""
        X = np.asarray(X, dtype=np.float64)
        centres = self.cluster_centers_
        distance = (centres**2).sum(axis=1) - 2 * X @ centres.T
        return np.asarray(distance.argmin(axis=1), dtype=np.int64)


@dataclass(frozen=True)
class Method:
    """A way to part customers.

    Attributes
    ----------
    name, words : str
    takes_k : bool
        Whether the number of groups is given; else it is found.
    build : callable
        (k, seed) -> unfitted clusterer.
    """

    name: str
    words: str
    takes_k: bool
    build: Callable[[int, int], Any]


METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method(
            "kmeans",
            "round groups about equally wide",
            True,
            lambda k, seed: KMeans(k, n_init=3, random_state=seed),
        ),
        Method(
            "bisecting",
            "a group is split in two again and again",
            True,
            lambda k, seed: BisectingKMeans(k, n_init=3, random_state=seed),
        ),
        Method(
            "gaussian_mixture",
            "groups of any width and slant that may overlap",
            True,
            # the floor of the variance keeps a group of equals, such as one-time buyers, from shrinking to a point
            lambda k, seed: GaussianMixture(
                k, covariance_type="full", reg_covar=1e-2, tol=1e-3, max_iter=200, random_state=seed
            ),
        ),
        Method(
            "hdbscan", "dense places, as many as there are", False, lambda k, seed: DensityGroups(random_state=seed)
        ),
    )
}


@dataclass(frozen=True)
class Candidate:
    """A method and a number of groups; None where the method finds it."""

    method: str
    k: int | None

    def __str__(self) -> str:
        return self.method if self.k is None else f"{self.method}, {self.k} groups"


def check_methods(methods: tuple[str, ...]) -> None:
    """Raise UnknownNameError for a method that is none."""
    for name in methods:
        if name not in METHODS:
            raise UnknownNameError("method", str(name), METHODS)


def pipeline_of(
    candidate: Candidate, names: tuple[str, ...], seed: int, quantiles: tuple[float, float] = QUANTILES
) -> Pipeline:
    """Return the unfitted pipeline of a candidate: customers in, groups out, parted by the measures named."""
    method = METHODS[candidate.method]
    return Pipeline([*preparation(names, quantiles), ("groups", method.build(candidate.k or 0, seed))])


@contextmanager
def quietly() -> Iterator[None]:
    """Fit on one thread, and let groups that could not be told apart be seen by their number instead of a warning.

    The matrices are small: more threads wait for each other longer than they work.
    """
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
