"""Why: this agent for this call, this agent idle, this caller waiting.

On the hot path only a `Decision` is kept: the heads that were compared.  Who else was there and why
not is looked up when somebody asks, in the agents' histories.  The choice follows from the
record: the least of `callers` by (rank, number), then the least of `agents` by (key, order, name).
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

from acd.agent import HISTORY
from acd.strategies import Shape, strategies
from acd.types import CallId, Instant, OfferId, State, Status, record

if TYPE_CHECKING:
    from acd.agent import Agent
    from acd.call import Call, Entry, Row
    from acd.floor import Floor
    from acd.queue import Queue

KEPT = 2000
"""Decisions that can be explained without the journal."""
RULE = "1"
"""Version of the order of service and of the strategies' interface."""


Contender: TypeAlias = tuple[tuple[float, ...], int, str]
"""(key, order of the seat, agent)."""
Wants: TypeAlias = tuple[str, int, str, bool]
"""A pool's `Needs`."""
Passed: TypeAlias = tuple[CallId, Wants, str]
"""A caller who waits longer, what they need, and what else spoke against the pair, if anything."""
PASSED = 5
"""Callers passed over who are noted in a decision."""


@record
class Decision:
    """Inputs of one choice: the `callers` who headed their lists, and the first free `agents`.

    No `agents` means that this one alone had become free; `free` is how many there were.
    `passed` stand before the caller in the queue; `scarce` queues kept their last free agents back.
    """

    offer: OfferId
    event: int
    at: Instant
    call: CallId
    queue: str
    agent: str
    strategy: str
    needs: Wants
    callers: tuple[Row, ...]
    agents: tuple[Contender, ...]
    free: int
    pointer: int
    dice: int
    excluded: tuple[str, ...]
    passed: tuple[Passed, ...]
    scarce: tuple[str, ...]


def passed_over(entry: Entry, agent: Agent) -> tuple[Passed, ...]:
    """Those before `entry` in its queue whom `agent` is not given to; the first few of them."""
    return tuple(
        (call.id, pool.needs, _bar(call, agent))
        for _, _, _, other in entry.queue.line[:PASSED]
        if other.row < entry.row and (call := other.call) and (pool := other.pool)
    )


def _bar(call: Call, agent: Agent) -> str:
    if call.offers:
        return f"rings at {', '.join(sorted(call.asked))}"
    if agent.name in call.excluded:
        return f"was not taken by {agent.name} when last offered"
    return "" if call.live else "is a callback that is not due"


def explain_offer(floor: Floor, offer: OfferId) -> dict[str, Any] | None:
    """Candidates with their scores or the reason of their exclusion; None if not remembered."""
    decision = next((d for d in reversed(floor.decisions) if d.offer == offer), None)
    if decision is None or not _remembers(floor, decision):
        return None
    queue, callers = floor.queues.get(decision.queue), decision.callers
    names = queue.seats if queue else {}
    return {
        **{field.name: getattr(decision, field.name) for field in fields(decision)},
        "callers": [(rank, number, entry.call.id, name) for rank, number, name, entry in callers],
        "passed": {
            call: bar
            or _unsuited(queue, floor.agents[decision.agent], needs, "needs")
            or "may not be had"
            for call, needs, bar in decision.passed
            if queue and decision.agent in names
        },
        "rule_version": RULE,
        "tie_break": _tie_break(decision),
        "candidates": {name: _verdict(floor, decision, name) for name in names},
    }


def _remembers(floor: Floor, decision: Decision) -> bool:
    """Whether what the queue's agents did then is still known of all of them."""
    queue = floor.queues.get(decision.queue)
    histories = (seat.agent.history for seat in queue.seats.values()) if queue else ()
    return all(len(h) < HISTORY or h[0].event < decision.event for h in histories)


def _tie_break(decision: Decision) -> str:
    """What decided between the best two agents."""
    if not decision.agents:
        return "none: only this agent had become free"
    rule = strategies().get(decision.strategy)
    if rule is not None and rule.shape is Shape.CIRCLE:
        return f"none: the next after seat {decision.pointer + 1} in the circle"
    if rule is not None and rule.shape is Shape.DICE:
        return "dice"
    rivals = sorted(row for row in decision.agents if row[2] not in decision.excluded)
    if rule is not None and rule.bounded and rivals[0][2] != decision.agent:
        return "none: idle for longer than the queue's bound of fairness"
    tied = len(rivals) > 1 and rivals[0][0] == rivals[1][0]
    return "earlier seat" if tied else "none: the least score"


def _verdict(floor: Floor, decision: Decision, name: str) -> str:
    if name == decision.agent:
        return "chosen"
    agent, queue = floor.agents[name], floor.queues[decision.queue]
    change = next((c for c in reversed(agent.history) if c.event < decision.event), None)
    state = change.state if change else State.OFFLINE
    if name in decision.excluded:
        return "was asked for this call already"
    if state is State.IDLE or any(name == other for _, _, other in decision.agents):
        return _standing_of(queue, agent, decision)
    return f"{state}{f' ({change.detail})' if change and change.detail else ''}"


