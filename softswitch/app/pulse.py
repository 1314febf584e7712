"""Whether the event loop is awake: everything that the switch decides waits for it.

A beat that comes late is the time for which nothing was done: a stall.  Each is counted, a long one
is an alarm; and where systemd watches us it hears of every beat, so that a loop that never wakes up
again is ended and started anew.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

from softswitch.pbx.alarms import Alarms
from softswitch.sip.types import Instant, Seconds

BEAT: Seconds = 0.25
NOTED: Seconds = 0.1
"""Lateness from which on it counts as a stall."""
LONG: Seconds = 1.0
"""A stall that callers notice, and that an administrator should know of…"""
REMEMBERED: Seconds = 60.0
"""…for so long."""
ALARM = "stalled"


class Pulse:
    """Counts stalls: how many, how long in all, and the longest, in seconds."""

    def __init__(self, alarms: Alarms, environ: Mapping[str, str] = os.environ) -> None:
        """`environ` may name the socket at which systemd listens (sd_notify)."""
        self.stalls = 0
        self.stalled: Seconds = 0.0
        self.longest: Seconds = 0.0
        self._alarms, self._well_at = alarms, 0.0
        self._systemd = environ.get("NOTIFY_SOCKET", "")

    async def run(self) -> None:
        """For as long as the switch runs; that it is ready is told at once."""
        loop = asyncio.get_running_loop()
        self._tell("READY=1")
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            now = loop.time()
            self.beat(now - due, now)
            self._tell("WATCHDOG=1")

    def beat(self, late: Seconds, now: Instant) -> None:
        """A beat came so late."""
        if late > NOTED:
            self.stalls += 1
            self.stalled += late
            self.longest = max(self.longest, late)
        if late > LONG:
            self._well_at = now + REMEMBERED
            self._alarms.raise_(ALARM, f"the switch stood still for {late:.1f} s")
        elif now >= self._well_at:
            self._alarms.clear(ALARM)

    def _tell(self, word: str) -> None:
        if self._systemd:
            address = self._systemd.replace("@", "\0", 1)  # a name that lies in no file system
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
                try:
                    wire.sendto(word.encode(), address)
                except OSError:  # whoever wanted to hear it is gone
                    self._systemd = ""
