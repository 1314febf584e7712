"""Agents' feature codes: log in and out at any phone, pause, after-call work.

A code takes effect when it is dialled; what is said afterwards only confirms it.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from acd.types import Status
from softswitch.calls.call import Call
from softswitch.calls.causes import FORBIDDEN, UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.pbx.peers import Phone
from softswitch.pbx.queue.roster import CommandRefused
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

TRIES = 3
LONGEST = 8
"""Digits of an agent's code, and of a PIN."""
LONGEST_REASON = 2
REASON_TIME: Seconds = 3.0


async def agent_login(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*45`: whoever sits at this phone logs out; else its own agent logs in, or who gives his
    code and PIN (hot desk)."""
    call.leg.answer()
    roster, voice = switch.centre.roster, Voice(switch, call)
    if (sitting := roster.at(phone.number)) is not None:
        roster.log_out(sitting)
        call.record.event("agent-logout", agent=sitting)
        await voice.say("agent-logged-out")
        return
    name = roster.resident(phone.number) or await _identify(switch, call, voice)
    roster.log_in(name, phone.number)
    call.record.event("agent-login", agent=name)
    await voice.say("agent-logged-in")


async def agent_pause(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*46`: pause at once, with up to two digits as a reason if they follow; or be ready again."""
    call.leg.answer()
    roster, voice = switch.centre.roster, Voice(switch, call)
    name = await _sitting(switch, phone, voice)
    if roster.agent(name).status is Status.PAUSED:
        roster.resume(name)
        await voice.say("agent-resumed")
        return
    roster.pause(name)
    reason = await voice.ask("agent-pause-reason", most=LONGEST_REASON, timeout=REASON_TIME)
    if reason:
        roster.pause(name, reason)
    await voice.say("agent-paused")


async def agent_wrap_up(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*47`: after-call work is done."""
    await _wrap_up(switch, call, phone, "")


async def agent_more_time(switch: Switch, call: Call, phone: Phone, minutes: str) -> None:
    """`*49`: after-call work lasts until `*47`; `*495`: five minutes more."""
    await _wrap_up(switch, call, phone, minutes or "0")


async def _wrap_up(switch: Switch, call: Call, phone: Phone, minutes: str) -> None:
    call.leg.answer()
    roster, voice = switch.centre.roster, Voice(switch, call)
    name = await _sitting(switch, phone, voice)
    try:
        if minutes:
            roster.extend_wrap_up(name, 60.0 * int(minutes) if minutes.strip("0*#") else None)
        else:
            roster.end_wrap_up(name)
    except CommandRefused as refusal:
        await voice.say("invalid")
        raise Refused(FORBIDDEN, str(refusal)) from refusal
    await voice.say("activated" if minutes else "agent-resumed")


async def _sitting(switch: Switch, phone: Phone, voice: Voice) -> str:
    """Who sits at the phone; Refused, and told so, where nobody does."""
    name = switch.centre.roster.at(phone.number)
    if name is None:
        await voice.say("agent-not-in")
        raise Refused(FORBIDDEN, f"no agent sits at {phone.number}")
    return name


async def _identify(switch: Switch, call: Call, voice: Voice) -> str:
    """The agent whose code and PIN are typed."""
    codes = {agent.code: name for name, agent in switch.settings.agents.items() if agent.code}
    for _ in range(TRIES):
        code = await voice.ask("agent-enter-number", most=LONGEST)
        name = codes.get(code)
        if name is not None and await _knows_pin(switch, name, voice):
            return name
        call.record.event("agent-unknown", code=code)
        await voice.say("agent-unknown")
    raise Refused(UNKNOWN_NUMBER, "no agent has that code")


async def _knows_pin(switch: Switch, name: str, voice: Voice) -> bool:
    pin = switch.settings.agents[name].pin
    if pin is None:
        return True
    given = await voice.ask("pin-enter", most=LONGEST)
    return hmac.compare_digest(given.encode(), pin.get_secret_value().encode())
