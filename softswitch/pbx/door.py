"""Door phones: who rings is shown, and a key opens, for those who may (P18, P19)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import httpx
import structlog

from config.features import Door
from config.settings import Settings
from config.targets import Kind, Target
from softswitch.calls.call import Call
from softswitch.calls.causes import UNKNOWN_NUMBER
from softswitch.calls.dial import ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Digit
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.conversation import Conversation
from softswitch.pbx.reach import places, reachable
from softswitch.sip.message import Response
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("door")

PATIENCE: Final[Seconds] = 5.0
"""How long a lock's web server may take."""
UNAVAILABLE: Final = 480


def door_of(settings: Settings, number: str) -> str | None:
    """The door whose phone has this extension."""
    return next((name for name, door in settings.doors.items() if door.extension == number), None)


async def ring_inside(switch: Switch, call: Call, name: str) -> None:
    """Somebody stands at the door and pressed its button, whatever number that dials."""
    door = switch.settings.doors[name]
    call.record.learn(route=f"door:{name}")
    shown = Party(door.extension, door.name or call.leg.party.name)
    found = [
        place
        for target in reachable(switch, door.to, skip_busy=False)
        for place in places(switch, call, target, shown=shown)
    ]
    if not found:
        raise NotAnswered(UNAVAILABLE)
    inside = await ring(call, found, ring_time=door.ring_time, one_person=False)
    await _talk(switch, call, name, at_door=call.leg, inside=inside)


async def door(switch: Switch, call: Call, target: Target) -> None:
    """`door:front`: speak at the door from inside, and open it by the same key."""
    settings = switch.settings.doors.get(target.name)
    if settings is None:
        raise Refused(UNKNOWN_NUMBER)
    found = places(switch, call, Target(Kind.EXTENSION, settings.extension))
    if not found:
        raise NotAnswered(UNAVAILABLE)
    at_door = await ring(call, found, ring_time=settings.ring_time)
    await _talk(switch, call, target.name, at_door=at_door, inside=call.leg)


async def _talk(switch: Switch, call: Call, name: str, *, at_door: Leg, inside: Leg) -> None:
    other = inside if call.leg is at_door else at_door
    call.leg.answer(prefer=other.codec)
    for leg in (other, call.leg):
        call.record.leg(leg.id, **leg.facts())
    lock = Lock(switch, call, name, at_door)
    talk = Conversation(switch, call, call.leg, other)
    talk.on_key = lock.pressed
    talk.join()
    await talk.last()


class Lock:
    """One door's lock, while somebody speaks at it."""

    def __init__(self, switch: Switch, call: Call, name: str, at_door: Leg) -> None:
        self._switch, self._call, self._name, self._at_door = switch, call, name, at_door
        self._door: Door = switch.settings.doors[name]
        self._keys = ""

    def pressed(self, event: Digit) -> None:
        """A key in the conversation; the last ones may open."""
        if event.leg is self._at_door:  # who stands outside opens nothing
            return
        self._keys = (self._keys + event.digit)[-len(self._door.digit) :]
        if self._keys == self._door.digit:
            self._keys = ""
            self._open(event.leg)

    def _open(self, by: Leg) -> None:
        allowed = self._door.allowed
        if by.owner is None or (allowed and by.owner not in allowed):
            self._note(by, "refused")
            return
        unlock = self._door.unlock
        if unlock.http is not None:
            self._switch.spawn(self._fetch(by, unlock.http))
        elif unlock.dtmf is not None:
            self._at_door.press(unlock.dtmf)
            self._note(by, "opened")
        elif unlock.info is not None:
            body, kind = unlock.info.encode(), unlock.content_type

            def answered(response: Response | None) -> None:
                good = response is not None and response.status < 300
                self._note(by, "opened" if good else "failed")

            self._at_door.send("INFO", (), body, kind, answered)

    async def _fetch(self, by: Leg, url: str) -> None:
        """Open by HTTP; the password goes as Basic or, where the lock asks so, Digest."""
        secret = self._door.unlock.password
        user, _, word = (secret.get_secret_value() if secret is not None else "").partition(":")
        result = "failed"
        try:
            async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
                answer = await client.get(url, auth=(user, word) if user else None)
                if answer.status_code == 401 and user:
                    answer = await client.get(url, auth=httpx.DigestAuth(user, word))
            result = "opened" if answer.is_success else "failed"
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as trouble:
            log.warning("the lock does not answer", door=self._name, trouble=repr(trouble))
        self._note(by, result)

    def _note(self, by: Leg, result: str) -> None:
        """Who opened which door, and when: in the log, the record and for those who watch."""
        who = by.owner or by.party.number
        log.info("door", door=self._name, by=who, result=result)
        self._call.record.event(f"door-{result}", door=self._name, by=who)
        self._switch.tell(f"door.{result}", door=self._name, by=who)
