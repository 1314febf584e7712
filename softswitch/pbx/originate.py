"""Calls that begin here: ring somebody's phones first, then go where that person wanted."""

from __future__ import annotations

from functools import partial

from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED
from softswitch.calls.dial import Place, ring
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx import routing
from softswitch.pbx.peers import Phone, profile
from softswitch.pbx.switch import Switch
from softswitch.sip.types import SwitchError
from softswitch.store.errors import JournalFullError


class NoPhoneError(SwitchError):
    """The extension has no phone that could be rung; the text is a sentence."""


def originate(switch: Switch, number: str, to: str) -> Call:
    """Ring the phones of extension `number`, showing `to`; who answers has then dialled `to`.

    Raises NoPhoneError, or Refused where the switch is full or about to stop.
    """
    person = switch.settings.extensions.get(number)
    if person is None:
        raise NoPhoneError(f"there is no extension {number}")
    first, *others = _places(switch, Phone(number, person), to)
    leg = first()
    script = partial(_connect, switch, Phone(number, person), to, others)
    try:
        return switch.begin(
            leg, script, caller=number, caller_name=person.name, dialled=to, direction="internal"
        )
    except (Refused, JournalFullError):
        leg.hang_up(CANCELLED)
        raise


async def _connect(switch: Switch, phone: Phone, to: str, others: list[Place], call: Call) -> None:
    """While phones ring, the end of one is not the end of the call."""
    first = call.leg
    first.on_end = None

    def again() -> Leg:
        call.remove(first)
        return first

    winner = await ring(call, [again, *others], ring_time=phone.extension.ring_time)
    call.serve(winner)
    call.record.leg(winner.id, **winner.facts())
    await routing.from_phone(switch, phone, to, call)


def _places(switch: Switch, phone: Phone, to: str) -> list[Place]:
    person, media = phone.extension, switch.settings.media
    manner = profile(person.codecs, person.dtmf, person.srtp, media)
    called = switch.settings.extensions.get(to)
    places = switch.locations.places(
        phone.number,
        Party(phone.number, person.name),
        manner,
        None,
        switch.board,
        shown=Party(to, called.name if called else ""),
    )
    if not places:
        raise NoPhoneError(f"extension {phone.number} is not registered")
    return places
