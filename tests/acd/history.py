"""Any history at all: events that make sense and events that do not, in any order, at any time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from acd.actions import Action, Announce, Joined, Left, Offer
from acd.agent import Agent
from acd.call import Phase
from acd.engine import Engine
from acd.events import (
    AgentDnd,
    AgentFreed,
    AgentHeld,
    AgentLegEnded,
    AgentLegReplaced,
    AgentLegsCounted,
    AgentLegStarted,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentRegistered,
    AgentResumed,
    AgentScored,
    AgentTransferred,
    CallbackAnswered,
    CallbackCancelled,
    CallbackFailed,
    CallbackRequested,
    CallEnded,
    CallJoined,
    CallLeft,
    CallMoved,
    Connected,
    Event,
    OfferAnswered,
    OfferFailed,
    PriorityChanged,
    QueueClosed,
    QueueOpened,
    Reconfigured,
    StrategyChanged,
    Tick,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.invariants import violations
from acd.settings import (
    AgentSettings,
    Announcement,
    Callback,
    CallbackSettings,
    Member,
    Overflow,
    QueueSettings,
    Settings,
    Staffing,
    Step,
)
from acd.strategies import strategies
from acd.types import OfferOutcome

Pick = Callable[[int], int]
"""A number from 0 to n - 1."""

STRATEGIES = sorted(strategies())
FAULTS = [
    OfferOutcome.REJECTED,
    OfferOutcome.NO_ANSWER,
    OfferOutcome.UNREACHABLE,
    OfferOutcome.BUSY,
    OfferOutcome.LOST_RACE,
]


def any_settings(pick: Pick) -> Settings:
    """Five agents, three queues, every rule now and then."""
    agents = {
        f"a{n}": AgentSettings(
            skills={"sales": 1 + pick(10)} if pick(3) else {},
            capacity=1 + (pick(4) == 0),
            wrap_up=10.0 if pick(4) == 0 else None,
            external="+1" if pick(6) == 0 else "",
        )
        for n in range(5)
    }
    agents["a0"] = AgentSettings(skills={"sales": 5, "english": 3})
    return Settings(
        queues={name: any_queue(pick) for name in ("q0", "q1", "q2")},
        agents=agents,
        window=60.0,
        leg_lease=500.0,
        audit_every=0,
    )


def _changed(pick: Pick) -> Settings:
    """Other settings, sometimes with queues and an agent less (refused where one is named)."""
    changed = any_settings(pick)
    if pick(2):
        return changed
    gone = ("q0", "q1")[: 1 + pick(2)]
    queues = {name: queue for name, queue in changed.queues.items() if name not in gone}
    trimmed = {
        name: replace(queue, members=tuple(m for m in queue.members if m.agent != "a4"))
        for name, queue in queues.items()
    }
    agents = {name: agent for name, agent in changed.agents.items() if name != "a4"}
    return replace(changed, queues=trimmed, agents=agents)


def any_queue(pick: Pick) -> QueueSettings:
    members = tuple(
        Member(f"a{n}", tier=1 + pick(2), weight=1.0 + pick(3)) for n in range(5) if pick(3)
    )
    steps = (Step(0, tier=1), Step(20, tier=2), Step(40, skills="")) if pick(2) else ()
    return QueueSettings(
        members=members,
        strategy=STRATEGIES[pick(len(STRATEGIES))],
        shadow=STRATEGIES[pick(len(STRATEGIES))] if pick(3) == 0 else "",
        priority=pick(2),
        skills="sales >= 4" if pick(3) == 0 else "",
        steps=steps,
        reserve=pick(2) * pick(2),
        reserve_priority=1 if pick(3) == 0 else None,
        ageing=20.0 if pick(4) == 0 else None,
        wrap_up=5.0 * pick(3),
        max_hold=10.0 if pick(3) == 0 else None,
        hold_grace=5.0 * pick(2),
        sticky=15.0 * pick(2),
        also=("q2",) if pick(4) == 0 else (),
        hold=pick(8) > 0,
        cancel_on_answer=bool(pick(2)),
        max_length=6 if pick(4) == 0 else None,
        max_wait=60.0 if pick(3) == 0 else None,
        join_when=list(Staffing)[pick(3)] if pick(4) == 0 else Staffing.ANY,
        stay_when=list(Staffing)[pick(3)] if pick(4) == 0 else Staffing.ANY,
        overflow=(Overflow("queue:q2", length=4, waited=45.0),) if pick(4) == 0 else (),
        next="queue:q1" if pick(3) == 0 else "voicemail:office",
        keep_place=30.0 * pick(2),
        announcements=(
            Announcement(("position",), first=5.0, every=10.0),
            Announcement(("wait", "offer"), first=8.0, every=15.0, times=3),
        )
        if pick(2)
        else (),
        callback=CallbackSettings(mode=list(Callback)[pick(2)], retry=20.0, deadline=200.0),
        fairness=30.0,
    )


def any_event(pick: Pick, engine: Engine) -> Event:
    """Mostly what could happen now, sometimes what could not."""
    floor = engine.floor
    agent = f"a{pick(5)}" if pick(50) else "nobody"
    call = f"c{pick(12)}"
    offer = _any(pick, list(floor.offers)) or pick(50)
    known = floor.agents.get(agent)
    legs = [*known.talks, *known.legs] if known else []
    talking = [a for a in floor.agents.values() if a.talks]
    queue = f"q{pick(3)}"
    attempt = floor.calls[call].callback if call in floor.calls else None
    tries = attempt.attempt if attempt else pick(3)
    kinds: list[Callable[[], Event]] = [
        *[lambda: OfferAnswered(offer, _any(pick, ["", f"leg{offer}"]) or "")] * 6,
        *[lambda: Connected(_connecting(engine, pick, offer))] * 8,
        *[lambda: _any_join(pick, call)] * 10,
        *[lambda: AgentLegEnded(agent, _any(pick, legs) or "x")] * 4,
        *[lambda: _end_of_talk(pick, talking)] * 6,
        *[lambda: CallEnded(call)] * 4,
        lambda: AgentLoggedIn(agent, f"phone{pick(3)}", "lunch" if pick(5) == 0 else ""),
        lambda: AgentLoggedIn(agent, "phone"),
        lambda: AgentLoggedOut(agent),
        lambda: AgentPaused(agent, "tea"),
        *[lambda: AgentResumed(agent)] * 3,
        lambda: AgentRegistered(agent, pick(3) > 0),
        lambda: AgentDnd(agent, pick(3) == 0),
        lambda: AgentLegStarted(agent, f"private{pick(3)}"),
        lambda: AgentLegStarted(agent, f"leg{offer}", offer),
        lambda: AgentHeld(agent, _any(pick, legs) or "x", bool(pick(2))),
        lambda: AgentLegReplaced(agent, _any(pick, legs) or "x", f"leg{offer}"),
        lambda: AgentTransferred(agent, _any(pick, legs) or "x"),
        lambda: AgentLegsCounted(agent, tuple(legs[: pick(3)])),
        lambda: WrapUpExtended(agent, _any(pick, [None, 5.0, 50.0])),
        lambda: WrapUpEnded(agent),
        lambda: AgentFreed(agent),
        lambda: AgentScored(agent, pick(10), 10),
        *[lambda: OfferFailed(offer, FAULTS[pick(len(FAULTS))])] * 3,
        lambda: CallLeft(call, _any(pick, ["", queue]) or "", target="voicemail:x"),
        lambda: CallMoved(call, (queue,)),
        lambda: PriorityChanged(call, pick(7) - 3),
        lambda: CallbackRequested(call, f"number{pick(4)}"),
        *[lambda: CallbackAnswered(call, tries)] * 2,
        lambda: CallbackFailed(call, tries),
        lambda: CallbackCancelled(call),
        lambda: QueueOpened(queue),
        lambda: QueueOpened(queue),
        lambda: QueueClosed(queue, leave=bool(pick(2))),
        lambda: StrategyChanged(queue, STRATEGIES[pick(len(STRATEGIES))]),
        lambda: Reconfigured(_changed(pick)) if pick(6) == 0 else Tick(),
        *[Tick] * 3,
    ]
    return kinds[pick(len(kinds))]()


def _any(pick: Pick, choices: Sequence[Any]) -> Any:
    return choices[pick(len(choices))] if choices else None


def _connecting(engine: Engine, pick: Pick, offer: int) -> int:
    ready = [c.served_by for c in engine.floor.calls.values() if c.served_by is not None]
    return ready[pick(len(ready))] if ready else offer


def _end_of_talk(pick: Pick, talking: list[Agent]) -> Event:
    if not talking:
        return Tick()
    agent = talking[pick(len(talking))]
    return AgentLegEnded(agent.name, next(iter(agent.talks)))


def _any_join(pick: Pick, call: str) -> CallJoined:
    queues = tuple(f"q{pick(3)}" for _ in range(1 + (pick(4) == 0)))
    customer = f"customer{pick(5)}" if pick(2) else ""
    skills = "sales >= 2" if pick(8) == 0 else ""
    avoid = f"a{pick(5)}" if pick(6) == 0 else ""
    return CallJoined(call, queues, customer, pick(5) - 2, None, skills, avoid=avoid)


class Watch:
    """What must hold of everything an engine says, whatever it is told."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, str, str], float] = {}

    def wrong(self, engine: Engine, said: list[Action]) -> Iterator[str]:
        """Laws that the latest actions break."""
        yield from (f"{rule}: {detail}" for rule, detail in violations(engine.floor))
        yield from broken_order(engine, said)
        yield from self._risen(said)

    def _risen(self, said: list[Action]) -> Iterator[str]:
        """Positions and waits told that are worse than the last ones, without a word why."""
        for action in said:
            if isinstance(action, Joined | Left):
                for what in ("position", "wait"):
                    self.told.pop((action.call, action.queue, what), None)
            elif isinstance(action, Announce) and action.value is not None:
                key = action.call, action.queue, action.what
                last = self.told.get(key, action.value)
                if action.value > last and not action.because:
                    yield f"{action} after {last}"
                self.told[key] = action.value


def broken_order(engine: Engine, said: list[Action]) -> Iterator[str]:
    """Offers after which an earlier caller, whom the agent could have had as well, still waits."""
    floor = engine.floor
    offers = sum(isinstance(action, Offer) for action in said)
    for index, action in enumerate(said):
        if not isinstance(action, Offer) or action.offer not in floor.offers:
            continue
        offered = floor.offers[action.offer]
        entry, agent = offered.entry, offered.agent
        if not entry.queue.rule.single or offered.call.phase is not Phase.WAITING:
            continue
        later = {after.call for after in said[index:] if isinstance(after, Joined)}
        pools = [entry.pool] if entry.pool else []
        if offers == 1 and entry.queue.rule.neutral and not agent.guarded:
            pools = [pool for pool in agent.pools if pool.queue.rule.neutral]
        for pool in pools:
            for row in pool.waiting[: bisect_left(pool.waiting, entry.row)]:
                other = row[3].call
                if other.id not in later | {action.call} and pool.admits(agent, other):
                    yield f"{action} before {other.id} of {pool.queue.name}"
