"""Both databases attached to DuckDB, and a full outer join that somebody wrote for this one table."""

from __future__ import annotations

import importlib
from pathlib import Path

import duckdb
from sides import Side, answer, both

SCANNERS = {
    "postgresql": "postgres_scanner",
    "mariadb": "mysql_scanner",
    "sqlite": "sqlite_scanner",
}


def attached(connection: duckdb.DuckDBPyConnection, side: Side, name: str) -> str:
    """Attach the side; the table as a query names it."""
    if side.engine == "parquet":
        return f"read_parquet('{side.path}')"
    extension = SCANNERS[side.engine]
    package = importlib.import_module(f"duckdb_extension_{extension}")
    (file,) = Path(str(package.__file__)).parent.glob("extensions/*/*.duckdb_extension")
    connection.execute(f"LOAD '{file}'")
    who = f"host=127.0.0.1 port={side.port} user={side.user} password={side.user}"
    where, kind = {
        "postgresql": (f"dbname={side.database} {who}", "postgres"),
        "mariadb": (f"database={side.database} {who}", "mysql"),
        "sqlite": (side.path, "sqlite"),
    }[side.engine]
    connection.execute(f"ATTACH '{where}' AS {name} (TYPE {kind}, READ_ONLY)")
    schema = "public." if side.engine == "postgresql" else ""
    return f"{name}.{schema}{side.table}"


def main() -> None:
    """Count what the join finds."""
    old, new = both()
    with duckdb.connect() as connection:
        old_table = attached(connection, old, "old_side")
        new_table = attached(connection, new, "new_side")
        owner, item, *fields = old.columns
        differs = " OR ".join(f"o.{field} IS DISTINCT FROM n.{field}" for field in fields)
        found = connection.execute(f"""
            SELECT count(o.{owner}), count(n.{owner}),
                   count(*) FILTER (n.{owner} IS NULL), count(*) FILTER (o.{owner} IS NULL),
                   count(*) FILTER (o.{owner} = n.{owner} AND ({differs}))
            FROM {old_table} o FULL JOIN {new_table} n ON o.{owner} = n.{owner} AND o.{item} = n.{item}
        """).fetchone()
    assert found is not None
    answer(**dict(zip(("old", "new", "lost", "extra", "changed"), found, strict=True)))


if __name__ == "__main__":
    main()
