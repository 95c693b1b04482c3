"""For those who run Great Expectations: our check as one of their expectations.

`from safeguard.gx import ExpectContentToSurvive`, and a checkpoint fails where content was lost. Its
batch is the new content, of which it asks nothing: the plan says what is compared with what.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, ClassVar

from safeguard.checking import run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from safeguard.findings.words import Verdict
from safeguard.reports.wording import headline

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of its modules, as they are imported
    from great_expectations.compatibility import pydantic
    from great_expectations.expectations.expectation import (
        BatchExpectation,
        render_suite_parameter_string,
    )
    from great_expectations.render.components import (
        LegacyDiagnosticRendererType,
        LegacyRendererType,
        RenderedStringTemplateContent,
    )
    from great_expectations.render.renderer.renderer import renderer
    from great_expectations.render.renderer_configuration import (
        RendererConfiguration,
        RendererValueType,
    )

__all__ = ["ExpectContentToSurvive"]

_SENTENCE = "Everything that the contracts of $plan cover must have survived"
_OF_ONE = "Everything that the contract of $content in $plan covers must have survived"


class ExpectContentToSurvive(BatchExpectation):
    """Expect that what customers made survives, as a plan of Safeguard says.

    `plan` is the path of its safeguard.yaml; with `content` only that contract counts. The check
    runs whole, in this process, and leaves its run beside the plan as `safeguard check` does.
    Success is PASS; BLOCK is a failure. UNDECIDED, and a plan that must be mended, raise: Great
    Expectations tells that as an exception, and never as success.
    """

    plan: str = pydantic.Field(description="Path of the plan, safeguard.yaml.")
    content: str | None = pydantic.Field(default=None, description="Judge this content alone.")

    success_keys: ClassVar[tuple[str, ...]] = ("plan", "content")
    args_keys: ClassVar[tuple[str, ...]] = ("plan", "content")

    def _validate(
        self,
        metrics: dict[str, Any],  # noqa: ARG002 - theirs
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        result, folder = run_check(Path(self.plan), progress=SilentProgress(), environ=os.environ)
        verdict, said = _judge(result, self.content)
        if verdict is Verdict.UNDECIDED:
            raise ContentUndecided(f"{said} See {folder}.")
        return {
            "success": verdict is Verdict.PASS,
            "result": {
                "observed_value": f"{verdict}: {said}",
                "details": {"run": str(folder), **_counts(result, self.content)},
            },
        }

    @classmethod
    def _prescriptive_template(
        cls, renderer_configuration: RendererConfiguration[Any]
    ) -> RendererConfiguration[Any]:
        for name in ("plan", "content"):
            renderer_configuration.add_param(name=name, param_type=RendererValueType.STRING)
        one = getattr(renderer_configuration.params, "content", None)
        renderer_configuration.template_str = _OF_ONE if one else _SENTENCE
        return renderer_configuration

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    @render_suite_parameter_string
    def _prescriptive_renderer(
        cls,
        configuration: Any = None,
        result: Any = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> list[RenderedStringTemplateContent]:
        given = (configuration or result.expectation_config).kwargs
        sentence = _OF_ONE if given.get("content") else _SENTENCE
        return [_text(sentence, {k: given.get(k) for k in cls.success_keys}, runtime_configuration)]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(
        cls,
        configuration: Any = None,  # noqa: ARG003 - theirs
        result: Any = None,
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG003
    ) -> str:
        return str((result.result or {}).get("observed_value", "--")) if result else "--"


class ContentUndecided(Exception):
    """Nobody knows whether the content survived."""


# -- private -------------------------------------------------------------------------------------


def _judge(result: CheckResult, content: str | None) -> tuple[Verdict, str]:
    """The verdict of the plan or of one content, in a sentence with its counts."""
    if content is None:
        kept, old = sum(c.kept for c in result.contents), sum(c.old for c in result.contents)
        return result.verdict, f"{headline(result)} {kept:,} of {old:,} old entries are kept."
    one = next((c for c in result.contents if c.content == content), None)
    if one is None:
        names = ", ".join(c.content for c in result.contents)
        raise ValueError(f"the plan has no content `{content}`; it has {names}")
    why = "; ".join(one.reasons)
    said = f"{one.kept:,} of {one.old:,} old entries of {content} are kept"
    return one.verdict, f"{said}: {why}." if why else f"{said}."


def _counts(result: CheckResult, content: str | None) -> dict[str, Any]:
    """Old, kept and findings by content."""
    return {
        "contents": {
            c.content: {"old": c.old, "kept": c.kept, "findings": dict(c.findings)}
            for c in result.contents
            if content in (None, c.content)
        }
    }


def _text(
    template: str, params: dict[str, Any], runtime_configuration: dict[str, Any] | None
) -> RenderedStringTemplateContent:
    styling = (runtime_configuration or {}).get("styling", {})
    return RenderedStringTemplateContent(
        content_block_type="string_template",
        string_template={"template": template, "params": params, "styling": styling},
    )
