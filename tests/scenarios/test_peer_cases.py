"""How other verifiers' own test cases come out here.

Ids: reladiff (rb), MOLT (molt), Ghostferry (gf), VDiff (vd).

The facts are theirs (`../shared/real/peer_cases/*.yaml`); the meaning is ours: "only in the source"
is `lost`, "only in the target" `extra` or, where the key has a live old entry, `duplicated`.

Left out, and why:
- molt-12: names of another case. A contract names each column of each system, nothing is matched by name.
- molt-13, molt-15: primary keys and types that differ are no finding: the contract says what the key and
  the types are (molt-14, no primary key, is vd-14 here).
- molt-16: tables on one side only are coverage (fixtures/uncovered-playlists), not rows.
- molt-17: a dropped column's hidden number can't upset a mapping by name.
- molt-21, molt-22: odd values (numeric NaN, 24:00, TIME beyond a day) are rows of tests/conformance.
- molt-23, vd-1's split streams: partitions are tried by the property tests.
- gf-09: what utf8mb3 keeps depends on the server's mode; question marks are fixtures/garbled-letters.
- gf-10: compressed columns: there is no such declaration; other bytes are different.
- gf-14, gf-15: BINARY(n) padding is a row of tests/conformance.
- vd-7, vd-12: masking and cutting of values belong to the tests of reports.
- vd-9: aggregates over shards are a `query:`, as in fixtures/query-with-covers.
- vd-10: zones are fixtures/times-as-instants.
- vd-13: resuming comes with a later version.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scenarios.stores import Table, store_server, store_sqlite, typed_table
from scenarios.telling import assert_findings, check_plan
from servers import Database

Rows = Sequence[Sequence[str | None]]
SERVERS = ("postgresql-mariadb", "mariadb-postgresql")


@dataclass(frozen=True)
class Case:
    """`columns` name the old rows; the first `keys` of them are the item. The owner is one customer."""

    id: str
    columns: str
    old: Rows
    new: Rows
    findings: Sequence[Mapping[str, Any]] = ()
    verdict: str = "BLOCK"
    keys: int = 1
    types: Mapping[str, str] = field(default_factory=dict)
    """Types in the contract."""
    stored: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    """Types of the tables: a neutral word, or {engine: its own word}."""
    new_columns: str = ""
    """Names of the new columns, where they differ; an extra one is not in the contract."""
    table: str = "entries"
    source: Mapping[str, Any] = field(default_factory=dict)
    """More of both sides in the contract."""
    servers: bool = False
    """Whether PostgreSQL and MariaDB matter to the case."""


def _lost(item: Any) -> dict[str, Any]:
    return {"kind": "lost", "owner": 1, "item": item, "system": "new"}


def _extra(item: Any) -> dict[str, Any]:
    return {**_lost(item), "kind": "extra"}


def _duplicated(item: Any) -> dict[str, Any]:
    return {**_lost(item), "kind": "duplicated"}


def _changed(item: Any, name: str, **more: Any) -> dict[str, Any]:
    return {**_lost(item), "kind": "changed", "field": name, **more}


def _not_compared(item: Any) -> dict[str, Any]:
    return {**_lost(item), "kind": "not_compared"}


_UUIDS = [str(uuid.UUID(int=n * 0x1111_2222_3333)) for n in range(1, 101)]
_MIXED = ["aBcDeFgHiz", "AbCdEfGhIz", "abcdefghiz", "ABCDEFGHIZ", "aBcDeFgHi0", "_", "Z", "a"]
_BIG = [str(2**64 - 1 - n) for n in range(101)] + ["72858243"]
_JSON = (
    '{"data": {"quote": "\'", "value": [1, 12.13]}}', '["test_data", "test_data_2"]', "{}", None,
    "null", "true", "false", "42", "52.13", "52.0", '{"data": {"float": 32.0}}',
    '{ "lat": 43.72437629996218, "long": -79.45382688031805 }',
)  # fmt: skip
_FLOATS = ("123.9", "911.132", "911.13234", "0.1213", "-0.123")
_MOLT_OLD = [["100", "same value"], ["125", "i am missing"], ["150", "different value"],
             ["175", None], ["200", "also same value"], ["250", "missing on lie"]]  # fmt: skip
_MOLT_NEW = [["50", "extraneous row"], ["100", "same value"], ["150", None],
             ["175", None], ["200", "also same value"], ["300", "missing on truth"]]  # fmt: skip
_MOLT = [_lost(125), _lost(250), _extra(50), _extra(300), _changed(150, "v", cause="nulled")]
_VD = [["1", "3"], ["2", "4"], ["3", "1"]]

CASES = (
    Case("rb-1", "id, t", [["1", "2022-01-01 00:00:00"], ["2", "2022-01-01 00:00:00"]],
         [["1", "2022-01-01 00:00:00.000000"]], [_lost(2)],
         types={"t": "timestamp"}, stored={"t": "timestamp"}, servers=True),
    Case("rb-2", "id, v", [["12", "ABCDE"]] * 2,
         [["4", "ABCDEF"], *[["4", "ABCDE"]] * 2, *[["6", "ABCDE"]] * 3],
         [*[_lost(12)] * 2, *[_extra(4)] * 3, *[_extra(6)] * 3]),
    Case("rb-3", "id, v", [*[["12", "ABCDE"]] * 2, ["6", "ABCDE"]],
         [["4", "ABCDEF"], *[["4", "ABCDE"]] * 2, *[["6", "ABCDE"]] * 2],
         [*[_lost(12)] * 2, *[_extra(4)] * 3, _duplicated(6)]),
    Case("rb-4", "id, v", [["pk_1", "value_1"], ["pk_2", None]], [["pk_1", "value_1"]],
         [_lost("pk_2")], servers=True),
    Case("rb-5", "id, i, v", [[u, str(n), None] for n, u in enumerate(_UUIDS[:8])],
         [[u, str(n + 1), None] for n, u in enumerate(_UUIDS[:8])],
         [_changed(u, "i") for u in _UUIDS[:8]],
         types={"id": "uuid"}, stored={"id": "uuid", "v": "text"}, servers=True),
    Case("rb-6-one-more", "id, v", [[u, "x"] for u in _UUIDS], [[u, "x"] for u in _UUIDS[:-1]],
         [_lost(_UUIDS[-1])], types={"id": "uuid"}, stored={"id": "text"}),
    Case("rb-6-unexpected", "id, v", [*[[u, "x"] for u in _UUIDS], ["unexpected", "x"]],
         [[u, "x"] for u in _UUIDS], [_not_compared("any")], "UNDECIDED",
         types={"id": "uuid"}, stored={"id": "text"}),
    Case("rb-7", "id, v", [[k, "x"] for k in _MIXED], [[k, "x"] for k in reversed(_MIXED)],
         verdict="PASS", servers=True),
    Case("rb-8", "id, rating, t", [["1", "5", "2022-01-01 00:00:00"]],
         [["1", "5", "2022-01-01 00:00:00"]], verdict="PASS", new_columns="id2, rating2, t2",
         types={"t": "timestamp"}, stored={"t": "timestamp", "t2": "timestamp"}),
    Case("rb-9-new-empty", "id, v", [["1", "x"], ["2", "x"]], [], [_lost(1), _lost(2)],
         stored={"id": "integer", "v": "text"}, servers=True),
    Case("rb-9-old-empty", "id, v", [], [["1", "x"]], [_extra(1)], "UNDECIDED",
         stored={"id": "integer", "v": "text"}, servers=True),
    Case("rb-10", "a, b, v", [["-10", "x1Y", "1"], ["-9", "x1Y", "1"], ["9", "-", "1"]],
         [["-10", "x1y", "1"], ["-9", "x1Y", "1"], ["9", "-", "1"]],
         [_lost(["-10", "x1Y"]), _extra(["-10", "x1y"])], keys=2, servers=True),
    Case("rb-11", "id, v, age", [["1", "x", "60"], ["2", "x", "5"]],
         [["1", "x", "60"], ["3", "x", "5"]], verdict="PASS", source={"where": "age >= 60"}),
    Case("molt-01", "id, id_b, i2, i8, f8, d, t",
         [[str(n), "b", "1", "-1", "434343", "2020-09-11", None] for n in range(10)],
         [[str(n), "b", "1", "-1", "434343", "2020-09-11", None] for n in range(10)],
         verdict="PASS", keys=2, types={"d": "date", "f8": "float"},
         stored={"i2": {"postgresql": "smallint", "mariadb": "smallint", "sqlite": "INTEGER"},
                 "f8": "float", "d": "date"}, servers=True),
    Case("molt-02", "id, tiny, ts", [["1", "7", "2020-01-02 19:18:17"]],
         [["7", "1", "2020-01-02 19:18:17"]], verdict="PASS", new_columns="tiny, id, ts",
         types={"ts": "timestamp"},
         stored={"id": {"postgresql": "bigint", "mariadb": "int", "sqlite": "INTEGER"},
                 "tiny": {"postgresql": "integer", "mariadb": "tinyint", "sqlite": "INTEGER"},
                 "ts": {"postgresql": "timestamptz", "mariadb": "TIMESTAMP", "sqlite": "TEXT"}},
         servers=True),
    Case("molt-03", "id, v", _MOLT_OLD, _MOLT_NEW, _MOLT, servers=True),
    Case("molt-04", "id, v", [*_MOLT_OLD, ["400", "same value"]], _MOLT_NEW,
         [*_MOLT, _lost(400)], servers=True),
    Case("molt-05", "id, a", [["1", "2"], ["2", "3"]], [["1", "2", "1"], ["2", "4", "2"]],
         [_changed(2, "a", old_value=3, new_value=4)], new_columns="id, a, not_common_b"),
    Case("molt-06", "id, f, j", [["1", "1.5", "[]"], ["3", "4", '["mismatch"]']],
         [["1", "1.5", "[]"], ["3", "4", '["big mismatch"]']], [_changed(3, "j[0]")],
         types={"f": "float", "j": "json"}, stored={"f": "float", "j": "json"}, servers=True),
    Case("molt-07", "id, b", [["550e8400-e29b-41d4-a716-446655440000", "1"]],
         [["550e8400-e29b-41d4-a716-446655440000", "1"]], verdict="PASS",
         types={"id": "uuid", "b": "boolean"},
         stored={"id": {"postgresql": "uuid", "mariadb": "varchar(100)", "sqlite": "TEXT"},
                 "b": "boolean"}, servers=True),
    Case("molt-08", "id, s", [["1", "a"], ["2", "b"]], [["1", "a"], ["2", "c"]],
         [_changed(2, "s", old_value="b", new_value="c")], stored={"s": "enum"}, servers=True),
    Case("molt-09", "id, v", [["b", "1"], ["A", "1"], ["a", "1"], ["Å", "1"]],
         [["A", "1"], ["Å", "1"], ["a", "1"], ["b", "1"]], verdict="PASS",
         stored={"id": {"postgresql": 'text COLLATE "C"', "sqlite": "TEXT COLLATE NOCASE",
                        "mariadb": "varchar(9) CHARACTER SET latin1 COLLATE latin1_swedish_ci"}},
         servers=True),
    Case("molt-18", "id, b", [["1", "1"], ["2", "0"], ["3", "1"], ["4", "0"]],
         [["1", "1"], ["2", "0"], ["3", "1"], ["4", "0"]], verdict="PASS",
         types={"b": "boolean"}, stored={"b": "boolean"}, servers=True),
    Case("molt-19", "id, f", [[str(n), f] for n, f in enumerate(_FLOATS)],
         [[str(n), f] for n, f in enumerate(_FLOATS)], verdict="PASS", types={"f": "float"},
         stored={"f": {"postgresql": "real", "mariadb": "FLOAT", "sqlite": "REAL"}}, servers=True),
    Case("molt-20", "id, f", [["1", "NaN"], ["2", "Infinity"], ["3", "-Infinity"]],
         [["1", "NaN"], ["2", "Infinity"], ["3", "-Infinity"]], verdict="PASS",
         types={"f": "float"}, stored={"f": "text"}),
    Case("gf-01", "id, v", [["1", None]], [["1", None]], verdict="PASS", stored={"v": "text"},
         servers=True),
    Case("gf-02", "id, v", [["1", None]], [["1", ""]], [_changed(1, "v", cause="null_empty")],
         stored={"v": "text"}, servers=True),
    Case("gf-03", "id, v", [["1", None]], [["1", "NULL"]], [_changed(1, "v", new_value="NULL")],
         stored={"v": "text"}, servers=True),
    Case("gf-04", "id, v, w", [["1", None, "data"]], [["1", "data", None]],
         [_changed(1, "v"), _changed(1, "w")], servers=True),
    Case("gf-05", "id, f", [["1", "0.0"]], [["1", "1.0"]], [_changed(1, "f")],
         types={"f": "float"}, stored={"f": "float"}, servers=True),
    Case("gf-06", "id, f", [["1", "0.0"]], [["1", "-0.0"]], verdict="PASS",
         types={"f": "float"}, stored={"f": "float"}, servers=True),
    Case("gf-08", "id, v", [["1", "foobar"], ["2", "これは普通なストリングです"]],
         [["1", "foobar"], ["2", "これは普通なストリングです"]], verdict="PASS",
         stored={"v": {"mariadb": "varchar(99) CHARACTER SET utf8mb3", "postgresql": "text",
                       "sqlite": "TEXT"}}, servers=True),
    Case("gf-11", "id, v", [["1", "same"]], [["1", "same", "data2"]], verdict="PASS",
         new_columns="id, v, data"),
    Case("gf-12", "id, id2, v", [["corrupt", "10", "x"], ["corrupt", "11", "x"]],
         [["corrupt", "10", "y"], ["corrupt", "11", "x"]], [_changed(["corrupt", "10"], "v")],
         keys=2),
    Case("gf-13-equal", "id, j", [[str(n), j] for n, j in enumerate(_JSON)],
         [[str(n), j] for n, j in enumerate(_JSON)], verdict="PASS",
         types={"j": "json"}, stored={"j": "json"}, servers=True),
    Case("gf-13-null", "id, j", [["1", None], ["2", "null"], ["3", "52.0"]],
         [["1", "null"], ["2", None], ["3", "52"]], [_changed(1, "any"), _changed(2, "any")],
         types={"j": "json"}, stored={"j": "json"}, servers=True),
    Case("gf-16", "id, v", [[k, "x"] for k in _BIG], [[k, "x"] for k in _BIG[:-1]],
         [_lost(72858243)], types={"id": "integer"}, stored={"id": "unsigned"}, servers=True),
    Case("gf-17", "id, v", [["'", "'"], ["''", "\\'"]], [["'", "'"], ["''", "\\'"]],
         verdict="PASS", servers=True),
    Case("gf-18", "id, v", [["1", "2"]], [["1", "2.000"]], verdict="PASS",
         types={"v": "decimal(3)"}, stored={"v": "decimal"}, servers=True),
    Case("vd-1", "c1, c2", _VD, list(reversed(_VD)), verdict="PASS"),
    Case("vd-2", "c1, c2", _VD[:1], _VD, [_extra(2), _extra(3)], "PASS"),
    Case("vd-3", "c1, c2", _VD, _VD[:1], [_lost(2), _lost(3)]),
    Case("vd-4", "c1, c2", _VD, [_VD[0], _VD[2]], [_lost(2)]),
    Case("vd-5", "c1, c2", [_VD[0], _VD[2]], _VD, [_extra(2)], "PASS"),
    Case("vd-6", "c1, c2", [["1", "3"], ["2", "3"], ["3", "1"]], _VD,
         [_changed(2, "c2", old_value=3, new_value=4)]),
    Case("vd-11", "cid, name, typ, sport", [["1001", None, "soho", ""]],
         [["1001", None, "soho", ""]], verdict="PASS",
         stored={"name": "text", "typ": "enum", "sport": "enum"}, servers=True),
    Case("vd-14", "c1, c2", _VD, _VD[:2], [_lost(3)], table="Lead-1", servers=True),
)  # fmt: skip

RUNS = [
    pytest.param(case, pairing, id=f"{case.id}-{pairing}")
    for case in CASES
    for pairing in ("sqlite-sqlite", *(SERVERS if case.servers else ()))
]


@pytest.mark.parametrize(("case", "pairing"), RUNS)
def test_peer_case(
    case: Case, pairing: str, tmp_path: Path, fresh_database: Callable[[str], Database]
) -> None:
    plan = {
        "migration": case.id,
        "kind": "move",
        "systems": {
            "old": {"url": "${OLD_URL}", "timezone": "UTC"},
            "new": {"url": "${NEW_URL}", "timezone": "UTC"},
        },
        "contracts": ["contract.yaml"],
        "policy": {"warn": ["extra"]},
    }
    (tmp_path / "contract.yaml").write_text(json.dumps(_contract(case)), encoding="utf-8")
    (tmp_path / "safeguard.yaml").write_text(json.dumps(plan), encoding="utf-8")
    environ = {}
    sides = ((_names(case.columns), case.old), (_names(case.new_columns or case.columns), case.new))
    for side, engine, (columns, rows) in zip(
        ("old", "new"), pairing.split("-"), sides, strict=True
    ):
        table = _table(case, engine, columns, rows)
        environ[f"{side.upper()}_URL"] = _stored(engine, table, tmp_path / side, fresh_database)
    result, findings = check_plan(tmp_path / "safeguard.yaml", tmp_path / "run", environ)
    assert_findings(findings, case.findings)
    assert str(result.verdict) == case.verdict
    assert result.contents[0].conservation.old
    assert result.contents[0].conservation.new


def _names(columns: str) -> list[str]:
    return columns.split(", ")


def _contract(case: Case) -> dict[str, Any]:
    names = _names(case.columns)
    keys, fields = names[: case.keys], [n for n in names[case.keys :] if n != "age"]
    new_names = _names(case.new_columns or case.columns)
    renamed = {a: b for a, b in zip(names, new_names, strict=False) if b not in names}
    return {
        "content": "entries",
        "shape": "record",
        "owner": "c",
        "item": keys,
        "keys": {name: case.types[name] for name in keys if name in case.types},
        "fields": {n: {"type": case.types[n]} if n in case.types else {} for n in fields},
        "old": {"system": "old", "table": case.table, **case.source},
        "new": {"system": "new", "table": case.table, "columns": renamed, **case.source},
    }


def _table(case: Case, engine: str, columns: Sequence[str], rows: Rows) -> Table:
    stored = {
        name: kind if isinstance(kind, str) else kind[engine] for name, kind in case.stored.items()
    }
    cells = [["1", *row] for row in rows]
    return typed_table(case.table, ["c", *columns], cells, {"c": "integer", **stored})


def _stored(
    engine: str, table: Table, folder: Path, fresh_database: Callable[[str], Database]
) -> str:
    if engine == "sqlite":
        folder.mkdir()
        return store_sqlite(folder, [table])
    return store_server(engine, fresh_database(engine), [table])
