"""One file under check: where its mistakes stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safeguard.contract.spelling import did_you_mean, listed
from safeguard.contract.yaml_text import Document
from safeguard.findings.trouble import Mistake


@dataclass(frozen=True)
class Page:
    """A file and its text, for mistakes with a place."""

    file: str
    document: Document

    def mistake(self, message: str, *path: str | int, key: bool = False) -> Mistake:
        """A mistake at `path`; with `key`, at the key that stands there, not at its value."""
        return Mistake(message, self.file, *self.document.locate(*path, key=key))

    def unknown(
        self, what: str, name: str, names: Iterable[str], *path: str | int, key: bool = False
    ) -> Mistake:
        """`name` is none of `names`: says which there are, or which was meant."""
        every = tuple(names)
        hint = did_you_mean(name, every) or (f" There are {listed(every)}." if every else "")
        return self.mistake(f"{what} `{name}`.{hint}", *path, key=key)
