"""SIP messages for those who watch: from the transport's ring to the API's events.

Costs one call a message while nobody watches.  Knows which call a Call-ID belongs to, for a
while after that call as well.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from softswitch.api.events import Event, Hub
from softswitch.calls.leg import Leg
from softswitch.transport.addresses import bracketed
from softswitch.transport.trace import KEPT, Trace, Traced, field

OURS: Final = "switch"
"""What our own end is called, whichever of our addresses it was."""
_USER: Final = re.compile(r"sips?:([^@;>]*)@")


class Tracing:
    """Tells `hub` of each message while somebody listens there."""

    def __init__(self, trace: Trace, hub: Hub) -> None:
        self._trace, self.hub = trace, hub
        self._calls: dict[str, str] = {}  # by Call-ID, in order of age
        trace.listen(self._on_message)

    def passed(self, extension: str | None) -> list[Event]:
        """What is remembered, oldest first."""
        return [
            Event(0, "message", self._facts(each))
            for each in self._trace.recent(extension=extension)
        ]

    def learn(self, leg: Leg) -> None:
        """A leg rings, is answered, or is over: remember whose Call-ID that is."""
        if leg.call is not None:
            self._calls[leg.session.call_id] = leg.call.id
            if len(self._calls) > KEPT:
                del self._calls[next(iter(self._calls))]

    def _on_message(self, traced: Traced) -> None:
        if self.hub.heard:
            self.hub.publish("message", self._facts(traced))

    def _facts(self, traced: Traced) -> dict[str, Any]:
        far = bracketed(traced.flow.remote)
        return {
            "at": datetime.fromtimestamp(traced.at, UTC).isoformat(timespec="milliseconds"),
            "from": far if traced.incoming else OURS,
            "to": OURS if traced.incoming else far,
            "transport": traced.flow.transport,
            "summary": traced.first_line,
            "sip_call_id": traced.call_id,
            "call": self._calls.get(traced.call_id),
            "extensions": _users(traced.data),
            "message": traced.data.decode("utf-8", "replace"),
        }


def _users(data: bytes) -> list[str]:
    """The user parts of From and To."""
    ends = field(data, b"from", b"f"), field(data, b"to", b"t")
    return [found[1] for end in ends if (found := _USER.search(end))]
