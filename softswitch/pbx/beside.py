"""A number outside as one place among others, or before there is a call: a group member,
follow-me, a third party, an agent, whoever is called back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED, FORBIDDEN
from softswitch.calls.dial import Place
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx import fraud, sites
from softswitch.pbx.asking import credentials_of
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.classes import Bar, Payer, judge, payer_of
from softswitch.pbx.numbers import sent_to
from softswitch.pbx.outgoing import Dialling, free_ways
from softswitch.pbx.outside import order
from softswitch.sip.uri import SipUri

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
        return (place(switch, call, payer_of(switch.settings, call), number),)
    except Refused as refusal:
        call.record.event("not-dialled", number=number, cause=refusal.cause.word)
        return ()


def place(switch: Switch, call: Call, payer: Payer, number: str) -> Place:
    """One leg to a number outside, to be rung beside others (follow-me, groups, agents).

    Raises Refused where `payer` may not dial it or has no trunk for it now.
    """
    verdict = judge(switch.settings, payer, number)
    if verdict.bar is not Bar.OPEN:
        raise Refused(FORBIDDEN, verdict.why)
    free = free_ways(switch, payer, switch.trunks.named(payer.trunks), call)
    if not free:
        raise Refused(CONGESTED, "no trunk is free")
    fraud.check(switch, payer, verdict.destination)
    first = order(switch, payer, free)[0]
    return partial(Dialling(switch, call, payer, number).start, first, first.alive[0])


def ways_alone(
    switch: Switch, payer: Payer, number: str, line: str | None = None
) -> Iterator[Sequence[Place]]:
    """One way after another to a number outside for which no call exists yet.

    Shows `line`, the number of ours that the party called before, where the trunk lets us.
    Nothing where `payer` may not dial it or has no trunk for it now.
    """
    verdict = judge(switch.settings, payer, number)
    free = free_ways(switch, payer, switch.trunks.named(payer.trunks))
    if verdict.bar is not Bar.OPEN or not free:
        return
    fraud.check(switch, payer, verdict.destination)
    for carrier in order(switch, payer, free):
        yield (partial(_start_alone, switch, payer, number, line, carrier),)


def _start_alone(
    switch: Switch, payer: Payer, number: str, line: str | None, carrier: Carrier
) -> Leg:
    server, trunk = carrier.alive[0], carrier.trunk
    uri, country = server.uri, switch.settings.switch.country
    sent = sent_to(trunk, number, country)
    shown = trunk.caller_id if trunk.force_caller_id else line
    leg = switch.board.place(
        str(SipUri(uri.scheme, sent, uri.host, uri.port, params=uri.params)),
        server.target,
        caller=Party(shown or trunk.caller_id or trunk.username or payer.name),
        party=Party(number),
        profile=carrier.profile,
        from_host=carrier.host,
        credentials=credentials_of(trunk, switch.board.ua),
    )
    switch.trunks.seized(carrier, leg, None, payer)
    return leg
