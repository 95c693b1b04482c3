"""Which database a URL names: what tells one from another, and no secret."""

from __future__ import annotations

import getpass
import os.path
from collections.abc import Mapping

from sqlalchemy.engine import URL

from safeguard.systems.urls import WHOLE, Home, file_of, home_of, is_secret, parse, split_host

_LIBPQ = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
}
"""What libpq takes from the environment where a URL does not say it."""
_PORTS = {Home.POSTGRESQL: "5432", Home.MYSQL: "3306"}
_SCHEMES = {"postgres": "postgresql"}


def identity(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The parts of a URL that say which database it names, and as whom: equal for equal databases.
    All that its query says counts, but for secrets. `environ` is what the driver sees.

    A file is its path as the URL has it, relative to the plan or absolute. Empty where the URL does
    not tell: a password may have run into the host, or the whole connection string is a secret. Raises
    UsageProblem for what is no URL.
    """
    home = home_of(url)
    if home in (Home.SQLITE, Home.DUCKDB, Home.FILES):
        path = os.path.expanduser(file_of(url))  # noqa: PTH111 (normpath goes on with text)
        return {"kind": str(home), "path": os.path.normpath(path)}
    if split_host(url):
        return {}
    parsed = parse(url)
    if any(name.lower() == WHOLE for name in parsed.query):
        return {}
    found = _parts(parsed)
    if home is Home.POSTGRESQL:
        _as_libpq(found, environ)
    scheme = parsed.drivername.lower()
    found["kind"] = _SCHEMES.get(scheme, scheme)
    found["host"] = found.get("host", "").lower()
    found.setdefault("port", _PORTS.get(home, ""))
    return {name: value for name, value in sorted(found.items()) if value}


def _parts(url: URL) -> dict[str, str]:
    given = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    found = {name: str(value) for name, value in given.items() if value is not None}
    for name, value in url.query.items():
        if not is_secret(name):  # which of two hosts is meant is the driver's affair
            place = f"?{name}" if name in found else name
            found[place] = ",".join([value] if isinstance(value, str) else value)
    return found


def _as_libpq(found: dict[str, str], environ: Mapping[str, str]) -> None:
    for name, variable in _LIBPQ.items():
        if not found.get(name) and environ.get(variable):
            found[name] = environ[variable]
    if "service" in found:  # which may name both of these
        found.setdefault("servicefile", environ.get("PGSERVICEFILE", ""))
    else:
        found.setdefault("user", getpass.getuser())
        found.setdefault("dbname", found["user"])
