"""Who is slowed, silenced or dropped: sources that guess passwords or flood.

Judges by the socket's address alone, never by a header.  A phone that is registered is
judged by its own address and port, so that it never pays for a neighbour behind the same
NAT, nor they for it.  Memory is bounded.  Knows no message: it is asked before parsing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

from softswitch.sip.types import Address, Instant, Seconds

Source: TypeAlias = str | Address
"""A host, an IPv6 network of 64 bits, or the flow of a registered phone."""


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """When patience ends."""

    slow_after: int = 10
    """Failures after which a source is heard once in `interval`."""
    silence_after: int = 50
    """Failures after which it is not heard at all, the right password included."""
    silence: Seconds = 600.0
    """How long not; and how long a source must behave until its failures are forgotten."""
    flood_rate: float = 500.0
    """Messages a second."""
    flood_burst: int = 2000
    """Messages at once, before the rate counts."""
    interval: Seconds = 1.0
    """Time between two messages of a slowed source."""
    backlog: int = 4
    """Messages of a slowed source that may wait; more are dropped."""
    sources: int = 50_000
    """Sources remembered."""


class State(StrEnum):
    FLOODING = "flooding"
    SLOWED = "slowed"
    SILENCED = "silenced"


@dataclass(frozen=True, slots=True)
class Suspect:
    """One line of the status: who, what is done to it, why, until when (None: while it lasts)."""

    source: str
    state: State
    failures: int
    dropped: int
    until: Instant | None


@dataclass(slots=True)
class _Record:
    tokens: float
    refilled: Instant
    failures: int = 0
    failed_at: Instant = 0.0
    silent_until: Instant = float("-inf")
    free_at: Instant = float("-inf")
    dropped: int = 0
    flooded_at: Instant = float("-inf")


class Guard:
    """Asked before each message is parsed, told of each failure.

    `registered(address)` tells whether a phone is registered from there now.
    """

    def __init__(
        self,
        limits: GuardLimits,
        registered: Callable[[Address], bool],
        trusted: Iterable[str] = (),
    ) -> None:
        self.dropped = 0
        self._registered = registered
        self._records: dict[Source, _Record] = {}
        self._origin = lru_cache(maxsize=65_536)(self._origin_of)
        self.apply(limits, trusted)

    def apply(self, limits: GuardLimits, trusted: Iterable[str]) -> None:
        """Judge by these from now on; what is known of each source stays."""
        self._limits = limits
        networks = [ip_network(text) for text in trusted]
        self._trusted_four = [
            (int(net.network_address), int(net.netmask)) for net in networks if net.version == 4
        ]
        self._trusted_six = [net for net in networks if isinstance(net, IPv6Network)]
        self._origin.cache_clear()

    def admit(self, address: Address, now: Instant) -> Seconds | None:
        """How long this message has to wait before it is parsed: mostly 0.  None: drop it."""
        source = self._source(address)
        if source is None:
            return 0.0
        record = self._touch(source, now)
        wait = self._wait(record, now)
        if wait is None:
            record.dropped += 1
            self.dropped += 1
        return wait

    def failed(self, address: Address, now: Instant) -> None:
        """A wrong password, an unknown user, or whatever else only a stranger does."""
        source = self._source(address)
        if source is None:
            return
        record = self._touch(source, now)
        if self._is_forgiven(record, now):
            record.failures = 0
        record.failures += 1
        record.failed_at = now
        if record.failures >= self._limits.silence_after:
            record.silent_until = now + self._limits.silence

    def status(self, now: Instant) -> list[Suspect]:
        """Everybody who is not heard as usual, the worst first."""
        suspects = [
            Suspect(_text(source), state, record.failures, record.dropped, _until(state, record))
            for source, record in self._records.items()
            if (state := self._state(record, now)) is not None
        ]
        return sorted(suspects, key=lambda suspect: (-suspect.failures, -suspect.dropped))

    def lift(self, source: str) -> bool:
        """Forget everything about a source as `status` names it; False if it is unknown."""
        named = [known for known in self._records if _text(known) == source]
        for known in named:
            del self._records[known]
        return bool(named)

    def _wait(self, record: _Record, now: Instant) -> Seconds | None:
        limits = self._limits
        earned = (now - record.refilled) * limits.flood_rate
        record.tokens = min(record.tokens + earned, limits.flood_burst)
        record.refilled = now
        if record.tokens < 1:
            record.flooded_at = now
            return None
        record.tokens -= 1
        if now < record.silent_until:
            return None
        if record.failures < limits.slow_after or self._is_forgiven(record, now):
            return 0.0
        return self._queue(record, now)

    def _queue(self, record: _Record, now: Instant) -> Seconds | None:
        """The next free slot of a slowed source."""
        limits = self._limits
        slot = max(record.free_at, now) + limits.interval
        if slot - now > limits.backlog * limits.interval:
            return None
        record.free_at = slot
        return slot - now

    def _is_forgiven(self, record: _Record, now: Instant) -> bool:
        last = max(record.failed_at + self._limits.silence, record.silent_until)
        return record.failures > 0 and now >= last

    def _state(self, record: _Record, now: Instant) -> State | None:
        if now < record.silent_until:
            return State.SILENCED
        if record.failures >= self._limits.slow_after and not self._is_forgiven(record, now):
            return State.SLOWED
        if now - record.flooded_at < self._limits.interval:
            return State.FLOODING
        return None

    def _source(self, address: Address) -> Source | None:
        """Whom a packet is charged to; None for those whom we trust."""
        origin = self._origin(address[0])
        return address if origin is not None and self._registered(address) else origin

    def _origin_of(self, host: str) -> str | None:
        """Whoever has one IPv6 address has the 64 bits of its network at will."""
        if ":" not in host:
            number = int(IPv4Address(host))
            return None if any(number & mask == net for net, mask in self._trusted_four) else host
        address = IPv6Address(host.partition("%")[0])
        if address.ipv4_mapped is not None:
            return self._origin_of(str(address.ipv4_mapped))
        if any(address in network for network in self._trusted_six):
            return None
        if address.is_loopback:
            return str(address)
        return str(ip_network((address, 64), strict=False))

    def _touch(self, source: Source, now: Instant) -> _Record:
        record = self._records.pop(source, None)
        if record is None:
            record = _Record(self._limits.flood_burst, now)
            if len(self._records) >= self._limits.sources:
                self._forget_one(now)
        self._records[source] = record  # at the end: the first was not heard for the longest
        return record

    def _forget_one(self, now: Instant) -> None:
        """Make room; suspects stay if a harmless source is found among the oldest few."""
        for _ in range(8):
            source = next(iter(self._records))
            record = self._records.pop(source)
            if self._state(record, now) is None:
                return
            self._records[source] = record
        del self._records[next(iter(self._records))]


def _until(state: State, record: _Record) -> Instant | None:
    return record.silent_until if state is State.SILENCED else None


def _text(source: Source) -> str:
    if isinstance(source, str):
        return source
    host, port = source
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
