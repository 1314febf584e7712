"""A callback is an entry in line like any other, whose customer is dialled when the turn comes.

Agent first: it is matched like a call, and the customer is dialled once the agent has answered.
Customer first: it is dialled when an agent is free or soon will be, and competes once the
customer is on the line, from its old place.  Every attempt is asked for exactly once, never more
customers are dialled than agents could serve, and no agent on duty means no dialling.
"""

from __future__ import annotations

from acd.actions import DialCallback
from acd.call import Call, Callback, Entry, Phase
from acd.events import CallbackAnswered, CallbackCancelled, CallbackFailed, CallbackRequested
from acd.floor import Floor
from acd.lines import Lines
from acd.offers import Offers
from acd.types import OfferOutcome, VisitOutcome

GRACE = 5.0
"""Beyond the customer's ring time, before a word that never came is taken for a failure."""


class Callbacks:
    def __init__(self, floor: Floor, lines: Lines, offers: Offers) -> None:
        self.floor = floor
        self.lines = lines
        self.offers = offers

    def requested(self, event: CallbackRequested) -> None:
        """The visit ends as `CALLBACK`; the place goes on as a callback's."""
        call = self.floor.calls.get(event.call)
        if call is None or not call.entries:
            return self.floor.refuse(event, f"call {event.call} does not wait")
        promised = self.floor.promised.get(event.number, call.id) != call.id
        if promised or (call.callback and not call.live):  # live: called back, and lost once more
            return self.floor.refuse(event, f"{event.number} is to be called back already")
        if call.phase is not Phase.WAITING:
            return self.floor.refuse(event, f"call {event.call} is being connected")
        self.offers.cancel(call, OfferOutcome.CANCELLED_BY_CALLER)
        now = self.floor.now
        queues = [entry.queue for entry in call.entries.values()]
        deadline = event.deadline or now + queues[0].settings.callback.deadline
        for entry in list(call.entries.values()):
            self.lines.leave(entry, VisitOutcome.CALLBACK)
        attempt = call.callback.attempt if call.callback else 0
        call.callback, call.live = Callback(event.number, deadline, attempt), False
        self.floor.promised[event.number] = call.id
        for queue in queues:
            self.lines.join(call, queue, callback=True, why="callback")
        return None

    def dial_if_free(self, entry: Entry) -> None:
        """Dial if one more customer could be served by the agents who are free."""
        pool, queue = entry.pool, entry.queue
        if pool is None or queue.dialling >= len(pool.free):
            return
        if any(pool.admits(agent, entry.call) for agent in pool.free.values()):
            self._dial(entry)

    def _dial_ahead(self, entry: Entry) -> None:
        queue, settings = entry.queue, entry.queue.settings.callback
        ahead = queue.position(entry) - 1
        expected = queue.predictor.by_length(ahead, queue.staff, queue.handled)
        if expected <= settings.lead and queue.dialling < queue.staff:
            self._dial(entry)

    def _dial(self, entry: Entry) -> None:
        call, queue = entry.call, entry.queue
        callback = call.callback
        assert callback is not None
        call.phase = Phase.DIALLING
        callback.attempt += 1
        callback.rings_until = self.floor.now + queue.settings.callback.ring_time + GRACE
        callback.through = queue.name
        queue.dialling += 1
        for other in call.entries.values():
            self.floor.unshelve(other)
        self.lines.arm(call)
        self.floor.out.append(DialCallback(call.id, queue.name, callback.number, callback.attempt))

    def answered(self, event: CallbackAnswered) -> None:
        """The customer is on the line: from now on a call like any other, in its old place."""
        call = self.floor.calls.get(event.call)
        if call is None or not call.callback or call.callback.attempt != event.attempt:
            return self.floor.refuse(event, f"no attempt {event.attempt} for call {event.call}")
        if call.phase is Phase.DIALLING:
            self._stop_dialling(call)
            call.live = True
            self._stand(call)
        return None

    def failed(self, event: CallbackFailed) -> None:
        call = self.floor.calls.get(event.call)
        if call is None or not call.callback or call.callback.attempt != event.attempt:
            return self.floor.refuse(event, f"no attempt {event.attempt} for call {event.call}")
        if call.phase is Phase.DIALLING:
            self._stop_dialling(call)
            self._retry(call)
        elif call.phase is Phase.CONNECTING:
            self.offers.cancel(call, OfferOutcome.WITHDRAWN)
            self._retry(call)
        return None

    def cancelled(self, event: CallbackCancelled) -> None:
        call = self.floor.calls.get(event.call)
        if call is None or not call.callback:
            return self.floor.refuse(event, f"call {event.call} is no callback")
        self.give_up(call, VisitOutcome.WITHDRAWN)
        return None

    def do_due(self, call: Call) -> None:
        """Whatever the clock brings to a callback before its customer is on the line."""
        callback, now = call.callback, self.floor.now
        if callback is None or call.live:
            return
        if callback.deadline <= now and call.phase is Phase.WAITING and not call.offers:
            self.give_up(call, VisitOutcome.EXPIRED)
        elif call.phase is Phase.DIALLING:
            if callback.rings_until <= now:
                self._stop_dialling(call)
                self._retry(call)
        elif callback.not_before and callback.not_before <= now:
            callback.not_before = 0.0
            self._stand(call)
        else:
            for entry in list(call.entries.values()):
                if entry.shelf is not None and entry.pool and entry.shelf is entry.pool.dormant:
                    self._dial_ahead(entry)

    def hang_up(self, call: Call) -> None:
        """The customer is not to be dialled any more, if they are at all."""
        if call.phase is Phase.DIALLING:
            self._stop_dialling(call)

    def _stop_dialling(self, call: Call) -> None:
        assert call.callback is not None
        queue = self.floor.queues.get(call.callback.through)
        if queue is not None:
            queue.dialling -= 1
        call.phase = Phase.WAITING

    def _retry(self, call: Call) -> None:
        """Once more after a while, or never."""
        assert call.callback is not None
        entry = next(iter(call.entries.values()))
        settings = entry.queue.settings.callback
        if call.callback.attempt >= settings.attempts:
            self.give_up(call, VisitOutcome.EXPIRED)
            return
        call.callback.not_before = self.floor.now + settings.retry
        self._stand(call)

    def _stand(self, call: Call) -> None:
        for entry in call.entries.values():
            self.lines.shelve(entry)
        self.floor.restless[call.id] = call
        self.lines.arm(call)

    def give_up(self, call: Call, outcome: VisitOutcome) -> None:
        """The promise is over, kept or not."""
        self.hang_up(call)
        self.offers.cancel(call, OfferOutcome.WITHDRAWN)
        for entry in list(call.entries.values()):
            self.lines.leave(entry, outcome, entry.queue.settings.next)
        self.lines.forget(call)
