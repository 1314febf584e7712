"""What agents do, and what is done to them by command."""

from __future__ import annotations

from acd.actions import Held, Reclaim, Remind, TalkEnded
from acd.agent import Agent, Talk
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
    Event,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.floor import Floor
from acd.offers import SMOOTHING, Offers
from acd.types import Instant, OfferOutcome, State, Status


class Desk:
    def __init__(self, floor: Floor, offers: Offers) -> None:
        self.floor = floor
        self.offers = offers

    def _known(self, event: Event, name: str) -> Agent | None:
        """The agent, if there is one who is logged in; else the event is refused."""
        agent = self.floor.agents.get(name)
        if agent is None:
            self.floor.refuse(event, f"unknown agent {name}")
        elif agent.status is Status.LOGGED_OUT:
            self.floor.refuse(event, f"agent {name} is not logged in")
            return None
        return agent

    # --- status ------------------------------------------------------------------------------

    def logged_in(self, event: AgentLoggedIn) -> None:
        agent = self.floor.agents.get(event.agent)
        if agent is None or event.agent not in self.floor.settings.agents:
            return self.floor.refuse(event, f"unknown agent {event.agent}")
        if agent.status is not Status.LOGGED_OUT and agent.phone != event.phone:
            self.offers.silence(agent, OfferOutcome.WITHDRAWN)  # it rings at the old phone
        newcomer = agent.status is Status.LOGGED_OUT
        agent.phone = event.phone
        agent.registered = event.registered or bool(agent.settings.external)
        agent.status = Status.PAUSED if event.paused else Status.READY
        agent.reason = event.paused
        if newcomer:
            agent.dnd, agent.rest_until = False, None
            agent.misses.clear()
            self._set_even(agent)
        self.floor.report(agent)
        return None

    def _set_even(self, agent: Agent) -> None:
        """A newcomer starts with the average of those on duty, and neither floods nor starves."""
        now = self.floor.now
        peers = {
            peer.agent.name: peer.agent
            for seat in agent.seats.values()
            for peer in seat.queue.seats.values()
            if peer.agent.manned == 2
        }
        if peers:
            idle = [
                p.idle_total + (now - p.since) * (p.state is State.IDLE) for p in peers.values()
            ]
            agent.idle_total = sum(idle) / len(idle)
        for seat in agent.seats.values():
            served = [s.served for s in seat.queue.seats.values() if s.agent.manned == 2]
            seat.served = max(seat.served, min(served, default=0.0))

    def logged_out(self, event: AgentLoggedOut) -> None:
        """Conversations go on; only new ones do not come."""
        agent = self._known(event, event.agent)
        if agent:
            agent.status, agent.reason = Status.LOGGED_OUT, ""
            agent.wrapping = False
            self.offers.silence(agent, OfferOutcome.WITHDRAWN)
            self.floor.report(agent)

    def paused(self, event: AgentPaused) -> None:
        """Effective before the next match; whoever rings now is taken back.  Wrap-up runs on."""
        agent = self._known(event, event.agent)
        if agent:
            agent.status, agent.reason = Status.PAUSED, event.reason
            self.offers.silence(agent, OfferOutcome.REJECTED)
            self.floor.report(agent)

    def resumed(self, event: AgentResumed) -> None:
        agent = self._known(event, event.agent)
        if agent:
            agent.status, agent.reason, agent.rest_until = Status.READY, "", None
            self.floor.report(agent)

    def registered(self, event: AgentRegistered) -> None:
        agent = self._known(event, event.agent)
        if agent:
            agent.registered = event.registered or bool(agent.settings.external)
            if not agent.registered:
                self.offers.silence(agent, OfferOutcome.UNREACHABLE)
            self.floor.report(agent)

    def dnd(self, event: AgentDnd) -> None:
        agent = self._known(event, event.agent)
        if agent:
            agent.dnd = event.on
            if agent.dnd:
                self.offers.silence(agent, OfferOutcome.REJECTED)
            self.floor.report(agent)

    # --- legs --------------------------------------------------------------------------------

    def leg_started(self, event: AgentLegStarted) -> None:
        """Busy is busy, whatever for, logged in or not."""
        agent = self.floor.agents.get(event.agent)
        if agent is None:
            return self.floor.refuse(event, f"unknown agent {event.agent}")
        lease = self.floor.now + self.floor.settings.leg_lease
        offered = self.floor.offers.get(event.offer) if event.offer is not None else None
        if offered is not None and offered.agent is agent:
            offered.leg = offered.leg or event.leg
        elif event.leg in agent.talks:
            agent.talks[event.leg].lease = lease
        elif event.offer is None:
            agent.legs[event.leg] = lease
            self.floor.watch(lease)
        self.floor.refresh(agent)
        return None

    def leg_ended(self, event: AgentLegEnded) -> None:
        """The agent's own leg: talk time and wrap-up follow it and no other.  Twice is harmless."""
        agent = self.floor.agents.get(event.agent)
        if agent is None:
            return self.floor.refuse(event, f"unknown agent {event.agent}")
        if event.leg in agent.talks:
            self._end_talk(agent, event.leg)
        elif agent.legs.pop(event.leg, None) is None:
            for offer in list(agent.offers):
                if self.floor.offers[offer].leg == event.leg:
                    self.offers.fail(self.floor.offers[offer], OfferOutcome.UNREACHABLE)
        self._depart(agent)
        return None

    def held(self, event: AgentHeld) -> None:
        talk = self._talk(event, event.agent, event.leg)
        if talk is None:
            return
        if event.on is (talk.held_since is not None):
            return
        if event.on:
            queue = self.floor.queues.get(talk.queue)
            patience = queue.settings.max_hold if queue else None
            talk.held_since = self.floor.now
            talk.hold_due = None if patience is None else self.floor.now + patience
        else:
            self._take_back(talk)
        self.floor.out.append(Held(talk.call, talk.queue, event.agent, event.on))
        self.floor.refresh(self.floor.agents[event.agent])

    def _take_back(self, talk: Talk) -> None:
        """The caller is on hold no longer."""
        if talk.held_since is not None:
            talk.held += self.floor.now - talk.held_since
        talk.held_since = talk.hold_due = None
        talk.reminded = False

    def leg_replaced(self, event: AgentLegReplaced) -> None:
        """The same conversation on another leg: talk, hold and wrap-up go on as if it were one."""
        talk = self._talk(event, event.agent, event.leg)
        if talk is None:
            return
        agent, floor = self.floor.agents[event.agent], self.floor
        if event.by in agent.talks:
            floor.refuse(event, f"agent {agent.name} has a caller on leg {event.by} already")
            return
        if talk.held_since is not None:
            self._take_back(talk)
            floor.out.append(Held(talk.call, talk.queue, agent.name, False))
        agent.talks[event.by] = agent.talks.pop(event.leg)
        agent.legs.pop(event.by, None)
        talk.leg, talk.lease = event.by, floor.now + floor.settings.leg_lease
        floor.watch(talk.lease)
        if floor.talking.get(talk.call) == (agent.name, event.leg):
            floor.talking[talk.call] = (agent.name, event.by)
        floor.refresh(agent)

    def _miss(self, agent: Agent, talk: Talk) -> None:
        """The agent has had the caller on hold for long: remind them, and then do more."""
        queue, now = self.floor.queues.get(talk.queue), self.floor.now
        if queue is None or talk.held_since is None or talk.over:
            talk.hold_due = None
            return
        settings, held = queue.settings, now - talk.held_since
        if not talk.reminded:
            talk.reminded, talk.hold_due = True, now + settings.hold_grace
            self.floor.out.append(Remind(talk.call, queue.name, agent.name, talk.leg, held))
            return
        talk.hold_due, recall = None, settings.hold_recall
        self.floor.out.append(Reclaim(talk.call, queue.name, agent.name, talk.leg, held, recall))

    def transferred(self, event: AgentTransferred) -> None:
        talk = self._talk(event, event.agent, event.leg)
        if talk is not None:
            talk.transferred = True

    def _talk(self, event: Event, name: str, leg: str) -> Talk | None:
        agent = self.floor.agents.get(name)
        talk = agent.talks.get(leg) if agent else None
        if talk is None:
            self.floor.refuse(event, f"agent {name} has no caller on leg {leg}")
        return talk

    def legs_counted(self, event: AgentLegsCounted) -> None:
        """The truth about this agent's legs, from those who carry them."""
        agent = self.floor.agents.get(event.agent)
        if agent is None:
            return self.floor.refuse(event, f"unknown agent {event.agent}")
        lease = self.floor.now + self.floor.settings.leg_lease
        offered = {self.floor.offers[offer].leg for offer in agent.offers}
        for leg in [leg for leg in agent.talks if leg not in event.legs]:
            self._end_talk(agent, leg, lost=True)
        agent.legs = {leg: lease for leg in event.legs if leg not in agent.talks.keys() | offered}
        self.floor.watch(lease)
        for talk in agent.talks.values():
            talk.lease = lease
        self._depart(agent)
        return None

    def _end_talk(self, agent: Agent, leg: str, *, lost: bool = False) -> None:
        floor, now = self.floor, self.floor.now
        talk = agent.talks.pop(leg)
        held = talk.held + (0.0 if talk.held_since is None else now - talk.held_since)
        by = "caller" if talk.over else "nobody" if lost else "agent"
        talked, passed = now - talk.since, talk.transferred
        floor.out.append(TalkEnded(talk.call, talk.queue, agent.name, talked, held, by, passed))
        if floor.talking.get(talk.call) == (agent.name, leg):
            del floor.talking[talk.call]
        queue = floor.queues.get(talk.queue)
        demand = max(queue.settings.wrap_up if queue else 0.0, agent.settings.wrap_up or 0.0)
        demand = min(demand, floor.settings.wrap_up_ceiling)
        handled = talked + demand
        agent.handled += SMOOTHING * (handled - agent.handled)
        if queue:
            queue.handled += SMOOTHING * (handled - queue.handled)
        if demand > 0 and agent.status is not Status.LOGGED_OUT:
            agent.wrap_until = self._longest(agent, now + demand)
            agent.wrapping = True

    @staticmethod
    def _longest(agent: Agent, until: Instant) -> Instant | None:
        """The longest demand wins; None, until it is ended by hand, is longest."""
        if not agent.wrapping:
            return until
        return None if agent.wrap_until is None else max(agent.wrap_until, until)

    def _depart(self, agent: Agent) -> None:
        """After work has ended: an agent taken out of the settings can go now."""
        self.floor.refresh(agent)
        if agent.name not in self.floor.settings.agents and not agent.load():
            self.floor.forget_agent(agent)

    # --- wrap-up and command -----------------------------------------------------------------

    def extended(self, event: WrapUpExtended) -> None:
        agent = self._known(event, event.agent)
        if agent is None:
            return None
        if not agent.wrapping:
            return self.floor.refuse(event, f"agent {agent.name} is not in wrap-up")
        until = None if event.seconds is None else self.floor.now + event.seconds
        agent.wrap_until = None if until is None else self._longest(agent, until)
        self.floor.refresh(agent)
        return None

    def rested(self, event: WrapUpEnded) -> None:
        agent = self._known(event, event.agent)
        if agent is None:
            return None
        if not agent.wrapping:
            return self.floor.refuse(event, f"agent {agent.name} is not in wrap-up")
        agent.wrapping, agent.wrap_until = False, None
        self.floor.refresh(agent)
        return None

    def freed(self, event: AgentFreed) -> None:
        agent = self.floor.agents.get(event.agent)
        if agent is None:
            return self.floor.refuse(event, f"unknown agent {event.agent}")
        self.offers.release(agent, OfferOutcome.WITHDRAWN)
        for leg in list(agent.talks):
            self._end_talk(agent, leg)
        agent.legs.clear()
        agent.wrapping, agent.wrap_until, agent.rest_until = False, None, None
        self._depart(agent)
        return None

    def scored(self, event: AgentScored) -> None:
        agent = self.floor.agents.get(event.agent)
        if agent is None:
            return self.floor.refuse(event, f"unknown agent {event.agent}")
        if not 0 <= event.won <= event.tried:
            return self.floor.refuse(event, "won must be from 0 to tried")
        agent.won, agent.tried = event.won, event.tried
        for seat in agent.seats.values():
            seat.queue.score()
            for pool in seat.queue.pools.values():
                pool.refile(self.floor.now)
        return None

    # --- time --------------------------------------------------------------------------------

    def do_due(self, agent: Agent) -> None:
        """Wrap-up, rest and patience that are over."""
        now, agent.due = self.floor.now, None
        if agent.wrapping and agent.wrap_until is not None and agent.wrap_until <= now:
            agent.wrapping, agent.wrap_until = False, None
        if agent.rest_until is not None and agent.rest_until <= now:
            agent.rest_until = None
        for talk in agent.talks.values():
            if talk.hold_due is not None and talk.hold_due <= now:
                self._miss(agent, talk)
        self._depart(agent)

    def end_leases(self) -> None:
        """Legs that nobody has confirmed for too long are over.  O(agents), and seldom due."""
        now, left = self.floor.now, list[Instant]()
        for agent in list(self.floor.agents.values()):
            leases = [*agent.leases()]
            if leases and min(leases) <= now:
                self._end_lost(agent)
                leases = [*agent.leases()]
            left += leases
        if left:
            self.floor.watch(min(left))

    def _end_lost(self, agent: Agent) -> None:
        now = self.floor.now
        for leg in [leg for leg, talk in agent.talks.items() if talk.lease <= now]:
            self._end_talk(agent, leg, lost=True)
        for leg in [leg for leg, lease in agent.legs.items() if lease <= now]:
            del agent.legs[leg]
        self._depart(agent)
