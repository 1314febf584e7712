"""Conference rooms while somebody is in them: who hears whom, who is muted, who may enter.

Knows legs and the media engine's rooms.  Refuses to know how somebody got there and what is
said to him; tones and music are sound, so they are here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.conferences import Conference
from media import client, events
from media.items import Item
from softswitch.calls.causes import CONGESTED, NORMAL
from softswitch.calls.errors import Refused
from softswitch.calls.events import Resumed
from softswitch.calls.leg import Leg

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

LOUDER, LEAST, MOST = 1.4, 0.25, 4.0
"""Factor of one press of the volume keys, and the bounds of gains."""


@dataclass(slots=True, eq=False)
class Member:
    """Somebody in a room."""

    leg: Leg
    moderator: bool = False
    muted: bool = False
    gain: float = 1.0
    """At which he hears the others."""
    name: Item | None = None
    """What he said when asked for his name."""
    since: float = field(default_factory=time.time)
    kicked: bool = False
    aside: bool = False
    """Whether something is being said to him alone, which the room must not interrupt."""


class Room:
    """One conference in progress.  It ends when its last member leaves."""

    def __init__(self, name: str, settings: Conference, switch: Switch) -> None:
        self.name, self.settings = name, settings
        self.members: list[Member] = []
        self.locked = self.all_muted = False
        self._switch = switch
        self._sound = switch.board.media.room(settings.rate, settings.loudest)
        self._is_closed = False
        self._announcements: set[client.Player] = set()
        self._recorder: client.Recorder | None = None

    # -- who is in -------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        return len(self.members) >= self.settings.max_members

    @property
    def is_waiting(self) -> bool:
        """Whether everybody hears music until the first moderator comes."""
        leader = any(member.moderator for member in self.members)
        return self.settings.wait_for_moderator and not leader

    def place_beside(self, leg: Leg) -> None:
        """Have a leg that has no port yet opened in the engine where the room lives."""
        if self.members and leg.sound.beside is None:
            leg.sound.beside = self.members[0].leg.sound

    def enter(self, member: Member) -> None:
        """Let him in.  Raises Refused where the room is over, or out of his sound's reach."""
        if self._is_closed:
            raise Refused(NORMAL, f"{self.name} is over")
        try:
            self._sound.add(member.leg.sound.port, 0.0)
        except ValueError as error:
            raise Refused(CONGESTED, str(error)) from None
        self.members.append(member)
        self._switch.rooms.keep(self)
        self._tell("conference.joined", member)
        member.muted = (self.settings.muted or self.all_muted) and not member.moderator
        self.tune()
        if self.settings.record and self._recorder is None:
            self.record()

    def leave(self, member: Member) -> None:
        """He is gone; without effect where he was not there."""
        if member not in self.members:
            return
        self.members.remove(member)
        self._sound.remove(member.leg.sound.port)
        self._tell("conference.left", member)
        if self.settings.end_with_moderator and member.moderator:
            self.end()
        if self.members:
            self.tune()
        else:
            self._close()

    def end(self) -> None:
        """Send everybody away."""
        for member in self.members[:]:
            self.kick(member)

    def kick(self, member: Member) -> None:
        """Have him leave; he is told so by whoever looks after him."""
        member.kicked = True
        member.leg.notify(Resumed(member.leg))  # any event wakes whoever looks after him

    # -- who hears whom --------------------------------------------------------------

    def tune(self) -> None:
        """Set everybody's hearing and speaking to what it should be now."""
        waiting = self.is_waiting
        for member in self.members:
            silent = member.muted or waiting
            self._sound.add(member.leg.sound.port, 0.0 if silent else 1.0)
            self.tune_in(member)

    def tune_in(self, member: Member) -> None:
        """Let him hear the room, or music while there is nobody to hear."""
        if member not in self.members or member.aside:
            return
        if self.is_waiting or len(self.members) == 1:
            music = self._switch.sounds.music(self.settings.music)
            member.leg.hear_mix({music: 1.0, self._sound: member.gain})
        else:
            member.leg.hear_mix({self._sound: member.gain})

    @contextmanager
    def aside(self, member: Member) -> Iterator[None]:
        """Meanwhile he hears what he is told, not the room."""
        member.aside = True
        try:
            yield
        finally:
            member.aside = False
            self.tune_in(member)

    def mute(self, member: Member, muted: bool) -> None:
        member.muted = muted
        self.tune()

    def mute_all(self, muted: bool) -> None:
        """Everybody but moderators; those who come later too."""
        self.all_muted = muted
        for member in self.members:
            member.muted = muted and not member.moderator
        self.tune()

    def louder(self, member: Member, factor: float) -> None:
        member.gain = min(max(member.gain * factor, LEAST), MOST)
        self.tune_in(member)

    def announce(self, *items: Item) -> None:
        """Let everybody hear `items` beside whoever speaks."""
        if not self.members:
            return

        def over(_: events.Event) -> None:
            self._announcements.discard(player)
            self._sound.remove(player)

        player = self._switch.board.media.player(*items, on_event=over)
        self._announcements.add(player)
        self._sound.add(player)

    def _tell(self, kind: str, member: Member) -> None:
        facts = {"conference": self.name, "party": member.leg.party.number, "leg": member.leg.id}
        self._switch.tell(kind, **facts, members=len(self.members))

    # -- recording -------------------------------------------------------------------

    @property
    def is_recorded(self) -> bool:
        return self._recorder is not None

    def record(self) -> None:
        """Begin to record everybody into one file."""
        self._recorder = self._switch.recordings.of_room(self.name, self._sound)

    def stop_recording(self) -> None:
        if self._recorder is not None:
            self._recorder.stop()
            self._recorder = None

    def _close(self) -> None:
        self._is_closed = True
        self.stop_recording()
        for player in self._announcements:
            player.close()
        self._sound.close()
        self._switch.rooms.forget(self)


class Rooms:
    """All rooms that somebody is in."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._rooms: dict[str, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def get(self, name: str) -> Room | None:
        """The room, if somebody is in it."""
        return self._rooms.get(name)

    def open(self, name: str) -> Room:
        """The configured room `name`; a new one, which begins when somebody enters, if empty."""
        settings = self._switch.settings.conferences[name]
        return self._rooms.get(name) or Room(name, settings, self._switch)

    def keep(self, room: Room) -> None:
        """Somebody entered."""
        self._rooms[room.name] = room

    def forget(self, room: Room) -> None:
        """Its last member has left."""
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
        self._switch.tell("conference.ended", conference=room.name)
