"""lifecycle snapshot --state: the answer of a full reading, from new files alone."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from lifecycle_kit.cli import main
from tests.state.conftest import at, write_part


def event(person, hours, name="page_viewed"):
    return {"person_id": person, "event": name, "occurred_at": at(hours)}


@pytest.fixture
def shop(tmp_path):
    write_part(tmp_path / "shop", "events", "2024-01", [event("ann", 1), event("bob", 30, "order_completed")])
    return tmp_path / "shop"


def run(capsys, *words):
    code = main([str(word) for word in words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_only_new_files_are_read(capsys, shop, tmp_path):
    def check(said):
        plain = ["snapshot", "--data", shop, "--timezone", "Europe/Paris"]
        kept = [*plain, "--state", tmp_path / "state"]
        code, out, err = run(capsys, *kept, "--json", "--members", tmp_path / "kept.csv")
        assert code == 0
        assert said in err
        full = run(capsys, *plain, "--json", "--members", tmp_path / "full.csv")[1]
        assert json.loads(out) == json.loads(full)
        assert run(capsys, *kept, "--as-of", "2024-01-01")[1] == run(capsys, *plain, "--as-of", "2024-01-01")[1]
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "kept.csv"), pd.read_csv(tmp_path / "full.csv"))

    check("Everything was read: there was no state.")
    check("Nothing new to read.")
    write_part(shop, "events", "2024-02", [event("cyd", 800), event("ann", 801)])
    check("Read 1 new file (2 lines); 2 people placed anew.")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--as-known", "2024-01-02"), "A state knows everything that was read."),
        (("--engine", "spark"), "A state is kept by DuckDB."),
    ],
)
def test_what_a_state_cannot_do(capsys, shop, tmp_path, more, said):
    code, _, err = run(capsys, "snapshot", "--data", shop, "--state", tmp_path / "state", *more)
    assert code == 1
    assert said in err
    assert not (tmp_path / "state").exists()
