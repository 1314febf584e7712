"""Who wants to be rung back: when a trunk is free (P32), or when a colleague is.

A wish is of one extension; the latest of a kind replaces the one before.  Wishes outlive a
restart.  Whoever asked first for what has become free is rung first.
"""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import structlog

from softswitch.calls.call import Call
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.pbx.classes import of_extension
from softswitch.pbx.originate import NoPhoneError, originate
from softswitch.sip.types import Seconds
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.carrier import Carrier
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("recalls")

SETTLING: Seconds = 2.0
"""A colleague who has just hung up is given so long to put the handset down."""
LIFE: Seconds = 2 * 3600.0
"""An older wish is forgotten."""


class For(StrEnum):
    """What is waited for; also the space of the store where the wishes lie."""

    TRUNK = "camp-on"
    PERSON = "completion"


class Wish(NamedTuple):
    """`extension` wants `number` once that can be had."""

    extension: str
    number: str
    since: float
    """Epoch seconds."""


class Recalls:
    """All wishes, and what is done when one can be met."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        switch.trunks.on_free.append(self._trunk_free)
        switch.watchers.append(self._on_leg)

    def camp_on(self, extension: str, number: str) -> None:
        """Ring `extension` when a trunk that it may seize is free, then dial `number`."""
        self._keep(For.TRUNK, extension, number)

    def complete(self, extension: str, number: str) -> None:
        """Ring `extension` when its colleague `number` is free, then call him."""
        self._keep(For.PERSON, extension, number)

    def forget(self, extension: str) -> bool:
        """`extension` waits for nothing any more; whether it did."""
        waited = any(wish.extension == extension for kind in For for wish in self.wishes(kind))
        for kind in For:
            self._switch.store.state.remove(kind, extension)
        return waited

    def wishes(self, kind: For) -> list[Wish]:
        """Those that are not too old, the oldest first."""
        least = time.time() - LIFE
        kept = self._switch.store.state.space(kind).items()
        wishes = [Wish(extension, each["number"], each["since"]) for extension, each in kept]
        return sorted((wish for wish in wishes if wish.since > least), key=lambda w: w.since)

    def _keep(self, kind: For, extension: str, number: str) -> None:
        wish = {"number": number, "since": time.time()}
        self._switch.store.state.set(kind, extension, wish)

    # -- a trunk is free ---------------------------------------------------------------

    def _trunk_free(self, carrier: Carrier) -> None:
        if self._switch.store.state.space(For.TRUNK):
            asyncio.get_running_loop().call_soon(self._offer_trunk, carrier)

    def _offer_trunk(self, carrier: Carrier) -> None:
        """Ring the first who may seize it; while he answers, the channel is his."""
        if not (carrier.is_up and carrier.goes_out and carrier.has_room(inbound=False)):
            return
        for wish in self.wishes(For.TRUNK):
            if self._may_seize(wish.extension, carrier) and not self._switch.busy(wish.extension):
                call = self._meet(For.TRUNK, wish)
                if call is not None and call.task is not None:
                    carrier.reserve(call)
                    # whoever lets it ring leaves the channel to the next
                    call.task.add_done_callback(lambda _: self._trunk_free(carrier))
                    return

    def _may_seize(self, extension: str, carrier: Carrier) -> bool:
        person = self._switch.settings.extensions.get(extension)
        if person is None:
            return False
        return carrier.name in of_extension(self._switch.settings, extension, person).trunks

    # -- a colleague is free -------------------------------------------------------------

    def _on_leg(self, leg: Leg) -> None:
        if not leg.ended or leg.owner is None or self._switch.busy(leg.owner):
            return
        state, loop = self._switch.store.state, asyncio.get_running_loop()
        if state.space(For.PERSON):
            loop.call_later(SETTLING, self._offer_person, leg.owner)
        if leg.owner in state.space(For.TRUNK):
            for carrier in self._switch.trunks:
                loop.call_later(SETTLING, self._offer_trunk, carrier)

    def _offer_person(self, owner: str) -> None:
        """Whose wish has become possible: he asked for `owner`, or is `owner` himself."""
        busy = self._switch.busy
        for wish in self.wishes(For.PERSON):
            if owner not in (wish.number, wish.extension):
                continue
            if not busy(wish.number) and not busy(wish.extension):
                self._meet(For.PERSON, wish)

    def _meet(self, kind: For, wish: Wish) -> Call | None:
        self._switch.store.state.remove(kind, wish.extension)
        try:
            call = originate(self._switch, wish.extension, wish.number)
        except (NoPhoneError, Refused, JournalFullError) as error:
            log.info("not rung back", extension=wish.extension, why=str(error))
            return None
        call.record.event("recalled", why=str(kind))
        return call
