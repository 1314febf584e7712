"""REFER: a phone transfers the party it talks with (RFC 3515, RFC 3891, RFC 4488, RFC 5589).

Knows the requests and the reports by NOTIFY (RFC 3420).  What a transfer does to the call
is written in `transfer`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from softswitch.calls.causes import FORBIDDEN, UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.calls.events import Asked
from softswitch.calls.leg import Leg
from softswitch.pbx.conversation import Conversation
from softswitch.pbx.replacing import leg_of, partner_of
from softswitch.pbx.routing import dialled_number
from softswitch.pbx.transfer import give_place, hand_on, join_up
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import REASONS, Request, Response
from softswitch.sip.replaces import Replaces
from softswitch.sip.types import ParseError, Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

NO_SUCH_DIALOG = 481
JOINED: Seconds = 0.5
"""Within which one who has answered is joined to the caller."""


class Wish(NamedTuple):
    """What a REFER asks: to send the other party to `number`, or into a dialog."""

    number: str
    replaces: Replaces | None

    @classmethod
    def read(cls, request: Request) -> Wish:
        """Raises ParseError; there must be exactly one Refer-To (RFC 3515 §2.4.2)."""
        values = request.headers.values("Refer-To")
        if len(values) != 1:
            raise ParseError("not exactly one Refer-To")
        uri = NameAddr.parse(values[0]).sip_uri
        if uri.params.get("method", "INVITE").upper() != "INVITE":
            raise ParseError("only INVITE is referred to")
        return cls(dialled_number(Request("INVITE", str(uri.without()))), Replaces.of(uri))


async def refer(talk: Conversation, event: Asked) -> bool:
    """Carry out a transfer; True where the conversation is over by it."""
    by = event.leg
    try:
        wish = Wish.read(event.request)
    except ParseError as fault:
        event.respond(fault.status, fault.reason)
        return False
    if by.owner is None:
        event.respond(403)
        return False
    report = Report(by, event)
    try:
        consulted = _consulted(talk.switch, by, wish)
        if wish.replaces is not None and consulted is None:
            raise Refused(UNKNOWN_NUMBER._replace(status=NO_SUCH_DIALOG))
        if consulted is not None and talk.switch.centre.waits(consulted):
            return await give_place(talk, by, consulted, report)
        partner = await _partner(consulted) if consulted is not None else None
        if partner is not None:
            return await join_up(talk, by, partner, report)
        return await hand_on(talk, by, _number(wish, consulted), report)
    except Refused as refusal:
        report(refusal.cause.status)
        return False


def _consulted(switch: Switch, by: Leg, wish: Wish) -> Leg | None:
    """The leg of another call that `by` has with the one to whom the party shall go."""
    if wish.replaces is None:
        return None
    leg = leg_of(switch, wish.replaces)
    if leg is None or leg.call is by.call:
        return None
    if leg.owner != by.owner:
        raise Refused(FORBIDDEN, "that call is another's")
    return leg


async def _partner(consulted: Leg) -> Leg | None:
    """With whom `consulted` talks; one who has answered a moment ago is about to be joined."""
    call, loop = consulted.call, asyncio.get_running_loop()
    deadline = loop.time() + JOINED
    while (partner := partner_of(consulted)) is None and loop.time() < deadline:
        if call is None or not any(leg.answered for leg in call.legs if leg is not consulted):
            break
        await asyncio.sleep(JOINED / 10)
    return partner


def _number(wish: Wish, consulted: Leg | None) -> str:
    """Where to send the party; one who is not through yet gives up his own call there."""
    if consulted is None or consulted.call is None:
        return wish.number
    number = consulted.call.dialled or wish.number
    consulted.hang_up()
    return number


class Report:
    """Tells a phone what becomes of its transfer; the last word also ends its own leg."""

    def __init__(self, by: Leg, event: Asked) -> None:
        self._by = by
        request = event.request
        by.referrals += 1
        number = f";id={request.cseq.number}" if by.referrals > 1 else ""
        self._event = f"refer{number}"  # "MUST be included" from the second on (RFC 3515 §2.4.6)
        self._is_wanted = (request.headers.get("Refer-Sub") or "").strip().lower() != "false"
        self._last = 0
        event.respond(202, headers=() if self._is_wanted else [("Refer-Sub", "false")])
        self(100)

    def __call__(self, status: int) -> None:
        """Report a status, each once."""
        if status == self._last or self._last >= 200:
            return
        self._last = status
        if self._is_wanted:
            self._notify(status)
        elif status == 200:
            self._by.hang_up()

    def _notify(self, status: int) -> None:
        state = "active;expires=180" if status < 200 else "terminated;reason=noresource"
        self._by.send(
            "NOTIFY",
            (("Event", self._event), ("Subscription-State", state)),
            f"SIP/2.0 {status} {REASONS.get(status, '')}\r\n".encode(),
            "message/sipfrag;version=2.0",
            partial(self._heard, status),
        )

    def _heard(self, status: int, _: Response | None) -> None:
        """Who knows that his party is taken care of is let go, if he has not gone himself."""
        if status == 200:
            self._by.hang_up()
