"""Calls that wait in a slot, as the API shows them."""

from __future__ import annotations

from softswitch.api import models
from softswitch.pbx.switch import Switch


class Park:
    """Over the slots in use."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def parked(self) -> list[models.Parked]:
        return [
            models.Parked(
                slot=each.slot,
                call=each.call.id,
                party=each.call.leg.party.number,
                parked_by=each.by,
                since=each.since,
            )
            for each in self._switch.parking
        ]
