"""What was read lately is remembered by its text: peers repeat themselves.

Knows neither what is read nor by whom; bounded in entries and in octets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LONGEST = 256
"""Characters; longer texts are read anew each time."""


class _Memory(dict[str, T]):
    """Reads what it does not know yet; what it knows is had without a Python frame."""

    __slots__ = ("_entries", "_parse")

    def __init__(self, parse: Callable[[str], T], entries: int) -> None:
        self._parse, self._entries = parse, entries

    def __missing__(self, text: str) -> T:
        if len(self) >= self._entries:
            self.clear()
        found = self._parse(text)
        if len(text) <= LONGEST:
            self[text] = found
        return found


def remembered(parse: Callable[[str], T], entries: int = 8192) -> Callable[[str], T]:
    """`parse` with a memory; its results must be immutable.

    A full memory is emptied: much of what comes (tags, branches) never comes again, so
    that the order of use which lru_cache keeps would cost more than it saves.
    """
    return _Memory(parse, entries).__getitem__
