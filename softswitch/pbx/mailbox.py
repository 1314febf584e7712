"""`*97`, `*98`: the owner of a box listens, sorts, answers, changes his pin (P7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from media.items import File, Item
from softswitch.calls.call import Call
from softswitch.calls.causes import FORBIDDEN, NORMAL, UNKNOWN_NUMBER
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.pbx import routing
from softswitch.pbx.boxes import boxes_of, folder_of
from softswitch.pbx.greetings import greeting_menu
from softswitch.pbx.peers import Phone
from softswitch.pbx.pins import change_pin, forgive, is_pin
from softswitch.pbx.voice import ANY_KEY, Voice
from softswitch.store.voicemail import VoiceMessage

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

PIN_LENGTH = 4, 8
IDLE = 3
"""How often a menu is said to one who presses nothing."""


async def own_box(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*97`: the extension's own box, and with it those that it shares; no pin from one's phone."""
    boxes = boxes_of(switch.settings, phone.number)
    if not boxes:
        raise Refused(UNKNOWN_NUMBER)
    call.leg.answer()
    forgive(switch, boxes[0])
    await Visit(switch, call, boxes).main()


async def any_box(switch: Switch, call: Call, phone: Phone, number: str) -> None:
    """`*98`: a box by its number and pin, from any phone."""
    call.leg.answer()
    voice = Voice(switch, call)
    for _ in range(switch.settings.voicemail.pin_tries):
        box = number or await voice.ask("vm-enter-mailbox", most=12)
        pin = await voice.ask("vm-enter-password", most=PIN_LENGTH[1])
        if await is_pin(switch, box, pin):
            await Visit(switch, call, (box,)).main()
            return
        call.record.event("wrong-pin", box=box)
        await voice.say("vm-wrong-password")
    await voice.say("goodbye")
    raise Refused(FORBIDDEN)


