"""What an agent did within a rolling window, in twelve steps.

An interval is booked, whole, at its end; so a total is exact to one step of the window.
"""

from __future__ import annotations

from typing import NamedTuple

from acd.types import Instant, Seconds

STEPS = 12


class Totals(NamedTuple):
    """`calls` answered; seconds of `talk`, of all work (`occupied`) and on duty (`ready`)."""

    calls: float
    talk: float
    occupied: float
    ready: float


class Ledger:
    """Rows of [step, calls, talk, occupied, ready], oldest first, at most twelve."""

    __slots__ = ("rows", "step")

    def __init__(self, window: Seconds, rows: list[list[float]] | None = None) -> None:
        self.step = window / STEPS
        self.rows = rows or []

    def book(
        self,
        now: Instant,
        *,
        calls: int = 0,
        talk: Seconds = 0.0,
        occupied: Seconds = 0.0,
        ready: Seconds = 0.0,
    ) -> None:
        step = now // self.step
        rows = self.rows
        if not rows or rows[-1][0] != step:
            rows.append([step, 0, 0.0, 0.0, 0.0])
            while rows[0][0] <= step - STEPS:
                del rows[0]
        row = rows[-1]
        row[1] += calls
        row[2] += talk
        row[3] += occupied
        row[4] += ready

    def totals(self, now: Instant) -> Totals:
        """Sums over the window that ends now."""
        oldest = now // self.step - STEPS
        calls = talk = occupied = ready = 0.0
        for row in self.rows:
            if row[0] > oldest:
                calls += row[1]
                talk += row[2]
                occupied += row[3]
                ready += row[4]
        return Totals(calls, talk, occupied, ready)
