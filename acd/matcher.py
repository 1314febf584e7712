"""The one matcher: after each event the best pair, again and again until there is none.

Eligibility comes first (pools, exclusions), then one order: the caller of least rank who can be
served at all, then the agent whom the queue's strategy gives them.  Between events no eligible
pair is left over, so only pairs with a freed agent or a restless caller need to be looked at.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TypeAlias

from acd.actions import ShadowDiffered
from acd.agent import Agent
from acd.call import Entry, Row
from acd.callbacks import Callbacks
from acd.explain import Contender, Decision, passed_over
from acd.floor import Floor
from acd.invariants import wrong_offer
from acd.offers import Offers
from acd.pool import Pool
from acd.queue import Queue
from acd.shadow import shadow_choice, shadow_rank

Head: TypeAlias = Row
"""As a row, but with the rank that the queue's strategy gives it at this moment."""
Turn: TypeAlias = tuple[float, int, str, str]
"""(rank, number of the call, queue, agent or "")."""


class Matcher:
    def __init__(self, floor: Floor, offers: Offers, callbacks: Callbacks) -> None:
        self.floor = floor
        self.offers = offers
        self.callbacks = callbacks

    def settle(self) -> None:
        """Make every offer that can be made."""
        floor = self.floor
        while floor.freed or floor.restless:
            if not floor.restless and len(floor.freed) == 1:
                _, agent = floor.freed.popitem()
                self._serve(agent)
            elif not floor.freed and len(floor.restless) == 1:
                _, call = floor.restless.popitem()
                for entry in sorted(call.entries.values(), key=self._rank):
                    self._push(entry)
            else:
                self._serve_all()

    def _serve(self, agent: Agent) -> None:
        """The common case: one agent, and the best caller for them.  O(the agent's pools)."""
        heads = self._heads(agent)
        if heads:
            self._pull(agent, min(heads), heads)
        elif not agent.pooled:
            self.floor.enpool(agent)
            self._dial(agent)

    def _serve_all(self) -> None:
        """Several agents or moved callers: callers in order, each with the strategy's agent."""
        floor = self.floor
        freed, restless = floor.freed, floor.restless
        floor.freed, floor.restless = {}, {}
        for agent in freed.values():
            if not agent.pooled:
                floor.enpool(agent)
        agenda = [turn for agent in freed.values() for turn in self._turn(agent)]
        callers = {call.number: call for call in restless.values()}
        for call in callers.values():
            agenda += [(self._rank(e), call.number, name, "") for name, e in call.entries.items()]
        heapify(agenda)
        while agenda:
            rank, number, queue, name = heappop(agenda)
            if name:
                self._take_turn(floor.agents[name], (rank, number, queue, name), agenda)
            else:
                self._push(callers[number].entries.get(queue))
        for agent in freed.values():
            if agent.pooled:
                self._dial(agent)

    def _turn(self, agent: Agent) -> list[Turn]:
        """The agent's best caller as a row of the agenda, or none."""
        heads = self._heads(agent) if agent.pooled else []
        return [(*min(heads)[:3], agent.name)] if heads else []

    def _take_turn(self, agent: Agent, turn: Turn, agenda: list[Turn]) -> None:
        """Serve the caller whom the agent was noted for, if they still are the agent's best."""
        heads = self._heads(agent) if agent.pooled else []
        if heads and min(heads)[:3] == turn[:3]:
            self._push(min(heads)[3])
        for again in self._turn(agent):
            if again != turn:
                heappush(agenda, again)

    # --- callers for an agent ----------------------------------------------------------------

    def _heads(self, agent: Agent) -> list[Head]:
        """The first caller of each of the agent's pools who may be given to them.

        Those for whom nobody rings yet; only if there is none, those who take more agents.
        """
        heads = [
            head
            for pool in agent.pools
            if pool.waiting and (head := self._first(pool, pool.waiting, agent))
        ]
        return heads or [
            head
            for pool in agent.pools
            if pool.ringing and (head := self._first(pool, pool.ringing, agent))
        ]

    def _first(self, pool: Pool, shelf: list[Row], agent: Agent) -> Head | None:
        if agent.guarded and pool.keeper(agent):
            return None
        for row in shelf:
            if pool.admits(agent, row[3].call):
                if pool.queue.rule.neutral:
                    return row
                return (self._rank(row[3]), row[1], row[2], row[3])
        return None

    def _rank(self, entry: Entry) -> float:
        rule = entry.queue.rule
        return entry.row[0] if rule.neutral else rule.rank(entry, self.floor.now)

    def _pull(self, agent: Agent, best: Head, heads: list[Head]) -> None:
        entry = best[3]
        assert entry.pool is not None
        for head in heads:
            if head[3].queue.shadow:
                self._compare_callers(agent, best, heads)
                break
        self._offer(entry, agent, entry.pool, tuple(heads), (), 1, self.floor.dice.state)

    # --- agents for a caller -----------------------------------------------------------------

    def _push(self, entry: Entry | None) -> None:
        """Offer this caller to as many agents as the strategy has ring, if any is free."""
        floor = self.floor
        while entry is not None and entry.shelf is not None and entry.pool is not None:
            pool, call = entry.pool, entry.call
            if entry.shelf is pool.dormant:
                self.callbacks.dial_if_free(entry)
                return
            dice = floor.dice.state
            agent = pool.choose(call, floor.now, floor.dice)
            if agent is None:
                return
            if entry.queue.shadow:
                self._compare(entry, pool, agent)
            agents = pool.contenders(agent, floor.now)
            self._offer(entry, agent, pool, (entry.row,), agents, len(pool.free), dice)

    def _offer(
        self,
        entry: Entry,
        agent: Agent,
        pool: Pool,
        callers: tuple[Head, ...],
        agents: tuple[Contender, ...],
        free: int,
        dice: int,
    ) -> None:
        floor, call, queue = self.floor, entry.call, entry.queue
        floor.broken += wrong_offer(entry, agent)
        decision = Decision(
            floor.next_offer,
            floor.event,
            floor.now,
            call.id,
            queue.name,
            agent.name,
            queue.rule.name,
            pool.needs,
            callers,
            agents,
            free,
            queue.pointer,
            dice,
            tuple(call.excluded),
            () if queue.line[0][3] is entry else passed_over(entry, agent),
            tuple(sorted(floor.scarce)) if floor.scarce else (),
        )
        self.offers.make(entry, agent, decision)

    def _compare(self, entry: Entry, pool: Pool, agent: Agent) -> None:
        """Ask the shadow strategy as well; it has its own pointer and dice, and no say."""
        floor, queue = self.floor, entry.queue
        assert queue.shadow is not None
        instead = shadow_choice(pool, entry.call, floor.now, floor.shadow_dice)
        queue.shadowed[0] += 1
        if instead is not agent:
            self._differ(queue, agent, instead.name, "")

    def _compare_callers(self, agent: Agent, best: Head, heads: list[Head]) -> None:
        """The same where an agent is free and callers of several queues wait."""
        now = self.floor.now
        queue = best[3].queue
        queue.shadowed[0] += queue.shadow is not None
        first = min(heads, key=lambda head: shadow_rank(head[3], now))
        if first is not best:
            judge = queue if queue.shadow else first[3].queue
            self._differ(judge, agent, agent.name, first[3].call.id)

    def _differ(self, queue: Queue, agent: Agent, instead: str, call: str) -> None:
        floor = self.floor
        assert queue.shadow is not None
        queue.shadowed[1] += 1
        name = queue.shadow.name
        floor.out.append(
            ShadowDiffered(floor.next_offer, queue.name, name, agent.name, instead, call)
        )

    def _dial(self, agent: Agent) -> None:
        """Nobody on the line waits for this agent: perhaps somebody who is to be called back."""
        dormant = [pool.dormant[0] for pool in agent.pools if pool.dormant]
        if dormant:
            self.callbacks.dial_if_free(min(dormant)[3])
