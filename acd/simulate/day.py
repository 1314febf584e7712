"""One simulated day: callers come, give up, are answered; the engine decides, as it does live."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

from acd.actions import Action, Connect, DialCallback, Joined, Left, Offer, OfferEnded
from acd.engine import Engine
from acd.events import (
    AgentLegEnded,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    CallbackAnswered,
    CallbackRequested,
    CallEnded,
    CallJoined,
    CallLeft,
    CallMoved,
    Connected,
    Event,
    OfferAnswered,
    PriorityChanged,
    Tick,
)
from acd.metrics.logbook import Logbook
from acd.simulate.scenario import Caller, Scenario
from acd.types import CallId, Instant, OfferId, Seconds

LINGER: Seconds = 3600.0
"""How long after the last thing planned those who still wait are watched."""
GOLDEN = 0.6180339887498949
"""Steps of the golden ratio: as good as new dice for each offer of one call."""


OF_WAITING = (CallEnded, CallLeft, CallMoved, CallbackRequested, PriorityChanged)
"""What callers do, or what is done to them, only for as long as they wait."""


class Assignment(NamedTuple):
    """Who was given to whom, in order of answering."""

    call: CallId
    queue: str
    agent: str


class Day:
    """Runs as it is made.  `log` has what happened; `events` is how many the engine handled.

    With `journal`, every event is also kept with its instant.
    """

    def __init__(
        self,
        scenario: Scenario,
        callers: Iterable[Caller],
        *,
        events: Iterable[tuple[Instant, Event]] = (),
        journal: list[tuple[Event, Instant]] | None = None,
    ) -> None:
        self.scenario = scenario
        self.engine = Engine(scenario.settings)
        self.log = Logbook()
        self.assignments: list[Assignment] = []
        self.events = 0
        self._journal = journal
        self._agenda: list[tuple[Instant, int, Event]] = []
        self._planned = 0
        self._callers: dict[CallId, Caller] = {}
        self._waiting: set[CallId] = set()
        self._offers: dict[OfferId, Offer] = {}
        self._asked: dict[CallId, int] = {}
        self._plan_shifts()
        for at, event in events:
            self._plan(at, event)
        for caller in callers:
            self._plan_caller(caller)
        self._run()

    # --- the agenda --------------------------------------------------------------------------

    def _plan(self, at: Instant, event: Event) -> None:
        self._planned += 1
        heappush(self._agenda, (at, self._planned, event))

    def _plan_shifts(self) -> None:
        for shift in self.scenario.shifts:
            self._plan(shift.start, AgentLoggedIn(shift.agent, shift.agent))
            self._plan(shift.end, AgentLoggedOut(shift.agent))
            for begin, end in shift.breaks:
                self._plan(begin, AgentPaused(shift.agent, "break"))
                self._plan(end, AgentResumed(shift.agent))

    def _plan_caller(self, caller: Caller) -> None:
        self._callers[caller.call] = caller
        joined = CallJoined(
            caller.call, (caller.queue,), caller.customer, caller.priority, None, caller.skills
        )
        self._plan(caller.at, joined)
        if caller.patience < inf:
            self._plan(caller.at + caller.patience, CallEnded(caller.call))

    def _run(self) -> None:
        agenda, engine = self._agenda, self.engine
        closing = max((at for at, _, _ in agenda), default=0.0) + LINGER
        while agenda or self._waiting:
            due = engine.next_timeout()
            at = agenda[0][0] if agenda else closing
            if due is not None and due < at:
                self._tell(Tick(), due)
                continue
            if not agenda:
                return
            event = heappop(agenda)[2]
            if isinstance(event, OF_WAITING) and event.call not in self._waiting:
                continue  # was answered before it came to that
            if type(event) is OfferAnswered and event.offer not in self._offers:
                continue  # was taken back before the phone was picked up
            self._tell(event, at)

    def _tell(self, event: Event, now: Instant) -> None:
        self.events += 1
        if self._journal is not None:
            self._journal.append((event, now))
        said = self.engine.handle(event, now)
        if said:
            self.log.take(said, now)
            for action in said:
                self._obey(action, now)

    # --- what the engine orders --------------------------------------------------------------

    def _obey(self, action: Action, now: Instant) -> None:
        match action:
            case Offer(offer):
                self._offers[offer] = action
                self._ring(action, now)
            case OfferEnded(offer):
                self._offers.pop(offer, None)
            case Connect(offer, call):
                self._talk(offer, call, now)
            case DialCallback(call, _, _, attempt):
                self._plan(now, CallbackAnswered(call, attempt))
            case Joined(call):
                self._waiting.add(call)
            case Left(call, last=True):
                self._waiting.discard(call)

    def _ring(self, offer: Offer, now: Instant) -> None:
        caller = self._callers[offer.call]
        turn = self._asked[offer.call] = self._asked.get(offer.call, -1) + 1
        if (caller.luck + turn * GOLDEN) % 1.0 < self.scenario.miss:
            return  # rings in vain; the engine will see to it
        self._plan(now + caller.answer, OfferAnswered(offer.offer, f"leg{offer.offer}"))

    def _talk(self, offer: OfferId, call: CallId, now: Instant) -> None:
        agent, queue = self._offers[offer].agent, self._offers[offer].queue
        self.assignments.append(Assignment(call, queue, agent))
        self._plan(now, Connected(offer))
        seconds = self._callers[call].talk / self.scenario.speed.get(agent, 1.0)
        self._plan(now + seconds, AgentLegEnded(agent, f"leg{offer}"))


def simulate(scenario: Scenario, seed: int = 1) -> Day:
    """The day as these dice have it; the same seed gives the same callers under any rules."""
    return Day(scenario, scenario.callers(seed))
