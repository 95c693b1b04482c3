"""What is signed: an in-toto Statement v1 with a `test-result` v0.1 predicate, which see at
https://github.com/in-toto/attestation (spec/v1/statement.md, spec/predicates/test-result.md).

`result` is PASSED for a PASS alone; BLOCK and UNDECIDED are FAILED, and the extension `safeguard` says
which. Without that extension a statement would say less and never more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from safeguard.findings.result import CheckResult, ContentResult, SystemInfo
from safeguard.findings.words import Verdict
from safeguard.gate.envelope import Refused, parse
from safeguard.systems.urls import mask

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
Digests = Mapping[str, str]
"""Name of a file -> its SHA-256, in hex."""
Database = Mapping[str, str]
"""See `systems.identity`."""


def _as_utf8(value: Any) -> Any:
    """What came from a file system or a server may be no UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_as_utf8)]


class _Part(BaseModel):
    """A part of a statement. Keys that we do not know are passed over, as in-toto wants it."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", strict=True, alias_generator=to_camel, populate_by_name=True
    )


class Sha256(_Part):
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class File(_Part):
    """A file, by its digest."""

    name: Text
    digest: Sha256


class System(_Part):
    """A system, and the state of it that was read."""

    name: Text
    url: Text
    """Masked."""
    database: dict[Text, str]
    dialect: Text
    version: Text
    snapshot: Text
    whole_snapshot: bool
    taken_at: AwareDatetime | None = None


class Content(_Part):
    """The counts of one content."""

    content: Text
    verdict: Verdict
    old: int
    new: int
    due: int
    kept: int
    findings: dict[Text, int]
    waived: dict[Text, int]
    tolerated: dict[Text, int]


class Waiver(_Part):
    """What a waiver did."""

    id: Text
    content: Text
    kind: Text
    entries: int
    state: Text
    reason: Text
    approved_by: tuple[Text, ...]
    expires: Text


class Run(_Part):
    """Our extension: the verdict and what it stands on."""

    version: Literal[1] = Field(alias="schema")
    verdict: Verdict
    reasons: tuple[Text, ...]
    run: Text
    migration: Text
    kind: Text
    started_on: AwareDatetime
    finished_on: AwareDatetime
    plan_digest: Text
    tool_version: Text
    systems: tuple[System, ...]
    contents: tuple[Content, ...]
    waivers: tuple[Waiver, ...]
    drill: dict[Text, Any] | None = None


class Predicate(_Part):
    """`test-result` v0.1. The tests are the contents."""

    result: Literal["PASSED", "FAILED"]
    configuration: tuple[File, ...]
    """The plan, then every file that it names."""
    passed_tests: tuple[Text, ...]
    failed_tests: tuple[Text, ...]
    safeguard: Run


class Statement(_Part):
    """The whole. Subjects are the configuration's files, then those that the run left."""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: tuple[File, ...]
    predicate_type: Literal["https://in-toto.io/attestation/test-result/v0.1"]
    predicate: Predicate

    @property
    def run(self) -> Run:
        return self.predicate.safeguard

    @property
    def left(self) -> Digests:
        """The files that the run left."""
        configuration = len(self.predicate.configuration)
        return {file.name: file.digest.sha256 for file in self.subject[configuration:]}


def state(
    result: CheckResult,
    configuration: Digests,
    left: Digests,
    databases: Mapping[str, Database],
) -> bytes:
    """The statement of a result, as it is signed: JSON in UTF-8.

    `configuration` is the plan's digest, then those of all that it names; `left` are files of the run.
    """
    passed = result.verdict is Verdict.PASS
    safe = [c.content for c in result.contents if c.verdict is Verdict.PASS]
    files = _files(configuration)
    predicate = Predicate(
        result="PASSED" if passed else "FAILED",
        configuration=files,
        passed_tests=tuple(safe),
        failed_tests=tuple(c.content for c in result.contents if c.content not in safe),
        safeguard=_run(result, databases),
    )
    whole = Statement(
        type=STATEMENT_TYPE,
        subject=(*files, *_files(left)),
        predicate_type=PREDICATE_TYPE,
        predicate=predicate,
    )
    return whole.model_dump_json(by_alias=True, exclude_none=True).encode()


def read(payload: bytes) -> Statement:
    """The statement in a payload whose signature is good. Raises Refused for any other."""
    parse(payload)
    try:
        return Statement.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refused(f"it is no statement of ours: {place}: {first['msg']}") from None


def _run(result: CheckResult, databases: Mapping[str, Database]) -> Run:
    return Run(
        version=1,
        verdict=result.verdict,
        reasons=result.reasons,
        run=result.run,
        migration=result.migration,
        kind=result.kind,
        started_on=dt.datetime.fromisoformat(result.started_at),
        finished_on=dt.datetime.fromisoformat(result.finished_at),
        plan_digest=result.plan_digest,
        tool_version=result.tool_version,
        systems=tuple(_system(s, databases.get(s.name, {})) for s in result.systems),
        contents=tuple(_content(c) for c in result.contents),
        waivers=tuple(Waiver.model_validate(_shared(Waiver, one)) for one in result.waivers),
        drill=None if result.drill is None else asdict(result.drill),
    )


def _system(info: SystemInfo, database: Database) -> System:
    taken = dt.datetime.fromisoformat(info.taken_at) if info.taken_at else None
    return System(
        name=info.name,
        url=mask(info.url),
        dialect=info.dialect,
        version=info.version,
        database=dict(database),
        snapshot=info.snapshot,
        whole_snapshot=info.whole_snapshot,
        taken_at=taken,
    )


def _content(content: ContentResult) -> Content:
    return Content.model_validate(_shared(Content, content))


def _shared(form: type[_Part], value: object) -> dict[str, Any]:
    """The fields of `value` that the form has too, as plain values."""
    found = {name: getattr(value, name) for name in form.model_fields}
    return {name: dict(v) if isinstance(v, Mapping) else v for name, v in found.items()}


def _files(digests: Digests) -> tuple[File, ...]:
    return tuple(File(name=n, digest=Sha256(sha256=one)) for n, one in digests.items())
