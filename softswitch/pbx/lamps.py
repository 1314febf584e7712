"""Busy lamps: who and what is busy, told to the phones that watch (RFC 4235).

A lamp may stand for an extension, a park slot, a queue where somebody waits, a mode, or
another number of ours that is lit while somebody is there.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from config.targets import Kind
from softswitch.calls.leg import Leg
from softswitch.pbx import dialog_info, modes, presence
from softswitch.pbx.dialog_info import RINGING, TALKING, Lamp, lamps_of
from softswitch.pbx.replacing import partner_of
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

EVENT = "dialog"
LOOK_EVERY: Seconds = 15.0
"""How often the calendar is asked for the lamps of modes."""
GATHER: Seconds = 0.2
"""What happens within so long is one change to lamps that are no extension's."""


class Lamps:
    """The `dialog` package."""

    event = EVENT
    content_type = dialog_info.CONTENT_TYPE

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def admits(self, watcher: str, resource: str) -> bool:
        switch = self._switch
        return (
            resource in switch.settings.extensions
            or switch.plan.target(resource) is not None
            or switch.plan.code(resource) is not None
        )

    def body(self, watcher: str, resource: str, version: int) -> bytes:
        domain = self._switch.settings.switch.domain
        return dialog_info.document(resource, domain, self.lamps(resource), version)

    def lamps(self, resource: str) -> list[Lamp]:
        """What is lit for this number."""
        switch = self._switch
        if resource in switch.settings.extensions:
            return lamps_of(switch.legs.get(resource, ()))
        target, code = switch.plan.target(resource), switch.plan.code(resource)
        if target is not None and target.kind is Kind.QUEUE:
            return [Lamp(RINGING)] if self._somebody_waits(str(target)) else []
        if target is not None:
            return [Lamp(TALKING)] if self._somebody_is_in(str(target)) else []
        if code is not None and code.name == "slot":
            return [Lamp(TALKING)] if resource in switch.parking else []
        if code is not None and code.name.startswith("mode:"):
            return [Lamp(TALKING)] if self._is_mode(code.name[5:]) else []
        return []

    def _somebody_is_in(self, place: str) -> bool:
        return any(call.doing == place for call in self._switch.calls.values())

    def _somebody_waits(self, queue: str) -> bool:
        calls = self._switch.calls.values()
        return any(call.doing == queue and partner_of(call.leg) is None for call in calls)

    def _is_mode(self, name: str) -> bool:
        switch = self._switch
        return modes.current(switch.settings, switch.store.state, time.time()) == name


class Watchfulness:
    """Notices whatever may change a lamp, and has those told who watch it."""

    def __init__(self, switch: Switch) -> None:
        self._switch, self._subscriptions = switch, switch.subscriptions
        self._is_looking = False
        switch.watchers.append(self._on_leg)
        switch.locations.watchers.append(self._on_phones)
        switch.parking.watchers.append(self._on_slot)

    async def look(self) -> None:
        """Ask the calendar now and then; modes change by the clock, too."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self._look_at_places()

    def _on_leg(self, leg: Leg) -> None:
        if leg.owner is not None:
            self._subscriptions.changed(EVENT, leg.owner)
            self._subscriptions.changed(presence.EVENT, leg.owner)
        if not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_later(GATHER, self._look_at_places)

    def _on_phones(self, number: str) -> None:
        self._subscriptions.changed(presence.EVENT, number)

    def _on_slot(self, slot: str) -> None:
        self._subscriptions.changed(EVENT, slot)

    def _look_at_places(self) -> None:
        """Whatever is no extension; nothing is sent where all is as it was."""
        self._is_looking = False
        for resource in self._subscriptions.watched(EVENT):
            if resource not in self._switch.settings.extensions:
                self._subscriptions.changed(EVENT, resource)