def _standing_of(queue: Queue, agent: Agent, decision: Decision) -> str:
    """Of one who was free: why not they."""
    if lacking := _unsuited(queue, agent, decision.needs):
        return lacking
    for keeper in agent.guarded:
        if keeper.name in decision.scarce and (keeper is not queue or decision.needs[3]):
            return f"is kept in reserve for {keeper.name}"
    score = next((key for key, _, name in decision.agents if name == agent.name), None)
    return "free, but not among the best" if score is None else f"free, score {score}"


def _unsuited(queue: Queue, agent: Agent, needs: Wants, verb: str = "does not meet") -> str:
    """Why this agent may not serve those who need that; `verb` is said of the requirement."""
    from acd.pool import Needs, Pool

    pool = Pool(queue, Needs(*needs))
    if pool.suits(agent):
        return ""
    if needs[2] not in ("", agent.name):
        return f"the caller still waits for {needs[2]}"
    if queue.seats[agent.name].tier > needs[1]:
        return f"tier {queue.seats[agent.name].tier} is not open yet"
    return f"{verb} {needs[0]!r}"


def explain_agent(floor: Floor, name: str) -> dict[str, Any] | None:
    """Why the agent is, or is not, being given a call at this moment."""
    agent = floor.agents.get(name)
    if agent is None:
        return None
    facts: dict[str, Any] = {
        "agent": name,
        "state": agent.state,
        "since": agent.since,
        "eligible": agent.available,
        "queues": {q: _why_idle(floor, agent, seat.queue) for q, seat in agent.seats.items()},
    }
    if not agent.available:
        facts["because"] = hindrance(agent)
    held = [talk for talk in agent.talks.values() if talk.held_since is not None]
    facts["on_hold"] = {talk.queue: floor.now - (talk.held_since or floor.now) for talk in held}
    return facts


def hindrance(agent: Agent) -> str:
    """The first thing that keeps the agent from being offered calls."""
    if agent.status is Status.PAUSED:
        return f"paused: {agent.reason or 'no reason given'}"
    if agent.status is Status.LOGGED_OUT:
        return "logged out"
    if not agent.registered:
        return "no phone registered"
    if agent.dnd:
        return "do not disturb"
    if agent.wrapping:
        return "wrap-up"
    if agent.rest_until is not None:
        return "rests after an offer that failed"
    if agent.load() >= agent.settings.capacity:
        return f"{agent.state}: {agent.load()} of {agent.settings.capacity} calls"
    return ""


def _why_idle(floor: Floor, agent: Agent, queue: Queue) -> str:
    reasons = [objection(floor, row[3], agent) for row in queue.line]
    if not reasons:
        return "nobody waits"
    return "; ".join(dict.fromkeys(reason or "is being matched" for reason in reasons))


def objection(floor: Floor, entry: Entry, agent: Agent) -> str:
    """Why this waiting caller is not given to this agent at this moment."""
    call, queue = entry.call, entry.queue
    needs = queue.needs(entry)
    if not agent.available:
        return hindrance(agent)
    if lacking := _unsuited(queue, agent, needs):
        return lacking
    if reason := floor.pool(queue, needs).objection(agent, call):
        return reason
    return "" if entry.shelf is not None else _standing(call)


def _standing(call: Call) -> str:
    if call.offers:
        return f"rings at {', '.join(sorted(call.asked))}"
    if call.callback:
        return "a callback that is not due"
    return ""


def explain_waiting(floor: Floor, call_id: CallId) -> dict[str, Any] | None:
    """Why the call is not being served: for each queue its place, and what bars each agent."""
    call = floor.calls.get(call_id)
    if call is None:
        return None
    return {
        "call": call_id,
        "standing": _standing(call) or "waits",
        "queues": {
            name: {
                "position": entry.queue.position(entry),
                "waited": entry.waited(floor.now),
                "needs": entry.queue.needs(entry)._asdict(),
                "agents": {
                    seat.agent.name: objection(floor, entry, seat.agent) or "free"
                    for seat in entry.queue.seats.values()
                },
            }
            for name, entry in call.entries.items()
        },
    }


def explain_queue(floor: Floor, name: str) -> dict[str, Any] | None:
    """How the queue decides at this moment, how well it predicts, and what its shadow would do.

    `yields` is for how many seconds after a caller others of one level more may come and still be
    served first: the bound of starvation, for each level.
    """
    queue = floor.queues.get(name)
    if queue is None:
        return None
    decisions, different = queue.shadowed
    agents = [seat.agent for seat in queue.seats.values()]
    return {
        "queue": name,
        "strategy": queue.rule.name,
        "open": queue.open,
        "waiting": len(queue.line),
        "logged_in": queue.logged_in,
        "ready": queue.staff,
        "free": sum(agent.available for agent in agents),
        "yields": queue.settings.ageing or floor.settings.ageing,
        "prediction": queue.predictor.accuracy()._asdict(),
        "shadow": queue.settings.shadow,
        "shadow_decisions": decisions,
        "shadow_differed": different,
    }
