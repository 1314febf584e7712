"""Which phones answer for which address of record, over a restart.

The unit is what a REGISTER's 200 lists: all bindings of one address (RFC 3261 §10.3 step 8).
A binding is a JSON object of the registrar's making; only its expiry is understood here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from softswitch.store.frame import encoded
from softswitch.store.shape import Row
from softswitch.store.writer import Writer

_TABLE: Final = "registrations"

Stored: TypeAlias = Mapping[str, Any]
"""One binding; `expires_at` is in epoch seconds, since a monotonic clock ends with its process."""


class Registrations:
    """Bindings by address of record.  Read once, at the start; the registrar lives in memory."""

    def __init__(self, writer: Writer, rows: Iterable[Row] = ()) -> None:
        self._writer = writer
        self._rows = list(rows)

    def save(self, aor: str, bindings: Sequence[Stored]) -> None:
        """Replace all bindings of `aor`; safe when this returns, so answer afterwards."""
        if not bindings:
            self._writer.drop(_TABLE, aor)
            return
        until = max(binding["expires_at"] for binding in bindings)
        self._writer.put((_TABLE, (aor, until, encoded(bindings).decode())))

    def restore(self, now: float) -> dict[str, list[dict[str, Any]]]:
        """What was bound when the switch ended and has not expired by `now`, epoch seconds.

        To be called once; 10 000 bindings take some 50 ms.
        """
        rows, self._rows = self._rows, []
        living = {aor: _alive(bindings, now) for aor, until, bindings in rows if until > now}
        for aor, until, _ in rows:
            if until <= now:
                self._writer.drop(_TABLE, aor)
        return living


def _alive(bindings: str, now: float) -> list[dict[str, Any]]:
    return [binding for binding in json.loads(bindings) if binding["expires_at"] > now]
