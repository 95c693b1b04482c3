"""A good plan: what is read, filled in and remembered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from safeguard.contract.load import fill, load_plan
from safeguard.contract.model import Contract, Plan, Policy
from safeguard.contract.types import Accept, AcceptForm, Type, TypeName
from safeguard.findings.trouble import UsageProblem
from safeguard.findings.words import Kind


def test_a_good_plan(load):
    loaded = load()
    contract = loaded.contracts[0].contract
    assert loaded.plan.systems["old"].url == "postgresql://reader:secret@db/old"
    assert loaded.plan.customers.old[0].key == ("customer_id",)
    assert contract.key_columns == ("customer_id", "playlist_id", "title_id")
    assert contract.fields["added_at"].type == Type(TypeName.TIMESTAMP)
    assert contract.fields["note"].accept[1] == Accept(AcceptForm.UNICODE_FORM)
    assert contract.fields["stars"].map == {"5": "up", "1": "down"}
    assert contract.as_of.value == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert (loaded.path, loaded.folder) == ("safeguard.yaml", ".")


def test_models_survive_a_round_trip(load):
    loaded = load()
    contract = loaded.contracts[0].contract
    assert Plan.model_validate(loaded.plan.model_dump()) == loaded.plan
    assert Contract.model_validate(contract.model_dump()) == contract


def test_places_are_remembered(load):
    loaded = load()
    contract = loaded.contracts[0]
    assert loaded.lines["systems.dvd.url"] == (6, 14)
    assert contract.lines["old.0.columns.customer_id"] == (15, 28)
    assert str(contract.mistake("no such column", "old.0.columns.customer_id")) == (
        "queue.yaml:15:28  no such column"
    )
    assert contract.mistake("no such column", "new.0.columns.title_id").line == 18
    assert loaded.mistake("no such table", "customers.old.0.table").line == 9


def test_the_password_is_in_no_repr(load):
    assert "secret" not in repr(load())


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-03-01", dt.date(2026, 3, 1)),
        ('"2026-03-01"', dt.date(2026, 3, 1)),
        ("2026-03-01 12:30:00", dt.datetime(2026, 3, 1, 12, 30)),
        ("'2026-03-01T12:30:00.5+02:00'",
         dt.datetime(2026, 3, 1, 12, 30, 0, 500000, dt.timezone(dt.timedelta(hours=2)))),
    ],
)  # fmt: skip
def test_as_of_takes_timestamps_and_dates(load, written, value):
    read = load(contract=(("2026-03-01T00:00:00Z", written),)).contracts[0].contract.as_of.value
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("written", ["20260301", "'20260301'"])
def test_as_of_digits_are_a_whole_number(load, written):
    spoilt = (("2026-03-01T00:00:00Z", written), ("added_at: {type: timestamp}", "added_at:"))
    assert load(contract=spoilt).contracts[0].contract.as_of.value == 20260301


def test_map_keys_and_values_are_the_text_that_was_written(load):
    spoilt = (
        ("{type: integer, map: {5: up, 1: down}}", "{map: {5: up, no: ~, ~: x, 3.50: true}}"),
    )
    field = load(contract=spoilt).contracts[0].contract.fields["stars"]
    assert field.map == {"5": "up", "no": None, None: "x", "3.50": "true"}


def test_a_list_may_be_one_thing_and_fields_may_be_none(load):
    text = Path("queue.yaml")
    load()
    text.write_text(
        "content: queue\nshape: set\nowner: c\nitem: [a, b]\nfields: {}\n"
        "old: {system: old, table: t}\n"
        "new: [{system: dvd, query: SELECT 1, covers: x}, {system: streaming, table: t}]\n"
    )
    loaded = load_plan(Path("safeguard.yaml"), {"OLD_URL": "sqlite:///x"}).contracts[0]
    assert loaded.contract.old[0].system == "old"
    assert loaded.contract.new[0].covers == ("x",)
    assert str(loaded.mistake("gone", "old.0.table")) == "queue.yaml:6:27  gone"


FILL = {
    "a": ("a", []),
    "x/${A}/${B}": ("x/1/2", []),
    "$${A}": ("${A}", []),
    "$A $": ("$A $", []),
    "${C}": ("${C}", ["C is not set in the environment."]),
    "${E}": ("${E}", ["E is empty in the environment."]),
    "${A": ("${A", ["`${` begins the name of an environment variable, as in ${OLD_URL}"]),
    "${}": ("${}", ["`${` begins the name of an environment variable, as in ${OLD_URL}"]),
}


@pytest.mark.parametrize("text", FILL)
def test_fill(text):
    assert fill(text, {"A": "1", "B": "2", "E": ""}) == FILL[text]


def test_a_filled_in_value_is_not_filled_in_again():
    assert fill("${A}", {"A": "${B}", "B": "x"}) == ("${B}", [])


def test_only_urls_are_filled_in(load):
    loaded = load(contract=(("Movies a customer", "${HOME} a customer"),))
    assert loaded.contracts[0].contract.title.startswith("${HOME}")


def test_the_digest_changes_with_every_byte_and_not_with_the_environment(load):
    first = load().digest
    assert load(environ={"OLD_URL": "sqlite:///other"}).digest == first
    assert load(contract=(("title: Movies", "title:  Movies"),)).digest != first
    assert load(plan=(("kind: split", "kind:  split"),)).digest != first
    assert len(first) == 64


def test_the_digest_has_no_separators(tmp_path):
    digests = set()
    for names in (["a.yaml", "b.yaml"], ["b.yaml", "a.yaml"]):
        (tmp_path / "p.yaml").write_text(
            f"migration: m\nkind: move\nsystems: {{o: {{url: 'x:y'}}, n: {{url: 'x:z'}}}}\n"
            f"contracts: [{', '.join(names)}]\n"
        )
        for name, content in zip(names, "qr", strict=True):
            (tmp_path / name).write_text(
                f"content: {content}\nshape: record\nowner: c\n"
                "old: {system: o, table: t}\nnew: {system: n, table: t}\n"
            )
        digests.add(load_plan(tmp_path / "p.yaml", {}).digest)
    assert len(digests) == 2


def test_a_missing_plan_and_a_folder():
    with pytest.raises(UsageProblem, match=r"`nothing\.yaml` does not exist"):
        load_plan(Path("/nowhere/nothing.yaml"), {})
    with pytest.raises(UsageProblem, match="can't be read: is a directory"):
        load_plan(Path("/tmp"), {})


def test_contracts_of_one_content(load, mistakes):
    load()
    Path("other.yaml").write_text(Path("queue.yaml").read_text())
    told = mistakes(plan=(("[queue.yaml]", "[queue.yaml, other.yaml]"),))
    assert told == ["other.yaml:1:10  `queue` is also the content of queue.yaml"]


def test_a_broken_contract_does_not_hide_another(load, mistakes):
    load()
    Path("other.yaml").write_text("a: [\n")
    told = mistakes(
        plan=(("[queue.yaml]", "[other.yaml, queue.yaml]"),),
        contract=(("shape: list", "shape: lst"),),
    )
    assert [line.split("  ")[0] for line in told] == ["other.yaml:2:1", "queue.yaml:3:8"]


def test_a_kind_written_in_one_list_leaves_the_default_of_the_other():
    assert Policy(block=(Kind.EXTRA,)).warn == ()
    assert Kind.MOVED not in Policy(warn=(Kind.MOVED,)).block
    assert Policy().warn == (Kind.EXTRA,)
