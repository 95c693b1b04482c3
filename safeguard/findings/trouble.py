"""The errors that people meet, each of one family; anything else is a bug of ours (exit code 70)."""

from __future__ import annotations

from dataclasses import dataclass


class SafeguardError(Exception):
    """An error with a message for people. `exit_code` is what the process ends with."""

    exit_code = 70


@dataclass(frozen=True)
class Mistake:
    """One thing a person must mend, and where: `line` and `column` count from 1."""

    message: str
    file: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{where}  {self.message}" if where else self.message


class UsageProblem(SafeguardError):
    """What a person must mend in the command, plan or contract. All mistakes in one go."""

    exit_code = 2

    def __init__(self, *mistakes: Mistake | str) -> None:
        self.mistakes = tuple(Mistake(m) if isinstance(m, str) else m for m in mistakes)
        super().__init__("\n".join(str(m) for m in self.mistakes))


class SystemProblem(SafeguardError):
    """A system that could not be reached, refused, or went away. Nothing can be called safe."""

    exit_code = 3


class ConnectionLost(SystemProblem):
    """A connection broke, the server's or the network's doing: the same may be asked again."""
