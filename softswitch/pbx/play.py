"""`play:PROMPT` and `hangup:CAUSE`: say something on the way; end the call with a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.targets import HANGUPS, Target
from softswitch.calls.call import Call
from softswitch.calls.causes import NORMAL, Cause, cause_of
from softswitch.calls.errors import Refused
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


async def play(switch: Switch, call: Call, target: Target) -> None:
    """Answer and say it; `serve` then goes on to the next target of the list."""
    call.leg.answer()
    await Voice(switch, call).say(target.name)


async def hangup(switch: Switch, call: Call, target: Target) -> None:
    """Refuse the call so, or end it where it was answered already."""
    raise Refused(cause_named(target.name))


def cause_named(name: str) -> Cause:
    """What `hangup:NAME` says to the caller and writes into the record."""
    if name == NORMAL.word:
        return NORMAL
    status = HANGUPS[name]
    return cause_of(status)._replace(word=name, status=status)
