"""What must hold between any two events, whatever happened: at run time and in tests.

`violations` looks at everything, now and then.  `wrong_offer` and `wrong_pools` look at what one
event has touched, after every event, at a cost that does not grow with the call centre.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice

from acd.agent import Agent
from acd.call import Call, Entry, Phase
from acd.floor import Floor
from acd.pool import Pool
from acd.queue import Queue

Violation = tuple[str, str]
GLANCE = 4
"""Callers, and agents, of a touched pool who are compared after an event."""


def wrong_offer(entry: Entry, agent: Agent) -> Iterator[Violation]:
    """What would be wrong with an offer that is about to be made; `entry` still stands in line."""
    pool, call = entry.pool, entry.call
    assert pool is not None
    if agent.load() >= agent.settings.capacity:
        yield "one offer", f"{agent.name} is busy and was given {call.id}"
    if entry.shelf is pool.waiting and pool.waiting[0] is not entry.row:
        for row in pool.waiting[: bisect_left(pool.waiting, entry.row)]:
            if pool.admits(agent, row[3].call):
                yield "order", f"{call.id} came before {row[3].call.id} in {pool.queue.name}"
                return


def wrong_pools(pools: Iterable[Pool]) -> Iterator[Violation]:
    """Callers at the head of a line who wait beside agents who are free for them."""
    for pool in pools:
        if pool.waiting and pool.free:
            agents = tuple(islice(pool.free.values(), GLANCE))
            for row in pool.waiting[:GLANCE]:
                for agent in agents:
                    if pool.admits(agent, row[3].call):
                        yield _beside(pool, row[3], agent)


def _beside(pool: Pool, entry: Entry, agent: Agent) -> Violation:
    return "work conservation", f"{entry.call.id} waits in {pool.queue.name} beside {agent.name}"


def violations(floor: Floor, part: int = 0, parts: int = 1) -> Iterator[Violation]:
    """(rule, detail) of everything that does not hold: O(agents + calls).

    Of several `parts` only one is looked at, so that a large centre does not stop for it.
    """
    for agent in list(floor.agents.values())[part::parts]:
        yield from _agent(floor, agent)
    for call in list(floor.calls.values())[part::parts]:
        yield from _call(floor, call)
    for queue in list(floor.queues.values())[part::parts]:
        yield from _queue(floor, queue)
    for offered in list(floor.offers.values())[part::parts]:
        if offered.agent.offers.get(offered.id) != offered.call.id:
            yield "offers", f"offer {offered.id} is unknown to {offered.agent.name}"
        if offered.ends < floor.now:
            yield "lease", f"offer {offered.id} is open beyond its lease"


def _agent(floor: Floor, agent: Agent) -> Iterator[Violation]:
    name = agent.name
    if agent.offers and len(agent.offers) + len(agent.talks) > agent.settings.capacity:
        yield "one offer", f"{name} has {len(agent.offers)} offers, {len(agent.talks)} calls"
    if set(agent.offers) - floor.offers.keys():
        yield "offers", f"{name} is reserved for an offer that is over"
    if agent.state is not agent.derive_state():
        yield "state", f"{name} is {agent.derive_state()} but shown as {agent.state}"
    if agent.available is not agent.derive_available() or agent.available is not agent.pooled:
        yield "eligibility", f"{name}: available {agent.available}, pooled {agent.pooled}"
    if any((name in pool.free) is not agent.pooled for pool in agent.pools):
        yield "eligibility", f"{name} is in the wrong pools"


def _call(floor: Floor, call: Call) -> Iterator[Violation]:
    if not call.entries:
        yield "conservation", f"{call.id} stands in no queue"
    if call.served_by is not None and call.served_by not in call.offers:
        yield "served once", f"{call.id} is served by an offer that is over"
    if (call.phase is Phase.CONNECTING) is not (call.served_by is not None):
        yield "served once", f"{call.id} is {call.phase.name}, served by {call.served_by}"
    if call.asked != {offered.agent.name for offered in call.offers.values()}:
        yield "offers", f"{call.id} rings at others than it should"
    hidden = [e for e in call.entries.values() if e.shelf is None]
    wants = call.phase is Phase.WAITING and not call.offers
    if hidden and wants and not (call.callback and call.callback.not_before > floor.now):
        yield "work conservation", f"{call.id} waits where nobody looks"


def _queue(floor: Floor, queue: Queue) -> Iterator[Violation]:
    gone = sum(queue.ended.values())
    if queue.entered != gone + len(queue.line):
        yield (
            "conservation",
            f"{queue.name}: {queue.entered} in, {gone} out, {len(queue.line)} here",
        )
    if any(a[:2] > b[:2] for a, b in zip(queue.line, queue.line[1:], strict=False)):
        yield "order", f"{queue.name} is out of order"
    if queue.staff != sum(seat.agent.manned == 2 for seat in queue.seats.values()):
        yield "staff", f"{queue.name} counts {queue.staff} ready agents"
    for pool in queue.pools.values():
        yield from _work_conservation(floor, pool)


def _work_conservation(floor: Floor, pool: Pool) -> Iterator[Violation]:
    """No caller waits beside a free agent who may serve them."""
    rows = pool.waiting + pool.ringing
    if not rows or not pool.free:
        return
    for row in rows:
        entry: Entry = row[3]
        for agent in pool.free.values():
            if pool.admits(agent, entry.call):
                yield _beside(pool, entry, agent)
                return
