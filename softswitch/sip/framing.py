"""Where one message ends and the next begins on a stream (RFC 3261 §18.3, RFC 5626 §4.4.1).

Cuts by Content-Length alone and looks into nothing else; memory is bounded by the
limits, time is linear in the octets however they are split.  Knows no socket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from softswitch.sip.salvage import salvage
from softswitch.sip.types import Instant, ParseError, Seconds


class KeepAlive(Enum):
    """CRLFs between messages: a ping is answered by one CRLF, a pong by nothing."""

    PING = b"\r\n\r\n"
    PONG = b"\r\n"


Frame: TypeAlias = bytes | KeepAlive

PING_ANSWER = KeepAlive.PONG.value


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may ask of us."""

    head: int = 65_536
    """Octets of start line and headers."""
    body: int = 1_048_576
    """Octets of a body, refused as soon as they are announced."""
    patience: Seconds = 10.0
    """How long a message may take from its first octet to its last."""


class FramingError(ParseError):
    """The stream cannot be followed any further: answer `request` if there is one, then close.

    `before` holds the frames that were whole before the fault.
    """

    before: list[Frame]

    def __init__(self, reason: str, head: bytes, *, status: int = 400) -> None:
        super().__init__(reason, status=status)
        self.request = salvage(head)
        self.before = []


_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:(?:[ \t]|\r\n[ \t])*([^\r\n]*)", re.IGNORECASE
)


class StreamFramer:
    """Cuts the octets of one connection into messages and keep-alives."""

    __slots__ = ("_buffer", "_crlf_before", "_deadline", "_limits", "_need", "_scanned")

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._scanned = 0  # octets known to hold no end of headers
        self._need: int | None = None  # whole length of the message at hand, once known
        self._crlf_before = False
        self._deadline: Instant | None = None

    def next_timeout(self) -> Instant | None:
        """When to close the connection unless the message at hand is whole by then."""
        return self._deadline

    def feed(self, data: bytes, now: Instant) -> list[Frame]:
        """The frames that `data` completes; the same for every way to split a stream.

        A CRLF between messages is a PONG, each second one in a row a PING: it is one
        keep-alive that the far end sent as a double CRLF.
        """
        self._buffer += data
        frames: list[Frame] = []
        try:
            while (frame := self._cut()) is not None:
                frames.append(frame)
                self._deadline = None
        except FramingError as fault:
            self._buffer.clear()
            fault.before = frames
            raise
        if self._buffer and self._deadline is None:
            self._deadline = now + self._limits.patience
        return frames

    def _cut(self) -> Frame | None:
        if self._need is None:
            if self._buffer.startswith(b"\r\n"):
                return self._cut_crlf()
            if self._buffer and self._buffer != b"\r":
                self._crlf_before = False
            self._need = self._measure()
        if self._need is None or len(self._buffer) < self._need:
            return None
        message = bytes(memoryview(self._buffer)[: self._need])
        del self._buffer[: self._need]
        self._need, self._scanned = None, 0
        return message

    def _cut_crlf(self) -> KeepAlive:
        del self._buffer[:2]
        self._crlf_before = not self._crlf_before
        return KeepAlive.PONG if self._crlf_before else KeepAlive.PING

    def _measure(self) -> int | None:
        """Length of the message at the buffer's beginning, once its headers are whole."""
        end = self._buffer.find(b"\r\n\r\n", self._scanned)
        if end > self._limits.head or (end < 0 and len(self._buffer) > self._limits.head):
            raise FramingError("headers too long", self._head(), status=513)
        if end < 0:
            self._scanned = max(len(self._buffer) - 3, 0)
            return None
        return end + 4 + self._body_length(bytes(memoryview(self._buffer)[:end]))

    def _body_length(self, head: bytes) -> int:
        lengths = {text.strip(b" \t") for text in _LENGTH.findall(head)}
        if len(lengths) != 1:
            what = "differing Content-Lengths" if lengths else "no Content-Length"
            raise FramingError(f"{what} on a stream", head)
        (text,) = lengths
        if not text.isdigit():
            raise FramingError("Content-Length is no number", head)
        if len(text.lstrip(b"0")) > 10 or int(text) > self._limits.body:
            raise FramingError("body too long", head, status=413)
        return int(text)

    def _head(self) -> bytes:
        return bytes(memoryview(self._buffer)[: self._limits.head])
