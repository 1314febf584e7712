"""Two parties talk: sound between them, music for who waits, until one hangs up.

The inner loop of every feature that joins two legs.  Hands everything that it does not
understand itself (REFER, feature keys) to `handlers`, so that transfer, recording and
conference are modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import NORMAL
from softswitch.calls.events import Asked, Digit, Ended, Held, Resumed, Taken
from softswitch.calls.leg import Leg

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


async def converse(switch: Switch, call: Call, a: Leg, b: Leg) -> None:
    """Join `a` and `b`, both answered, and stay until one of them is gone or taken over."""
    talk = Conversation(switch, call, a, b)
    talk.join()
    await talk.last()


class Conversation:
    """Two legs that hear each other."""

    def __init__(self, switch: Switch, call: Call, a: Leg, b: Leg) -> None:
        self.switch, self.call, self.a, self.b = switch, call, a, b
        self.inbox = a.divert()
        b.divert(self.inbox)

    def other(self, leg: Leg) -> Leg:
        """The one at the other end from `leg`."""
        return self.b if leg is self.a else self.a

    def join(self) -> None:
        """Let each hear the other; whom the other holds hears music instead."""
        for leg in (self.a, self.b):
            other = self.other(leg)
            leg.hear(self.switch.music(other) if other.held else other)

    async def last(self) -> None:
        """Until one side hangs up or goes to another call; the other side is then let go."""
        while True:
            match event := await self.inbox.get():
                case Ended(leg):
                    self.other(leg).hang_up(leg.cause if leg.ended else NORMAL)
                    return
                case Taken():
                    return
                case Held(leg) | Resumed(leg):
                    self.call.record.event("held" if leg.held else "resumed", leg=leg.id)
                    self.join()
                case Asked() | Digit():
                    if await self.switch.features.during_talk(self, event):
                        return
                case _:  # answered and ringing are over; nothing else concerns two who talk
                    pass
