"""Sessions that outlive the process: what is written of one, and taking it up again.

The peer still has the dialog (RFC 3261 §12) and knows nothing of our restart; a re-INVITE by
`offer` shows whether it is still there, and gives it our new address for sound.  One whom we had
not answered yet is still owed a final response to its INVITE, and can be given it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from softswitch.sip.callee import Callee
from softswitch.sip.dialog import Dialog
from softswitch.sip.events import Event
from softswitch.sip.headers import NameAddr
from softswitch.sip.layer import server_key
from softswitch.sip.message import Request
from softswitch.sip.parser import parse
from softswitch.sip.route import is_behind_nat
from softswitch.sip.session import Session, SessionState
from softswitch.sip.types import Destination, Flow, Target
from softswitch.sip.uri import SipUri
from softswitch.sip.via import stamp

if TYPE_CHECKING:
    from softswitch.sip.stack import Stack

SKIPPED = 1000
"""CSeq numbers that may have been used since the session was written down (§12.2.1.1)."""


def written(session: Session) -> dict[str, Any] | None:
    """An established session as JSON can hold it; None before there is a dialog."""
    dialog = session.dialog
    if dialog is None:
        return None
    return {
        "call_id": dialog.call_id,
        "local": [dialog.local, dialog.local_tag],
        "remote": [dialog.remote, dialog.remote_tag],
        "numbers": [dialog.local_number, dialog.remote_number],
        "routes": dialog.routes,
        "target": dialog.remote_target,
        "flow": dialog.flow,
        "behind_nat": dialog.behind_nat,
        "allow": dialog.allow,
        "contact": session.contact,
        "initiator": session.initiator,
    }


def written_invite(session: Callee) -> dict[str, Any]:
    """A session that is still unanswered, as JSON can hold it."""
    return {
        "invite": session.request.encode().decode("latin-1"),
        "flow": session.flow,
        "tag": session.local_tag,
    }


def owed(ua: Stack, facts: Mapping[str, Any]) -> Callee:
    """The session whose caller still waits for our final response, `facts` as `written_invite`
    gave them: its CANCEL, and its INVITE if that comes again, find it.

    By a stream, whose connection is gone, answers go to the port in sent-by (§18.2.2).  Raises
    ParseError, KeyError, TypeError or ValueError for other facts.
    """
    request = parse(facts["invite"].encode("latin-1"))
    if not isinstance(request, Request):
        raise ValueError("a response was written down as an INVITE")
    transport, local, remote, _ = facts["flow"]
    flow, via = Flow(transport, tuple(local), tuple(remote)), request.via
    way: Destination = stamp(request, flow, via, symmetric=ua.settings.symmetric)
    if transport != "udp":
        way = Target(transport, flow.remote[0], via.sent_by[1])
    tx = ua.transactions.serve(server_key(request, "INVITE"), request, flow, way, ua.clock())
    tx.behind_nat = is_behind_nat(via.host, flow)
    ua.transactions.is_merged(tx)
    tx.owner = session = Callee(ua, tx, request, flow, facts["tag"])
    ua.sessions.add(session)
    ua.remember(session.dialog)
    return session


class Resumed(Session):
    """A session of before the restart, established."""

    __slots__ = ()

    dialog: Dialog
    flow: Flow

    def __init__(
        self, ua: Stack, facts: Mapping[str, Any], on_event: Callable[[Event], None]
    ) -> None:
        """`facts` as `written` gave them.  Raises KeyError, TypeError or ValueError for others."""
        super().__init__(ua, on_event)
        transport, local, remote, _ = facts["flow"]
        self.flow = Flow(transport, tuple(local), tuple(remote))
        self.state = SessionState.ESTABLISHED
        self.initiator, self.contact = facts["initiator"], facts["contact"]
        self.call_id = facts["call_id"]
        self.dialog = dialog = Dialog(
            self, self.call_id, tuple(facts["local"]), tuple(facts["remote"]), self.flow
        )
        self.local_tag = dialog.local_tag
        self.remote_party = NameAddr.parse(dialog.remote)
        ours, theirs = facts["numbers"]
        dialog.local_number, dialog.remote_number = ours + SKIPPED, theirs
        dialog.routes, dialog.allow = list(facts["routes"]), facts["allow"]
        dialog.behind_nat = facts["behind_nat"]
        dialog.relocate(facts["target"], self.flow)
        if transport != "udp":  # the connection is gone; perhaps the peer takes another one
            uri = SipUri.parse(dialog.remote_target)
            dialog.destination = Target(transport, uri.host.strip("[]"), uri.effective_port)
        ua.sessions.add(self)
        ua.remember(dialog)
