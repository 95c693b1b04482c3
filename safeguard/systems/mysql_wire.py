"""Rows of MySQL's binary protocol, as blocks of the bytes that came: no Python object per value.

A query is prepared and executed, for a prepared one's rows come in the binary form: integers, floats
and times as the server's own bytes, which costs neither side any digits. PyMySQL greets, encrypts and
reads what leads up to the rows; the rows are read past it, in large blocks, in which only the packets'
beginnings are looked for ("Binary Protocol Resultset Row" in MySQL's documentation of its protocol).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
import pymysql
from numpy.typing import NDArray
from pymysql import connections
from pymysql.constants import COMMAND, CR
from pymysql.err import OperationalError, raise_mysql_exception

BATCH_ROWS = 65_536
BLOCK_BYTES = 2 << 20
SPARE = 16
"""Bytes behind the last row, so that any value can be read with more than its own width."""

_HEAD = 4
_FULL_PACKET = 0xFFFFFF
_ROW, _END, _ERROR = 0, 0xFE, 0xFF
_SHORT_WALK, _LONG_WALK = 64, 8_192
_head_of = Struct("<I").unpack_from
_EXECUTE, _CLOSE = Struct("<IBI"), Struct("<I")

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


def malformed() -> OperationalError:
    """What came is not what the protocol says."""
    return OperationalError(CR.CR_MALFORMED_PACKET, "Malformed packet")


@dataclass(frozen=True)
class Block:
    """Whole rows: row i is `data[starts[i]:ends[i]]`, with SPARE bytes or more behind the last.

    The bytes are overwritten when the next block is asked for.
    """

    data: Bytes
    starts: Places
    ends: Places


class Rows:
    """The rows of one query; before they are `over`, its connection can do nothing else.

    `connection` is PyMySQL's, of whose private parts this module is the only user.
    """

    def __init__(self, connection: Any, sql: str) -> None:
        self._connection = connection
        self._statement = _prepare(connection, sql)
        execute = _EXECUTE.pack(self._statement, 0, 1)
        connection._execute_command(COMMAND.COM_STMT_EXECUTE, execute)
        result: Any = connections.MySQLResult(connection)
        result.init_unbuffered_query()
        result.unbuffered_active = False  # its rows are not PyMySQL's to read
        self.fields: tuple[Any, ...] = tuple(result.fields)
        self.over = False
        self._number: int = connection._next_seq_id
        self._room = bytearray(BLOCK_BYTES + SPARE)
        self._data: Bytes = np.frombuffer(self._room, np.uint8)
        self._place = self._have = 0
        self._untouched = True
        self._patience = _SHORT_WALK

    def next_block(self) -> Block | None:
        """At most BATCH_ROWS rows; None at the end. Raises pymysql.Error and OSError.

        An error that the server sends amid the rows ends them; the connection stays. Any other
        exception closes it, for nobody knows any more where in the rows it stands.
        """
        try:
            block, last = self._read()
        except BaseException:
            self.over = True
            self._connection._force_close()
            raise
        if last:
            self.over = True
            if last[0] == _ERROR:
                raise_mysql_exception(last)
        return block

    def drain(self) -> None:
        """Read to the end, for nobody: the connection is free then, or lost."""
        with suppress(pymysql.Error, OSError):
            while not self.over:
                self.next_block()

    def close(self) -> None:
        """Give the statement back to the server, which does not answer to that."""
        with suppress(pymysql.Error, OSError):
            command = _CLOSE.pack(self._statement)
            self._connection._execute_command(COMMAND.COM_STMT_CLOSE, command)

    def _read(self) -> tuple[Block | None, bytes]:
        """Rows, or the packet that ends them."""
        self._move_to_front()
        pieces: list[Places] = []
        missing = BATCH_ROWS
        while missing:
            missing -= self._walk(pieces, missing)
            size = self._next_size()
            if not missing or (pieces and self._must_yield(size)):
                break
            if self._is_long(size):
                return self._long_row(), b""
            if self._is_here(size):
                return None, self._last_packet()
            self._receive()
        return self._block(np.concatenate(pieces)), b""

    def _must_yield(self, size: int | None) -> bool:
        """Whether what comes next has to wait until the rows before it are used."""
        return self._is_here(size) or self._is_long(size) or self._have == BLOCK_BYTES

    def _is_long(self, size: int | None) -> bool:
        return size is not None and size > BLOCK_BYTES - _HEAD

    def _is_here(self, size: int | None) -> bool:
        return size is not None and self._place + _HEAD + size <= self._have

    def _next_size(self) -> int | None:
        if self._have - self._place < _HEAD:
            return None
        size: int = _head_of(self._room, self._place)[0] & _FULL_PACKET
        return size

    def _move_to_front(self) -> None:
        rest = self._have - self._place
        self._room[:rest] = self._room[self._place : self._have]
        self._place, self._have = 0, rest

    def _receive(self) -> None:
        self._have += self._receive_into(memoryview(self._room)[self._have : BLOCK_BYTES])

    def _receive_into(self, room: memoryview) -> int:
        """What the socket has, once something is there; first what PyMySQL had read ahead."""
        stream = self._connection._rfile
        if stream is None:  # closed by another thread
            raise _lost()
        if self._untouched:
            early = stream.read1(len(room))  # the room is still whole: nothing of it stays behind
            room[: len(early)] = early
            self._untouched, got = False, len(early)
        else:
            got = stream.raw.readinto(room)
        if not got:
            raise _lost()
        return int(got)

    def _walk(self, pieces: list[Places], most: int) -> int:
        """Find whole rows, at most so many: where they stand to `pieces`, and their number."""
        found = 0
        while found < most:
            asked = min(most - found, self._patience)
            steps = self._steps(asked)
            found += len(steps)
            if steps:
                pieces.append(np.array(steps, np.int64))
            if len(steps) < asked:
                break
            found += self._stride(pieces, most - found, steps)
        return found

    def _steps(self, most: int) -> list[int]:
        """Packet by packet: each one's length says where the next begins."""
        room, have, place = self._room, self._have, self._place
        steps: list[int] = []
        add, last = steps.append, have - _HEAD
        for _ in range(most):
            if place >= last:
                break
            after = place + _HEAD + (_head_of(room, place)[0] & _FULL_PACKET)
            if after > have or room[place + _HEAD]:
                break
            add(place)
            place = after
        self._place = place
        return steps

    def _stride(self, pieces: list[Places], most: int, steps: list[int]) -> int:
        """Rows as long as those before them, all at once; where lengths vary, try more rarely."""
        length = self._place - steps[-1]
        same = self._place - steps[0] == length * len(steps)
        run = self._run(length, most) if same else 0
        self._patience = _SHORT_WALK if run else min(self._patience * 4, _LONG_WALK)
        if run:
            pieces.append(self._place + length * np.arange(run, dtype=np.int64))
            self._place += length * run
        return run

    def _run(self, length: int, most: int) -> int:
        """How many rows of this length (with their heads) follow one another from here."""
        rows = min(most, (self._have - self._place) // length)
        if rows < 1:
            return 0
        heads: NDArray[np.uint32] = np.ndarray(
            (rows,), "<u4", self._room, self._place, strides=(length,)
        )
        firsts = self._data[self._place + _HEAD : self._have : length][:rows]
        alike = ((heads & _FULL_PACKET) == length - _HEAD) & (firsts == _ROW)
        return rows if alike.all() else int(alike.argmin())

    def _block(self, heads: Places) -> Block:
        ends = np.append(heads[1:], self._place)
        numbers = np.arange(self._number, self._number + len(heads))
        if (self._data[heads + 3] != (numbers & 0xFF)).any():
            raise malformed()
        self._number += len(heads)
        return Block(self._data, heads + _HEAD, ends)

    def _long_row(self) -> Block:
        """A row that needs a room of its own: in one packet, or in several of 16 MB."""
        row, size = bytearray(), _FULL_PACKET
        while size == _FULL_PACKET:
            head = self._exactly(_HEAD)
            if head[3] != self._number & 0xFF:
                raise malformed()
            self._number += 1
            size = _head_of(head)[0] & _FULL_PACKET
            row += self._exactly(size)
        if row[0] != _ROW:
            raise malformed()
        end = np.array([len(row)])
        row += bytes(SPARE)
        return Block(np.frombuffer(row, np.uint8), np.zeros(1, np.int64), end)

    def _exactly(self, size: int) -> bytearray:
        whole = bytearray(size)
        here = min(size, self._have - self._place)
        whole[:here] = self._room[self._place : self._place + here]
        self._place += here
        while here < size:
            here += self._receive_into(memoryview(whole)[here:])
        return whole

    def _last_packet(self) -> bytes:
        size = self._next_size() or 0
        packet = bytes(self._exactly(_HEAD + size)[_HEAD:])
        if not packet or packet[0] not in (_END, _ERROR):
            raise malformed()
        return packet


def _prepare(connection: Any, sql: str) -> int:
    """Have the server prepare a query without parameters, and give its number of the statement."""
    connection._execute_command(COMMAND.COM_STMT_PREPARE, sql)
    answer = connection._read_packet()
    statement, columns, parameters = Struct("<IHH").unpack_from(answer.get_all_data(), 1)
    for described in (parameters, columns):
        for _ in range(described + 1 if described else 0):  # and the packet that ends them
            connection._read_packet()
    return int(statement)


def _lost() -> OperationalError:
    return OperationalError(CR.CR_SERVER_LOST, "Lost connection to server during query")
