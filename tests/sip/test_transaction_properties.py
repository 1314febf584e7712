"""Laws of the four machines: whatever comes, whenever, each ends and falls silent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.message import reply
from softswitch.sip.server import InviteServer
from softswitch.sip.transaction import State
from softswitch.sip.types import Seconds
from tests.sip.test_transaction import INVITE, OPTIONS, STREAM, TCP, UDP, Bench
from tests.support.builders import FLOW, request

pauses = st.sampled_from([0.0, 0.1, 0.5, 4.0, 31.9, 32.0, 40.0])
statuses = st.sampled_from([100, 180, 200, 302, 404, 486, 603])
arrivals = st.lists(st.tuples(statuses, pauses), max_size=12)
acts = st.lists(
    st.tuples(st.sampled_from(["again", "ack", "answer", "broken"]), statuses, pauses),
    max_size=15,
)


@given(arrivals=arrivals, stream=st.booleans(), invite=st.booleans())
def test_a_client_tells_one_final_answer_and_ends(
    arrivals: list[tuple[int, Seconds]], stream: bool, invite: bool
) -> None:
    """One final response or one failure; more only if all of them are 2xx to an INVITE."""
    bench, now = Bench(), 0.0
    draft, method = (INVITE, "INVITE") if invite else (OPTIONS, "OPTIONS")
    client = bench.send(draft, TCP if stream else UDP)
    for status, pause in arrivals:
        bench.answer(status, method, now)
        now += pause
        bench.play(now)
    proceeding = invite and client.state is State.PROCEEDING
    bench.play(now + 100.0)
    finals = [status for status in bench.heard if status is None or status >= 200]
    if proceeding:  # an INVITE may ring for ever: ending that is its owner's affair
        assert finals == []
        return
    assert bench.alive == len(bench.heap) == 0
    assert len(finals) == 1 or (invite and all(s is not None and s < 300 for s in finals))
    bench.sent()
    bench.answer(200, method, now + 200.0)
    assert bench.play(now + 1000.0) == []
    assert bench.sent() == []


@given(acts=acts, stream=st.booleans(), invite=st.booleans())
def test_a_server_sends_one_final_answer_and_ends(
    acts: list[tuple[str, int, Seconds]], stream: bool, invite: bool
) -> None:
    """Whatever is answered after the first final response, no octet of it is sent."""
    bench, now = Bench(), 0.0
    asked = request("INVITE" if invite else "OPTIONS")
    flow = STREAM if stream else FLOW
    server = bench.serve(asked, flow)
    for act, status, pause in acts:
        if act == "again":
            server.repeat()
        elif act == "ack" and isinstance(server, InviteServer):
            server.receive_ack(now)
        elif act == "broken":
            bench.layer.transport_failed(flow, now)
        else:
            server.respond(reply(asked, status, to_tag="ours"), now)
        now += pause
        bench.play(now)
    server.respond(reply(asked, 500, to_tag="ours"), now)
    log = bench.play(now + 200.0)
    assert bench.alive == len(bench.heap) == 0
    assert len(log) <= 12
    bench.sent()
    finals = {data for data in bench.history if not data.startswith(b"SIP/2.0 1")}
    assert len(finals) <= 1  # none where nobody answered within 64*T1


@given(storm=st.lists(st.floats(0.0, 30.0), max_size=50))
def test_a_storm_of_repetitions_gets_the_same_octets_each_time(storm: list[Seconds]) -> None:
    bench, asked = Bench(), request()
    server = bench.serve(asked)
    server.respond(reply(asked, 200, to_tag="ours"), 0.0)
    for now in sorted(storm):
        bench.play(now)
        server.repeat()
    assert len(bench.output) == len(storm) + 1
    assert len({data for data, _ in bench.output}) == 1
