"""`[hep]`: copies of every SIP message to a collector, begun and ended as settings change."""

from __future__ import annotations

from collections.abc import Callable

from config.settings import Settings
from config.sip import HepTable
from softswitch.app.settings import revealed
from softswitch.transport.hep import HepSender
from softswitch.transport.trace import Trace


class Homer:
    """At most one sender, as the settings of the day want it."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._table: HepTable | None = None
        self._sender: HepSender | None = None
        self._stop: Callable[[], None] | None = None

    @property
    def lost(self) -> int:
        """Packets that the kernel did not take."""
        return self._sender.lost if self._sender is not None else 0

    def apply(self, settings: Settings) -> None:
        """Send to the collector of these settings from now on; None: to nobody."""
        if settings.hep == self._table:
            return
        self.close()
        self._table = table = settings.hep
        if table is not None:
            collector = table.server.host, table.server.port
            self._sender = HepSender(collector, table.capture_id, revealed(table.password))
            self._stop = self._trace.listen(self._sender)

    def close(self) -> None:
        """Send nothing more."""
        if self._stop is not None and self._sender is not None:
            self._stop()
            self._sender.close()
        self._table = self._sender = self._stop = None
