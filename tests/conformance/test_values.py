"""Run the table of `values.py` against every system."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.stores import FILLS, in_server, name_of
from conformance.values import BAD, ROWS, UNSUPPORTED, Row
from safeguard.contract.model import SystemSpec
from safeguard.contract.types import Type
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.generic import GenericSession
from safeguard.systems.interface import Output, Relation, Selection, Session
from safeguard.systems.open import open_system
from servers import Database, Server

SYSTEMS = (*FILLS, "postgresql", "mariadb")
STORAGES = {
    "integer": Storage.INT64,
    "timestamp": Storage.INT64,
    "float": Storage.FLOAT64,
    "boolean": Storage.BOOL,
    "bytes": Storage.BINARY,
}


def stored_in(row: Row, system: str) -> Any:
    if system == "generic":  # it runs on SQLite
        return row.stored.get("generic", row.stored.get("sqlite"))
    return row.stored.get(system)


CASES = [
    pytest.param(system, row, id=f"{system}-{name_of(row)}")
    for system in SYSTEMS
    for row in ROWS
    if stored_in(row, system) is not None
]


@pytest.fixture(scope="module")
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Session]]:
    """`opened("csv")` is a session on the system that holds all of the table's values."""
    sessions: dict[str, Session] = {}

    def get(system: str) -> Session:
        if system not in sessions:
            folder = tmp_path_factory.mktemp(system)
            sessions[system] = _filled(request, system, folder)
        return sessions[system]

    yield get
    for session in sessions.values():
        session.close()


def _filled(request: pytest.FixtureRequest, system: str, folder: Path) -> Session:
    values = [(name_of(row), stored_in(row, system)) for row in ROWS]
    values = [(table, stored) for table, stored in values if stored is not None]
    if system in FILLS:
        url = FILLS[system](folder, values)
    else:
        server: Server = request.getfixturevalue(system)
        database = Database(server, f"conformance_{folder.name[-1]}")
        server.create_database(database.name)
        first = "SET sql_mode = '';" if system == "mariadb" else ""  # it refuses zero dates else
        url = in_server(database, values, first)
    spec = SystemSpec(url=url)
    if system == "generic":
        return GenericSession("values", url, spec)
    return open_system("values", spec, folder)


@pytest.mark.parametrize(("system", "row"), CASES)
def test_every_system_gives_the_same_canonical_value(
    system: str, row: Row, opened: Callable[[str], Session]
) -> None:
    session = opened(system)
    asked = Selection(Relation(name_of(row)), (Output("v", "v", True),))
    selection = session.resolve(asked)
    source = selection.outputs[0].type
    if row.canonical is UNSUPPORTED:
        assert source.unsupported
        return
    assert not source.unsupported
    storage = Storage.TEXT if row.wide else STORAGES.get(row.type, Storage.TEXT)
    column = CanonicalColumn(
        "v",
        source,
        Type.parse(row.type),
        storage,
        zone=row.zone,
        as_written=row.as_written,
        alternate=row.type == "timestamp",
        nanoseconds=row.nanoseconds,
    )
    (batch,) = session.stream(selection)
    found = canonical_batch(batch, (column,)).to_pylist()[0]
    if row.canonical is BAD:
        assert found["v"] is None
        assert found["bad"] is not None
        return
    assert found["bad"] is None
    assert _same(found["v"], row.canonical)
    assert found.get("v__alt") == row.second


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float):
        both_nan = math.isnan(wanted) and math.isnan(found)
        return both_nan or (found == wanted and math.copysign(1, found) == math.copysign(1, wanted))
    return type(found) is type(wanted) and found == wanted
