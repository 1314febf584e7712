"""The lamp that tells of messages (RFC 3842): what it says, and NOTIFYs to phones that never asked.

A phone that subscribes is served by the subscriptions, with `summary` as the body.  Every
other one is told when it registers and whenever one of its boxes changes.
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


def summary(switch: Switch, extension: str) -> bytes:
    """The body for `extension`: its own messages and those of boxes that it shares (§5.2)."""
    counts = _counts(switch, extension)
    account = SipUri("sip", extension, switch.settings.switch.domain)
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


async def light_lamps(switch: Switch) -> None:
    """Tell phones of their messages for as long as the switch serves."""
    lamps = Lamps(switch)
    switch.mailroom.on_change.append(lamps.box_changed)
    switch.locations.watchers.append(lamps.phones_changed)
    await asyncio.get_running_loop().create_future()


class Lamps:
    """Which phones were told; each is told anew only when there is something new."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._told: dict[str, dict[str, bytes]] = {}
        """By extension and binding, the last body sent."""

    def box_changed(self, box: str) -> None:
        for extension in watchers(self._switch.settings, box):
            self.phones_changed(extension)

    def phones_changed(self, extension: str) -> None:
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
                *(("Route", path) for path in phone.path),
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


def _counts(switch: Switch, extension: str) -> Counts:
    each = [switch.mailroom.index.counts(box) for box in boxes_of(switch.settings, extension)]
    return Counts(sum(counts.new for counts in each), sum(counts.old for counts in each))
