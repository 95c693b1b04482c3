"""A service in the middle of its cutover: writes the old database, and the new one up to two seconds
later. A process of its own: `python dual_writer.py OLD NEW SEED`, until it is told to end."""

from __future__ import annotations

import heapq
import random
import signal
import sys
import time
from collections.abc import Sequence

import psycopg

OWNERS, ITEMS = 200, 20
PER_SECOND = 60
MOST_LAG = 2.0
STATEMENTS = {
    "add": "INSERT INTO queue VALUES (%(owner)s, %(item)s, %(n)s, %(text)s, now()) "
    "ON CONFLICT (owner, item) DO UPDATE SET place = excluded.place, note = excluded.note, "
    "written = now()",
    "write": "UPDATE queue SET note = %(text)s, written = now() "
    "WHERE owner = %(owner)s AND item = %(item)s",
    "take": "DELETE FROM queue WHERE owner = %(owner)s AND item = %(item)s",
    "swap": "UPDATE queue a SET place = b.place, written = now() FROM queue b "
    "WHERE a.owner = %(owner)s AND b.owner = a.owner "
    "AND (a.item, b.item) IN ((%(item)s, %(item)s + 1), (%(item)s + 1, %(item)s))",
}

_ended: list[int] = []


def main(arguments: Sequence[str]) -> None:
    old, new = (psycopg.connect(url, autocommit=True) for url in arguments[:2])
    rng = random.Random(int(arguments[2]))
    waiting: list[tuple[float, int, str, dict[str, object]]] = []
    due = 0.0
    for n in range(10**9):
        kind = rng.choice(list(STATEMENTS))
        values = {
            "owner": rng.randrange(1, OWNERS),
            "item": rng.randrange(ITEMS - 1),
            "n": 1000 + n,
            "text": f"note {n}",
        }
        old.execute(STATEMENTS[kind], values)
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


def _deliver(new: psycopg.Connection, waiting: list) -> None:
    while waiting and waiting[0][0] <= time.monotonic():
        _, _, kind, values = heapq.heappop(waiting)
        new.execute(STATEMENTS[kind], values)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: _ended.append(number))
    main(sys.argv[1:])
