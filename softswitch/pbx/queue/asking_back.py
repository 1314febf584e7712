"""A caller asks by keys to be called back, and keeps his place; his turn may come meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.actions import Refused
from acd.events import CallbackRequested
from acd.types import Seconds
from media.items import Item
from softswitch.calls.events import Digit

if TYPE_CHECKING:
    from softswitch.pbx.queue.caller import Caller

CALLBACK = "1"
"""The key that takes up the offer of a callback, where no setting names one."""
YES, OTHER_NUMBER = "1", "2"
FIRST_KEY: Seconds = 20.0
"""From a question's beginning to the first key of the answer."""
GAP: Seconds = 4.0
DIGITS = 20
"""Of a number, at most."""


async def ask_back(caller: Caller) -> None:
    """Agree on the number with `caller`, and have the engine promise to call it.

    Raises `Turned` where that, or an agent, ends the waiting.
    """
    number = caller.number
    if not number:
        number = await _other_number(caller)
    while number:
        spoken = caller.hearing.voice.value("digits", number)
        key = await _answer(caller, "callback-number", spoken, "callback-confirm")
        if key == YES:
            if not _promise(caller, number):
                caller.hearing.say("callback-refused")
            return
        number = await _other_number(caller) if key == OTHER_NUMBER else ""


async def _other_number(caller: Caller) -> str:
    return await _answer(caller, "callback-enter-number", most=DIGITS)


def _promise(caller: Caller, number: str) -> bool:
    """Whether we may call there, and the engine takes it."""
    callbacks = caller.centre.callbacks
    if not callbacks.may_call(caller.queue, number):
        return False
    callbacks.promises.give(caller.call, caller.id)
    answer = caller.centre.tell(CallbackRequested(caller.id, number))
    return not any(isinstance(action, Refused) for action in answer)


async def _answer(caller: Caller, *question: str | Item, most: int = 1) -> str:
    """Keys pressed in answer to a question; "" if none came."""
    caller.hearing.hush()
    caller.hearing.say(*question)
    keys = ""
    while len(keys) < most:
        try:
            event = await caller.next(GAP if keys else FIRST_KEY)
        except TimeoutError:
            break
        if isinstance(event, Digit):
            if event.digit == "#":
                break
            keys += event.digit
    caller.hearing.hush()
    return keys
