"""Requests outside calls: who answers REGISTER, OPTIONS and the rest.

A table by method; each handler owes the transaction one final response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from softswitch.sip.message import Request, reply
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.ua import UserAgent

Handler: TypeAlias = Callable[[ServerTransaction, Request], None]


class Requests:
    """Gives each request to its handler."""

    def __init__(self, ua: UserAgent) -> None:
        self._ua = ua
        self._handlers: dict[str, Handler] = {"OPTIONS": self.options}

    def serve(self, method: str, handler: Handler) -> None:
        """`handler` answers every request of `method` from now on."""
        self._handlers[method] = handler

    def receive(self, tx: ServerTransaction, request: Request) -> None:
        """A request that belongs to no dialog."""
        handler = self._handlers.get(request.method)
        if handler is None:  # we take it inside a dialog only
            self._ua.respond(tx, reply(request, 481, to_tag=self._ua.new_tag()))
        else:
            handler(tx, request)

    def options(self, tx: ServerTransaction, request: Request) -> None:
        """Are you there, and what can you do (RFC 3261 §11.2)."""
        ua = self._ua
        ua.respond(tx, reply(request, 200, to_tag=ua.new_tag(), headers=ua.capabilities))
