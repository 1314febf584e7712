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
from softswitch.calls.causes import CANCELLED, ELSEWHERE, NO_ANSWER, NORMAL
from softswitch.calls.dial import Place
from softswitch.calls.leg import Leg
from softswitch.pbx.queue.bell import Bell


class OfferedLeg:
    """The phones of one agent for one offer.

    `call`: the caller's, whose record keeps these legs; for a callback whose customer is not on
    the line yet, one of our own that begins when the agent answers.  `leg` is the one that
    answered.  Once `over`, nothing more is told.
    """

    def __init__(self, offer: Offer, call: Call | None, begun: Callable[[Leg], None]) -> None:
        """`begun` hears of each leg before it rings."""
        self.offer, self.call = offer, call
        self.leg: Leg | None = None
        self.over = False
        self.connect: asyncio.Future[Connect] = asyncio.get_running_loop().create_future()
        """Done when the engine wants the two joined."""
        self.task: asyncio.Task[None] | None = None
        self._bell = Bell(call, begun)

    async def ring(self, places: Sequence[Place]) -> OfferOutcome | None:
        """Ring all places; None once `leg` has answered, else why nobody did."""
        self.leg = await self._bell.ring(places)
        return None if self.leg else outcome_of(self._bell.status, rang=self._bell.rang)

    def withdraw(self, *, elsewhere: bool) -> None:
        """The engine takes the offer back, whatever state it is in."""
        self.over = True
        caller_left = self.call is not None and self.call.leg.ended
        self._bell.stop(ELSEWHERE if elsewhere else CANCELLED if caller_left else NO_ANSWER)
        if self.leg is not None:
            self.leg.on_end = None
            self.leg.hang_up(NORMAL)
            self._bell.release(self.leg)
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()

    def hand_over(self) -> Leg:
        """The leg that answered is the conversation's from now on."""
        assert self.leg is not None  # only a leg that has answered is joined
        self.over = True
        self.leg.on_end = None
        return self.leg


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
