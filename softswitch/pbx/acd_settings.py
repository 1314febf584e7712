"""What the settings file says of queues and agents, in the engine's words.  Pure.

What the engine has no word for is the carrier's: numbers, names, prompts, music, modes, keys,
recording, classes of service, and the alarms of the wallboard.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from acd import settings as acd
from acd.skills import at_least, both
from acd.types import OfferOutcome, Seconds
from config.agents import Agent
from config.queues import Forgotten, NoAnswer, Queue
from config.settings import Settings
from config.targets import Target

STRICT: Seconds = 1e6
"""Eleven days of waiting a level: priority that no waiting makes up for."""
SKIP: Seconds = 60.0
"""How long an agent who did not take a call is not asked for that same call again."""


def settings_of(settings: Settings) -> acd.Settings:
    """The engine's settings; `Reconfigured` takes them while it works."""
    return acd.Settings(
        queues={name: _queue(queue) for name, queue in settings.queues.items()},
        agents={name: _agent(agent) for name, agent in settings.agents.items()},
        window=max((queue.window for queue in settings.queues.values()), default=3600.0),
    )


def target_text(targets: Sequence[Target]) -> str:
    """Targets as the engine hands them back in `Left.target`; `targets_of` reads it."""
    return ",".join(map(str, targets))


def targets_of(text: str) -> tuple[Target, ...]:
    """Where a caller who has left a queue goes; none: the call ends here."""
    return tuple(Target.parse(part) for part in text.split(",") if part)


def _agent(agent: Agent) -> acd.AgentSettings:
    return acd.AgentSettings(
        skills=dict(agent.skills),
        capacity=agent.max_calls,
        wrap_up=agent.wrap_up,
        external=agent.number or "",
        performance=agent.performance,
        cost=agent.cost,
        trainee=agent.trainee,
    )


def _queue(queue: Queue) -> acd.QueueSettings:
    overflow, forgotten = queue.overflow, queue.forgotten or Forgotten()
    return acd.QueueSettings(
        members=tuple(_members(queue)),
        strategy=queue.strategy,
        shadow=queue.shadow or "",
        priority=queue.priority,
        ageing=queue.ageing.every / queue.ageing.step if queue.ageing else STRICT,
        skills=_requirement(queue.skills, queue.requires),
        steps=tuple(_steps(queue)),
        reserve=queue.reserve,
        reserve_priority=queue.reserve_priority,
        ring_time=queue.ring_time,
        connect_time=queue.lease,
        wrap_up=queue.wrap_up,
        max_hold=forgotten.after if queue.forgotten else None,
        hold_grace=forgotten.grace,
        hold_recall=forgotten.then == "recall",
        sticky=queue.sticky.wait if queue.sticky else 0.0,
        misses=_misses(queue.no_answer),
        also=queue.also,
        hold=queue.hold,
        max_length=queue.max_length,
        max_wait=queue.max_wait,
        join_when=_staffing(queue.join),
        stay_when=_staffing(queue.stay),
        overflow=tuple(_overflow(queue)),
        next=target_text(overflow.to) if overflow else "",
        empty=target_text(queue.empty),
        closed=target_text(queue.closed),
        hold_cost=queue.cost_per_minute,
        hold_cost_cap=queue.max_cost,
        keep_place=queue.keep_place,
        announcements=tuple(_announcements(queue)),
        callback=_callback(queue),
        fairness=queue.fairness,
        ring_step=queue.step,
        cost=queue.cost,
        target=queue.service_level.seconds,
        goal=queue.service_level.share,
        short_abandon=queue.short_abandon,
    )


def _members(queue: Queue) -> Iterator[acd.Member]:
    """Seats in the order of the file; an agent named twice sits where he is named first."""
    seen: set[str] = set()
    rows = [(agent, 1) for agent in queue.agents]
    for tier in queue.tiers:
        rows += [(agent, _tiers(queue)[tier.after]) for agent in tier.agents]
    for agent, number in rows:
        if agent not in seen:
            seen.add(agent)
            yield acd.Member(agent, number, queue.weights.get(agent, 1.0))


def _tiers(queue: Queue) -> dict[Seconds, int]:
    """After how long a wait each tier opens, and its number; the first is open at once."""
    return {after: n for n, after in enumerate(sorted({0.0, *(t.after for t in queue.tiers)}), 1)}


def _steps(queue: Queue) -> Iterator[acd.Step]:
    """Tiers opening, and requirements relaxed, by waiting time."""
    if queue.tiers:
        for after, number in _tiers(queue).items():
            yield acd.Step(after, tier=number)
    for relax in queue.relax:
        yield acd.Step(relax.after, skills=_requirement(relax.skills, relax.requires))


def _requirement(skills: Mapping[str, int], requires: str | None) -> str:
    levels = " and ".join(at_least(name, level) for name, level in skills.items())
    return reduce(both, (levels, requires or ""))


def _misses(policy: NoAnswer) -> dict[str, acd.Miss]:
    """What an offer that came to nothing means for the agent; the rest as the engine has it."""
    after, window = policy.pause_after, policy.window
    return {
        **acd.MISSES,
        OfferOutcome.NO_ANSWER: acd.Miss(SKIP, policy.back_off, after, window, lose_turn=True),
        OfferOutcome.REJECTED: acd.Miss(SKIP, policy.reject_back_off, lose_turn=True),
        OfferOutcome.BUSY: acd.Miss(policy.busy_back_off, policy.busy_back_off),
        OfferOutcome.UNREACHABLE: acd.Miss(
            policy.unreachable_back_off, policy.unreachable_back_off, after, window
        ),
    }


def _staffing(states: str) -> acd.Staffing:
    return acd.Staffing.ANY if states == "always" else acd.Staffing(states)


def _overflow(queue: Queue) -> Iterator[acd.Overflow]:
    rule = queue.overflow
    if rule is not None and (rule.length is not None or rule.predicted is not None):
        yield acd.Overflow(target_text(rule.to), length=rule.length, expected=rule.predicted)


def _announcements(queue: Queue) -> Iterator[acd.Announcement]:
    told = queue.announce
    if told is not None:
        for what, wanted in (("position", told.position), ("wait", told.wait)):
            if wanted:
                yield acd.Announcement((what,), told.first, told.every or None)
    for message in queue.periodic:
        yield acd.Announcement(message.prompts, message.first, message.every)
    if queue.playlist:
        yield acd.Announcement(queue.playlist, queue.playlist_every, queue.playlist_every)


def _callback(queue: Queue) -> acd.CallbackSettings:
    given = queue.callback
    if given is None:
        return acd.CallbackSettings()
    return acd.CallbackSettings(
        mode=acd.Callback(given.mode),
        attempts=given.retries + 1,
        retry=given.retry_every,
        deadline=given.deadline,
        lead=given.lead,
        ring_time=given.ring_time,
    )
