"""Conversations that outlive the switch: two who talked when it was killed go on talking.

Who talks with whom is written down with both dialogs.  After the restart both phones, which know
nothing of it, are asked by a re-INVITE; where both are there they hear each other again, and where
one is gone the other is let go.  What was around them (a third party, a key half typed) is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from softswitch.calls.call import Call
from softswitch.calls.causes import UNREACHABLE
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.pbx.conversation import Conversation, converse
from softswitch.pbx.dialogs import (
    call_facts,
    found,
    leg_facts,
    restore_call,
    skip_numbers,
    told_of,
    use_channel,
)
from softswitch.sip.types import Seconds
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

SPACE = "conversations"
"""Where the store remembers who talks with whom, by call."""
SETTLED: Seconds = 0.25
"""A conversation shorter than that is not worth a line in the journal."""
AT_ONCE = 50
"""Conversations whose phones are asked at the same time, so that thousands do not drown it."""


class Back(NamedTuple):
    """A conversation that goes on: `call` serves its leg, who talks with `other`."""

    call: Call
    other: Leg
    """With the id that it had."""


class Continuing:
    """All conversations of the switch, and those of the last run."""

    def __init__(self, switch: Switch) -> None:
        self._switch, self._state = switch, switch.store.state
        self._left: dict[str, dict[str, Any]] = dict(self._state.space(SPACE))
        self._awaited = {facts["legs"][1]["id"] for facts in self._left.values()}
        self._timers: dict[Call, asyncio.TimerHandle] = {}
        self.on_back: list[Callable[[Back], None]] = []
        """Told of each that goes on, before it does."""
        self.on_lost: list[Callable[[str], None]] = []
        """Told of the leg, awaited by its id, that will not come back."""

    # -- while calls go on -------------------------------------------------------------

    def remember(self, talk: Conversation, *, at_once: bool = False) -> None:
        """The two of `talk` hear each other as they stand now."""
        call = talk.call
        if at_once or self._state.get(SPACE, call.id) is not None:
            self._write(talk)
        elif call not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[call] = loop.call_later(SETTLED, self._write, talk)

    def forget(self, call: Call) -> None:
        """Nobody talks in `call` any more."""
        if (timer := self._timers.pop(call, None)) is not None:
            timer.cancel()
        self._drop(call.id)

    def _write(self, talk: Conversation) -> None:
        call = talk.call
        if call.leg not in (talk.a, talk.b) or talk.a.ended or talk.b.ended:
            return
        legs = [leg_facts(self._switch, leg) for leg in (call.leg, talk.other(call.leg))]
        if None not in legs:
            facts = {"legs": legs, "doing": call.doing, "urgent": call.urgent, **call_facts(call)}
            self._set(call.id, facts)

    def _set(self, call: str, facts: dict[str, Any]) -> None:
        with suppress(JournalFullError):  # then a crash would cut the two off
            self._state.set(SPACE, call, facts)

    def _drop(self, call: str) -> None:
        with suppress(JournalFullError):  # after a restart both phones will say that it is over
            self._state.remove(SPACE, call)

    # -- after a restart ---------------------------------------------------------------

    def awaits(self, leg: str) -> bool:
        """Whether a leg of the last run, by its id, may come back under the same id."""
        return leg in self._awaited

    def resume(self) -> None:
        """Ask all phones; to be done once we can be heard."""
        room = asyncio.Semaphore(AT_ONCE)
        for call, facts in self._left.items():
            self._switch.spawn(self._take_up(call, facts, room))

    async def _take_up(self, known_as: str, facts: dict[str, Any], room: asyncio.Semaphore) -> None:
        served, other = facts["legs"]
        legs: Sequence[Leg | None] = ()
        goes_on = False
        try:
            async with room:
                self._set(known_as, facts | {"legs": [skip_numbers(served), skip_numbers(other)]})
                legs = await asyncio.gather(
                    found(self._switch, served), found(self._switch, other, other["id"])
                )
            goes_on = self._begin(legs, known_as, facts)
        finally:
            del self._left[known_as]
            self._awaited.discard(other["id"])
            if not goes_on:
                self._give_up(legs, other["id"])
                self._drop(known_as)

    def _give_up(self, legs: Sequence[Leg | None], awaited: str) -> None:
        for leg in legs:
            if leg is not None:
                leg.hang_up(UNREACHABLE)
        for listener in self.on_lost:
            listener(awaited)

    def _begin(self, legs: Sequence[Leg | None], known_as: str, facts: dict[str, Any]) -> bool:
        served, other = legs
        if served is None or other is None or served.ended or other.ended:
            return False
        told = told_of(served, facts)
        if served.owner is not None and other.owner is None:
            told["direction"] = "outbound"
        try:
            script = partial(self._talk, known_as, other)
            call = self._switch.begin(served, script, urgent=facts["urgent"], **told)
        except (Refused, JournalFullError):
            return False
        call.add(other)
        restore_call(call, facts)
        call.doing = facts["doing"]
        for leg, known in zip((served, other), facts["legs"], strict=True):
            use_channel(self._switch, leg, known, call)
            call.record.leg(leg.id, **leg.facts())
        call.record.event("resumed", call=known_as)
        self._switch.recordings.tape(call).told = True  # before the restart
        for listener in self.on_back:
            listener(Back(call, other))
        return True

    async def _talk(self, known_as: str, other: Leg, call: Call) -> None:
        self._drop(known_as)  # from here on it is known by its new name
        await converse(self._switch, call, call.leg, other, precious=True)
