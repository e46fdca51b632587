"""`lifecycle clv`: each question's answer, its files, and what it refuses."""

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
    folder = tmp_path_factory.mktemp("clv") / "shop"
    folder.mkdir()
    orders.to_csv(folder / "orders.csv", index=False)
    return folder


def run(capsys, *words):
    code = main(["clv", *(str(word) for word in words)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_value_is_told_with_its_range_its_groups_and_its_assumptions(capsys, shop):
    code, out, _ = run(capsys, "--data", shop, "--margin", 0.3, "--top", 3)
    assert code == 0
    assert "400 customers are expected to bring" in out
    assert "(90% range: " in out
    assert {"By channel", "By stage", "Beside the simple formula", "The 3 most valuable customers"} <= set(
        out.splitlines()
    )
    assert "Margin: 30.0% of revenue (given)" in out
    assert "Horizon: 24 months" in out


def test_value_for_scripts(capsys, shop):
    code, out, _ = run(
        capsys, "--data", shop, "--months", 12, "--margin", 0.3, "--discount-rate", 0, "--top", 2, "--json"
    )
    told = json.loads(out)
    assert code == 0
    assert told["lo"] < told["clv"] < told["hi"]
    assert sum(row["clv"] for row in told["groups"] if row["by"] == "stage") == pytest.approx(told["clv"])
    assert [row["method"] for row in told["methods"]] == ["MBG/NBD", "simple formula"]
    assert told["methods"][0]["revenue_bias"] is None  # nothing was tested
    first, second = told["customers"]
    assert first["clv"] >= second["clv"]
    _, out, _ = run(capsys, "--data", shop, "--months", 12, "--margin", 0.6, "--discount-rate", 0, "--json")
    assert json.loads(out)["clv"] == pytest.approx(2 * told["clv"])


def test_the_best_model_by_back_test_is_used_and_its_error_told(capsys, shop):
    words = ["--data", shop, "--margin", 0.3, "--model", "best", "--origins", 1, "--horizon-weeks", 20, "--json"]
    code, out, _ = run(capsys, *words)
    told = json.loads(out)
    assert code == 0
    assert f"Best single model by held-out deviance: {told['model']} " in told["warnings"][0]
    assert all(row["revenue_mae"] > 0 for row in told["methods"])


def test_back_test(capsys, shop, tmp_path):
    out_folder = tmp_path / "made"
    words = ["--data", shop, "--backtest", "--horizon-weeks", 20, "--origins", 2]
    code, out, err = run(capsys, *words, "--out", out_folder)
    assert code == 0
    assert "Best single model by held-out deviance:" in out
    assert "The simple formula was wrong by " in out
    assert "own rate" in out
    assert f"are in {out_folder}" in err
    names = {path.name for path in out_folder.iterdir()}
    assert {"summary.csv", "scores.parquet", "tracking.csv", "tracking.png", "calibration.png"} <= names
    scores = pd.read_csv(out_folder / "scores.csv")
    assert scores["origin"].nunique() == 2
    code, out, _ = run(capsys, *words, "--json")
    told = json.loads(out, parse_constant=pytest.fail)  # no Infinity, no NaN
    assert len(told["origins"]) == 2


def test_a_back_test_ends_by_the_as_of_day(capsys, shop):
    words = ["--data", shop, "--backtest", "--horizon-weeks", 10, "--origins", 1, "--json"]
    _, out, _ = run(capsys, *words, "--as-of", "2024-06-30")
    assert json.loads(out)["origins"] == ["2024-04-21"]  # ten weeks before


def test_one_more_customer(capsys, shop, tmp_path):
    picture = tmp_path / "more.png"
    words = ["--data", shop, "--margin", 0.3, "--one-more", "--won-since", "2023-06-01"]
    code, out, _ = run(capsys, *words, "--plot", picture)
    assert code == 0
    assert "one more customer is worth" in out
    assert "all channels" in out
    assert "The next customer is like those won from 2023-06-01" in out
    assert picture.stat().st_size > 1000
    _, out, _ = run(capsys, *words, "--json")
    assert json.loads(out)["channels"][0]["cac"] is None


def test_movers(capsys, shop, tmp_path):
    code, out, _ = run(
        capsys, "--data", shop, "--margin", 0.3, "--movers-since", "2024-09-30", "--top", 4, "--out", tmp_path / "m"
    )
    assert code == 0
    assert "The 4 largest changes" in out
    assert "customers' values rose and" in out
    assert {path.name for path in (tmp_path / "m").iterdir()} == {"movers.csv", "movers.parquet", "movers.png"}
    frame = pd.read_parquet(tmp_path / "m" / "movers.parquet")
    assert len(frame) == 400
    assert frame["change"].abs().is_monotonic_decreasing


def test_tables_and_pictures_of_value(capsys, shop, tmp_path):
    folder = tmp_path / "values"
    assert run(capsys, "--data", shop, "--margin", 0.3, "--out", folder)[0] == 0
    tables = [f"{name}.{ending}" for name in ("customers", "groups", "whale_curve", "simple_formula") for ending in (
        "csv", "parquet",
    )]  # fmt: skip
    pictures = ["value.png", "whale_curve.png", "value_by_channel.png", "value_by_stage.png"]
    assert {path.name for path in folder.iterdir()} == {*tables, *pictures}
    assert len(pd.read_csv(folder / "customers.csv")) == 400


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--model", "BG/NDB"], 1, "Did you mean 'BG/NBD'"),
        (["--margin", 30], 1, "Give a share of revenue"),
        (["--months", 0], 1, "--months"),
        (["--level", 2], 1, "level is 2.0"),
        (["--since", "2030-01-01"], 1, "is after the as-of day"),
        (["--as-of", "2020-01-01"], 2, "Nobody had bought by 2020-01-01"),
        (["--stages", "shp"], 1, "Did you mean 'shop'"),
        (["--backtest", "--one-more"], 1, "Ask one at a time"),
        (["--backtest", "--margin", 0.3], 1, "--margin says nothing to --backtest"),
        (["--origins", 2], 1, "Add --backtest or --model best"),
        (["--won-since", "2024-01-01"], 1, "Add --one-more"),
        (["--backtest", "--horizon-weeks", 200], 1, "too short to learn from"),
        (["--movers-since", "2024-12-30", "--as-of", "2024-12-01", "--margin", 0.3], 1, "do not compare"),
        (["--margin", 0.3, "--out", "no/such/folder"], 1, "There is no folder no/such"),
        (["--one-more", "--margin", 0.3, "--won-since", "2024-12-30"], 2, "Give an earlier --won-since"),
    ],
)
def test_refusals(capsys, shop, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    got, out, err = run(capsys, "--data", shop, *words)
    assert (got, says in err) == (code, True), err
    assert "Traceback" not in err
    assert out == ""


def test_an_unknown_margin_is_bad_data_and_speaks_of_the_option(capsys, shop, tmp_path):
    frame = pd.read_csv(shop / "orders.csv").drop(columns="net_cost")
    (tmp_path / "s").mkdir()
    frame.to_csv(tmp_path / "s" / "orders.csv", index=False)
    code, _, err = run(capsys, "--data", tmp_path / "s")
    assert code == 2
    assert "Give --margin 0.3 or the like" in err


def test_what_is_read_is_never_overwritten_by_a_table(capsys, shop, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "customers.csv").write_text((shop / "orders.csv").read_text())
    code, _, err = run(capsys, "--data", folder / "customers.csv", "--margin", 0.3, "--out", folder)
    assert code == 1
    assert "it would be overwritten" in err
