"""What signalling costs: microseconds of CPU for each message, exchange and call.

    python -m bench.sip [--quick] [--json]

Everything above the sockets is real: driver, guard, trace, parser, user agent, digest,
registrar.  The sockets, media, database and what the office decides are not there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from time import process_time

import uvloop

from bench.phones import MESSAGES, SDP, US, answer_to, copies, copy, field, fresh, host, request
from softswitch.sdp import LocalMedia, Negotiation
from softswitch.sip.callee import Callee
from softswitch.sip.caller import Caller
from softswitch.sip.challenger import Challenger, Outcome
from softswitch.sip.digest import Credentials, Secrets, answer, challenges, secrets
from softswitch.sip.events import Answered, Ended, Event, Progress
from softswitch.sip.guard import Guard, GuardLimits
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.registrar import Registrar
from softswitch.sip.settings import UaSettings
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Address, Destination, Flow
from softswitch.sip.ua import UserAgent
from softswitch.transport import Driver, Trace

REALM = "office.example"
CONTACT = "Contact: <sip:102@10.200.0.1:5060>\r\n"
CALLEE = Flow("udp", US, ("10.200.0.1", 5060))


class Switch:
    """A stack without sockets: what it sends is kept."""

    def __init__(self) -> None:
        self.registrar = Registrar()
        guard = Guard(GuardLimits(), self.registrar.knows, ["10.200.0.1/32"])
        clock = asyncio.get_running_loop().time
        self.ua = UserAgent(UaSettings(), Random(1), clock)
        self.driver = Driver(self.ua, guard.admit, Trace())
        self.driver.wires = self
        self.ua.output.on_first = self.driver.wake
        self.ua.on_request, self.ua.on_invite = self.on_request, self.on_invite
        self.challenger = Challenger(REALM, lambda uri: uri.host == REALM, b"key", Random(1))
        self.sent: list[bytes] = []
        self._clock = clock
        self.secrets: dict[str, Secrets] = {}

    def send(self, data: bytes, destination: Destination) -> bool:
        self.sent.append(data)
        return True

    def local(self, destination: Destination) -> Address:
        return US

    def take(self) -> list[bytes]:
        """What was sent since the last look."""
        sent, self.sent = self.sent, []
        return sent

    # What an office of two rules does: who has a password may register; 102 takes calls.

    def know(self, username: str) -> Credentials:
        """A user's credentials; the switch knows him from now on."""
        self.secrets[username] = secrets(username, REALM, "secret")
        return Credentials(username, "secret")

    def on_request(self, tx: ServerTransaction, request: Request) -> None:
        ua, tag = self.ua, self.ua.new_tag()
        if request.method != "REGISTER":
            ua.respond(tx, reply(request, 200, to_tag=tag, headers=ua.capabilities))
            return
        now = self._clock()
        verdict = self.challenger.verify(request, self.secrets.get, now)
        if verdict.outcome is not Outcome.ACCEPTED:
            asked = [("WWW-Authenticate", text) for text in self.challenger.challenge(now)]
            ua.respond(tx, reply(request, 401, to_tag=tag, headers=asked))
            return
        ua.respond(tx, self.registrar.register(request, tx.flow, now).response)

    def on_invite(self, session: Callee) -> None:
        def called(event: Event) -> None:
            match event:
                case Progress(status=status):
                    session.progress(status)
                case Answered(sdp=sdp):
                    session.accept(sdp)

        def calling(event: Event) -> None:
            if isinstance(event, Ended):
                other.hangup()

        session.on_event = calling
        other: Caller = self.ua.invite(
            uri="sip:102@10.200.0.1:5060",
            target=CALLEE,
            from_='"Anna" <sip:101@office.example>',
            to="<sip:102@office.example>",
            sdp=session.remote_sdp,
            on_event=called,
        )


def microseconds(count: int, work: Callable[[], object]) -> float:
    """CPU time of one of the `count` steps that `work` does."""
    begin = process_time()
    work()
    return (process_time() - begin) / count * 1e6


def feed(switch: Switch, messages: Iterable[tuple[bytes, Flow]]) -> Callable[[], None]:
    """The driver's part: each message as if a socket had brought it."""
    receive, waiting = switch.driver.receive, list(messages)

    def work() -> None:
        for data, flow in waiting:
            receive(data, flow)

    return work


