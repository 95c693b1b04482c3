"""`safeguard gate --serve`: the gate's answer over HTTP, for rollout controllers that ask by webhook.

    POST /gate      200 PASS, 403 refused; one line of text (Flagger's confirm-rollout)
    GET  /gate      200 and the answer as JSON, whatever it is (a web metric of Argo Rollouts)
    POST /rollback  200 only on the proof of a loss, else 403 (Flagger's rollback)
    GET  /healthz   200

Files and plan are read anew for each request. Whatever goes wrong is an answer that refuses.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, NoReturn

import click

from safeguard.findings.trouble import SafeguardError, UsageProblem
from safeguard.gate.admission import Admission, Condition
from safeguard.reports.admitting import Admissions, admission_document, admission_line, all_pass
from safeguard.reports.printable import printable

MAX_BODY = 64 * 1024
"""Bytes. What a controller sends is a name, a namespace and a phase; none of it is used."""
SECONDS = 10.0
"""So long one request may take, with all its bytes."""
REQUESTS = 32
"""So many at one time; more are turned away."""
_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"

Weigh = Callable[[Path], Admission]


@dataclass(frozen=True)
class Answer:
    status: HTTPStatus
    body: str
    kind: str = _TEXT


def serve_gate(place: str, files: Sequence[Path], weigh: Weigh) -> NoReturn:
    """Answer requests at HOST:PORT until a signal ends it (KeyboardInterrupt), when what has begun is
    still answered. Raises UsageProblem where nobody can listen there."""
    with listen(place, files, weigh) as server:
        host, port = server.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else str(host)
        click.echo(f"gate  http://{shown}:{port}/gate")
        server.serve_forever(poll_interval=0.1)
    raise AssertionError("only a signal ends it")


def listen(place: str, files: Sequence[Path], weigh: Weigh) -> GateServer:
    """A server that listens at HOST:PORT and answers once it is started; port 0 is any that is free.

    Raises UsageProblem where nobody can listen there."""
    host, colon, port = place.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UsageProblem(f"--serve: `{place}` is no HOST:PORT, such as 0.0.0.0:8080")
    try:
        return GateServer(
            (host.strip("[]"), int(port)), lambda method, path: answer(method, path, files, weigh)
        )
    except OSError as error:
        raise UsageProblem(f"--serve: {place}: {error.strerror}") from error


def answer(method: str, path: str, files: Sequence[Path], weigh: Weigh) -> Answer:
    """What to say to one request."""
    match method, path.partition("?")[0]:
        case "GET", "/healthz":
            return Answer(HTTPStatus.OK, "ok")
        case "GET", "/gate":
            document = admission_document(_admissions(files, weigh))
            return Answer(HTTPStatus.OK, json.dumps(document), _JSON)
        case "POST", "/gate":
            found = _admissions(files, weigh)
            status = HTTPStatus.OK if all_pass(found) else HTTPStatus.FORBIDDEN
            return Answer(status, admission_line(found))
        case "POST", "/rollback":
            return _rollback(_admissions(files, weigh))
        case _, "/gate" | "/rollback" | "/healthz":
            return Answer(HTTPStatus.METHOD_NOT_ALLOWED, "refused: no such method here")
    return Answer(HTTPStatus.NOT_FOUND, "refused: there is only /gate, /rollback and /healthz")


def _rollback(admissions: Admissions) -> Answer:
    """A rollback is an act of its own: it needs proof, as a rollout does. Doubt only holds."""
    for one in admissions.values():
        if one.proves_loss:
            return Answer(HTTPStatus.OK, f"BLOCK: roll back, as run {printable(one.run)} proves")
    return Answer(HTTPStatus.FORBIDDEN, "no rollback: no signed BLOCK of this plan is at hand")


def _admissions(files: Sequence[Path], weigh: Weigh) -> dict[str, Admission]:
    return {str(file): _weighed(file, weigh) for file in files}


def _weighed(file: Path, weigh: Weigh) -> Admission:
    """Nothing that goes wrong here may look like a PASS, or end the server."""
    try:
        return weigh(file)
    except SafeguardError as problem:
        why = " ".join(str(problem).split())
    except OSError as error:
        why = f"{error.filename or file} can't be read: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 (a bug of ours is told, and refuses)
        why = f"a fault of Safeguard's own: {type(error).__name__}"
    return Admission((Condition("signature", False, why),))


class GateServer(ThreadingHTTPServer):
    """A thread a request; so many at one time, and each for so long."""

    daemon_threads = False  # what has begun is answered before the process ends
    allow_reuse_port = False  # two gates at one place would answer in turns
    request_queue_size = REQUESTS

    def __init__(self, place: tuple[str, int], answers: Callable[[str, str], Answer]) -> None:
        self.answers = answers
        self._free = threading.BoundedSemaphore(REQUESTS)
        if ":" in place[0]:
            self.address_family = socket.AF_INET6
        super().__init__(place, _Handler)

    def server_bind(self) -> None:
        """See http.server, which would ask the network for a name of ours that nobody needs."""
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)

    def process_request(self, request: Any, client_address: Any) -> None:
        """See socketserver."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """See socketserver."""
        ends = threading.Timer(SECONDS, _hang_up, [request])
        ends.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            ends.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """See socketserver: a client that went away, most often. It gets no answer, so no PASS."""
        click.echo(f"{client_address[0]}  no answer: {type(sys.exception()).__name__}", err=True)


class _Handler(BaseHTTPRequestHandler):
    server: GateServer
    server_version, sys_version = "safeguard", ""
    error_message_format, error_content_type = "refused: %(message)s\n", _TEXT
    timeout = SECONDS

    def _answer(self) -> None:
        if self._read_body():
            self._send(self.server.answers(self.command, self.path))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815 (http.server's names)

    def _read_body(self) -> bool:
        """Read it all and use none of it: a client that is still sending would not hear us."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            self._send(Answer(HTTPStatus.LENGTH_REQUIRED, "refused: a body needs Content-Length"))
            return False
        if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            self._send(
                Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "refused: the body is too large")
            )
            return False
        return len(self.rfile.read(int(length))) == int(length)

    def _send(self, said: Answer) -> None:
        body = f"{said.body}\n".encode(errors="backslashreplace")
        self.send_response(said.status)
        self.send_header("Content-Type", said.kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
        """One line a request, on stderr."""
        click.echo(f"{self.address_string()}  {printable(format % args)}", err=True)


def _hang_up(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
