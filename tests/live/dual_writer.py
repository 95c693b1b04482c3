"""A service in the middle of its cutover: writes the old database, and the new one up to two seconds
later. A process of its own: `python dual_writer.py OLD NEW SEED`, until it is told to end."""

from __future__ import annotations

import heapq
import random
import signal
import sys
import time
from collections.abc import Sequence

from sqlalchemy import Connection, create_engine, text

OWNERS, ITEMS = 200, 20
PER_SECOND = 60
MOST_LAG = 2.0
_ONE = "WHERE owner = :owner AND item = :item"
_TAKE = f"DELETE FROM queue {_ONE}"
STATEMENTS = {
    "postgresql": {
        "add": "INSERT INTO queue VALUES (:owner, :item, :n, :text, now()) "
        "ON CONFLICT (owner, item) DO UPDATE SET place = excluded.place, note = excluded.note, "
        "written = now()",
        "write": f"UPDATE queue SET note = :text, written = now() {_ONE}",
        "take": _TAKE,
        "swap": "UPDATE queue a SET place = b.place, written = now() FROM queue b "
        "WHERE a.owner = :owner AND b.owner = a.owner "
        "AND (a.item, b.item) IN ((:item, :item + 1), (:item + 1, :item))",
    },
    "mysql": {
        "add": "INSERT INTO queue VALUES (:owner, :item, :n, :text, utc_timestamp(6)) "
        "ON DUPLICATE KEY UPDATE place = VALUES(place), note = VALUES(note), "
        "written = utc_timestamp(6)",
        "write": f"UPDATE queue SET note = :text, written = utc_timestamp(6) {_ONE}",
        "take": _TAKE,
        # Of the derived table a copy is made first: the second row must not see the first one's place.
        "swap": "UPDATE queue a JOIN (SELECT item, place FROM queue WHERE owner = :owner) b "
        "ON (a.item, b.item) IN ((:item, :item + 1), (:item + 1, :item)) "
        "SET a.place = b.place, a.written = utc_timestamp(6) WHERE a.owner = :owner",
    },
}

_ended: list[int] = []


def main(arguments: Sequence[str]) -> None:
    old, new = (_connect(url) for url in arguments[:2])
    rng = random.Random(int(arguments[2]))
    waiting: list[tuple[float, int, str, dict[str, object]]] = []
    due = 0.0
    for n in range(10**9):
        kind = rng.choice(("add", "write", "take", "swap"))
        values = {
            "owner": rng.randrange(1, OWNERS),
            "item": rng.randrange(ITEMS - 1),
            "n": 1000 + n,
            "text": f"note {n}",
        }
        _execute(old, kind, values)
        # In the order in which they were written, as a queue between two services keeps it.
        due = max(due, time.monotonic() + rng.uniform(0, MOST_LAG))
        heapq.heappush(waiting, (due, n, kind, values))
        if n == 0:
            sys.stdout.write("writing\n")
            sys.stdout.flush()
        _deliver(new, waiting)
        if _ended:
            return
        time.sleep(1 / PER_SECOND)


def _connect(url: str) -> Connection:
    return create_engine(url, isolation_level="AUTOCOMMIT").connect()


def _execute(side: Connection, kind: str, values: dict[str, object]) -> None:
    side.execute(text(STATEMENTS[side.dialect.name][kind]), values)


def _deliver(new: Connection, waiting: list) -> None:
    while waiting and waiting[0][0] <= time.monotonic():
        _, _, kind, values = heapq.heappop(waiting)
        _execute(new, kind, values)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: _ended.append(number))
    main(sys.argv[1:])
