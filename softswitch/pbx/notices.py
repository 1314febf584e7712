"""What callers hear whose call cannot go out: why not, and whether to wait for a line (P32)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED
from softswitch.calls.errors import Refused
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.classes import Payer
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


async def tell(switch: Switch, call: Call, prompt: str) -> None:
    """Play a notice before the answer, where the caller can hear one."""
    items = await Voice(switch, call).items(prompt)
    if items:
        call.leg.open_early()
        await call.leg.play(*items)


async def no_line(
    switch: Switch, call: Call, payer: Payer, dialled: str, ways: Sequence[Carrier]
) -> None:
    """All trunks are busy or down: offer to ring back once one is free, else refuse."""
    may_wait = payer.class_.camp_on and call.leg.owner == payer.name
    if not (may_wait and any(carrier.trunk.camp_on and carrier.is_up for carrier in ways)):
        await tell(switch, call, "lines-busy")
        raise Refused(CONGESTED, "no trunk is free")
    call.leg.answer()
    voice = Voice(switch, call)
    if await voice.ask("lines-busy", "callback-offer") != "1":
        raise Refused(CONGESTED, "no trunk is free, and the caller did not want to wait")
    switch.recalls.camp_on(payer.name, dialled)
    call.record.event("camped-on", number=dialled)
    await voice.say("callback-accepted")
