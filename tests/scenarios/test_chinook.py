"""Chinook from MariaDB and from SQLite to PostgreSQL: exactly the real differences are found.

Its author publishes one shop for three engines, and the three are not quite equal. What differs was
found by comparing every cell of the three by hand, and `test_these_are_the_differences` asks the
engines themselves, in SQL, without Safeguard:

- Customer 54 lives in "Edinburgh " in MySQL and SQLite, and in "Edinburgh" in PostgreSQL. His seven
  invoices differ in the same way. (A comparison by a collation that pads, as MariaDB's do, does not
  see it.)
- Four tracks have a backslash in their names in SQLite and PostgreSQL: "Cavalleria Rusticana \\ Act".
  In MySQL's script it stands unescaped in a string, where MySQL takes "\\ " for a blank.

All else is equal: 59 customers, 412 invoices, 2,240 lines, 18 playlists, 8,715 tracks on them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scenarios.telling import assert_content, assert_findings, check_plan
from servers import Database

PLANS = Path(__file__).parent / "chinook"

INVOICES_OF_54 = (20, 141, 152, 207, 336, 359, 381)
SYMPHONY = (
    'Symphony No. 3 Op. 36 for Orchestra and Soprano "Symfonia Piesni Zalosnych" '
    "\\ Lento E Largo - Tranquillissimo"
)
BACKSLASHED = {
    3435: ("Cavalleria Rusticana \\ Act \\ Intermezzo Sinfonico", (1, 5, 8, 12, 14)),
    3448: ("Lamentations of Jeremiah, First Set \\ Incipit Lamentatio", (1, 5, 8, 12, 14)),
    3485: (SYMPHONY, (1, 5, 8, 12, 13)),
    3499: ("Pini Di Roma (Pinien Von Rom) \\ I Pini Della Via Appia", (1, 5, 8, 12, 13)),
}
"""Track: its name, and the playlists it is on."""

TABLES = {
    "Customer": "CustomerId FirstName LastName Company Address City State Country PostalCode Phone "
    "Fax Email SupportRepId",
    "Invoice": "InvoiceId CustomerId InvoiceDate BillingAddress BillingCity BillingState "
    "BillingCountry BillingPostalCode Total",
    "InvoiceLine": "InvoiceLineId InvoiceId TrackId UnitPrice Quantity",
    "Playlist": "PlaylistId Name",
    "PlaylistTrack": "PlaylistId TrackId",
    "Track": "TrackId Name Composer Milliseconds",
}
"""What the contracts speak of, the key first."""


@pytest.fixture
def new(chinook_in_postgresql: Database) -> Database:
    return chinook_in_postgresql


@pytest.fixture(params=["mariadb", "sqlite"])
def old(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The engine and the URL of the old shop."""
    found = request.getfixturevalue(f"chinook_in_{request.param}")
    return request.param, found if isinstance(found, str) else found.url


def checked(
    plan: str, old: tuple[str, str], new: Database, out: Path
) -> tuple[Any, Mapping[str, Any], list[dict[str, Any]]]:
    """The result, its contents by name, and the findings without their content's name."""
    environ = {"OLD_URL": old[1], "NEW_URL": new.url}
    result, findings = check_plan(PLANS / plan, out, environ)
    return result, {c.content: c for c in result.contents}, findings


