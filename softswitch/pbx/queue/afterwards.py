"""Where those go whom a queue did not serve; nobody is let go without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.actions import Left
from acd.types import VisitOutcome
from softswitch.calls.call import Call
from softswitch.calls.causes import BUSY, NO_ANSWER
from softswitch.calls.errors import NotAnswered
from softswitch.pbx.acd_settings import targets_of
from softswitch.pbx.targets import serve
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

WORDS = {
    VisitOutcome.REFUSED_FULL: "queue-full",
    VisitOutcome.OVERFLOWED: "queue-full",
    VisitOutcome.REFUSED_CLOSED: "closed",
}
"""What is said to callers for whom the settings name no other place."""


async def go_on(switch: Switch, call: Call, left: Left) -> None:
    """Take the call to where `left` says; raises NotAnswered where there is no such place."""
    voice = Voice(switch, call)
    if left.outcome is VisitOutcome.CALLBACK:
        await voice.say("callback-accepted")
        return
    if targets := targets_of(left.target):
        await serve(switch, call, targets)
        return
    call.leg.open_early()
    await voice.say(WORDS.get(left.outcome, "queue-unattended"))
    full = left.outcome is VisitOutcome.REFUSED_FULL
    raise NotAnswered((BUSY if full else NO_ANSWER).status)
