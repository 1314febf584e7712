"""Addresses as an administrator writes them: `udp:0.0.0.0:5060`, `16384-32767`."""

import ipaddress
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, Self, TypeAlias

from pydantic import GetCoreSchemaHandler, PlainSerializer, PlainValidator
from pydantic_core import CoreSchema, core_schema

TRANSPORTS = ("udp", "tcp", "tls")
LATER = ("ws", "wss")


def split_host_port(text: str) -> tuple[str, int]:
    """`host:port`, `[v6]:port`; raises ValueError with the repair."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f'"{text}": put an IPv6 address in brackets, as in [::1]:5060')
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f'"{text}" is no address; write it as 127.0.0.1:5060 or [::1]:5060')
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def join_host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Listen(NamedTuple):
    """One SIP listener.  Port 0 takes a free one."""

    transport: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: object) -> Self:
        transport, _, rest = str(text).partition(":")
        if transport not in TRANSPORTS + LATER:
            raise ValueError(
                f'"{text}" names no transport; write it as udp:0.0.0.0:5060'
                f" (transports: {', '.join(TRANSPORTS)})"
            )
        if transport in LATER:
            raise ValueError(f'"{text}": WebSocket is not served yet; take udp:, tcp: or tls:')
        host, port = split_host_port(rest)
        _must_be_literal(host, f"{transport}:…")
        return cls(transport, host, port)

    def __str__(self) -> str:
        return f"{self.transport}:{join_host_port(self.host, self.port)}"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(lambda value: value if isinstance(value, cls) else cls.parse(value))


class HostPort(NamedTuple):
    """Where something listens or is reached, over a transport that is understood."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: object) -> Self:
        return cls(*split_host_port(str(text)))

    def __str__(self) -> str:
        return join_host_port(self.host, self.port)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(lambda value: value if isinstance(value, cls) else cls.parse(value))


class Ports(NamedTuple):
    """A range of ports, both ends included."""

    low: int
    high: int

    @classmethod
    def parse(cls, text: object) -> Self:
        low, dash, high = str(text).partition("-")
        if not (dash and low.strip().isdigit() and high.strip().isdigit()):
            raise ValueError(f'"{text}" is no range; write it as 16384-32767')
        ports = cls(int(low), int(high))
        if not 1024 <= ports.low < ports.high <= 65535:
            raise ValueError(f'"{text}": a range lies within 1024-65535, the lower port first')
        return ports

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(lambda value: value if isinstance(value, cls) else cls.parse(value))


def _plain(validate: Callable[[object], object]) -> CoreSchema:
    return core_schema.no_info_plain_validator_function(
        validate, serialization=core_schema.to_string_ser_schema()
    )


def _must_be_literal(host: str, key: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f'"{host}": {key} takes an IP address, not a host name') from None


def _literal(text: object) -> str:
    _must_be_literal(str(text), "this setting")
    return str(text)


def _network(text: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        raise ValueError(f'"{text}" is no network; write it as 192.0.2.0/24') from None


IpAddress: TypeAlias = Annotated[str, PlainValidator(_literal)]
"""An IP address, not a host name."""

Network: TypeAlias = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network,
    PlainValidator(_network),
    PlainSerializer(str),
]
"""A network, `192.0.2.0/24`, or one address."""
