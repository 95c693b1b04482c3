"""The gate's conditions, one by one: what each refuses, and what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import result_examples as examples
from safeguard.findings.result import WaiverUse
from safeguard.findings.words import Kind, Verdict, WaiverState
from safeguard.gate.admission import (
    CLOCKS_DIFFER,
    CONDITIONS,
    Admission,
    Condition,
    admit,
    has_expired,
    span,
)
from safeguard.gate.envelope import seal
from safeguard.gate.statement import state
from signed_examples import (
    CONFIGURATION,
    DATABASES,
    LEFT,
    NOW,
    dated,
    pair,
    payload,
    reworded,
    sealed,
    terms,
)

_, TRUSTED = pair()
MINUTE = dt.timedelta(minutes=1)


def judged(envelope: bytes | None = None, **values: Any) -> Admission:
    return admit(sealed() if envelope is None else envelope, [TRUSTED], terms(**values))


def failing(admission: Admission) -> list[str]:
    return [c.name for c in admission.conditions if not c.holds]


def test_a_signed_pass_under_its_terms_passes():
    admission = judged()
    assert admission.passes
    assert admission.reasons == ()
    assert [c.name for c in admission.conditions] == list(CONDITIONS)
    assert (admission.verdict, admission.run) == (Verdict.PASS, examples.passed().run)


# -- verdicts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (examples.blocked(), "the verdict is BLOCK: queue: "),
        (examples.undecided(), "the verdict is UNDECIDED: The connection to dvd was lost"),
    ],
    ids=["blocked", "undecided"],
)
def test_no_other_verdict_passes(result, words):
    admission = judged(sealed(result))
    assert failing(admission) == ["verdict"]
    assert admission.reasons[0].startswith(words)
    assert admission.verdict is result.verdict


def _set(*path: Any, to: Any) -> Callable[[Any], None]:
    def change(statement: Any) -> None:
        *holders, name = path
        for holder in holders:
            statement = statement[holder]
        statement[name] = to

    return change


RUN = ("predicate", "safeguard")


@pytest.mark.parametrize(
    "change",
    [
        _set("predicate", "result", to="FAILED"),
        _set("predicate", "failedTests", to=["queue"]),
        _set("predicate", "passedTests", to=["queue"]),
        _set(*RUN, "contents", 0, "verdict", to="UNDECIDED"),
        _set(*RUN, "contents", to=[]),
    ],
)
def test_a_pass_that_contradicts_itself_is_none(change):
    admission = judged(reworded(change))
    assert failing(admission) == ["verdict"]
    assert not admission.proves_loss


# -- signatures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", [b"", b"{}", sealed()[:-1], sealed(name="another")])
def test_of_what_nobody_trusted_signed_nothing_is_read(envelope):
    admission = judged(envelope)
    assert [(c.name, c.holds) for c in admission.conditions] == [("signature", False)]
    assert admission.reasons[0].startswith("not signed: ")
    assert (admission.passes, admission.verdict, admission.run) == (False, None, "")


def test_any_of_several_keys_will_do():
    _, another = pair("another")
    for name in ("release", "another"):
        assert admit(sealed(name=name), [TRUSTED, another], terms()).passes


def test_without_a_key_nothing_passes():
    assert not admit(sealed(), [], terms()).passes


def test_what_is_signed_and_no_statement_of_ours_is_refused():
    admission = judged(reworded(_set("predicateType", to="https://example.com/x")))
    assert failing(admission) == ["statement"]
    assert not admission.passes


# -- plan, contracts, systems -------------------------------------------------------------------


def _files(**values: str) -> dict[str, str]:
    return {**CONFIGURATION, **values}


@pytest.mark.parametrize(
    ("configuration", "name", "words"),
    [
        (_files(**{"safeguard.yaml": "c" * 64}), "plan", "safeguard.yaml is not the plan"),
        (_files(**{"contracts/queue.yaml": "c" * 64}), "contracts", "queue.yaml is not as it was"),
        (_files(**{"waivers.yaml": "c" * 64}), "contracts", "waivers.yaml is not as it was"),
        (_files(more="c" * 64), "contracts", "more was not a part of what was checked"),
        (dict(list(CONFIGURATION.items())[:2]), "contracts", "waivers.yaml was checked and is no"),
    ],
)
def test_another_plan_or_contract_is_refused(configuration, name, words):
    admission = judged(configuration=configuration)
    assert failing(admission) == [name]
    assert words in admission.reasons[0]


def test_a_plan_that_was_only_renamed_is_the_same_plan():
    names = {"plan.yaml": CONFIGURATION["safeguard.yaml"], **dict(list(CONFIGURATION.items())[1:])}
    assert judged(configuration=names).passes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "copy.example"}, "old is another database: host was old.example, is copy.ex"),
        ({"dbname": "shop2"}, "dbname was shop, is shop2"),
        ({"user": "root"}, "user was reader, is root"),
        ({"port": "5433"}, "port was not given, is 5433"),
        ({"options": "-csearch_path=x"}, "options was not given"),
        ({"kind": "mysql"}, "kind was postgresql, is mysql"),
    ],
)
def test_another_database_is_refused(changes, words):
    now = DATABASES | {"old": DATABASES["old"] | changes}
    admission = judged(databases=now)
    assert failing(admission) == ["systems"]
    assert words in admission.reasons[0]


def test_every_system_is_held_against_its_own_and_all_are_told():
    swapped = DATABASES | {"old": DATABASES["dvd"], "dvd": DATABASES["old"]}
    (reason,) = judged(databases=swapped).reasons
    assert reason.count("is another database") == 2


def test_a_system_that_was_not_read_or_is_no_part_of_the_plan_is_refused():
    fewer = {name: parts for name, parts in DATABASES.items() if name != "dvd"}
    assert judged(databases=fewer).reasons == ("dvd: no system of the plan",)
    more = DATABASES | {"archive": DATABASES["old"]}
    assert judged(databases=more).reasons == ("archive: not read by the check",)


def test_systems_that_any_plan_would_name_alike_are_told_of_a_pass():
    files = {"old": "old.sqlite", "dvd": "/srv/dvd.sqlite", "streaming": "../streaming"}
    now = {name: {"kind": "sqlite", "path": path} for name, path in files.items()}
    statement = state(dated(examples.passed()), CONFIGURATION, LEFT, now)
    admission = judged(seal(statement, pair()[0]).encode(), databases=now)
    assert admission.passes
    (told,) = (c.text for c in admission.conditions if c.name == "systems")
    assert told.endswith("; known only by a path relative to the plan: old, streaming")


def test_a_database_that_nobody_can_name_is_like_no_other():
    nameless = reworded(_set(*RUN, "systems", 0, "database", to={}))
    admission = judged(nameless, databases=DATABASES | {"old": {}})
    assert admission.reasons == ("old: its URL does not tell which database it is",)


# -- age and clocks -----------------------------------------------------------------------------

OLDEST = dt.datetime(2026, 11, 22, 3, 14, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("now", "passes"),
    [
        (OLDEST + 60 * MINUTE, True),
        (OLDEST + 60 * MINUTE + dt.timedelta(microseconds=1), False),
        (OLDEST + 60 * MINUTE - dt.timedelta(seconds=1), True),
    ],
)
def test_age_counts_from_the_older_snapshot(now, passes):
    admission = judged(now=now, max_age=60 * MINUTE)
    assert admission.passes is passes
    assert failing(admission) == ([] if passes else ["age"])


def test_what_is_too_old_says_how_old_which_system_and_what_is_allowed():
    admission = judged(now=NOW + dt.timedelta(hours=3))
    assert admission.reasons == (
        "too old: old was read as it was 3 h 45 min ago (2026-11-22 03:14:08Z); at most 2 h",
    )


def test_a_new_side_that_is_older_counts_too():
    envelope = reworded(_set(*RUN, "systems", 2, "takenAt", to="2026-11-22T01:00:00Z"))
    assert "dvd was read as it was 3 h ago" in judged(envelope).reasons[0]


def test_a_snapshot_of_unknown_age_is_as_old_as_its_run():
    envelope = reworded(lambda s: s["predicate"]["safeguard"]["systems"][1].pop("takenAt"))
    start = dt.datetime(2026, 11, 22, 3, 14, 7, tzinfo=dt.UTC)
    late = judged(envelope, now=start + 2 * MINUTE, max_age=2 * MINUTE - dt.timedelta(seconds=1))
    assert "streaming was read as it was 2 min ago" in late.reasons[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("startedOn", NOW + CLOCKS_DIFFER + MINUTE),
        ("finishedOn", NOW + CLOCKS_DIFFER + MINUTE),
        ("finishedOn", NOW + dt.timedelta(days=3650)),
    ],
)
def test_a_verdict_from_the_future_is_refused(field, value):
    admission = judged(reworded(_set(*RUN, field, to=value.isoformat())))
    assert failing(admission) == ["clock"]
    assert admission.reasons[0].startswith(("from the future: ", "it ended before"))


def test_a_snapshot_from_the_future_is_refused():
    later = (NOW + 6 * MINUTE).isoformat()
    envelope = reworded(_set(*RUN, "systems", 0, "takenAt", to=later))
    assert failing(judged(envelope)) == ["clock"]


def test_clocks_may_differ_a_little():
    envelope = reworded(_set(*RUN, "finishedOn", to=(NOW + CLOCKS_DIFFER).isoformat()))
    assert judged(envelope).passes


def test_a_run_that_ended_before_it_began_is_refused():
    envelope = reworded(_set(*RUN, "finishedOn", to="2026-11-22T03:00:00Z"))
    assert judged(envelope).reasons == ("it ended before it began: its clock was set back",)


# -- waivers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires", "over"),
    [
        ("2026-11-22", True),
        ("2026-11-23", False),
        ("2026-11-22T04:00:00Z", True),
        ("2026-11-22T04:00:01Z", False),
        ("2026-11-22T05:00:00+02:00", True),
        ("2026-11-22T04:00:01", False),
        ("2026-11-22T04:00:00", True),
        ("never", True),
        ("", True),
    ],
)
def test_when_a_waiver_has_expired(expires, over):
    assert has_expired(expires, NOW) is over


@pytest.mark.parametrize(
    ("entries", "expires", "refused"),
    [(3, "2026-11-21", True), (0, "2026-11-21", False), (3, "2026-11-23", False)],
)
def test_a_waiver_that_was_used_and_expired_since_refuses(entries, expires, refused):
    waiver = WaiverUse(
        "W-7", "queue", Kind.LOST, entries, WaiverState.USED, "known", ("ann",), expires, "waives"
    )
    admission = judged(sealed(replace(examples.passed(), waivers=(waiver,))))
    assert failing(admission) == (["waivers"] if refused else [])
    expected = (f"waiver W-7, which it used, expired: {expires}",) if refused else ()
    assert admission.reasons == expected


# -- files beside it ----------------------------------------------------------------------------


def test_files_beside_it_must_be_its_own_where_there_are_any():
    assert judged(beside={}).passes
    for name in LEFT:
        admission = judged(beside=LEFT | {name: "c" * 64})
        assert admission.reasons == (f"{name} beside it is not the one that it speaks of",)


# -- all of it ----------------------------------------------------------------------------------


def test_everything_that_is_wrong_is_told_at_once():
    late = NOW + dt.timedelta(days=9)
    admission = judged(
        sealed(examples.blocked()), now=late, configuration={"other": "c" * 64}, databases={}
    )
    assert failing(admission) == ["verdict", "plan", "contracts", "systems", "age"]


def test_only_a_block_of_which_all_else_holds_proves_a_loss():
    assert judged(sealed(examples.blocked())).proves_loss
    assert not judged().proves_loss
    assert not judged(sealed(examples.undecided())).proves_loss
    late = NOW + dt.timedelta(hours=3)
    assert not judged(sealed(examples.blocked()), now=late).proves_loss
    assert not judged(sealed(examples.blocked()), databases={}).proves_loss
    assert not admit(sealed(examples.blocked(), "another"), [TRUSTED], terms()).proves_loss


def test_no_condition_may_be_missing():
    """An answer that somebody forgot to look for is no answer."""
    all_hold = tuple(Condition(name, True, "") for name in CONDITIONS)
    assert Admission(all_hold).passes
    for place in range(len(all_hold)):
        assert not Admission((*all_hold[:place], *all_hold[place + 1 :])).passes
    assert not Admission(()).passes
    assert not Admission((*all_hold, Condition("age", False, ""))).passes


def test_nothing_of_the_examples_is_out_of_date():
    assert dated(examples.passed()).systems[0].taken_at
    assert b'"verdict":"PASS"' in payload()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (7200, "2 h"),
        (7260, "2 h 1 min"),
        (9e7, "25,000 h"),
    ],
)
def test_durations_in_words(seconds, words):
    assert span(dt.timedelta(seconds=seconds)) == words
