"""Dialogs: what two user agents remember of each other (RFC 3261 §12).

Knows identity, route set, remote target and sequence numbers, and writes requests from
them.  Refuses to know what a dialog is for (its `usage`), transactions and time.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from softswitch.sip.draft import Draft
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import Message, Request, Response
from softswitch.sip.route import next_hop
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Destination, Flow, Instant, ParseError
from softswitch.sip.uri import SipUri

DialogId: TypeAlias = tuple[str, str, str]
"""Call-ID, local tag, remote tag; the remote tag of an RFC 2543 peer may be empty (§12.1)."""


class Usage(Protocol):
    """What lives in a dialog: a session or a subscription."""

    def receive(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None: ...


class Dialog:
    """One dialog, early or confirmed.

    `local` and `remote` are From and To values with their tags; `flow` is how the peer's
    last target refresh came and `destination` where requests go; `remote_number` is the
    peer's highest CSeq, -1 until its first request.
    """

    __slots__ = (
        "_contact",
        "_head",
        "_is_prepared",
        "_uri",
        "allow",
        "behind_nat",
        "call_id",
        "destination",
        "flow",
        "local",
        "local_number",
        "local_tag",
        "remote",
        "remote_number",
        "remote_tag",
        "remote_target",
        "routes",
        "usage",
    )

    def __init__(
        self,
        usage: Usage,
        call_id: str,
        local: tuple[str, str],
        remote: tuple[str, str],
        flow: Flow,
    ) -> None:
        """`local` and `remote` are (header value, tag)."""
        self.usage: Usage | None = usage
        self.call_id, self.flow = call_id, flow
        self.local, self.local_tag = local
        self.remote, self.remote_tag = remote
        self.local_number, self.remote_number = 0, -1
        self.routes: list[str] = []
        self.remote_target = ""
        self.behind_nat = False
        self.allow = ""
        self._contact, self._is_prepared = "", False

    @classmethod
    def as_server(
        cls, usage: Usage, request: Request, local_tag: str, flow: Flow, *, behind_nat: bool
    ) -> Dialog:
        """The dialog that our answer to `request` creates (§12.1.1)."""
        fields = request.headers.fields
        local = f"{fields['To'][0]};tag={local_tag}"
        remote_tag = request.from_.params.get("tag", "")
        remote = (fields["From"][0], remote_tag)
        dialog = cls(usage, fields["Call-ID"][0], (local, local_tag), remote, flow)
        dialog.behind_nat = behind_nat
        dialog.remote_number = request.cseq.number
        if "Record-Route" in fields:
            dialog.routes = request.headers.values("Record-Route")
        dialog.refresh_target(request, flow)
        return dialog

    @classmethod
    def as_client(cls, usage: Usage, draft: Draft, local: tuple[str, str], flow: Flow) -> Dialog:
        """The dialog that a response to `draft` creates; `learn` it next (§12.1.2)."""
        call_id = draft.head.partition("Call-ID: ")[2].partition("\r\n")[0]
        dialog = cls(usage, call_id, local, (draft.to, ""), flow)
        dialog.local_number = draft.number
        dialog.remote_target = draft.uri
        return dialog

    def learn(self, response: Response, flow: Flow) -> None:
        """Take tag, route set and target from a response that creates or confirms us.

        The route set is computed anew from the 2xx, whatever a provisional response said
        (§13.2.2.4).
        """
        fields = response.headers.fields
        if fields["To"][0] != self.remote:
            self.remote = fields["To"][0]
            self.remote_tag = response.to.params.get("tag", "")
            self._is_prepared = False
        routes = response.headers.values("Record-Route")[::-1] if "Record-Route" in fields else []
        if routes != self.routes:
            self.routes, self._is_prepared = routes, False
        self.refresh_target(response, flow)

    def release(self) -> None:
        """The dialog is over: let go of what lived in it, so that reference counts free both."""
        self.usage = None

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local_tag, self.remote_tag

    def refresh_target(self, message: Message, flow: Flow) -> None:
        """The peer's Contact, where it gives one, is its new address (§12.2.1.2, §12.2.2)."""
        fields = message.headers.fields
        contact = fields.get("Contact")
        if contact and contact[0] != self._contact and contact[0] != "*":
            self._contact = contact[0]
            self.remote_target = NameAddr.parse(message.headers.values("Contact")[0]).uri
            self._is_prepared = False
        if "Allow" in fields:
            self.allow = ",".join(fields["Allow"])
        if flow != self.flow or not self._is_prepared:
            self.flow = flow
            self._prepare()

    def relocate(self, target: str, flow: Flow) -> None:
        """The peer is elsewhere now; its registration says so, no message of this dialog."""
        self.remote_target, self.flow = target, flow
        self._prepare()

    def allows(self, method: str) -> bool:
        """Whether the peer said that it takes `method`."""
        return method in self.allow

    def next_number(self) -> int:
        self.local_number += 1
        return self.local_number

    def draft(self, method: str, extra: str = "", body: bytes = b"") -> Draft:
        """A new request inside the dialog (§12.2.1.1); `extra` are complete lines."""
        self.local_number = number = self.local_number + 1
        return Draft(method, self._uri, self._head, self.remote, number, extra, body)

    def ack(self, number: int, extra: str = "", body: bytes = b"") -> Draft:
        """The ACK for a 2xx to our INVITE of that CSeq number (§13.2.2.4)."""
        return Draft("ACK", self._uri, self._head, self.remote, number, extra, body)

    def _prepare(self) -> None:
        """Write once what all requests share; repair a strict route (§12.2.1.1)."""
        uri, routes, hop = self.remote_target, self.routes, self.remote_target
        if routes:
            hop = NameAddr.parse(routes[0]).uri
            if not _is_loose(hop):
                uri, routes = hop, [*routes[1:], f"<{self.remote_target}>"]
        self._uri = uri if "?" not in uri and "method=" not in uri else _as_request_uri(uri)
        self._head = (
            "Max-Forwards: 70\r\n"
            + "".join([f"Route: {route}\r\n" for route in routes])
            + f"From: {self.local}\r\nCall-ID: {self.call_id}\r\n"
        )
        self._is_prepared = True
        self.destination: Destination = next_hop(hop, self.flow, behind_nat=self.behind_nat)


def _as_request_uri(uri: str) -> str:
    """Without what may not stand in a Request-URI (§19.1.1): headers and the method."""
    try:
        return str(SipUri.parse(uri).without("method"))
    except ParseError:
        return uri.partition("?")[0]


def _is_loose(uri: str) -> bool:
    """Whether the owner of this route follows §16.4; foreign schemes are left as they are."""
    try:
        return SipUri.parse(uri).loose
    except ParseError:
        return True
