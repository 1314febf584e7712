"""What the event stream tells of queues and agents."""

from __future__ import annotations

from collections.abc import Callable

from acd.actions import (
    Action,
    AgentChanged,
    Joined,
    Left,
    OfferEnded,
    Reclaim,
    Remind,
    ShadowDiffered,
    TalkEnded,
)


def report(tell: Callable[..., None], action: Action) -> None:
    """Tell those who watch from outside, if it concerns them."""
    match action:
        case Joined(call, queue, position, priority, expected, callback):
            facts = {"position": position, "priority": priority, "expected": expected}
            tell("queue.joined", call=call, queue=queue, **facts, callback=callback)
        case Left(call, queue, outcome, waited):
            told = {"outcome": outcome.value, "waited": round(waited, 3)}
            agent, promised = action.agent or None, action.callback
            tell("queue.left", call=call, queue=queue, **told, agent=agent, callback=promised)
        case OfferEnded(_, call, queue, agent, outcome, rang):
            ended = {"outcome": outcome.value, "rang": round(rang, 3)}
            tell("queue.offered", call=call, queue=queue, agent=agent, **ended)
        case TalkEnded(call, queue, agent, talked):
            tell("agent.talked", agent=agent, call=call, queue=queue, talked=round(talked, 3))
        case Remind(call, queue, agent, _, held):
            tell("agent.reminded", agent=agent, call=call, queue=queue, held=round(held, 3))
        case Reclaim(call, queue, agent, _, held, recall):
            told = {"held": round(held, 3), "recall": recall}
            tell("agent.reclaimed", agent=agent, call=call, queue=queue, **told)
        case AgentChanged(agent, state, detail, until):
            reason = detail or None
            tell("agent.changed", agent=agent, state=state.value, reason=reason, until=until)
        case ShadowDiffered(_, queue, strategy, agent, instead, call):
            names = {"strategy": strategy, "agent": agent, "instead": instead}
            tell("queue.shadow", queue=queue, **names, call=call or None)
        case _:
            pass