class Visit:
    """Somebody looks through his boxes; the first is the one whose greeting and pin are his."""

    def __init__(self, switch: Switch, call: Call, boxes: tuple[str, ...]) -> None:
        self._switch, self._call, self._boxes = switch, call, boxes
        self._voice = Voice(switch, call)
        self._room = switch.mailroom
        self._leaving = False

    async def main(self) -> None:
        """The main menu, until `*` or nothing more is pressed."""
        await self._tell_counts()
        idle = 0
        while idle < IDLE and not self._leaving:
            key = await self._voice.ask("vm-main-menu", end="")
            idle = 0 if key else idle + 1
            match key:
                case "1":
                    await self._listen(self._messages(new=True), "vm-no-new-messages")
                case "2":
                    await self._listen(self._messages(new=False), "vm-no-messages")
                case "3":
                    await greeting_menu(self._switch, self._call, self._boxes[0])
                case "4":
                    await self._change_pin()
                case "*":
                    break
                case "":
                    pass
                case _:
                    await self._voice.say("invalid")
        if not self._leaving:
            await self._voice.say("goodbye")
        self._call.leg.hang_up(NORMAL)

    # -- messages --------------------------------------------------------------------

    def _messages(self, *, new: bool) -> list[VoiceMessage]:
        found = [message for box in self._boxes for message in self._room.index.box(box)]
        wanted = [message for message in found if (message.heard_at is None) is new]
        return sorted(wanted, key=lambda message: message.left_at)

    async def _tell_counts(self) -> None:
        """`You have two new messages and one saved message`."""
        voice = self._voice
        counts = [
            (name, len(self._messages(new=new)))
            for name, new in (("new-message", True), ("saved-message", False))
        ]
        told = [voice.value(name, str(count)) for name, count in counts if count]
        if not told:
            await voice.say("vm-no-messages", keys=ANY_KEY)
        elif len(told) == 1:
            await voice.say("vm-you-have", told[0], keys=ANY_KEY)
        else:
            await voice.say("vm-you-have", told[0], "and", told[1], keys=ANY_KEY)

    async def _listen(self, messages: Sequence[VoiceMessage], none: str) -> None:
        """One message after the other, until `*`."""
        if not messages:
            await self._voice.say(none)
            return
        for number, message in enumerate(messages):
            last = number == len(messages) - 1
            place = "vm-first" if number == 0 else "vm-last" if last else "vm-next"
            if not await self._hear(message, place) or self._leaving:
                return
        await self._voice.say("vm-no-more")

    async def _hear(self, message: VoiceMessage, place: str) -> bool:
        """Play a message and do with it as the owner says; False: back to the main menu."""
        key = await self._play(message, place)
        idle = 0
        while idle < IDLE:
            key = key or await self._voice.ask("vm-message-menu", end="")
            idle = 0 if key else idle + 1
            match key:
                case "1":
                    key = await self._play(message, None)
                    continue
                case "2":
                    return True
                case "3":
                    self._room.delete(message)
                    await self._voice.say("vm-deleted")
                    return True
                case "4":
                    await self._voice.say("vm-saved")
                    return True
                case "5":
                    await self._forward(message)
                case "6":
                    await self._call_back(message)
                    return not self._leaving
                case "*":
                    return False
                case _ if key:
                    await self._voice.say("invalid")
            key = None
        return False

    async def _play(self, message: VoiceMessage, place: str | None) -> str | None:
        """The message with who and when; the key that cut it short.  It counts as heard."""
        if place is not None:
            key = await self._voice.say(*self._envelope(message, place), keys=ANY_KEY)
            if key is not None and key != "#":  # hash goes on to the message itself
                self._room.heard(message)
                return key
        self._room.heard(message)
        key = await self._voice.say(File(message.path), keys=ANY_KEY)
        return None if key == "#" else key

    def _envelope(self, message: VoiceMessage, place: str) -> list[str | Item]:
        """`First message. Received … From …`"""
        voice, zone = self._voice, self._switch.settings.switch.zone
        moment = dt.datetime.fromtimestamp(message.left_at, zone).replace(tzinfo=None)
        received = voice.value("datetime", moment.isoformat(timespec="minutes"))
        digits = message.caller.lstrip("+")
        caller: list[str | Item] = ["vm-unknown-caller"]
        if digits.isdecimal():
            caller = ["vm-from", voice.value("digits", message.caller)]
        return [place, "vm-received", received, *caller]

    async def _forward(self, message: VoiceMessage) -> None:
        """To the box of a colleague."""
        to = await self._voice.ask("vm-forward-to", most=12)
        if not to:
            return
        settings = self._switch.settings
        if not settings.has_box(to):
            await self._voice.say("vm-mailbox-unknown")
            return
        try:
            self._room.forward(message, to, folder_of(settings, to))
        except OSError as error:
            self._switch.alarms.raise_("voicemail", f"a message could not be forwarded: {error}")
            await self._voice.say("vm-not-saved")
            return
        self._call.record.event("forwarded-message", box=to, message=message.id)
        await self._voice.say("vm-forwarded")

    async def _call_back(self, message: VoiceMessage) -> None:
        """Call who left the message, as if it were dialled from this phone."""
        if not message.caller:
            await self._voice.say("vm-unknown-caller")
            return
        self._call.record.event("called-back", number=message.caller)
        try:
            await routing.to_number(self._switch, self._call, message.caller)
        except NotAnswered:
            await self._voice.say("no-answer")
        else:
            self._leaving = True

    # -- the pin ---------------------------------------------------------------------

    async def _change_pin(self) -> None:
        least, most = PIN_LENGTH
        first = await self._voice.ask("vm-new-password", most=most)
        if not first.isdecimal() or len(first) < least:
            await self._voice.say("invalid")
            return
        if await self._voice.ask("vm-repeat-password", most=most) != first:
            await self._voice.say("vm-passwords-differ")
            return
        await change_pin(self._switch, self._boxes[0], first)
        await self._voice.say("vm-password-changed")
