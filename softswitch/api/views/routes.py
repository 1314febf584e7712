"""Where numbers lead, as the API shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from softswitch.api import models
from softswitch.pbx.reasoning import way_of
from softswitch.pbx.switch import Switch


class Routes:
    """Over the number plan, lines, rules and trunks."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    async def route(
        self, number: str, caller: str | None, at: dt.datetime | None, fields: Mapping[str, str]
    ) -> models.Route:
        zone = self._switch.settings.switch.zone
        moment = dt.datetime.now(zone) if at is None else at
        moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
        way = await way_of(self._switch, number, caller or "", moment, fields)
        return models.Route(number=number, targets=way.targets, steps=way.steps)
