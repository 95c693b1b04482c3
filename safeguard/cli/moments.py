"""Times and durations as people give them on the command line."""

from __future__ import annotations

import datetime as dt
import re

import click

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_CLOCK = re.compile(r"(\d\d?):(\d\d)")


class Duration(click.ParamType[dt.timedelta]):
    """`90s`, `15m`, `1h30m`, or a number of seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.timedelta:
        """See click."""
        found = _DURATION.fullmatch(str(value))
        if not found or not any(found.groups()):
            self.fail(f"`{value}` is no duration; write 90s, 15m or 1h30m", param, ctx)
        try:
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
        except (OverflowError, ValueError):  # of digits, too, Python reads only so many
            self.fail(f"`{value}` is too long", param, ctx)


class Clock(click.ParamType[dt.datetime]):
    """`18:30` of today or tomorrow by the local clock, or a time in ISO form with its zone."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        """See click."""
        text = str(value)
        try:
            if clock := _CLOCK.fullmatch(text):
                now = dt.datetime.now().astimezone()
                at = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
                return at if at > now else at + dt.timedelta(days=1)
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"`{text}` is no time; write 18:30 or 2026-03-01T18:30:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"`{text}` has no time zone; write {text}Z for UTC", param, ctx)
        return moment
