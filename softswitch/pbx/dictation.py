"""What somebody says into the phone, written to a file: messages, greetings, names.

Knows one leg and one file.  Refuses to know what the file is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from media import events
from media.items import Tone
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

BEEP = Tone("record-beep")
PATIENCE: Seconds = 5.0
"""How long the file may take to be closed."""
END_KEYS = "#*0123456789"


class Dictation(NamedTuple):
    """What came of it: `key` or silence ended it, if they did; `error` where the disk refused."""

    seconds: Seconds
    key: str | None = None
    silent: bool = False
    error: str | None = None


class _Over(NamedTuple):
    """A key, silence, or time."""

    key: str | None = None
    silent: bool = False


async def dictate(
    switch: Switch,
    leg: Leg,
    path: Path,
    *,
    most: Seconds,
    silence: Seconds | None = None,
    on_closed: Callable[[Dictation], None] | None = None,
) -> Dictation:
    """Beep, then record `leg` until a key, `silence` seconds without voice, or `most` seconds.

    However it ends, by the caller's going away too, `on_closed` hears when the file is whole.
    """
    await leg.play(BEEP)
    news: Inbox[_Over | Dictation] = Inbox()
    over = _Over()

    def closed(event: events.Event) -> None:
        assert isinstance(event, events.Recorded)
        said = Dictation(event.seconds, over.key, over.silent, event.error)
        if on_closed is not None:
            on_closed(said)
        news.put(said)

    leg.digits.clear()
    leg.digits.tee(lambda key: news.put(_Over(key)))
    leg.sound.mind_silence(silence, lambda: news.put(_Over(silent=True)))
    recorder = switch.board.media.record(
        str(path), leg.sound.port, rate=8000, stereo=False, on_event=closed
    )
    try:
        first = await _end(news, most)
        if isinstance(first, Dictation):  # the disk refused
            return first
        over = first
    finally:
        recorder.stop()
        leg.digits.tee(None)
        leg.sound.mind_silence(None, None)
    leg.digits.clear()
    return await _closed(news)


async def _end(news: Inbox[_Over | Dictation], most: Seconds) -> _Over | Dictation:
    try:
        return await news.get(most)
    except TimeoutError:
        return _Over()


async def _closed(news: Inbox[_Over | Dictation]) -> Dictation:
    async with asyncio.timeout(PATIENCE):
        while not isinstance(said := await news.get(), Dictation):
            pass
    return said
