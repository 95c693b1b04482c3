"""Folders of exports: nothing sniffed, nothing skipped, nothing rounded, nothing moved meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from safeguard.contract.model import CsvOptions, SystemSpec
from safeguard.contract.types import Type, TypeName
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.files import FilesSession
from safeguard.systems.interface import Output, Relation, Selection
from safeguard.systems.missing import MissingRelation

Open = Callable[..., FilesSession]
QUEUE = Relation("queue")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    sessions: list[FilesSession] = []

    def make(csv: CsvOptions | None = None) -> FilesSession:
        spec = SystemSpec(url="files:exports", csv=csv or CsvOptions())
        sessions.append(FilesSession("exports", tmp_path, spec))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


def read(session: FilesSession, relation: Relation, *names: str, where: str | None = None) -> list:
    outputs = tuple(Output(name, name, True) for name in names)
    selection = session.resolve(Selection(relation, outputs, where))
    return sorted(
        (tuple(row.values()) for batch in session.stream(selection) for row in batch.to_pylist()),
        key=str,
    )


def test_csv_is_text_and_only_an_unquoted_null_is_null(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue.csv").write_text('a,b\n007,\\N\n"","\\N"\n"x\n""y""",1.50\n')
    session = opened()
    assert [(c.name, c.type.kind) for c in session.columns(QUEUE)] == [("a", None), ("b", None)]
    assert read(session, QUEUE, "a", "b") == [("", "\\N"), ("007", None), ('x\n"y"', "1.50")]
    assert session.count(QUEUE, None, "b IS NULL") == (3, 1)


def test_csv_options(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue.csv").write_bytes('a;b\ncafé;\n"";x\n'.encode("latin-1"))
    session = opened(CsvOptions(null="", delimiter=";", encoding="latin-1"))
    assert read(session, QUEUE, "a", "b") == [("", "x"), ("café", None)]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1\n",
        b"a,b\n1,2,3\n",
        b'a,b\n"x,2\n',
        b'a,b\n"x"y,2\n',
        b"a,b\n1,2\n\n3,4\n",
        b"a,b\n1,\xff\n",
        b'a,b\n1, "2"\n',
        b"a,a\n1,2\n",
        b"a,\n1,2\n",
        b"",
    ],
)
def test_malformed_csv_is_never_skipped(tmp_path: Path, opened: Open, content: bytes) -> None:
    (tmp_path / "queue.csv").write_bytes(content)
    with pytest.raises(SystemProblem):
        read(opened(), QUEUE, "a", "b")


