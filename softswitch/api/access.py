"""Who may use the API: whoever can open the Unix socket, this machine, or whoever has the token.

A web page in a browser of this machine is not this machine: requests that name another host
(DNS rebinding) or come from another origin need the token, and so does what a proxy passes on.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN: Final = frozenset({"/healthz"})
_PASSED_ON: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


class Access:
    """Refuses, with 401 or 403, whoever may not; the rest goes on to `app`.

    `open_paths` need nothing: a load balancer asks for health, and phones on a WebSocket prove
    themselves by SIP's own digest.
    """

    def __init__(self, app: ASGIApp, token: str | None, open_paths: frozenset[str] = OPEN) -> None:
        self._app, self._open = app, open_paths
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in self._open or self._may(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._refusal()(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        return self._knows_token(headers) or local(scope, headers)

    def _knows_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), self._token)

    def _refusal(self) -> JSONResponse:
        if self._token is None:
            detail = "only this machine may ask; set api.token to let others in"
            return JSONResponse({"detail": detail}, 403)
        challenge = {"WWW-Authenticate": "Bearer"}
        detail = "send the token of the settings as Authorization: Bearer"
        return JSONResponse({"detail": detail}, 401, challenge)


def local(scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether a program of this machine asks, and no web page or proxy through it.

    A Unix socket is known by its server address, which has no port.  The peer's address may be
    missing on TCP too, if the peer has gone by then: that proves nothing.
    """
    server, client = scope.get("server"), scope.get("client")
    if server is not None and server[1] is None:
        return True
    if client is None or not _is_loopback(client[0]):
        return False
    if any(name in headers for name in _PASSED_ON) or not _names_us(headers.get("host", "")):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _names_us(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    return name == "localhost" or _is_loopback(name)


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
