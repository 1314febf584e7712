"""A day in virtual time, as short as it can be: random arrivals, every offer answered at once."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import TypeAlias

from acd.actions import Offer
from acd.engine import Engine
from acd.events import AgentLegEnded, AgentLoggedIn, CallJoined, Connected, Event, OfferAnswered
from acd.settings import Settings

Law: TypeAlias = "Callable[[Day, Offer], bool]"


class Day:
    """`calls` callers, one each `gap` seconds on average, each talking `talk` seconds on average.

    With `customers`, each caller is one of so many; `speed` divides
    an agent's talk time.  `given` collects (caller's number, agent) in order of service,
    `customers` who called, by the caller's number.  `law` is asked about every offer before it is
    obeyed: `free` has the agents there were, and since when, `waiting` the callers by queue with
    their arrival, `waits` how long those served had waited; `broken` has the offers that it denies,
    `decided` how many had a choice.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        calls: int = 10_000,
        gap: float = 12.0,
        talk: float = 30.0,
        customers: int = 0,
        speed: dict[str, float] | None = None,
        seed: int = 1,
        law: Law | None = None,
        start: tuple[Event, ...] = (),
    ) -> None:
        self.engine = Engine(settings)
        self.law = law
        self.free: dict[str, float] = dict.fromkeys(settings.agents, 0.0)
        self.waiting: dict[str, dict[str, float]] = {name: {} for name in settings.queues}
        self.waits: dict[str, list[float]] = {name: [] for name in settings.queues}
        self.broken: list[Offer] = []
        self.decided = 0
        self.rng = Random(seed)
        self.talk, self.speed = talk, speed or {}
        self.given: list[tuple[int, str]] = []
        self.customers: list[str] = []
        self.worked: dict[str, float] = dict.fromkeys(settings.agents, 0.0)
        self.agenda: list[tuple[float, int, Event]] = []
        self.now, self.number = 0.0, 0
        for event in (*(AgentLoggedIn(name, name) for name in settings.agents), *start):
            self._at(0.0, event)
        self.queues = tuple(settings.queues)
        at = 0.0
        for n in range(calls):
            at += self.rng.expovariate(1 / gap)
            who = f"customer{self.rng.randrange(customers)}" if customers else ""
            self.customers.append(who)
            self._at(at, CallJoined(str(n), (self.queues[n % len(self.queues)],), customer=who))
        self._run()

    def _at(self, at: float, event: Event) -> None:
        self.number += 1
        heappush(self.agenda, (at, self.number, event))

    def _run(self) -> None:
        while self.agenda:
            self.now, _, event = heappop(self.agenda)
            if isinstance(event, CallJoined):
                self.waiting[event.queues[0]][event.call] = self.now
            elif isinstance(event, AgentLegEnded):
                self.free[event.agent] = self.now
            for action in self.engine.handle(event, self.now):
                if isinstance(action, Offer):
                    self._serve(action)

    def _serve(self, offer: Offer) -> None:
        if self.law is not None:
            self._judge(offer)
        del self.free[offer.agent]
        arrived = self.waiting[offer.queue].pop(offer.call)
        self.waits[offer.queue].append(self.now - arrived)
        talk = self.rng.expovariate(1 / self.talk) / self.speed.get(offer.agent, 1.0)
        self.given.append((int(offer.call), offer.agent))
        self.worked[offer.agent] += talk
        leg = f"leg{offer.offer}"
        self._at(self.now, OfferAnswered(offer.offer, leg))
        self._at(self.now, Connected(offer.offer))
        self._at(self.now + talk, AgentLegEnded(offer.agent, leg))

    def _judge(self, offer: Offer) -> None:
        assert self.law is not None
        self.decided += len(self.free) > 1 or sum(map(bool, self.waiting.values())) > 1
        if not self.law(self, offer):
            self.broken.append(offer)

    def shares(self) -> dict[str, float]:
        """Of all calls, by agent."""
        agents = [agent for _, agent in self.given]
        return {name: agents.count(name) / len(agents) for name in sorted(set(agents))}

    def occupancy(self) -> dict[str, float]:
        return {name: worked / self.now for name, worked in self.worked.items()}
