"""How switch and engine talk over their socketpair: lists of dataclasses, a length before each.

Both ends are the same program and the socket has no name, so pickle is safe here: nobody
else can write to it.  Knows nothing of what the objects mean.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("<I")


def encode(objects: Sequence[object]) -> bytes:
    """One frame that carries all `objects`, in order."""
    body = pickle.dumps(objects, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


class Framer:
    """Gives back whole frames from a stream of octets."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Objects of every frame that `data` completes, in order."""
        buffer = self._buffer
        buffer += data
        objects: list[Any] = []
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            objects += pickle.loads(memoryview(buffer)[start + _LENGTH.size : end])
            start = end
        del buffer[:start]
        return objects
