"""What one who waits hears: greeting, music, announcements and questions.

Knows prompts and whose music holds.  When to say what is the engine's schedule; nobody waits for
what is said to end.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from acd.actions import Announce
from config.queues import Queue
from media.items import Item
from softswitch.calls.call import Call
from softswitch.pbx.queue.announcements import announcement
from softswitch.pbx.queue.sound import HoldSound
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


class Hearing:
    """The ears of the call's party, silent until `begin`."""

    def __init__(
        self, switch: Switch, call: Call, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        """`spawn` lets a sentence be fetched while others go on."""
        self._switch, self._call, self._spawn = switch, call, spawn
        self._sound: HoldSound | None = None

    @property
    def voice(self) -> Voice:
        """Speaks to whoever is the call's party now."""
        return Voice(self._switch, self._call)

    @property
    def has_begun(self) -> bool:
        return self._sound is not None

    def begin(self, settings: Queue, greeting: str | None) -> None:
        """Music from now on, the greeting over it; his leg has been answered."""
        self.stop()
        player = self._switch.sounds.music(self._music(settings))
        self._sound = HoldSound(self._switch.board.media, self._call.leg, player)
        self._sound.play_music()
        self.say(*([greeting] if greeting else []))

    def follow(self, settings: Queue) -> None:
        """He stands in another queue now."""
        if self._sound is not None:
            self._sound.change_music(self._switch.sounds.music(self._music(settings)))

    def announce(self, settings: Queue, action: Announce) -> None:
        """One line of the schedule."""
        if self._sound is not None:
            self.say(*announcement(self.voice, settings, action))

    def say(self, *what: str | Item) -> None:
        """Over the music, when it can be said."""
        if what:
            self._spawn(self._speak(what))

    def hush(self) -> None:
        """Cut off what is being said; music again."""
        if self._sound is not None:
            self._sound.hush()

    def stop(self) -> None:
        """Be silent for good: an agent is there, or he has left."""
        if self._sound is not None:
            self._sound.stop()

    async def _speak(self, what: tuple[str | Item, ...]) -> None:
        items = await self.voice.items(*what)
        if self._sound is not None:
            self._sound.say(items)

    def _music(self, settings: Queue) -> str | None:
        return settings.music or self._call.music
