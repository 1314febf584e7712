"""The driver with a machine and wires that only write down what they are told."""

from __future__ import annotations

import asyncio

import pytest

from softswitch.sip.message import Request, Response
from softswitch.sip.transaction import Transmit
from softswitch.sip.types import Address, Destination, Flow, Instant, ParseError, Seconds, Target
from softswitch.transport import Driver, Trace
from tests.transport.wire import OPTIONS

pytestmark = pytest.mark.anyio

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.9", 5070))
TARGET = Target("tcp", "192.0.2.8", 5060)


class Machine:
    """Answers each message with what `says` holds."""

    def __init__(self) -> None:
        self.says: list[Transmit] = []
        self.log: list[object] = []
        self.due: Instant | None = None
        self.rung = asyncio.Event()
        self._output: list[Transmit] = []

    def receive(self, message: Request | Response, flow: Flow, now: Instant) -> None:
        self.log.append((message.call_id, flow))
        self._output += self.says

    def receive_faulty(self, fault: ParseError, flow: Flow) -> None:
        self.log.append((fault.status, flow))
        self._output += self.says

    def transport_failed(self, destination: Destination, now: Instant) -> None:
        self.log.append(destination)
        self._output += [Transmit(b"instead", FLOW)] * (destination == TARGET)

    def handle_timer(self, now: Instant) -> None:
        if self.due is not None and self.due <= now:
            self.due = None
            self.rung.set()

    def next_timeout(self) -> Instant | None:
        return self.due

    def drain(self) -> list[Transmit]:
        output, self._output = self._output, []
        return output


class Wires:
    """Sends by UDP alone."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Destination]] = []

    def send(self, data: bytes, destination: Destination) -> bool:
        self.sent.append((data, destination))
        return destination.transport == "udp"

    def local(self, destination: Destination) -> Address:
        return "192.0.2.1", 5060


@pytest.fixture
async def machine() -> Machine:
    return Machine()


def driven(
    machine: Machine, waits: Seconds | None = 0.0, trace: Trace | None = None
) -> tuple[Driver, Wires]:
    driver = Driver(machine, lambda source, now: waits, trace or Trace())
    wires = driver.wires = Wires()
    return driver, wires


async def test_a_message_goes_in_and_the_answer_out(machine: Machine) -> None:
    trace = Trace()
    driver, wires = driven(machine, trace=trace)
    machine.says = [Transmit(b"answer", FLOW)]
    driver.receive(OPTIONS, FLOW)

    assert machine.log == [("one", FLOW)]
    assert wires.sent == [(b"answer", FLOW)]
    assert [(each.incoming, each.data) for each in trace.recent()] == [
        (True, OPTIONS),
        (False, b"answer"),
    ]


async def test_a_fault_is_answered_by_the_machine(machine: Machine) -> None:
    driver, wires = driven(machine)
    machine.says = [Transmit(b"400", FLOW)]
    driver.receive(b"no SIP at all", FLOW)
    driver.refuse(ParseError("too long", status=513), FLOW)

    assert machine.log == [(400, FLOW), (513, FLOW)]
    assert len(wires.sent) == driver.counters.malformed == 2


async def test_whom_the_guard_does_not_admit_is_not_parsed(machine: Machine) -> None:
    driver, _ = driven(machine, waits=None)
    driver.receive(OPTIONS, FLOW)
    driver.refuse(ParseError("too long", status=513), FLOW)

    assert (machine.log, driver.counters.dropped) == ([], 2)


async def test_whom_the_guard_slows_waits(machine: Machine) -> None:
    driver, _ = driven(machine, waits=0.002)
    driver.receive(OPTIONS, FLOW)
    assert machine.log == []

    async with asyncio.timeout(20):
        machine.due = asyncio.get_running_loop().time() + 0.01
        driver.flush()
        await machine.rung.wait()
    assert machine.log == [("one", FLOW)]


async def test_keepalives_are_only_counted(machine: Machine) -> None:
    driver, _ = driven(machine)
    for octets in (b"\r\n\r\n", b"\0\0\0\0", b"", b"\r\n"):
        driver.receive(octets, FLOW)

    assert (machine.log, driver.counters.keepalives) == ([], 4)


async def test_what_cannot_be_sent_is_told_and_the_other_way_taken(machine: Machine) -> None:
    """RFC 3261 §18.1.1: a request too large for UDP whose TCP is refused."""
    driver, wires = driven(machine)
    machine.says = [Transmit(b"large", TARGET)]
    driver.receive(OPTIONS, FLOW)

    assert machine.log == [("one", FLOW), TARGET]
    assert wires.sent == [(b"large", TARGET), (b"instead", FLOW)]


async def test_a_failure_of_udp_counts_for_flow_and_target(machine: Machine) -> None:
    driver, _ = driven(machine)
    told: list[Destination] = []
    driver.on_failed = told.append
    driver.failed(FLOW)
    driver.failed(FLOW)
    driver.flush()

    assert machine.log == told == [FLOW, Target("udp", *FLOW.remote)]


async def test_a_verb_used_elsewhere_is_sent_in_this_turn_of_the_loop(machine: Machine) -> None:
    driver, wires = driven(machine)
    machine._output.append(Transmit(b"BYE", FLOW))
    driver.wake()
    driver.wake()
    flushed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(flushed.set_result, None)
    await flushed

    assert wires.sent == [(b"BYE", FLOW)]


async def test_the_timer_rings_and_is_moved_when_something_is_due_earlier(machine: Machine) -> None:
    driver, _ = driven(machine)
    now = asyncio.get_running_loop().time()
    machine.due = now + 3600
    driver.flush()
    machine.due = now + 0.005
    driver.flush()
    async with asyncio.timeout(20):
        await machine.rung.wait()

    driver.close()
    assert machine.due is None
