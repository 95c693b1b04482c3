"""The examples for rollout controllers: their commands are run on the files that they mount, and
their webhooks are asked, as far as that goes without a cluster."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from signing import Signed

PIPELINES = Path(__file__).resolve().parents[3] / "docs" / "pipelines"
PAGES = sorted(PIPELINES.glob("*.yaml"))
VALUES = {".Release.Name": "shop", ".Values.safeguard.image": "x", ".Values.safeguard.maxAge": "2h"}
"""What Helm would fill in."""
MOUNT = "/safeguard"
ASKS = ("argo-rollouts", "argo-cd", "helm-pre-upgrade")
"""Examples of which a Job asks the gate."""


def documents(name: str) -> list[Any]:
    text = (PIPELINES / f"{name}.yaml").read_text("utf-8")
    filled = re.sub(r"\{\{ ([\w.]+) \}\}", lambda match: VALUES[match[1]], text)
    return list(YAML(typ="safe").load_all(filled))


def inside(value: Any, key: str) -> Iterator[Any]:
    """Everything under this key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from inside(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from inside(inner, key)


def pod(name: str) -> Any:
    """The one pod of an example that is Safeguard's."""
    pods = [spec for spec in inside(documents(name), "spec") if "containers" in spec]
    (found,) = [spec for spec in pods if spec["containers"][0].get("command") == ["safeguard"]]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """A plan and its signed PASS, made as the examples' secrets and config maps would be."""
    shop = Signed(
        tmp_path_factory.mktemp("shop"),
        {"old": "${OLD_URL}", "new": "${NEW_URL}"},
        {"OLD_URL": "sqlite:///old.sqlite", "NEW_URL": "sqlite:///new.sqlite"},
    )
    (shop.folder / "contracts").mkdir()
    shop.write_plan(contracts=["contracts/queue.yaml"])
    (shop.folder / "queue.yaml").rename(shop.folder / "contracts" / "queue.yaml")
    for name in ("old", "new"):
        connection = sqlite3.connect(shop.folder / f"{name}.sqlite")
        connection.execute("CREATE TABLE queue (customer_id integer, title_id integer)")
        connection.execute("INSERT INTO queue VALUES (1, 10)")
        connection.commit()
        connection.close()
    assert shop.run("keygen").returncode == 0
    done = shop.run("check", "--quiet", "--out", ".", "--sign", "safeguard.key")
    assert done.returncode == 0, done.stdout + done.stderr
    return shop


def mounted(name: str, made: Signed, folder: Path) -> list[str]:
    """The files that an example's pod sees, and the command that it runs on them."""
    spec = pod(name)
    items = [item for group in inside(spec["volumes"], "items") for item in group]
    for item in items:
        place = folder / item["path"]
        place.parent.mkdir(exist_ok=True)
        (source,) = [p for p in made.folder.rglob(item["key"]) if p.is_file()]
        shutil.copy(source, place)
    (container,) = spec["containers"]
    assert container["volumeMounts"][0]["mountPath"] == MOUNT
    return [arg.replace(f"{MOUNT}/", f"{folder}/", 1) for arg in container["args"]]


def run(arguments: list[str], made: Signed, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "safeguard", *arguments],
        env=os.environ | made.environ | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_there_is_an_example_for_each_controller():
    assert {p.stem for p in PAGES} >= {*ASKS, "argo-rollouts-web", "flagger"}


@pytest.mark.parametrize("name", [p.stem for p in PAGES])
def test_each_is_yaml_of_kubernetes_kind(name):
    for document in documents(name):
        assert {"apiVersion", "kind", "metadata", "spec"} <= set(document)


@pytest.mark.parametrize("name", ASKS)
def test_a_job_lets_a_pass_through_and_nothing_else(name, made, tmp_path):
    arguments = mounted(name, made, tmp_path)
    done = run(arguments, made)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(arguments, made, NEW_URL="sqlite:///other.sqlite")
    assert done.returncode == 1, done.stderr
    (tmp_path / "verdict.dsse.json").write_text("{}")
    assert run(arguments, made).returncode == 1


@pytest.mark.parametrize("name", ASKS)
def test_a_job_is_tried_once(name):
    (limit,) = inside(documents(name), "backoffLimit")
    assert limit == 0
    assert pod(name)["restartPolicy"] == "Never"


def test_the_canary_asks_what_is_served(made, tmp_path):
    arguments = [
        arg.replace("0.0.0.0:8080", "127.0.0.1:0") for arg in mounted("flagger", made, tmp_path)
    ]
    hooks = {hook["type"]: hook["url"] for hook in next(inside(documents("flagger"), "webhooks"))}
    (metric,) = inside(documents("argo-rollouts-web"), "web")
    process = subprocess.Popen(
        [sys.executable, "-m", "safeguard", *arguments],
        env=os.environ | made.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        base = process.stdout.readline().split()[1].removesuffix("/gate")
        assert asked(here(hooks["confirm-rollout"], base), b"{}") == (200, "PASS: roll out\n")
        assert asked(here(hooks["confirm-promotion"], base), b"{}")[0] == 200
        assert asked(here(hooks["rollback"], base), b"{}")[0] == 403
        status, body = asked(here(metric["url"], base))
        assert (status, json.loads(body)[metric["jsonPath"][3:-1]]) == (200, True)
        (tmp_path / "verdict.dsse.json").unlink()
        assert asked(here(hooks["confirm-rollout"], base), b"{}")[0] == 403
        assert json.loads(asked(here(metric["url"], base))[1])["ok"] is False
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 130


def here(url: str, base: str) -> str:
    """The example's address, at the server of this test."""
    return base + re.sub(r"^http://[^/]+", "", url)


def asked(url: str, body: bytes | None = None) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, body, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
