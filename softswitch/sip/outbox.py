"""What is to be sent, and a word to whoever sends it.

Knows that something came; refuses to know sockets and loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Outbox(list[T]):
    """A list that calls `on_first` whenever its first item is appended.

    So a verb used by a coroutine, long after the driver looked, is sent without anybody
    having to remember it.
    """

    __slots__ = ("on_first",)

    on_first: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        self.on_first = _nobody

    def append(self, item: T) -> None:
        if not self:
            self.on_first()
        list.append(self, item)  # each message: super() would cost as much again


def _nobody() -> None:
    """Until a driver is there."""
