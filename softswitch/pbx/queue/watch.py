"""What has to be looked at from time to time: hours of service, thresholds, legs that were lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from acd.events import AgentLegsCounted
from acd.queue import Queue
from acd.types import Instant, Seconds
from softswitch.pbx.queue.hours import look_at_hours

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre

LOOK_EVERY: Seconds = 5.0
COUNT_EVERY: Seconds = 600.0
"""How often agents' legs are counted anew: a lost end of one frees the agent by then."""


class Watch:
    """Looks after all queues of a centre."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._alarms = centre, centre.switch.alarms
        self._fine_since: dict[str, Instant] = {}
        """When a threshold was last exceeded no more, by alarm."""

    async def keep(self) -> None:
        """For as long as the switch serves."""
        counted = 0.0
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look()
            counted += LOOK_EVERY
            if counted >= COUNT_EVERY:
                counted = 0.0
                self.count_legs()

    def look(self) -> None:
        for queue in list(self._centre.floor.queues.values()):
            look_at_hours(self._centre, queue.name)
            for what, sentence in self._thresholds(queue):
                self._stand(f"queue:{queue.name}:{what}", sentence, queue.name)

    def count_legs(self) -> None:
        """Tell the engine which legs agents really have, which renews them."""
        for agent in list(self._centre.floor.agents.values()):
            if agent.talks or agent.legs:
                legs = self._centre.roster.legs.of(agent.name)
                self._centre.tell(AgentLegsCounted(agent.name, legs))

    def _thresholds(self, queue: Queue) -> Iterator[tuple[str, str]]:
        """(threshold, sentence, "" where it is not exceeded) of those that are set."""
        settings = self._centre.switch.settings.queues.get(queue.name)
        if settings is None:
            return
        limits, name = settings.alarms, queue.name
        if limits.longest_wait is not None:
            wait = queue.longest_wait(self._centre.keeper.clock())
            over = wait > limits.longest_wait
            yield "longest-wait", f"somebody has waited {wait:.0f} s in {name}" if over else ""
        if limits.waiting is not None:
            over = len(queue.line) > limits.waiting
            yield "waiting", f"{len(queue.line)} callers wait in {name}" if over else ""
        if limits.agents_below is not None:
            over = queue.staff < limits.agents_below
            yield "agents", f"only {queue.staff} agents are ready in {name}" if over else ""

    def _stand(self, alarm: str, sentence: str, queue: str) -> None:
        """Raise at once; clear only once it has been well for a while."""
        now = self._centre.keeper.clock()
        if sentence:
            self._fine_since.pop(alarm, None)
            self._alarms.raise_(alarm, sentence)
            return
        since = self._fine_since.setdefault(alarm, now)
        if now - since >= self._centre.settings(queue).alarms.clear_after:
            self._alarms.clear(alarm)
