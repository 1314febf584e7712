"""What streams may ask of us, all of them together and each alone."""

from __future__ import annotations

from typing import NamedTuple

from softswitch.sip.types import Seconds


class Limits(NamedTuple):
    """Bounds of TCP and TLS connections.

    A *stranger* is a connection from which no whole message has come yet.
    """

    connections: int = 20_000
    """Connections at once; beyond it the oldest stranger goes, else the newcomer."""
    strangers: int = 8_000
    """Strangers at once; beyond it the oldest goes."""
    strangers_per_source: int = 6_000
    """Strangers from one address at once; beyond it its oldest goes."""
    handshakes: int = 256
    """TLS handshakes at once, 50 kB each; beyond it the oldest goes."""
    unfinished: int = 24 * 1024 * 1024
    """Octets of unfinished messages; beyond it the greediest source loses its own."""
    unread: int = 1024 * 1024
    """Octets that one peer may leave unread before it is cut off."""
    header: int = 65_536
    """Octets of start line and headers."""
    body: int = 1024 * 1024
    """Octets of a body, refused when they are announced."""
    message_time: Seconds = 10.0
    """For a message, from its first octet to its last; and for a stranger's first."""
    handshake_time: Seconds = 5.0
    """For a TLS handshake, whoever began it."""
    idle_time: Seconds = 3600.0
    """Without an octet from the peer."""
    connect_time: Seconds = 4.0
    """For a connection of ours to come about."""
    queue: int = 64
    """Messages that wait for one connection of ours to come about."""


DEFAULT = Limits()
