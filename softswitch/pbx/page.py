"""`page:floor`: one voice from many loudspeakers, of phones and of multicast speakers (P15, P16).

Whose phone is in a call is not disturbed unless the settings say so; who does not open the
loudspeaker by itself is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from config.groups import Page
from config.targets import Target
from media.client import MediaLeg, NoPorts, Source
from media.items import Tone
from media.stream import Stream
from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED, FORBIDDEN, NO_ANSWER, UNKNOWN_NUMBER
from softswitch.calls.dial import Place
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Answered, Ended, Event, Failed
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg, ignore
from softswitch.calls.party import Party
from softswitch.pbx.auto_answer import loudspeakers, may_be_opened
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

PATIENCE: Final[Seconds] = 4.0
"""A phone that has not opened its loudspeaker by then only rings, and is let go."""
BUSY: Final = 486


async def page(switch: Switch, call: Call, target: Target) -> None:
    """Let the caller be heard until he hangs up or the time is over."""
    settings = switch.settings.paging.get(target.name)
    if settings is None:
        raise Refused(UNKNOWN_NUMBER)
    if settings.allowed and call.leg.owner not in settings.allowed:
        raise Refused(FORBIDDEN, "[paging] allowed does not name him")
    places = listeners(switch, settings, call.leg, call.leg.party)
    if not places and not settings.multicast:
        raise NotAnswered(BUSY)
    call.record.event("paging", group=target.name, phones=len(places))
    call.leg.answer()
    audience = Audience(call, settings, places)
    with _Speakers(switch, settings, call.leg) as speakers:
        for speaker in speakers:
            speaker.hear(call.leg.sound.port)
        if settings.tone:
            await call.leg.play(Tone("beep", switch.board.country))
        try:
            async with asyncio.timeout(settings.max_time):
                await audience.listen(call.leg)
        except TimeoutError:
            call.record.event("paging-over")


async def announce(switch: Switch, name: str, prompt: str, number: str) -> None:
    """Say `prompt` and the digits of `number` to a paging group, on nobody's behalf."""
    settings = switch.settings.paging.get(name)
    if settings is None:
        return
    places = listeners(switch, settings, None, Party(number, settings.number or name))
    if not places:
        return
    first = places[0]()
    script = partial(_announce, switch, settings, places[1:], prompt, number)
    try:
        switch.begin(first, script, caller=number, dialled=name, direction="internal")
    except (Refused, JournalFullError):
        first.hang_up(CONGESTED)


async def _announce(
    switch: Switch, settings: Page, others: Sequence[Place], prompt: str, number: str, call: Call
) -> None:
    call.serve(call.leg, vital=False)
    voice = Voice(switch, call)
    items = await voice.items(prompt, voice.value("digits", number))
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    player = switch.board.media.player(*items, on_event=lambda _: _settle(told))
    audience = Audience(call, settings, others, call.leg)
    try:
        async with asyncio.timeout(settings.max_time):
            listening = asyncio.create_task(audience.listen(player))
            await asyncio.wait((told, listening), return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        pass
    finally:
        listening.cancel()
        player.close()


def listeners(switch: Switch, settings: Page, caller: Leg | None, shown: Party) -> list[Place]:
    """The loudspeakers of all members that may be opened now."""
    own = caller.owner if caller is not None else None
    people = switch.settings.extensions
    return [
        place
        for number in settings.members
        if number != own
        and may_be_opened(switch, number, people[number], interrupt=settings.interrupt)
        for place in loudspeakers(switch, number, caller, shown=shown)
    ]


class Audience:
    """The phones that are being paged."""

    def __init__(self, call: Call, settings: Page, places: Sequence[Place], *started: Leg) -> None:
        self._call, self._two_way = call, settings.two_way
        self._inbox: Inbox[Event] = Inbox()
        self._open: list[Leg] = []
        self._legs = list(started)
        for place in places:
            leg = place()
            call.add(leg)
            self._legs.append(leg)
        for leg in self._legs:
            leg.divert(self._inbox)

    async def listen(self, source: Leg | Source) -> None:
        """Let everybody who opens the loudspeaker hear `source`, until nobody is left.

        A caller may go on where only multicast speakers hear him.
        """
        alarm = asyncio.get_running_loop().call_later(PATIENCE, self._let_go_of_ringing)
        began_with_phones = bool(self._legs)
        try:
            while self._legs or not began_with_phones:
                self._take(await self._inbox.get(), source)
        finally:
            alarm.cancel()

    def _take(self, event: Event, source: Leg | Source) -> None:
        match event:
            case Answered(leg):
                self._open.append(leg)
                self._call.record.leg(leg.id, **leg.facts())
                self._join(source)
            case Failed(leg) | Ended(leg) if leg in self._legs:
                self._legs.remove(leg)
                self._call.release(leg)
                if leg in self._open:
                    self._open.remove(leg)
                    self._join(source)
            case _:  # holds, keys and ringing change nothing
                pass

    def _join(self, source: Leg | Source) -> None:
        """One way, or everybody with everybody."""
        for leg in self._open:
            others = (other for other in self._open if other is not leg and self._two_way)
            leg.hear(source, *others)
        if self._two_way and isinstance(source, Leg):
            source.hear(*self._open)

    def _let_go_of_ringing(self) -> None:
        for leg in self._legs[:]:
            if not leg.answered:
                leg.hang_up(NO_ANSWER)


class _Speakers:
    """Legs that send to multicast groups, in the engine of `beside`, while the `with` lasts."""

    def __init__(self, switch: Switch, settings: Page, beside: Leg) -> None:
        self._media, self._settings, self._beside = switch.board.media, settings, beside
        self._legs: list[MediaLeg] = []

    def __enter__(self) -> list[MediaLeg]:
        try:
            for group in self._settings.multicast:
                leg = self._media.open(ignore, beside=self._beside.sound.port)
                self._legs.append(leg)
                leg.connect(Stream(remote=(group.host, group.port), receiving=False))
        except NoPorts as full:
            self.__exit__()
            raise Refused(CONGESTED, str(full)) from None
        return self._legs

    def __exit__(self, *_: object) -> None:
        for leg in self._legs:
            leg.close()


def _settle(told: asyncio.Future[None]) -> None:
    if not told.done():
        told.set_result(None)
