"""Instant messages for those who are not registered (RFC 3428 §7: a 202 is a promise)."""

import base64
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from softswitch.store.shape import Row
from softswitch.store.writer import Writer

_TABLE: Final = "messages"


@dataclass(frozen=True, slots=True)
class Message:
    """One message that waits; times in epoch seconds."""

    id: str
    recipient: str
    sender: str
    left_at: float
    expires_at: float
    content_type: str
    body: bytes


class Messages:
    """Messages by recipient, oldest first, all in memory."""

    def __init__(self, writer: Writer, rows: Iterable[Row] = ()) -> None:
        self._writer = writer
        self._waiting: dict[str, list[Message]] = {}
        for identity, recipient, sender, left_at, expires_at, kind, body in rows:
            octets = base64.b64decode(body)
            self._add(Message(identity, recipient, sender, left_at, expires_at, kind, octets))
        for messages in self._waiting.values():
            messages.sort(key=lambda message: message.left_at)

    def leave(
        self,
        recipient: str,
        sender: str,
        content_type: str,
        body: bytes,
        *,
        now: float,
        expires_at: float,
    ) -> Message:
        """Keep a message until it is delivered or expires; safe when this returns."""
        message = Message(uuid.uuid4().hex, recipient, sender, now, expires_at, content_type, body)
        text = base64.b64encode(body).decode()
        row = (message.id, recipient, sender, now, expires_at, content_type, text)
        self._writer.put((_TABLE, row))
        self._add(message)
        return message

    def waiting(self, recipient: str, now: float) -> list[Message]:
        """What to deliver to `recipient`; what has expired is forgotten."""
        messages = self._waiting.get(recipient, [])
        for message in [message for message in messages if message.expires_at <= now]:
            self.delivered(message)
        return list(self._waiting.get(recipient, ()))

    def delivered(self, message: Message) -> None:
        """Forget a message; twice is harmless."""
        messages = self._waiting.get(message.recipient, [])
        if message in messages:
            self._writer.drop(_TABLE, message.id)
            messages.remove(message)
            if not messages:
                del self._waiting[message.recipient]

    def _add(self, message: Message) -> None:
        self._waiting.setdefault(message.recipient, []).append(message)
