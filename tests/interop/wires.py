"""Scripted phones (tests/support/phone.py) on real sockets, for what no real phone will do."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from itertools import pairwise

from softswitch.sip.types import Address
from tests.support.ether import Ether

FRAME = 0.02
SILENCE = b"\xd5" * 160
"""20 ms of PCMA that says nothing."""


class Wires(Ether):
    """Where stations speak by UDP; each has its socket as soon as it says something."""

    def __init__(self) -> None:
        super().__init__()
        self._sockets: dict[Address, socket.socket] = {}

    def carry(self, data: bytes, source: Address, target: Address) -> None:
        if source not in self._sockets:
            self._open(source)
        self._sockets[source].sendto(data, target)

    def bind(self, opened: socket.socket, source: Address) -> None:
        """Where what `source` sends comes from."""
        opened.bind(source)

    def close(self) -> None:
        for opened in self._sockets.values():
            asyncio.get_running_loop().remove_reader(opened)
            opened.close()

    def _open(self, source: Address) -> None:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        self.bind(opened, source)
        self._sockets[source] = opened
        asyncio.get_running_loop().add_reader(opened, self._read, opened, source)

    def _read(self, opened: socket.socket, source: Address) -> None:
        data, sender = opened.recvfrom(65536)
        if source in self.stations:
            self.stations[source].receive(data, sender)


class Handset:
    """The RTP of one phone: sends every 20 ms while told so, and notes when something came."""

    def __init__(self, ssrc: int) -> None:
        self._socket = self._bound()
        self._ssrc, self._sequence = ssrc, 0
        self._target: Address | None = None
        self._task: asyncio.Task[None] | None = None
        self.arrivals: list[float] = []

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def send_to(self, target: Address) -> None:
        self._target = target
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send())

    def move(self) -> None:
        """Speak from another socket from now on; the old one is gone."""
        self._close_socket()
        self._socket = self._bound()

    def longest_gap(self, since: float) -> float:
        """The longest time without a packet, in seconds, between `since` and the last one."""
        times = [since, *(at for at in self.arrivals if at >= since)]
        return max(later - earlier for earlier, later in pairwise(times))

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._close_socket()

    def _bound(self) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.bind(("127.0.0.1", 0))
        asyncio.get_running_loop().add_reader(opened, self._read)
        return opened

    def _close_socket(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        self._socket.recv(2048)
        self.arrivals.append(time.monotonic())

    async def _send(self) -> None:
        while True:
            self._sequence += 1
            stamp = self._sequence * 160
            head = struct.pack("!BBHII", 0x80, 8, self._sequence, stamp, self._ssrc)
            if self._target is not None:
                self._socket.sendto(head + SILENCE, self._target)
            await asyncio.sleep(FRAME)
