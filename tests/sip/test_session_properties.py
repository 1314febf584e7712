"""Laws of calls: over any wire, whatever both sides want and whenever, a call ends, both
sides agree that it did, each hears of it once, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from softswitch.sip.callee import Callee
from softswitch.sip.events import (
    Answered,
    Cancelled,
    Ended,
    Event,
    Failed,
    OfferReceived,
    Progress,
)
from softswitch.sip.session import Session
from softswitch.sip.settings import UaSettings
from softswitch.sip.types import Seconds, Target
from softswitch.sip.ua import UserAgent
from tests.support.wire import Network

CALLER, CALLEE = "192.0.2.1", "192.0.2.2"
LAST = (Failed, Cancelled, Ended)

verbs = st.sampled_from(
    ["ring", "media", "accept", "reject", "hangup", "offer", "info", "answer", "refuse"]
)
steps = st.lists(
    st.tuples(st.sampled_from([0, 1]), verbs, st.sampled_from([0.0, 0.1, 0.6, 3.0, 40.0])),
    max_size=12,
)
fates = st.lists(
    st.lists(st.sampled_from([0.01, 0.02, 0.7, 5.0]), max_size=3), min_size=1, max_size=40
)


@dataclass
class Owner:
    """Somebody who uses one session by whim and writes down what happens."""

    name: str
    session: Session | None = None
    events: list[Event] = field(default_factory=list)
    count: int = 0

    def hear(self, event: Event) -> None:
        assert not self.is_over, f"{event} after the end"
        self.events.append(event)

    @property
    def is_over(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], LAST)

    def description(self) -> bytes:
        self.count += 1
        return f"v=0 {self.name} {self.count}".encode()

    def act(self, verb: str) -> None:
        session = self.session
        if session is None:
            return
        verbs: dict[str, Callable[[], None]] = {
            "ring": lambda: session.progress(180),
            "media": lambda: session.progress(183, self.description()),
            "accept": lambda: session.accept(self.description()),
            "reject": lambda: session.reject(486),
            "hangup": session.hangup,
            "offer": lambda: session.offer(self.description()),
            "answer": lambda: session.answer(self.description()),
            "refuse": session.refuse_offer,
            "info": lambda: session.send("INFO"),
        }
        verbs[verb]()


class Pair:
    """Two user agents, a wire between them, and a call from one to the other."""

    def __init__(self, fates: list[list[Seconds]], interval: int, *, late_offer: bool) -> None:
        self.network = Network(self.fate)
        self.fates, self.sent = fates, 0
        self.caller, self.callee = Owner("caller"), Owner("callee")
        self.agents = [self.agent(host, interval) for host in (CALLER, CALLEE)]
        self.agents[1].on_invite = self.ring
        self.caller.session = self.agents[0].invite(
            uri=f"sip:b@{CALLEE}",
            target=Target("udp", CALLEE, 5060),
            from_="<sip:a@example.org>",
            to="<sip:b@example.org>",
            sdp=None if late_offer else self.caller.description(),
            on_event=self.caller.hear,
        )

    def agent(self, host: str, interval: int) -> UserAgent:
        return self.network.agent(host, UaSettings(address=(host, 5060), session_expires=interval))

    def fate(self, data: bytes) -> list[Seconds]:
        """Lost, late, or several times over, as drawn."""
        self.sent += 1
        return self.fates[self.sent % len(self.fates)]

    def ring(self, session: Callee) -> None:
        self.callee.session = session
        session.on_event = self.callee.hear

    def live(self, steps: list[tuple[int, str, Seconds]]) -> None:
        for who, verb, pause in steps:
            (self.caller, self.callee)[who].act(verb)
            self.network.run(self.network.clock.now + pause)

    def settle(self) -> None:
        """Let everybody hang up and all timers run out."""
        for owner in (self.callee, self.caller):
            owner.act("hangup")
        self.network.run(self.network.clock.now + 300.0)
        self.callee.act("hangup")
        self.network.run(self.network.clock.now + 300.0)

    def check(self) -> None:
        for owner in (self.caller, self.callee):
            assert owner.session is None or owner.is_over, owner
        for agent in self.agents:
            assert set(agent.overview().values()) == {0}, agent.overview()
            assert agent.counters["crashes"] == 0


@settings(max_examples=300, deadline=None)
@given(steps=steps, fates=fates, interval=st.sampled_from([0, 90]), late_offer=st.booleans())
def test_every_call_ends_once_on_both_sides_and_leaves_nothing(
    steps: list[tuple[int, str, Seconds]],
    fates: list[list[Seconds]],
    interval: int,
    late_offer: bool,
) -> None:
    pair = Pair(fates, interval, late_offer=late_offer)
    pair.live(steps)
    pair.settle()
    pair.check()


orders = st.lists(st.sampled_from([0.001, 0.01, 0.05, 0.2]), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(steps=steps, delays=orders, late_offer=st.booleans())
def test_on_a_wire_that_only_reorders_both_sides_know_the_same_descriptions(
    steps: list[tuple[int, str, Seconds]], delays: list[Seconds], late_offer: bool
) -> None:
    """RFC 3264: when nothing is under way any more, what one sent is what the other has."""
    pair = Pair([[delay] for delay in delays], 0, late_offer=late_offer)
    pair.live([step for step in steps if step[1] != "hangup"])
    pair.network.run(pair.network.clock.now + 10.0)
    for owner in (pair.caller, pair.callee):
        waits = (Answered, OfferReceived, Progress)
        for _ in range(3):  # whoever still owes an answer gives it
            if owner.events and isinstance(owner.events[-1], waits):
                owner.act("answer")
            pair.network.run(pair.network.clock.now + 20.0)
    a, b = pair.caller.session, pair.callee.session
    if a is not None and b is not None and a.is_established and b.is_established:
        assert (a.local_sdp, a.remote_sdp) == (b.remote_sdp, b.local_sdp)
    pair.settle()
    pair.check()


@settings(max_examples=100, deadline=None)
@given(fates=fates)
def test_a_call_between_willing_sides_is_set_up_if_anything_arrives(
    fates: list[list[Seconds]],
) -> None:
    """Half of the datagrams get through: answered or failed, but the same on both sides."""
    pair = Pair([[0.01], *fates], 0, late_offer=False)
    pair.live([(1, "ring", 1.0), (1, "accept", 200.0)])
    a, b = pair.caller.session, pair.callee.session
    if a is not None and a.is_established and b is not None:
        assert b.is_established or pair.callee.is_over
    pair.settle()
    pair.check()
