"""`lifecycle segments`: groups, the verdict on them, files, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.cli import main


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two kinds of customers: 150 who buy little once or twice, 150 who buy much and often."""
    random = np.random.default_rng(3)
    rows, begin = [], np.datetime64("2023-01-01")
    for i in range(300):
        often = i % 2 == 0
        day = float(random.uniform(0, 300))
        for _ in range(random.poisson(12) + 4 if often else random.integers(1, 3)):
            if day < 540:
                rows.append((f"p{i:03}", begin + int(day), round(float(random.gamma(8, 25 if often else 4)) + 1, 2)))
            day += float(random.uniform(15, 35))
    orders = pd.DataFrame(rows, columns=["person_id", "ordered_at", "net_revenue"])
    orders.insert(0, "order_id", [f"o{i}" for i in range(len(orders))])
    folder = tmp_path_factory.mktemp("segments") / "shop"
    folder.mkdir()
    orders.to_csv(folder / "orders.csv", index=False)
    return folder


def run(capsys, *words):
    code = main(["segments", *(str(word) for word in words)])
    told = capsys.readouterr()
    return code, told.out, told.err


QUICK = ("--methods", "kmeans", "--k", 2)


def test_groups_are_told_with_their_verdict_and_what_came_in_the_window(capsys, shop):
    code, out, _ = run(capsys, "--data", shop, *QUICK)
    assert code == 0
    first, second, *others = out.splitlines()
    assert first == "shop, as of 2024-06-23: 300 customers; kmeans, 2 groups."
    assert second.startswith("Verdict: ")
    headings = {
        "What the verdict stands on",
        "Groups by clustering",
        "RFM groups",
        "In the 91 days after 2024-03-24, which no fit had seen",
        "Groups by clustering over the stages of orders_only",
    }
    assert headings <= set(others)
    assert "95 % of random groups of that size" in out


def test_groups_for_scripts(capsys, shop):
    code, out, _ = run(capsys, "--data", shop, *QUICK, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["verdict"] in ("usable", "do not use")
    assert sum(row["n_customers"] for row in told["profiles"]) == 300
    assert sum(row["n_customers"] for row in told["rfm"]["groups"]) == 300
    assert sum(row["n_people"] for row in told["by_stage"]) == 300
    assert {row["grouping"] for row in told["outcomes"]} == {"segments", "RFM groups"}
    assert told["judged"][0]["found"].startswith(told["verdict"])


def test_do_not_use_is_said_plainly(capsys, tmp_path):
    # everybody is alike, so no grouping tells anything
    random = np.random.default_rng(0)
    days = np.sort(random.integers(0, 500, size=(150, 3)), axis=1).ravel()
    dates = np.datetime64("2023-01-01") + days
    amounts = random.gamma(20, 5, len(days)).round(2)
    frame = pd.DataFrame({"person_id": np.repeat(np.arange(150), 3), "ordered_at": dates, "net_revenue": amounts})
    frame.to_csv(tmp_path / "orders.csv", index=False)
    code, out, _ = run(capsys, "--data", tmp_path / "orders.csv", "--methods", "kmeans", "--k", 3)
    assert code == 0
    assert out.splitlines()[1].startswith("Verdict: do not use: ")


def test_a_short_log_is_not_judged_and_says_why(capsys, shop, tmp_path):
    folder = tmp_path / "made"
    code, out, _ = run(capsys, "--data", shop, *QUICK, "--window-days", 400, "--out", folder)
    assert code == 0
    assert "Verdict: not judged: " in out
    assert "days is too short" in out
    assert "which no fit had seen" not in out
    assert {path.name for path in folder.glob("*.png")} == {"profiles.png", "by_stage.png", "stability.png", "rfm.png"}


def test_tables_and_pictures(capsys, shop, tmp_path):
    folder, picture = tmp_path / "made", tmp_path / "groups.svg"
    code, _, err = run(capsys, "--data", shop, *QUICK, "--out", folder, "--plot", picture)
    assert code == 0
    assert f"are in {folder}" in err
    pictures = ("profiles", "by_stage", "stability", "out_of_time", "transitions", "rfm")
    assert {path.stem for path in folder.glob("*.png")} == set(pictures)
    assert len(pd.read_csv(folder / "segments.csv")) == 300
    assert set(pd.read_parquet(folder / "candidates.parquet")["method"]) == {"kmeans"}
    assert picture.stat().st_size > 1000


def test_members_of_either_kind_of_group(capsys, shop, tmp_path):
    _, out, _ = run(capsys, "--data", shop, "--rfm", "--json")
    group = json.loads(out)["rfm"]["groups"][0]
    code, out, _ = run(capsys, "--data", shop, "--rfm", "--members", group["group"], "--out", tmp_path / "m")
    assert code == 0
    assert f"{group['n_customers']} customers: {group['group']}" in out
    assert len(pd.read_parquet(tmp_path / "m" / "members.parquet")) == group["n_customers"]
    _, out, _ = run(capsys, "--data", shop, *QUICK, "--json")
    name = json.loads(out)["profiles"][0]["segment"]
    _, out, _ = run(capsys, "--data", shop, *QUICK, "--members", name, "--json")
    assert {row["segment"] for row in json.loads(out)["members"]} == {name}


def test_rfm_alone(capsys, shop):
    code, out, _ = run(capsys, "--data", shop, "--rfm", "--as-of", "2024-03-31")
    assert (code, "RFM groups" in out, "Verdict" in out) == (0, True, False)
    assert "as of 2024-03-31" in out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--rfm", "--k", 3], 1, "--k says nothing to RFM groups"),
        (["--rfm", "--members", "champion"], 1, "Did you mean 'champions'"),
        ([*QUICK, "--members", "nobody"], 1, "'nobody'"),
        (["--methods", "kmean"], 1, "Did you mean 'kmeans'"),
        (["--methods", "kmeans", "--k", 1], 1, "k is 1"),
        (["--window-days", 3], 1, "--window-days is 3"),
        (["--rfm", "--since", "2030-01-01"], 1, "is after the as-of day"),
        (["--rfm", "--as-of", "2020-01-01"], 2, "Nobody had bought by 2020-01-01"),
        (["--stages", "shp"], 1, "Did you mean 'shop'"),
        (["--rfm", "--out", "no/such/folder"], 1, "There is no folder no/such"),
    ],
)
def test_refusals(capsys, shop, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    got, out, err = run(capsys, "--data", shop, *words)
    assert (got, says in err) == (code, True), err
    assert "Traceback" not in err
    assert out == ""
