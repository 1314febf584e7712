"""Emergency numbers: they pass whoever dials, whatever is full, barred or believed dead.

No class of service is asked, no limit of channels or calls holds; where no trunk takes the
call, one that is full loses another call for it.  The number shown is that of the place where
the caller stands, so that help finds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from config.settings import Settings
from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED
from softswitch.calls.errors import NotAnswered
from softswitch.calls.party import Party
from softswitch.pbx.asking import ask
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.classes import Payer, payer_of
from softswitch.pbx.extension import connect
from softswitch.pbx.identity import Identity, shown_number
from softswitch.pbx.outgoing import Dialling, reach
from softswitch.sip.message import Headers, Request
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

NOTICE_PATIENCE: Seconds = 5.0
LEGS = 2
"""Ports that a call needs."""
FREEING: Seconds = 0.5
"""How long the far side is given to notice that a channel is free."""


async def call_help(switch: Switch, call: Call, dialled: str) -> None:
    """Reach the emergency service by the first trunk that gets through."""
    call.urgent = True
    payer = payer_of(switch.settings, call)
    call.record.learn(emergency=True)
    switch.tell("emergency.dialled", call=call.id, number=dialled, caller=call.leg.party.number)
    switch.spawn(notify(switch, call.leg.party, dialled))
    dialling = Dialling(switch, call, payer, dialled, location_of)
    if switch.free_ports < LEGS and (victim := _latest(switch.calls.values())) is not None:
        _preempt(victim, call)
        await asyncio.sleep(FREEING)
    try:
        leg = await reach(dialling, ways(switch), stubborn=True)
    except NotAnswered:
        freed = make_room(switch, call)
        if freed is None:
            raise
        await asyncio.sleep(FREEING)
        leg = await reach(dialling, [freed, *ways(switch)], stubborn=True)
    await connect(switch, call, leg)


def make_room(switch: Switch, call: Call) -> Carrier | None:
    """End the latest other call on a trunk all of whose channels are in use; which trunk."""
    for carrier in ways(switch):
        if carrier.has_room(inbound=False):
            continue
        legs = (*carrier.outbound, *carrier.inbound)
        victim = _latest(leg.call for leg in legs if leg.call is not None)
        if victim is not None:
            _preempt(victim, call)
            return carrier
    return None


def _latest(calls: Iterable[Call]) -> Call | None:
    """The call that has lasted least and is no emergency itself."""
    others = [each for each in calls if not each.urgent]
    return max(others, key=lambda each: each.leg.times.began, default=None)


def _preempt(victim: Call, call: Call) -> None:
    victim.record.event("preempted", by=call.id)
    victim.end(CONGESTED)


def ways(switch: Switch) -> list[Carrier]:
    """Every trunk that may do: as configured, those that are up and have room in front."""
    named = switch.settings.emergency.trunks
    carriers = switch.trunks.named(named) if named else [c for c in switch.trunks if c.goes_out]
    return sorted(carriers, key=lambda each: (not each.is_up, not each.has_room(inbound=False)))


def location_of(
    settings: Settings, call: Call, payer: Payer, carrier: Carrier, dialled: str
) -> Identity:
    """Who calls, with the number of the place; nobody hides from help."""
    person = payer.extension
    site = person.site if person is not None else None
    number = settings.emergency.caller_id.get(site or "")
    shown = number or shown_number(settings, call, payer, carrier)
    return Identity(Party(shown, call.leg.party.name), carrier.host, [])


async def notify(switch: Switch, caller: Party, dialled: str) -> None:
    """Tell those whom the settings name, on the screens of their phones."""
    text = f"{caller} dialled {dialled}".encode()
    for number in switch.settings.emergency.notify:
        for binding in switch.locations.of(number):
            destination = binding.destination
            if destination is not None:
                headers = Headers(
                    [
                        ("From", f"<sip:{dialled}@{switch.settings.switch.domain}>"),
                        ("To", f"<{binding.uri}>"),
                        ("Content-Type", "text/plain;charset=UTF-8"),
                    ]
                )
                message = Request("MESSAGE", binding.uri, headers, text)
                await ask(switch.board.ua, message, destination, NOTICE_PATIENCE)