def test_sql_sees_declared_types_and_columns_stay_text(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue.csv").write_text("id,stars\na,10\nb,9\nc,007\n")
    session = opened()
    session.declare("queue", {"stars": "INTEGER"})
    assert read(session, QUEUE, "id", "stars", where="stars > 8") == [("a", "10"), ("b", "9")]
    assert session.count(QUEUE, None, "stars > 8") == (3, 2)
    found = session.columns(QUEUE)
    assert [c.name for c in found] == ["id", "stars"]
    assert session.count(Relation(query="SELECT * FROM queue WHERE stars < 8"), None) == (1,)


def test_a_value_that_sql_cannot_cast_stops_the_reading(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue.csv").write_text("id,stars\na,10\nb,secret\n")
    session = opened()
    session.declare("queue", {"stars": "INTEGER"})
    assert read(session, QUEUE, "stars") == [("10",), ("secret",)]
    with pytest.raises(SystemProblem) as caught:
        session.count(QUEUE, "stars > 8")
    assert "secret" not in str(caught.value)


def test_jsonl_keeps_what_is_written(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue.jsonl").write_text(
        '{"n": 9007199254740993, "d": {"z": 1.0, "a": [1e400, "\\ud800"], "z": 2}}\n'
        '{"n": 1.10, "t": "x\\u0000y", "b": true}\n'
        '{"n": null}'
    )
    session = opened()
    assert [c.type.kind for c in session.columns(QUEUE)] == [None] * 4
    rows = read(session, QUEUE, "n", "d", "t", "b")
    assert [tuple(cell and (cell["text"], cell["string"]) for cell in row) for row in rows] == [
        (None, None, None, None),
        (("1.10", False), None, ("x\x00y", True), ("true", False)),
        (
            ("9007199254740993", False),
            ('{"z":1.0,"a":[1e400,"\\ud800"],"z":2}', False),
            None,
            None,
        ),
    ]
    assert session.count(QUEUE, None, "b = 'true'") == (3, 1)


def test_what_is_nested_deeply_is_kept_whole(tmp_path: Path, opened: Open) -> None:
    deep = '{"a":[1.0,' * 200 + "[]" + "]}" * 200
    (tmp_path / "queue.jsonl").write_text(f'{{"v": {deep}}}\n')
    assert read(opened(), QUEUE, "v") == [({"text": deep, "string": False},)]


def test_as_json_a_string_is_not_what_is_written_like_it(tmp_path: Path, opened: Open) -> None:
    lines = [
        '{"v": "5"}',
        '{"v": 5}',
        '{"v": "{\\"a\\":1}"}',
        '{"v": {"a": 1}}',
        '{"v": null}',
        "{}",
    ]
    (tmp_path / "queue.jsonl").write_text("\n".join(lines))
    session = opened()
    selection = session.resolve(Selection(QUEUE, (Output("v", "v", is_column=True),)))
    source = selection.outputs[0].type

    def values(kind: TypeName) -> list[str | None]:
        column = CanonicalColumn("v", source, Type(kind), Storage.TEXT)
        batches = [canonical_batch(batch, (column,)) for batch in session.stream(selection)]
        assert not any(batch["bad"].null_count < batch.num_rows for batch in batches)
        return sorted((v for batch in batches for v in batch["v"].to_pylist()), key=str)

    assert values(TypeName.JSON) == ['"5"', '"{\\"a\\":1}"', "5", None, None, '{"a":1}']
    assert values(TypeName.TEXT) == ["5", "5", None, None, '{"a":1}', '{"a":1}']


@pytest.mark.parametrize(
    "line",
    ["[1]", "{", "", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\ud800"}', '{"a": 1} {"a": 2}'],
)
def test_malformed_jsonl_is_named_by_its_line(tmp_path: Path, opened: Open, line: str) -> None:
    (tmp_path / "queue.jsonl").write_text('{"a": 1}\n' + line + "\n")
    with pytest.raises(SystemProblem, match=r"queue\.jsonl:2 "):
        opened().columns(QUEUE)


def test_parquet_is_exact(tmp_path: Path, opened: Open) -> None:
    big = Decimal("9" * 63 + ".25")
    table = pa.table(
        {
            "dec": pa.array([big], pa.decimal256(65, 2)),
            "u": pa.array([2**64 - 1], pa.uint64()),
            "ns": pa.array([1001], pa.timestamp("ns")),
            "nstz": pa.array([1001], pa.timestamp("ns", "UTC")),
            "id": pa.array([b"x" * 16], pa.uuid()),
            "tags": pa.array([["a", None]]),
            "odd": pa.array([[1.5]], pa.list_(pa.float32())),
        }
    )
    pq.write_table(table, tmp_path / "queue.parquet")
    session = opened()
    types = {c.name: c.type for c in session.columns(QUEUE)}
    assert {name: t.kind for name, t in types.items() if name != "odd"} == {
        "dec": TypeName.DECIMAL,
        "u": TypeName.INTEGER,
        "ns": TypeName.TIMESTAMP,
        "nstz": TypeName.TIMESTAMP,
        "id": TypeName.UUID,
        "tags": TypeName.JSON,
    }
    assert types["u"].wide
    assert types["nstz"].aware
    assert types["nstz"].nanoseconds
    assert "FLOAT" in types["odd"].unsupported
    (row,) = read(session, QUEUE, "dec", "u", "id", "tags")
    assert row == (str(big), 2**64 - 1, "78787878-7878-7878-7878-787878787878", '["a",null]')
    selection = session.resolve(Selection(QUEUE, (Output("t", "nstz", True),)))
    (batch,) = session.stream(selection)
    assert batch.column("t").cast(pa.int64()).to_pylist() == [1001]
    assert session.count(QUEUE, None) == (1,)


def test_a_folder_inside_is_one_table(tmp_path: Path, opened: Open) -> None:
    inside = tmp_path / "plan=free[1]"
    inside.mkdir()
    (inside / "1.csv").write_text("a\n1\n")
    (inside / "2.csv").write_text("a\n2\n")
    session = opened()
    relation = Relation("plan=free[1]")
    assert [c.name for c in session.columns(relation)] == ["a"]
    assert read(session, relation, "a") == [("1",), ("2",)]


def test_files_of_one_table_must_agree(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "queue" / "2.csv").write_text("b,a\n1,2\n")
    with pytest.raises(SystemProblem, match="other columns"):
        opened().columns(QUEUE)


def test_a_file_that_changes_is_noticed(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "queue.csv"
    path.write_text("a\n1\n")
    session = opened()
    assert read(session, QUEUE, "a") == [("1",)]
    path.write_text("a\n1\n2\n")
    with pytest.raises(SystemProblem, match="changed while it was read"):
        read(session, QUEUE, "a")
    path.unlink()
    with pytest.raises(SystemProblem):
        read(session, QUEUE, "a")


def test_odd_folders_are_told(tmp_path: Path, opened: Open) -> None:
    with pytest.raises(UsageProblem, match="has no"):
        opened()
    (tmp_path / "queue.csv").write_text("a\n1\n")
    with pytest.raises(MissingRelation, match="Did you mean `queue`"):
        opened().columns(Relation("queu"))
    (tmp_path / "queue.jsonl").write_text("{}\n")
    with pytest.raises(UsageProblem, match="are both table"):
        opened()
    (tmp_path / "queue.jsonl").unlink()
    (tmp_path / "link.csv").symlink_to(tmp_path / "queue.csv")
    with pytest.raises(UsageProblem, match="symbolic link"):
        opened()


def test_copies_of_like_named_files_are_kept_apart(tmp_path: Path, opened: Open) -> None:
    for folder, name, value in (("a-b", "c.csv", "one"), ("a", "b-c.csv", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(f"x\n{value}\n", encoding="latin-1")
    session = opened(CsvOptions(encoding="latin-1"))
    for table in session.tables():
        session.count(Relation(table.name), None)
    assert read(session, Relation("a-b"), "x") == [("one",)]
    assert read(session, Relation("a"), "x") == [("two",)]


@pytest.mark.parametrize(
    "stray",
    ["r/2.csv.gz", "r/2.json", "r/notes", "queue.csv.gz", "queue.json", "queue.csv.1", "other.tsv"],
)
def test_a_part_that_cannot_be_read_is_refused(tmp_path: Path, opened: Open, stray: str) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "1.csv").write_text("a\n1\n")
    (tmp_path / "queue.csv").write_text("a\n1\n")
    (tmp_path / stray).write_bytes(b"\x1f\x8b")
    with pytest.raises(UsageProblem, match=f"{stray} is no .parquet, .csv or .jsonl file"):
        opened()


def test_what_tools_leave_beside_their_files_is_no_content(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "1.csv").write_text("a\n1\n")
    for mark in ("r/_SUCCESS", "r/_metadata", "r/.1.csv.crc", "README.md", "r.csv.md5", ".x.gz"):
        (tmp_path / mark).touch()
    assert opened().count(Relation("r"), None) == (1,)


def test_a_mistake_in_sql_quotes_it(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue.csv").write_text("a\n1\n")
    with pytest.raises(UsageProblem, match="`b > 1`"):
        read(opened(), QUEUE, "a", where="b > 1")
    assert os.listdir(tmp_path) == ["queue.csv"]  # noqa: PTH208 - nothing was written


def test_a_column_may_be_asked_for_twice(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "queue.csv").write_text("a\n1\n")
    outputs = (Output("x", "a", True), Output("y", "A", True), Output("z", "a || '!'", False))
    session = opened()
    (batch,) = session.stream(session.resolve(Selection(QUEUE, outputs)))
    assert batch.to_pydict() == {"x": ["1"], "y": ["1"], "z": ["1!"]}


def test_large_streams_come_in_batches(tmp_path: Path, opened: Open) -> None:
    pq.write_table(pa.table({"n": pa.array(range(200_000))}), tmp_path / "queue.parquet")
    session = opened()
    selection = session.resolve(Selection(QUEUE, (Output("n", "n", True),)))
    sizes = [batch.num_rows for batch in session.stream(selection)]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 65_536
