"""Agents' legs: an agent is busy because a leg of his is up, whatever it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.events import AgentHeld, AgentLegEnded, AgentLegStarted, AgentTransferred
from softswitch.calls.leg import Leg

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre
    from softswitch.pbx.queue.roster import Roster


class Legs:
    """Tells the engine when agents' legs come up, are held, handed on and over."""

    def __init__(self, centre: Centre, roster: Roster) -> None:
        self._centre, self._roster = centre, roster
        self._legs: dict[str, str] = {}
        """Whose leg is whose."""
        self._offered: set[str] = set()
        """Legs that ring, or were answered, for an offer."""
        self._held: set[str] = set()

    def of(self, agent: str) -> tuple[str, ...]:
        """The agent's legs that are up, those of offers left out."""
        return tuple(leg for leg, owner in self._legs.items() if owner == agent)

    def expect(self, leg: Leg) -> None:
        """`leg` is about to ring for an offer, which counts already."""
        self._offered.add(leg.id)

    def agent_of(self, leg: Leg) -> str | None:
        """Whose leg it is, if it is an agent's."""
        return self._legs.get(leg.id)

    def expect_back(self, leg: str, agent: str) -> None:
        """A leg of the last run, by its id, may come back; the engine counts it as up."""
        self._legs[leg] = agent

    def lost(self, leg: str) -> None:
        """It will not."""
        if (agent := self._legs.pop(leg, None)) is not None:
            self._centre.tell(AgentLegEnded(agent, leg))

    def own(self, leg: Leg, agent: str) -> None:
        """`leg` is of `agent`, who talks on it with a caller of a queue."""
        self._offered.discard(leg.id)
        self._legs[leg.id] = agent

    def on_leg(self, leg: Leg) -> None:
        """Any leg rings, is answered, held or over."""
        if leg.ended:
            self._held.discard(leg.id)
            self._offered.discard(leg.id)
            if (agent := self._legs.pop(leg.id, None)) is not None:
                self._centre.tell(AgentLegEnded(agent, leg.id))
        elif (agent := self._legs.get(leg.id)) is not None:
            self._note_hold(leg, agent)
        else:
            self.consider(leg)

    def consider(self, leg: Leg) -> None:
        """A leg that no offer made: whoever sits at that phone is busy by it."""
        agent = self._roster.at(leg.owner or "")
        if agent is not None and leg.id not in self._offered and leg.id not in self._legs:
            self._legs[leg.id] = agent
            self._centre.tell(AgentLegStarted(agent, leg.id))

    def on_handed_on(self, leg: Leg) -> None:
        """Whoever `leg` is has handed his party on."""
        agent = self._legs.get(leg.id)
        if agent is not None and leg.id in self._roster.agent(agent).talks:
            self._centre.tell(AgentTransferred(agent, leg.id))

    def _note_hold(self, leg: Leg, agent: str) -> None:
        if leg.held is not (leg.id in self._held) and leg.id in self._roster.agent(agent).talks:
            (self._held.add if leg.held else self._held.discard)(leg.id)
            self._centre.tell(AgentHeld(agent, leg.id, leg.held))
