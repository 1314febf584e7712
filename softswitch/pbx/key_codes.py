"""Codes pressed in mid-call: which keys, one after another and not too slowly, make one."""

from __future__ import annotations

from functools import lru_cache

from config.codes import InCallTable
from softswitch.sip.types import Instant


class KeyCodes:
    """What one party has pressed so far.

    Digits that begin no code are forgotten at once: they are for the other party.
    """

    def __init__(self, settings: InCallTable) -> None:
        self._codes, self._patience = codes_of(settings), settings.digit_time
        self._pressed, self._at = "", 0.0

    def press(self, digit: str, now: Instant) -> str | None:
        """The feature whose code `digit` completes, as `[in_call]` names it."""
        before = self._pressed if now - self._at <= self._patience else ""
        self._pressed, self._at = "", now
        for keys in (before + digit, digit):
            if keys in self._codes:
                return self._codes[keys]
            if any(code.startswith(keys) for code in self._codes):
                self._pressed = keys
                return None
        return None


@lru_cache(maxsize=8)
def codes_of(settings: InCallTable) -> dict[str, str]:
    """Feature by code; those that are switched off are left out."""
    named = {name: getattr(settings, name) for name in InCallTable.model_fields}
    return {code: name for name, code in named.items() if isinstance(code, str) and code}
