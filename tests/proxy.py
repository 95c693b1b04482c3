"""A TCP proxy in front of a server, that does to a connection what networks do: tests alone use it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closed with RST, what is under way is thrown away."""
CHUNK = 1 << 16


class Proxy:
    """Forwards a free port to `port` of this machine, until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self.received = 0
        """Bytes that came from the server, over all connections."""
        self.delay = 0.0
        """Seconds that each chunk from the server is kept back."""
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._alarms: list[tuple[int, Callable[[], object]]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def after(self, received: int, act: Callable[[], object]) -> None:
        """Call `act` once, when so many bytes in all have come from the server; what came last is
        forwarded after it returns."""
        with self._lock:
            self._alarms.append((received, act))

    def stop(self) -> None:
        """From now on nothing comes through, either way: connections stay open, and are accepted."""
        self._flows.clear()

    def go_on(self) -> None:
        """Forward again, what was held back first; new connections too."""
        self._refuses = False
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection; new ones are forwarded."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _reset(*pair)

    def refuse(self) -> None:
        """Reset every connection, and each new one at once."""
        self._refuses = True
        self.cut()

    def close(self) -> None:
        """End everything."""
        self.refuse()
        self._listener.close()
        self._flows.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                _reset(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._flows.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            _reset(client)
            return
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        back = threading.Thread(target=self._pump, args=(server, client, True), daemon=True)
        back.start()
        self._pump(client, server, False)
        back.join()
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            end.close()

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        try:
            while data := source.recv(CHUNK):
                if from_server:
                    self._count(len(data))
                self._flows.wait()
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):  # one end has gone: so has the other
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, received: int) -> None:
        if self.delay:
            threading.Event().wait(self.delay)
        with self._lock:
            self.received += received
            due = [act for least, act in self._alarms if least <= self.received]
            self._alarms = [a for a in self._alarms if a[0] > self.received]
        for act in due:
            act()


def _reset(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
        end.close()
