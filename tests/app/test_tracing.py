"""Whose messages pass: by call, by extension, live and remembered."""

from softswitch.api.events import Hub
from softswitch.app.tracing import Tracing
from softswitch.sip.types import Flow
from softswitch.transport.trace import Trace
from tests.pbx.world import World, in_world

HERE = ("10.0.0.1", 5060)


def message(first: str, call_id: str, caller: str, called: str) -> bytes:
    return (
        f"{first}\r\nFrom: <sip:{caller}@office.test>;tag=1\r\nTo: <sip:{called}@10.0.1.2>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\r\n"
    ).encode()


@in_world()
async def test_a_message_names_its_call_and_whose_phones_it_concerns(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    trace, hub = Trace(), Hub(keep=0)
    tracing = Tracing(trace, hub, world.switch)
    listener = hub.listen()
    anna.dial("102")
    await boris.rings()
    (call,) = world.switch.calls.values()
    leg = call.legs[1]
    invite = message("INVITE sip:x@10.0.1.2 SIP/2.0", leg.session.call_id, "101", "x")

    trace.record(False, Flow("udp", HERE, ("10.0.1.2", 5060)), invite)

    told = await listener.next()
    assert told is not None
    assert (told.data["from"], told.data["to"]) == ("switch", "10.0.1.2:5060")
    assert told.data["summary"] == "INVITE sip:x@10.0.1.2"
    assert told.data["call"] == call.id
    assert told.data["extensions"] == ["101", "102", "x"]
    assert [event.data for event in tracing.passed("102")] == [told.data]


@in_world()
async def test_what_passed_is_remembered_by_extension_with_its_whole_call(world: World) -> None:
    trace = Trace()
    tracing = Tracing(trace, Hub(keep=0), world.switch)
    flow = Flow("udp", HERE, ("10.0.1.2", 5060))
    trace.record(True, flow, message("INVITE sip:102@x SIP/2.0", "one", "101", "102"))
    trace.record(True, flow, message("INVITE sip:103@x SIP/2.0", "two", "1019", "103"))
    trace.record(True, flow, b"BYE sip:102@x SIP/2.0\r\nCall-ID: one\r\n\r\n")

    remembered = [event.data["summary"] for event in tracing.passed("101")]

    assert remembered == ["INVITE sip:102@x", "BYE sip:102@x"]
    assert len(tracing.passed(None)) == 3
