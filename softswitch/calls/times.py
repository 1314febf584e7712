"""When things happened to a leg, by the wall clock: for records only."""

import time
from typing import Any


class Times:
    """Unix times of a leg's life, None for what never came; `held` sums its holds in seconds."""

    __slots__ = ("answered", "began", "ended", "held", "hold_began", "holds", "rang")

    def __init__(self) -> None:
        self.began = time.time()
        self.rang: float | None = None
        self.answered: float | None = None
        self.ended: float | None = None
        self.held, self.holds = 0.0, 0
        self.hold_began: float | None = None

    def ring(self) -> None:
        self.rang = self.rang or time.time()

    def answer(self) -> None:
        self.answered = self.answered or time.time()

    def hold(self, begins: bool) -> None:
        now = time.time()
        if begins:
            self.hold_began, self.holds = now, self.holds + 1
        elif self.hold_began is not None:
            self.held += now - self.hold_began
            self.hold_began = None

    def end(self) -> None:
        self.hold(begins=False)
        self.ended = self.ended or time.time()

    def facts(self) -> dict[str, Any]:
        return {
            "began_at": self.began,
            "ringing_at": self.rang,
            "answered_at": self.answered,
            "ended_at": self.ended,
            "hold_seconds": round(self.held, 3),
            "holds": self.holds,
        }
