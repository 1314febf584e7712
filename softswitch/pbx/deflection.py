"""A phone that answers by 302 sends the call on, in the name of its extension (RFC 3261 §8.1.3.4).

Of a contact only the number counts: phones write their own idea of our host behind it.
Knows where numbers lead.  Refuses to know how a call is forwarded that nobody can ring for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from config.targets import Kind, Target, Targets
from softswitch.calls.call import Call
from softswitch.calls.dial import Place, Redirect
from softswitch.calls.leg import Leg
from softswitch.pbx.numbers import as_dialled
from softswitch.pbx.reach import at_home, places
from softswitch.sip.types import ParseError, SwitchError
from softswitch.sip.uri import SipUri

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

RUNG = frozenset((Kind.EXTENSION, Kind.GROUP, Kind.NUMBER))


class Deflected(SwitchError):  # noqa: N818 - a wish, no fault
    """A phone points to what serves calls and cannot be rung: a queue, a menu, a room."""

    def __init__(self, targets: Targets) -> None:
        super().__init__(", ".join(map(str, targets)))
        self.targets = targets


def redirect(switch: Switch, call: Call, number: str) -> Redirect:
    """How a 302 of a phone of extension `number` is followed, within the bound of forwards.

    What can be rung is rung beside the extension's other phones; else Deflected is raised.
    """

    async def follow(leg: Leg, contacts: Sequence[str]) -> Sequence[Place]:
        call.record.event("redirected", leg=leg.id, to=contacts)
        targets = tuple(
            at_home(switch, Target(Kind.NUMBER, wanted))
            for contact in contacts
            if (wanted := _number_of(contact))
        )
        rung = [target for target in targets if target.kind in RUNG]
        if targets and not rung:
            raise Deflected(targets)
        call.hops += 1
        if call.hops > switch.settings.limits.forwards:
            return ()
        call.diverted(number, "deflection")
        return [place for target in rung for place in places(switch, call, target)]

    return follow


def _number_of(contact: str) -> str:
    try:
        return as_dialled(SipUri.parse(contact).user or "")
    except ParseError:  # a mail address, a web page
        return ""
