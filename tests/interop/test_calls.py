"""Calls between extensions, line by line, with SIPp as both phones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.phones import Sipp
from tests.interop.phones.registering import register
from tests.interop.phones.sipp import SippRun
from tests.interop.phones.steps import (
    CANCELLABLE,
    REFERENCE,
    accept_bye,
    ack,
    ack_refusal,
    answer,
    credentials,
    expect,
    hang_up,
    invited,
    pause,
    recv,
    request,
    scenario,
    sdp,
    send,
    terminated,
)
from tests.interop.switch import Switch, running

SETTINGS = """
[extensions.105]
password = "secret-105"
ring_time = 1
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    folder = tmp_path_factory.mktemp("office") / "switch"
    with running(folder, SETTINGS) as started:
        yield started


class Call:
    """Two SIPp phones: 101 dials, 102 (or whoever is registered) does as told."""

    def __init__(self, office: Switch, folder: Path) -> None:
        self.office, self.folder = office, folder
        self.callees: list[Sipp] = []
        self.users: list[str] = []

    def phone(self, *steps: str, user: str = "102", rung: int = 1) -> Sipp:
        """A registered phone that follows these steps each time that it is rung."""
        folder = self.folder / f"callee-{len(self.callees)}"
        phone = Sipp(folder, scenario(*steps), calls=rung, timeout=15)
        phone.listening()
        register(self.office.account(user), phone.port)
        self.callees.append(phone)
        self.users.append(user)
        return phone

    def dial(self, *steps: str, to: str = "102", caller: str = "101") -> SippRun:
        """Call `to` by these steps; every phone must have done what it was told."""
        remote = f"127.0.0.1:{self.office.port}"
        with Sipp(
            self.folder / "caller",
            scenario(*steps),
            remote,
            service=to,
            fields=[credentials(caller)],
            timeout=60,
        ) as phone:
            run = phone.wait()
        assert run.code == 0, run.errors + phone.messages()[-3000:]
        for callee in self.callees:
            done = callee.wait(10)
            assert done.code == 0, done.errors + callee.messages()[-3000:]
        return run

    def leave(self) -> None:
        """Nobody is registered any more."""
        for user, callee in zip(self.users, self.callees, strict=True):
            callee.stop()
            register(self.office.account(user), callee.port, expires=0)


@pytest.fixture
def call(office: Switch, tmp_path: Path) -> Iterator[Call]:
    made = Call(office, tmp_path)
    yield made
    made.leave()


RINGS = [expect("INVITE"), answer(100, "Trying"), answer(180, "Ringing")]
CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>"
ANSWERS = [*RINGS, answer(200, "OK", sdp()), expect("ACK")]


LEARN = (
    '<recv request="INVITE" rrs="true"><action>'
    '<ereg regexp="&lt;[^&gt;]*&gt;" search_in="hdr" header="To:" assign_to="2"/>'
    '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="3"/></action></recv>'
)
"""An INVITE whose parties are remembered for `from_callee`."""


def from_callee(method: str, number: int) -> str:
    """A request of the callee's inside the dialog."""
    return f"""{method} [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: [$2];tag=[pid]callee[call_number]
    To: [$3]
    Call-ID: [call_id]
    CSeq: {number} {method}
    {CONTACT}
    Max-Forwards: 70"""


def reinvite(number: int, body: str) -> str:
    return send(from_callee("INVITE", number), body, retrans=True)


def acknowledge(number: int) -> str:
    return send(from_callee("ACK", number))


def test_an_extension_calls_another_and_hangs_up(call: Call) -> None:
    call.phone(*ANSWERS, *accept_bye())
    call.dial(*invited(), recv(180), recv(200), ack(), pause(300), *hang_up())


def test_the_one_called_hangs_up(call: Call) -> None:
    bye = send(from_callee("BYE", 1), retrans=True)
    call.phone(LEARN, answer(200, "OK", sdp()), expect("ACK"), pause(300), bye, recv(200))
    call.dial(*invited(), recv(180, optional=True), recv(200), ack(), *accept_bye())


