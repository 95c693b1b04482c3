"""Runs one command and writes what it took: `measured.py RESULT TIMEOUT COMMAND...`.

A process of its own, since the kernel counts the memory of whoever starts a command as the
command's own. Peak memory is that of the largest process, or of the whole tree by looking 20 times a
second, whichever is more; a page that several processes share is counted once, by shares.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

LOOK_SECONDS = 0.05


class Watch(threading.Thread):
    """Looks at the command's processes until it ends; ends it when its time is over."""

    def __init__(self, pid: int, deadline: float) -> None:
        super().__init__(daemon=True)
        self.pid, self.deadline = pid, deadline
        self.peak, self.timed_out = 0, False
        self.over = threading.Event()

    def run(self) -> None:
        """See `threading.Thread.run`."""
        while not self.over.wait(LOOK_SECONDS):
            tree = _tree(self.pid)
            if len(tree) > 1:  # of one process the kernel itself knows the peak
                self.peak = max(self.peak, sum(map(_proportional, tree)))
            if time.perf_counter() > self.deadline and not self.timed_out:
                self.timed_out = True
                os.killpg(self.pid, signal.SIGKILL)


def main() -> None:
    """Run the command with this process's output; its exit code stands in the result only."""
    result, timeout, *command = sys.argv[1:]
    start = time.perf_counter()
    process = subprocess.Popen(command, start_new_session=True)
    watch = Watch(process.pid, start + float(timeout))
    watch.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    watch.over.set()
    watch.join()
    taken = {
        "wall": wall,
        "user": used.ru_utime,
        "system": used.ru_stime,
        "peak_bytes": max(used.ru_maxrss * 1024, watch.peak),
        "exit_code": os.waitstatus_to_exitcode(status),
        "timed_out": watch.timed_out,
    }
    Path(result).write_text(json.dumps(taken), encoding="utf-8")


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for thread in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def _proportional(pid: int) -> int:
    """Bytes of a process, a shared page by its share."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
