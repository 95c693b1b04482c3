"""PostgreSQL's catalog: tables, their columns and keys, by a few fast queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from safeguard.systems.interface import Column, ForeignKey, Table
from safeguard.systems.postgresql_types import PgTypes

_OURS = r"n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'"
RELATIONS_SQL = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind IN ('v', 'm'), n.nspname = current_schema()
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND {_OURS}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid
                  AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e')
ORDER BY 5 DESC, 2, 3
"""
COLUMNS_SQL = """
SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, NOT a.attnotnull
FROM pg_catalog.pg_attribute a
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY($1::oid[])
ORDER BY a.attrelid, a.attnum
"""
KEYS_SQL = """
SELECT i.indrelid, i.indisprimary,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM
        unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k(attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)
FROM pg_catalog.pg_index i
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND i.indrelid = ANY($1::oid[])
ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid
"""
FOREIGN_SQL = """
SELECT c.conrelid, c.confrelid,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM
        unnest(c.conkey) WITH ORDINALITY k(attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM
        unnest(c.confkey) WITH ORDINALITY k(attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum)
FROM pg_catalog.pg_constraint c
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid = ANY($1::oid[])
ORDER BY c.conrelid, c.oid
"""
INHERITS_SQL = """
SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
WHERE NOT c.relispartition AND i.inhrelid = ANY($1::oid[])
ORDER BY i.inhrelid, i.inhseqno
"""
FIND_SQL = """
SELECT c.oid, n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = $1
  AND n.nspname = ANY(CASE WHEN $2 = '' THEN current_schemas(true) ELSE ARRAY[$2::name] END)
ORDER BY array_position(current_schemas(true), n.nspname) LIMIT 1
"""
BLOCKS_SQL = """
SELECT pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam AND a.amname = 'heap'
WHERE c.oid = $1::oid AND c.relkind IN ('r', 'm') AND NOT c.relhassubclass
  AND pg_catalog.current_setting('server_version_num')::int >= 140000
"""
"""The true size of a plain table, in blocks; before PostgreSQL 14 a range of them is a whole scan."""
REWRITTEN_SQL = f"""
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND {_OURS}
  AND c.relfilenode <> pg_catalog.pg_relation_filenode(c.oid)
  AND (c.oid = $1::oid OR $1::oid IS NULL OR EXISTS (
    SELECT FROM pg_catalog.pg_class r WHERE r.oid = $1::oid
    AND (r.relkind IN ('v', 'p', 'f') OR r.relhassubclass)))
ORDER BY 1
"""
"""Tables that this relation may read, rewritten since the snapshot (TRUNCATE, ALTER TABLE).

A rewrite takes rows away from older snapshots too, so what was read is not what there was. The
query sees pg_class as of the snapshot, the function sees it as it is now.
"""


def known_tables(
    relations: Iterable[tuple[Any, ...]],
    columns: Iterable[tuple[Any, ...]],
    keys: Iterable[tuple[int, bool, list[str]]],
    foreign: Iterable[tuple[int, int, list[str], list[str]]],
    inherits: Iterable[tuple[int, int]],
    types: PgTypes,
) -> tuple[Table, ...]:
    """Put the answers of the five queries together."""
    relations = list(relations)
    names = {oid: shown(schema, name, default) for oid, schema, name, _, default in relations}
    columns_of = defaultdict(list)
    for oid, name, type_oid, modifier, nullable in columns:
        columns_of[oid].append(Column(name, types.source_type(type_oid, modifier), nullable))
    primary: dict[int, tuple[str, ...]] = {}
    unique = defaultdict(list)
    for oid, is_primary, key in keys:
        if is_primary:
            primary[oid] = tuple(key)
        else:
            unique[oid].append(tuple(key))
    parents = defaultdict(list)
    for oid, parent, child_columns, parent_columns in foreign:
        if parent in names:
            parents[oid].append(
                ForeignKey(tuple(child_columns), names[parent], tuple(parent_columns))
            )
    ancestors = defaultdict(list)
    for oid, parent in inherits:
        if parent in names:
            ancestors[oid].append(names[parent])
    return tuple(
        Table(
            names[oid],
            tuple(columns_of[oid]),
            primary.get(oid, ()),
            tuple(unique[oid]),
            tuple(parents[oid]),
            is_view,
            tuple(ancestors[oid]),
        )
        for oid, _, _, is_view, _ in relations
    )


def shown(schema: str, name: str, default: bool) -> str:
    """A table's name as plans write it: with its schema where that is not the default."""
    return name if default else f"{schema}.{name}"
