"""Keys that a caller presses in menus: read one by one, typed ahead, understood as early as can be.

Knows keys and what they may lead to.  Refuses to know menus and what is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from config.targets import Target, Targets
from media.items import Item
from softswitch.calls.leg import Leg
from softswitch.pbx.voice import ANY_KEY
from softswitch.sip.types import Seconds


class Book(NamedTuple):
    """What keys mean at one place: single keys, and whole numbers that may be dialled there."""

    keys: Mapping[str, Targets]
    numbers: Mapping[str, Target]


class Choice(NamedTuple):
    """Where the keys lead; `ahead` was typed for what comes there."""

    targets: Targets
    ahead: str = ""


class Unclear(Enum):
    """What else keys can be."""

    UNFINISHED = "a number may still come of it"
    MEANINGLESS = "nothing is meant by it"


Meaning: TypeAlias = Choice | Unclear


def understand(typed: str, book: Book, *, finished: bool) -> Meaning:
    """What `typed`, at least one key, means; `finished` when no more will come.

    A number wins over a key, so `1` waits as long as it may become 101.  Keys behind one that
    begins no number were typed ahead.
    """
    begins = any(number.startswith(typed) and number != typed for number in book.numbers)
    if begins and not finished:
        return Unclear.UNFINISHED
    if (target := book.numbers.get(typed)) is not None:
        return Choice((target,))
    if typed[0] in book.keys and (len(typed) == 1 or not begins):
        return Choice(book.keys[typed[0]], typed[1:])
    return Unclear.MEANINGLESS


class Keys:
    """The keys of one leg, in order, however early they come."""

    def __init__(self, leg: Leg) -> None:
        self._leg, self._ahead = leg, ""

    async def choose(
        self, items: Sequence[Item], book: Book, *, wait: Seconds, gap: Seconds
    ) -> Choice | None:
        """Play `items` until a key is pressed and read what is meant.

        None where nothing was pressed within `wait` seconds after the end; a choice without
        targets where it means nothing.  `gap` ends a number.
        """
        typed = await self.first(items, wait)
        if not typed:
            return None
        meaning = understand(typed, book, finished=False)
        while meaning is Unclear.UNFINISHED:
            key = await self._next(gap)
            finished = not key or (key == "#" and "#" not in book.keys)
            typed += "" if finished else key
            meaning = understand(typed, book, finished=finished)
        if not isinstance(meaning, Choice):
            return Choice(())
        self._ahead = meaning.ahead + self._ahead
        return meaning

    async def first(self, items: Sequence[Item], wait: Seconds) -> str:
        """The first key, which interrupts `items`; "" after `wait` seconds of silence."""
        if items and not self._ahead and not len(self._leg.digits):
            pressed = await self._leg.play(*items, keys=ANY_KEY)
            if pressed is not None:
                return pressed
        return await self._next(wait)

    async def rest(self, first: str, *, most: int, end: str, gap: Seconds) -> str:
        """`first` and what follows it, up to `most` keys, `end` or a pause of `gap` seconds."""
        typed = ""
        key = first
        while key and key != end:
            typed += key
            if len(typed) >= most:
                break
            key = await self._next(gap)
        return typed

    async def _next(self, wait: Seconds) -> str:
        if self._ahead:
            key, self._ahead = self._ahead[0], self._ahead[1:]
            return key
        try:
            return await self._leg.digits.get(wait)
        except TimeoutError:
            return ""
