"""The index of voicemail: who left what in which box, and whether it was heard.

The sound lies in files, whose paths are kept here as they are given; nothing here opens them.
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from typing import Final, NamedTuple

from softswitch.store.shape import Row
from softswitch.store.writer import Writer

_TABLE: Final = "voicemail"


@dataclass(frozen=True, slots=True)
class VoiceMessage:
    """One recording in a box; fields in the order of the table."""

    id: str
    box: str
    left_at: float  # epoch seconds
    seconds: float
    caller: str
    caller_name: str | None
    path: str
    heard_at: float | None = None
    call_id: str | None = None


class Counts(NamedTuple):
    """What a message-waiting lamp shows (RFC 3842 §5.2)."""

    new: int
    old: int


class Voicemail:
    """Messages by box, oldest first, all in memory; a change is safe when the call returns."""

    def __init__(self, writer: Writer, rows: Iterable[Row] = ()) -> None:
        self._writer = writer
        messages = (VoiceMessage(*row) for row in rows)
        ordered = sorted(messages, key=lambda message: message.left_at)
        self._messages = {message.id: message for message in ordered}

    def put(self, message: VoiceMessage) -> None:
        """Keep a message, or what has changed in one."""
        self._writer.put((_TABLE, astuple(message)))
        self._messages[message.id] = message

    def get(self, identity: str) -> VoiceMessage | None:
        return self._messages.get(identity)

    def box(self, box: str) -> list[VoiceMessage]:
        """All messages of a box, oldest first."""
        return [message for message in self._messages.values() if message.box == box]

    def boxes(self) -> dict[str, Counts]:
        """Counts of each box that holds anything."""
        return {box: self.counts(box) for box in {m.box for m in self._messages.values()}}

    def counts(self, box: str) -> Counts:
        messages = self.box(box)
        new = sum(message.heard_at is None for message in messages)
        return Counts(new, len(messages) - new)

    def heard(self, identity: str, now: float) -> None:
        """Note that a message was listened to; the first time counts."""
        message = self._messages.get(identity)
        if message is not None and message.heard_at is None:
            self.put(replace(message, heard_at=now))

    def move(self, identity: str, box: str) -> None:
        """Hand a message to another box, where it is new."""
        if (message := self._messages.get(identity)) is not None:
            self.put(replace(message, box=box, heard_at=None))

    def delete(self, identity: str) -> VoiceMessage | None:
        """Forget a message; whoever calls deletes its file."""
        message = self._messages.pop(identity, None)
        if message is not None:
            self._writer.drop(_TABLE, identity)
        return message
