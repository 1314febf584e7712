"""SUBSCRIBE and NOTIFY: who watches what, and until when (RFC 6665).

Knows subscriptions, not what they tell: an event package (`offer`) says which resources
there are and what is to be said of one.  Tells only the newest state: while a NOTIFY is on
its way others wait and become one.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Protocol

from softswitch.pbx.gatekeeper import Admitted, Gatekeeper
from softswitch.pbx.peers import Phone
from softswitch.sip.headers import parse_params
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.subscription import Subscription
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Instant, ParseError, Seconds
from softswitch.sip.ua import UserAgent

DEFAULT_EXPIRES, MIN_EXPIRES, MAX_EXPIRES = 3600, 60, 86_400
MOST = 20_000
"""Subscriptions that are kept at once; each costs about 4 kB."""


class Package(Protocol):
    """One event package."""

    event: str
    content_type: str

    def admits(self, watcher: str, resource: str) -> bool:
        """Whether there is such a resource, and this extension may watch it."""
        ...

    def body(self, watcher: str, resource: str, version: int) -> bytes:
        """The whole state of `resource`; `version` counts from 0 within a subscription."""
        ...


class Subscriptions:
    """All subscriptions of the switch."""

    def __init__(self, ua: UserAgent, gatekeeper: Gatekeeper) -> None:
        self._ua, self._gatekeeper = ua, gatekeeper
        self._packages: dict[str, Package] = {}
        self._watches: dict[tuple[str, str], list[_Watch]] = {}
        self._count = 0

    def offer(self, package: Package) -> None:
        """Serve subscriptions to `package` from now on."""
        self._packages[package.event] = package

    def changed(self, event: str, resource: str) -> None:
        """Tell whoever watches `resource` its new state."""
        for watch in list(self._watches.get((event, resource), ())):
            watch.tell()

    def watched(self, event: str) -> list[str]:
        """The resources that somebody watches."""
        return [resource for of, resource in self._watches if of == event]

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """The switch stops: everybody may subscribe again when it is back (§4.1.3)."""
        for watch in [watch for watches in self._watches.values() for watch in watches]:
            watch.end("deactivated")

    def receive(self, tx: ServerTransaction, request: Request) -> None:
        """A SUBSCRIBE outside any dialog."""
        verdict = self._gatekeeper.judge(request, tx.flow, self._ua.clock())
        if not isinstance(verdict, Admitted):
            self._refuse(tx, request, verdict.status, verdict.headers)
            return
        try:
            event, event_id = _event_of(request)
            resource = request.request_uri.user or ""
        except ParseError as fault:
            self._refuse(tx, request, fault.status)
            return
        package, peer = self._packages.get(event), verdict.peer
        expires = DEFAULT_EXPIRES if request.expires is None else request.expires
        if not isinstance(peer, Phone):
            self._refuse(tx, request, 403)
        elif package is None:
            self._refuse(tx, request, 489, [("Allow-Events", ", ".join(self._packages))])
        elif not package.admits(peer.number, resource):
            self._refuse(tx, request, 404)
        elif not _accepts(request, package.content_type):
            self._refuse(tx, request, 406)
        elif 0 < expires < MIN_EXPIRES:
            self._refuse(tx, request, 423, [("Min-Expires", str(MIN_EXPIRES))])
        elif len(self) >= MOST:
            self._refuse(tx, request, 503, [("Retry-After", "60")])
        else:
            watch = _Watch(package, peer.number, resource, event_id, self._forget)
            self._watches.setdefault((event, resource), []).append(watch)
            self._count += 1
            watch.begin(self._ua, tx, request, min(expires, MAX_EXPIRES))

    def _forget(self, watch: _Watch) -> None:
        key = watch.package.event, watch.resource
        watches = self._watches.get(key, [])
        if watch in watches:
            watches.remove(watch)
            self._count -= 1
        if not watches:
            self._watches.pop(key, None)

    def _refuse(
        self,
        tx: ServerTransaction,
        request: Request,
        status: int,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        answer = reply(request, status, to_tag=self._ua.new_tag(), headers=headers or ())
        self._ua.respond(tx, answer)


class _Forget(Protocol):
    def __call__(self, watch: _Watch) -> None: ...


class _Watch:
    """One subscription: its dialog, its end, its last word."""

    _dialog: Subscription

    def __init__(
        self, package: Package, watcher: str, resource: str, event_id: str, forget: _Forget
    ) -> None:
        self.package, self.watcher, self.resource = package, watcher, resource
        self._event = f"{package.event};id={event_id}" if event_id else package.event
        self._forget = forget
        self._loop = asyncio.get_running_loop()
        self._version = 0
        self._ends_at: Instant = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_telling = self._is_stale = False
        self._last = b""

    def begin(self, ua: UserAgent, tx: ServerTransaction, request: Request, expires: int) -> None:
        granted = [("Expires", str(expires))]
        self._dialog = ua.subscribed(tx, request, partial(self._refresh, ua), granted)
        self._extend(expires)

    def tell(self) -> None:
        """Say how things stand, unless nothing has changed since the last time."""
        if self._is_telling:
            self._is_stale = True
        elif self.package.body(self.watcher, self.resource, 0) != self._last:
            self._notify(f"active;expires={max(round(self._ends_at - self._loop.time()), 0)}")

    def end(self, reason: str) -> None:
        """Say so, and forget it."""
        self._notify(f"terminated;reason={reason}")
        self._drop()

    def _refresh(self, ua: UserAgent, tx: ServerTransaction, request: Request) -> None:
        expires = DEFAULT_EXPIRES if request.expires is None else request.expires
        if 0 < expires < MIN_EXPIRES:
            short = [("Min-Expires", str(MIN_EXPIRES))]
            ua.respond(tx, reply(request, 423, headers=short))
            return
        expires = min(expires, MAX_EXPIRES)
        self._dialog.accept(tx, request, [("Expires", str(expires))])
        self._extend(expires)

    def _extend(self, expires: Seconds) -> None:
        """Let it live so long from now, and tell the state whether new or not (§4.2.1.2)."""
        if self._timer is not None:
            self._timer.cancel()
        self._ends_at = self._loop.time() + expires
        if expires <= 0:
            self.end("timeout")
            return
        self._timer = self._loop.call_later(expires, self.end, "timeout")
        self._notify(f"active;expires={round(expires)}")

    def _notify(self, state: str) -> None:
        self._is_telling, self._is_stale = True, False
        body = self.package.body(self.watcher, self.resource, self._version)
        self._last = self.package.body(self.watcher, self.resource, 0)
        self._version += 1
        headers = [
            ("Event", self._event),
            ("Subscription-State", state),
            ("Content-Type", self.package.content_type),
        ]
        self._dialog.notify(headers, body, self._told)

    def _told(self, _: Response | None) -> None:
        self._is_telling = False
        if not self._dialog.is_open:
            self._drop()
        elif self._is_stale:
            self.tell()

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._dialog.is_open:
            self._dialog.close()
        self._forget(self)


def _event_of(request: Request) -> tuple[str, str]:
    """The package's name and the id that tells subscriptions of one dialog apart."""
    name, semicolon, rest = (request.headers.get("Event") or "").partition(";")
    params = parse_params(semicolon + rest)
    return name.strip().lower(), params.get("id", "")


def _accepts(request: Request, content_type: str) -> bool:
    """Whether the phone reads our bodies; one that does not say reads what is usual (§8.2.1)."""
    accepted = [
        value.partition(";")[0].strip().lower() for value in request.headers.values("Accept")
    ]
    return not accepted or content_type in accepted or "*/*" in accepted
