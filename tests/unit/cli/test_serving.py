"""The gate over HTTP: real requests, what each is answered, and that no trouble looks like a PASS."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import result_examples as examples
from check_runs import wait_for
from safeguard.cli import serving
from safeguard.cli.serving import MAX_BODY, REQUESTS, listen
from safeguard.findings.trouble import UsageProblem
from safeguard.gate.admission import Admission, admit
from signed_examples import NOW, pair, sealed, terms

_, TRUSTED = pair()
FLAGGER = json.dumps({"name": "shop", "namespace": "prod", "phase": "Progressing", "metadata": {}})


@dataclass
class Gate:
    """A server with one envelope, which a test may replace."""

    envelope: Path
    port: int = 0
    now: dt.datetime = NOW
    fault: BaseException | None = None

    def weigh(self, file: Path) -> Admission:
        if self.fault:
            raise self.fault
        return admit(file.read_bytes(), [TRUSTED], terms(now=self.now))

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def send(self, raw: bytes) -> bytes:
        """What comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65_536), b""))


@contextmanager
def served(gate: Gate) -> Iterator[Gate]:
    server = listen("127.0.0.1:0", [gate.envelope], gate.weigh)
    gate.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "verdict.dsse.json")
    made.envelope.write_bytes(sealed())
    with served(made):
        yield made


def test_a_pass_confirms_a_rollout(gate):
    assert gate.ask("POST", "/gate", FLAGGER) == (200, "PASS: roll out\n")


def test_a_metric_reads_the_answer_as_json(gate):
    status, body = gate.ask("GET", "/gate?from=argo")
    answer = json.loads(body)
    assert (status, answer["ok"], answer["verdict"], answer["reasons"]) == (200, True, "PASS", [])


@pytest.mark.parametrize(
    ("envelope", "verdict", "words"),
    [
        (sealed(examples.blocked()), "BLOCK", "refused: the verdict is BLOCK: queue"),
        (sealed(examples.undecided()), "UNDECIDED", "refused: the verdict is UNDECIDED"),
        (sealed(name="another"), None, "refused: not signed: no signature of it is good"),
        (b"", None, "refused: not signed: it is no JSON"),
    ],
    ids=["block", "undecided", "another key", "nothing"],
)
def test_what_does_not_pass_is_refused_with_its_reason(envelope, verdict, words, gate):
    gate.envelope.write_bytes(envelope)
    status, body = gate.ask("POST", "/gate", FLAGGER)
    assert status == 403
    assert body.startswith(words)
    assert len(body) <= 401
    assert body.count("\n") == 1
    status, body = gate.ask("GET", "/gate")
    answer = json.loads(body)
    assert (status, answer["ok"], answer["verdict"]) == (200, False, verdict)
    assert answer["reasons"]


def test_files_are_read_anew_for_each_request(gate):
    assert gate.ask("POST", "/gate")[0] == 200
    gate.envelope.write_bytes(sealed(examples.blocked()))
    assert gate.ask("POST", "/gate")[0] == 403
    gate.envelope.unlink()
    status, body = gate.ask("POST", "/gate")
    assert status == 403
    assert body.endswith("verdict.dsse.json can't be read: No such file or directory\n")
    gate.envelope.write_bytes(sealed())
    assert gate.ask("POST", "/gate")[0] == 200
    gate.now += dt.timedelta(hours=3)
    assert "too old" in gate.ask("POST", "/gate")[1]


@pytest.mark.parametrize(
    ("envelope", "hours", "status"),
    [
        (sealed(examples.blocked()), 0, 200),
        (sealed(examples.blocked()), 3, 403),  # of a rollout that is long over
        (sealed(examples.blocked(), "another"), 0, 403),
        (sealed(examples.undecided()), 0, 403),
        (sealed(), 0, 403),
        (b"", 0, 403),
    ],
)
def test_only_the_proof_of_a_loss_rolls_back(envelope, hours, status, gate):
    gate.envelope.write_bytes(envelope)
    gate.now += dt.timedelta(hours=hours)
    assert gate.ask("POST", "/rollback", FLAGGER)[0] == status


