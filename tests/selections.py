"""What is selected of a system, for the tests of its sessions."""

from __future__ import annotations

from safeguard.systems.interface import Output, Relation, Selection


def columns_of(relation: Relation, *names: str) -> Selection:
    """A selection of columns."""
    return Selection(relation, tuple(Output(n, n, is_column=True) for n in names))


def expressions(relation: Relation, *sql: str) -> Selection:
    """A selection of expressions, named x0, x1 and so on."""
    return Selection(relation, tuple(Output(f"x{i}", s, False) for i, s in enumerate(sql)))
