"""`*80102`: speak from the loudspeaker of 102, who can answer without a hand (P16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import BUSY, UNKNOWN_NUMBER
from softswitch.calls.dial import ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.pbx.auto_answer import loudspeakers, may_be_opened
from softswitch.pbx.extension import connect
from softswitch.pbx.peers import Phone
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

UNAVAILABLE = 480


async def intercom(switch: Switch, call: Call, phone: Phone, number: str) -> None:
    """Open the loudspeaker of `number`, asked for where only the code was dialled."""
    if not number:
        call.leg.answer()
        number = await Voice(switch, call).ask("dial-extension", most=8)
    person = switch.settings.extensions.get(number)
    if person is None:
        raise Refused(UNKNOWN_NUMBER)
    if not may_be_opened(switch, number, person, interrupt=False):
        raise NotAnswered(BUSY.status)
    places = loudspeakers(switch, number, call.leg)
    if not places:
        raise NotAnswered(UNAVAILABLE)
    call.record.event("intercom", to=number)
    await connect(switch, call, await ring(call, places, ring_time=person.ring_time))
