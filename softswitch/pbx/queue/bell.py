"""Ringing somebody for the queues: several phones at once, the first answer wins.

Unlike `calls.dial.ring` it needs no call, since one who is called back has none yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED, ELSEWHERE, Cause
from softswitch.calls.dial import Place
from softswitch.calls.events import Answered, Asked, Ended, Event, Failed, Ringing
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg, ignore
from softswitch.sip.types import SwitchError

NOT_NOW = 491
"""Nothing can be asked of us before two are joined, such as a transfer."""
NOWHERE = 480


class Bell:
    """The phones of one party.

    `call` keeps a record of them, if there is one.  `rang` tells whether any of them did, `status`
    how the last one refused.
    """

    def __init__(self, call: Call | None = None, begun: Callable[[Leg], object] = ignore) -> None:
        """`begun` hears of each leg before it rings."""
        self.call, self.legs = call, list[Leg]()
        self.rang, self.status = False, NOWHERE
        self._begun = begun
        self._inbox: Inbox[Event] = Inbox()

    async def ring(self, places: Sequence[Place]) -> Leg | None:
        """Ring all places; who answered first, the others being let go, or None."""
        try:
            for place in places:
                self._start(place)
        except SwitchError:  # no port, no trunk: those that ring already go on
            pass
        while self.legs:
            match await self._inbox.get():
                case Answered(leg) if leg in self.legs:
                    self.legs.remove(leg)
                    self.stop(ELSEWHERE)
                    return leg
                case Ringing():
                    self.rang = True
                case Failed(leg, status):
                    self._drop(leg)
                    self.status = status
                case Ended(leg):
                    self._drop(leg)
                case Asked() as asked:
                    asked.respond(NOT_NOW)
                case _:  # nothing else matters before the answer
                    pass
        return None

    def stop(self, cause: Cause = CANCELLED) -> None:
        """Let go whoever still rings."""
        for leg in self.legs:
            leg.hang_up(cause)
            self.release(leg)
        self.legs.clear()

    def release(self, leg: Leg) -> None:
        """The leg is over; its record is kept."""
        if self.call is not None and leg.call is self.call:
            self.call.release(leg)

    def _start(self, place: Place) -> None:
        leg = place()
        self._begun(leg)
        self.legs.append(leg)
        if self.call is not None:
            self.call.add(leg)
        leg.divert(self._inbox)

    def _drop(self, leg: Leg) -> None:
        if leg in self.legs:
            self.legs.remove(leg)
            self.release(leg)


def not_now(event: Event) -> None:
    """One who has answered and is not joined yet wants something: later."""
    if isinstance(event, Asked):
        event.respond(NOT_NOW)
