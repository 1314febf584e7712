"""In a conference: one member's keys, what is said to him alone, and whom he calls in (P14).

Keys in a room: `1` mutes oneself, `2` tells how many are there, `4` and `6` change the volume,
`*` tells the keys, `#` leaves.  A moderator has `0` (call somebody), `3` (lock), `5` (mute all),
`7` (send the last one away) and `9` (record) besides.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from config.targets import Kind
from media.items import Item, Tone
from softswitch.calls.call import Call
from softswitch.calls.causes import FORBIDDEN, NORMAL
from softswitch.calls.dial import Place, ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Asked, Digit, Ended, Event, Held, Resumed, Taken
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.rooms import LOUDER, Member, Room
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

LONGEST_NUMBER = 20
INVITE_TIME: Seconds = 30.0
NO_SUCH_KEY = Tone("error")


async def sit(switch: Switch, room: Room, member: Member, call: Call) -> None:
    """Be in the room until one hangs up, presses `#`, or is sent away."""
    seat = Seat(switch, room, member, call)
    seat.join()
    try:
        await seat.stay()
    finally:
        seat.leave()


class Seat:
    """One member's place in a room."""

    def __init__(self, switch: Switch, room: Room, member: Member, call: Call) -> None:
        self._switch, self._room, self._member, self._call = switch, room, member, call
        self._voice = Voice(switch, call, member.leg)
        self._held = False

    def join(self) -> None:
        """Raises Refused where the room cannot be reached."""
        room, member = self._room, self._member
        self._inbox = member.leg.divert()
        member.leg.digits.clear()
        self._announce("joined", "conf-joined")
        room.enter(member)
        self._call.record.event("conference", conference=room.name, moderator=member.moderator)

    def leave(self) -> None:
        self._room.leave(self._member)
        self._announce("left", "conf-left")

    async def stay(self) -> None:
        await self._greet()
        while not self._member.kicked:
            match await self._inbox.get():
                case Digit(_, key):
                    if not await self._press(key):
                        break
                case Ended() | Taken():
                    return
                case Held() | Resumed() as change:
                    self._on_hold(change)
                case Asked(_, _, respond):
                    respond(501)
                case _:
                    pass
        if self._member.kicked:
            await self._say("conf-ended" if self._is_over() else "conf-kicked")
        self._member.leg.hang_up(NORMAL)

    async def _greet(self) -> None:
        """What one who enters has to know."""
        room = self._room
        if room.is_recorded:
            self._call.record.event("recording-notice", prompt="conf-recorded")
            await self._say("conf-recorded")
        if room.is_waiting:
            await self._say("conf-wait-leader")
        elif len(room.members) == 1:
            await self._say("conf-only-person")

    def _is_over(self) -> bool:
        return all(member.kicked for member in self._room.members)

    def _on_hold(self, change: Event) -> None:
        """A phone on hold would let all others hear its own music."""
        if isinstance(change, Held) and not self._member.muted:
            self._held = True
            self._room.mute(self._member, True)
        elif isinstance(change, Resumed) and self._held:
            self._held = False
            self._room.mute(self._member, False)

    async def _say(self, *what: str | Item) -> None:
        """To this member alone, who does not hear the others meanwhile."""
        with self._room.aside(self._member):
            await self._voice.say(*what)

    def _announce(self, tone: str, prompt: str) -> None:
        """To everybody."""
        items: list[Item] = [Tone(tone)] if self._room.settings.tones else []
        if self._member.name is not None:
            told = self._switch.sounds.prompt(prompt)
            items += [self._member.name, *([told] if told else [])]
        if items:
            self._room.announce(*items)

    # -- keys ------------------------------------------------------------------------

    async def _press(self, key: str) -> bool:
        """One key; False where the member leaves."""
        room, member = self._room, self._member
        if len(member.leg.digits):
            await member.leg.digits.get()  # this key; what was typed ahead stays
        match key:
            case "#":
                return False
            case "1":
                room.mute(member, not member.muted)
                await self._say("conf-muted" if member.muted else "conf-unmuted")
            case "2":
                count = self._voice.value("person", str(len(room.members)))
                await self._say("conf-there-are", count)
            case "4":
                room.louder(member, 1 / LOUDER)
            case "6":
                room.louder(member, LOUDER)
            case "*":
                await self._say("conf-menu")
            case _ if member.moderator:
                await self._lead(key)
            case _:
                await self._say(NO_SUCH_KEY)
        return True

    async def _lead(self, key: str) -> None:
        """A moderator's keys."""
        room = self._room
        match key:
            case "3":
                room.locked = not room.locked
                await self._say("conf-locked" if room.locked else "conf-unlocked")
            case "5":
                room.mute_all(not room.all_muted)
                await self._say("conf-all-muted" if room.all_muted else "conf-all-unmuted")
            case "7":
                others = [each for each in room.members if not each.moderator]
                if others:
                    room.kick(others[-1])
            case "9" if room.is_recorded:
                room.stop_recording()
                await self._say("recording-stopped")
            case "9":
                record(self._switch, room)
            case "0":
                await self._call_somebody()
            case _:
                await self._say(NO_SUCH_KEY)

    async def _call_somebody(self) -> None:
        """Ring a number and seat whoever answers."""
        leg = self._member.leg
        with self._room.aside(self._member):
            if len(leg.digits):  # who types ahead needs no prompt
                number = await leg.collect(most=LONGEST_NUMBER)
            else:
                number = await self._voice.ask("enter-number", most=LONGEST_NUMBER)
        self._inbox = leg.divert()  # the number's keys were none of the room's
        leg.digits.clear()
        if not number:
            return
        try:
            await invite(self._switch, self._call, self._room, number)
        except (NotAnswered, Refused):
            await self._say("no-answer")


