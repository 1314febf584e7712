"""A number on its way out: one INVITE through one server of one trunk, the next where that fails.

How a trunk wants the number written lies in `numbers`, who it is shown as calling in `identity`;
who may dial what is settled before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from config.settings import Settings
from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED, LOOP, UNREACHABLE
from softswitch.calls.dial import ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.asking import credentials_of
from softswitch.pbx.carrier import Carrier, Server
from softswitch.pbx.classes import Payer
from softswitch.pbx.identity import Identity, identity
from softswitch.pbx.numbers import sent_to
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


@dataclass(frozen=True, slots=True)
class Dialling:
    """A number that is to be dialled through some trunk."""

    switch: Switch
    call: Call
    payer: Payer
    number: str
    identify: Identify = identity

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


def free_ways(
    switch: Switch, payer: Payer, carriers: Sequence[Carrier], call: Call | None = None
) -> list[Carrier]:
    """Those that are up and have a channel, as long as the class of `payer` has a call left.

    What was promised to `call` is free for it.
    """
    most = payer.class_.max_calls
    if most is not None and switch.trunks.calls_of_class(payer.class_name) >= most:
        return []
    room = partial(Carrier.has_room, inbound=False, call=call)
    return [carrier for carrier in carriers if carrier.is_up and room(carrier)]


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
