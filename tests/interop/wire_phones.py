"""The scripted phones of `tests.support` on real sockets, many in one loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from softswitch.sip.types import Address, ParseError
from tests.interop.ports import free_ports
from tests.support.ether import Ether
from tests.support.phone import Phone

HERE = "127.0.0.1"


class WirePhones(Ether):
    """Phones on this machine that talk to a switch at `switch`."""

    def __init__(self, switch: Address, domain: str) -> None:
        super().__init__()
        self._switch, self._domain = switch, domain
        self._sockets: dict[Address, asyncio.DatagramTransport] = {}

    async def phone(self, number: str) -> Phone:
        """A phone of an extension, not registered yet."""
        address = HERE, free_ports()
        phone = Phone(self, self._switch, number, address, domain=self._domain)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self, address), local_addr=address
        )
        self._sockets[address] = transport
        return phone

    def carry(self, data: bytes, source: Address, target: Address) -> None:
        transport = self._sockets.get(source)
        if transport is not None and not transport.is_closing():
            transport.sendto(data, target)

    def close(self) -> None:
        for transport in self._sockets.values():
            transport.close()


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, phones: WirePhones, address: Address) -> None:
        self._phones, self._address = phones, address

    def datagram_received(self, data: bytes, addr: Address) -> None:
        with suppress(ParseError):  # a keep-alive is no message
            self._phones.stations[self._address].receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there at this moment: the switch is being started."""
