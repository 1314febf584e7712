"""Calls to the world: may it be dialled, through which trunk, and if that fails, which next.

Knows trunks and classes.  What the number means is settled before (`number`); how a trunk
wants it written lies in `numbers` and `identity`, what a caller hears in `notices` and `override`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from config.settings import Settings
from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED, FORBIDDEN, LOOP, UNKNOWN_NUMBER, UNREACHABLE
from softswitch.calls.dial import Place, ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx import fraud
from softswitch.pbx.asking import credentials_of
from softswitch.pbx.carrier import Carrier, Server
from softswitch.pbx.classes import Bar, Payer, judge
from softswitch.pbx.extension import connect
from softswitch.pbx.identity import Identity, identity
from softswitch.pbx.notices import no_line, tell
from softswitch.pbx.numbers import sent_to
from softswitch.pbx.override import ask_pin
from softswitch.sip.callee import Callee
from softswitch.sip.caller import Caller
from softswitch.sip.types import Seconds
from softswitch.sip.uri import SipUri

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

Identify: TypeAlias = Callable[[Settings, Call, Payer, Carrier, str], Identity]
"""Whom a trunk is shown as calling a number."""

TRY_NEXT = frozenset((401, 403, 407, 408, 500, 502, 503, 504))
"""Refusals that speak of the trunk, not of the number: the next one may do better."""
UNHEARD: Seconds = 4.0
"""A server that has not even sent 100 by then is not waited for."""
MOST_HOPS = 70


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
    dialling = Dialling(switch, call, payer, dialled)
    free = dialling.free(ways)
    if not free:
        await no_line(switch, call, payer, dialled, ways)
        return
    fraud.check(switch, payer, verdict.destination)
    leg = await reach(dialling, order(switch, payer, free))
    await connect(switch, call, leg)


def order(switch: Switch, payer: Payer, carriers: Sequence[Carrier]) -> list[Carrier]:
    """The trunks that can take a call of `payer` now, as they are to be tried."""
    if payer.class_.balance == "even":
        return switch.trunks.balance.spread(carriers)
    return sorted(carriers, key=lambda carrier: carrier.trunk.priority)


async def reach(dialling: Dialling, carriers: Sequence[Carrier], *, stubborn: bool = False) -> Leg:
    """Dial through the first trunk that takes the call; the leg that was answered.

    `stubborn`: whatever a trunk answers, the next one is tried as well.
    """
    failure = NotAnswered(CONGESTED.status)
    for carrier in carriers:
        for server in carrier.alive or carrier.servers:
            try:
                return await _attempt(dialling, carrier, server)
            except NotAnswered as error:
                failure = error
                if error.status not in TRY_NEXT and not stubborn:
                    raise
                dialling.call.record.event("trunk-failed", trunk=carrier.name, status=error.status)
    raise failure


def place(switch: Switch, call: Call, payer: Payer, number: str) -> Place:
    """One leg to a number outside, to be rung beside others (follow-me, groups, agents).

    Raises Refused where `payer` may not dial it or has no trunk for it now.
    """
    verdict = judge(switch.settings, payer, number)
    if verdict.bar is not Bar.OPEN:
        raise Refused(FORBIDDEN, verdict.why)
    dialling = Dialling(switch, call, payer, number)
    free = dialling.free(switch.trunks.named(payer.trunks))
    if not free:
        raise Refused(CONGESTED, "no trunk is free")
    fraud.check(switch, payer, verdict.destination)
    first = order(switch, payer, free)[0]
    return partial(dialling.start, first, first.alive[0])


def ways_alone(
    switch: Switch, payer: Payer, number: str, line: str | None = None
) -> Iterator[Sequence[Place]]:
    """One way after another to a number outside for which no call exists yet.

    Shows `line`, the number of ours that the party called before, where the trunk lets us.
    Nothing where `payer` may not dial it or has no trunk for it now.
    """
    verdict = judge(switch.settings, payer, number)
    if verdict.bar is not Bar.OPEN:
        return
    named = switch.trunks.named(payer.trunks)
    free = [each for each in named if each.is_up and each.has_room(inbound=False)]
    for carrier in order(switch, payer, free):
        fraud.check(switch, payer, verdict.destination)
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


@dataclass(frozen=True, slots=True)
class Dialling:
    """A number that is to be dialled through some trunk."""

    switch: Switch
    call: Call
    payer: Payer
    number: str
    identify: Identify = identity

    def free(self, carriers: Sequence[Carrier]) -> list[Carrier]:
        """Those that are up and have a channel, as long as the class has a call left."""
        most, trunks = self.payer.class_.max_calls, self.switch.trunks
        if most is not None and trunks.calls_of_class(self.payer.class_name) >= most:
            return []
        room = partial(Carrier.has_room, inbound=False, call=self.call)
        return [carrier for carrier in carriers if carrier.is_up and room(carrier)]

    def start(self, carrier: Carrier, server: Server) -> Leg:
        """Send the INVITE."""
        switch, call, uri = self.switch, self.call, server.uri
        number = sent_to(carrier.trunk, self.number, switch.settings.switch.country)
        who = self.identify(switch.settings, call, self.payer, carrier, number)
        leg = switch.board.place(
            str(SipUri(uri.scheme, number, uri.host, uri.port, params=uri.params)),
            server.target,
            caller=who.caller,
            party=Party(self.number),
            profile=carrier.profile,
            prefer=call.leg.sound.codecs,
            headers=who.headers,
            from_host=who.host,
            credentials=credentials_of(carrier.trunk, switch.board.ua),
            beside=call.leg,
            max_forwards=hops_left(call),
        )
        switch.trunks.seized(carrier, leg, call, self.payer)
        call.record.event("seized", trunk=carrier.name, number=number, server=uri.host)
        if call.leg.owner is not None:
            call.record.learn(direction="outbound", trunk=carrier.name)
        return leg


async def _attempt(dialling: Dialling, carrier: Carrier, server: Server) -> Leg:
    """One INVITE through one server of one trunk."""
    switch, call = dialling.switch, dialling.call
    started: list[Leg] = []
    silent = False

    def start() -> Leg:
        started.append(dialling.start(carrier, server))
        return started[0]

    def give_up() -> None:
        nonlocal silent
        if _is_unheard(started[0]):
            silent = True
            started[0].hang_up(UNREACHABLE)

    timer = asyncio.get_running_loop().call_later(UNHEARD, give_up)
    patience, early = switch.settings.sip.timers.ring, carrier.trunk.early_media
    try:
        return await ring(call, [start], ring_time=patience, early=early)
    except NotAnswered as error:
        if silent or (error.status in (408, 503) and started[0].times.rang is None):
            switch.trunks.doubt(carrier)
        if silent:
            raise NotAnswered(408, "No Response") from error
        raise
    finally:
        timer.cancel()


def hops_left(call: Call) -> int:
    """Max-Forwards of a leg that goes out; Refused where the call has gone round long enough."""
    session = call.leg.session
    had = session.request.max_forwards if isinstance(session, Callee) else None
    left = MOST_HOPS if had is None else min(had, MOST_HOPS) - 1
    if left <= 0:
        raise Refused(LOOP, "Max-Forwards is used up")
    return left


def _is_unheard(leg: Leg) -> bool:
    return not leg.ended and isinstance(leg.session, Caller) and leg.session.is_unheard
