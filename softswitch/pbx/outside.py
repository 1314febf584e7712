"""`number:…` of the world: may it be dialled, and through which trunks.

Knows trunks and classes.  What the number means is settled before (`number`); how it is dialled
lies in `outgoing`, what a caller hears in `notices` and `override`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import FORBIDDEN, UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.pbx import fraud
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.classes import Bar, Payer, judge
from softswitch.pbx.extension import connect
from softswitch.pbx.notices import no_line, tell
from softswitch.pbx.outgoing import Dialling, free_ways, reach
from softswitch.pbx.override import ask_pin

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


async def outside(switch: Switch, call: Call, payer: Payer, dialled: str) -> None:
    """Connect the caller with a number outside, in the name of `payer`."""
    if not switch.settings.trunks:  # then there is no outside, and the number is nobody's
        raise Refused(UNKNOWN_NUMBER)
    verdict = judge(switch.settings, payer, dialled)
    call.record.event("class", by=payer.name, destination=verdict.destination, why=verdict.why)
    if verdict.bar is Bar.BY_PIN:
        await ask_pin(switch, call, payer)
    elif verdict.bar is Bar.SHUT:
        await tell(switch, call, payer.class_.barred_notice or "barred")
        raise Refused(FORBIDDEN, verdict.why)
    ways = switch.trunks.named(payer.trunks)
    if not ways:
        await tell(switch, call, payer.class_.barred_notice or "barred")
        raise Refused(FORBIDDEN, f"{payer.name} may seize no trunk")
    free = free_ways(switch, payer, ways, call)
    if not free:
        await no_line(switch, call, payer, dialled, ways)
        return
    fraud.check(switch, payer, verdict.destination)
    dialling = Dialling(switch, call, payer, dialled)
    leg = await reach(dialling, order(switch, payer, free))
    await connect(switch, call, leg)


def order(switch: Switch, payer: Payer, carriers: Sequence[Carrier]) -> list[Carrier]:
    """The trunks that can take a call of `payer` now, as they are to be tried."""
    if payer.class_.balance == "even":
        return switch.trunks.balance.spread(carriers)
    return sorted(carriers, key=lambda carrier: carrier.trunk.priority)
