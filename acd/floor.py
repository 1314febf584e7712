"""Everything the engine knows at one moment, and the few moves that keep its indexes true.

The floor decides nothing.  `Desk`, `Lines` and `Offers` change facts on it; the matcher reads it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict, deque

from acd.actions import Action, AgentChanged, Refused
from acd.agent import IDLE, PAUSED, RESTING, TALKING, WRAP_UP, Agent, Change, Seat
from acd.call import Call, Entry, Offered
from acd.dice import Dice
from acd.explain import KEPT, Decision
from acd.pool import Needs, Pool
from acd.queue import Queue
from acd.settings import QueueSettings, Settings
from acd.timers import Due, Timers
from acd.types import CallId, Instant, OfferId, State, Status

OFF_DUTY = frozenset({State.OFFLINE, State.PAUSED})
WORKING = frozenset({State.RINGING, State.TALKING, State.WRAP_UP})
LEASES = (Due.LEASE, "")
TURN_KEPT = frozenset({State.RINGING, State.RESTING, State.IDLE})
"""Coming back to idle from these leaves the idle clock as it was."""


class Floor:
    """The matcher must look at `freed` agents and `restless` calls before an event is done."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.now: Instant = 0.0
        self.event = 0
        self.out: list[Action] = []
        self.agents: dict[str, Agent] = {}
        self.queues: dict[str, Queue] = {}
        self.calls: dict[CallId, Call] = {}
        self.offers: dict[OfferId, Offered] = {}
        self.talking: dict[CallId, tuple[str, str]] = {}  # answered call: agent and leg
        self.places: dict[
            str, tuple[Instant, int, Instant]
        ] = {}  # dropped: arrived, priority, until
        self.promised: dict[str, CallId] = {}  # numbers that are to be called back
        self.memory: OrderedDict[str, str] = OrderedDict()  # customer: the agent they spoke to last
        self.timers = Timers()
        self.dice = Dice(settings.seed)
        self.shadow_dice = Dice(settings.seed ^ 0x5AD0)
        self.next_offer = 1
        self.next_call = 1
        self.freed: dict[str, Agent] = {}
        self.restless: dict[CallId, Call] = {}
        self.touched: list[Pool] = []  # pools that somebody has come to stand in
        self.broken: list[tuple[str, str]] = []  # invariants that this event has violated
        self.changed: dict[str, Agent] = {}  # agents whose state may have to be reported
        self.newcomers: list[Entry] = []
        self.scarce: set[str] = set()  # queues that keep their last free agents back
        self.thinned: dict[str, Queue] = {}  # queues that may have lost their last agent
        self.decisions: deque[Decision] = deque(maxlen=KEPT)
        self.configure(settings)

    def refuse(self, event: object, reason: str) -> None:
        """The event makes no sense: say so, change nothing."""
        self.out.append(Refused(type(event).__name__, reason))

    # --- agents ------------------------------------------------------------------------------

    def refresh(self, agent: Agent) -> None:
        """Derive state and eligibility anew after a fact about the agent has changed."""
        state = agent.derive_state()
        until, detail = None, ""
        if state is WRAP_UP:
            until = agent.wrap_until
        elif state is RESTING:
            until = agent.rest_until
        elif state is PAUSED:
            detail = agent.reason
        if state is not agent.state or until != agent.until or detail != agent.detail:
            self._change(agent, state, detail, until)
        available = state is IDLE  # all there is to it, unless several calls are allowed
        if agent.settings.capacity > 1:
            available = agent.derive_available()
        if available is not agent.available:
            self._turn(agent, available)
        elif available and not agent.pooled:
            self.freed[agent.name] = agent
        due = agent.next_due()
        if due != agent.due:
            agent.due = due
            self.timers.arm((Due.AGENT, agent.name), due)

    def watch(self, lease: Instant) -> None:
        """Look for lost legs by then.  One deadline for all: the earliest lease there was."""
        armed = self.timers.armed.get(LEASES)
        if armed is None or lease < armed:
            self.timers.arm(LEASES, lease)

    def tell_changes(self) -> None:
        """Report each agent whose state is another one than before the event, once."""
        changed, self.changed = self.changed, {}
        for agent in changed.values():
            state, detail, until = told = (agent.state, agent.detail, agent.until)
            if told != agent.told:
                agent.told = told
                agent.history.append(Change(self.event, self.now, state, detail))
                self.out.append(AgentChanged(agent.name, state, detail, until))

    def report(self, agent: Agent) -> None:
        """Status, registration or do-not-disturb has changed: count the staff, then `refresh`."""
        manned = agent.derive_manned()
        if manned != agent.manned:
            for seat in agent.seats.values():
                seat.queue.staff += (manned == 2) - (agent.manned == 2)
                seat.queue.logged_in += (manned > 0) - (agent.manned > 0)
                if manned < agent.manned:
                    self.thinned[seat.queue.name] = seat.queue
            agent.manned = manned
        self.refresh(agent)

    def _change(self, agent: Agent, state: State, detail: str, until: Instant | None) -> None:
        now, before = self.now, agent.state
        if state is not before:
            elapsed = now - agent.since
            if before not in OFF_DUTY and elapsed > 0:
                agent.ledger.book(
                    now,
                    talk=elapsed if before is TALKING else 0.0,
                    occupied=elapsed if before in WORKING else 0.0,
                    ready=elapsed,
                )
            if before is IDLE:
                agent.idle_total += elapsed
            if state is IDLE and before not in TURN_KEPT:
                agent.idle_since = now
            agent.since = now
            agent.state = state
        agent.detail, agent.until = detail, until
        self.changed[agent.name] = agent

    def _turn(self, agent: Agent, available: bool) -> None:
        agent.available = available
        if available:
            self.freed[agent.name] = agent
            for queue in agent.guarded:
                queue.free.add(agent.name)
                if len(queue.free) == queue.settings.reserve + 1:  # it is full: others may go
                    self.scarce.discard(queue.name)
                    self.freed.update((name, self.agents[name]) for name in sorted(queue.free))
            return
        for queue in agent.guarded:
            queue.free.discard(agent.name)
            if len(queue.free) <= queue.settings.reserve:
                self.scarce.add(queue.name)
        self.freed.pop(agent.name, None)
        if agent.pooled:
            self.unpool(agent)

    def enpool(self, agent: Agent) -> None:
        """Nobody waits for this agent: let them be found by the next caller."""
        agent.pooled = True
        agent.stamp += 1
        self.touched += agent.pools
        for pool in agent.pools:
            pool.enter(agent, self.now)

    def unpool(self, agent: Agent) -> None:
        agent.pooled = False
        for pool in agent.pools:
            pool.leave(agent)

    def forget_agent(self, agent: Agent) -> None:
        """The agent is not in the settings any more."""
        self.timers.arm((Due.AGENT, agent.name), None)
        self.freed.pop(agent.name, None)
        del self.agents[agent.name]

    # --- calls -------------------------------------------------------------------------------

    def pool(self, queue: Queue, needs: Needs) -> Pool:
        """The eligibility class of `needs`, made if it is new: O(seats) then, O(1) later."""
        pool = queue.pools.get(needs)
        if pool is None:
            for idle in queue.drop_idle_pools():
                self.drop_pool(idle)
            pool = queue.pools[needs] = Pool(queue, needs)
            pool.epoch = queue.turn_window(self.now) if queue.rule.windowed else -1.0
            self.fill(pool)
        return pool

    def fill(self, pool: Pool) -> None:
        """Let everybody who suits into a pool, those who are free at once."""
        for seat in pool.queue.seats.values():
            if pool.suits(seat.agent):
                seat.agent.pools.append(pool)
                if seat.agent.pooled:
                    pool.enter(seat.agent, self.now)

    def drop_pool(self, pool: Pool) -> None:
        for seat in pool.queue.seats.values():
            if pool in seat.agent.pools:
                seat.agent.pools.remove(pool)

    def unshelve(self, entry: Entry) -> None:
        """The matcher does not see this entry any more; its place in line stays."""
        shelf = entry.shelf
        if shelf is not None:
            del shelf[bisect_left(shelf, entry.row)]
            entry.shelf = None

    # --- settings ----------------------------------------------------------------------------

    def configure(self, settings: Settings) -> None:
        """Apply settings as a difference: who is logged in, paused, talking or waiting stays so."""
        self.settings = settings
        for agent in self.agents.values():
            if agent.pooled:
                self.unpool(agent)
            agent.pools.clear()
        for name, given in settings.agents.items():
            known = self.agents.get(name)
            if known is None:
                known = self.agents[name] = Agent(name, given, settings.window)
            known.settings = given
            known.ledger.step = settings.window / 12
        for name, queue_settings in settings.queues.items():
            self._configure_queue(name, queue_settings)
        for name in self.queues.keys() - settings.queues.keys():
            del self.queues[name]
        self.seat()
        self.count_staff()
        for agent in list(self.agents.values()):
            if agent.name not in settings.agents:
                agent.status = Status.LOGGED_OUT
            self.report(agent)
            if agent.name not in settings.agents and not agent.load():
                self.forget_agent(agent)
        self.recount()

    def seat(self) -> None:
        """Tell every agent their seats, in the order of the queues: O(seats)."""
        for agent in self.agents.values():
            agent.seats, agent.guarded = {}, []
        for queue in self.queues.values():
            for seat in queue.seats.values():
                seat.agent.seats[queue.name] = seat
                if queue.settings.reserve:
                    seat.agent.guarded.append(queue)

    def _configure_queue(self, name: str, settings: QueueSettings) -> None:
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = Queue(name, settings, self.settings.window)
        queue.window = self.settings.window
        goes_on = _shares(settings) == _shares(queue.settings)
        queue.configure(settings)
        at_pointer = next((n for n, s in queue.seats.items() if s.order == queue.pointer), "")
        kept = {name: seat.served for name, seat in queue.seats.items()} if goes_on else {}
        newcomer = min(kept.values(), default=0.0)  # neither floods nor starves
        seats = {}
        for order, member in enumerate(settings.members):
            served = kept.get(member.agent, newcomer)
            agent = self.agents[member.agent]
            seats[member.agent] = Seat(agent, queue, order, member, served)
        queue.seats = seats
        queue.pointer = seats[at_pointer].order if at_pointer in seats else -1
        for pool in queue.pools.values():
            pool.clear()

    def count_staff(self) -> None:
        """Count anew who is on duty and who is free at each queue: O(seats)."""
        self.scarce = set()
        for queue in self.queues.values():
            agents = [seat.agent for seat in queue.seats.values()]
            queue.staff = sum(agent.manned == 2 for agent in agents)
            queue.logged_in = sum(agent.manned > 0 for agent in agents)
            queue.free = {agent.name for agent in agents if agent.available}
            if queue.settings.reserve and len(queue.free) <= queue.settings.reserve:
                self.scarce.add(queue.name)

    def recount(self) -> None:
        """Count staff and refill pools from the facts, after the seats have changed."""
        self.count_staff()
        for queue in self.queues.values():
            for pool in queue.pools.values():
                self.fill(pool)
        self.freed.update((a.name, a) for a in self.agents.values() if a.available)


def _shares(settings: QueueSettings) -> tuple[str, dict[str, float]]:
    """Where these change, shares of calls are counted from now on."""
    return settings.strategy, {m.agent: m.weight for m in settings.members if m.weight != 1}
