"""Waivers for what a run found, ready but for what only a person can say: why, and who signs for it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from safeguard.comparing.grouping import Group, found_groups
from safeguard.contract.waivers import PLACEHOLDER
from safeguard.contract.yaml_text import read_document
from safeguard.drafting.yaml_text import scalar
from safeguard.findings.result import CheckResult
from safeguard.findings.trouble import UsageProblem
from safeguard.findings.words import Kind

DAYS = 14
"""How long a drafted waiver is valid, unless a person says otherwise."""
_NUMBERED = re.compile(r"W-([0-9]{1,9})")
_HEAD = "waivers:\n"


def groups_of(result: CheckResult, findings: Path) -> tuple[Group, ...]:
    """What a run found and nobody has waived, a group for each waiver that it needs."""
    fields = {content.content: tuple(content.field_causes) for content in result.contents}
    return found_groups(findings, fields)


def drafted(
    groups: Sequence[Group], result: CheckResult, today: dt.date, taken: Collection[str] = ()
) -> str:
    """Entries of a file of waivers, one a group, below `waivers:`. No id is one that is `taken`."""
    used = [int(m[1]) for name in taken if (m := _NUMBERED.fullmatch(name))]
    first = max(used, default=0) + 1
    ends = today + dt.timedelta(days=DAYS)
    entries = (_entry(f"W-{first + i}", g, result, ends) for i, g in enumerate(groups))
    return "".join(f"{line}\n" for entry in entries for line in entry)


def append_to(path: Path, groups: Sequence[Group], result: CheckResult, today: dt.date) -> None:
    """Write what `appended` says, whole or not at all. Raises UsageProblem where that can't be done."""
    text = appended(path, groups, result, today)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise UsageProblem(f"{path} can't be written: {error.strerror}") from error


def appended(path: Path, groups: Sequence[Group], result: CheckResult, today: dt.date) -> str:
    """The text of a file of waivers with one more for each group; of one that is not there yet, too.

    Raises UsageProblem where what stands in the file is no list of waivers that can be gone on with.
    """
    try:
        before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{path} can't be read: {error}") from error
    if not before.strip():
        return _HEAD + drafted(groups, result, today)
    there = _waivers(before, path)
    ids = [str(one.get("id")) for one in there if isinstance(one, dict)]
    new = drafted(groups, result, today, ids)
    text = f"{before.rstrip()}\n{_indented(new, before)}"
    after = read_document(text.encode(), str(path)).value
    after = after.get("waivers") if isinstance(after, dict) else None
    if (
        not isinstance(after, list)
        or after[: len(there)] != there
        or len(after) != len(there) + len(groups)
    ):
        raise _not_appendable(path)
    return text


# -- private -------------------------------------------------------------------------------------


def _entry(name: str, group: Group, result: CheckResult, ends: dt.date) -> Iterator[str]:
    yield f"  - id: {name}"
    yield f"    content: {scalar(group.content)}"
    yield f"    kind: {group.kind}"
    for key in ("cause", "field", "system"):
        if (value := getattr(group, key)) is not None:
            yield f"    {key}: {scalar(value)}"
    yield f"    at_most: {_at_most(group, result)}"
    yield f'    reason: "{PLACEHOLDER}: why customers can live with this"'
    yield f'    approved_by: "{PLACEHOLDER}: who signs for it"'
    yield f"    expires: {ends}"


def _at_most(group: Group, result: CheckResult) -> int:
    """As many as were found; an entry that was due in two tables of one system is one."""
    if group.kind is Kind.UNCOVERED:
        return group.entries or 0
    whole = sum(
        c.unwaived.get(group.kind, 0) for c in result.contents if c.content == group.content
    )
    return min(group.entries or 0, whole)


def _waivers(text: str, path: Path) -> list[object]:
    document = read_document(text.encode(), str(path))
    if document.mistakes:
        raise UsageProblem(*document.mistakes)
    found = document.value.get("waivers") if list(document.value) == ["waivers"] else None
    if found is None and document.value == {"waivers": None}:
        return []
    if not isinstance(found, list):
        raise _not_appendable(path)
    return found


def _indented(entries: str, before: str) -> str:
    """The entries as far to the right as the last one in the file stands."""
    dashes = re.findall(r"^( *)- ", before, re.MULTILINE)
    indent = dashes[-1] if dashes else "  "
    return "".join(f"{indent}{line[2:]}\n" for line in entries.splitlines())


def _not_appendable(path: Path) -> UsageProblem:
    return UsageProblem(
        f"{path} is written so that nothing can be added at its end: `waivers:` and a list with one "
        "`-` a line. Without --append the entries are printed"
    )