@pytest.mark.parametrize(
    "fault",
    [
        UsageProblem("safeguard.yaml: OLD_URL is not set\nin the environment."),
        PermissionError(13, "Permission denied", "verdict.dsse.json"),
        ValueError("a bug with a secret in its words"),
        RecursionError(),
        MemoryError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_whatever_goes_wrong_refuses(fault, gate, capfd):
    gate.fault = fault
    status, body = gate.ask("POST", "/gate")
    assert (status, body[:9], body.count("\n")) == (403, "refused: ", 1)
    assert gate.ask("POST", "/rollback")[0] == 403
    status, body = gate.ask("GET", "/gate")
    assert (status, json.loads(body)["ok"]) == (200, False)
    assert "secret" not in body
    assert "Traceback" not in "".join(capfd.readouterr())
    gate.fault = None
    assert gate.ask("POST", "/gate")[0] == 200


def test_it_says_that_it_is_there(gate):
    gate.fault = ValueError()
    assert gate.ask("GET", "/healthz") == (200, "ok\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/gate/", 404),
        ("GET", "/rollback", 405),
        ("POST", "/healthz", 405),
        ("PUT", "/gate", 405),
        ("DELETE", "/gate", 405),
        ("BREW", "/gate", 501),
    ],
)
def test_there_is_nothing_else(method, path, status, gate):
    answered, body = gate.ask(method, path)
    assert answered == status
    assert body.startswith("refused: ")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"POST /gate HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST /gate HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (b"POST /gate HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /gate HTTP/1.1\r\nContent-Length: x\r\n\r\n", 411),
        (b"POST /gate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"POST /gate HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"POST /gate HTTP/9.9\r\n\r\n", 505),
        (b"nonsense\r\n\r\n", 400),
    ],
    ids=["large", "huge", "negative", "no number", "chunked", "long", "headers", "version", "none"],
)
def test_what_is_no_request_of_a_controller_is_refused(raw, status, gate, capfd):
    answered = gate.send(raw)
    assert f" {status} ".encode() in answered.split(b"\r\n")[0] or answered.startswith(b"refused")
    assert b"PASS" not in answered
    assert "Traceback" not in capfd.readouterr().err
    assert gate.ask("POST", "/gate")[0] == 200


@pytest.mark.parametrize("raw", [b"", b"POST /gate HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"])
def test_half_a_request_gets_no_answer(raw, gate):
    assert gate.send(raw) == b""


def test_one_that_says_nothing_is_hung_up_on(gate, monkeypatch):
    monkeypatch.setattr(serving, "SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as line:
        line.sendall(b"POST /gate HT")
        assert line.recv(100) == b""


def test_more_than_it_can_bear_are_turned_away_and_then_it_goes_on(gate):
    """Those that wait hold their places until they hang up."""
    lines = [
        socket.create_connection(("127.0.0.1", gate.port), timeout=30) for _ in range(REQUESTS)
    ]
    try:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            gate.ask("POST", "/gate")
    finally:
        for line in lines:
            line.close()

    def answers() -> bool:
        try:
            return gate.ask("POST", "/gate")[0] == 200
        except (ConnectionError, http.client.HTTPException):
            return False

    wait_for(answers, "it never went on")


@pytest.mark.parametrize("place", ["8080", "host:", "host:x", ":99999", "", "127.0.0.1:-1"])
def test_what_is_no_place_is_a_mistake(place):
    with pytest.raises(UsageProblem, match="no HOST:PORT"):
        listen(place, [], lambda _: Admission(()))


def test_a_place_that_is_taken_is_a_mistake(gate):
    with pytest.raises(UsageProblem, match="already in use"):
        listen(f"127.0.0.1:{gate.port}", [], gate.weigh)


# -- as a process of its own --------------------------------------------------------------------

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`safeguard gate --serve` in a folder that has a key and no verdict yet."""
    made: list[subprocess.Popen[str]] = []
    subprocess.run([sys.executable, "-m", "safeguard", "keygen"], cwd=tmp_path, check=True)

    def started(*more: str) -> subprocess.Popen[str]:
        asked = ["gate", "verdict.dsse.json", "--key", "safeguard.pub", "--max-age", "1h"]
        made.append(
            subprocess.Popen(
                [sys.executable, "-m", "safeguard", *asked, "--serve", "127.0.0.1:0", *more],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                # A shell that runs tests in the background has them ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )
        )
        return made[-1]

    yield started
    for process in made:
        process.kill()
        process.communicate()


def _port(process: subprocess.Popen[Any]) -> int:
    assert process.stdout is not None
    line = str(process.stdout.readline())
    assert line.startswith("gate  http://127.0.0.1:"), line
    return int(line.rstrip().removesuffix("/gate").rpartition(":")[2])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number, start, tmp_path):
    process = start()
    gate = Gate(tmp_path, _port(process))
    assert gate.ask("GET", "/healthz") == (200, "ok\n")
    status, body = gate.ask("POST", "/gate")  # neither plan nor verdict is there
    assert status == 403
    assert "verdict.dsse.json can't be read" in body
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert '"POST /gate HTTP/1.1" 403' in err
