"""Handsets that change their base in mid-call (P20, P21).

A re-INVITE tells everything itself.  A handset that only registers elsewhere, and speaks
from there, is followed here: requests of its calls go to the new contact, and its sound is
believed from wherever it comes next.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from softswitch.calls.leg import Leg
from softswitch.sip.binding import Binding
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

LOOK: Final[tuple[Seconds, ...]] = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
"""When to look around again: the old base may send a little longer, and is then believed."""


class Place(NamedTuple):
    """Where a call's phone was when it was answered, and which others there were."""

    binding: Binding
    known: frozenset[str]


class Roaming:
    """Follows phones in calls."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._places: dict[Leg, Place] = {}
        switch.watchers.append(self._on_leg)
        switch.locations.watchers.append(self._on_phones)

    def _on_leg(self, leg: Leg) -> None:
        if leg.ended:
            self._places.pop(leg, None)
        elif leg.owner is not None and leg.answered and leg not in self._places:
            self._find(leg, leg.owner)

    def _find(self, leg: Leg, number: str) -> None:
        flow, bindings = leg.session.flow, self._switch.locations.of(number)
        remote = flow.remote if flow is not None else None
        here = [each for each in bindings if each.flow is not None and each.flow.remote == remote]
        if here:
            self._places[leg] = Place(here[0], frozenset(each.key for each in bindings))

    def _on_phones(self, number: str) -> None:
        legs = [leg for leg in self._switch.legs.get(number, ()) if leg in self._places]
        if not legs:
            return
        bindings = self._switch.locations.of(number)
        for leg in legs:
            found = _successor(self._places[leg], bindings)
            if found is not None:
                self._follow(leg, found, frozenset(each.key for each in bindings))

    def _follow(self, leg: Leg, binding: Binding, known: frozenset[str]) -> None:
        self._places[leg] = Place(binding, known)
        dialog = leg.session.dialog
        if dialog is None or binding.flow is None:
            return
        dialog.relocate(binding.uri, binding.flow)
        if leg.call is not None:
            leg.call.record.event("roamed", leg=leg.id, to=binding.uri)
        loop = asyncio.get_running_loop()
        leg.sound.look_around()
        for delay in LOOK:
            loop.call_later(delay, leg.sound.look_around)


def _successor(place: Place, bindings: list[Binding]) -> Binding | None:
    """Where the phone of `place` is now; None where it is as before, or nobody knows.

    It is the same phone if its registrations are one series (one Call-ID, RFC 3261
    §10.2, or one instance), or if it alone is new where the old one is gone.
    """
    old = place.binding
    same = [each for each in bindings if each.key == old.key]
    if same:
        moved = same[0].flow != old.flow or same[0].uri != old.uri
        if moved:
            return same[0]
    new = [each for each in bindings if each.key not in place.known]
    series = [each for each in new if _is_same_phone(each, old)]
    if series:
        return series[0]
    return new[0] if len(new) == 1 and not same else None


def _is_same_phone(one: Binding, other: Binding) -> bool:
    instance = one.params.get("+sip.instance")
    return one.call_id == other.call_id or (
        instance is not None and instance == other.params.get("+sip.instance")
    )
