"""Queues and agents as the API shows and commands them."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from acd.actions import Refused
from acd.agent import Agent
from acd.call import Entry
from acd.events import CallLeft, CallMoved, Event, PriorityChanged, Tick
from acd.explain import KEPT
from acd.queue import Queue
from acd.types import Instant, VisitOutcome
from config.targets import Target
from softswitch.api import models
from softswitch.api.view import RefusedError, UnknownError
from softswitch.api.views.explaining import (
    explain_agent,
    explain_call,
    explain_queue,
    explain_waiting,
    offers_of,
)
from softswitch.pbx.queue.hours import look_at_hours
from softswitch.pbx.queue.roster import CommandRefused
from softswitch.pbx.switch import Switch
from softswitch.store.aside import AsideError


class Centre:
    """Over the queue engine and the agents' roster."""

    def __init__(self, switch: Switch) -> None:
        self._switch, self._centre = switch, switch.centre

    # -- queues ------------------------------------------------------------------------

    def queues(self) -> list[models.Queue]:
        return [self._queue(queue) for queue in self._centre.floor.queues.values()]

    def queue(self, name: str) -> models.Queue:
        queue = self._centre.floor.queues.get(name)
        if queue is None:
            raise UnknownError("queue", name)
        return self._queue(queue)

    def _queue(self, queue: Queue) -> models.Queue:
        now, centre = self._centre.keeper.clock(), self._centre
        look_at_hours(centre, queue.name)
        tally = centre.keeper.history.tally(queue.name, now)
        settings = self._switch.settings.queues.get(queue.name)
        return models.Queue(
            name=queue.name,
            number=settings.number if settings else None,
            strategy=queue.rule.name,
            open=queue.open,
            waiting=len(queue.line),
            longest_wait=round(queue.longest_wait(now), 1) if queue.line else None,
            agents=dict(Counter(seat.agent.state.value for seat in queue.seats.values())),
            answered=tally.answered,
            abandoned=tally.abandoned,
            service_level=tally.service_level,
            callers=[self._waiting(row[3], place) for place, row in enumerate(queue.line, 1)],
        )

    def _waiting(self, entry: Entry, place: int) -> models.Waiting:
        call = entry.call
        number = call.callback.number if call.callback else call.shown or call.customer
        waiting = self._centre.callers.get(call.id)
        return models.Waiting(
            call=call.id,
            queue=entry.queue.name,
            caller=waiting.call.leg.party.number if waiting is not None else number,
            position=place,
            priority=call.priority,
            entered_at=entry.joined,
            expected=entry.forecast.value if entry.forecast else None,
            callback=not call.live,
        )

    def waiting(self) -> list[models.Waiting]:
        queues = self._centre.floor.queues.values()
        return [
            self._waiting(row[3], place)
            for queue in queues
            for place, row in enumerate(queue.line, 1)
        ]

    def change_waiting(self, call: str, wish: models.WaitingWish) -> str:
        known = [name for name in self._centre.floor.calls if name.startswith(call)]
        if len(known) != 1:
            raise UnknownError("waiting call", call)
        for event in _changes(known[0], wish):
            for action in self._centre.tell(event):
                if isinstance(action, Refused):
                    raise RefusedError(action.reason)
        return known[0]

    # -- agents ------------------------------------------------------------------------

    def agents(self) -> list[models.Agent]:
        return [self._agent(agent) for agent in self._centre.floor.agents.values()]

    def command_agent(self, agent: str, verb: models.AgentVerb, wishes: models.AgentWishes) -> None:
        if agent not in self._centre.floor.agents:
            raise UnknownError("agent", agent)
        if verb == "score" and (wishes.won is None or wishes.tried is None):
            raise RefusedError("say how many calls were won, and of how many")
        try:
            self._command(agent, verb, wishes)
        except CommandRefused as refusal:
            raise RefusedError(str(refusal)) from refusal

    def _command(self, agent: str, verb: models.AgentVerb, wishes: models.AgentWishes) -> None:
        roster = self._centre.roster
        match verb:
            case "login":
                roster.log_in(agent, wishes.phone or "", paused=wishes.reason or "")
            case "logout":
                roster.log_out(agent)
            case "pause":
                roster.pause(agent, wishes.reason or "")
            case "resume":
                roster.resume(agent)
            case "wrap-up":
                roster.extend_wrap_up(agent, wishes.seconds)
            case "end-wrap-up":
                roster.end_wrap_up(agent)
            case "free":
                roster.free(agent)
            case "score":
                roster.score(agent, wishes.won or 0, wishes.tried or 0)

    def _agent(self, agent: Agent) -> models.Agent:
        talks = [talk.call for talk in agent.talks.values()]
        return models.Agent(
            name=agent.name,
            status=agent.status.value,
            state=agent.state.value,
            phone=agent.settings.external or agent.phone or None,
            reason=agent.reason or None,
            since=agent.since,
            until=agent.until,
            queues=list(agent.seats),
            calls=[*talks, *agent.offers.values()],
        )

    # -- why ---------------------------------------------------------------------------

    async def _offers(self, call: str) -> list[dict[str, Any]]:
        """From memory if that holds all of them, else from the journal."""
        recent = offers_of(self._centre.floor, call)
        visits = await (await self._switch.store.search()).visits_of(call)
        ended = sum(len((visit["details"] or {}).get("offers", ())) for visit in visits)
        ends = [visit["left_at"] for visit in visits]
        starts = [visit["entered_at"] for visit in visits if visit["left_at"] is None]
        if len(recent) >= ended and min(starts, default=math.inf) >= self._remembered_since():
            return recent
        until = max(ends) if all(ends) else time.time()
        try:
            old = await self._centre.keeper.decisions(call, visits[0]["entered_at"], until)
        except (OSError, AsideError) as error:
            raise RefusedError(f"the queues' journal cannot be read: {error}") from error
        return old if len(old) > len(recent) else recent

    def _remembered_since(self) -> Instant:
        """From when on all decisions are in memory."""
        decisions = self._centre.floor.decisions
        return decisions[0].at if len(decisions) == KEPT else self._centre.keeper.began

    async def explain(self, subject: str, name: str) -> models.Explanation:
        self._centre.tell(Tick())  # what is told is of this moment
        floor = self._centre.floor
        match subject:
            case "queue":
                found = explain_queue(floor, name)
            case "call":
                found = explain_call(floor, name, await self._offers(name))
            case "agent":
                found = explain_agent(floor, name)
            case _:
                found = explain_waiting(floor, name)
        if found is None:
            named = subject in ("agent", "queue")
            raise UnknownError(subject if named else "call in the queues", name)
        return found


def _changes(call: str, wish: models.WaitingWish) -> Iterator[Event]:
    if wish.priority is not None:
        yield PriorityChanged(call, wish.priority)
    if wish.queue is not None:
        yield CallMoved(call, (wish.queue,))
    if wish.leave is not None:
        yield CallLeft(call, outcome=VisitOutcome.WITHDRAWN, target=_target(wish.leave))


def _target(text: str) -> str:
    try:
        return str(Target.parse(text))
    except ValueError as fault:
        raise RefusedError(str(fault)) from fault
