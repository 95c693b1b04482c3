"""Private PostgreSQL and MariaDB servers for tests: own data, own port, nothing left behind.

A server is a child of the test process and is told by the kernel when that process dies, so that
even a killed test run leaves no server. As root the child runs as the database's own user.
"""

from __future__ import annotations

import atexit
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pymysql
from pymysql.constants import CLIENT

USER = "safeguard"
PASSWORD = (
    "pa:ss/w@rd%21"  # needs quoting in a URL, so that masking and parsing are tried all the time
)
START_SECONDS = 60.0


class MissingServer(Exception):
    """The server's programs are not installed here; the message says what to install."""


def find_program(name: str, hint: str) -> str:
    """The path of a server program, in PATH or where Debian puts it."""
    found = shutil.which(name)
    places = [f"/usr/sbin/{name}", *_debian_postgresql(name)]
    path = found or next((p for p in places if os.access(p, os.X_OK)), None)
    if path is None:
        raise MissingServer(f"{name} not found: apt-get install {hint}")
    return path


class Server(ABC):
    """One running server. `url` gives bare SQLAlchemy URLs, as plans have them."""

    scheme: str
    account: str
    farewell = signal.SIGKILL
    """What ends the server at once, with all of its processes."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self._root = self._make_root()
        self.data = self._root / "data"
        self._log = self._root / "log"
        self._give_away()
        atexit.register(self.stop)
        try:
            self._install()
            self.start()
        except BaseException:
            self.stop()
            raise

    def url(self, database: str = "") -> str:
        """The URL of a database, with user and password."""
        name = quote(database, safe="")
        return f"{self.scheme}://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start on the same port and data; returns when the server answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_account("--pdeathsig", self.farewell.name[3:]), *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._root,
                start_new_session=True,  # Ctrl-C goes to the tests, which then stop the server
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.account} did not start:\n{words}")
            time.sleep(0.03)

    def kill(self) -> None:
        """End the server and all of its processes at once, as a power cut would."""
        if self._process is None:
            return
        for pid in [self._process.pid, *_children(self._process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """End the server and remove its data. May be called again."""
        if self._process is not None:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                self._process.send_signal(self.farewell)
                self._process.wait(5)
        self.kill()
        self._leave_root()

    def execute(self, database: str, *scripts: str) -> None:
        """Run SQL scripts, each of one or several statements; everything is committed."""
        for script in scripts:
            self.query(database, script)

    @abstractmethod
    def query(self, database: str, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL and give the rows of its last statement."""

    @abstractmethod
    def create_database(self, name: str) -> None:
        """Make an empty database."""

    @abstractmethod
    def run_script(self, database: str, script: Path | str) -> None:
        """Run a dump (a Path, or its text) with the server's own client."""

    def _make_root(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"safeguard-{self.account}-", dir="/tmp"))

    def _leave_root(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    @abstractmethod
    def _install(self) -> None: ...

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _as_account(self, *options: str) -> list[str]:
        setpriv = find_program("setpriv", "util-linux")
        if os.geteuid() != 0:
            return [setpriv, *options, "--"] if options else []
        who = _account(self.account)
        drop = [f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]
        return [setpriv, *drop, *options, "--"]

    def _give_away(self) -> None:
        if os.geteuid() == 0:
            who = _account(self.account)
            os.chown(self._root, who.pw_uid, who.pw_gid)

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            [*self._as_account(), *command], cwd=self._root, capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError((done.stdout + done.stderr).decode(errors="replace")[-2000:])

    def _client(self, command: list[str], script: Path | str, env: dict[str, str]) -> None:
        text = script.read_bytes() if isinstance(script, Path) else script.encode()
        done = subprocess.run(
            command, input=text, capture_output=True, env={**os.environ, **env}, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])