@pytest.mark.parametrize(
    ("status", "reason"),
    [(486, "Busy Here"), (603, "Decline"), (480, "Temporarily Unavailable"), (600, "Busy")],
)
def test_a_refusal_reaches_the_caller(call: Call, status: int, reason: str) -> None:
    call.phone(*RINGS, answer(status, reason), expect("ACK"))
    call.dial(*invited(), recv(180), recv(status), ack_refusal(2))


def test_nobody_registered_is_480_at_once(call: Call) -> None:
    call.dial(*invited(), recv(480), ack_refusal(2), to="104")


def test_an_unknown_number_is_404(call: Call) -> None:
    call.dial(*invited(), recv(404), ack_refusal(2), to="999")


def test_the_caller_gives_up_while_it_rings(call: Call) -> None:
    cancel = send(
        """CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
        Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-4];rport
        From: <sip:[field0]@office.test>;tag=[pid]caller[call_number]
        To: <sip:[service]@office.test>
        Call-ID: [call_id]
        CSeq: 2 CANCEL
        Max-Forwards: 70"""
    )
    call.phone(CANCELLABLE, answer(180, "Ringing"), *terminated())
    call.dial(*invited(), recv(180), pause(200), cancel, recv(200), recv(487), ack_refusal(2))


def test_early_media_reaches_the_caller(call: Call) -> None:
    call.phone(
        expect("INVITE"),
        answer(183, "Session Progress", sdp()),
        pause(300),
        answer(200, "OK", sdp()),
        expect("ACK"),
        *accept_bye(),
    )
    call.dial(*invited(), recv(183), recv(200), ack(), *hang_up())


def test_all_phones_ring_and_the_first_answer_wins(call: Call) -> None:
    """D6: the others are told that it was completed elsewhere (RFC 3326)."""
    call.phone(
        CANCELLABLE,
        answer(180, "Ringing"),
        *terminated(matching="Reason:.*SIP;cause=200;text=.Call completed elsewhere."),
        REFERENCE,
    )
    call.phone(*RINGS, pause(500), answer(200, "OK", sdp()), expect("ACK"), *accept_bye())
    call.dial(*invited(), recv(180), recv(200), ack(), pause(300), *hang_up())


def test_nobody_answers_in_time(call: Call) -> None:
    """480 after the extension's ring_time, and the phone stops ringing."""
    call.phone(CANCELLABLE, answer(180, "Ringing"), *terminated(), user="105")
    call.dial(*invited(), recv(180), recv(480), ack_refusal(2), to="105")


def test_a_circle_of_redirects_comes_to_an_end(call: Call) -> None:
    """The default bound of forwards is ten."""
    itself = answer(302, "Moved").replace(CONTACT, "Contact: <sip:102@office.test>")
    call.phone(expect("INVITE"), itself, expect("ACK"), rung=10)
    call.dial(*invited(), recv(480), ack_refusal(2))


def test_a_redirect_to_another_extension_is_followed(call: Call) -> None:
    call.phone(*ANSWERS, *accept_bye(), user="103")
    moved = answer(302, "Moved").replace(CONTACT, "Contact: <sip:103@office.test>")
    call.phone(expect("INVITE"), moved, expect("ACK"))
    call.dial(*invited(), recv(180), recv(200), ack(), pause(200), *hang_up())


def test_a_late_offer_is_answered_in_the_ack(call: Call) -> None:
    call.phone(*ANSWERS, *accept_bye())
    call.dial(*invited(""), recv(180), recv(200), ack(body=sdp()), pause(300), *hang_up())


def test_an_offer_of_ours_that_the_ack_leaves_unanswered_ends_the_call(call: Call) -> None:
    call.phone(*ANSWERS, *accept_bye())
    call.dial(*invited(""), recv(180), recv(200), ack(), *accept_bye())


