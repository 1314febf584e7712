"""When a waiting caller hears what: a pure function of the seconds waited, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from acd.settings import Announcement
from acd.types import Seconds

TINY = 1e-6
"""Rounding of the clock, in seconds: a timer must not come in vain."""


def moment(line: Announcement, turn: int) -> Seconds | None:
    """When turn 0, 1, … of a line is due, in seconds of waiting; None if there is no such turn."""
    if line.times is not None and turn >= line.times:
        return None
    if turn and not line.every:
        return None
    return line.first + turn * (line.every or 0.0)


def turns_until(line: Announcement, waited: Seconds) -> int:
    """How many turns of the line are due by then, that moment included."""
    if waited + TINY < line.first:
        return 0
    turns = 1 if not line.every else 1 + int((waited - line.first) / line.every + TINY)
    return turns if line.times is None else min(turns, line.times)


def next_line(schedule: Sequence[Announcement], after: Seconds) -> Seconds | None:
    """The first moment later than `after` at which anything is due."""
    due = (moment(line, turns_until(line, after)) for line in schedule)
    return min((at for at in due if at is not None), default=None)


def due_lines(
    schedule: Sequence[Announcement], after: Seconds, until: Seconds
) -> Iterator[tuple[Announcement, str]]:
    """What is to be said for the time later than `after`, up to `until`: each line once at most.

    Turns that were missed (the caller was being rung) are not made up for.
    """
    for line in schedule:
        turns = turns_until(line, until)
        if turns > turns_until(line, after):
            yield line, line.what[(turns - 1) % len(line.what)]
