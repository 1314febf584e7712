"""All our sockets in one hand: what is sent finds its way by its destination.

Binds listeners, gives each message to the receiver, and knows under which of our
addresses a peer sees us.  WebSocket flows (`ws`, `wss`) have their place here and no
listener yet.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from softswitch.sip.types import (
    DEFAULT_PORT,
    Address,
    Destination,
    Flow,
    SwitchError,
    Target,
)
from softswitch.transport.addresses import bind, bracketed, is_wildcard, source_address
from softswitch.transport.limits import DEFAULT, Limits
from softswitch.transport.streams import Receiver, Streams
from softswitch.transport.udp import UdpEndpoint


class ListenError(SwitchError):
    """A listener cannot be had; the sentence names it, the reason and the repair."""


class Listener(NamedTuple):
    """Where SIP is spoken: `transport` is udp, tcp or tls, `host` an IP literal."""

    transport: str
    host: str
    port: int


class Transports:
    """UDP, TCP and TLS together; what comes in goes to `receiver`."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        limits: Limits = DEFAULT,
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        self._receiver = receiver
        self._udp: list[UdpEndpoint] = []
        self._by_local: dict[Address, UdpEndpoint] = {}
        self._bound: dict[str, list[Address]] = {"tcp": [], "tls": []}
        ids = count(1)
        tcp = Streams("tcp", receiver, limits=limits, ids=ids)
        tls = Streams("tls", receiver, limits=limits, ids=ids, client_tls=client_tls)
        self.streams = {"tcp": tcp, "tls": tls}

    async def listen(
        self, listeners: Sequence[Listener], server_tls: ssl.SSLContext | None = None
    ) -> list[Listener]:
        """Bind all; the result has the ports that were taken for port 0.

        Raises ListenError for the first that cannot be had; `close` then frees the rest.
        """
        dual = not any(is_wildcard(each.host) and ":" not in each.host for each in listeners)
        taken = []
        for each in listeners:
            bound = _bind(each, dual=dual)
            host, port = bound.getsockname()[:2]
            if each.transport == "udp":
                self._udp.append(UdpEndpoint(bound, self._receiver.receive, self._receiver.failed))
            else:
                tls = server_tls if each.transport == "tls" else None
                await self.streams[each.transport].listen(bound, tls)
                self._bound[each.transport].append((host, port))
            taken.append(Listener(each.transport, host, port))
        return taken

    def send(self, data: bytes, destination: Destination) -> bool:
        """Send by a flow, or to a target by whatever connection serves it.

        False where that is known to be in vain; later failures are told to the receiver.
        """
        if destination.transport != "udp":
            streams = self.streams.get(destination.transport)
            return streams is not None and streams.send(data, destination)
        if isinstance(destination, Flow):
            endpoint = self._by_local.get(destination.local) or self._endpoint(destination)
            return endpoint is not None and endpoint.send(data, destination.remote)
        endpoint = self._leaving(destination.host)
        return endpoint is not None and endpoint.send(data, (destination.host, destination.port))

    def expect(self, target: Target, name: str) -> None:
        """Believe whoever answers at this TLS target only if it proves to be `name`.

        RFC 5922 §4: that is the host in the URI, which the target's address has lost.
        """
        self.streams["tls"].names[target] = name

    def local(self, destination: Destination) -> Address:
        """Where the peer at `destination` can reach us by the same transport.

        For streams that is our listener, not the port that a connection of ours happens
        to have.
        """
        transport = destination.transport
        if isinstance(destination, Target):
            host = destination.host
            if transport == "udp" and (endpoint := self._leaving(host)) is not None:
                return endpoint.local(host)
        else:
            host = destination.remote[0]
            if transport == "udp":
                return destination.local
        return self._listening(transport, host)

    async def close(self) -> None:
        """Close every socket."""
        for endpoint in self._udp:
            endpoint.close()
        for streams in self.streams.values():
            await streams.close()

    def _endpoint(self, flow: Flow) -> UdpEndpoint | None:
        """The socket of a flow: the one with its port, since flows outlive a restart."""
        host, port = flow.remote[0], flow.local[1]
        fitting = [each for each in self._udp if each.port == port and each.serves(host)]
        exact = [each for each in fitting if each.host == flow.local[0]]
        endpoint = next(iter([*exact, *fitting]), None) or self._leaving(host)
        if endpoint is not None:
            self._by_local[flow.local] = endpoint
        return endpoint

    def _leaving(self, host: str) -> UdpEndpoint | None:
        """The socket by which a datagram to `host` leaves: the one on its way, if any."""
        serving = [each for each in self._udp if each.serves(host)]
        if len(serving) > 1:
            way = source_address(host)
            serving.sort(key=lambda each: each.host != way and not is_wildcard(each.host))
        return serving[0] if serving else None

    def _listening(self, transport: str, host: str) -> Address:
        way = source_address(host)
        bound = self._bound.get(transport, [])
        for address, port in bound:
            if is_wildcard(address) or address == way:
                return way, port
        return bound[0] if bound else (way, DEFAULT_PORT[transport])


def _bind(listener: Listener, *, dual: bool) -> socket.socket:
    kind = socket.SOCK_DGRAM if listener.transport == "udp" else socket.SOCK_STREAM
    try:
        return bind(kind, listener.host, listener.port, dual=dual)
    except OSError as error:
        where = f"{listener.transport}:{bracketed((listener.host, listener.port))}"
        raise ListenError(f"cannot listen on {where}: {_advice(error)}") from error


def _advice(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "another program has this port; stop it or change sip.listen"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; change sip.listen"
        case errno.EACCES:
            return "ports below 1024 need CAP_NET_BIND_SERVICE"
        case _:
            return os.strerror(error.errno or 0)
