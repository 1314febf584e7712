"""A number outside as one place among others: a group member, follow-me, a third party."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.dial import Place
from softswitch.calls.errors import Refused
from softswitch.calls.party import Party
from softswitch.pbx import outside, sites
from softswitch.pbx.classes import payer_of

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


def one_outside(switch: Switch, call: Call, number: str, _: Party | None) -> Sequence[Place]:
    """The way there in the name of whoever pays; none where he may not, or no trunk is free.

    What a trunk shows as the caller is its own affair.
    """
    site = sites.of_number(switch.settings, number)
    try:
        if site is not None:
            return (sites.place(switch, call, site, number),)
        return (outside.place(switch, call, payer_of(switch.settings, call), number),)
    except Refused as refusal:
        call.record.event("not-dialled", number=number, cause=refusal.cause.word)
        return ()
