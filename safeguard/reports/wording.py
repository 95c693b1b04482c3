"""The sentences of a report: the verdict, what is wrong, the sums and the next step."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from safeguard.findings.result import CheckResult, ContentResult, Impact, UncoveredTable
from safeguard.findings.words import Kind, OldStatus, Verdict, WaiverState
from safeguard.reports.vocabulary import count, entries, kind_word, listed, number

DAMAGED = (
    OldStatus.LOST,
    OldStatus.MISATTRIBUTED,
    OldStatus.MISROUTED,
    OldStatus.ORPHANED,
    OldStatus.CHANGED,
    OldStatus.MOVED,
    OldStatus.NOT_COMPARED,
)
"""Statuses of due entries that are not kept, the gravest for the customer first."""
_RESTED = (OldStatus.DELETED, OldStatus.NOT_DUE, OldStatus.OVERLAPPED)
_GONE = (Kind.LOST, Kind.MISATTRIBUTED, Kind.MISROUTED, Kind.ORPHANED)
_SPOILT = (Kind.CHANGED, Kind.MOVED, Kind.DUPLICATED)
_IMPERATIVE = {"shutdown": "Do not shut down."}


def headline(result: CheckResult) -> str:
    """The verdict in one or two sentences, people before rows."""
    match result.verdict:
        case Verdict.BLOCK:
            return _blocked(result)
        case Verdict.PASS:
            return _passed(result)
        case Verdict.UNDECIDED:
            return f"This can't be called safe. {sentence(_first_reason(result))}"


def sentence(text: str) -> str:
    """Text that ends like a sentence."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def undecided_parts(result: CheckResult) -> tuple[str, ...]:
    """Contents that could not be checked whole."""
    return tuple(
        c.content
        for c in result.contents
        if c.verdict is Verdict.UNDECIDED
        or c.findings.get(Kind.NOT_COMPARED, 0)
        or c.sums_old.get(OldStatus.NOT_COMPARED, 0)
    )


def at_one_moment(result: CheckResult) -> bool:
    """Whether every system held its state still while it was read."""
    return bool(result.systems) and all(s.whole_snapshot for s in result.systems)


def _blocked(result: CheckResult) -> str:
    start = _IMPERATIVE.get(result.kind, "Do not roll out.")
    parts = undecided_parts(result)
    unchecked = f" Not checked whole: {listed(parts)}." if parts else ""
    return f"{start} {_harm(result)}{unchecked}"


def _harm(result: CheckResult) -> str:
    people = result.customers
    if people.affected:
        return f"{_of_customers(people)} would {_loss(result)}{_nobody_looked(result)}."
    if tables := result.coverage.unwaived:
        names = listed(f"{t.system}.{t.table}" for t in tables)
        verb = "has" if len(tables) == 1 else "have"
        return f"Customers made things that nobody looked after: {names} {verb} no contract."
    return sentence(_first_reason(result))


def known(result: CheckResult) -> str:
    """What the number of affected customers means: certain only where everything was compared."""
    lose = _goes(result) or not result.customers.affected
    verb, rest = ("lose", "something") if lose else ("find", "things damaged")
    find = "finds" if result.customers.affected == 1 else "find"
    rest += f" or {find} it damaged" if _goes(result) and _damages(result) else ""
    verb = f"{verb}s" if result.customers.affected == 1 else verb
    whole = result.verdict is not Verdict.UNDECIDED and not undecided_parts(result)
    return f"who {verb} {rest}{'' if whole else ', as far as known'}"


def _goes(result: CheckResult) -> bool:
    return any(c.unwaived.get(kind, 0) for c in result.contents for kind in _GONE)


def _damages(result: CheckResult) -> bool:
    return any(c.unwaived.get(kind, 0) for c in result.contents for kind in _SPOILT)


def _loss(result: CheckResult) -> str:
    if not _goes(result):
        return "find something they made damaged"
    return f"lose something {'or find it damaged' if _damages(result) else 'they made'}"


def _nobody_looked(result: CheckResult) -> str:
    """`; 6 entries in saved_searches are covered by no contract`."""
    tables = result.coverage.unwaived
    if not tables:
        return ""
    several = len(tables) > 1 or tables[0].entries != 1
    said = [f"{_some_entries(t)} in {t.table}" for t in tables]
    return f"; {listed(said)} {'are' if several else 'is'} covered by no contract"


