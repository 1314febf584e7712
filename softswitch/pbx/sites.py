"""Other switches of ours, dialled as if they were this one (N1, N2).

A site's numbers have a prefix and a length; its trunk carries number and name of the caller
as they are, and the id under which both switches keep the call.  While the link is down its
numbers take the fallback of the settings, and everything else goes on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from config.settings import Settings
from config.trunks import Site
from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED
from softswitch.calls.dial import Place
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.party import Party
from softswitch.calls.switchboard import name_addr
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.classes import Payer, payer_of
from softswitch.pbx.extension import connect
from softswitch.pbx.identity import Identity
from softswitch.pbx.outgoing import TRY_NEXT, Dialling, reach
from softswitch.pbx.targets import serve
from softswitch.sip.callee import Callee
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
    try:
        carrier = _link(switch, call, site)
        if carrier is None:
            raise NotAnswered(503, "Link Down")
        leg = await reach(_dialling(switch, call, site, dialled), [carrier])
    except NotAnswered as failure:
        if failure.status not in TRY_NEXT or not site.fallback:
            raise
        call.record.event("site-down", number=dialled, status=failure.status)
        await serve(switch, call, site.fallback)
    else:
        await connect(switch, call, leg)


def place(switch: Switch, call: Call, site: Site, dialled: str) -> Place:
    """One leg to an extension of another site, to be rung beside others.

    Raises Refused while the link is down or full.
    """
    carrier = _link(switch, call, site)
    if carrier is None:
        raise Refused(CONGESTED, f"the link to {dialled} is down")
    return partial(_dialling(switch, call, site, dialled).start, carrier, carrier.alive[0])


def _link(switch: Switch, call: Call, site: Site) -> Carrier | None:
    """The trunk to the site, while it can take a call."""
    carrier = switch.trunks.get(site.trunk)
    able = carrier is not None and carrier.is_up and carrier.has_room(inbound=False, call=call)
    return carrier if able else None


def _dialling(switch: Switch, call: Call, site: Site, dialled: str) -> Dialling:
    number = dialled[len(site.prefix) :] if site.strip else dialled
    return Dialling(switch, call, payer_of(switch.settings, call), number, identity_to_site)


async def from_site(switch: Switch, trunk: str, dialled: str, call: Call) -> bool:
    """Serve a call that came by the link `trunk`; False where `dialled` is no number of the plan.

    It reaches our own places and, through us, those of other sites, but never the world.
    """
    settings, session = switch.settings, call.leg.session
    assert isinstance(session, Callee)  # a call that came in
    if (chain := chain_of(session.request)) is not None:
        call.fields[CHAIN] = chain
        call.record.learn(chain=chain)
    call.leg.party = shown_by(settings, trunk, call.leg.party)
    call.record.learn(caller=call.leg.party.number)
    if (inside := switch.plan.target(dialled)) is not None:
        call.record.learn(route=str(inside))
        await serve(switch, call, (inside,))
        return True
    site = of_number(settings, dialled)
    if site is not None and site.trunk != trunk:
        await call_site(switch, call, site, dialled)
        return True
    return False


def shown_by(settings: Settings, trunk: str, caller: Party) -> Party:
    """A caller from another site under the number by which he is called back from here."""
    for site in settings.sites.values():
        short = len(caller.number) == site.digits - len(site.prefix)
        if site.trunk == trunk and site.strip and short:
            return Party(site.prefix + caller.number, caller.name)
    return caller


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
