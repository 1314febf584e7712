"""A mailbox with one reader: what has happened to some legs and was not looked at yet."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from softswitch.sip.types import Seconds

T = TypeVar("T")


class Inbox(Generic[T]):
    """An unbounded queue whose `put` never waits; one coroutine at a time may `get`.

    Cheaper than `asyncio.Queue`: no lock, one future only while somebody waits.
    """

    __slots__ = ("_items", "_listener", "_waiter")

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._listener: Callable[[T], object] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, item: T) -> None:
        self._items.append(item)
        if self._listener is not None:
            self._listener(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self, timeout: Seconds | None = None) -> T:  # noqa: ASYNC109 — a telephone's word
        """The oldest item; TimeoutError after `timeout` seconds without one."""
        if not self._items:
            if timeout is None:
                await self._arrival()
            else:
                async with asyncio.timeout(timeout):
                    await self._arrival()
        return self._items.popleft()

    def tee(self, listener: Callable[[T], object] | None) -> None:
        """Tell `listener` of each item as it comes, beside keeping it; None ends that."""
        self._listener = listener

    def drain(self) -> list[T]:
        """What was not read, which is forgotten."""
        items = list(self._items)
        self._items.clear()
        return items

    def clear(self) -> None:
        """Forget what was not read."""
        self._items.clear()

    def __len__(self) -> int:
        return len(self._items)

    async def _arrival(self) -> None:
        while not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None


class Deaf(Inbox[T]):
    """Keeps nothing: of one who is over."""

    __slots__ = ()

    def put(self, item: T) -> None:
        """Forget it."""
