"""What was read lately is remembered by its text: peers repeat themselves.

Knows neither what is read nor by whom; bounded in entries and in octets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LONGEST = 256
"""Characters; longer texts are read anew each time."""


def remembered(parse: Callable[[str], T], entries: int = 8192) -> Callable[[str], T]:
    """`parse` with a memory; its results must be immutable and never None.

    A full memory is emptied: much of what comes (tags, branches) never comes again, so
    that the order of use which lru_cache keeps would cost more than it saves.
    """
    known: dict[str, T] = {}

    def lookup(text: str) -> T:
        found = known.get(text)
        if found is not None:
            return found
        if len(known) >= entries:
            known.clear()
        found = parse(text)
        if len(text) <= LONGEST:
            known[text] = found
        return found

    return lookup
