"""The report's section on who is about to leave: there where it can be told, and a sentence where not."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.cli import main

SECTION = re.compile(r'id="s-who-is-about-to-leave">(.*?)<h2 ', re.DOTALL)


def section(folder, *words):
    assert main(["report", "--out", str(folder), *map(str, words)]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    found = re.sub(r'src="[^"]*"', "", SECTION.search(page)[1])
    return found, " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_what_a_short_log_cannot_feed_is_told(tmp_path):
    (tmp_path / "shop").mkdir()
    lines = [f"p{i % 9},2024-0{1 + i % 6}-05,{10 + i}.00" for i in range(30)]
    (tmp_path / "shop" / "orders.csv").write_text("\n".join(["person_id,ordered_at,net_revenue", *lines]))
    _, words = section(tmp_path / "r", "--data", tmp_path / "shop")
    assert "too short for three windows of 91 days" in words
    assert "Verdict: not judged" in words
    assert "At risk" not in words
    tables = {path.stem for path in (tmp_path / "r" / "tables").iterdir()}
    assert {"lapse", "rfm", "segments"} <= tables
    assert not tables & {"risk", "risk_judgement", "risk_value"}


@pytest.mark.slow
def test_lapse_risk_value_and_groups_with_their_tables(tmp_path):
    random = np.random.default_rng(7)
    rows, begin = [], np.datetime64("2023-01-01")
    for i in range(400):
        day, rate, leaves = random.uniform(0, 500), random.gamma(1.2, 0.02), random.exponential(300)
        first, size = day, random.gamma(6, 10)
        while day < 730 and day - first <= leaves:
            rows.append((f"p{i:03}", begin + int(day), round(float(random.gamma(8, size / 8)) + 1, 2)))
            day += random.exponential(1 / rate) + 1
    orders = pd.DataFrame(rows, columns=["person_id", "ordered_at", "net_revenue"])
    (tmp_path / "shop").mkdir()
    orders.to_csv(tmp_path / "shop" / "orders.csv", index=False)
    found, words = section(tmp_path / "r", "--data", tmp_path / "shop", "--margin", 0.3)
    assert "how often that was wrong in the 91 days after 2024-09-30" in words
    assert "The forecast beside what needs no model of risk: shop, test window 2024-10-01 to 2024-12-30" in words
    assert "is at risk. Whom it pays to contact hangs on what a contact costs" in words
    assert re.search(r"Verdict: (usable|do not use)", words)
    assert found.count("<img") == 4  # lapse, calibration, grid, profiles
    tables = tmp_path / "r" / "tables"
    cells = pd.read_csv(tables / "risk_value.csv")
    assert (len(cells), cells["n_customers"].sum()) == (9, 400)
    assert pd.read_parquet(tables / "risk.parquet")["risk"].between(0, 1).all()
    assert len(pd.read_parquet(tables / "segments.parquet")) == 400
    for name in ("lapse", "risk_judgement", "risk_calibration", "segment_candidates", "segment_outcomes"):
        assert len(pd.read_csv(tables / f"{name}.csv"))
