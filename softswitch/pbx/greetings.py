"""`*96`, and the menu of a box: its owner records, hears and removes his greeting (P7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.items import File
from softswitch.calls.call import Call
from softswitch.calls.causes import NORMAL, UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.pbx.boxes import GREETING, folder_of, own_greeting
from softswitch.pbx.dictation import dictate
from softswitch.pbx.peers import Phone
from softswitch.pbx.voice import ANY_KEY, Voice
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

LONGEST: Seconds = 60.0


async def own_greeting_code(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*96`: record the own greeting, without the way through the menus."""
    if not switch.settings.has_box(phone.number):
        raise Refused(UNKNOWN_NUMBER)
    call.leg.answer()
    await record_greeting(switch, call, phone.number)
    call.leg.hang_up(NORMAL)


async def greeting_menu(switch: Switch, call: Call, box: str) -> None:
    """`1` records, `2` plays, `3` removes."""
    voice, own = Voice(switch, call), own_greeting(switch.settings, box)
    match await voice.ask("vm-greeting-menu", end=""):
        case "1":
            await record_greeting(switch, call, box)
        case "2" if own is not None:
            await voice.say(File(str(own)), keys=ANY_KEY)
        case "2":
            await voice.say("vm-greeting-none")
        case "3":
            if own is not None:
                own.unlink(missing_ok=True)
            await voice.say("vm-greeting-removed")
        case _:
            pass


async def record_greeting(switch: Switch, call: Call, box: str) -> None:
    """Record, listen, again, keep; one that is not kept leaves the former as it was."""
    voice, folder = Voice(switch, call), folder_of(switch.settings, box)
    draft = folder / f"new-{GREETING}"
    try:
        while True:
            await voice.say("vm-record-after-tone")
            said = await dictate(switch, call.leg, draft, most=LONGEST)
            if said.error is not None:
                await voice.say("vm-not-saved")
                return
            key = await voice.ask("vm-record-menu", end="")
            while key == "2":
                await voice.say(File(str(draft)), keys=ANY_KEY)
                key = await voice.ask("vm-record-menu", end="")
            if key != "3":
                break
        if key == "1":
            draft.replace(folder / GREETING)
            await voice.say("vm-greeting-saved")
    finally:
        draft.unlink(missing_ok=True)