class PostgresqlServer(Server):
    """PostgreSQL with UTF8, C.UTF-8, UTC and password authentication."""

    scheme = "postgresql"
    account = "postgres"
    farewell = signal.SIGQUIT  # ends the backends too, and gives the shared memory back

    def __init__(self) -> None:
        hint = "postgresql"
        self._initdb, self._postgres = find_program("initdb", hint), find_program("postgres", hint)
        super().__init__()

    def _install(self) -> None:
        secret = self._root / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        who = ["-U", USER, "-A", "scram-sha-256", "--pwfile", str(secret)]
        form = ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        self._run([self._initdb, "-D", str(self.data), *who, *form])
        secret.unlink()

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "timezone": "UTC",
            "shared_buffers": "64MB",
            "max_wal_size": "4GB",
        }
        options = [part for k, v in settings.items() for part in ("-c", f"{k}={v}")]
        return [self._postgres, "-D", str(self.data), *options]

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), self._connect("postgres", connect_timeout=5):
            return True
        return False

    def _connect(self, database: str, **more: Any) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname=database,
            autocommit=True,
            **more,
        )

    def query(self, database: str, sql: str) -> list[tuple[Any, ...]]:
        """See `Server.query`."""
        with self._connect(database) as connection:
            cursor = connection.execute(sql.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str) -> None:
        """See `Server.create_database`."""
        self.query("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0')

    def run_script(self, database: str, script: Path | str) -> None:
        """See `Server.run_script`."""
        psql = find_program("psql", "postgresql-client")
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        command = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", *where, "-f", "-"]
        self._client(command, script, {"PGPASSWORD": PASSWORD, "PGCLIENTENCODING": "UTF8"})


class MariadbServer(Server):
    """MariaDB with utf8mb4 and its default sql_mode."""

    scheme = "mysql"
    account = "mysql"

    def __init__(self) -> None:
        hint = "mariadb-server-core mariadb-client-core"
        self._installer = find_program("mariadb-install-db", hint)
        self._mariadbd = find_program("mariadbd", hint)
        super().__init__()

    def _install(self) -> None:
        method = "--auth-root-authentication-method=normal"
        self._run(
            [
                self._installer,
                "--no-defaults",
                f"--datadir={self.data}",
                f"--tmpdir={self._root}",
                method,
                "--skip-test-db",
            ]
        )
        quoted = PASSWORD.replace("'", "''")
        (self._root / "init.sql").write_text(
            f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{quoted}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
        )

    def _command(self) -> list[str]:
        return [
            self._mariadbd,
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self._root}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self._root}/s",
            f"--pid-file={self._root}/pid",
            f"--init-file={self._root}/init.sql",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-doublewrite=0",
            "--innodb-buffer-pool-size=64M",
            "--max-allowed-packet=256M",
            "--skip-name-resolve",
        ]

    def _answers(self) -> bool:
        with suppress(pymysql.err.OperationalError), self._connect(""):
            return True
        return False

    def _connect(self, database: str) -> pymysql.connections.Connection[Any]:
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            database=database or None,
            charset="utf8mb4",
            autocommit=True,
            max_allowed_packet=256 << 20,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )

    def query(self, database: str, sql: str) -> list[tuple[Any, ...]]:
        """See `Server.query`."""
        with self._connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall()
            while cursor.nextset():
                rows = cursor.fetchall()
            return list(rows)

    def create_database(self, name: str) -> None:
        """See `Server.create_database`."""
        self.query("", f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")

    def run_script(self, database: str, script: Path | str) -> None:
        """See `Server.run_script`."""
        client = find_program("mariadb", "mariadb-client-core")
        where = ["-h", "127.0.0.1", "-P", str(self.port), "-u", USER, database]
        command = [client, "--no-defaults", "--default-character-set=utf8mb4", *where]
        self._client(command, script, {"MYSQL_PWD": PASSWORD})


@dataclass(frozen=True)
class Database:
    """One database of a server."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        """Its URL, as a plan has it."""
        return self.server.url(self.name)

    def execute(self, *scripts: str) -> None:
        """See `Server.execute`."""
        self.server.execute(self.name, *scripts)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """See `Server.query`."""
        return self.server.query(self.name, sql)

    def run_script(self, script: Path | str) -> None:
        """See `Server.run_script`."""
        self.server.run_script(self.name, script)


def _debian_postgresql(name: str) -> list[str]:
    found = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    return [str(path) for path in sorted(found, reverse=True)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _account(name: str) -> pwd.struct_passwd:
    for candidate in (name, "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(candidate)
    raise MissingServer(f"no user to run the server as; {getpass.getuser()} is root")


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
