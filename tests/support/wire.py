"""Wires without sockets: one user agent facing a script, or several facing each other."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random

from softswitch.sip.events import Event
from softswitch.sip.message import Request, Response
from softswitch.sip.parser import parse
from softswitch.sip.session import Session
from softswitch.sip.settings import UaSettings
from softswitch.sip.types import Address, Flow, Instant, Seconds, Target
from softswitch.sip.ua import UserAgent
from tests.support.builders import FLOW, PEER, US
from tests.support.clock import Clock


def reraise(fault: Exception, session: Session | None) -> None:
    """A fault inside the stack fails the test that meets it."""
    raise fault


class Script:
    """One user agent whose peer is the test itself."""

    def __init__(
        self, settings: UaSettings | None = None, flow: Flow = FLOW, seed: int = 1
    ) -> None:
        self.clock = Clock()
        self.ua = UserAgent(settings or UaSettings(address=US), Random(seed), self.clock)
        self.ua.on_crash = reraise
        self.flow = flow
        self.events: list[Event] = []

    def receive(self, message: Request | Response, flow: Flow | None = None) -> None:
        self.ua.receive(message, flow or self.flow, self.clock.now)

    def sent(self) -> list[Request | Response]:
        """What was sent since the last look."""
        return [parse(transmit.data) for transmit in self.ua.drain()]

    def one(self) -> Request | Response:
        """The only message sent since the last look."""
        [message] = self.sent()
        return message

    def request(self) -> Request:
        message = self.one()
        assert isinstance(message, Request), message
        return message

    def response(self) -> Response:
        message = self.one()
        assert isinstance(message, Response), message
        return message

    def summary(self) -> list[str]:
        """What was sent since the last look, as methods and statuses."""
        return [summary(message) for message in self.sent()]

    def run(self, until: Instant) -> list[tuple[Instant, str]]:
        """Let time pass; what is sent meanwhile, and when."""
        log: list[tuple[Instant, str]] = []
        while (at := self.ua.next_timeout()) is not None and at <= until:
            self.clock.now = max(at, self.clock.now)
            self.ua.handle_timer(self.clock.now)
            log += [(round(self.clock.now, 3), text) for text in self.summary()]
        self.clock.now = until
        return log

    def call(self, **changes: object) -> Session:
        """An INVITE of ours; its first transmission is still to be looked at."""
        arguments: dict[str, object] = {
            "uri": "sip:peer@192.0.2.7",
            "target": Target("udp", *PEER),
            "from_": "<sip:us@example.org>",
            "to": "<sip:peer@example.org>",
            "sdp": b"v=0\r\n",
            "on_event": self.events.append,
        }
        return self.ua.invite(**{**arguments, **changes})  # type: ignore[arg-type]


def summary(message: Request | Response) -> str:
    return message.method if isinstance(message, Request) else str(message.status)


Fate = Callable[[bytes], list[Seconds]]
"""What becomes of a datagram: a delay for each copy that arrives."""


class Network:
    """Several user agents and the datagrams between them, under one clock."""

    def __init__(self, fate: Fate = lambda data: [0.0]) -> None:
        self.clock = Clock()
        self.agents: dict[Address, UserAgent] = {}
        self.log: list[tuple[Instant, Address, str]] = []
        self._fate = fate
        self._numbers = count()
        self._under_way: list[tuple[Instant, int, bytes, Address, Address]] = []

    def agent(self, host: str, settings: UaSettings | None = None) -> UserAgent:
        """A user agent at `host`, port 5060."""
        address = (host, 5060)
        settings = settings or UaSettings(address=address)
        ua = UserAgent(settings, Random(host), self.clock)
        ua.advertise = lambda destination: address
        ua.on_crash = reraise
        self.agents[address] = ua
        return ua

    def run(self, until: Instant) -> None:
        """Carry datagrams and ring timers, up to and including `until`."""
        while True:
            self._collect()
            due = [at for ua in self.agents.values() if (at := ua.next_timeout()) is not None]
            due += [self._under_way[0][0]] if self._under_way else []
            if not due or min(due) > until:
                break
            self.clock.now = max(self.clock.now, min(due))
            self._deliver()
            for ua in self.agents.values():
                ua.handle_timer(self.clock.now)
        self.clock.now = max(self.clock.now, until)

    def _collect(self) -> None:
        for source, ua in self.agents.items():
            for data, destination in ua.drain():
                remote = destination.remote if isinstance(destination, Flow) else destination[1:]
                self.log.append((self.clock.now, source, data.split(b" SIP/2.0")[0].decode()))
                for delay in self._fate(data):
                    at = self.clock.now + delay
                    heappush(self._under_way, (at, next(self._numbers), data, source, remote))

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0][0] <= self.clock.now:
            _, _, data, source, target = heappop(self._under_way)
            if target in self.agents:
                flow = Flow("udp", target, source)
                self.agents[target].receive(parse(data), flow, self.clock.now)
                self._collect()
