"""Which address of ours a peer is told, where a router stands between us and some of them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

from config.addresses import is_loopback
from config.settings import Settings
from softswitch.sip.types import Address, Destination, Flow
from softswitch.transport.addresses import is_wildcard, source_address
from softswitch.transport.transports import Transports


class Outlook:
    """Our addresses as seen from outside and from within."""

    def __init__(self, settings: Settings, transports: Transports) -> None:
        self._transports = transports
        self.apply(settings)

    def apply(self, settings: Settings) -> None:
        self._sip, self._media = settings.sip, settings.media
        self._outside = lru_cache(maxsize=4096)(self._is_outside)

    def signalling(self, destination: Destination) -> Address:
        """Host and port for Via and Contact."""
        ours = self._transports.local(destination)
        external = self._sip.external
        if external is not None and self._outside(_host(destination)):
            return external, ours[1]
        return ours

    def sound(self, destination: Destination) -> str:
        """The IP literal for SDP: the external one, the bound one, or the one on the way."""
        host = _host(destination)
        media = self._media
        if media.external is not None and ":" not in host and self._outside(host):
            return media.external
        bound = media.address6 if ":" in host else media.address
        return source_address(host) if bound is None or is_wildcard(bound) else bound

    def _is_outside(self, host: str) -> bool:
        networks = self._sip.local_networks
        return not is_loopback(host) and not any(ip_address(host) in net for net in networks)


def _host(destination: Destination) -> str:
    return destination.remote[0] if isinstance(destination, Flow) else destination.host