def test_an_offer_that_meets_one_of_ours_gets_491(call: Call) -> None:
    """RFC 3261 §14.2: our 200 made an offer, whose answer the ACK is to bring."""
    meets = send(request("UPDATE", 3), sdp(version=2), retrans=True)
    call.phone(*ANSWERS, *accept_bye())
    call.dial(
        *invited(""), recv(180), recv(200), meets, recv(491), ack(body=sdp()), pause(200),
        *hang_up(4),
    )  # fmt: skip


def test_an_offer_is_found_in_a_body_of_several_parts(call: Call) -> None:
    hello = "--x\nContent-Type: text/plain\n\nHello\n"
    parts = f"{hello}--x\nContent-Type: application/sdp\n\n{sdp()}\n--x--\n"
    call.phone(*ANSWERS, *accept_bye())
    call.dial(
        *invited(parts, content_type="multipart/mixed;boundary=x"), recv(180), recv(200), ack(),
        *hang_up(),
    )  # fmt: skip


def test_a_call_in_place_of_none_is_481(call: Call) -> None:
    """RFC 3891 §3."""
    nothing = "Require: replaces\nReplaces: nothing;to-tag=1;from-tag=2"
    call.dial(*invited(extra=nothing), recv(481), ack_refusal(2))


@pytest.mark.parametrize(
    "changed",
    [
        sdp(direction="sendonly", version=2),
        sdp(direction="inactive", version=2),
        sdp(address="0.0.0.0", version=2),
        sdp(formats="0", version=2),
        sdp(port="[media_port+4]", version=2),
    ],
    ids=["hold", "inactive", "old hold", "other codec", "other address"],
)
def test_a_reinvite_is_answered_here_and_the_other_side_hears_nothing_of_it(
    call: Call, changed: str
) -> None:
    again = [send(request("INVITE", 3), changed, retrans=True), recv(100, optional=True)]
    back = [send(request("INVITE", 4), sdp(version=3), retrans=True), recv(100, optional=True)]
    call.phone(*ANSWERS, *accept_bye())
    call.dial(
        *invited(), recv(180), recv(200), ack(), *again, recv(200), ack(3), pause(200),
        *back, recv(200), ack(4), *hang_up(5),
    )  # fmt: skip


def test_the_one_called_holds_and_resumes(call: Call) -> None:
    """In the switch's dialog with it, of which the caller hears nothing."""
    hold = [reinvite(1, sdp(direction="sendonly", version=2)), recv(100, optional=True)]
    held = [recv(200), acknowledge(1)]
    resume = [reinvite(2, sdp(version=3)), recv(100, optional=True), recv(200), acknowledge(2)]
    answers = [LEARN, answer(200, "OK", sdp()), expect("ACK"), pause(200)]
    call.phone(*answers, *hold, *held, pause(200), *resume, *accept_bye())
    call.dial(*invited(), recv(180, optional=True), recv(200), ack(), pause(1500), *hang_up())


def test_a_reinvite_without_a_codec_in_common_is_488_and_the_call_goes_on(call: Call) -> None:
    again = [send(request("INVITE", 3), sdp(formats="18", version=2), retrans=True)]
    call.phone(*ANSWERS, *accept_bye())
    call.dial(
        *invited(), recv(180), recv(200), ack(), *again, recv(100, optional=True), recv(488),
        ack_refusal(3), pause(200), *hang_up(4),
    )  # fmt: skip


@pytest.mark.parametrize(
    "offer",
    [
        sdp(formats="18"), sdp(address="phone.example"), sdp(port="0"),
        sdp().replace("RTP/AVP", "RTP/SAVP"), sdp().replace("RTP/AVP", "UDP/TLS/RTP/SAVPF"),
    ],
    ids=["codec", "address", "port", "srtp", "dtls"],
)  # fmt: skip
def test_an_offer_with_nothing_in_common_is_488_before_anybody_rings(
    call: Call, offer: str
) -> None:
    call.dial(*invited(offer), recv(488), ack_refusal(2), to="103")


