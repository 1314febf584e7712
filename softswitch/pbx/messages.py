"""MESSAGE between extensions: delivered to every phone, kept for who is not there (RFC 3428).

Knows how a message reaches an extension and when it counts as delivered.  Refuses to read it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from softswitch.calls.party import Party
from softswitch.calls.switchboard import name_addr
from softswitch.pbx.gatekeeper import Admitted, Gatekeeper
from softswitch.pbx.peers import Phone
from softswitch.pbx.routing import dialled_number
from softswitch.sip.binding import Binding
from softswitch.sip.message import Headers, Request, Response, reply
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Seconds
from softswitch.store.errors import JournalFullError
from softswitch.store.messages import Message

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

KEPT: Seconds = 14 * 86400.0
"""How long a message waits for its recipient."""
PATIENCE: Seconds = 8.0
"""How long the sender waits for a phone that says nothing."""
LONGEST = 16_384
"""Octets of a message."""
MOST_WAITING = 200
"""Messages kept for one extension."""
TRY_AGAIN = frozenset((408, 480, 486, 500, 502, 503, 504, 600))
"""Answers of a phone that say nothing against the message itself."""

Done = Callable[[bool, int], None]
"""Told whether some phone took a message, and the best status."""


class Messages:
    """Takes messages in and brings them to phones."""

    def __init__(self, switch: Switch, gatekeeper: Gatekeeper) -> None:
        self._switch, self._gatekeeper = switch, gatekeeper
        self._under_way: set[str] = set()
        switch.locations.watchers.append(self._deliver_waiting)

    def receive(self, tx: ServerTransaction, request: Request) -> None:
        """A MESSAGE outside calls."""
        ua = self._switch.board.ua
        verdict = self._gatekeeper.judge(request, tx.flow, ua.clock())
        if not isinstance(verdict, Admitted):
            self._answer(tx, request, verdict.status, verdict.headers)
            return
        recipient, peer = dialled_number(request), verdict.peer
        if not isinstance(peer, Phone):
            self._answer(tx, request, 403)
        elif recipient not in self._switch.settings.extensions:
            self._answer(tx, request, 404)
        elif len(request.body) > LONGEST:
            self._answer(tx, request, 513)
        else:
            self._forward(tx, request, peer.number, recipient)

    def _forward(
        self, tx: ServerTransaction, request: Request, sender: str, recipient: str
    ) -> None:
        """200 where a phone took it, 202 where it is kept, else the phone's own refusal.

        The sender does not wait for a phone that is dead: "MUST NOT wait" (RFC 4320 §4.1).
        """
        content = request.headers.get("Content-Type") or "text/plain"
        kept: list[Message] = []

        def keep() -> None:
            message = self._keep(sender, recipient, content, request.body)
            kept.extend([message] if message is not None else [])
            self._answer(tx, request, 202 if message is not None else 480)

        def done(is_taken: bool, status: int) -> None:
            alarm.cancel()
            final = is_taken or status not in TRY_AGAIN
            if kept and final:
                self._switch.store.messages.delivered(kept[0])
            elif final:
                self._answer(tx, request, status)
            elif not kept:
                keep()

        alarm = asyncio.get_running_loop().call_later(PATIENCE, keep)
        post(self._switch, sender, recipient, content, request.body, done)

    def _keep(self, sender: str, recipient: str, content_type: str, body: bytes) -> Message | None:
        """None where too many wait, or the disk is full."""
        messages, now = self._switch.store.messages, time.time()
        if len(messages.waiting(recipient, now)) >= MOST_WAITING:
            return None
        try:
            return messages.leave(
                recipient, sender, content_type, body, now=now, expires_at=now + KEPT
            )
        except JournalFullError:
            return None

    def _deliver_waiting(self, number: str) -> None:
        """Phones have changed: bring what waits, one message at a time and in order."""
        waiting = self._switch.store.messages.waiting(number, time.time())
        if waiting and number not in self._under_way and self._switch.registered(number):
            self._under_way.add(number)
            self._deliver(waiting[0])

    def _deliver(self, message: Message) -> None:
        def done(is_taken: bool, status: int) -> None:
            self._under_way.discard(message.recipient)
            if is_taken or status not in TRY_AGAIN:
                self._switch.store.messages.delivered(message)
                self._deliver_waiting(message.recipient)

        post(
            self._switch,
            message.sender,
            message.recipient,
            message.content_type,
            message.body,
            done,
        )

    def _answer(
        self,
        tx: ServerTransaction,
        request: Request,
        status: int,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        ua = self._switch.board.ua
        ua.respond(tx, reply(request, status, to_tag=ua.new_tag(), headers=headers or ()))


def post(
    switch: Switch,
    sender: str,
    recipient: str,
    content_type: str,
    body: bytes,
    done: Done = lambda *_: None,
) -> None:
    """To every phone of `recipient` at once; the best answer counts."""
    bindings = switch.locations.of(recipient)
    answers: list[int] = []

    def receive(response: Response | None) -> None:
        answers.append(408 if response is None else response.status)
        if len(answers) == len(bindings):
            best = min(answers)
            done(best < 300, best)

    if not bindings:
        done(False, 480)
    for binding in bindings:
        request = _request(switch, binding, sender, recipient, content_type, body)
        assert binding.destination is not None  # `of` leaves out those that cannot be reached
        switch.board.ua.request(request, binding.destination, receive)


def _request(
    switch: Switch, binding: Binding, sender: str, recipient: str, content_type: str, body: bytes
) -> Request:
    """Written anew: nothing but sender, kind and body is passed on."""
    domain, person = switch.settings.switch.domain, switch.settings.extensions.get(sender)
    headers = Headers(
        [
            *(("Route", route) for route in binding.routes),
            ("From", name_addr(Party(sender, person.name if person else ""), domain)),
            ("To", name_addr(Party(recipient), domain)),
            ("Content-Type", content_type),
        ]
    )
    return Request("MESSAGE", binding.uri, headers, body)
