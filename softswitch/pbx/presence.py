"""Who is there and how busy: presence on subscription (RFC 3856), and PUBLISH (RFC 3903).

What a phone publishes of its user is shown while he is not in a call.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from softswitch.pbx.gatekeeper import Admitted, Gatekeeper
from softswitch.pbx.peers import Peer, Phone
from softswitch.sip.message import Request, reply
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Instant
from softswitch.sip.uri import SipUri

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

EVENT = "presence"
MAX_PUBLISHED = 16_384
PUBLISH_EXPIRES = 3600
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Published:
    """What a phone said of its user."""

    expires_at: Instant
    is_open: bool
    note: str
    activity: str


class People:
    """The `presence` package, and PUBLISH."""

    event = EVENT
    content_type = "application/pidf+xml"

    def __init__(self, switch: Switch, gatekeeper: Gatekeeper) -> None:
        self._switch, self._gatekeeper = switch, gatekeeper
        self._published: dict[str, tuple[str, Published]] = {}

    def admits(self, watcher: str, resource: str) -> bool:
        return resource in self._switch.settings.extensions

    def body(self, watcher: str, resource: str, version: int) -> bytes:
        switch = self._switch
        entity = str(SipUri("sip", resource, switch.settings.switch.domain))
        is_open, note, activity = self._state(resource)
        basic = "open" if is_open else "closed"
        told = f"<note>{escape(note)}</note>" if note else ""
        doing = f"<r:activities><r:{activity}/></r:activities>" if activity else ""
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" '
            'xmlns:d="urn:ietf:params:xml:ns:pidf:data-model" '
            'xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" '
            f"entity={quoteattr(entity)}>\n"
            f'<tuple id="t"><status><basic>{basic}</basic></status>'
            f"<contact>{escape(entity)}</contact>{told}</tuple>\n"
            f'<d:person id="p">{doing}</d:person>\n</presence>\n'
        )
        return text.encode("utf-8", "replace")

    def _state(self, number: str) -> tuple[bool, str, str]:
        """Whether he can be reached, what is said of him, what he does (RFC 4480)."""
        switch, published = self._switch, self._of(number)
        if not switch.registered(number):
            return False, "", ""
        if switch.wishes(number).do_not_disturb:
            return True, "Do not disturb", "busy"
        if switch.busy(number):
            return True, "On the phone", "on-the-phone"
        if published is not None:
            return published.is_open, published.note, published.activity
        return True, "", ""

    def _of(self, number: str) -> Published | None:
        entry = self._published.get(number)
        if entry is None:
            return None
        if entry[1].expires_at <= asyncio.get_running_loop().time():
            del self._published[number]
            return None
        return entry[1]

    def publish(self, tx: ServerTransaction, request: Request) -> None:
        """A PUBLISH (RFC 3903 §6); one publication an extension, the last one counts."""
        ua = self._switch.board.ua
        verdict = self._gatekeeper.judge(request, tx.flow, ua.clock())
        if not isinstance(verdict, Admitted):
            tagged = reply(request, verdict.status, to_tag=ua.new_tag(), headers=verdict.headers)
            ua.respond(tx, tagged)
            return
        status, headers = self._take(verdict.peer, request)
        ua.respond(tx, reply(request, status, to_tag=ua.new_tag(), headers=headers))

    def _take(self, peer: Peer, request: Request) -> tuple[int, Headers]:
        if not isinstance(peer, Phone) or request.request_uri.user != peer.number:
            return 403, []
        if (request.headers.get("Event") or "").partition(";")[0].strip() != self.event:
            return 489, [("Allow-Events", self.event)]
        number, wanted = peer.number, request.headers.get("SIP-If-Match")
        known = self._published.get(number) if self._of(number) is not None else None
        if wanted is not None and (known is None or known[0] != wanted):
            return 412, []
        expires = PUBLISH_EXPIRES if request.expires is None else request.expires
        expires, tag = min(expires, PUBLISH_EXPIRES), secrets.token_hex(4)
        ends_at = asyncio.get_running_loop().time() + expires
        if request.body:
            published = read_pidf(request.body, ends_at)
        elif known is not None and wanted is not None:
            published = replace(known[1], expires_at=ends_at)
        else:
            return 400, []
        if published is None:
            return 400 if request.content_type == self.content_type else 415, []
        if expires:
            self._published[number] = tag, published
        else:
            self._published.pop(number, None)
        self._switch.subscriptions.changed(self.event, number)
        return 200, [("SIP-ETag", tag), ("Expires", str(expires))]


def read_pidf(body: bytes, expires_at: Instant) -> Published | None:
    """What a PIDF document says of a person; None where it is none (or defines entities)."""
    if len(body) > MAX_PUBLISHED or b"<!" in body:
        return None
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None
    elements = {_local(element.tag): element for element in root.iter()}
    if _local(root.tag) != "presence":
        return None
    basic, note = elements.get("basic"), elements.get("note")
    activities = elements.get("activities")
    doing = [_local(each.tag) for each in activities] if activities is not None else []
    return Published(
        expires_at,
        basic is None or (basic.text or "").strip() != "closed",
        ((note.text if note is not None else "") or "").strip()[:200],
        next((word for word in doing if word.replace("-", "").isalpha()), ""),
    )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
