"""One offer: an agent's phones ring, until one of them has the caller or it came to nothing.

Knows the agent's legs and how a refusal reads.  Who is rung for whom, and for how long, is the
engine's decision; a leg of an agent never touches that of the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from acd.actions import Connect, Offer
from acd.types import OfferOutcome
from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED, ELSEWHERE, NO_ANSWER, NORMAL, Cause
from softswitch.calls.dial import Place
from softswitch.calls.events import Answered, Asked, Ended, Event, Failed, Ringing
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg
from softswitch.sip.types import SwitchError

NOT_NOW = 491
"""Nothing can be asked of us before two are joined, such as a transfer."""


class OfferedLeg:
    """The phones of one agent for one offer.

    `call`: the caller's, whose record keeps these legs; None for a callback whose customer is
    not on the line yet.  `leg` is the one that answered.  Once `over`, nothing more is told.
    """

    def __init__(self, offer: Offer, call: Call | None, begun: Callable[[Leg], None]) -> None:
        """`begun` hears of each leg before it rings."""
        self.offer, self.call = offer, call
        self.legs: list[Leg] = []
        self.leg: Leg | None = None
        self.over = False
        self.connect: asyncio.Future[Connect] = asyncio.get_running_loop().create_future()
        """Done when the engine wants the two joined."""
        self.task: asyncio.Task[None] | None = None
        self._begun = begun
        self._inbox: Inbox[Event] = Inbox()
        self._rang = False

    # -- ringing ---------------------------------------------------------------------

    async def ring(self, places: Sequence[Place]) -> OfferOutcome | None:
        """Ring all places; None once `leg` has answered, else why nobody did."""
        worst = OfferOutcome.UNREACHABLE
        try:
            for place in places:
                self._start(place)
        except SwitchError:  # no port, no trunk: those that ring already go on
            pass
        while self.legs:
            match await self._inbox.get():
                case Answered(leg) if leg in self.legs:
                    self._win(leg)
                    return None
                case Ringing():
                    self._rang = True
                case Failed(leg, status):
                    self._drop(leg)
                    worst = outcome_of(status, rang=self._rang)
                case Ended(leg):
                    self._drop(leg)
                case Asked() as asked:
                    asked.respond(NOT_NOW)
                case _:  # nothing else matters before the answer
                    pass
        return worst

    def _start(self, place: Place) -> None:
        leg = place()
        self._begun(leg)
        self.legs.append(leg)
        if self.call is not None:
            self.call.add(leg)
        leg.divert(self._inbox)

    def _win(self, leg: Leg) -> None:
        self.leg = leg
        self.legs.remove(leg)
        self._let_go(ELSEWHERE)

    def _drop(self, leg: Leg) -> None:
        if leg in self.legs:
            self.legs.remove(leg)
            self._release(leg)

    def _release(self, leg: Leg) -> None:
        if self.call is not None and leg.call is self.call:
            self.call.release(leg)

    # -- the end ---------------------------------------------------------------------

    def withdraw(self, *, elsewhere: bool) -> None:
        """The engine takes the offer back, whatever state it is in."""
        self._close()
        caller_left = self.call is not None and self.call.leg.ended
        self._let_go(ELSEWHERE if elsewhere else CANCELLED if caller_left else NO_ANSWER)
        if self.leg is not None:
            self.leg.hang_up(NORMAL)
            self._release(self.leg)

    def hand_over(self) -> Leg:
        """The leg that answered is the conversation's from now on."""
        assert self.leg is not None  # only a leg that has answered is joined
        self.over = True
        self.leg.on_end = None
        return self.leg

    def _let_go(self, cause: Cause) -> None:
        for leg in self.legs:
            leg.hang_up(cause)
            self._release(leg)
        self.legs.clear()

    def _close(self) -> None:
        self.over = True
        if self.leg is not None:
            self.leg.on_end = None
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()


def outcome_of(status: int, *, rang: bool) -> OfferOutcome:
    """What a refusal by an agent's phone means.

    Phones say 486 for "busy" and for the reject key alike; one that rang before was not busy.
    """
    if status in (603, 607) or (rang and status in (480, 486, 600)):
        return OfferOutcome.REJECTED
    if status in (486, 600):
        return OfferOutcome.BUSY
    if 300 <= status < 400:  # the phone is forwarded: not what the caller waits for
        return OfferOutcome.REJECTED
    return OfferOutcome.UNREACHABLE
