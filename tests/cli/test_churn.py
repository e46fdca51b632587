"""`lifecycle churn`: rules of lapse, risk, what is at stake, saved models, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.cli import main


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Orders of 400 customers who buy at rates of their own and leave some day, over two years."""
    random = np.random.default_rng(7)
    rows, begin = [], np.datetime64("2023-01-01")
    for i in range(400):
        day, rate, leaves = random.uniform(0, 500), random.gamma(1.2, 0.02), random.exponential(300)
        first, size = day, random.gamma(6, 10)
        while day < 730 and day - first <= leaves:
            revenue = round(float(random.gamma(8, size / 8)) + 1, 2)
            rows.append((f"p{i:03}", begin + int(day), revenue, round(revenue * 0.6, 2)))
            day += random.exponential(1 / rate) + 1
    orders = pd.DataFrame(rows, columns=["person_id", "ordered_at", "net_revenue", "net_cost"])
    orders.insert(0, "order_id", [f"o{i}" for i in range(len(orders))])
    folder = tmp_path_factory.mktemp("churn") / "shop"
    folder.mkdir()
    orders.to_csv(folder / "orders.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def kept(shop, tmp_path_factory):
    """A model of risk that was saved."""
    folder = tmp_path_factory.mktemp("kept") / "model"
    assert main(["churn", "--data", str(shop), "--model", "logistic", "--save", str(folder), "--json"]) == 0
    return folder


def run(capsys, *words):
    code = main(["churn", *(str(word) for word in words)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_rules_risk_and_value_are_told(capsys, shop):
    code, out, _ = run(capsys, "--data", shop, "--model", "logistic", "--margin", 0.3, "--reasons", "--top", 3)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("shop, as of 2024-12-30: 400 customers. Of ")
    assert {
        "Who counts as lapsed today, and how often that was wrong a window ago",
        "Risk of no order within 91 days, judged on shop, test window 2024-10-01 to 2024-12-30",
        "The 3 customers of the highest risk",
        "Risk beside value",
    } <= set(lines)
    for baseline in ("base rate", "last order alone", "P(no order), MBG/NBD"):
        assert any(line.startswith(baseline) for line in lines)
    assert "raises the risk" in out
    assert "is at risk." in out
    assert "Reasons are a reading of the model, not causes" in out


def test_rules_alone(capsys, shop):
    code, out, _ = run(capsys, "--data", shop, "--rules")
    assert code == 0
    assert "gap curve 50 %" in out
    assert "Risk" not in out
    _, out, _ = run(capsys, "--data", shop, "--rules", "days:90,rhythm:2,alive", "--window-days", 60, "--json")
    told = json.loads(out)
    assert [row["rule"] for row in told["rules"]] == ["90 days", "own rhythm x 2", "P(alive) < 0.5"]
    assert (told["window_days"], told["origin"]) == (60, "2024-10-31")
    assert "risk" not in told


def test_a_kept_model_gives_the_same_risks(capsys, shop, kept, tmp_path):
    words = ["--data", shop, "--margin", 0.3]
    folder = tmp_path / "made"
    code, out, err = run(capsys, *words, "--load", kept, "--out", folder, "--json")
    assert code == 0
    assert f"are in {folder}" in err
    loaded = json.loads(out)
    _, out, _ = run(capsys, *words, "--model", "logistic", "--json")
    fresh = json.loads(out)
    assert loaded["risk"]["mean_risk"] == pytest.approx(fresh["risk"]["mean_risk"])
    assert loaded["risk_value"]["at_risk"] == pytest.approx(fresh["risk_value"]["at_risk"])
    assert loaded["risk"]["threshold"] is None
    assert loaded["risk"]["n_worth_a_contact"] is None
    cells = pd.read_csv(folder / "risk_value.csv")
    assert (len(cells), cells["n_customers"].sum()) == (9, 400)
    risks = pd.read_parquet(folder / "risks.parquet")
    assert list(risks) == ["person_id", "risk"]
    assert risks["risk"].between(0, 1).all()
    pictures = {"lapse", "gaps", "calibration", "gain", "importance", "risk_value"}
    assert {path.stem for path in folder.glob("*.png")} == pictures


def test_costs_give_a_threshold(capsys, shop, kept):
    words = ["--data", shop, "--load", kept, "--cost-of-contact", 1, "--value-saved", 2]
    code, out, _ = run(capsys, *words, "--reasons", "--top", 2)
    assert code == 0
    assert "A contact pays from a risk of 50.0% on (1.00 / 2.00): " in out
    assert "The 2 customers of the highest expected profit and risk" in out
    _, out, _ = run(capsys, *words, "--json")
    told = json.loads(out)["risk"]
    assert told["threshold"] == 0.5
    assert 0 < told["n_worth_a_contact"] < 400


def test_a_kept_model_says_where_it_knows_too_much(capsys, shop, kept):
    code, _, err = run(capsys, "--data", shop, "--load", kept, "--as-of", "2024-11-30")
    assert code == 0
    assert "of 2024-11-30 it knows too much" in err


def test_where_risk_cannot_be_told_it_says_why(capsys, shop):
    words = ["--data", shop, "--window-days", 300]
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "No risk is told: " in out
    assert "Who counts as lapsed today" in out
    code, out, err = run(capsys, *words, "--reasons")
    assert (code, out) == (2, "")
    assert "Give a window of at most" in err


def test_without_a_margin_there_is_no_grid_and_it_says_why(capsys, shop, tmp_path):
    frame = pd.read_csv(shop / "orders.csv").drop(columns="net_cost")
    (tmp_path / "s").mkdir()
    frame.to_csv(tmp_path / "s" / "orders.csv", index=False)
    code, out, _ = run(capsys, "--data", tmp_path / "s", "--model", "logistic", "--plot", tmp_path / "lapse.png")
    assert code == 0
    assert "What is at stake is not told: " in out
    assert "--margin 0.3" in out
    assert (tmp_path / "lapse.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--model", "boostin"], 1, "Did you mean 'boosting'"),
        (["--rules", "day:90"], 1, "Did you mean 'days'"),
        (["--rules", "days:ninety"], 1, "Write it like days:180"),
        (["--rules", "days:90,days:90"], 1, "two rules called '90 days'"),
        (["--rules", "--model", "logistic"], 1, "--model says nothing to rules of lapse"),
        (["--load", "x", "--window-days", 30], 1, "--window-days says nothing to a model that was kept"),
        (["--load", "no/such/model"], 2, "has no manifest.json"),
        (["--top", 3], 1, "Add --reasons"),
        (["--value-saved", 3], 1, "--cost-of-contact is not given"),
        (["--value-saved", 0, "--cost-of-contact", 1], 1, "--value-saved is 0"),
        (["--window-days", 0], 1, "--window-days is 0"),
        (["--as-of", "2030-01-01"], 1, "--as-of 2030-01-01 is after"),
        (["--since", "2030-01-01"], 1, "begins before there is anything"),
        (["--as-of", "2020-01-01"], 1, "2020-01-01"),
        (["--rules", "--out", "no/such/folder"], 1, "There is no folder no/such"),
    ],
)
def test_refusals(capsys, shop, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    got, out, err = run(capsys, "--data", shop, *words)
    assert (got, says in err) == (code, True), err
    assert "Traceback" not in err
    assert out == ""
