"""Agents and their phones: who sits where, who is reachable.

An agent sits at one extension, his own or any other (hot desk), or at a number outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from acd.actions import Action, Refused
from acd.agent import Agent as EngineAgent
from acd.events import (
    AgentDnd,
    AgentFreed,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentRegistered,
    AgentResumed,
    AgentScored,
    Event,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.types import Seconds, Status
from softswitch.pbx.queue.legs import Legs
from softswitch.pbx.wishes import SPACE as WISHES
from softswitch.sip.types import SwitchError

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre

SPACE = "agents"
"""Where the store remembers who was signed in by the settings once already."""


class CommandRefused(SwitchError):  # noqa: N818 - a state of affairs, no fault
    """The command makes no sense as things are; the text is a sentence, nothing has changed."""


class Roster:
    """What agents do and what is done to them, by phone and by command."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch
        self._at: dict[str, str] = {}
        """Who sits at which extension."""
        self.legs = Legs(centre, self)

    def start(self) -> None:
        """Look at everybody as they are now."""
        self._switch.locations.watchers.append(self._on_phones)
        self._switch.store.state.watch(WISHES, self._on_wish)
        self._switch.on_handed_on.append(self.legs.on_handed_on)
        for agent in self._on_duty():
            if agent.phone:
                self._at[agent.phone] = agent.name
        self.sign_in_residents()
        for agent in self._on_duty():
            self._on_phones(agent.phone)
            self._on_wish(agent.phone)

    # -- looking -----------------------------------------------------------------------

    def at(self, phone: str) -> str | None:
        """The agent who sits at this extension."""
        return self._at.get(phone)

    def resident(self, phone: str) -> str | None:
        """The agent whose own phone this is, if it is one's alone."""
        agents = self._switch.settings.agents.items()
        own = [name for name, agent in agents if agent.extension == phone]
        return own[0] if len(own) == 1 else None

    def agent(self, name: str) -> EngineAgent:
        agent = self._centre.keeper.engine.floor.agents.get(name)
        if agent is None:
            raise CommandRefused(f"there is no agent {name}")
        return agent

    def _on_duty(self) -> Iterator[EngineAgent]:
        agents = self._centre.keeper.engine.floor.agents.values()
        return (agent for agent in list(agents) if agent.status is not Status.LOGGED_OUT)

    # -- commands ----------------------------------------------------------------------

    def log_in(self, name: str, phone: str = "", *, paused: str = "") -> None:
        """At `phone`, by default his own; whoever sat there is logged out."""
        self.agent(name)
        settings = self._switch.settings.agents.get(name)
        if settings is None:
            raise CommandRefused(f"there is no agent {name} any more")
        phone = "" if settings.number else phone or settings.extension or ""
        if not phone and not settings.number:
            raise CommandRefused(f"{name} has no extension of his own; say at which phone he sits")
        if phone and phone not in self._switch.settings.extensions:
            raise CommandRefused(f"there is no extension {phone}")
        before = self._at.get(phone)
        if before is not None and before != name:
            self.log_out(before)
        self._leave_phone(name)
        if phone:
            self._at[phone] = name
        registered = bool(settings.number) or self._switch.registered(phone)
        self._tell(AgentLoggedIn(name, phone, paused, registered))
        self._on_wish(phone)
        for leg in self._switch.legs.get(phone, ()):  # whoever talks there already is busy
            self.legs.consider(leg)

    def log_out(self, name: str) -> None:
        self._tell(AgentLoggedOut(name))
        self._leave_phone(name)

    def pause(self, name: str, reason: str = "") -> None:
        self._tell(AgentPaused(name, reason))

    def resume(self, name: str) -> None:
        self._tell(AgentResumed(name))

    def extend_wrap_up(self, name: str, seconds: Seconds | None = None) -> None:
        self._tell(WrapUpExtended(name, seconds))

    def end_wrap_up(self, name: str) -> None:
        self._tell(WrapUpEnded(name))

    def free(self, name: str) -> None:
        """A supervisor's word: whatever the agent was doing is over."""
        self._tell(AgentFreed(name))

    def score(self, name: str, won: int, tried: int) -> None:
        """Results of the agent's calls so far, as the business counts them."""
        self._tell(AgentScored(name, won, tried))

    def _tell(self, event: Event) -> list[Action]:
        actions = self._centre.tell(event)
        for action in actions:
            if isinstance(action, Refused):
                raise CommandRefused(action.reason)
        return actions

    def _leave_phone(self, name: str) -> None:
        for phone in [phone for phone, agent in self._at.items() if agent == name]:
            del self._at[phone]

    def on_settings(self) -> None:
        """Agents who are in the settings no more sit nowhere; new ones may be logged in."""
        there = {agent.name for agent in self._on_duty()}
        self._at = {phone: name for phone, name in self._at.items() if name in there}
        self.sign_in_residents()

    def sign_in_residents(self) -> None:
        """Agents whom the settings log in are, once; later they come and go as they like."""
        state = self._switch.store.state
        for name, agent in self._switch.settings.agents.items():
            if agent.logged_in and not state.get(SPACE, name) and (agent.extension or agent.number):
                state.set(SPACE, name, True)
                if self.agent(name).status is Status.LOGGED_OUT:
                    self.log_in(name)

    # -- what phones do ----------------------------------------------------------------

    def _on_phones(self, phone: str) -> None:
        """The bindings of an extension have changed."""
        name = self._at.get(phone)
        if name is not None:
            registered = self._switch.registered(phone)
            if registered is not self.agent(name).registered:
                self._centre.tell(AgentRegistered(name, registered))

    def _on_wish(self, phone: str) -> None:
        name = self._at.get(phone)
        if name is not None:
            on = self._switch.wishes(phone).do_not_disturb
            if on is not self.agent(name).dnd:
                self._centre.tell(AgentDnd(name, on))
