"""What one waiting caller hears: music, and what is said in between, each thing in its turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from media.client import Media, Player
from media.items import Item
from softswitch.calls.leg import Leg


class HoldSound:
    """Music for `leg` until it is stopped; `say` puts a sentence over it.

    Nothing waits for a sentence to end: `stop` cuts it off at any packet.
    """

    def __init__(self, media: Media, leg: Leg, music: Player) -> None:
        self._media, self._leg, self._music = media, leg, music
        self._pending: deque[Sequence[Item]] = deque()
        self._speaker: Player | None = None
        self._stopped = False

    def play_music(self) -> None:
        if not self._stopped:
            self._leg.hear(self._music)

    def change_music(self, music: Player) -> None:
        """From another queue, say."""
        if music is not self._music:
            self._music = music
            if self._speaker is None:
                self.play_music()

    def say(self, items: Sequence[Item]) -> None:
        """Say it once whatever is being said is over."""
        if items and not self._stopped:
            self._pending.append(items)
            if self._speaker is None:
                self._next()

    def hush(self) -> None:
        """Cut off what is being said and forget what was to be; music again."""
        self._pending.clear()
        self._close()
        self.play_music()

    def stop(self) -> None:
        """Be silent for good."""
        self._stopped = True
        self._pending.clear()
        self._close()

    def _next(self) -> None:
        self._close()
        if not self._pending:
            self.play_music()
            return
        items = self._pending.popleft()
        self._speaker = speaker = self._media.player(*items, on_event=lambda _: self._over(speaker))
        self._leg.hear(speaker)

    def _over(self, speaker: Player) -> None:
        if speaker is self._speaker:
            self._next()

    def _close(self) -> None:
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None
