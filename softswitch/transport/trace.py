"""What was said lately: a ring of raw messages, those who watch it, and ladders drawn of it.

Recording is one tuple and one append; Call-ID, numbers and first lines are looked for
only when somebody asks.  Reads messages leniently, since it must show broken ones too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from softswitch.sip.types import Address, Flow
from softswitch.transport.addresses import bracketed

KEPT = 4096
"""Messages remembered; about 4 MB."""

MAX_COLUMNS = 8
TIME = 13
"""Characters of `22:13:20.250 `."""

COLUMN = 28
"""Characters from one line of a ladder to the next."""


class Traced(NamedTuple):
    """One message as it passed the socket."""

    at: float
    """Wall clock, seconds since 1970."""
    incoming: bool
    flow: Flow
    data: bytes

    @property
    def call_id(self) -> str:
        """The Call-ID, "" where there is none."""
        return field(self.data, b"call-id", b"i")

    @property
    def first_line(self) -> str:
        """`INVITE sip:102@…` or `180 Ringing`: the first line without the version."""
        line = self.data[:400].lstrip(b"\r\n").split(b"\r\n", 1)[0].decode("utf-8", "replace")
        line = line[8:] if line.startswith("SIP/2.0 ") else line.removesuffix(" SIP/2.0")
        return "".join(letter if letter.isprintable() else "?" for letter in line)

    @property
    def ends(self) -> tuple[Address, Address]:
        """Who spoke, and to whom."""
        flow = self.flow
        return (flow.remote, flow.local) if self.incoming else (flow.local, flow.remote)

    def names(self, extension: str) -> bool:
        """Whether From or To is this extension."""
        user = f":{extension}@"
        return user in field(self.data, b"from", b"f") or user in field(self.data, b"to", b"t")


def always() -> bool:
    """Whether messages are wanted by one who wants them all."""
    return True


class Trace:
    """The ring, and whoever listens.

    `record` is on the path of every message.  A listener is called at once with each
    `Traced` and must neither block nor raise; `listen` returns what stops it.
    """

    def __init__(self, kept: int = KEPT, clock: Callable[[], float] = time.time) -> None:
        self._ring: deque[tuple[float, bool, Flow, bytes]] = deque(maxlen=kept)
        self._listeners: list[tuple[Callable[[Traced], None], Callable[[], bool]]] = []
        self._clock = clock

    def record(self, incoming: bool, flow: Flow, data: bytes) -> None:
        """Remember one message."""
        raw = self._clock(), incoming, flow, data
        self._ring.append(raw)
        if self._listeners:
            for listener, wanted in self._listeners:
                if wanted():
                    listener(Traced(*raw))

    def listen(
        self, listener: Callable[[Traced], None], wanted: Callable[[], bool] = always
    ) -> Callable[[], None]:
        """Have every message from now on that comes while it is `wanted`; call the result to
        have no more."""
        entry = listener, wanted
        self._listeners = [*self._listeners, entry]

        def stop() -> None:
            self._listeners = [each for each in self._listeners if each is not entry]

        return stop

    def recent(self, *, call_id: str | None = None, extension: str | None = None) -> list[Traced]:
        """What is remembered, oldest first; of one call, or of an extension's calls."""
        kept = [Traced(*raw) for raw in self._ring]
        if extension is not None:
            calls = {traced.call_id for traced in kept if traced.names(extension)}
            kept = [traced for traced in kept if traced.call_id in calls]
        if call_id is not None:
            kept = [traced for traced in kept if traced.call_id == call_id]
        return kept


def field(data: bytes, name: bytes, compact: bytes) -> str:
    """The first value of a header field, by its long name or its compact one; "" without."""
    head = data.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() in (name, compact):
            return value.strip().decode("utf-8", "replace")
    return ""


class Ladder:
    """Draws messages as a ladder, one column an address, in the order they appear.

    Lines come one at a time, so that a live trace can be drawn as it happens: `draw`
    gives the heading again whenever a new party joins.
    """

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._columns: list[Address] = []

    def draw(self, traced: Traced) -> list[str]:
        """The lines for one more message, heading included where it changed."""
        known = [*self._columns]
        self._columns += [end for end in dict.fromkeys(traced.ends) if end not in known]
        while len(self._columns) > MAX_COLUMNS:  # a ladder must fit a screen
            self._columns.remove(next(c for c in self._columns if c not in traced.ends))
        heading = [self._heading()] if self._columns != known else []
        at = datetime.fromtimestamp(traced.at, self._zone)
        return [*heading, f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {self._rung(traced)}"]

    def _heading(self) -> str:
        return " " * TIME + "".join([bracketed(c).center(COLUMN) for c in self._columns]).rstrip()

    def _rung(self, traced: Traced) -> str:
        """Upright lines, and an arrow with the first line from speaker to listener."""
        start, end = (self._columns.index(each) for each in traced.ends)
        drawn = list(("|".center(COLUMN)) * len(self._columns))
        middle = drawn.index("|")
        left, right = (place * COLUMN + middle for place in sorted((start, end)))
        width = max(right - left - 1, COLUMN // 2)  # who talks to itself has half a column
        shaft = f" {traced.first_line[: width - 5]} ".center(width - 1, "-")
        drawn[left + 1 : left + 1 + width] = shaft + ">" if start <= end else "<" + shaft
        return "".join(drawn).rstrip()


def ladder(messages: Iterable[Traced], zone: tzinfo = UTC) -> list[str]:
    """A whole ladder, as `softswitch trace` prints it."""
    drawing = Ladder(zone)
    return [line for traced in messages for line in drawing.draw(traced)]
