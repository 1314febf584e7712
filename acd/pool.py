"""An eligibility class: the callers of one queue who need the same, and the agents who will do.

Whoever stands here may be served by whoever is free here, exclusions of single pairs apart; so the
best pair is found at the heads of two ordered lists and never by looking at everybody.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from acd.skills import parse
from acd.strategies import Key, Shape
from acd.types import Instant

if TYPE_CHECKING:
    from acd.agent import Agent
    from acd.call import Call, Row
    from acd.dice import Dice
    from acd.explain import Contender
    from acd.queue import Queue

HEADS = 7
"""Rows of a heap that go into a decision's record: its two smallest are always among them."""
HeapRow: TypeAlias = tuple[Key, int, str, int]
"""(key, order of the seat, agent, stamp)."""


class Needs(NamedTuple):
    """What a caller asks of an agent: a requirement, a highest tier, or one agent alone.

    `plain` callers may not have those whom their own queue keeps in reserve.
    """

    skills: str
    tier: int
    only: str = ""
    plain: bool = False


class Pool:
    """Free agents by the queue's strategy, callers by rank.

    `waiting` callers are being offered to nobody, `ringing` ones would take more agents still,
    `dormant` ones are callbacks to be dialled.  Entering and choosing cost O(log n), amortised.
    """

    __slots__ = (
        "circle",
        "dormant",
        "epoch",
        "free",
        "heap",
        "idle",
        "keys",
        "needs",
        "queue",
        "requirement",
        "ringing",
        "waiting",
    )

    def __init__(self, queue: Queue, needs: Needs) -> None:
        self.queue = queue
        self.needs = needs
        self.requirement = parse(needs.skills)
        self.free: dict[str, Agent] = {}
        self.keys: dict[str, Key] = {}
        self.heap: list[HeapRow] = []
        self.idle: list[HeapRow] = []  # by idle time, for strategies with a fairness bound
        self.circle: list[tuple[int, str]] = []
        self.epoch = -1.0
        self.waiting: list[Row] = []
        self.ringing: list[Row] = []
        self.dormant: list[Row] = []

    def suits(self, agent: Agent) -> bool:
        """Eligible as far as seat, tier and skills go."""
        seat = self.queue.seats.get(agent.name)
        if seat is None or seat.member.tier > self.needs.tier:
            return False
        if self.needs.only not in ("", agent.name):
            return False
        return self.requirement.test(agent.settings.skills)

    def level(self, agent: Agent) -> int:
        """How proficient the agent is in what is asked for here."""
        return self.requirement.level(agent.settings.skills)

    def busy(self) -> bool:
        """Anybody stands here who is not served yet."""
        return bool(self.waiting or self.ringing or self.dormant)

    # --- the free agents ---------------------------------------------------------------------

    def enter(self, agent: Agent, now: Instant) -> None:
        """The agent has become free."""
        self.free[agent.name] = agent
        self._file(agent, now)

    def leave(self, agent: Agent) -> None:
        """The agent is not free any more; heap rows go stale by the agent's stamp."""
        del self.free[agent.name]
        if self.circle:
            row = (self.queue.seats[agent.name].order, agent.name)
            del self.circle[bisect_left(self.circle, row)]
        self.keys.pop(agent.name, None)

    def refile(self, now: Instant) -> None:
        """Take every key anew: the strategy changed, or its window has moved on."""
        self.heap, self.idle, self.circle, self.keys = [], [], [], {}
        self.epoch = self.queue.turn_window(now)
        for agent in self.free.values():
            self._file(agent, now)

    def _file(self, agent: Agent, now: Instant) -> None:
        seat = self.queue.seats[agent.name]
        rule = self.queue.rule
        if rule.shape is Shape.HEAP:
            key = self.keys[agent.name] = rule.key(seat, self, now)
            self._push(agent, key)
        elif rule.shape is not Shape.LIVE:
            insort(self.circle, (seat.order, agent.name))

    def _push(self, agent: Agent, key: Key) -> None:
        order = self.queue.seats[agent.name].order
        heappush(self.heap, (key, order, agent.name, agent.stamp))
        if self.queue.rule.bounded:
            heappush(self.idle, ((agent.idle_since,), order, agent.name, agent.stamp))
        if len(self.heap) > 64 + 3 * len(self.free):
            self.heap = [row for row in self.heap if self._fresh(row)]
            self.idle = [row for row in self.idle if self._fresh(row)]
            heapify(self.heap)
            heapify(self.idle)

    def restore(self, agent: Agent, key: Key | None, now: Instant) -> None:
        """Put a free agent back as a snapshot has them, with the key taken then."""
        self.free[agent.name] = agent
        if key is None:
            self._file(agent, now)
        else:
            self.keys[agent.name] = key
            self._push(agent, key)

    def _fresh(self, row: HeapRow) -> bool:
        agent = self.free.get(row[2])
        return agent is not None and agent.stamp == row[3]

    def clear(self) -> None:
        """No agents any more; callers stay."""
        self.free, self.keys = {}, {}
        self.heap, self.idle, self.circle = [], [], []

    # --- choosing ----------------------------------------------------------------------------

    def admits(self, agent: Agent, call: Call) -> bool:
        """Nothing speaks against this very pair: see `objection`, which says the same in words."""
        if agent.name in call.excluded or agent.name in call.asked:
            return False
        return not agent.guarded or self.keeper(agent) is None

    def keeper(self, agent: Agent) -> Queue | None:
        """The queue that keeps this agent in reserve for others than those who stand here."""
        for queue in agent.guarded:
            if len(queue.free) <= queue.settings.reserve and (
                queue is not self.queue or self.needs.plain
            ):
                return queue
        return None

    def objection(self, agent: Agent, call: Call) -> str:
        """Why this pair may not be, or nothing."""
        if agent.name in call.asked:
            return "is being rung for this call"
        if agent.name in call.excluded:
            return "was asked for this call already"
        keeper = self.keeper(agent)
        return f"is kept in reserve for {keeper.name}" if keeper else ""

    def choose(self, call: Call, now: Instant, dice: Dice) -> Agent | None:
        """The free agent whom the strategy gives this caller, or None."""
        if not self.free:
            return None
        rule = self.queue.rule
        if rule.shape is Shape.HEAP:
            if rule.windowed and self.epoch != self.queue.turn_window(now):
                self.refile(now)
            if rule.bounded:
                idlest = self._least(self.idle, call)
                if idlest and now - idlest.idle_since > self.queue.settings.fairness:
                    return idlest
            return self._least(self.heap, call)
        if rule.shape is Shape.LIVE:
            admitted = [agent for agent in self.free.values() if self.admits(agent, call)]
            return min(admitted, key=lambda agent: self.score(agent, now), default=None)
        if rule.shape is Shape.CIRCLE:
            start = bisect_left(self.circle, (self.queue.pointer + 1, ""))
            return self._after(start, call)
        return self._after(dice.below(len(self.circle)), call)

    def score(self, agent: Agent, now: Instant) -> tuple[Key, int, str]:
        """The whole key by which `agent` competes, ties included."""
        seat = self.queue.seats[agent.name]
        key = self.keys.get(agent.name)
        if key is None:
            key = self.queue.rule.key(seat, self, now)
        return (key, seat.order, agent.name)

    def contenders(self, chosen: Agent, now: Instant) -> tuple[Contender, ...]:
        """The chosen agent and the next in line, for the record: O(1), so not all of them."""
        rule = self.queue.rule
        if rule.shape is Shape.HEAP:
            rows = [row[:3] for row in self.heap[:HEADS] if self._fresh(row)]
            best = self.score(chosen, now)
            return tuple(rows) if best in rows else (best, *rows)
        if rule.shape is Shape.LIVE:
            return tuple(self.score(agent, now) for agent in self.free.values())
        start = bisect_left(self.circle, (self.queue.seats[chosen.name].order, chosen.name))
        near = self.circle[start : start + HEADS] or self.circle[:HEADS]
        return tuple(self.score(self.free[name], now) for _, name in near)

    def _least(self, heap: list[HeapRow], call: Call) -> Agent | None:
        passed: list[HeapRow] = []
        found = None
        while heap and found is None:
            row = heap[0]
            if not self._fresh(row):
                heappop(heap)
            elif self.admits(self.free[row[2]], call):
                found = self.free[row[2]]
            else:
                passed.append(heappop(heap))
        for row in passed:
            heappush(heap, row)
        return found

    def _after(self, start: int, call: Call) -> Agent | None:
        size = len(self.circle)
        for index in range(start, start + size):
            agent = self.free[self.circle[index % size][1]]
            if self.admits(agent, call):
                return agent
        return None
