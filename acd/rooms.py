"""What is done to queues: opened, closed, given another strategy or new settings."""

from __future__ import annotations

from dataclasses import replace

from acd.call import Phase, Row
from acd.callbacks import Callbacks
from acd.events import QueueClosed, QueueOpened, Reconfigured, StrategyChanged
from acd.floor import Floor
from acd.lines import Lines
from acd.offers import Offers
from acd.queue import Queue
from acd.settings import Settings, problems
from acd.strategies import strategies
from acd.types import OfferOutcome, VisitOutcome


class Rooms:
    def __init__(self, floor: Floor, lines: Lines, offers: Offers, callbacks: Callbacks) -> None:
        self.floor = floor
        self.lines = lines
        self.offers = offers
        self.callbacks = callbacks

    def opened(self, event: QueueOpened) -> None:
        queue = self.floor.queues.get(event.queue)
        if queue is None:
            return self.floor.refuse(event, f"unknown queue {event.queue}")
        queue.open = True
        return None

    def closed(self, event: QueueClosed) -> None:
        queue = self.floor.queues.get(event.queue)
        if queue is None:
            return self.floor.refuse(event, f"unknown queue {event.queue}")
        queue.open = False
        if event.leave:  # but not those who were promised a callback: that is kept
            self._empty(queue, [row for row in queue.line if row[3].call.live])
        return None

    def _empty(self, queue: Queue, line: list[Row]) -> None:
        target = queue.settings.closed or queue.settings.next
        for row in list(line):
            call = row[3].call
            if call.phase is Phase.WAITING:
                if any(offered.entry is row[3] for offered in call.offers.values()):
                    self.offers.cancel(call, OfferOutcome.WITHDRAWN)
                self.lines.send_on(row[3], VisitOutcome.WITHDRAWN, target)
                if call.entries:
                    self.lines.requeue(call)

    def strategy_changed(self, event: StrategyChanged) -> None:
        """Holds from the next choice on, for those who wait already as well."""
        settings = self.floor.settings
        if event.queue not in settings.queues or event.strategy not in strategies():
            return self.floor.refuse(event, f"unknown queue {event.queue} or {event.strategy}")
        changed = replace(settings.queues[event.queue], strategy=event.strategy)
        self._apply(replace(settings, queues={**settings.queues, event.queue: changed}))
        return None

    def reconfigured(self, event: Reconfigured) -> None:
        """All or nothing."""
        for key, reason in problems(event.settings, set(strategies())):
            return self.floor.refuse(event, f"{key}: {reason}")
        removed = [q for name, q in self.floor.queues.items() if name not in event.settings.queues]
        for queue in removed:
            queue.open = False  # lest one of them sends its callers on to another
        for queue in removed:
            for row in list(queue.line):
                self.callbacks.hang_up(row[3].call)
                self.offers.cancel(row[3].call, OfferOutcome.WITHDRAWN)
            self._empty(queue, queue.line)
        self._apply(event.settings)
        for agent in self.floor.agents.values():
            while agent.offers and agent.load() > agent.settings.capacity:
                last = self.floor.offers[max(agent.offers)]
                self.offers.fail(last, OfferOutcome.WITHDRAWN, withdraw=True)
        return None

    def _apply(self, settings: Settings) -> None:
        self.floor.configure(settings)
        for call in self.floor.calls.values():
            for entry in call.entries.values():
                entry.step = min(entry.step, len(entry.queue.steps) - 1)
            self.lines.rerank(call, "settings changed")
            for entry in call.entries.values():
                self.lines.shelve(entry)
            self.lines.arm(call)
