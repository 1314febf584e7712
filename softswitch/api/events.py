"""What happens, told to whoever listens, numbered so that one can resume.

Publishing costs a microsecond when nobody listens.  A listener who does not read is cut off: he
comes back with the last number he saw and misses nothing that is still kept.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

BACKLOG: Final = 1000  # events that one listener may be behind


class Event:
    """One numbered happening; its JSON is made once, and only if someone listens."""

    __slots__ = ("_text", "data", "kind", "sequence")

    def __init__(self, sequence: int, kind: str, data: Mapping[str, Any]) -> None:
        self.sequence, self.kind, self.data = sequence, kind, data
        self._text: str | None = None

    @property
    def text(self) -> str:
        """`data` as JSON on one line."""
        if self._text is None:
            self._text = json.dumps(self.data, ensure_ascii=True, default=str)
        return self._text


Wanted: TypeAlias = Callable[[Event], bool]


def everything(_: Event) -> bool:
    return True


class Listener:
    """One reader of a hub.  Ends when the hub does, or when the reader falls too far behind."""

    def __init__(self, wanted: Wanted, backlog: int) -> None:
        self._wanted, self._backlog = wanted, backlog
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self.ended = False

    def offer(self, event: Event) -> None:
        """Take an event if it is wanted; end if there are too many."""
        if self.ended or not self._wanted(event):
            return
        if len(self._events) >= self._backlog:
            self.end()
            return
        self._events.append(event)
        self._news.set()

    def end(self) -> None:
        """Nothing new comes; what is here can still be read."""
        self.ended = True
        self._news.set()

    async def next(self) -> Event | None:
        """The next event, or None at the end."""
        while not self._events and not self.ended:
            self._news.clear()
            await self._news.wait()
        return self._events.popleft() if self._events else None


class Hub:
    """Numbers events, keeps the last `keep`, hands them to listeners.  All in one event loop.

    Numbers start at the milliseconds of the clock, so they grow over a restart as well, and a
    number from before it is known to be too old.
    """

    def __init__(self, keep: int = 10_000, *, first: int | None = None) -> None:
        self._kept: deque[Event] = deque(maxlen=keep)
        self._keep = keep
        self._listeners: set[Listener] = set()
        self._next = time.time_ns() // 1_000_000 if first is None else first
        self._closed = False
        self.cut = 0  # listeners that did not read

    @property
    def heard(self) -> bool:
        """Whether anybody listens: ask before making costly data that is not kept."""
        return bool(self._listeners)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell what happened; `data` is not to be changed afterwards."""
        event = Event(self._next, kind, data)
        self._next += 1
        if self._keep:
            self._kept.append(event)
        if self._listeners:
            self._tell(event)

    def listen(
        self, after: int | None = None, wanted: Wanted = everything, backlog: int = BACKLOG
    ) -> Listener:
        """Hear all that comes, and first what came since `after`.

        Where some of that is not kept any more, the first event is `lost`, with `before` the
        number from which nothing is missing: read the state anew.
        """
        resumed = self._since(after) if after is not None else []
        listener = Listener(wanted, backlog + len(resumed))
        for event in resumed:
            listener.offer(event)
        if self._closed:
            listener.end()
        else:
            self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Tell this one nothing more; twice is harmless."""
        listener.end()
        self._listeners.discard(listener)

    def close(self) -> None:
        """End all listeners, and each that comes later."""
        self._closed = True
        for listener in list(self._listeners):
            self.leave(listener)

    def _tell(self, event: Event) -> None:
        for listener in list(self._listeners):
            listener.offer(event)
            if listener.ended:
                self.cut += 1
                self._listeners.discard(listener)

    def _since(self, after: int) -> list[Event]:
        oldest = self._kept[0].sequence if self._kept else self._next
        kept = [event for event in self._kept if event.sequence > after]
        if oldest <= after + 1 <= self._next:
            return kept
        return [Lost(oldest - 1, "lost", {"before": oldest}), *self._kept]


class Lost(Event):
    """Stands for events that are gone; everybody wants to know."""

    __slots__ = ()
