"""Which calls are parked where.  State only; what happens to them is written in `park`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator

from softswitch.calls.call import Call
from softswitch.calls.leg import Leg


class Parked:
    """One call that waits; `fetched` is done by the leg that takes it."""

    __slots__ = ("by", "call", "fetched", "since", "slot")

    def __init__(self, call: Call, slot: str, by: str) -> None:
        self.call, self.slot, self.by = call, slot, by
        self.since = time.time()
        self.fetched: asyncio.Future[Leg] = asyncio.get_running_loop().create_future()


class Parking:
    """All slots in use."""

    def __init__(self) -> None:
        self._parked: dict[str, Parked] = {}
        self.watchers: list[Callable[[str], None]] = []
        """Told of every slot that is taken or becomes free."""

    def take(self, call: Call, slots: Iterable[str], by: str) -> Parked | None:
        """Park `call` in the first free one of `slots`; None where all are taken."""
        slot = next((slot for slot in slots if self._is_free(slot)), None)
        if slot is None:
            return None
        parked = self._parked[slot] = Parked(call, slot, by)
        self._tell(slot)
        return parked

    def leave(self, parked: Parked) -> None:
        """The slot is free again; twice is harmless."""
        if self._parked.get(parked.slot) is parked:
            del self._parked[parked.slot]
            self._tell(parked.slot)

    def get(self, slot: str) -> Parked | None:
        return self._parked.get(slot)

    def __iter__(self) -> Iterator[Parked]:
        return iter(self._parked.values())

    def __contains__(self, slot: str) -> bool:
        return slot in self._parked

    def __len__(self) -> int:
        return len(self._parked)

    def _is_free(self, slot: str) -> bool:
        """Also one whose party has just hung up, though its call has not noticed yet."""
        return slot not in self._parked or self._parked[slot].call.leg.ended

    def _tell(self, slot: str) -> None:
        for watcher in self.watchers:
            watcher(slot)
