"""`number:…`: whatever a number means: a place inside, another site, help, or the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.targets import Target
from softswitch.calls.call import Call
from softswitch.pbx import emergency, sites
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
    else:
        await outside(switch, call, payer_of(switch.settings, call), dialled)