def test_session_timers_are_agreed_with_a_caller_who_wants_them(call: Call) -> None:
    """RFC 4028: the 200 names the interval and who refreshes; an interval too small is 422."""
    timer = "Supported: timer\nSession-Expires: 120;refresher=uac"
    call.phone(*ANSWERS, *accept_bye())
    run_steps = invited(extra=timer)
    update = send(request("UPDATE", 3, extra=timer), retrans=True)
    call.dial(*run_steps, recv(180), recv(200), ack(), update, recv(200), *hang_up(4))


def test_a_session_interval_too_small_is_422(call: Call) -> None:
    small = "Supported: timer\nSession-Expires: 30"
    first = send(request("INVITE", 1, dialog=False, extra=small), sdp(), retrans=True)
    call.dial(first, recv(100, optional=True), recv(422), ack_refusal(1))


def test_reliable_ringing_is_acknowledged_between_a_caller_who_has_it_and_a_phone_that_has_not(
    call: Call,
) -> None:
    """RFC 3262: the caller requires 100rel, so its 180 comes with RSeq and waits for PRACK."""
    call.phone(*ANSWERS[:-2], pause(800), *ANSWERS[-2:], *accept_bye())
    prack = send(request("PRACK", 3, extra="RAck: [last_RSeq] 2 INVITE"), retrans=True)
    rseq = (
        '<recv response="180" rrs="true"><action><ereg regexp="[0-9]+" search_in="hdr"'
        ' header="RSeq:" check_it="true" assign_to="1"/></action></recv>'
    )
    call.dial(
        *invited(extra="Require: 100rel"), rseq, prack.replace("[last_RSeq]", "[$1]"),
        recv(200), recv(200), ack(), *hang_up(4), REFERENCE,
    )  # fmt: skip


def test_a_wrong_password_an_unknown_user_and_an_unknown_number_look_the_same(
    office: Switch, tmp_path: Path
) -> None:
    """401 again, whatever was wrong; nothing tells who or what exists."""
    remote = f"127.0.0.1:{office.port}"
    answers = set()
    for user, number in (("101", "102"), ("777", "102"), ("777", "999"), ("101", "999")):
        steps = [*invited()[:-1], recv(100, optional=True), recv(401), ack_refusal(2)]
        row = [user, f"[authentication username={user} password=wrong]"]
        with Sipp(
            tmp_path / f"{user}-{number}", scenario(*steps), remote, service=number, fields=[row]
        ) as phone:
            run = phone.wait()
            assert run.code == 0, run.errors
            last = phone.messages().rpartition("SIP/2.0 401")[2]
            answers.add(tuple(line.partition(":")[0] for line in last.splitlines() if ": " in line))
    assert len(answers) == 1


def test_a_phone_that_falls_silent_is_let_go(tmp_path: Path) -> None:
    """RTP that stops for [media] silence ends the call on both sides, without a BYE of theirs."""
    with running(tmp_path / "switch", media="silence = 1.5") as office:
        call = Call(office, tmp_path)
        call.phone(*ANSWERS, *accept_bye())
        call.dial(*invited(), recv(180), recv(200), ack(), *accept_bye())
        call.leave()


def test_the_switch_refreshes_the_session_of_a_caller_who_leaves_that_to_it(call: Call) -> None:
    """RFC 4028; that a peer who answers no refresh is let go takes a minute, and a fake clock."""
    timer = "Supported: timer\nSession-Expires: 90;refresher=uas\nMin-SE: 90"
    agreed = (
        '<recv response="200" rrs="true"><action><ereg regexp="Session-Expires: 90;refresher=uas"'
        ' search_in="msg" check_it="true" assign_to="1"/></action></recv>'
    )
    call.phone(*ANSWERS, *accept_bye())
    call.dial(
        *invited(extra=timer), recv(180), agreed, ack(), pause(200), *hang_up(), REFERENCE
    )  # fmt: skip
