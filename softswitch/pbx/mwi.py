"""The lamp that tells of messages (RFC 3842): to phones that subscribe, and to those that do not.

A phone is told without having asked when it registers and whenever one of its boxes changes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from config.settings import Settings
from softswitch.calls.leg import ignore
from softswitch.pbx.boxes import box_view, boxes_of
from softswitch.sip.binding import Binding
from softswitch.sip.message import Headers, Request
from softswitch.sip.uri import SipUri
from softswitch.store.voicemail import Counts

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

EVENT: Final = "message-summary"
CONTENT_TYPE: Final = "application/simple-message-summary"


def summary(switch: Switch, resource: str) -> bytes:
    """The body (§5.2): of an extension its own messages and those of boxes that it shares."""
    counts = _counts(switch, resource)
    account = SipUri("sip", resource, switch.settings.switch.domain)
    waiting = "yes" if counts.new else "no"
    lines = [
        f"Messages-Waiting: {waiting}",
        f"Message-Account: {account}",
        f"Voice-Message: {counts.new}/{counts.old} (0/0)",
        "",
    ]
    return "\r\n".join(lines).encode()


def watchers(settings: Settings, box: str) -> tuple[str, ...]:
    """The extensions whose lamp `box` lights."""
    view = box_view(settings, box)
    return view.members if view is not None else ()


def offer_summary(switch: Switch) -> None:
    """Serve subscriptions to lamps from now on."""

    def changed(box: str) -> None:
        for resource in (*watchers(switch.settings, box), box):
            switch.subscriptions.changed(EVENT, resource)

    switch.subscriptions.offer(MessageSummary(switch))
    switch.mailroom.on_change.append(changed)


async def light_lamps(switch: Switch) -> None:
    """Tell phones of their messages unasked, for as long as the switch serves."""
    unasked = Unasked(switch)

    def changed(box: str) -> None:
        for extension in watchers(switch.settings, box):
            unasked.tell(extension)

    switch.mailroom.on_change.append(changed)
    switch.locations.watchers.append(unasked.tell)
    await asyncio.get_running_loop().create_future()


class MessageSummary:
    """The event package: an extension may watch itself, and the boxes that it shares."""

    event = EVENT
    content_type = CONTENT_TYPE

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def admits(self, watcher: str, resource: str) -> bool:
        return resource == watcher or resource in boxes_of(self._switch.settings, watcher)

    def body(self, watcher: str, resource: str, version: int) -> bytes:
        return summary(self._switch, resource)


class Unasked:
    """Which phones were told; each is told anew only when there is something new."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._told: dict[str, dict[str, bytes]] = {}
        """By extension and binding, the last body sent."""

    def tell(self, extension: str) -> None:
        """Tell every phone of the extension that does not know how things stand."""
        if not boxes_of(self._switch.settings, extension):
            return
        body = summary(self._switch, extension)
        before = self._told.get(extension, {})
        phones = {phone.key: phone for phone in self._switch.locations.of(extension)}
        self._told[extension] = dict.fromkeys(phones, body)
        for key, phone in phones.items():
            if before.get(key) != body:
                self._notify(phone, extension, body)

    def _notify(self, phone: Binding, extension: str, body: bytes) -> None:
        ours = f"<{SipUri('sip', extension, self._switch.settings.switch.domain)}>"
        headers = Headers(
            [
                *(("Route", route) for route in phone.routes),
                ("From", ours),
                ("To", ours),
                ("Event", EVENT),
                ("Subscription-State", "terminated;reason=noresource"),  # there never was one
                ("Content-Type", CONTENT_TYPE),
            ]
        )
        assert phone.destination is not None  # `of` leaves out those that only DNS could find
        ua = self._switch.board.ua
        ua.request(Request("NOTIFY", phone.uri, headers, body), phone.destination, ignore)


def _counts(switch: Switch, resource: str) -> Counts:
    boxes = boxes_of(switch.settings, resource) or (resource,)
    each = [switch.mailroom.index.counts(box) for box in boxes]
    return Counts(sum(counts.new for counts in each), sum(counts.old for counts in each))
