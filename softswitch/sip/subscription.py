"""The notifier's half of a subscription: a dialog that a SUBSCRIBE made (RFC 6665 §4.2).

Knows the dialog and how to send NOTIFY in it.  Refuses to know event packages, states
and when a subscription lapses: that is its owner's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from softswitch.sip.dialog import Dialog
from softswitch.sip.draft import HeaderLines, lines
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.transaction import OnResponse, ServerTransaction
from softswitch.sip.types import Instant

if TYPE_CHECKING:
    from softswitch.sip.exchange import Credentials
    from softswitch.sip.stack import Stack

OnSubscribe: TypeAlias = Callable[[ServerTransaction, Request], None]
"""Takes a SUBSCRIBE inside the dialog; owes `Subscription.accept` or another answer."""


class Subscription:
    """One dialog for NOTIFYs.  It lives until `close`, or until a NOTIFY is answered by 481
    or not at all (RFC 6665 §4.2.2)."""

    __slots__ = ("_contact", "_on_request", "_ua", "credentials", "dialog", "is_open", "local_tag")

    def __init__(
        self, ua: Stack, tx: ServerTransaction, request: Request, on_request: OnSubscribe
    ) -> None:
        self._ua, self._on_request = ua, on_request
        self._contact = ua.contact(tx.flow)
        self.credentials: Credentials | None = None
        self.local_tag = ua.new_tag()
        self.dialog = Dialog.as_server(
            self, request, self.local_tag, tx.flow, behind_nat=tx.behind_nat
        )
        self.is_open = True

    def accept(self, tx: ServerTransaction, request: Request, headers: HeaderLines = ()) -> None:
        """Answer 200, first or in a refresh; `headers` carry Expires."""
        recorded = request.headers.fields.get("Record-Route", ())
        fields = [("Contact", self._contact), *[("Record-Route", value) for value in recorded]]
        response = reply(request, 200, to_tag=self.local_tag, headers=[*fields, *headers])
        tx.respond(response, self._ua.clock())

    def notify(
        self,
        headers: HeaderLines,
        body: bytes = b"",
        on_response: OnResponse | None = None,
    ) -> None:
        """Send NOTIFY; `headers` carry Event, Subscription-State and Content-Type."""
        if not self.is_open:
            return

        def receive(response: Response | None) -> None:
            if response is None or response.status in (404, 405, 408, 481, 489, 501):
                self.close()
            if on_response is not None:
                on_response(response)

        extra = f"Contact: {self._contact}\r\n{lines(headers)}"
        dialog = self.dialog
        self._ua.exchange(
            dialog.draft("NOTIFY", extra, body),
            dialog.destination,
            receive,
            self.credentials,
            dialog.next_number,
        )

    def close(self) -> None:
        """Forget the dialog; say so in a last NOTIFY before."""
        self.is_open = False
        self._ua.forget_dialog(self.dialog)

    def receive(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None:
        """A request inside the dialog: SUBSCRIBE refreshes or ends, no other belongs here."""
        number = request.cseq.number
        if number < dialog.remote_number:
            tx.respond(reply(request, 500, "CSeq out of order"), now)
            return
        dialog.remote_number = number
        if request.method != "SUBSCRIBE":
            tx.respond(reply(request, 405, headers=[("Allow", "SUBSCRIBE")]), now)
            return
        dialog.refresh_target(request, tx.flow)
        self._on_request(tx, request)
