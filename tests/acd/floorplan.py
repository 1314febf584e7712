"""A small call centre to test against: named agents, one queue or more, and a clock in hand."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from acd.actions import Action, Alarm, Offer
from acd.engine import Engine
from acd.events import (
    AgentLegEnded,
    AgentLoggedIn,
    CallJoined,
    Connected,
    Event,
    OfferAnswered,
)
from acd.settings import AgentSettings, Member, QueueSettings, Settings

A = TypeVar("A")


def queue(*agents: str, **given: Any) -> QueueSettings:
    """A queue with these agents; everything else by keyword."""
    return QueueSettings(members=tuple(Member(name) for name in agents), **given)


def settings(queues: dict[str, QueueSettings], **given: Any) -> Settings:
    """Settings in which every agent that a queue names exists."""
    agents = given.pop("agents", {})
    names = [member.agent for q in queues.values() for member in q.members]
    known = {name: agents.get(name, AgentSettings()) for name in dict.fromkeys(names)}
    return Settings(queues=queues, agents={**known, **agents}, **{"audit_every": 1, **given})


class Centre:
    """An engine, its clock and everything it has said."""

    def __init__(self, given: Settings, *, login: bool = True) -> None:
        self.engine = Engine(given)
        self.now = 1000.0
        self.log: list[tuple[float, Action]] = []
        self.events: list[tuple[Event, float]] = []
        if login:
            for name in given.agents:
                self.tell(AgentLoggedIn(name, phone=name))

    def tell(self, *events: Event) -> list[Action]:
        """Let these happen now."""
        said: list[Action] = []
        for event in events:
            self.events.append((event, self.now))
            said += self.engine.handle(event, self.now)
        self.log += [(self.now, action) for action in said]
        assert of(said, Alarm) == []
        return said

    def wait(self, seconds: float) -> list[Action]:
        """Let time pass, from deadline to deadline."""
        end, said = self.now + seconds, list[Action]()
        while (at := self.engine.next_timeout()) is not None and at <= end:
            self.now = max(at, self.now)
            actions = self.engine.handle_timer(self.now)
            self.log += [(self.now, action) for action in actions]
            said += actions
        self.now = end
        return said

    def call(self, name: str, *queues: str, **given: Any) -> list[Action]:
        return self.tell(CallJoined(name, queues or ("q",), **given))

    def take(self, offer: int) -> list[Action]:
        """The agent answers and is joined to the caller."""
        return self.tell(OfferAnswered(offer, f"leg-{offer}"), Connected(offer))

    def hang_up(self, offer: Offer) -> list[Action]:
        """The agent's leg of an answered offer ends."""
        return self.tell(AgentLegEnded(offer.agent, f"leg-{offer.offer}"))

    def serve(self, name: str, *queues: str, talk: float = 10.0, **given: Any) -> str:
        """A whole call; the agent who had it."""
        offer = only(self.call(name, *queues, **given), Offer)
        self.take(offer.offer)
        self.wait(talk)
        self.hang_up(offer)
        return offer.agent


def of(actions: list[Action], kind: type[A]) -> list[A]:
    """The actions of one kind."""
    return [action for action in actions if isinstance(action, kind)]


def only(actions: list[Action], kind: type[A]) -> A:
    """The one action of its kind."""
    (action,) = of(actions, kind)
    return action


def copy_of(engine: Engine) -> Engine:
    """The engine after its snapshot has been through JSON."""
    return Engine.restore(json.loads(json.dumps(engine.snapshot())))