def of(content: str, findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [finding for finding in findings if finding["content"] == content]


def test_customers_and_invoices(old: tuple[str, str], new: Database, tmp_path: Path) -> None:
    result, contents, findings = checked("shop.yaml", old, new, tmp_path)
    blank_lost = {
        "kind": "changed",
        "owner": 54,
        "system": "new",
        "old_value": "Edinburgh ",
        "new_value": "Edinburgh",
        "cause": "whitespace",
        "segment": "british",
    }
    assert_findings(of("customers", findings), [{**blank_lost, "field": "city"}])
    assert_findings(
        of("invoices", findings),
        [{**blank_lost, "item": item, "field": "billing_city"} for item in INVOICES_OF_54],
    )
    assert len(findings) == 1 + 7
    assert [e.text for e in contents["invoices"].explanations] == [
        "All 7 changed entries have customer_id 54; of the kept ones none."
    ]
    assert [p.text for p in contents["invoices"].patterns] == [
        "7 of billing_city have lost the blanks at their end"
    ]
    assert_content(contents["customers"], _sums(kept=58, changed=1))
    assert_content(contents["invoices"], _sums(kept=405, changed=7))
    assert_content(contents["invoice-lines"], _sums(kept=2240))
    assert (str(result.verdict), result.exit_code) == ("BLOCK", 1)
    assert (result.customers.total, result.customers.affected) == (59, 1)
    assert result.coverage.uncovered == ()
    assert result.coverage.unchecked_columns == ()


def test_the_blank_accepted_by_name_passes(
    old: tuple[str, str], new: Database, tmp_path: Path
) -> None:
    """What the contract accepts is tolerated and counted, and nothing else is left."""
    folder = tmp_path / "plan" / "contracts"
    folder.mkdir(parents=True)
    for contract in (PLANS / "contracts").iterdir():
        text = contract.read_text(encoding="utf-8").replace(
            "city: ,", "city: {accept: [whitespace]},"
        )
        (folder / contract.name).write_text(text, encoding="utf-8")
    plan = folder.parent / "shop.yaml"
    plan.write_text((PLANS / "shop.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    result, findings = check_plan(plan, tmp_path / "run", {"OLD_URL": old[1], "NEW_URL": new.url})
    tolerated = {c.content: dict(c.tolerated) for c in result.contents}
    assert tolerated == {
        "customers": {"whitespace": 1},
        "invoices": {"whitespace": 7},
        "invoice-lines": {},
    }
    assert findings == []
    assert (str(result.verdict), result.exit_code) == ("PASS", 0)


def test_playlists(old: tuple[str, str], new: Database, tmp_path: Path) -> None:
    result, contents, findings = checked("playlists.yaml", old, new, tmp_path)
    eaten = _backslashes_eaten() if old[0] == "mariadb" else []
    assert_findings(findings, eaten)
    assert {f["content"] for f in findings} <= {"playlist-songs"}
    assert_content(contents["playlists"], _sums(kept=18))
    assert_content(contents["playlist-tracks"], _sums(kept=8715))
    songs = _sums(kept=8695, changed=20) if eaten else _sums(kept=8715)
    assert_content(contents["playlist-songs"], songs)
    assert (str(result.verdict), result.exit_code) == (("BLOCK", 1) if eaten else ("PASS", 0))


def test_these_are_the_differences(
    old: tuple[str, str], new: Database, request: pytest.FixtureRequest
) -> None:
    """Every cell that the contracts speak of, asked for in plain SQL and compared here."""
    edinburgh = {("City", "54"), *(("BillingCity", str(i)) for i in INVOICES_OF_54)}
    if old[0] == "mariadb":
        ask = request.getfixturevalue("chinook_in_mariadb").query
        expected = edinburgh | {("Name", str(track)) for track in BACKSLASHED}
    else:
        ask = _sqlite(old[1])
        expected = edinburgh
    found = set()
    for table, names in TABLES.items():
        columns = names.split()
        before = ask(f"SELECT {', '.join(columns)} FROM {table}")
        after = new.query(f"SELECT {', '.join(map(_snake, columns))} FROM {_snake(table)}")
        found |= _unequal_cells(columns, before, after)
    assert found == expected


# -- private -------------------------------------------------------------------------------------


def _sums(kept: int, changed: int = 0) -> dict[str, Any]:
    """Every old entry kept or changed, every new one its partner, nothing tolerated."""
    old = {"kept": kept, **({"changed": changed} if changed else {})}
    sums = {"old": old, "new": {"partner": kept + changed}}
    return {"sums": sums, "tolerated": {}, "left_out": 0}


def _backslashes_eaten() -> list[dict[str, Any]]:
    return [
        {
            "kind": "changed",
            "owner": playlist,
            "item": track,
            "field": "song",
            "system": "new",
            "old_value": name.replace("\\", ""),
            "new_value": name,
        }
        for track, (name, playlists) in BACKSLASHED.items()
        for playlist in playlists
    ]


def _sqlite(url: str) -> Callable[[str], list[tuple[Any, ...]]]:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(sql).fetchall()

    return ask


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _unequal_cells(
    columns: Sequence[str], before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]]
) -> set[tuple[str, str]]:
    """(column, key) of cells that differ; of a table of two columns both are the key."""
    width = 2 if len(columns) == 2 and columns[1].endswith("Id") else 1
    old = {tuple(row[:width]): [_cell(v) for v in row] for row in before}
    new = {tuple(row[:width]): [_cell(v) for v in row] for row in after}
    assert old.keys() == new.keys()
    assert len(old) == len(before) == len(after)
    return {
        (column, str(key[0]))
        for key in old
        for column, a, b in zip(columns, old[key], new[key], strict=True)
        if a != b
    }


def _cell(value: Any) -> str | None:
    """Money as 0.99 whether a float, text or decimal; times as SQLite writes them."""
    if isinstance(value, float | Decimal):
        return f"{value:.2f}"
    return None if value is None else str(value)
