"""What a new file may bring, what makes a state anew and says so, and what is left alone."""

from __future__ import annotations

import os

import pytest

import lifecycle_kit as lk
from lifecycle_kit.cli import main
from lifecycle_kit.stages.projection import project_spells
from lifecycle_kit.stages.state import STATE_FILE, open_state
from tests.state.conftest import at, set_time, write_part

MODEL = lk.load_model("orders_only")
# every file has these columns
WEB = ["anonymous_id", "order_id", "revenue"]


def order(n, person, hours, cents=1_000, event="order_completed", **more):
    return {
        "event_id": f"e{n}",
        "person_id": person,
        "event": event,
        "occurred_at": at(hours),
        "order_id": f"o{n}",
        "revenue": cents,
        **more,
    }


@pytest.fixture
def shop(tmp_path):
    """A shop with one file, and a folder for its state."""
    source = tmp_path / "shop"
    rows = [order(n, f"p{n % 7}", n * 20, 1_000 + n) for n in range(40)]
    rows.append({"event_id": "v1", "anonymous_id": "d1", "event": "page_viewed", "occurred_at": at(5)})
    write_part(source, "events", "2024-01", rows)
    return source, tmp_path / "state"


def opened(shop, model=MODEL, **declared):
    return open_state(shop[1], shop[0], model, currency="EUR", **declared)


LATER = {
    "an order": [order(100, "p1", 900)],
    "somebody new": [order(101, "new", 900)],
    "late by weeks": [order(102, "p2", 1)],
    "the same row again": [order(3, "p3", 60, 1_003)],
    "the same event, told otherwise": [order(3, "p3", 60, 9_999)],
    "all of an order given back": [{**order(3, "p3", 901, 1_003, "order_refunded"), "event_id": "r1"}],
    "some of an order given back": [{**order(4, "p4", 901, 7, "order_refunded"), "event_id": "r2"}],
    "an event of nobody else's order": [{**order(5, "p6", 902), "event_id": "x5"}],
}


@pytest.mark.parametrize("rows", LATER.values(), ids=LATER)
def test_a_new_file_is_read_alone_and_the_answer_is_that_of_a_full_pass(shop, same, rows):
    opened(shop).close()
    write_part(shop[0], "events", "2024-02", rows, WEB)
    with opened(shop) as state:
        assert "Everything" not in state.notes[0]
        same(state, shop[0], "2024-01-10", currency="EUR")


def test_nothing_new_reads_nothing(shop, same):
    with opened(shop) as state:
        wanted = state.snapshot().people.to_pylist()
    (file,) = (shop[0] / "events").iterdir()
    before = file.stat()
    file.write_bytes(b"x" * before.st_size)  # nobody could read this
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with opened(shop) as state:
        assert state.notes == ("Nothing new to read.",)
        assert state.snapshot().people.to_pylist() == wanted


def test_another_model_makes_it_anew(shop, same):
    opened(shop).close()
    with opened(shop, lk.load_model("shop")) as state:
        assert "model" in state.notes[0]
        same(state, shop[0], currency="EUR")


def test_other_declarations_make_it_anew(shop, same):
    opened(shop).close()
    with opened(shop, timezone="Europe/Paris") as state:
        assert state.notes[0].startswith("Everything was read")
        same(state, shop[0], currency="EUR", timezone="Europe/Paris")


def test_a_changed_or_vanished_file_makes_it_anew(shop, same):
    second = write_part(shop[0], "events", "2024-02", [order(200, "p1", 950)], WEB)
    opened(shop).close()
    write_part(shop[0], "events", "2024-02", [order(201, "p2", 960), order(202, "p2", 961)], WEB)
    set_time(second, 1_900_000_000)
    with opened(shop) as state:
        assert state.notes[0].startswith("Everything was read")
        same(state, shop[0], currency="EUR")
    second.unlink()
    with opened(shop) as state:
        assert state.notes[0].startswith("Everything was read")
        same(state, shop[0], currency="EUR")


@pytest.mark.parametrize("damage", [b"", b"not a database", None], ids=["empty", "foreign", "cut short"])
def test_a_damaged_state_is_never_used(shop, damage):
    opened(shop).close()
    file = shop[1] / STATE_FILE
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with lk.load(shop[0], currency="EUR") as dataset:
        wanted = lk.snapshot(dataset, MODEL).people.to_pylist()
    # refused rather than replaced: a file that is not ours, or may still be saved, is not deleted
    with pytest.raises(lk.LifecycleError) as refused:
        opened(shop).close()
    assert refused.value.fix
    file.unlink()
    with opened(shop) as state:
        assert state.snapshot().people.to_pylist() == wanted


def test_one_run_at_a_time(shop):
    with opened(shop), pytest.raises(lk.RunError, match="state"):
        opened(shop)


def test_the_command_line(shop, tmp_path, capsys):
    words = ["snapshot", "--data", str(shop[0]), "--model", "orders_only", "--currency", "EUR", "--json"]

    def answer(*more):
        assert main([*words, *more]) == 0
        return capsys.readouterr()

    for expected in ("Everything was read", "Nothing new"):
        told = answer("--state", str(shop[1]))
        assert expected in told.err
        assert told.out == answer().out
    write_part(shop[0], "events", "2024-02", [order(300, "p5", 970)], WEB)
    members = tmp_path / "who.csv"
    told = answer("--state", str(shop[1]), "--members", str(members))
    assert "Everything" not in told.err
    assert told.out == answer().out
    assert "p5" in members.read_text()
    assert main([*words, "--state", str(shop[1]), "--as-known", "2024-01-10"]) == 1
    assert "Leave out --state" in capsys.readouterr().err
    assert main([*words, "--state", str(shop[1]), "--engine", "spark"]) == 1
    assert "kept by DuckDB" in capsys.readouterr().err


def test_people_who_are_placed_anew_have_all_that_a_full_pass_has(tmp_path, monkeypatch):
    """The dataset of those with news is the loader's own: costs of orders, old and new, answers and invitations."""
    source, found = tmp_path / "shop", {}

    def seen(dataset, model, engine):
        for table, columns in (
            ("log", "order_id, cost"),
            ("surveys", '"at", score'),
            ("referrals", "referred_id, sent_at"),
        ):
            rows = f"SELECT {columns} FROM {table} JOIN persons USING (person_key) WHERE persons.person_id = 'p1'"
            found[table] = engine.rows(rows + (" AND cost > 0 ORDER BY 1" if table == "log" else ""))
        return project_spells(dataset, model, engine)

    def book(n, person, cost):
        return {"order_id": f"o{n}", "person_id": person, "ordered_at": at(n), "net_revenue": 500, "cost": cost}

    write_part(source, "orders", "2024-01", [book(1, "p1", 111), book(2, "p2", 222), book(3, "p1", None)])
    write_part(source, "surveys", "2024-01", [{"person_id": "p1", "at": at(6), "score": 3}])
    write_part(source, "referrals", "2024-01", [{"referrer_id": "p1", "referred_id": "p2", "sent_at": at(7)}])
    open_state(tmp_path / "state", source, MODEL).close()
    write_part(source, "orders", "2024-02", [book(900, "p1", 999)])
    monkeypatch.setattr("lifecycle_kit.stages.refresh.project_spells", seen)
    with open_state(tmp_path / "state", source, MODEL) as state:
        assert state.notes == ("Read 1 new file (1 lines); 1 person placed anew.",)
    assert found == {
        "log": [("o1", 111), ("o900", 999)],
        "surveys": [(at(6), 3)],
        "referrals": [("p2", at(7))],
    }
