"""Dialling a customer on behalf of a queue: which number may be called, by which ways, how long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from config.queues import Callback
from config.targets import Kind
from softswitch.calls.dial import Place
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx import beside
from softswitch.pbx.classes import Bar, Payer, judge, of_class
from softswitch.pbx.outgoing import TRY_NEXT
from softswitch.pbx.queue.bell import Bell

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre

RING_TIME = 45.0
"""Seconds for which a customer rings, where the queue says nothing of callbacks."""


class Dialling:
    """Reaches customers."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch

    def may_call(self, queue: str, number: str) -> bool:
        """Whether the queue's class of service lets `number` be dialled at all."""
        if self._inside(number) is not None:
            return True
        if not self._switch.settings.trunks:
            return False
        return judge(self._switch.settings, self._payer(queue), number).bar is Bar.OPEN

    async def reach(self, queue: str, number: str, line: str | None, bell: Bell) -> Leg | None:
        """The customer's leg, answered; None where he does not answer.

        `line` is the number that he had called, which he is shown.
        """
        settings = self._settings(queue)
        patience = settings.ring_time if settings is not None else RING_TIME
        try:
            async with asyncio.timeout(patience):
                for places in self._ways(queue, number, line):
                    leg = await bell.ring(places)
                    if leg is not None or bell.status not in TRY_NEXT:
                        return leg
        except TimeoutError:
            pass
        finally:
            bell.stop()
        return None

    def _ways(self, queue: str, number: str, line: str | None) -> Iterator[Sequence[Place]]:
        """Phones of ours, else one trunk after the other."""
        extension = self._inside(number)
        if extension is not None:
            shown = Party(self._centre.settings(queue).number or queue, self._centre.title(queue))
            yield self._switch.phones(extension, None, shown=shown)
            return
        yield from beside.ways_alone(self._switch, self._payer(queue), number, line)

    def _inside(self, number: str) -> str | None:
        target = self._switch.plan.target(number)
        return target.name if target is not None and target.kind is Kind.EXTENSION else None

    def _payer(self, queue: str) -> Payer:
        settings = self._settings(queue)
        return of_class(self._switch.settings, queue, settings.class_ if settings else None)

    def _settings(self, queue: str) -> Callback | None:
        return self._centre.settings(queue).callback
