"""Legs that outlive the process: what is written of one, and whether its party is still there.

The phone of an answered call has its dialog and knows nothing of our end; asked by a re-INVITE
after the restart, it is there or is not.  One that waits for our answer still waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from softswitch.calls.causes import UNREACHABLE
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.calls.profile import Profile
from softswitch.pbx.peers import profile
from softswitch.sdp import SdpError
from softswitch.sip import events as sip
from softswitch.sip.callee import Callee
from softswitch.sip.resumed import SKIPPED, written, written_invite
from softswitch.sip.types import Seconds, SwitchError

if TYPE_CHECKING:
    from softswitch.calls.call import Call
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("dialogs")

PATIENCE: Seconds = 6.0
"""How long a phone may take to answer after the restart."""
RINGS: Seconds = 180.0
"""How long a caller who is not answered goes on waiting, at most (RFC 3261 §16.6, timer C)."""


def leg_facts(switch: Switch, leg: Leg) -> dict[str, Any] | None:
    """What JSON can hold of a leg that was answered, or waits for our answer; else None."""
    if leg.answered:
        dialog, session = "session", written(leg.session)
    elif isinstance(leg.session, Callee):
        dialog, session = "invite", written_invite(leg.session)
    else:
        return None
    return {
        "id": leg.id,
        dialog: session,
        "address": leg.sound.address,
        "codec": leg.codec.name if leg.codec is not None else None,
        "owner": leg.owner,
        "trunk": _trunk_of(switch, leg),
        "party": leg.party,
        "began": leg.times.began,
    }


def call_facts(call: Call) -> dict[str, Any]:
    """What the call knew, for the one that goes on with its legs."""
    return {
        "dialled": call.dialled,
        "line": call.line,
        "language": call.language,
        "fields": call.fields,
        "tags": call.tags,
    }


def restore_call(call: Call, facts: Mapping[str, Any]) -> None:
    call.line, call.language = facts["line"], facts["language"]
    call.fields, call.tags = dict(facts["fields"]), tuple(facts["tags"])


def told_of(leg: Leg, facts: Mapping[str, Any]) -> dict[str, Any]:
    """With what the record of the call that goes on begins."""
    return {
        "caller": leg.party.number,
        "caller_name": leg.party.name,
        "dialled": facts["dialled"],
        "direction": "internal" if leg.owner is not None else "inbound",
        "line": facts["line"],
    }


def skip_numbers(facts: dict[str, Any]) -> dict[str, Any]:
    """The same leg, for a next restart before this one has found it: CSeq must go on rising."""
    if "session" not in facts:
        return facts
    ours, theirs = facts["session"]["numbers"]
    return facts | {"session": facts["session"] | {"numbers": [ours + SKIPPED, theirs]}}


async def found(
    switch: Switch, facts: Mapping[str, Any], known_as: str | None = None
) -> Leg | None:
    """The leg that `leg_facts` were of, if the phone is still in the dialog.

    It goes by a new id, or by `known_as`.
    """
    try:
        leg = _leg(switch, facts)
    except (SwitchError, SdpError, KeyError, TypeError, ValueError) as fault:
        log.warning("a leg cannot be taken up", why=str(fault))
        return None
    leg.id, leg.owner, leg.times.began = known_as or leg.id, facts["owner"], facts["began"]
    if not leg.answered or await _answers(leg, facts["codec"]):
        switch.board.on_leg(leg)
        return leg
    leg.hang_up(UNREACHABLE)
    return None


def _leg(switch: Switch, facts: Mapping[str, Any]) -> Leg:
    manner, party = _profile(switch, facts), Party(*facts["party"])
    if "session" in facts:
        return switch.board.resume(facts["session"], facts["address"], manner, party)
    if time.time() - facts["began"] > RINGS:
        raise ValueError("it has rung for too long, so nobody waits there any more")
    return switch.board.ring_on(facts["invite"], manner, party)


def use_channel(switch: Switch, leg: Leg, facts: Mapping[str, Any], call: Call) -> None:
    """A leg of a trunk goes on using one of its channels."""
    if (carrier := switch.trunks.get(facts["trunk"] or "")) is not None:
        carrier.take(leg, call)


def _trunk_of(switch: Switch, leg: Leg) -> str | None:
    if leg.owner is not None:
        return None
    return next((c.name for c in switch.trunks if leg in c.inbound or leg in c.outbound), None)


def _profile(switch: Switch, facts: Mapping[str, Any]) -> Profile:
    settings = switch.settings
    if facts["owner"] is not None:
        person = settings.extensions[facts["owner"]]
        return profile(person.codecs, person.dtmf, person.srtp, settings.media)
    carrier = switch.trunks.get(facts["trunk"] or "")
    if carrier is None:
        raise KeyError(f"trunk {facts['trunk']} is gone")
    return carrier.profile


async def _answers(leg: Leg, codec: str | None) -> bool:
    """Ask the phone by a re-INVITE whether it is there; its sound flows again if it is."""
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def hear(event: sip.Event) -> None:
        leg.on_sip(event)
        if not told.done() and isinstance(event, sip.OfferAnswered | sip.OfferRefused | sip.Ended):
            told.set_result(isinstance(event, sip.OfferAnswered) and not leg.ended)

    leg.session.on_event = hear
    before = tuple(each for each in leg.profile.codecs if each.name == codec)
    try:
        leg.session.offer(leg.sound.offer(before))
        async with asyncio.timeout(PATIENCE):
            return await told
    except (TimeoutError, Refused):  # or there is no port for his sound
        return False
