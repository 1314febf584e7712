"""Other switches of ours, dialled as if they were this one (N1, N2).

A site's numbers have a prefix and a length; its trunk carries number and name of the caller
as they are, and the id under which both switches keep the call.  While the link is down its
numbers take the fallback of the settings, and everything else goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.settings import Settings
from config.trunks import Site
from softswitch.calls.call import Call
from softswitch.calls.errors import NotAnswered
from softswitch.calls.party import Party
from softswitch.calls.switchboard import name_addr
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.classes import Payer, payer_of
from softswitch.pbx.extension import connect
from softswitch.pbx.identity import Identity
from softswitch.pbx.outside import TRY_NEXT, Dialling, reach
from softswitch.pbx.targets import serve
from softswitch.sip.message import Request

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

CHAIN = "X-Call-Chain"
"""The id of a call's first record, told from switch to switch."""


def of_number(settings: Settings, number: str) -> Site | None:
    """The site among whose numbers this one lies."""
    for site in settings.sites.values():
        if len(number) == site.digits and number.startswith(site.prefix):
            return site
    return None


def is_link(settings: Settings, trunk: str) -> bool:
    """Whether a trunk leads to a site of ours."""
    return any(site.trunk == trunk for site in settings.sites.values())


async def call_site(switch: Switch, call: Call, site: Site, dialled: str) -> None:
    """Connect the caller with an extension of another site."""
    chain = call.fields.setdefault(CHAIN, call.id)
    call.record.learn(chain=chain)
    carrier = switch.trunks.get(site.trunk)
    number = dialled[len(site.prefix) :] if site.strip else dialled
    try:
        if carrier is None or not carrier.is_up or not carrier.has_room(inbound=False, call=call):
            raise NotAnswered(503, "Link Down")
        payer = payer_of(switch.settings, call)
        leg = await reach(Dialling(switch, call, payer, number, identity_to_site), [carrier])
    except NotAnswered as failure:
        if failure.status not in TRY_NEXT or not site.fallback:
            raise
        call.record.event("site-down", number=dialled, status=failure.status)
        await serve(switch, call, site.fallback)
    else:
        await connect(switch, call, leg)


def identity_to_site(
    settings: Settings, call: Call, payer: Payer, carrier: Carrier, dialled: str
) -> Identity:
    """Number and name as they are, and the chain's id."""
    caller = Party(call.leg.party.number, call.leg.party.name)
    asserted = ("P-Asserted-Identity", name_addr(caller, carrier.host))
    return Identity(caller, carrier.host, [asserted, (CHAIN, call.fields.get(CHAIN, call.id))])


def chain_of(request: Request) -> str | None:
    """The id that a linked switch tells of."""
    text = request.headers.get(CHAIN)
    return text[:64] if text else None
