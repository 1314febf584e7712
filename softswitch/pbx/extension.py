"""`extension:101`: ring a person's phones; forward, or take a message, where that fails."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from config.extensions import Extension
from config.targets import Kind, Target, Targets
from softswitch.calls.call import Call
from softswitch.calls.causes import UNKNOWN_NUMBER
from softswitch.calls.dial import ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.leg import Leg
from softswitch.pbx import follow_me
from softswitch.pbx.conversation import converse
from softswitch.pbx.deflection import Deflected, redirect
from softswitch.pbx.targets import one, serve

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

BUSY, UNAVAILABLE = 486, 480


async def extension(switch: Switch, call: Call, target: Target) -> None:
    """Connect the caller with an extension; raises NotAnswered where nobody takes the call."""
    person = switch.settings.extensions.get(target.name)
    if person is None:
        raise Refused(UNKNOWN_NUMBER)
    wishes = switch.wishes(target.name)
    if always := wishes.always:
        await forward(switch, call, target.name, "always", always)
        return
    try:
        leg = await reach(switch, call, target.name, person)
    except Deflected as wish:
        await forward(switch, call, target.name, "deflection", wish.targets)
    except NotAnswered as failure:
        instead, why = _instead(switch, target.name, person, failure.status)
        if not instead:
            raise
        await forward(switch, call, target.name, why, instead)
    else:
        await connect(switch, call, leg)


async def reach(switch: Switch, call: Call, number: str, person: Extension) -> Leg:
    """Ring every phone of the extension; the leg that answered."""
    if switch.wishes(number).do_not_disturb or not switch.may_ring(number, person):
        raise NotAnswered(BUSY)
    places = switch.phones(number, call.leg)
    others = follow_me.waves(switch, call, number, person)
    if not places and not others:
        raise NotAnswered(UNAVAILABLE, "Not Registered")
    return await ring(
        call,
        places,
        later=others,
        ring_time=follow_me.ring_time(person),
        redirect=redirect(switch, call, number),
        accept=partial(follow_me.accept, switch, call, person) if others else None,
    )


async def connect(switch: Switch, call: Call, leg: Leg) -> None:
    """Answer the caller for `leg` and let the two talk."""
    call.leg.answer(prefer=leg.codec)
    call.record.leg(leg.id, **leg.facts())
    call.record.leg(call.leg.id, **call.leg.facts())  # who is served last: one write for both
    await converse(switch, call, call.leg, leg)


async def forward(switch: Switch, call: Call, number: str, why: str, to: Targets) -> None:
    """Send the call elsewhere in the name of `number`."""
    call.record.event("forwarded", by=number, why=why, to=[str(target) for target in to])
    call.diverted(number, why)
    await serve(switch, call, to)


def _instead(switch: Switch, number: str, person: Extension, status: int) -> tuple[Targets, str]:
    """Where an unanswered call goes, and under which of the four conditions."""
    wishes = switch.wishes(number)
    if status == BUSY or status == 600:
        found, why = wishes.busy, "busy"
    elif not switch.registered(number):
        found, why = wishes.unregistered, "unregistered"
    else:
        found, why = wishes.no_answer, "no-answer"
    if not found and switch.settings.has_box(number):
        found = one(Kind.VOICEMAIL, number)
    return found, why
