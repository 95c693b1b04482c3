"""Which part of a plan's SQL a server refuses, when it refuses the whole of a selection."""

from __future__ import annotations

from collections.abc import Callable

from safeguard.findings.trouble import UsageProblem
from safeguard.systems.interface import Output, Selection


def blame(
    name: str,
    selection: Selection,
    ask: Callable[[str], object],
    one: Callable[[Output], str],
    nothing: Callable[[str | None], str],
) -> UsageProblem | None:
    """Each refused query, expression and condition of the system `name`, with the server's words;
    None where each by itself is accepted. `ask` raises UsageProblem for SQL that the server refuses;
    `one` selects an output, `nothing` no column, under a condition or none."""

    def refusal(sql: str) -> str | None:
        try:
            ask(sql)
        except UsageProblem as problem:
            return problem.mistakes[0].message.removeprefix(f"{name}: ")
        return None

    query = selection.relation.query
    if query and (words := refusal(nothing(None))):
        return UsageProblem(f"{name}: `{query}`: {words}")
    parts = [(output.sql, one(output)) for output in selection.outputs]
    if selection.where:
        parts.append((selection.where, nothing(selection.where)))
    refusals = [(written, refusal(sql)) for written, sql in parts]
    mistakes = [f"{name}: `{written}`: {words}" for written, words in refusals if words]
    return UsageProblem(*dict.fromkeys(mistakes)) if mistakes else None
