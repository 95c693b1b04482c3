"""Sums of row hashes inside PostgreSQL, in the session's snapshot; see `sums.Sums`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Output, Relation, Selection
from safeguard.systems.plan_sql import bracketed
from safeguard.systems.postgresql_hash import bucket, encoding, probes, refusal, row_hash
from safeguard.systems.postgresql_raw import named
from safeguard.systems.postgresql_sql import declared, select_exact, where
from safeguard.systems.sums import BUCKETS, BucketSum, Hashed, Question, RouteSum, Scheme

Ask = Callable[[str], list[Any]]
Read = Callable[[Relation, str, str], Iterator[pa.RecordBatch]]
_ENCODING = "UTF8"
_SCAN = "SET LOCAL jit = off; SET LOCAL enable_sort = off; "
"""Compiling takes longer than it saves, and to sort all rows for a thousand groups is never best."""
_BY_INDEX = "; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashagg = off"
_INDEXED_SQL = """
SELECT 1 FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
WHERE t.oid = '{table}'::pg_catalog.regclass AND a.attname = '{column}'
AND t.relkind = 'r' AND m.amname = 'btree' AND i.indisvalid AND i.indpred IS NULL
"""
"""Indexes that begin with a column."""
_ALL_VISIBLE = "AND t.relallvisible >= 0.9 * t.relpages AND t.relpages > 0"
"""The rows need not be looked up for what the index holds."""
_ROWS_PER_OWNER = 100


class PostgresqlSums:
    """See `sums.Sums`. `ask` gives the rows of a short statement, `read` streams a long one, of a
    relation, with settings of its own; `source` is a relation in FROM."""

    def __init__(
        self, version: str, workers: int, ask: Ask, read: Read, source: Callable[[Relation], str]
    ) -> None:
        self._version, self._ask, self._read, self._source = version, ask, read, source
        self._scan = f"{_SCAN}SET LOCAL max_parallel_workers_per_gather = {max(0, workers)}"

    def scheme(self, question: Question) -> Scheme:
        """See `Sums.scheme`."""
        encoded = self._ask("SHOW server_encoding")[0][0]
        if encoded != _ENCODING:
            return Scheme(refused=f"the database is encoded in {encoded}")
        for output, kind in _columns(question, question.hashed):
            if why := refusal(kind, output.type):
                return Scheme(refused=why)
        kinds = [hashed.kind for hashed in question.hashed]
        owners = f"{len(question.owners)} of owner, {BUCKETS} buckets"
        told = ", ".join(encoding(kind) for kind in kinds)
        ((found,),) = self._ask(probes(sorted(set(kinds))))
        major = self._version.partition(".")[0]
        return Scheme(f"PostgreSQL {major}, lookup3, {owners}: {told}", tuple(found))

    def bucket_sums(self, question: Question) -> Mapping[int, BucketSum]:
        """See `Sums.bucket_sums`."""
        whose = bucket(_columns(question, question.owners), BUCKETS)
        relation, condition = question.selection.relation, where(question.selection.where)
        return self._sums(relation, self._sums_sql(question, whose, condition))

    def first_owners(self, question: Question, most: int) -> tuple[str, ...]:
        """See `Sums.first_owners`. Of one integer column with an index."""
        if self._index(question) is None:
            return ()
        owner = declared(_columns(question, question.owners)[0][0])
        source = self._source(question.selection.relation)
        first = f"SELECT {owner} AS o FROM {source}{where(question.selection.where)}"
        some = f"{first} LIMIT {_ROWS_PER_OWNER * most}"
        sql = f"SELECT DISTINCT o::pg_catalog.text FROM ({some}) q WHERE o IS NOT NULL LIMIT {most}"
        return tuple(owner for (owner,) in self._ask(sql))

    def owner_sums(self, question: Question, owners: tuple[str, ...]) -> Mapping[str, BucketSum]:
        """See `Sums.owner_sums`."""
        owner, relation = declared(_columns(question, question.owners)[0][0]), question.selection
        listed = ",".join(str(int(each)) for each in owners)
        wanted = f"{owner} = ANY ('{{{listed}}}'::pg_catalog.int8[])"
        before = where(relation.where)
        condition = f"{before} AND {wanted}" if before else f" WHERE {wanted}"
        sql = self._sums_sql(question, f"{owner}::pg_catalog.text", condition)
        return self._sums(relation.relation, sql)

    def _sums(self, relation: Relation, sql: str) -> dict[Any, BucketSum]:
        found = {}
        for batch in self._read(relation, sql, self._scan):
            for number, rows, deleted, unreceived, *rest in zip(
                *(column.to_pylist() for column in batch.columns), strict=True
            ):
                routes = zip(rest[::2], rest[1::2], strict=True)
                found[number] = BucketSum(
                    rows, deleted, unreceived, tuple(RouteSum(n, int(t or 0)) for n, t in routes)
                )
        return found

    def live_owners(self, question: Question) -> Iterator[pa.RecordBatch]:
        """See `Sums.live_owners`."""
        selection, owners = question.selection, _columns(question, question.owners)
        terms = [bracketed(selection.where)] if selection.where else []
        terms += [f"NOT {_condition(question, question.deleted)}"] if question.deleted else []
        condition = f" WHERE {' AND '.join(terms)}" if terms else ""
        columns = ", ".join(f"{_told_apart(o, kind)} AS o{i}" for i, (o, kind) in enumerate(owners))
        inner = f"SELECT DISTINCT {columns} FROM {self._source(selection.relation)}{condition}"
        named_so = [
            (replace(o, sql=f"o{i}", is_column=True), kind) for i, (o, kind) in enumerate(owners)
        ]
        outputs = tuple(output for output, _ in named_so)
        sql = select_exact(outputs, f", {bucket(named_so, BUCKETS)} AS b FROM ({inner}) q")
        for batch in self._read(selection.relation, sql, self._scan + self._covered(question)):
            rows = named(batch.select(range(len(outputs))), outputs)
            yield rows.append_column("bucket", batch.column(len(outputs)))

    def only_buckets(self, question: Question, buckets: tuple[int, ...]) -> Selection:
        """See `Sums.only_buckets`."""
        selection = question.selection
        listed = ",".join(map(str, sorted(buckets)))
        whose = bucket(_columns(question, question.owners), BUCKETS)
        wanted = f"{whose} = ANY ('{{{listed}}}'::pg_catalog.int4[])"
        before = f"{bracketed(selection.where)} AND " if selection.where else ""
        return replace(selection, where=f"{before}{wanted}")

    def _sums_sql(self, question: Question, whose: str, condition: str) -> str:
        hashed, source = _columns(question, question.hashed), question.selection.relation
        names = [("gone", question.deleted), *((f"r{i}", d) for i, d in enumerate(question.due))]
        inner = [f"{whose} AS b", f"{row_hash(hashed)} AS h"]
        inner += [f"{_condition(question, name)} AS {short}" for short, name in names if name]
        live = ["NOT gone"] if question.deleted else []
        nowhere = [f"NOT r{i}" for i, _ in enumerate(question.due)]
        wanted = ["b", "count(*)", _count(["gone"] if question.deleted else ["FALSE"])]
        wanted.append(_count([*live, *nowhere] if all(question.due) else ["FALSE"]))
        for i, due in enumerate(question.due):
            terms = [*live, f"r{i}"] if due else live
            wanted += [_count(terms), f"(sum(h){_filter(terms)})::pg_catalog.text"]
        columns = ", ".join(f"{each} AS c{i}" for i, each in enumerate(wanted))
        tail = f"FROM {self._source(source)}{condition}"
        return f"SELECT {columns} FROM (SELECT {', '.join(inner)} {tail}) q GROUP BY b"

    def _index(self, question: Question, terms: str = "") -> Relation | None:
        """The table, where an index of it begins with the only owner column and `terms` hold."""
        relation = question.selection.relation
        (column, kind), *more = _columns(question, question.owners)
        if relation.table is None or more or not column.is_column or kind is not TypeName.INTEGER:
            return None  # an index on text is in the order of the column's collation
        table = self._source(relation).replace("'", "''")
        name = column.sql.replace("'", "''")
        return (
            relation if self._ask(_INDEXED_SQL.format(table=table, column=name) + terms) else None
        )

    def _covered(self, question: Question) -> str:
        """Settings that let the owners come from an index, where one holds all that is asked."""
        if question.selection.where is not None or question.deleted is not None:
            return ""
        return _BY_INDEX if self._index(question, _ALL_VISIBLE) else ""


def _columns(question: Question, which: tuple[Hashed, ...]) -> list[tuple[Output, TypeName]]:
    outputs = {output.name: output for output in question.selection.outputs}
    return [(outputs[hashed.output], hashed.kind) for hashed in which]


def _condition(question: Question, name: str) -> str:
    return declared(next(o for o in question.selection.outputs if o.name == name))


def _told_apart(output: Output, kind: TypeName) -> str:
    """An owner for DISTINCT: no collation makes two of them one."""
    sql = declared(output)
    return f'({sql})::pg_catalog.text COLLATE pg_catalog."C"' if kind is TypeName.TEXT else sql


def _filter(terms: list[str]) -> str:
    return f" FILTER (WHERE {' AND '.join(terms)})" if terms else ""


def _count(terms: list[str]) -> str:
    return f"count(*){_filter(terms)}"
