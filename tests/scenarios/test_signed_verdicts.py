"""A check signs, a gate weighs: by the command line, over real databases, and each way to be refused."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from servers import Database
from signing import Done, Signed

TABLE = "CREATE TABLE queue (customer_id integer NOT NULL, title_id integer NOT NULL)"
ROWS = "INSERT INTO queue VALUES (1, 10), (1, 11), (2, 10)"


def fill(path: Path, *more: str) -> None:
    connection = sqlite3.connect(path)
    for statement in (TABLE, ROWS, *more):
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Two SQLite files that agree, named by variables; keys; a signed PASS."""
    folder = tmp_path_factory.mktemp("shop")
    names = {"OLD_URL": "sqlite:///old.sqlite", "NEW_URL": "sqlite:///new.sqlite"}
    made = Signed(folder, {"old": "${OLD_URL}", "new": "${NEW_URL}"}, names)
    for name in ("old.sqlite", "new.sqlite"):
        fill(folder / name)
    made.keygen()
    done = made.check()
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def shop(checked: Signed, tmp_path: Path) -> Signed:
    """The same for one test alone."""
    shutil.copytree(checked.folder, tmp_path, dirs_exist_ok=True)
    return Signed(tmp_path, checked.urls, dict(checked.environ))


def refusal(done: Done) -> list[str]:
    """Which conditions do not hold, of a refused verdict."""
    assert done.returncode == 1, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    (envelope,) = answer["envelopes"]
    return [c["name"] for c in envelope["conditions"] if not c["holds"]]


def test_a_signed_pass_is_let_through(shop):
    done = shop.gate()
    assert done.returncode == 0, done.stderr
    answer: Any = json.loads(done.stdout)
    assert (answer["ok"], answer["verdict"], answer["reasons"]) == (True, "PASS", [])


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_servers_verdict_is_let_through_and_another_databases_is_not(
    kind, fresh_database, tmp_path
):
    old, new, copy = (fresh_database(kind) for _ in range(3))
    for database in (old, new, copy):
        _fill_server(database)
    urls = {"OLD_URL": old.url, "NEW_URL": new.url}
    shop = Signed(tmp_path, {"old": "${OLD_URL}", "new": "${NEW_URL}"}, urls)
    shop.keygen()
    assert shop.check().returncode == 0
    assert shop.gate().returncode == 0
    run = json.loads(_statement(shop.envelope))["predicate"]["safeguard"]
    for system in run["systems"]:
        assert run["startedOn"] <= system["takenAt"] <= run["finishedOn"]
    shop.environ["NEW_URL"] = copy.url
    done = shop.gate()
    assert refusal(done) == ["systems"]
    assert f"dbname was {new.name}, is {copy.name}" in done.stdout


def _fill_server(database: Database) -> None:
    database.server.execute(database.name, TABLE, ROWS)


def test_a_block_is_signed_and_refused(shop):
    fill_again = sqlite3.connect(shop.folder / "new.sqlite")
    fill_again.execute("DELETE FROM queue WHERE customer_id = 2")
    fill_again.commit()
    fill_again.close()
    assert shop.check().returncode == 1
    done = shop.gate()
    assert refusal(done) == ["verdict"]
    assert "the verdict is BLOCK: queue: 1 entry lost" in done.stdout


def test_an_undecided_verdict_is_signed_and_refused(shop):
    shop.write_contract(at_least=1000)
    assert shop.check().returncode == 3
    assert refusal(shop.gate()) == ["verdict"]


def test_a_system_that_is_not_there_leaves_no_pass_behind(shop):
    (shop.folder / "new.sqlite").unlink()
    assert shop.check().returncode == 2
    assert not shop.envelope.exists()
    done = shop.gate()
    assert done.returncode == 2
    assert "can't be read" in done.stderr


def test_one_that_is_too_old_is_refused(shop):
    done = shop.gate(max_age="0s")
    assert refusal(done) == ["age"]


def test_another_key_is_refused_and_one_of_several_is_enough(shop):
    shop.keygen("another")
    assert refusal(shop.gate(key="another.pub")) == ["signature"]
    assert shop.gate("--key", "release.pub", key="another.pub").returncode == 0


def test_another_plan_is_refused(shop):
    shop.write_plan(migration="another")
    assert refusal(shop.gate()) == ["plan"]


def test_an_older_contract_is_refused(shop):
    shop.write_contract(title="What customers queued")
    assert refusal(shop.gate()) == ["contracts"]


def test_another_database_is_refused(shop):
    shutil.copy(shop.folder / "new.sqlite", shop.folder / "copy.sqlite")
    shop.environ["NEW_URL"] = "sqlite:///copy.sqlite"
    assert refusal(shop.gate()) == ["systems"]


def test_files_beside_it_that_are_not_its_own_are_refused(shop):
    verdict = shop.folder / "out" / "verdict.json"
    verdict.write_text(verdict.read_text() + " ")
    assert refusal(shop.gate()) == ["files"]
    verdict.unlink()
    (shop.folder / "out" / "findings.parquet").unlink()
    assert shop.gate().returncode == 0


def test_one_that_was_tampered_with_is_refused(shop):
    text = shop.envelope.read_bytes()
    shop.envelope.write_bytes(text.replace(b"A", b"B", 1))
    assert refusal(shop.gate()) == ["signature"]
    shop.envelope.write_bytes(b"")
    assert refusal(shop.gate()) == ["signature"]


def test_an_envelope_alone_is_enough_for_the_gate(shop):
    """It travels without the folder of its run."""
    shop.envelope.rename(shop.folder / "verdict.dsse.json")
    shutil.rmtree(shop.folder / "out")
    asked = ("gate", "verdict.dsse.json", "--key", "release.pub", "--max-age", "1h")
    done = shop.run(*asked)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("PASS  Roll out")


