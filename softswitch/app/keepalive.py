"""Datagrams that keep the way to phones behind NAT open (RFC 5626 §4.4.1, from our side).

A router forgets a UDP mapping after half a minute of silence; two line breaks, which no phone
answers, keep it.  Streams need none: they are kept by their own idle time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from softswitch.sip.binding import Binding
from softswitch.sip.registrar import Registrar
from softswitch.sip.route import is_behind_nat
from softswitch.sip.types import Destination, Seconds
from softswitch.sip.uri import SipUri

PING = b"\r\n\r\n"
BATCH = 100
"""Phones between two breaths of the loop."""
IDLE: Seconds = 30.0
"""Between looks at whether there is anything to do."""


class Keepalive:
    """Pings each phone behind NAT once in `interval()` seconds, evenly spread; 0: none."""

    def __init__(
        self,
        registrar: Registrar,
        send: Callable[[bytes, Destination], bool],
        interval: Callable[[], Seconds],
    ) -> None:
        self._registrar, self._send, self._interval = registrar, send, interval

    async def run(self) -> None:
        while True:
            interval = self._interval()
            phones = list(self._registrar) if interval else []
            pause = interval / (len(phones) // BATCH + 1) if interval else IDLE
            for first in range(0, max(len(phones), 1), BATCH):
                for binding in phones[first : first + BATCH]:
                    self._ping(binding)
                await asyncio.sleep(pause)

    def _ping(self, binding: Binding) -> None:
        """What a failed ping means is found out by the next call."""
        flow = binding.flow
        if flow is not None and flow.transport == "udp":
            nearest = binding.path[0] if binding.path else binding.uri
            if is_behind_nat(SipUri.parse(nearest).host, flow):
                self._send(PING, flow)
