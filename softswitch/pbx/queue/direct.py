"""`agent:anna`: straight to a person, at whatever phone he sits (A12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.types import Status
from config.targets import Kind, Target
from softswitch.calls.call import Call
from softswitch.calls.errors import NotAnswered
from softswitch.pbx.targets import one, serve

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

UNAVAILABLE = 480


async def agent(switch: Switch, call: Call, target: Target) -> None:
    """Ring his phone as if its number had been dialled; raises NotAnswered while he is out."""
    settings = switch.settings.agents[target.name]
    found = switch.centre.roster.agent(target.name)
    if found.status is Status.LOGGED_OUT:
        raise NotAnswered(UNAVAILABLE)
    call.record.learn(agent=target.name)
    number, phone = settings.number, found.phone
    await serve(switch, call, one(Kind.NUMBER, number) if number else one(Kind.EXTENSION, phone))