def _some_entries(table: UncoveredTable) -> str:
    return "entries" if table.entries is None else entries(table.entries)


def _of_customers(people: Impact) -> str:
    if people.total is not None:
        whole = count(people.total, "customer")
    else:
        whole = f"{count(people.with_content, 'customer')} with content"
    return f"{number(people.affected)} of {whole}{_inside(people)}"


def _inside(people: Impact) -> str:
    """` (14 paying, 2 premium)`: the affected of each segment."""
    said = [f"{number(s.affected)} {n}" for n, s in people.segments.items() if s.affected]
    return f" ({', '.join(said)})" if said else ""


def everything_survived(result: CheckResult) -> bool:
    """Whether each due entry of each content is kept and every table has a contract or a reason."""
    whole = not any(damage(c) or any(map(c.findings.get, DAMAGED)) for c in result.contents)
    return bool(result.contents) and whole and not result.coverage.uncovered


def damage(content: ContentResult) -> dict[str, int]:
    """Due old entries that are not kept, by status, the gravest first."""
    return {s.value: n for s in DAMAGED if (n := content.sums_old.get(s, 0))}


def _passed(result: CheckResult) -> str:
    kept = sum(c.kept for c in result.contents)
    whole = f"compared whole{', at one moment on each side' if at_one_moment(result) else ''}"
    where = f"in {count(len(result.contents), 'content')}"
    if everything_survived(result):
        due = " and that was due" if any(c.not_due for c in result.contents) else ""
        start = f"Everything that the contracts cover of what {_makers(result)} made{due}"
        return f"{start} has survived: {entries(kept)} {where}, {whole}.{_left_aside(result)}"
    harmed = result.customers.affected
    whom = f" {_of_customers(result.customers)} are affected." if harmed else ""
    signed = any(use.state is WaiverState.USED for use in result.waivers)
    allows = "The plan and its waivers allow" if signed else "The plan allows"
    return (
        f"{allows} this, though not everything survived: {number(kept)} of "
        f"{entries(sum(c.due for c in result.contents))} {where} are kept, {whole}.{whom}"
    )


def _left_aside(result: CheckResult) -> str:
    """What the contracts do not cover, in one short sentence; nothing where they cover all."""
    tables, columns = len(result.coverage.ignored), len(result.coverage.unchecked_columns)
    said = []
    if tables:
        reason = "with a reason" if tables == 1 else "with reasons"
        said.append(f"{count(tables, 'table')} {'is' if tables == 1 else 'are'} ignored, {reason}")
    if columns:
        said.append(f"{count(columns, 'column')} {'is' if columns == 1 else 'are'} unchecked")
    return f" {'; '.join(said)}." if said else ""


def _makers(result: CheckResult) -> str:
    people = result.customers
    total = people.with_content if people.total is None else people.total
    return count(total, "customer") if total else "customers"


def _first_reason(result: CheckResult) -> str:
    if result.reasons:
        return result.reasons[0]
    for content in result.contents:
        if content.reasons and content.verdict is not Verdict.PASS:
            return f"{content.content}: {content.reasons[0]}"
    return "The check did not finish, and left no reason."


def content_facts(content: ContentResult) -> tuple[str, ...]:
    """The line of a content: entries, the fates that add up to them, how many customers."""
    facts = [entries(content.old), f"{number(content.kept)} kept"]
    facts += [f"{number(n)} {kind_word(s)}" for s, n in (damage(content) | rested(content)).items()]
    if content.tolerated:
        total = sum(content.tolerated.values())
        facts.append(f"{number(total)} tolerated ({', '.join(content.tolerated)})")
    if content.waived:
        facts.append(f"{number(sum(content.waived.values()))} waived")
    if content.customers.affected:
        facts.append(affected_fact(content.customers))
    return tuple(facts)


def rested(content: ContentResult) -> dict[str, int]:
    """Old entries that were not due: deleted by customers, not due yet, overlapped."""
    return {s.value: n for s in _RESTED if (n := content.sums_old.get(s, 0))}