def test_of_several_files_each_must_pass(shop):
    (shop.folder / "second.json").write_text("{}")
    asked = ("gate", "out/verdict.dsse.json", "second.json", "--key", "release.pub")
    done = shop.run(*asked, "--max-age", "1h")
    assert done.returncode == 1
    assert done.stdout.startswith("REFUSED  Do not roll out")


# -- mistakes of the command --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.json", "--key", "release.pub", "--max-age", "1h"), "nowhere.json can't be read"),
        (("out", "--key", "release.pub", "--max-age", "1h"), "out can't be read: Is a directory"),
        (("out/verdict.dsse.json", "--key", "nowhere.pub", "--max-age", "1h"), "the key nowhere.pub"),
        (("out/verdict.dsse.json", "--key", "release.key", "--max-age", "1h"), "is a private key"),
        (("out/verdict.dsse.json", "--key", "env:NO_KEY", "--max-age", "1h"), "NO_KEY, which should"),
        (("out/verdict.dsse.json", "--max-age", "1h"), "Missing option '--key'"),
        (("out/verdict.dsse.json", "--key", "release.pub"), "Missing option '--max-age'"),
        (("out/verdict.dsse.json", "--key", "release.pub", "--max-age", "soon"), "no duration"),
        (("--key", "release.pub", "--max-age", "1h"), "Missing argument"),
        (
            ("out/verdict.dsse.json", "--key", "release.pub", "--max-age", "1h", "--plan", "no.yaml"),
            "`no.yaml` does not exist",
        ),
    ],
)  # fmt: skip
def test_mistakes_end_with_2(arguments, words, shop):
    done = shop.run("gate", *arguments)
    assert done.returncode == 2, done.stdout
    assert words in done.stderr
    assert done.stdout == ""


def test_a_variable_that_is_not_set_is_a_mistake(shop):
    del shop.environ["NEW_URL"]
    done = shop.gate()
    assert done.returncode == 2
    assert "NEW_URL is not set" in done.stderr


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("nowhere.key", "the key nowhere.key can't be read: No such file or directory"),
        ("release.pub", "release.pub is a public key"),
        ("safeguard.yaml", "safeguard.yaml can't be read: no private key"),
        ("env:NO_KEY", "NO_KEY, which should hold a key, is not set in the environment"),
    ],
)
def test_a_key_that_can_not_sign_is_found_before_anything_is_compared(named, words, shop):
    done = shop.run("check", "--quiet", "--out", "out", "--sign", named)
    assert done.returncode == 2
    assert words in done.stderr
    assert not shop.envelope.exists()
    assert not (shop.folder / "out" / "evidence.json").exists()
    assert json.loads((shop.folder / "out" / "verdict.json").read_text())["verdict"] == "UNDECIDED"


def test_a_check_without_a_key_leaves_no_older_signed_verdict(shop):
    assert shop.run("check", "--quiet", "--out", "out").returncode == 0
    assert not shop.envelope.exists()


# -- keys ---------------------------------------------------------------------------------------


def test_keys_may_come_from_variables(shop):
    """So that a CI's secret never becomes a file."""
    for name in ("release.key", "release.pub"):
        shop.environ[name.upper().replace(".", "_")] = (shop.folder / name).read_text()
    done = shop.run("check", "--quiet", "--out", "out", "--sign", "env:RELEASE_KEY")
    assert done.returncode == 0, done.stderr
    assert shop.gate(key="env:RELEASE_PUB").returncode == 0


def test_a_locked_key_needs_its_passphrase(shop):
    shop.environ["SAFEGUARD_KEY_PASSPHRASE"] = "open sesame"
    shop.keygen("locked")
    assert b"ENCRYPTED" in (shop.folder / "locked.key").read_bytes()
    assert shop.check("--sign", "locked.key").returncode == 0
    assert shop.gate(key="locked.pub").returncode == 0
    del shop.environ["SAFEGUARD_KEY_PASSPHRASE"]
    done = shop.check("--sign", "locked.key")
    assert done.returncode == 2
    assert "put its passphrase into the environment" in done.stderr


def test_a_resumed_run_is_as_old_as_its_first_try(shop):
    """Its start was said before anything was read, whatever a later try read anew."""
    out = shop.folder / "out"
    (out / "exchange").mkdir()
    verdict = json.loads((out / "verdict.json").read_text())
    verdict["started_at"] = "2026-01-01T00:00:00+00:00"
    (out / "verdict.json").write_text(json.dumps(verdict))
    done = shop.run("check", "--quiet", "--resume", "out", "--sign", "release.key")
    assert done.returncode == 0, done.stderr
    done = shop.gate()
    assert refusal(done) == ["age"]
    assert "(2026-01-01 00:00:00Z)" in done.stdout


def test_no_password_is_in_what_is_signed(fresh_database, tmp_path):
    old, new = fresh_database("postgresql"), fresh_database("postgresql")
    for database in (old, new):
        _fill_server(database)
    shop = Signed(tmp_path, {"old": old.url, "new": f"{new.url}?sslpassword=hush-4711"})
    shop.keygen()
    assert shop.check().returncode == 0
    statement = _statement(shop.envelope)
    secret = make_url(old.url).password
    assert secret
    assert [s for s in (secret, quote(secret, safe=""), "hush-4711") if s in statement] == []
    assert f'"dbname":"{new.name}"' in statement


def _statement(envelope: Path) -> str:
    return base64.b64decode(json.loads(envelope.read_text())["payload"]).decode()
