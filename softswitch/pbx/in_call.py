"""Keys and requests in mid-call: which feature they ask for.

Knows who may press codes.  What they do is written in the features, by name.
"""

from __future__ import annotations

import asyncio

from softswitch.calls.events import Asked, Commanded, Digit
from softswitch.pbx.conversation import Conversation
from softswitch.pbx.key_codes import KeyCodes
from softswitch.pbx.refer import refer


async def during_talk(talk: Conversation, event: Asked | Digit | Commanded) -> bool:
    """Do what a party wants; True where the conversation is over by it."""
    if isinstance(event, Digit):
        return await _pressed(talk, event)
    if isinstance(event, Commanded):
        return await event.do(talk, event.leg)
    if event.request.method == "REFER":
        return await refer(talk, event)
    event.respond(501)
    return False


async def _pressed(talk: Conversation, event: Digit) -> bool:
    switch, leg = talk.switch, event.leg
    if leg.owner is None and not switch.settings.in_call.outside:
        return False
    keys = talk.keys.get(leg)
    if keys is None:
        keys = talk.keys[leg] = KeyCodes(switch.settings.in_call)
    name = keys.press(event.digit, asyncio.get_running_loop().time())
    if name is None:
        return False
    leg.digits.clear()
    feature = switch.features.in_call.get(name)
    return feature is not None and await feature(talk, leg)
