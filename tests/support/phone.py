"""Scripted phones: real SIP, no sound; each does what the test says and keeps what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from random import Random

from softswitch.sip import digest
from softswitch.sip import events as sip
from softswitch.sip.callee import Callee
from softswitch.sip.dialog import Dialog
from softswitch.sip.draft import HeaderLines
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import Headers, Request, Response, reply
from softswitch.sip.session import Session
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Address, Flow, Instant, Seconds, Target
from tests.support.ether import Ether, Station
from tests.support.loop import pass_time

STEP: Seconds = 0.005
PATIENCE: Seconds = 10.0
KEY: Seconds = 0.04
"""From one key to the next."""
_ports = count(10_000, 2)


async def until(fact: Callable[[], object], within: Seconds = PATIENCE) -> None:
    """Let time pass until `fact` is true; it must become so `within` as many seconds."""
    waited = 0.0
    while not fact():
        assert waited < within, "it never came true"
        await pass_time(STEP)
        waited += STEP


class Talk:
    """One call at a phone.  `answered` and `ended` tell where it stands."""

    def __init__(self, phone: Phone, session: Session | None = None) -> None:
        self.phone = phone
        self.port = next(_ports)
        self.direction = "sendrecv"
        self.statuses: list[int] = []
        """Provisional and final statuses of a call of ours."""
        self.answered = self.ended = False
        self.reasons: tuple[str, ...] = ()
        """Why a caller gave up on us, or hung up."""
        self.requests: list[Request] = []
        """What came inside the dialog: NOTIFY, INFO."""
        self.referred: list[int] = []
        """How our REFERs were answered."""
        self.confirmed = False
        """Whether the other side knows that we have answered."""
        self.offered = 0
        """How often the other side asked anew how to speak: re-INVITE, UPDATE."""
        self._version = 1
        if session is not None:
            self.take(session)

    def take(self, session: Session) -> None:
        self.session = session
        session.on_event = self.on_event

    @property
    def invite(self) -> Request:
        """The INVITE that rang us."""
        assert isinstance(self.session, Callee)
        return self.session.request

    @property
    def rings(self) -> bool:
        """Whether somebody calls, and waits for us to answer."""
        return isinstance(self.session, Callee) and not self.answered and not self.ended

    @property
    def shown(self) -> str:
        """What the display says of the caller: name and number."""
        caller = self.invite.from_
        return f"{caller.display} <{caller.sip_uri.user}>"

    @property
    def sipfrags(self) -> list[str]:
        """What became of our transfer, as told by NOTIFY."""
        return [
            request.body.decode().strip() for request in self.requests if request.method == "NOTIFY"
        ]

    @property
    def media(self) -> Address:
        return self.phone.station.address[0], self.port

    @property
    def identity(self) -> str:
        """The dialog, as a Replaces header names it."""
        dialog = self.session.dialog
        assert dialog is not None
        return f"{dialog.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"

    # -- what the person does --------------------------------------------------------------

    def answer(self) -> Talk:
        self.answered = True
        self.session.accept(self.sdp())
        return self

    def ring(self) -> Talk:
        self.session.progress(180)
        return self

    def reject(self, status: int = 486, headers: HeaderLines = ()) -> None:
        self.ended = True
        self.session.reject(status, headers=headers)

    def hang_up(self) -> None:
        self.session.hangup()

    def hold(self) -> None:
        self.direction = "sendonly"
        self.session.offer(self.sdp())

    def resume(self) -> None:
        self.direction = "sendrecv"
        self.session.offer(self.sdp())

    def move(self) -> None:
        """Sound from another port from now on."""
        self.port = next(_ports)
        self.session.offer(self.sdp())

    def press(self, keys: str) -> None:
        """One key after another, as fast as a machine."""
        loop = asyncio.get_running_loop()
        for number, key in enumerate(keys):
            loop.call_later(number * KEY, self._press, key)

    def _press(self, key: str) -> None:
        body = f"Signal={key}\r\nDuration=160\r\n".encode()
        self.session.send("INFO", (), body, "application/dtmf-relay")

    def refer(
        self, number: str, *, replaces: Talk | None = None, headers: HeaderLines = ()
    ) -> None:
        """Transfer the other party: to a number, or to whom we talk with in another call."""
        target = self.phone.uri(number)
        if replaces is not None:
            quoted = replaces.identity.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
            target += f"?Replaces={quoted}"
        fields = [("Refer-To", f"<{target}>"), ("Referred-By", f"<{self.phone.aor}>"), *headers]
        self.session.send("REFER", fields, on_response=self._on_refer)

    def sdp(self) -> bytes:
        """PCMA and keys, as a small phone offers or answers them."""
        host, self._version = self.phone.station.address[0], self._version + 1
        return (
            f"v=0\r\no=- 1 {self._version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\na={self.direction}\r\n"
        ).encode()

    # -- what the phone is told ------------------------------------------------------------

    def on_event(self, event: sip.Event) -> None:
        match event:
            case sip.Progress(status):
                self.statuses.append(status)
            case sip.Answered():
                self.statuses.append(200)
                self.answered = True
            case sip.Confirmed():
                self.confirmed = True
            case sip.Failed(status):
                self.statuses.append(status)
                self.ended = True
            case sip.Cancelled(reasons):
                self.ended, self.reasons = True, reasons
            case sip.Ended(_, _, request):
                self.ended = True
                if request is not None:
                    self.reasons = tuple(request.headers.all("Reason"))
            case sip.OfferReceived():
                self.offered += 1
                self.session.answer(self.sdp())
            case sip.RequestReceived(request, respond):
                self.requests.append(request)
                respond(200)
            case _:  # answers to our own offers need nothing more
                pass

    def _on_refer(self, response: Response | None) -> None:
        self.referred.append(408 if response is None else response.status)


class Phone:
    """One phone with one account; it rings, and the test answers."""

    def __init__(
        self,
        ether: Ether,
        switch: Address,
        number: str,
        address: Address,
        *,
        domain: str,
        password: str | None = None,
    ) -> None:
        self.number, self.domain, self.switch = number, domain, switch
        self._password = password or f"secret-{number}"
        self.station = Station(ether, address)
        self.station.ua.on_invite = self._on_invite
        self.station.ua.on_request = self._on_request
        self.talks: list[Talk] = []
        self.answers = False
        """Whether it takes every call at once."""
        self.busy = False
        self.requests: list[Request] = []
        """MESSAGE, NOTIFY and the like that came outside calls."""
        self.watches: list[Watch] = []
        self._known = 0
        self._registration = 0
        self._registrations = f"registrations-from-{address[0]}:{address[1]}"

    @property
    def aor(self) -> str:
        return self.uri(self.number)

    def uri(self, number: str) -> str:
        return f"sip:{number}@{self.domain}"

    def sign(self, method: str, uri: str, response: Response) -> tuple[str, str] | None:
        """Answer a digest challenge."""
        credentials = digest.Credentials(self.number, self._password)
        [challenge] = digest.challenges(response)
        value = digest.answer(challenge, method, uri, credentials, Random(self.number))
        return None if value is None else (challenge.header, value)

    # -- what it does ------------------------------------------------------------------------

    async def register(self, expires: int = 3600, *, headers: HeaderLines = ()) -> int:
        """Register, anew, or no longer (0); the status."""
        host, port = self.station.address
        self._registration += 1
        response = await self.send(
            "REGISTER",
            f"sip:{self.domain}",
            self.number,
            [
                ("Contact", f"<sip:{self.number}@{host}:{port}>;expires={expires}"),
                ("Call-ID", self._registrations),
                ("CSeq", f"{self._registration * 10} REGISTER"),
                *headers,
            ],
        )
        return response.status

    async def send(
        self,
        method: str,
        uri: str,
        to: str,
        headers: HeaderLines = (),
        body: bytes = b"",
    ) -> Response:
        """A request outside calls, and its final answer."""
        fields = Headers([("From", f"<{self.aor}>"), ("To", f"<{self.uri(to)}>"), *headers])
        answers: list[Response | None] = []
        request = Request(method, uri, fields, body)
        target = Target("udp", *self.switch)
        self.station.ua.request(request, target, answers.append, self.sign)
        await until(lambda: answers, within=40)
        assert answers[0] is not None, f"{method} was not answered"
        return answers[0]

    async def message(self, to: str, text: str) -> Response:
        headers = [("Content-Type", "text/plain")]
        return await self.send("MESSAGE", self.uri(to), to, headers, text.encode())

    async def watch(self, number: str, event: str = "dialog", accept: str = "") -> Watch:
        """Subscribe to what becomes of `number`."""
        watch = Watch(self, number, event)
        self.watches.append(watch)
        await watch.subscribe(accept=accept)
        return watch

    def carry_to(self, host: str, port: int = 5060) -> None:
        """Take the handset to another base, calls included."""
        self.station.move((host, port))
        for talk in self.talks:
            if talk.session.contact:
                talk.session.contact = f"<sip:{self.number}@{host}:{port}>"

    def dial(self, number: str, headers: HeaderLines = (), *, port: int | None = None) -> Talk:
        """Call; `port`: where to send the sound."""
        talk = Talk(self)
        talk.port = port or talk.port
        session = self.station.ua.invite(
            uri=self.uri(number),
            target=Target("udp", *self.switch),
            from_=f'"{self.number}" <{self.aor}>',
            to=f"<{self.uri(number)}>",
            headers=headers,
            sdp=talk.sdp(),
            credentials=self.sign,
            on_event=talk.on_event,
        )
        talk.take(session)
        self.talks.append(talk)
        return talk

    async def rings(self, within: Seconds = PATIENCE) -> Talk:
        """The next call that rings here."""
        await until(lambda: len(self._incoming()) > self._known, within)
        self._known += 1
        return self._incoming()[self._known - 1]

    @property
    def is_ringing(self) -> bool:
        return any(talk.rings for talk in self.talks)

    def _incoming(self) -> list[Talk]:
        return [talk for talk in self.talks if isinstance(talk.session, Callee)]

    # -- what reaches it -----------------------------------------------------------------------

    def _on_invite(self, session: Callee) -> None:
        talk = Talk(self, session)
        if self.busy:
            session.reject(486)
            talk.ended = True
            return
        self.talks.append(talk)
        if self.answers or _answers_itself(session.request):
            talk.answer()
        else:
            talk.ring()

    def _on_request(self, tx: ServerTransaction, request: Request) -> None:
        self.requests.append(request)
        self.station.ua.respond(tx, reply(request, 200, to_tag="here"))


class Watch:
    """A subscription at a phone: the dialog that SUBSCRIBE made, and what NOTIFY told."""

    def __init__(self, phone: Phone, number: str, event: str) -> None:
        self.phone, self.number, self.event = phone, number, event
        self.notes: list[Request] = []
        self.status = 0
        self._call_id = phone.station.ua.new_call_id()
        self._tag = phone.station.ua.new_tag()
        self._to, self._cseq = f"<{phone.uri(number)}>", 0
        self._dialog: Dialog | None = None

    @property
    def last(self) -> str:
        """The body of the latest NOTIFY."""
        return self.notes[-1].body.decode()

    @property
    def state(self) -> str:
        """The Subscription-State of the latest NOTIFY."""
        return self.notes[-1].headers.get("Subscription-State") or ""

    async def subscribe(self, expires: int = 600, accept: str = "") -> Response:
        """Begin, refresh, or end (0)."""
        ua, target = self.phone.station.ua, Target("udp", *self.phone.switch)
        self._cseq += 10
        fields = [
            ("From", f"<{self.phone.aor}>;tag={self._tag}"),
            ("To", self._to),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} SUBSCRIBE"),
            ("Contact", ua.contact(target)),
            ("Event", self.event),
            ("Expires", str(expires)),
            *([("Accept", accept)] if accept else []),
        ]
        answers: list[Response | None] = []

        def learn(response: Response | None) -> None:
            answers.append(response)
            if response is not None and response.status < 300 and self._dialog is None:
                self._to = response.headers.all("To")[0]
                self._dialog = self._dialog_with(NameAddr.parse(self._to).params.get("tag", ""))
                ua.remember(self._dialog)

        request = Request("SUBSCRIBE", self.phone.uri(self.number), Headers(fields))
        ua.request(request, target, learn, self.phone.sign)
        await until(lambda: answers)
        response = answers[0]
        assert response is not None
        self.status = response.status
        return response

    def receive(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None:
        """A NOTIFY."""
        self.notes.append(request)
        tx.respond(reply(request, 200), now)

    def _dialog_with(self, remote_tag: str) -> Dialog:
        flow = Flow("udp", self.phone.station.address, self.phone.switch)
        local = f"<{self.phone.aor}>;tag={self._tag}", self._tag
        return Dialog(self, self._call_id, local, (self._to, remote_tag), flow)


def _answers_itself(invite: Request) -> bool:
    """Whether the INVITE asks a phone to open its loudspeaker."""
    told = (invite.headers.get("Call-Info") or "") + (invite.headers.get("Alert-Info") or "")
    return "answer-after" in told.replace(" ", "").lower()
