"""What may be done to a call from outside it: hand a party on, record.

A command reaches the conversation as an event, so that it comes in order with what the parties
themselves do.  Raises CommandError, with a sentence, before anything has changed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.errors import Refused
from softswitch.calls.events import Commanded
from softswitch.calls.leg import Leg
from softswitch.pbx.transfer import check, follow_by_ear, hand_on
from softswitch.sip.types import SwitchError

if TYPE_CHECKING:
    from softswitch.pbx.conversation import Conversation
    from softswitch.pbx.switch import Switch


class CommandError(SwitchError):
    """The command makes no sense as things are; the text is a sentence."""


def transfer(switch: Switch, call: Call, to: str, by: str | None = None) -> str:
    """Hand the party that extension `by` talks with on to `to`; whose party it was.

    Without `by` it is the one who was called, else the one who calls.
    """
    leg = _ours(call, by)
    guest = next((other for other in call.legs if other is not leg), leg)
    try:
        check(switch, leg, guest, to)
    except Refused as refusal:
        raise CommandError(str(refusal)) from refusal
    leg.notify(Commanded(leg, partial(_hand_on, to)))
    return leg.owner or ""


def record(switch: Switch, call: Call, verb: str) -> None:
    """`start`, `stop`, `pause` or `resume` the recording of a conversation."""
    leg, tape = _ours(call, None), switch.recordings.tape(call)
    if verb == "start":
        if tape.why:
            raise CommandError(f"call {call.id} is recorded already ({tape.why})")
        leg.notify(Commanded(leg, _demand))
    elif verb == "stop":
        if not tape.why.startswith("demand:"):
            raise CommandError(f"call {call.id} is not recorded on demand; pause it")
        leg.notify(Commanded(leg, _demand))
    elif not switch.recordings.pause(call, verb == "pause"):
        raise CommandError(f"call {call.id} is not being recorded")


def _ours(call: Call, by: str | None) -> Leg:
    """The party of ours in a conversation of two."""
    talking = [leg for leg in call.legs if leg.answered and leg.is_replaceable and not leg.ended]
    found = [leg for leg in reversed(talking) if leg.owner is not None and by in (None, leg.owner)]
    if len(talking) != 2 or not found:
        whose = f" of {by}" if by else ""
        raise CommandError(f"call {call.id} is no conversation{whose} now")
    return found[0]


async def _hand_on(to: str, talk: Conversation, by: Leg) -> bool:
    try:
        return await hand_on(talk, by, to, partial(follow_by_ear, by))
    except Refused as refusal:
        talk.call.record.event("transfer-refused", to=to, cause=refusal.cause.word)
        return False


async def _demand(talk: Conversation, by: Leg) -> bool:
    await talk.switch.recordings.demand(talk, by.owner or "")
    return False
