"""junit.xml: one test case for each content and route, for CI services that show test results.

BLOCK is a failure, UNDECIDED an error. A content or a run that does not pass always has at least one:
where no single route shows the trouble, the case of the whole content or of the verdict carries it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from safeguard.findings.result import CheckResult, ContentResult, RouteResult
from safeguard.findings.words import Kind, OldStatus, Verdict
from safeguard.reports import vocabulary, wording
from safeguard.reports.issues import contract_file, plan_file
from safeguard.reports.notes import waiver_lines
from safeguard.reports.printable import printable
from safeguard.reports.why import both_kinds, route_lines, why, why_of

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_TEXT, _MOST_MESSAGE = 4_000, 500
_MOST_REASONS = 15


def render_junit(result: CheckResult) -> str:
    """The whole document, with its XML declaration."""
    suite = ET.Element("testsuite", name=_legal(f"safeguard:{result.migration}"))
    suite.set("time", f"{result.seconds:.3f}")
    suite.set("timestamp", _legal(result.started_at))
    _properties(suite, _run_counts(result))
    names: set[tuple[str, str]] = set()
    for content in result.contents:
        for case in _content_cases(content, contract_file(result, content)):
            _unique(case, names)
            suite.append(case)
    suite.append(_coverage_case(result))
    suite.append(_verdict_case(result))
    return _document(suite)


def _document(suite: ET.Element) -> str:
    totals = {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": "0",
    }
    suite.attrib.update(totals)
    told = {"name": "safeguard", "time": suite.attrib["time"], **totals}
    del told["skipped"]  # Jenkins's schema knows it of a suite alone
    root = ET.Element("testsuites", told)
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _content_cases(content: ContentResult, file: str) -> Iterator[ET.Element]:
    trouble = False
    for route in content.routes:
        case = _case(content, file, f"{content.content} -> {route.system}")
        waived = {f"waived.{kind}": n for kind, n in route.waived.items()}
        _properties(
            case, {"due": route.due, **route.statuses, **_prefixed(route.findings), **waived}
        )
        trouble |= _judge(case, _route_verdict(content, route), _route_text(content, route))
        yield case
    if not content.routes or (content.verdict is not Verdict.PASS and not trouble):
        case = _case(content, file, f"{content.content} -> (whole content)")
        _properties(case, {"old": content.old, "new": content.new, "kept": content.kept})
        _judge(
            case,
            content.verdict,
            "\n".join(_content_lines(content)),
        )
        yield case


def _content_lines(content: ContentResult) -> Iterator[str]:
    yield ", ".join(wording.content_facts(content))
    yield from (w.line for w in why_of(content))
    yield from (e.text for e in content.explanations)


def _route_verdict(content: ContentResult, route: RouteResult) -> Verdict:
    """The content's verdict on the routes that show a reason for it."""
    if content.verdict is Verdict.BLOCK:
        if any(n for k, n in route.unwaived.items() if k != Kind.NOT_COMPARED):
            return Verdict.BLOCK
        unknown = route.findings.get(Kind.NOT_COMPARED) or route.statuses.get(
            OldStatus.NOT_COMPARED
        )
        return Verdict.UNDECIDED if unknown else Verdict.PASS
    return content.verdict


def _route_text(content: ContentResult, route: RouteResult) -> str:
    found = [
        f"{vocabulary.number(n)} {vocabulary.kind_word(k)}" for k, n in route.findings.items() if n
    ]
    found += [
        f"{vocabulary.number(n)} {vocabulary.kind_word(k)} (waived)"
        for k, n in route.waived.items()
        if n
    ]
    due = f"{vocabulary.number(route.due)} due, {vocabulary.number(route.kept)} kept"
    return "\n".join((", ".join((due, *found)), *route_lines(content, route)))


def _coverage_case(result: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname="safeguard", name="coverage", time="0.000")
    case.set("file", _legal(plan_file(result)))
    coverage = result.coverage
    _properties(case, {"tables": coverage.tables, "covered": coverage.covered})
    text = "\n".join(wording.uncovered_sentence(t) for t in coverage.uncovered)
    if coverage.unwaived and result.verdict is not Verdict.PASS:
        _judge(case, Verdict.BLOCK, text)
    elif text:
        ET.SubElement(case, "system-out").text = _legal(text[:_MOST_TEXT])
    return case


def _verdict_case(result: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname="safeguard", name="verdict", time="0.000")
    case.set("file", _legal(plan_file(result)))
    _judge(case, result.verdict, "\n".join((wording.headline(result), *_why(result))))
    if waivers := waiver_lines(result):
        ET.SubElement(case, "system-out").text = _legal("\n".join(waivers)[:_MOST_TEXT])
    return case


def _why(result: CheckResult) -> Iterator[str]:
    yield from (vocabulary.grouped(w.line) for w in both_kinds(why(result), _MOST_REASONS))


def _case(content: ContentResult, file: str, name: str) -> ET.Element:
    case = ET.Element("testcase", classname=_legal(f"safeguard.{content.content}"))
    case.set("name", _legal(printable(name)))
    case.set("file", _legal(file))
    case.set("time", f"{content.seconds:.3f}")
    return case


def _judge(case: ET.Element, verdict: Verdict, text: str) -> bool:
    """Add what the verdict is in JUnit's words; whether there was anything to add."""
    if verdict is Verdict.PASS:
        return False
    tag = "failure" if verdict is Verdict.BLOCK else "error"
    shown = _legal(text[:_MOST_TEXT])
    mark = ET.SubElement(
        case, tag, type=verdict.value, message=shown.partition("\n")[0][:_MOST_MESSAGE]
    )
    mark.text = shown
    return True


def _unique(case: ET.Element, names: set[tuple[str, str]]) -> None:
    """GitLab keeps only the first of two cases of one name."""
    name, again = case.attrib["name"], 1
    while (case.attrib["classname"], case.attrib["name"]) in names:
        again += 1
        case.set("name", f"{name} ({again})")
    names.add((case.attrib["classname"], case.attrib["name"]))


def _run_counts(result: CheckResult) -> dict[str, object]:
    return {
        "verdict": result.verdict.value,
        "exit_code": result.exit_code,
        "run": result.run,
        "plan_digest": result.plan_digest,
        "customers_with_content": result.customers.with_content,
        "customers_affected": result.customers.affected,
    }


def _prefixed(findings: Mapping[str, int]) -> dict[str, int]:
    return {f"findings.{kind}": n for kind, n in findings.items()}


def _properties(element: ET.Element, values: Mapping[str, object]) -> None:
    block = ET.SubElement(element, "properties")
    for name, value in values.items():
        ET.SubElement(block, "property", name=_legal(str(name)), value=_legal(str(value)))


def _legal(text: str) -> str:
    """Text that XML 1.0 can carry, with nothing in it that steers whoever shows it."""
    return _ILLEGAL.sub("", "\n".join(map(printable, text.split("\n"))))
