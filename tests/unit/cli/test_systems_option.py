from __future__ import annotations

import click
import pytest

from safeguard.cli.systems_option import by_name

OPTION = click.Option(["--new"], multiple=True)
CONTEXT = click.Context(click.Command("init"))


@pytest.mark.parametrize(
    ("values", "systems"),
    [
        ((), {}),
        (("sqlite:///x.db",), {"new": "sqlite:///x.db"}),
        (("a=sqlite:///x", "b=files:y"), {"a": "sqlite:///x", "b": "files:y"}),
        (("pg=postgresql://u:p=q@h/d?a=b",), {"pg": "postgresql://u:p=q@h/d?a=b"}),
        (("postgresql://h/d?host=/run&a=b",), {"new": "postgresql://h/d?host=/run&a=b"}),
    ],
)
def test_urls_are_told_from_names(values, systems):
    assert by_name(CONTEXT, OPTION, values) == systems


@pytest.mark.parametrize("values", [("a=x:", "a=y:"), ("x:", "y:"), ("a=",), ("",), ("a b",)])
def test_what_names_no_system_or_one_twice_is_an_error(values):
    with pytest.raises(click.BadParameter):
        by_name(CONTEXT, OPTION, values)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "--new is empty: is the variable set?"),
        ("dvd=", "--new is empty: is the variable set?"),
        ("old.sqlite", "write sqlite:///old.sqlite"),
        ("dvd=/data/dvd.db", "write dvd=sqlite:////data/dvd.db"),
        ("old.duckdb", "write duckdb:///old.duckdb"),
        ("/", "write files:/"),
        ("nonsense", "write NAME=URL"),
    ],
)
def test_an_error_says_what_to_write(value, words):
    with pytest.raises(click.BadParameter) as told:
        by_name(CONTEXT, OPTION, (value,))
    assert told.value.message.startswith(words)
