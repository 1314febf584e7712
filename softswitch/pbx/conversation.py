"""Two parties talk: sound between them, music for who waits, until one hangs up.

The inner loop of every feature that joins two legs.  Hands everything that it does not
understand itself (REFER, feature keys) to `handlers`, so that transfer, recording and
conference are modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import ELSEWHERE, NORMAL
from softswitch.calls.events import (
    Asked,
    Commanded,
    Digit,
    Ended,
    Event,
    Held,
    Replaced,
    Resumed,
    Taken,
)
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg, ignore
from softswitch.calls.profile import DtmfForm
from softswitch.pbx.key_codes import KeyCodes

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


async def converse(switch: Switch, call: Call, a: Leg, b: Leg, *, precious: bool = False) -> None:
    """Join `a` and `b`, both answered, and stay until one of them is gone or taken over.

    `precious`: it must outlive a crash from its first moment on.
    """
    talk = Conversation(switch, call, a, b)
    if precious:
        switch.continuing.remember(talk, at_once=True)
    try:
        await switch.recordings.announce(talk)
        talk.join()
        await talk.last()
    finally:
        switch.continuing.forget(call)
        switch.recordings.rest(call)


class Conversation:
    """Two legs that hear each other."""

    def __init__(self, switch: Switch, call: Call, a: Leg, b: Leg) -> None:
        self.switch, self.call, self.a, self.b = switch, call, a, b
        self.inbox: Inbox[Event] = Inbox()
        self.keys: dict[Leg, KeyCodes] = {}
        """What each party has pressed of a code."""
        self.on_key: Callable[[Digit], None] = ignore
        """Hears every key before it is looked at as a part of a code."""
        self.listen()

    def listen(self) -> None:
        """What happens to the two is told here, from now on or again."""
        self.a.divert(self.inbox, replaceable=True)
        self.b.divert(self.inbox, replaceable=True)

    def other(self, leg: Leg) -> Leg:
        """The one at the other end from `leg`."""
        return self.b if leg is self.a else self.a

    def join(self) -> None:
        """Let each hear the other; whom the other holds hears music instead."""
        for leg in (self.a, self.b):
            other = self.other(leg)
            leg.hear(self.switch.music(other) if other.held else other)
        self.switch.recordings.follow(self)
        self.switch.continuing.remember(self)

    async def last(self) -> None:
        """Until one side hangs up or goes to another call; the other side is then let go."""
        while True:
            match event := await self.inbox.get():
                case Ended(leg) if leg in (self.a, self.b):
                    self.other(leg).hang_up(leg.cause if leg.ended else NORMAL)
                    return
                case Taken():
                    return
                case Replaced(leg, by):
                    self._replace(leg, by)
                case Held(leg) | Resumed(leg):
                    self.call.record.event("held" if leg.held else "resumed", leg=leg.id)
                    self.join()
                case Asked() | Digit() | Commanded():
                    if isinstance(event, Digit):
                        self._pass_on(event)
                        self.on_key(event)
                    if await self.switch.features.during_talk(self, event):
                        return
                case _:  # answered and ringing are over; nothing else concerns two who talk
                    pass

    def _pass_on(self, key: Digit) -> None:
        """Let the other party have a key that its sound does not bring: INFO to whatever it
        takes, and anything to one that wants INFO."""
        other = self.other(key.leg)
        if key.by == "info" or other.profile.dtmf is DtmfForm.INFO:
            other.press(key.digit)

    def _replace(self, leg: Leg, by: Leg) -> None:
        """`by` goes on in place of `leg`, who is let go."""
        call = self.call
        call.add(by)
        if call.leg is leg:
            call.serve(by)
        if leg is self.a:
            self.a = by
        else:
            self.b = by
        call.record.event("replaced", leg=leg.id, by=by.party.number)
        leg.divert()
        leg.hang_up(ELSEWHERE)
        call.release(leg)
        self.listen()
        self.join()
