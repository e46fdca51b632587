"""The shop's figures lie where the sources say, and the README tells what they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lifecycle_kit.simulate import SimulatedShop, calibration, simulate_shop
from lifecycle_kit.simulate.calibration import as_markdown

README = Path(__file__).parents[2] / "data" / "README.md"


def test_every_figure_lies_in_its_band(measured: pd.DataFrame) -> None:
    outside = measured[~measured["within"]]
    assert outside.empty, outside.to_string()


def test_readme_shows_the_figures_of_the_shop(measured: pd.DataFrame) -> None:
    text = README.read_text(encoding="utf-8")
    assert as_markdown(measured) in text


def test_bands_can_be_missed() -> None:
    from lifecycle_kit.simulate import ShopParameters

    cheap = simulate_shop(
        seed=7, visits_per_day=60, parameters=ShopParameters(mean_order_value=60.0, review_stars=(0.2,) * 5)
    )
    table = calibration(cheap).set_index("figure")
    assert not table.loc["order value, mean", "within"]
    assert not table.loc["five-star reviews", "within"]


@pytest.mark.parametrize("stage", ["anonymous", "lead", "first purchase", "repeat", "vip", "lapsed", "advocate"])
def test_every_stage_has_people(shop: SimulatedShop, stage: str) -> None:
    orders = shop.tables["orders"].to_pandas()
    orders = orders[orders["status"] == "completed"]
    end = orders["ordered_at"].max()
    per = orders.groupby("person_id")["ordered_at"].agg(["size", "max"])
    recent = per["max"] > end - pd.Timedelta(days=180)
    spent = orders[orders["ordered_at"] > end - pd.Timedelta(days=365)].groupby("person_id")["net_revenue"].sum()
    referrals = shop.tables["referrals"].to_pandas()
    n = {
        "anonymous": shop.tables["events"]["anonymous_id"].combine_chunks().unique().__len__() - 20_000,
        "lead": shop.tables["customers"].num_rows - len(per),
        "first purchase": (recent & (per["size"] == 1)).sum(),
        "repeat": (recent & (per["size"] > 1)).sum(),
        "vip": (spent >= 50_000).sum(),
        "lapsed": (~recent).sum(),
        "advocate": referrals.loc[referrals["converted_at"] > end - pd.Timedelta(days=365), "referrer_id"].nunique(),
    }[stage]
    assert n >= {"advocate": 30, "vip": 150}.get(stage, 300)
