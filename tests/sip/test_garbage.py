"""What a call leaves behind once it is over: nothing that only the cycle collector could free."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from softswitch.sip.callee import Callee
from softswitch.sip.events import Answered, Event, OfferReceived
from softswitch.sip.session import Session
from softswitch.sip.types import Target
from tests.support.wire import Network

CALLER, CALLEE = "192.0.2.1", "192.0.2.2"
CALLS = 1000


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def ours() -> Counter[str]:
    """Objects alive that are made of our own classes, by name; what is remembered of texts
    (memory.py) is no call's."""
    names = (
        type(each).__qualname__
        for each in gc.get_objects()
        if str(type(each).__module__).startswith("softswitch.")  # some types have a descriptor
    )
    return Counter(name for name in names if name not in ("CSeq", "NameAddr", "Via"))


class Office:
    """Two user agents that call each other by a script."""

    def __init__(self, answer: Callable[[Session], None], end: Callable[[Session], None]) -> None:
        self.network = Network()
        self.caller, self.callee = self.network.agent(CALLER), self.network.agent(CALLEE)
        self.callee.on_invite = self.ring
        self.answer, self.end = answer, end

    def ring(self, session: Callee) -> None:
        def hear(event: Event) -> None:
            if isinstance(event, OfferReceived):
                session.answer(b"v=0 again")

        session.on_event = hear
        session.progress(180)
        self.answer(session)

    def call(self) -> None:
        def hear(event: Event) -> None:
            if isinstance(event, Answered):
                session.offer(b"v=0 other")

        session = self.caller.invite(
            uri=f"sip:b@{CALLEE}",
            target=Target("udp", CALLEE, 5060),
            from_="<sip:a@example.org>",
            to="<sip:b@example.org>",
            sdp=b"v=0",
            on_event=hear,
        )
        clock = self.network.clock
        self.network.run(clock.now + 1.0)
        self.end(session)
        self.network.run(clock.now + 100.0)


def accept(session: Session) -> None:
    session.accept(b"v=0 answer")


def reject(session: Session) -> None:
    session.reject(486)


def ignore(session: Session) -> None:
    """Let it ring."""


@pytest.mark.parametrize("answer", [accept, reject, ignore])
def test_ended_calls_need_no_collector(answer: Callable[[Session], None]) -> None:
    """Reference counts alone must free a call: 1 000 of them leave what the first one did."""
    office = Office(answer, lambda session: session.hangup())
    office.call()
    with without_collector():
        before = ours()
        for _ in range(CALLS if answer is accept else CALLS // 10):
            office.call()
        left = ours() - before
    assert set(office.caller.overview().values()) == {0}
    assert not +left, left
