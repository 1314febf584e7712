"""`number:…`: whatever a number means: a place inside, help, another site, a line, the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.targets import Target
from softswitch.calls.call import Call
from softswitch.pbx import emergency, inbound, sites
from softswitch.pbx.classes import payer_of
from softswitch.pbx.outside import outside
from softswitch.pbx.targets import serve

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


async def number(switch: Switch, call: Call, target: Target) -> None:
    """Connect the caller with what a number reaches; raises NotAnswered or Refused."""
    dialled = target.name
    inside = switch.plan.target(dialled)
    if inside is not None:
        await serve(switch, call, (inside,))
    elif dialled in switch.settings.emergency.numbers:
        await emergency.call_help(switch, call, dialled)
    elif (site := sites.of_number(switch.settings, dialled)) is not None:
        await sites.call_site(switch, call, site, dialled)
    elif (line := switch.plan.line(dialled)) is not None:  # ours: no provider is paid for it
        await inbound.to_line(switch, call, line)
    else:
        await outside(switch, call, payer_of(switch.settings, call), dialled)
