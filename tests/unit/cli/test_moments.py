"""Times and durations on the command line."""

from __future__ import annotations

import datetime as dt

import click
import pytest

from safeguard.cli.moments import Clock, Duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1h30m", 5400), ("1h5s", 3605)]
)
def test_durations(text, seconds):
    assert Duration().convert(text, None, None) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "m", "-5", "1.5h", "5m1h"])
def test_what_is_no_duration(text):
    with pytest.raises(click.BadParameter, match="is no duration"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize("text", ["99999999999999h", "9" * 400, "9" * 5_000])
def test_a_duration_that_no_clock_can_count_is_told_as_such(text):
    with pytest.raises(click.BadParameter, match="is too long"):
        Duration().convert(text, None, None)


def test_a_clock_time_is_the_next_one():
    now = dt.datetime.now().astimezone()
    at = Clock().convert(f"{now:%H:%M}", None, None)
    assert dt.timedelta(0) < at - now <= dt.timedelta(days=1)
    assert (at.hour, at.minute, at.second) == (now.hour, now.minute, 0)


def test_an_iso_time_has_a_zone():
    moment = dt.datetime(2026, 3, 1, 18, 30, tzinfo=dt.UTC)
    assert Clock().convert("2026-03-01T18:30:00Z", None, None) == moment
    with pytest.raises(click.BadParameter, match="has no time zone"):
        Clock().convert("2026-03-01T18:30:00", None, None)


@pytest.mark.parametrize("text", ["25:00", "noon", "18:61"])
def test_what_is_no_time(text):
    with pytest.raises(click.BadParameter, match="is no time"):
        Clock().convert(text, None, None)
