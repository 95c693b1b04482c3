"""junit.xml: one test case for each content and route, for CI services that show test results.

BLOCK is a failure, UNDECIDED an error. A content or a run that does not pass always has at least one:
where no single route shows the trouble, the case of the whole content or of the verdict carries it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from safeguard.findings.result import CheckResult, ContentResult
from safeguard.findings.words import Verdict
from safeguard.reports.cases import Case, content_case, coverage_case, route_case, verdict_case
from safeguard.reports.issues import contract_file, plan_file
from safeguard.reports.notes import waiver_lines
from safeguard.reports.printable import printable

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_TEXT, _MOST_MESSAGE = 4_000, 500


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
        trouble |= _judge(case, route_case(content, route))
        yield case
    if not content.routes or (content.verdict is not Verdict.PASS and not trouble):
        case = _case(content, file, f"{content.content} -> (whole content)")
        _properties(case, {"old": content.old, "new": content.new, "kept": content.kept})
        _judge(case, content_case(content))
        yield case


def _coverage_case(result: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname="safeguard", name="coverage", time="0.000")
    case.set("file", _legal(plan_file(result)))
    coverage = result.coverage
    _properties(case, {"tables": coverage.tables, "covered": coverage.covered})
    told = coverage_case(result)
    if not _judge(case, told) and told.text:
        ET.SubElement(case, "system-out").text = _legal(told.text[:_MOST_TEXT])
    return case


def _verdict_case(result: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname="safeguard", name="verdict", time="0.000")
    case.set("file", _legal(plan_file(result)))
    _judge(case, verdict_case(result))
    if waivers := waiver_lines(result):
        ET.SubElement(case, "system-out").text = _legal("\n".join(waivers)[:_MOST_TEXT])
    return case


def _case(content: ContentResult, file: str, name: str) -> ET.Element:
    case = ET.Element("testcase", classname=_legal(f"safeguard.{content.content}"))
    case.set("name", _legal(printable(name)))
    case.set("file", _legal(file))
    case.set("time", f"{content.seconds:.3f}")
    return case


def _judge(case: ET.Element, told: Case) -> bool:
    """Add what the verdict is in JUnit's words; whether there was anything to add."""
    if told.verdict is Verdict.PASS:
        return False
    tag = "failure" if told.verdict is Verdict.BLOCK else "error"
    shown = _legal(told.text[:_MOST_TEXT])
    mark = ET.SubElement(
        case, tag, type=told.verdict.value, message=shown.partition("\n")[0][:_MOST_MESSAGE]
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
