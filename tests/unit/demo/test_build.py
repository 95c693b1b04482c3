"""The demo's content: the same from the same seed, right without faults, wrong as counted with them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from safeguard.demo import FAULTS, build, set_scene
from safeguard.demo.customers import batches
from safeguard.demo.faults import NEIGHBOUR, stride
from safeguard.demo.tables import KNOWN
from safeguard.findings.trouble import UsageProblem

NEW = {"streaming": "sqlite:///streaming.sqlite", "dvd": "sqlite:///dvd.sqlite"}


def made(folder: Path, customers: int = 300, seed: int = 7, faults: bool = True):
    return build(customers, seed, "sqlite:///old.sqlite", NEW, faults, folder)


def rows(folder: Path, name: str, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
        return connection.execute(query).fetchall()


def everything(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: rows(folder, name, f"SELECT * FROM {table.name}")
        for name, tables in KNOWN.items()
        for table in tables
        if rows(folder, name, f"SELECT 1 FROM sqlite_master WHERE name = '{table.name}'")
    }


def test_the_same_seed_makes_the_same_content_and_another_does_not(tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        made(tmp_path / name, customers=60, seed=seed)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    assert everything(tmp_path / "a") != everything(tmp_path / "c")


def test_faults_leave_the_old_system_as_it_is_but_for_the_forgotten_table(tmp_path):
    made(tmp_path / "hurried")
    made(tmp_path / "right", faults=False)
    hurried, right = everything(tmp_path / "hurried"), everything(tmp_path / "right")
    assert "saved_searches" not in right
    assert {t.name: hurried[t.name] for t in KNOWN["old"] if t.name in right} == {
        t.name: right[t.name] for t in KNOWN["old"] if t.name in right
    }


def test_a_right_migration_moves_every_entry(tmp_path):
    built = made(tmp_path, faults=False)
    assert built.expected == {}
    content = everything(tmp_path)
    ids = {member: legacy for legacy, member in content["member_map"]}
    queue = [row for row in content["queue_items"] if row[7] is None]
    for table, media in (("watchlist", {"stream", "both"}), ("rental_queue", {"dvd", "both"})):
        due = Counter((r[0], r[1], r[2], r[6] or None) for r in queue if r[4] in media)
        arrived = Counter((ids.get(r[0], r[0]), r[1], r[2], r[5]) for r in content[table])
        assert arrived == due
    assert Counter(r[:2] for r in content["ratings"]) == Counter(r[:2] for r in content["thumbs"])
    for table in ("alerts", "release_notices"):
        assert Counter((ids.get(r[0], r[0]), r[1]) for r in content[table]) == Counter(
            content["notify_me"]
        )
    bodies = {(r[0], r[1]): r[2].replace("\r\n", "\n") for r in content["reviews"]}
    assert {(ids[r[0]], r[1]): r[2] for r in content["opinions"]} == bodies


def test_a_right_migration_keeps_the_order_of_every_list(tmp_path):
    made(tmp_path, faults=False)
    old = rows(
        tmp_path,
        "old",
        "SELECT customer_id, list_name, title FROM queue_items WHERE deleted_at IS NULL"
        " AND medium <> 'dvd' ORDER BY customer_id, list_name, position",
    )
    new = rows(
        tmp_path,
        "streaming",
        "SELECT account_id, shelf, video FROM watchlist ORDER BY account_id, shelf, rank_no",
    )
    assert new == old


def test_times_are_the_same_instant_in_los_angeles_and_in_utc(tmp_path):
    made(tmp_path, customers=50, faults=False)
    old = dict(rows(tmp_path, "old", "SELECT customer_id, created_at FROM customers"))
    new = dict(rows(tmp_path, "streaming", "SELECT account_id, joined_at FROM accounts"))
    query = "SELECT (julianday('{}') - julianday('{}')) * 24"
    hours = {round(rows(tmp_path, "old", query.format(new[i], old[i]))[0][0]) for i in old}
    assert hours == {7, 8}


def test_every_fault_strikes_at_the_default_size(tmp_path):
    built = made(tmp_path)
    assert {fault.name for fault, count in built.planted if count} == {f.name for f in FAULTS}


def test_the_planted_faults_are_in_the_databases_as_counted(tmp_path):
    expected = made(tmp_path).expected
    content = everything(tmp_path)
    ids = {member: legacy for legacy, member in content["member_map"]}
    live = {(r[0], r[1], r[2]): r[4] for r in content["queue_items"] if r[7] is None}
    watched = {r[:3] for r in content["watchlist"]}
    rented = {(ids[r[0]], r[1], r[2]) for r in content["rental_queue"]}
    gone = [key for key in live if key not in watched | rented]
    assert len(gone) == expected["queue", "lost"]
    strays = [key for key in watched if live.get(key) == "dvd"]
    assert len(strays) == expected["queue", "misrouted"]
    assert len(watched - live.keys()) == expected["queue", "resurrected"]
    ratings = Counter(r[:2] for r in content["thumbs"])
    assert sum(n - 1 for n in ratings.values()) == expected["ratings", "duplicated"]
    stars = {r[:2]: r[2] for r in content["ratings"]}
    down = [r for r in content["thumbs"] if r[2] == "down" and stars[r[0], r[1]] == 3]
    assert len(down) == expected["ratings", "changed"]
    alerts = Counter(content["notify_me"])
    missing = (alerts - Counter(content["alerts"])).total()
    assert missing == expected["notify-me", "misattributed"]
    bodies = {(r[0], r[1]): r[2].replace("\r\n", "\n") for r in content["reviews"]}
    other = [r for r in content["opinions"] if bodies[ids[r[0]], r[1]] != r[2]]
    assert len(other) == expected["reviews", "changed"]
    assert (
        sum("shared" not in r[2] for r in content["collections"])
        == expected["playlists", "changed"]
    )
    members = {r[0] for r in content["members"]}
    for key, table in (("queue", "rental_queue"), ("reviews", "opinions")):
        assert sum(r[0] not in members for r in content[table]) == expected[key, "orphaned"]


def test_a_customer_is_struck_by_one_fault_and_a_neighbour_by_none():
    for customers in (300, 100_000):
        assert len(FAULTS) <= NEIGHBOUR < stride(customers) - len(FAULTS)


def test_content_is_skewed_and_of_a_realistic_size():
    customers = [made for batch in batches(600, 1) for made in batch]
    sizes = [
        len(c.queue) + len(c.ratings) + len(c.notify_me) + len(c.reviews) + len(c.playlists)
        for c in customers
    ]
    assert 30 <= sum(sizes) / len(sizes) <= 50
    assert max(sizes) > 5 * sum(sizes) / len(sizes)


def test_a_demo_may_be_made_again_in_its_place(tmp_path):
    made(tmp_path)
    again = made(tmp_path, customers=20, faults=False)
    assert len(everything(tmp_path)["customers"]) == again.rows["old"]["customers"] == 20
    assert "saved_searches" not in everything(tmp_path)


@pytest.mark.parametrize("name", ["old", "streaming", "dvd"])
def test_a_database_that_no_demo_made_is_refused_and_all_are_left_alone(tmp_path, name):
    with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as connection:
        connection.execute("CREATE TABLE customers (customer_id INTEGER)")
        connection.execute("INSERT INTO customers VALUES (1)")
        connection.commit()
    with pytest.raises(UsageProblem, match=f"`{name}` is not empty"):
        made(tmp_path)
    assert rows(tmp_path, name, "SELECT * FROM customers") == [(1,)]
    for other in {"old", "streaming", "dvd"} - {name}:
        assert rows(tmp_path, other, "SELECT * FROM sqlite_master") == []


def test_an_engine_that_the_demo_cannot_fill_is_named(tmp_path):
    with pytest.raises(UsageProblem, match="oracle"):
        build(1, 1, "oracle://x/y", NEW, False, tmp_path)


def test_a_scene_needs_all_three_systems(tmp_path):
    with pytest.raises(UsageProblem, match="old, streaming, dvd"):
        set_scene(tmp_path, 1, 1, True, urls={"old": "sqlite:///x"})
