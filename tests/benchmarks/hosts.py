"""PostgreSQL and MariaDB as a benchmark wants them: both tuned alike, their data kept between runs."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from servers import MariadbServer, PostgresqlServer

MEASURED_USER = "bench"
"""Who every contender connects as; a plain password, since not every peer takes one to be quoted."""

_POSTGRESQL = {
    "shared_buffers": "1GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "effective_cache_size": "8GB",
    "max_parallel_workers": "8",
    "max_parallel_workers_per_gather": "2",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "log_min_duration_statement": "0",
    "log_timezone": "UTC",
    "log_line_prefix": "%n %u ",
}
_MARIADB = (
    "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=1G",
    "--innodb-stats-persistent=ON",
    "--tmp-table-size=64M",
    "--max-heap-table-size=64M",
)
_TICKS = os.sysconf("SC_CLK_TCK")
_STATEMENT = re.compile(rf"^(\d+\.\d+) {MEASURED_USER} LOG:  duration: (\d+\.\d+) ms", re.MULTILINE)


class BenchPostgresql(PostgresqlServer):
    """PostgreSQL in a folder of its own that outlives the process, with a log of all statements."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__()
        if not self.query("postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{MEASURED_USER}'"):
            login = f"CREATE ROLE {MEASURED_USER} SUPERUSER LOGIN PASSWORD '{MEASURED_USER}'"
            self.execute("postgres", login)

    def _make_root(self) -> Path:
        return _made(self._folder)

    def _leave_root(self) -> None: ...

    def _install(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            super()._install()

    def _command(self) -> list[str]:
        options = [
            part for name, value in _POSTGRESQL.items() for part in ("-c", f"{name}={value}")
        ]
        return [*super()._command(), *options]

    def databases(self) -> set[str]:
        """The names of all databases."""
        return {name for (name,) in self.query("postgres", "SELECT datname FROM pg_database")}

    def cpu_seconds(self) -> float:
        """CPU of the server and all of its backends so far, ended ones included."""
        assert self._process is not None
        return _cpu_seconds(self._process.pid)

    def end_sessions(self) -> None:
        """End what a contender that is no more still lets the server do."""
        whose = f"FROM pg_stat_activity WHERE usename = '{MEASURED_USER}'"
        self.execute("postgres", f"SELECT pg_terminate_backend(pid) {whose}")

    def log_size(self) -> int:
        """Where the log ends now, in bytes."""
        return self._log.stat().st_size

    def statement_seconds(self, since: int) -> float | None:
        """Seconds from the first measured statement's start to the last one's end in the log.

        Takes the log from byte `since` on; None where it holds no statement.
        """
        with self._log.open("rb") as log:
            log.seek(since)
            lines = _STATEMENT.findall(log.read().decode(errors="replace"))
        ends = [(float(end), float(took) / 1000) for end, took in lines]
        return max(end for end, _ in ends) - min(end - took for end, took in ends) if ends else None


class BenchMariadb(MariadbServer):
    """MariaDB in a folder of its own that outlives the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__()
        self.execute(
            "",
            f"CREATE USER IF NOT EXISTS '{MEASURED_USER}'@'%' IDENTIFIED BY '{MEASURED_USER}';"
            f"GRANT ALL ON *.* TO '{MEASURED_USER}'@'%'",
        )

    def _make_root(self) -> Path:
        return _made(self._folder)

    def _leave_root(self) -> None: ...

    def _install(self) -> None:
        if not (self.data / "mysql").exists():
            super()._install()

    def _command(self) -> list[str]:
        return [*super()._command(), *_MARIADB]

    def databases(self) -> set[str]:
        """The names of all databases."""
        return {name for (name,) in self.query("", "SHOW DATABASES")}

    def cpu_seconds(self) -> float:
        """CPU of the server so far."""
        assert self._process is not None
        return _cpu_seconds(self._process.pid)

    def end_sessions(self) -> None:
        """End what a contender that is no more still lets the server do."""
        self.execute("", f"KILL USER '{MEASURED_USER}'@'%'")


Host = BenchPostgresql | BenchMariadb


def settings() -> dict[str, object]:
    """How the two servers are tuned, for the page."""
    return {"postgresql": _POSTGRESQL, "mariadb": list(_MARIADB)}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _cpu_seconds(pid: int) -> float:
    total = 0
    for number in (pid, *_descendants(pid)):
        with suppress(OSError):
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            # utime, stime; of the server itself also those of backends that have ended
            total += sum(int(field) for field in fields[11 : 15 if number == pid else 13])
    return total / _TICKS


def _descendants(pid: int) -> list[int]:
    with suppress(OSError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in text.split()]
    return []