def record(switch: Switch, room: Room) -> None:
    """Tell everybody that the room is recorded from now on, and do it."""
    told = switch.sounds.prompt("conf-recorded")
    if told is not None:
        room.announce(told)
    room.record()


# -- bringing others in --------------------------------------------------------------------


async def invite(switch: Switch, call: Call, room: Room, number: str) -> None:
    """Ring `number` in the name of `call` and seat who answers; the caller goes on hearing.

    Raises NotAnswered or Refused where nobody came.
    """
    places = _places(switch, call, number)
    if not places:
        raise NotAnswered(480)
    call.record.event("invited", conference=room.name, number=number)
    leg = await ring(call, places, ring_time=INVITE_TIME, quiet=True)
    seat(switch, room, leg, dialled=number)


async def try_to_invite(switch: Switch, room: Room, number: str) -> None:
    """Invite somebody by command, in the name of whoever has been in the room longest."""
    calls = [member.leg.call for member in room.members if member.leg.call is not None]
    if not calls:
        return
    try:
        await invite(switch, calls[0], room, number)
    except (NotAnswered, Refused) as failure:
        facts = {"conference": room.name, "number": number}
        switch.tell("conference.not-joined", **facts, cause=failure.cause.word)


def _places(switch: Switch, call: Call, number: str) -> list[Place]:
    target = switch.plan.target(number)
    if target is not None and target.kind is Kind.EXTENSION:
        shown = Party(call.leg.party.number, call.leg.party.name)
        return switch.phones(number, call.leg, shown=shown)
    return list(switch.features.outside(switch, call, number, None))


def seat(switch: Switch, room: Room, leg: Leg, *, dialled: str) -> None:
    """Give an answered leg a call of its own, in the room; hung up where there is no space."""
    script = partial(_sit, switch, room, Member(leg))
    try:
        if room.is_full:
            raise Refused(FORBIDDEN, f"{room.name} is full")
        switch.begin(leg, script, caller=leg.party.number, dialled=dialled, direction="internal")
    except (Refused, JournalFullError):
        leg.hang_up(NORMAL)


async def _sit(switch: Switch, room: Room, member: Member, call: Call) -> None:
    await sit(switch, room, member, call)
