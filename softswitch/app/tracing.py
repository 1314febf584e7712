"""SIP messages for those who watch: from the transport's ring to the API's events.

Costs one call a message while nobody watches.  Knows which call a Call-ID belongs to, for a
while after that call as well.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from softswitch.api.events import Event, Hub
from softswitch.calls.leg import Leg
from softswitch.pbx.switch import Switch
from softswitch.transport.addresses import bracketed
from softswitch.transport.trace import KEPT, Trace, Traced, field

OURS: Final = "switch"
"""What our own end is called, whichever of our addresses it was."""
_USER: Final = re.compile(r"sips?:([^@;>]*)@")


class Owner(NamedTuple):
    """Whose messages those of one Call-ID are."""

    call: str | None
    extension: str | None


NOBODY: Final = Owner(None, None)


class Tracing:
    """Tells `hub` of each message while somebody listens there."""

    def __init__(self, trace: Trace, hub: Hub, switch: Switch) -> None:
        self._trace, self.hub = trace, hub
        self._switch = switch
        self._owners: dict[str, Owner] = {}  # by Call-ID, in order of age
        switch.watchers.append(self.learn)
        trace.listen(self._on_message, lambda: hub.heard)

    def passed(self, extension: str | None) -> list[Event]:
        """What is remembered, oldest first; of an extension's calls, if one is named."""
        if extension is None:
            return [Event(0, "message", self._facts(each)) for each in self._trace.recent()]
        needle = extension.encode()  # facts cost more than a look at the octets
        mentioned = {each.call_id for each in self._trace.recent() if needle in each.data}
        mentioned |= {name for name, own in self._owners.items() if own.extension == extension}
        told = [self._facts(each) for each in self._trace.recent() if each.call_id in mentioned]
        concerned = {data["sip_call_id"] for data in told if extension in data["extensions"]}
        return [Event(0, "message", data) for data in told if data["sip_call_id"] in concerned]

    def learn(self, leg: Leg) -> None:
        """A leg rings, is answered, or is over: remember whose Call-ID that is."""
        if leg.call is not None:
            self._owners[leg.session.call_id] = Owner(leg.call.id, leg.owner)
            if len(self._owners) > KEPT:
                del self._owners[next(iter(self._owners))]

    def _owner_of(self, traced: Traced) -> Owner:
        """A leg that has just begun has told nobody yet: then it is looked for."""
        call_id = traced.call_id
        if call_id not in self._owners and traced.data.startswith(b"INVITE "):
            for leg in (leg for call in self._switch.calls.values() for leg in call.legs):
                if leg.session.call_id == call_id:
                    self.learn(leg)
        return self._owners.get(call_id, NOBODY)

    def _on_message(self, traced: Traced) -> None:
        self.hub.publish("message", self._facts(traced))

    def _facts(self, traced: Traced) -> dict[str, Any]:
        far, owner = bracketed(traced.flow.remote), self._owner_of(traced)
        return {
            "at": datetime.fromtimestamp(traced.at, UTC).isoformat(timespec="milliseconds"),
            "from": far if traced.incoming else OURS,
            "to": OURS if traced.incoming else far,
            "transport": traced.flow.transport,
            "summary": traced.first_line,
            "sip_call_id": traced.call_id,
            "call": owner.call,
            "extensions": _users(traced.data, owner.extension),
            "message": traced.data.decode("utf-8", "replace"),
        }


def _users(data: bytes, owner: str | None) -> list[str]:
    """The user parts of From and To, and whose phone it is."""
    ends = field(data, b"from", b"f"), field(data, b"to", b"t")
    users = {found[1] for end in ends if (found := _USER.search(end))}
    return sorted({*users, owner} if owner else users)
