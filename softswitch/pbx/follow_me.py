"""Follow-me: the other phones of a person, rung beside his extension or after a while (P22).

They are rung in his name.  An answer outside counts once `1` is pressed, so that a mobile's
voicemail never takes a call.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from config.extensions import Extension
from softswitch.calls.call import Call
from softswitch.calls.dial import Place, Wave
from softswitch.calls.leg import Leg
from softswitch.pbx.reach import places, reachable
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

PATIENCE: Seconds = 5.0
"""How long after the question a key may come."""
TIMES = 2
"""How often the question is asked."""


def waves(switch: Switch, call: Call, number: str, person: Extension) -> list[Wave]:
    """Who joins in ringing, and when."""
    if person.follow_me is None:
        return []
    return [(person.follow_me.after, partial(_others, switch, call, number, person))]


def ring_time(person: Extension) -> Seconds:
    """How long it rings in all."""
    follow = person.follow_me
    return person.ring_time if follow is None else max(
        person.ring_time, follow.after + follow.ring_time
    )  # fmt: skip


async def accept(switch: Switch, call: Call, person: Extension, leg: Leg) -> bool:
    """Whether whoever answered `leg` takes the call; our own phones need no confirmation."""
    if leg.owner is not None or person.follow_me is None or not person.follow_me.confirm:
        return True
    voice = Voice(switch, call, leg)
    for _ in range(TIMES):
        if await voice.ask("agent-accept", timeout=PATIENCE) == "1":
            return True
        if leg.ended:
            return False
    return False


def _others(switch: Switch, call: Call, number: str, person: Extension) -> list[Place]:
    """In the name of the extension: its class pays for what is outside."""
    assert person.follow_me is not None  # `waves` has looked
    call.record.event("follow-me", by=number)
    call.diversions.append((number, "follow-me"))
    try:
        return [
            place
            for target in reachable(switch, person.follow_me.targets, skip_busy=False)
            for place in places(switch, call, target)
        ]
    finally:
        call.diversions.pop()
