"""`voicemail:BOX`: greet the caller and take a message (P7, I8)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from config.targets import Kind, Target
from config.voicemail import VoicemailTable
from media.items import File, Item
from softswitch.calls.call import Call
from softswitch.calls.causes import NORMAL, UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.pbx.boxes import BoxView, box_view, folder_of, own_greeting
from softswitch.pbx.dictation import Dictation, dictate
from softswitch.pbx.peers import Phone
from softswitch.pbx.targets import one, serve
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds
from softswitch.store.voicemail import VoiceMessage

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("voicemail")

OPERATOR, SKIP = "0", "#"
LONGEST = 12
"""Digits of a box's number."""
TRIES = 2
"""How often a caller may say something too short."""
TIDY_EVERY: Seconds = 3600.0


async def voicemail(switch: Switch, call: Call, target: Target) -> None:
    """Answer, greet, record; what was said is kept even if the caller just hangs up."""
    box = box_view(switch.settings, target.name)
    if box is None:
        raise Refused(UNKNOWN_NUMBER)
    call.leg.answer()
    call.language = call.language or box.language
    voice = Voice(switch, call)
    if _is_full(switch, box):
        call.record.event("mailbox-full", box=box.number)
        await voice.say("vm-mailbox-full", "goodbye")
        return
    keys = SKIP + (OPERATOR if box.operator else "")
    greeting = await _greeting(switch, voice, box)
    if await call.leg.play(*greeting, keys=keys) == OPERATOR and box.operator:
        await serve(switch, call, one(Kind.EXTENSION, box.operator))
        return
    await _take(switch, call, voice, box)
    call.leg.hang_up(NORMAL)


async def leave_message(switch: Switch, call: Call, phone: Phone, number: str) -> None:
    """`*99102`: straight to the box of 102, asked for where only the code was dialled."""
    if not number:
        call.leg.answer()
        number = await Voice(switch, call).ask("vm-enter-mailbox", most=LONGEST)
    await serve(switch, call, one(Kind.VOICEMAIL, number))


async def _take(switch: Switch, call: Call, voice: Voice, box: BoxView) -> None:
    """Record the message; one that is too short is asked for once more."""
    for _ in range(TRIES):
        said = await _record(switch, call, box)
        if said.error is not None:
            await voice.say("vm-not-saved")
            return
        if said.key == OPERATOR and box.operator:
            await serve(switch, call, one(Kind.EXTENSION, box.operator))
            return
        if said.seconds >= least_length(switch.settings.voicemail, said):
            await voice.say("vm-sent", "goodbye")
            return
        await voice.say("vm-too-short")


async def _record(switch: Switch, call: Call, box: BoxView) -> Dictation:
    rules = switch.settings.voicemail
    folder = folder_of(switch.settings, box.number)
    draft = switch.mailroom.begin(box.number, folder, call.leg.party, call.id)
    call.record.learn(voicemail=box.number)
    call.record.event("message", box=box.number, message=draft.id)
    return await dictate(
        switch,
        call.leg,
        folder / f"{draft.id}.wav",
        most=rules.max_length,
        silence=rules.silence,
        on_closed=partial(_closed, switch, draft),
    )


def _closed(switch: Switch, draft: VoiceMessage, said: Dictation) -> None:
    if said.error is not None:
        switch.alarms.raise_("voicemail", f"a message in box {draft.box} is torn: {said.error}")
    least = least_length(switch.settings.voicemail, said)
    switch.mailroom.finish(draft, said.seconds, least)


def least_length(rules: VoicemailTable, said: Dictation) -> Seconds:
    """What a message must last to be one: the silence that ended it does not count."""
    return rules.min_length + (rules.silence if said.silent else 0.0)


async def _greeting(switch: Switch, voice: Voice, box: BoxView) -> list[Item]:
    """The owner's own words, else those of the settings."""
    own = own_greeting(switch.settings, box.number)
    if own is not None:
        return [File(str(own))]
    return await voice.items(box.greeting)


def _is_full(switch: Switch, box: BoxView) -> bool:
    counts = switch.mailroom.index.counts(box.number)
    return counts.new + counts.old >= box.limit


async def keep_boxes(switch: Switch) -> None:
    """Put torn recordings into their boxes at start; delete old messages from time to time."""
    found = switch.mailroom.recover(switch.settings.voicemail.min_length)
    if found:
        log.info("messages recovered", messages=found)
    while True:
        switch.mailroom.tidy(switch.settings.voicemail.keep_days)
        await asyncio.sleep(TIDY_EVERY)