def wrongs(content: ContentResult) -> dict[str, int]:
    """Findings by kind, in the fixed order of kinds."""
    return {k.value: n for k in Kind if (n := content.findings.get(k, 0))}


def affected_fact(people: Impact) -> str:
    """`1,980 customers (133 paying)`."""
    return count(people.affected, "customer") + _inside(people)


def sums_sentence(content: ContentResult) -> str:
    """The old side's sum, and whether the second counts of both sides agree."""
    held = content.conservation.old and content.conservation.new
    return f"{_side_sum(content.content, content.old, content.sums_old)}, {_agreement(held)}"


def old_sum(content: ContentResult) -> str:
    """`queue 6,204,118 = 6,201,344 kept + 2,774 lost, counted twice; agree`."""
    total = _side_sum(content.content, content.old, content.sums_old)
    return f"{total}, {_agreement(content.conservation.old)}"


def new_sum(content: ContentResult) -> str:
    """`queue 6,201,351 = 6,201,344 matching an old entry + 7 extra, counted twice; agree`."""
    total = _side_sum(content.content, content.new, content.sums_new)
    return f"{total}, {_agreement(content.conservation.new)}"


def strategy_sentence(content: ContentResult) -> str:
    """`queue: every entry was read, because it is a list: its order is judged entry by entry`."""
    why = content.strategy_reason
    if content.strategy == "sums":
        return f"{content.content}: {why}; the others were read"
    return f"{content.content}: every entry was read" + (f", because {why}" if why else "")


def _agreement(held: bool) -> str:
    return "counted twice; agree" if held else "counted twice; THEY DO NOT AGREE"


def _side_sum(name: str, total: int, sums: Mapping[str, int]) -> str:
    order = ["kept", "partner", *(s.value for s in OldStatus if s is not OldStatus.KEPT)]
    ranked = sorted(sums, key=lambda s: order.index(s) if s in order else len(order))
    parts = [f"{number(sums[s])} {kind_word(s)}" for s in ranked if sums[s]]
    return f"{name} {number(total)} = {' + '.join(parts) or '0'}"


def next_step(result: CheckResult, folder: str | None = None) -> str:
    """What to do now. `folder` is the run's, as `safeguard report` finds it from here."""
    again = f"safeguard check {shlex.quote(result.plan or 'safeguard.yaml')}"
    match result.verdict:
        case Verdict.BLOCK:
            run = shlex.quote(folder or result.run)
            return f"safeguard report {run} --format csv · mend the migration · {again}"
        case Verdict.UNDECIDED:
            if result.resume:
                return f"mend what is named above. Resume with: {result.resume}"
            return f"mend what is named above · {again}"
        case Verdict.PASS:
            drilled = result.drill is not None and not result.drill.outdated
            drill = "" if drilled else f"{again.replace(' check ', ' drill ', 1)} · "
            return f"{drill}roll out soon: the check speaks of the moment when it read"


def nothing_found(result: CheckResult) -> bool:
    """Whether something was compared, and no finding came of it."""
    compared = any(c.kept for c in result.contents)
    return compared and not any(
        n for c in result.contents for k, n in c.findings.items() if k != Kind.NOT_COMPARED
    )


def uncovered_sentence(table: UncoveredTable) -> str:
    """`old.playlists (31,400 entries of 9,120 customers) has no contract: foreign key ...`."""
    signed = f" (waived by {table.waived_by})" if table.waived_by else ""
    return f"{uncovered_size(table)} has no contract: {table.reason}{signed}"


def uncovered_size(table: UncoveredTable) -> str:
    """`old.playlists (31,400 entries of 9,120 customers)`, as far as it was counted."""
    parts = [entries(table.entries)] if table.entries is not None else []
    if table.customers is not None:
        parts.append(f"of {count(table.customers, 'customer')}")
    size = f" ({' '.join(parts)})" if parts else ""
    return f"{table.system}.{table.table}{size}"


def system_lines(result: CheckResult) -> list[str]:
    """`old: postgresql 15.18, one exported snapshot`."""
    return [
        f"{s.name}: {s.dialect} {s.version}".rstrip() + f", snapshot: {s.snapshot or 'none'}"
        for s in result.systems
    ]