def flows(count: int) -> list[Flow]:
    return [Flow("udp", US, (host(number), 5060)) for number in range(count)]


def parsing(count: int) -> dict[str, float]:
    """Each message alone, in copies that share nothing but what phones repeat."""
    measured = {}
    for name, message in MESSAGES.items():
        texts = copies(message, count)
        measured[f"parse {name}"] = microseconds(count, partial(_parse_all, texts))
    return measured


def _parse_all(texts: list[bytes]) -> None:
    for text in texts:
        parse(text)


def serializing(count: int) -> dict[str, float]:
    """Each message that was parsed back into octets."""
    measured = {}
    for name, message in MESSAGES.items():
        parsed = [parse(text) for text in copies(message, count)]
        measured[f"serialize {name}"] = microseconds(count, partial(_serialize_all, parsed))
    return measured


def _serialize_all(messages: list[Request | Response]) -> None:
    for message in messages:
        message.encode()


def digesting(count: int) -> dict[str, float]:
    """A challenge, a phone's answer to it, and our judgement of that."""
    switch, [text] = Switch(), copies(MESSAGES["REGISTER"], 1)
    credentials, verify = switch.know("101"), switch.challenger.verify
    requests: list[Request] = []
    refusals: list[Response] = []
    begin = process_time()
    asked = [switch.challenger.challenge(0.0)[0] for _ in range(count)]
    challenging = (process_time() - begin) / count * 1e6
    for value in asked:
        refusal = Response(401)
        refusal.headers.add("WWW-Authenticate", value)
        refusals.append(refusal)
        request = parse(text)
        assert isinstance(request, Request)
        request.headers.remove("Authorization")
        requests.append(request)

    def respond() -> None:
        for request, refusal in zip(requests, refusals, strict=True):
            [challenge] = challenges(refusal)
            value = answer(challenge, request.method, request.uri, credentials, Random(2))
            assert value is not None
            request.headers.add("Authorization", value)

    def judge() -> None:
        for request in requests:
            verdict = verify(request, switch.secrets.get, 1.0)
            assert verdict.outcome is Outcome.ACCEPTED, verdict

    return {
        "digest, challenge": challenging,
        "digest, answer": microseconds(count, respond),
        "digest, verify": microseconds(count, judge),
    }


def answering(count: int) -> dict[str, float]:
    asked = [parse(text) for text in copies(MESSAGES["INVITE"], count)]
    headers = [("Contact", "<sip:192.0.2.1:5060>"), ("Allow", "INVITE, ACK, BYE, CANCEL")]

    def work() -> None:
        for message in asked:
            assert isinstance(message, Request)
            reply(message, 200, to_tag="a", headers=headers, body=SDP).encode()

    return {"reply and encode": microseconds(count, work)}


def negotiating(count: int) -> dict[str, float]:
    """Both legs of a call: the caller's offer answered, ours made and its answer read."""

    def work() -> None:
        for _ in range(count):
            caller = Negotiation(LocalMedia("192.0.2.1", 16384))
            callee = Negotiation(LocalMedia("192.0.2.1", 16386))
            callee.offer()
            callee.conclude(SDP)
            caller.answer(SDP)

    return {"SDP of both legs": microseconds(count, work)}


def options(count: int) -> dict[str, float]:
    switch = Switch()
    texts = copies(MESSAGES["OPTIONS"], count)
    return {
        "transaction of OPTIONS, 200": microseconds(
            count, feed(switch, zip(texts, flows(count), strict=True))
        )
    }


def registering(count: int) -> dict[str, float]:
    """REGISTER, 401, REGISTER with digest, 200; first as a newcomer, then a refresh."""
    switch, places = Switch(), flows(count)
    credentials = [switch.know(f"{number}") for number in range(count)]
    measured: dict[str, float] = {}
    for name, cseq in (("new", 1), ("refresh", 3)):
        first = [_register(number, cseq, "") for number in range(count)]
        asking = microseconds(count, feed(switch, zip(first, places, strict=True)))
        second = [
            _register(number, cseq + 1, _authorization(refusal, credentials[number]))
            for number, refusal in enumerate(switch.take())
        ]
        answering = microseconds(count, feed(switch, zip(second, places, strict=True)))
        assert all(data.startswith(b"SIP/2.0 200 ") for data in switch.take())
        measured |= {
            f"REGISTER {name}, 401": asking,
            f"REGISTER {name}, 200": answering,
            f"registration {name}": asking + answering,
        }
    return measured


