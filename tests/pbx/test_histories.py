"""Any history of feature use, by any phones, in any order: nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from softswitch.pbx.commands import CommandError, record, transfer
from softswitch.pbx.seat import try_to_invite
from tests.pbx.world import World
from tests.support.loop import JumpingLoop
from tests.support.phone import Phone, Talk

OFFICE = """
[park]
recall = 8
[transfer]
recall = 6
[groups.office]
number = "600"
members = ["102", "103", "104"]
ring = "memory"
ring_time = 4
[paging.floor]
number = "650"
members = ["101", "102", "103", "104"]
max_time = 5
[conferences.board]
number = "800"
[pickup.room]
members = ["101", "102", "103", "104"]
[extensions.102]
ring_time = 6
forward = { no_answer = "group:office", busy = "extension:104" }
[queues.sales]
number = "700"
agents = ["anna", "boris"]
ring_time = 5
wrap_up = 2
max_wait = 15
overflow = { to = "extension:101" }
forgotten = { after = 4, grace = 1 }
[agents.anna]
extension = "102"
logged_in = true
[agents.boris]
extension = "103"
logged_in = true
[extensions.104]
follow_me = { targets = ["extension:103"], after = 2, ring_time = 6 }
"""
NUMBERS = ["101", "102", "103", "104", "600", "650", "700", "800", "71", "72"]
NUMBERS += ["*68", "*8", "*43", "*69"]
DIALLED = [
    *NUMBERS,
    "700",
    "800",
    "*45",
    "*46",
    "*48",
    "101",
    "102",
    "103",
    "**101",
    "**102",
    "*80103",
    "999",
]
KEYS = ["#", "#103#", "#71#", "*2", "*2104#", "*2102", "*3", "*1", "1", "103#"]
PHONES = st.integers(0, 3)
COMMANDS = ["transfer", "start", "stop", "pause", "resume", "end"]
EVENTS = st.sampled_from(["dialog", "presence"])
ANY = st.integers(0, 999)


class History(RuleBasedStateMachine):
    """Four phones do what comes to their owners' minds."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner(loop_factory=JumpingLoop)
        self._phones: list[Phone] = []
        self._do(self._open())

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        self._runner.run(work)

    async def _open(self) -> None:
        self.world = World(OFFICE)
        self._phones = await self.world.phones("101", "102", "103", "104")

    def _talks(self) -> list[Talk]:
        return [talk for phone in self._phones for talk in phone.talks if not talk.ended]

    def _up(self) -> list[Talk]:
        return [talk for talk in self._talks() if talk.answered]

    def _ringing(self) -> list[Talk]:
        return [talk for talk in self._talks() if talk.rings]

    # -- what people do ------------------------------------------------------------------

    @rule(who=PHONES, number=st.sampled_from(DIALLED))
    def dial(self, who: int, number: str) -> None:
        async def work() -> None:
            self._phones[who].dial(number)

        self._do(work())

    @rule(which=ANY, how=st.sampled_from(["answer", "answer", "answer", "busy", "decline"]))
    def decide(self, which: int, how: str) -> None:
        talk = _pick(self._ringing(), which)
        if talk is None:
            return

        async def work() -> None:
            if how == "answer":
                talk.answer()
            else:
                talk.reject(486 if how == "busy" else 603)

        self._do(work())

    @rule(which=ANY, what=st.sampled_from(["hold", "resume", "move"]))
    def change_sound(self, which: int, what: str) -> None:
        talk = _pick(self._up(), which)
        if talk is None:
            return

        async def work() -> None:
            getattr(talk, what)()

        self._do(work())

    @rule(which=ANY, keys=st.sampled_from(KEYS))
    def press(self, which: int, keys: str) -> None:
        talk = _pick(self._up(), which)
        if talk is None:
            return

        async def work() -> None:
            talk.press(keys)

        self._do(work())

    @rule(which=ANY, number=st.sampled_from(NUMBERS))
    def transfer(self, which: int, number: str) -> None:
        talk = _pick(self._up(), which)
        if talk is None:
            return

        async def work() -> None:
            talk.refer(number)

        self._do(work())

    @rule(which=ANY, other=ANY)
    def transfer_into(self, which: int, other: int) -> None:
        talk = _pick(self._up(), which)
        if talk is None:
            return
        own = [each for each in talk.phone.talks if each is not talk and each.session.dialog]

        async def work() -> None:
            if (replaced := _pick(own, other)) is not None:
                talk.refer("101", replaces=replaced)

        self._do(work())

    @rule(who=PHONES, which=ANY)
    def take_the_place(self, who: int, which: int) -> None:
        talk = _pick(self._talks(), which)
        if talk is None:
            return

        async def work() -> None:
            if talk.session.dialog is not None:
                self._phones[who].dial("101", headers=[("Replaces", talk.identity)])

        self._do(work())

    @rule(which=ANY, to=st.sampled_from(NUMBERS), verb=st.sampled_from(COMMANDS))
    def command(self, which: int, to: str, verb: str) -> None:
        """Somebody at the desk does something to a call, or to all rooms."""

        async def work() -> None:
            switch, calls = self.world.switch, list(self.world.switch.calls.values())
            for room in list(switch.rooms):
                if verb == "end":
                    room.end()
                elif verb == "transfer":
                    switch.spawn(try_to_invite(switch, room, to))
            if calls and verb != "end":
                call = calls[which % len(calls)]
                with suppress(CommandError):
                    if verb == "transfer":
                        transfer(switch, call, to)
                    else:
                        record(switch, call, verb)

        self._do(work())

    @rule(who=PHONES, number=st.sampled_from([*NUMBERS[:10], "101"]), event=EVENTS)
    def watch(self, who: int, number: str, event: str) -> None:
        async def work() -> None:
            await self._phones[who].watch(number, event)

        self._do(work())

    @rule(which=ANY)
    def hang_up(self, which: int) -> None:
        talk = _pick(self._talks(), which)
        if talk is None:
            return

        async def work() -> None:
            talk.hang_up()

        self._do(work())

    @rule(seconds=st.sampled_from([0.0, 0.001, 0.002, 0.01, 0.3, 1.0, 3.0, 7.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self._do(self.world.pass_time(seconds))

    # -- what must be true ---------------------------------------------------------------

    @invariant()
    def nothing_has_crashed(self) -> None:
        assert not self.world.ether.faults and not self.world.failures
        assert not self.world.crashes()

    def teardown(self) -> None:
        try:
            self._do(self._close())
        finally:
            self._runner.close()

    async def _close(self) -> None:
        """Nobody watches any more; the world looks at all the rest."""
        for watch in (watch for phone in self._phones for watch in phone.watches):
            if watch.status < 300:
                await watch.subscribe(expires=0)
        await self.world.close()
        assert len(self.world.switch.subscriptions) == 0
        assert not self.world.station.ua.dialogs


def _pick(talks: list[Talk], which: int) -> Talk | None:
    """None where there is none to pick: which steps can be drawn must not depend on how real time
    went, so every step is always allowed."""
    return talks[which % len(talks)] if talks else None


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=200,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
