"""The SQL that is asked of MariaDB and MySQL: names quoted, a contract's own SQL put in whole."""

from __future__ import annotations

from safeguard.systems.interface import Output
from safeguard.systems.plan_sql import bracketed


def quoted(name: str) -> str:
    """An identifier of any letters."""
    return "`" + name.replace("`", "``") + "`"


def literal_schema(name: str) -> str:
    """A schema's name as a literal; the URL's database where it is empty."""
    escaped = name.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'" if name else "DATABASE()"


def where(condition: str | None) -> str:
    """The WHERE of a condition, or nothing."""
    return f" WHERE {bracketed(condition)}" if condition else ""


def select(outputs: tuple[Output, ...], reading: bool = False) -> str:
    """The SELECT of outputs; for `reading`, of resolved ones, as whole numbers where bits are."""
    return f"SELECT {', '.join(_expression(o, reading) for o in outputs)}"


def _expression(output: Output, reading: bool) -> str:
    sql = quoted(output.sql) if output.is_column else bracketed(output.sql)
    if output.condition:
        return f"({sql} IS TRUE)"
    if reading and output.type.declared.startswith("bit"):
        return f"({sql} + 0)"
    return sql