def _register(number: int, cseq: int, extra: str) -> bytes:
    contact = f"Contact: <sip:{number}-0x55@{host(number)}:5060>\nExpires: 3600\n"
    agent = "User-Agent: baresip v1.0.0 (x86_64/linux)\nSupported: gruu\n"
    [text] = copies(request("REGISTER", contact + extra + agent, cseq=cseq), 1)
    text = text.replace(b"10.0.0.7", host(number).encode()).replace(b"<sip:102@", b"<sip:101@")
    return text.replace(b"sip:101@", b"sip:%d@" % number)


def _authorization(refusal: bytes, credentials: Credentials) -> str:
    parsed = parse(refusal)
    assert isinstance(parsed, Response)
    [challenge] = challenges(parsed)
    value = answer(challenge, "REGISTER", f"sip:{REALM}", credentials, Random(2))
    return f"Authorization: {value}\n"


def calling(count: int) -> dict[str, float]:
    """A whole call through us: 14 messages, of which 7 come in; `count` calls at once."""
    switch, places = Switch(), flows(count)
    measured: dict[str, float] = {}

    def step(name: str, texts: list[bytes], ways: list[Flow]) -> list[bytes]:
        work = feed(switch, zip(texts, ways, strict=True))
        measured[f"call: {name}"] = microseconds(count, work)
        return switch.take()

    there = [CALLEE] * count
    numbers = fresh(count)

    def caller(message: bytes, phone: int) -> bytes:
        return copy(message, numbers[phone]).replace(b"10.0.0.7", host(phone).encode())

    invites = [caller(MESSAGES["INVITE"], phone) for phone in range(count)]
    sent = step("INVITE", invites, places)
    invited = [data for data in sent if data.startswith(b"INVITE ")]
    step("100", [answer_to(data, "100 Trying") for data in invited], there)
    tags = [f";tag=b{number:08x}" for number in numbers]
    pairs = list(zip(invited, tags, strict=True))
    rings = [answer_to(data, "180 Ringing", tag, CONTACT) for data, tag in pairs]
    step("180", rings, there)
    oks = [answer_to(data, "200 OK", tag, CONTACT, SDP) for data, tag in pairs]
    sent = step("200", oks, there)
    answers = [data for data in sent if data.startswith(b"SIP/2.0 200 ")]
    own = [field(data, b"To").partition(";tag=")[2] for data in answers]
    acks = [request("ACK", to=f";tag={tag}") for tag in own]
    step("ACK", [caller(ack, phone) for phone, ack in enumerate(acks)], places)
    ends = [request("BYE", to=f";tag={tag}", cseq=2) for tag in own]
    sent = step("BYE", [caller(end, phone) for phone, end in enumerate(ends)], places)
    byes = [data for data in sent if data.startswith(b"BYE ")]
    step("200 to BYE", [answer_to(data, "200 OK") for data in byes], there)
    assert not switch.ua.sessions, "calls were not carried to their end"
    measured["call of two legs"] = sum(measured.values())
    return measured


async def _measured(count: int) -> dict[str, float]:
    parts = (parsing, serializing, digesting, answering, negotiating, options, registering, calling)
    return {name: value for part in parts for name, value in part(count).items()}


def figures(quick: bool) -> dict[str, float]:
    """Microseconds by name; the best of several runs, since the machine is not ours alone."""
    count, runs = (500, 2) if quick else (1500, 4)
    best: dict[str, float] = {}
    for _ in range(runs):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for name, value in runner.run(_measured(count)).items():
                best[name] = min(value, best.get(name, value))
    return {name: round(value, 1) for name, value in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    measured = figures(given.quick)
    if given.json:
        print(json.dumps(measured, indent=1))
        return
    for name, value in measured.items():
        print(f"{name:32} {value:8.1f} µs")


if __name__ == "__main__":
    main()
