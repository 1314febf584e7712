"""One call in place of another: who is meant by a Replaces header, and taking that place
(RFC 3891).

A lamp key that picks a call up, and a phone that goes on with a call of its extension, both
send an INVITE with Replaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import Cause
from softswitch.calls.errors import Refused
from softswitch.calls.events import Replaced
from softswitch.calls.leg import Leg
from softswitch.sip.replaces import Replaces

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

GONE = Cause("no-such-dialog", 481, 127)
BUSY_NOW = Cause("answered-already", 486, 17)
NOT_NOW = Cause("not-replaceable", 603, 21)
NOT_HIS = Cause("forbidden", 403, 21)


def leg_of(switch: Switch, replaces: Replaces) -> Leg | None:
    """The leg whose dialog is meant.

    In a REFER `to_tag` is ours; those who learnt a dialog from its presence (RFC 4235) turn
    the tags round, since they speak to the phone.
    """
    ua, (call_id, to_tag, from_tag, _) = switch.board.ua, replaces
    for ours, theirs in ((to_tag, from_tag), (from_tag, to_tag)):
        session = ua.find_session(call_id, ours, theirs)
        if session is not None:
            legs = (leg for call in switch.calls.values() for leg in call.legs)
            return next((leg for leg in legs if leg.session is session), None)
    return None


def partner_of(leg: Leg) -> Leg | None:
    """With whom this leg talks, if it does, and with nobody else.

    One who has answered a moment ago and is not joined to the caller yet talks with nobody.
    """
    if leg.call is None or not leg.answered:
        return None
    others = [other for other in leg.call.legs if other is not leg and not other.ended]
    if len(others) == 1 and others[0].answered and leg.is_read_with(others[0]):
        return others[0]
    return None


async def replace(switch: Switch, replaces: Replaces, call: Call) -> None:
    """The served party takes the place of another: rings no more there, talks here."""
    leg, by = leg_of(switch, replaces), call.leg
    if leg is None or leg.call is None or leg.call is call:
        raise Refused(GONE)
    if not leg.is_replaceable:
        raise Refused(NOT_NOW)
    if leg.answered and replaces.early_only:
        raise Refused(BUSY_NOW)
    if leg.answered and leg.owner != by.owner:
        raise Refused(NOT_HIS)
    put_in_place(call, leg)


def put_in_place(call: Call, of: Leg) -> None:
    """Answer the served party of `call` instead of `of`, and give it to the call of that one.

    `call` has nothing to do afterwards.
    """
    by, other = call.leg, of.call
    assert other is not None
    by.answer(prefer=other.leg.codec)
    call.record.event("picked-up", leg=of.id, call=other.id)
    other.add(by)
    other.record.event("picked-up", by=by.party.number)
    of.notify(Replaced(of, by))
