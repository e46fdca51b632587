"""The command line: each verb's answer, and an exit code that tells wrong use from bad data."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

from lifecycle_kit.cli import main

CSV = """order_id,person_id,ordered_at,net_revenue
o1,ann,2024-01-05 10:00,100.00
o2,ann,2024-02-05 10:00,200.00
o3,=bob,2024-01-10 12:00,30.00
o4,,2024-01-11 12:00,12.00
"""


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.csv").write_text(CSV)
    return folder


def run(capsys, *words):
    code = main([str(word) for word in words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_check(capsys, shop, tmp_path):
    code, out, _ = run(capsys, "check", shop, "--set-aside", tmp_path / "aside.csv")
    assert code == 0
    assert "2024-01-05 to 2024-02-05" in out
    assert "no   daily traffic (needs visits; without: no visits to count)" in out
    aside = pd.read_csv(tmp_path / "aside.csv")
    assert aside["line"].tolist() == [5]
    code, out, _ = run(capsys, "check", shop, "--json")
    table = json.loads(out)["tables"][0]
    assert (table["n_read"], table["n_kept"], table["n_set_aside"]) == (4, 3, 1)


def test_snapshot(capsys, shop, tmp_path):
    code, out, err = run(capsys, "snapshot", "--data", shop, "--as-of", "2024-02-05", "--members", tmp_path / "m.csv")
    assert code == 0
    assert "orders_only, as of 2024-02-05" in out  # chosen because the data has no visits
    assert "2 people in the lifecycle" in out
    assert "begin like a formula" in err
    assert "=bob" in err
    members = pd.read_csv(tmp_path / "m.csv")
    assert members["person_id"].tolist() == ["'=bob", "ann"]  # B062: harmless in a spreadsheet
    run(capsys, "snapshot", "--data", shop, "--members", tmp_path / "m.parquet", "--status", "new")
    assert pd.read_parquet(tmp_path / "m.parquet")["person_id"].tolist() == ["=bob"]  # and exact where it can be


def test_snapshot_json_is_for_scripts(capsys, shop):
    code, out, _ = run(capsys, "snapshot", "--data", shop, "--as-of", "2024-02-05", "--json")
    told = json.loads(out)
    assert code == 0
    counts = {row["status"]: row["n_people"] for row in told["statuses"]}
    assert counts["active"] == counts["new"] == 1
    assert told["statuses"][0]["n_people_year_before"] is None


def test_history(capsys, shop, tmp_path):
    code, out, _ = run(capsys, "history", "--data", shop, "--out", tmp_path / "spells.parquet")
    assert code == 0
    statuses = ["taken_back", "new", "lapsed", "at_risk", "active", "reactivated", "loyal", "vip"]
    assert out.splitlines()[0].split() == ["day", *statuses]
    assert len(pd.read_parquet(tmp_path / "spells.parquet")) == 3
    code, out, _ = run(capsys, "history", "--data", shop, "--json")
    assert json.loads(out)["n_spells"] == 3


def test_person(capsys, shop):
    code, out, _ = run(capsys, "person", "ann", "--data", shop)
    assert code == 0
    assert [line.split()[-2] for line in out.splitlines()[-2:]] == ["new", "active"]
    code, out, _ = run(capsys, "person", "ann", "--data", shop, "--json")
    assert json.loads(out)["touchpoints"][1]["revenue"] == 20000


def test_kpis(capsys, shop):
    code, out, _ = run(capsys, "kpis", "--data", shop, "--json")
    rows = {row["kpi"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["average_order_value"]["value"] == pytest.approx(110)
    assert rows["daily_traffic"]["value"] is None


def test_kpis_by_period_chosen_and_written(capsys, shop, tmp_path):
    picture, rows = tmp_path / "kpis.png", tmp_path / "kpis.parquet"
    code, out, err = run(
        capsys, "kpis", "--data", shop, "--kpi", "net_revenue", "--kpi", "active_customers", "--by", "quarter",
        "--out", rows, "--plot", picture,
    )  # fmt: skip
    assert code == 0
    assert "retention" in out
    assert f"values are in {rows}" in err
    assert picture.stat().st_size > 1000
    assert set(pd.read_parquet(rows)["kpi"]) == {"net_revenue", "active_customers"}


def test_kpis_in_words_read_no_data(capsys, tmp_path):
    code, out, _ = run(capsys, "kpis", "--list", "--data", "nowhere")
    assert code == 0
    assert {"repeat_rate", "nps", "daily_traffic"} <= set(out.split())
    code, out, _ = run(capsys, "kpis", "--explain", "repeat_rate", "--data", "nowhere")
    assert code == 0
    assert "How many new customers come back for a second order?" in out
    assert "whose 90 days lie within the log" in " ".join(out.split())
    code, _, err = run(capsys, "kpis", "--explain", "repeat")
    assert (code, "Did you mean 'repeat_rate'?" in err) == (1, True)
    page = tmp_path / "page.md"
    assert run(capsys, "kpis", "--page", page)[0] == 0
    assert "## Retention" in page.read_text(encoding="utf-8")


def test_kpis_of_ones_own(capsys, shop, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("catalogue: 1\nname: own\nextends: standard\ntargets: {net_revenue: 1000}\n", encoding="utf-8")
    code, out, _ = run(
        capsys, "kpis", "--data", shop, "--catalogue", own, "--scorecard", "--kpi", "net_revenue", "--json"
    )
    assert code == 0
    assert json.loads(out)[0]["target"] == 1000
    own.write_text("catalogue: 1\nname: own\nkpis: [{id: x, measure: 1}]\n", encoding="utf-8")
    code, _, err = run(capsys, "kpis", "--data", shop, "--catalogue", own)
    assert code == 1
    assert "own.yaml, line 3" in err


def test_model(capsys):
    code, out, _ = run(capsys, "model")
    assert out.split() == ["orders_only", "shop"]
    code, out, _ = run(capsys, "model", "shop", "--json")
    assert code == 0
    assert len(json.loads(out)["statuses"]) == 9


def test_simulate(capsys, tmp_path):
    code, out, _ = run(capsys, "simulate", tmp_path / "s", "--months", 2, "--visits-per-day", 30)
    assert code == 0
    code, out, _ = run(capsys, "check", tmp_path / "s")
    assert "days end in Europe/Paris, currency EUR" in out
    code, _, _ = run(capsys, "simulate", tmp_path / "o.parquet", "--orders", 1000, "--customers", 50)
    assert code == 0
    assert len(pd.read_parquet(tmp_path / "o.parquet")) == 1000
    assert run(capsys, "simulate", tmp_path / "x", "--customers", 5)[0] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["snapshott"], 1, "Did you mean 'snapshot'"),
        (["snapshot", "--as-off", "x"], 1, "--as-of"),
        (["snapshot", "--data", "SHOP", "--as-of", "yesterday"], 1, "'yesterday' is not a date"),
        (["snapshot", "--data", "SHOP", "--as-of", "2023-01-01"], 1, "before the first touchpoint"),
        (["snapshot", "--data", "SHOP", "--model", "shp"], 1, "Did you mean 'shop'"),
        (["snapshot", "--data", "SHOP", "--status", "new"], 1, "Add --members"),
        (["snapshot", "--data", "SHOP", "--members", "no/such/m.csv"], 1, "There is no folder"),
        (["person", "nobody", "--data", "SHOP"], 1, "Nobody in"),
        (["kpis", "--data", "SHOP", "--since", "2024-03-01", "--until", "2024-01-01"], 1, "is empty"),
        (["kpis", "--data", "SHOP", "--scorecard", "--dimension", "country"], 1, "Leave out --since"),
        (["kpis", "--data", "SHOP", "--kpi", "revenu"], 1, "Unknown KPI 'revenu'"),
        (["kpis", "--data", "SHOP", "--catalogue", "none.yaml"], 1, "There is no file none.yaml"),
        (["check", "SHOP", "--date-format", "%d/%m/%y"], 1, "%y"),
        (["check", "no/such/place"], 2, "no such file or folder"),
        (["report", "--data", "no/such/place", "--out", "r"], 1, "no file or folder"),
        (["report", "--data", "SHOP", "--out", "r", "--model", "shp"], 1, "Did you mean 'shop'"),
    ],
)
def test_exit_codes(capsys, shop, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    got, out, err = run(capsys, *(str(shop) if word == "SHOP" else word for word in words))
    assert (got, says in err) == (code, True), err
    assert "Traceback" not in err
    assert out == ""


def test_data_without_a_good_row_is_bad_data(capsys, tmp_path):
    (tmp_path / "orders.csv").write_text("person_id,ordered_at,net_revenue\n,2024-01-01,5.00\n")
    assert run(capsys, "check", tmp_path)[0] == 2


def test_control_characters_do_not_reach_the_terminal(capsys, tmp_path):
    (tmp_path / "orders.csv").write_text(CSV.replace("ann", "a\x1b[2Jnn"))
    _, out, err = run(capsys, "person", "a\x1b[2Jnn", "--data", tmp_path)
    assert "\x1b" not in out + err
    assert "\\u001b[2J" in out


def test_an_unforeseen_error_is_one_line(capsys, shop, monkeypatch):
    monkeypatch.setattr("lifecycle_kit.contract.load.load", lambda *_, **__: 1 / 0)
    code, _, err = run(capsys, "check", shop)
    assert code == 3
    assert "did not foresee (ZeroDivisionError)" in err
    assert len(err.splitlines()) == 1


def test_the_console_script_exits_with_the_code(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from lifecycle_kit.cli import main; main()", "check", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")


def test_a_reader_that_leaves_early_is_no_error(shop):
    script = f"{sys.executable} -c 'from lifecycle_kit.cli import main; main()' check {shop} | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_asking_for_help_loads_nothing_heavy():
    code = (
        "import sys; from lifecycle_kit.cli import main; main(['--help']);"
        "heavy = {'pandas', 'duckdb', 'ibis', 'matplotlib', 'rich', 'pyarrow', 'scipy'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_progress_is_silent_in_a_pipe_and_gone_on_a_terminal(capfd, monkeypatch):
    from lifecycle_kit.cli.screen import progress

    with progress("Working") as change:
        change("Still working")
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress("Working") as change:
        change("Reading [bold]x")
    told = capfd.readouterr()
    assert told.out == ""
    assert "Reading [bold]x ..." in told.err  # data in the text is never markup


@pytest.mark.parametrize(
    "words",
    [
        ["snapshot", "--data", "FILE", "--members", "FILE"],
        ["snapshot", "--data", "DIR", "--members", "FILE"],
        ["history", "--data", "DIR", "--out", "FILE"],
        ["check", "DIR", "--set-aside", "FILE"],
    ],
)
def test_what_is_read_is_never_overwritten(capsys, shop, monkeypatch, words):
    monkeypatch.chdir(shop)  # the same file under another name
    names = {"FILE": "../shop/orders.csv", "DIR": str(shop)}
    code, _, err = run(capsys, *(names.get(word, word) for word in words))
    assert code == 1
    assert "is what is being read; it would be overwritten" in err
    assert (shop / "orders.csv").read_text() == CSV


def test_every_verb_says_what_was_set_aside(capsys, shop):
    _, _, err = run(capsys, "snapshot", "--data", shop)
    assert "Warning: 1 of 4 lines were set aside (25.0%). 'lifecycle check' says why." in err


def test_errors_speak_of_options(capsys, tmp_path):
    (tmp_path / "orders.csv").write_text("person_id,ordered_at,net_revenue\na,05/01/2024,5.00\n")
    code, _, err = run(capsys, "check", tmp_path)
    assert code == 2
    assert "--date-format %d/%m/%Y" in err
    assert "date_format=" not in err
    assert run(capsys, "check", tmp_path, "--date-format", "%d/%m/%Y")[0] == 0


def test_report_takes_declarations_and_answers_like_the_other_verbs(capsys, tmp_path):
    (tmp_path / "ventes.csv").write_bytes(CSV.replace(",", ";").replace(".00", ",00").encode("cp1252"))
    (tmp_path / "shop").mkdir()
    (tmp_path / "ventes.csv").rename(tmp_path / "shop" / "orders.csv")
    words = ["report", "--data", tmp_path / "shop", "--out", tmp_path / "r", "--delimiter", ";", "--decimal", ","]
    assert run(capsys, *words, "--as-of", "2020-01-01")[0] == 1
    assert not (tmp_path / "r.failed.ipynb").exists()
    assert run(capsys, *words)[0] == 0
    contents = pd.read_csv(tmp_path / "r" / "tables" / "contents.csv")
    assert contents["revenue"].tolist() == [330.0]


def test_person_times_are_those_of_the_shop(capsys, shop):
    _, out, _ = run(capsys, "person", "ann", "--data", shop, "--timezone", "Europe/Paris")
    assert "times in Europe/Paris" in out
    assert "2024-01-05 11:00" in out  # ten o'clock UTC
