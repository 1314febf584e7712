"""Whom another strategy would have chosen.  Looks, never touches: it has its own dice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.strategies import Shape
from acd.types import Instant

if TYPE_CHECKING:
    from acd.agent import Agent
    from acd.call import Call, Entry
    from acd.dice import Dice
    from acd.pool import Pool


def shadow_rank(entry: Entry, now: Instant) -> tuple[float, int, str]:
    """Where the caller would stand by the shadow strategy of their queue, or else by the rule."""
    rule = entry.queue.shadow or entry.queue.rule
    return rule.rank(entry, now), entry.call.number, entry.queue.name


def shadow_choice(pool: Pool, call: Call, now: Instant, dice: Dice) -> Agent:
    """The shadow strategy's agent among those who are free for this call; there is at least one.

    Keys are taken anew for all of them, so a shadow costs O(free agents) for each decision.
    """
    queue = pool.queue
    assert queue.shadow is not None
    admitted = [agent for agent in pool.free.values() if pool.admits(agent, call)]
    order = {agent.name: queue.seats[agent.name].order for agent in admitted}
    admitted.sort(key=lambda agent: order[agent.name])
    if queue.shadow.shape is Shape.DICE:
        return admitted[dice.below(len(admitted))]
    if queue.shadow.shape is Shape.CIRCLE:
        after = (agent for agent in admitted if order[agent.name] > queue.shadow_pointer)
        chosen = next(after, admitted[0])
        queue.shadow_pointer = order[chosen.name]
        return chosen
    rule = queue.shadow
    return min(admitted, key=lambda agent: rule.key(queue.seats[agent.name], pool, now))
