"""Messages on their way into boxes and out of them: begun, kept, forwarded, deleted, recovered.

A message is known to the journal before its first sample is written, so that whatever ends
the recording (the caller, the disk, the power) what was said is in the box.  Knows the index
and the files; no calls, no phones.
"""

from __future__ import annotations

import secrets
import shutil
import struct
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import structlog

from softswitch.calls.party import ANONYMOUS, Party
from softswitch.sip.types import Seconds
from softswitch.store.state import State
from softswitch.store.voicemail import Voicemail, VoiceMessage

log = structlog.get_logger("voicemail")

DRAFTS: Final = "voicemail-drafts"
"""Where in the store messages lie whose recording has not ended."""
HEADER: Final = 44
"""Octets before the samples of the engine's WAV files."""
OCTETS_A_SECOND: Final = 16_000
"""8 kHz, 16 bits, one channel."""
DAY: Final = 86_400.0


class Mailroom:
    """All boxes of the switch.

    `on_change` hooks hear the box whose contents changed, `on_message` hooks each new message.
    """

    def __init__(self, index: Voicemail, state: State, clock: Callable[[], float] = time.time):
        self.index, self._state, self._clock = index, state, clock
        self.on_change: list[Callable[[str], None]] = []
        self.on_message: list[Callable[[VoiceMessage], None]] = []

    def begin(self, box: str, folder: Path, caller: Party, call_id: str) -> VoiceMessage:
        """A message about to be recorded at its `path`; `finish` must follow."""
        identity = secrets.token_hex(8)
        draft = VoiceMessage(
            id=identity,
            box=box,
            left_at=self._clock(),
            seconds=0.0,
            caller="" if caller == ANONYMOUS else caller.number,
            caller_name=caller.name or None,
            path=str(folder / f"{identity}.wav"),
            call_id=call_id,
        )
        self._state.set(DRAFTS, identity, asdict(draft))
        return draft

    def finish(self, draft: VoiceMessage, seconds: Seconds, least: Seconds) -> bool:
        """The recording is closed: keep it, or throw it away where it is shorter than `least`."""
        keep = seconds > 0 and seconds >= least
        if keep:
            self._put(replace(draft, seconds=round(seconds, 2)))
        else:
            Path(draft.path).unlink(missing_ok=True)
        self._state.remove(DRAFTS, draft.id)
        return keep

    def recover(self, least: Seconds) -> int:
        """Put into their boxes what was being recorded when the switch ended; how many."""
        kept = 0
        for facts in list(self._state.space(DRAFTS).values()):
            draft = VoiceMessage(**facts)
            kept += self.finish(draft, mended(Path(draft.path)), least)
        return kept

    def heard(self, message: VoiceMessage) -> None:
        """Its owner has listened to it."""
        self.index.heard(message.id, self._clock())
        self._changed(message.box)

    def delete(self, message: VoiceMessage) -> None:
        """Forget it and its sound."""
        if self.index.delete(message.id) is not None:
            Path(message.path).unlink(missing_ok=True)
            self._changed(message.box)

    def forward(self, message: VoiceMessage, box: str, folder: Path) -> VoiceMessage:
        """A copy in another box, new there.  Raises OSError where there is no room for it."""
        identity = secrets.token_hex(8)
        path = folder / f"{identity}.wav"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            path.hardlink_to(message.path)
        except OSError:  # a file system without links
            shutil.copyfile(message.path, path)
        copy = replace(message, id=identity, box=box, path=str(path), heard_at=None)
        self._put(copy)
        return copy

    def tidy(self, keep_days: int | None) -> int:
        """Delete what was heard and is older than `keep_days`; how many messages."""
        if keep_days is None:
            return 0
        before = self._clock() - keep_days * DAY
        old = [
            message
            for box in self.index.boxes()
            for message in self.index.box(box)
            if message.heard_at is not None and message.left_at < before
        ]
        for message in old:
            self.delete(message)
        return len(old)

    def _put(self, message: VoiceMessage) -> None:
        self.index.put(message)
        for hook in self.on_message:
            hook(message)
        self._changed(message.box)

    def _changed(self, box: str) -> None:
        for hook in self.on_change:
            hook(box)


def mended(path: Path) -> Seconds:
    """Write the lengths that a torn recording lacks into its header; its seconds, 0 for none."""
    try:
        octets = path.stat().st_size - HEADER
        if octets <= 0:
            return 0.0
        with path.open("r+b") as file:
            for offset, length in ((4, octets + HEADER - 8), (HEADER - 4, octets)):
                file.seek(offset)
                file.write(struct.pack("<I", length))
    except OSError as error:
        log.warning("a recording was lost", path=str(path), why=str(error))
        return 0.0
    return octets / OCTETS_A_SECOND
