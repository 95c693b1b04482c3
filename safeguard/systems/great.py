"""The one place that runs Great Expectations: on the database itself, quietly, one expectation at
a time. To be imported by `expectations.run` only: that alone takes seconds.

Each expectation is validated by itself, because an exception inside one metric spoils every other
result of a suite (fivetran/great_expectations#10713), and a suite drops what it takes for a repetition.
"""

from __future__ import annotations

import io
import logging
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from difflib import get_close_matches
from typing import Any

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.data_context.data_context.context_factory import project_manager
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.interfaces import Batch, GxDatasourceWarning
from great_expectations.exceptions.exceptions import (
    DataContextRequiredError,
    ExpectationNotFoundError,
)
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import (
    get_expectation_impl,
    list_registered_expectation_implementations,
)

from safeguard.systems.doors import Door
from safeguard.systems.outcomes import EXAMPLES, Outcome, Run, Wanted

_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": EXAMPLES}
_COLON, _PERCENT = "\ue03a", "\ue025"
_VEIL = str.maketrans({":": _COLON, "%": _PERCENT})
"""Great Expectations makes text of the query and a query of the text, several times: of a colon that
comes to be a parameter, of a percent sign that is doubled each time. The two letters are nobody's."""


def run_quietly(door: Door, wanted: Sequence[Wanted]) -> Run:
    """See `expectations.run`."""
    door.connect().close()
    with _quiet(), ExitStack() as stack:
        try:
            batch = stack.enter_context(_opened(door))
            rows = _count(batch)
        except Exception as error:  # noqa: BLE001 - theirs, of any kind: nothing is known then
            unknown = Outcome(None, _words(error, door))
            return Run(0, tuple(unknown for _ in wanted))
        return Run(rows, tuple(_outcome(batch, one, door) for one in wanted))


# -- private -------------------------------------------------------------------------------------


@contextmanager
def _quiet() -> Iterator[None]:
    """No logs, prints or advice; and the context that a program of the user's works in is his again."""
    log, nowhere = logging.getLogger("great_expectations"), logging.NullHandler()
    propagate = log.propagate
    try:
        project = project_manager.get_current_project()
    except DataContextRequiredError:
        project = None
    log.addHandler(nowhere)
    log.propagate = False
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter(
                "ignore", GxDatasourceWarning
            )  # "a more specific ... may be better"
            yield
    finally:
        log.removeHandler(nowhere)
        log.propagate = propagate
        project_manager.set_project(project)


@contextmanager
def _opened(door: Door) -> Iterator[Batch]:
    """The door's selection as a batch. Great Expectations is given a way to connect, and no URL that
    it could show; its own connections are closed at the end."""
    made: list[Any] = []

    def connect() -> Any:
        made.append(door.connect())
        return made[-1]

    context = gx.get_context(mode="ephemeral")  # never one that the environment names
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    sources: Any = context.data_sources  # what it takes is made at run time
    source = sources.add_or_update_sql(
        f"safeguard-{uuid.uuid4().hex}",
        connection_string=door.url,
        create_temp_table=False,
        kwargs={"creator": connect},
    )
    try:
        for engine in (source.get_engine(), source.get_execution_engine().engine):
            sa.event.listen(engine, "before_cursor_execute", _unveil, retval=True)
        asset = source.add_query_asset("content", query=door.query.translate(_VEIL))
        yield asset.add_batch_definition_whole_table("whole").get_batch()
    finally:
        source.get_engine().dispose()
        source.get_execution_engine().close()
        for connection in made:
            with suppress(Exception):  # closed already
                connection.close()


def _unveil(
    connection: sa.Connection, _cursor: Any, statement: str, given: Any, *_: Any
) -> tuple[str, Any]:
    """The statement as the driver reads it."""
    percent = "%%" if connection.dialect.paramstyle in ("format", "pyformat") else "%"
    return statement.replace(_COLON, ":").replace(_PERCENT, percent), given


def _count(batch: Batch) -> int:
    probe = _made(Wanted("expect_table_row_count_to_be_between", {"min_value": 0}))
    found = batch.validate(probe, result_format=_FORMAT)
    if trouble := _raised(found.exception_info):
        raise RuntimeError(trouble)
    return int(found.result["observed_value"])


def _outcome(batch: Batch, one: Wanted, door: Door) -> Outcome:
    try:
        expectation = _made(one)
        found = batch.validate(expectation, result_format=_FORMAT)
    except ExpectationNotFoundError:
        return Outcome(None, _unknown(one.name))
    except Exception as error:  # noqa: BLE001 - theirs, of any kind: nothing is known then
        return Outcome(None, _words(error, door))
    return _read(found, one, door)


def _made(one: Wanted) -> Expectation:
    kind: type[Expectation] = get_expectation_impl(one.name)
    return kind(**dict(one.arguments))


def _read(found: Any, one: Wanted, door: Door) -> Outcome:
    """A result: certain only where nothing was raised and it is the one that was asked for."""
    if trouble := _raised(found.exception_info):
        return Outcome(None, _words(trouble, door))
    if found.success is None or found.expectation_config.type != one.name:
        return Outcome(None, "Great Expectations gave no result")
    result = found.result or {}
    elements, missing = (_whole(result.get(f"{name}_count")) for name in ("element", "missing"))
    return Outcome(
        bool(found.success),
        unexpected=_whole(result.get("unexpected_count")),
        elements=elements,
        examples=tuple(result.get("partial_unexpected_list") or ())[:EXAMPLES],
        looked=None if elements is None or missing is None else elements - missing,
        observed=result.get("observed_value"),
    )


def _whole(count: Any) -> int | None:
    """A count: some drivers give sums as decimals."""
    return None if count is None else int(count)


def _raised(info: Any) -> str:
    """What was raised, in either of the two shapes: one exception, or one a metric."""
    if not info:
        return ""
    every = [info] if "raised_exception" in info else list(info.values())
    for each in every:
        if not isinstance(each, dict) or each.get("raised_exception"):
            said = each.get("exception_message") if isinstance(each, dict) else str(each)
            return str(said or "Great Expectations raised an exception")
    return ""


def _unknown(name: str) -> str:
    """Great Expectations has no such expectation: which was meant?"""
    near = get_close_matches(name, list_registered_expectation_implementations(), n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"Great Expectations {gx.__version__} has no `{name}`.{hint}"


def _words(error: Exception | str, door: Door) -> str:
    """The error in one line: of a validation's, which argument it is about, too."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    said = ": ".join(lines[1:3]) if "validation error" in lines[0] and lines[1:] else lines[0]
    return door.redact(said)
