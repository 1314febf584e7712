"""Whom we promised to call back, and what is to be remembered of the first call.

It lies in the store, so a restart loses none: the call's line, language, what menus collected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from acd.types import CallId, Seconds
from softswitch.calls.call import Call
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.store.state import State

FAREWELL: Seconds = 4.0
"""How long one who has asked for a callback may take to hang up."""
SPACE = "callbacks"
"""Where the store remembers promises, by call."""


class Promises:
    """All that stand."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._leaving: WeakValueDictionary[CallId, Call] = WeakValueDictionary()
        """Those who asked, until they have hung up."""

    def give(self, call: Call, known_as: CallId) -> None:
        """`call` will be called back; what that is to know of this one."""
        facts = {
            "name": call.leg.party.name,
            "line": call.line,
            "language": call.language,
            "fields": call.fields,
            "tags": call.tags,
        }
        self.keep(known_as, facts)
        self._leaving[known_as] = call

    def keep(self, known_as: CallId, facts: Mapping[str, Any]) -> None:
        with suppress(JournalFullError):  # he is called back all the same
            self._state.set(SPACE, known_as, dict(facts))

    def forget(self, known_as: CallId) -> None:
        """Kept, or in vain."""
        with suppress(JournalFullError):  # what is left over does no harm
            self._state.remove(SPACE, known_as)

    def line(self, known_as: CallId) -> str | None:
        """The number that the customer had called."""
        line: str | None = self._kept(known_as).get("line")
        return line

    def tell(self, call: Call, known_as: CallId) -> None:
        """Let the call back know what the first one knew."""
        kept = self._kept(known_as)
        call.line, call.language = kept.get("line"), kept.get("language")
        call.fields, call.tags = dict(kept.get("fields") or {}), tuple(kept.get("tags") or ())

    async def farewell(self, known_as: CallId) -> None:
        """Wait until he who asked has hung up: his line is not free before."""
        leaving = self._leaving.pop(known_as, None)
        if leaving is not None and leaving.task is not None:
            await asyncio.wait((leaving.task,), timeout=FAREWELL)

    def _kept(self, known_as: CallId) -> Mapping[str, Any]:
        return self._state.get(SPACE, known_as) or {}
