"""Datagrams between user agents on one loop: no socket, and a millisecond on the way."""

from __future__ import annotations

import asyncio
from random import Random

from softswitch.sip.parser import parse
from softswitch.sip.session import Session
from softswitch.sip.settings import UaSettings
from softswitch.sip.types import Address, Flow
from softswitch.sip.ua import UserAgent

DELAY = 0.001


class Ether:
    """Where stations find one another by address; `log` tells who said what."""

    def __init__(self) -> None:
        self.stations: dict[Address, Station] = {}
        self.log: list[tuple[Address, Address, str]] = []
        self.faults: list[Exception] = []

    def carry(self, data: bytes, source: Address, target: Address) -> None:
        self.log.append((source, target, data.split(b"\r\n", 1)[0].decode()))
        if target in self.stations:
            loop = asyncio.get_running_loop()
            loop.call_later(DELAY, self._deliver, data, source, target)

    def _deliver(self, data: bytes, source: Address, target: Address) -> None:
        station = self.stations.get(target)
        if station is not None:
            station.receive(data, source)


class Station:
    """One user agent at one address."""

    def __init__(self, ether: Ether, address: Address, settings: UaSettings | None = None) -> None:
        self.ether, self.address = ether, address
        self._loop = asyncio.get_running_loop()
        settings = settings or UaSettings(address=address, product="")
        self.ua = UserAgent(settings, Random(f"{address[0]}:{address[1]}"), self._loop.time)
        self.ua.advertise = lambda _: self.address
        self.ua.on_crash = self._crashed
        self.ua.output.on_first = self._wake
        self._timer: asyncio.TimerHandle | None = None
        ether.stations[address] = self

    def move(self, address: Address) -> None:
        """The same user agent, somewhere else from now on."""
        del self.ether.stations[self.address]
        self.address = address
        self.ether.stations[address] = self

    def silence(self) -> None:
        """The power fails: it neither hears nor says anything any more."""
        self.ether.stations.pop(self.address, None)
        self.ua.output.on_first = lambda: None

    def receive(self, data: bytes, source: Address) -> None:
        flow = Flow("udp", self.address, source)
        self.ua.receive(parse(data), flow, self._loop.time())
        self._flush()

    def _wake(self) -> None:
        self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        for data, destination in self.ua.drain():
            remote = destination.remote if isinstance(destination, Flow) else destination[1:]
            self.ether.carry(data, self.address, remote)
        if self._timer is not None:
            self._timer.cancel()
        at = self.ua.next_timeout()
        self._timer = None if at is None else self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self.ua.handle_timer(self._loop.time())
        self._flush()

    def _crashed(self, fault: Exception, session: Session | None) -> None:
        self.ether.faults.append(fault)
