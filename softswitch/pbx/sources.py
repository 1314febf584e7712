"""Whose call this is: the trunks by the addresses that their calls come from.

Knows addresses and flows.  What a trunk must prove besides is the gatekeeper's affair.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from config.addresses import is_loopback
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.peers import Line
from softswitch.sip.types import Address, Flow

log = structlog.get_logger("trunks")

MANY = 1000
"""Addresses that are warned of once each; then no more."""


class Sources:
    """The addresses of all trunks."""

    def __init__(self) -> None:
        self._lines: dict[Address, list[Line]] = {}
        self._hosts: dict[str, list[Line]] = {}
        self._servers: dict[str, str] = {}
        """The trunk of which some server has that host."""
        self.suspected: set[Address] = set()
        """Whom the log has warned of."""

    def know(self, carriers: Iterable[Carrier]) -> None:
        """These are the trunks now, and these their servers."""
        self._lines, self._hosts, self._servers = {}, {}, {}
        for carrier in carriers:
            line = Line(carrier.name, carrier.trunk)
            addresses = [(source.host, source.port) for source in carrier.trunk.sources]
            targets = [server.target for server in carrier.servers]
            for address in addresses or [(target.host, target.port) for target in targets]:
                self._lines.setdefault(address, []).append(line)
            streams = {target.host for target in targets if target.reliable}
            for host in streams | {host for host, _ in addresses}:
                self._hosts.setdefault(host, []).append(line)
            for target in targets:
                self._servers.setdefault(target.host, carrier.name)

    def of(self, flow: Flow, called: str = "") -> Line | None:
        """The trunk whose address this flow comes from.

        By UDP that is address and port.  A stream comes from any port: there the address
        decides, where only one trunk has it.  Of several accounts at one server it is the
        one that is `called` by its name, else the first.
        """
        known = self._lines.get(flow.remote, [])
        if not known and flow.reliable:
            of_host = self._hosts.get(flow.remote[0], [])
            known = of_host if len(of_host) == 1 else []
        mine = (line for line in known if line.trunk.username == called)
        return next(mine, known[0] if known else None)

    def suspect(self, address: Address) -> None:
        """A call from `address` was asked for a password; say so where a trunk may be meant."""
        if is_loopback(address[0]) or address in self.suspected or len(self.suspected) > MANY:
            return
        trunk = self._servers.get(address[0])
        if trunk is not None:
            self.suspected.add(address)
            log.warning(
                "a call from the host of a trunk, but from another port, is asked for a "
                "password; if it is the trunk's, add the address to its sources",
                trunk=trunk,
                address=f"{address[0]}:{address[1]}",
            )
