"""baresip as a library: many phones in this process, whose sound is heard while it plays.

Each phone sends a tone of its own, so that whom a party hears is told by an ear: the last fifth
of a second, looked at by Fourier transform.  All of it runs on a loop in a thread of its own;
tests speak to it as they would to a person, and wait for facts, never for a time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from itertools import groupby
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from baresip.call import Call, CallState
from baresip.config import Account as NativeAccount
from baresip.config import Config
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError
from baresip.events import Event, StackEvent
from baresip.runtime import Runtime
from baresip.ua import UserAgent

from tests.interop.phones.account import Account
from tests.interop.ports import free_ports
from tests.interop.process import PATIENCE

T = TypeVar("T")

RATE, FRAME, EAR = 8000, 160, 1600
"""Samples a second, in 20 ms, and in what is listened to."""
AHEAD = 4 * 2 * FRAME
"""Octets of sound that are handed to a phone before they are due."""
LOUD, QUIET = 150.0, 40.0
"""RMS of int16 samples above which something is heard, and below which nothing is."""
STALE = 0.15
"""Seconds without a packet that are silence."""


class LivePhones:
    """All phones of a test.  Only one of these may live at a time in a process."""

    def __init__(self) -> None:
        self.tones: set[int] = set()
        self.port = free_ports()
        """Where all phones listen."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.runtime = Runtime(native_log_level="error")
        self.talks: list[LiveTalk] = []
        self.do(self._start())

    def phone(self, account: Account, tone: int, *, transport: str = "udp") -> LivePhone:
        """One more phone, registered, that sends `tone` (Hz; a multiple of 5)."""
        self.tones.add(tone)
        return self.do(self._phone(account, tone, transport))

    def stranger(self, number: str, tone: int) -> LivePhone:
        """One more phone, that registers nowhere: it is called by whoever knows the port."""
        self.tones.add(tone)
        account = Account(number, "none", port=self.port)
        return self.do(self._phone(account, tone, "udp", registers=False))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have it done on the loop of the phones."""
        return self.begin(work).result(PATIENCE)

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def hang_up_all(self) -> None:
        """The end of a test: every call is over, whatever became of it."""
        talks = self.talks[:]
        for talk in talks:
            talk.hang_up()
        for talk in talks:
            talk.over()
            self.talks.remove(talk)

    def close(self) -> None:
        self.do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def _start(self) -> None:
        config = Config(
            net_interface="127.0.0.1",
            max_concurrent_calls=None,
            expose_headers=("From", "Call-Info", "Alert-Info"),
            extra_config_text=f"sip_listen 127.0.0.1:{self.port}\n",
        )
        await self.runtime.start(config)
        self._pump_task = asyncio.get_running_loop().create_task(self._pump())

    async def _stop(self) -> None:
        self._pump_task.cancel()
        await asyncio.gather(self._pump_task, return_exceptions=True)
        await self.runtime.close()

    async def _phone(
        self, account: Account, tone: int, transport: str, *, registers: bool = True
    ) -> LivePhone:
        native = NativeAccount(
            account.user,
            account.server,
            account.password,
            transport="tcp" if transport == "tcp" else "udp",
            reg_interval=60 if registers else 0,
            audio_codecs=("pcma",),
        )
        agent = await UserAgent.create(self.runtime, native)
        phone = LivePhone(self, account, agent, tone)
        if registers:
            await agent.register()
        return phone

    async def _pump(self) -> None:
        """Speak and listen for every call, a frame at a time."""
        while True:
            for talk in self.talks[:]:
                talk.pump()
            await asyncio.sleep(FRAME / RATE)


class LivePhone:
    """One phone with one account."""

    def __init__(self, phones: LivePhones, account: Account, agent: UserAgent, tone: int) -> None:
        self.phones, self.account, self.tone = phones, account, tone
        self.number = account.user
        self.agent = agent
        self._incoming: list[LiveTalk] = []
        agent.on_incoming(self._on_incoming)

    def dial(self, number: str) -> LiveTalk:
        """Call; the test goes on at once."""
        return self.phones.do(self._dial(number))

    async def _dial(self, number: str) -> LiveTalk:
        """The library loses what comes before it has made the call: an answer in a millisecond."""
        early: list[StackEvent] = []
        self.phones.runtime.subscribe(early.append)
        try:
            call = await self.agent.dial(self.account.uri(number))
        finally:
            self.phones.runtime.unsubscribe(early.append)
        talk = LiveTalk(self, call)
        for event in early:
            call._on_stack_event(event)
        return talk

    def calls(self, number: str) -> LiveTalk:
        """Call, and wait for an answer."""
        return self.dial(number).up()

    def rings(self) -> LiveTalk:
        """The next call that comes in; it is not answered by this."""
        until(lambda: self.is_rung, f"a call at {self.number}")
        return self._incoming.pop(0)

    def misses(self) -> None:
        """Let the next call that comes in ring until it is given up, however soon.

        Ask `is_rung` before, which forgets calls that nobody has looked at.
        """
        until(lambda: self._incoming, f"a call at {self.number}")
        self._incoming.pop(0).over()

    def takes(self) -> LiveTalk:
        """Answer the next call that comes in."""
        return self.rings().answer()

    @property
    def is_rung(self) -> bool:
        """Whether a call waits that no test has looked at."""
        for talk in self._incoming[:]:  # the list is appended to by the other thread meanwhile
            if talk.ended:
                self._incoming.remove(talk)
        return bool(self._incoming)

    def leave(self) -> None:
        """Register no longer."""
        self.phones.do(self.agent.unregister())

    def come_back(self) -> None:
        self.phones.do(self.agent.register())

    def _on_incoming(self, call: Call) -> None:
        self._incoming.append(LiveTalk(self, call))


class LiveTalk:
    """One call at a phone."""

    def __init__(self, phone: LivePhone, call: Call) -> None:
        self.phone, self.call = phone, call
        self.events: list[StackEvent] = []
        self._heard = np.zeros(EAR)
        self._past: list[Any] = []
        self._since_past = 0
        self._said = 0
        self._heard_at = time.monotonic()
        self.keys = ""
        """Keys that the other side pressed."""
        call.on(self._on_event)
        call.on_dtmf(self._on_key)
        phone.phones.talks.append(self)

    # -- what the person does --------------------------------------------------------------

    def answer(self) -> LiveTalk:
        self._do(self.call.answer())
        return self.up()

    def reject(self) -> None:
        """486"""
        self._do(self.call.reject())

    def hang_up(self) -> None:
        """Without effect where it is over."""
        if not self.ended:
            try:
                self._do(self.call.hangup())
            except BaresipError:
                assert self.ended

    def hold(self) -> LiveTalk:
        self._insist(self.call.hold)
        return self

    def resume(self) -> LiveTalk:
        self._insist(self.call.resume)
        return self

    def press(self, keys: str) -> LiveTalk:
        """Press keys one after another (RFC 4733)."""
        self._do(self.call.send_dtmf(keys))
        return self

    def transfer(self, number: str) -> Future[None]:
        """Blind transfer (REFER); the future tells the outcome."""
        uri = self.phone.account.uri(number)
        return self.phone.phones.begin(self.call.transfer(uri, timeout=PATIENCE))

    def transfer_to(self, consulted: LiveTalk) -> Future[None]:
        """Attended transfer (REFER with Replaces)."""
        work = self.call.attended_transfer(consulted.call, timeout=PATIENCE)
        return self.phone.phones.begin(work)

    @property
    def shown(self) -> str:
        """What the display says of the caller, before anybody answers."""
        return str(self.call.headers.get("From", "")).partition(";")[0]

    @property
    def is_opened(self) -> bool:
        """Whether the phone was asked to open its loudspeaker."""
        return "answer-after=0" in self.call.headers.get("Call-Info", "")

    # -- what became of it -----------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.call.state is CallState.CLOSED

    @property
    def is_up(self) -> bool:
        """Whether it is answered and not over."""
        return self.call.state is CallState.ESTABLISHED

    @property
    def reason(self) -> str:
        """Why it ended, as the phone shows it."""
        return next((e.text or "" for e in self.events if e.event is Event.CALL_CLOSED), "")

    def up(self) -> LiveTalk:
        """Wait until it is answered."""

        def is_up() -> bool:
            assert not self.ended, f"{self} ended: {self.reason}"
            return self.call.state is CallState.ESTABLISHED

        until(is_up, f"an answer for {self}")
        return self

    def over(self, reason: str = "") -> LiveTalk:
        """Wait until it is over, for this reason if one is given."""
        until(lambda: self.ended, f"the end of {self}")
        assert reason in self.reason, self.reason
        return self

    def hears(self, *tones: int) -> LiveTalk:
        """Wait until nothing but these tones is heard, and all of them."""
        until(lambda: self._hears_only(tones), lambda: f"{tones} at {self}: {self._said_by_ear()}")
        return self

    def has_heard(self, tone: int) -> LiveTalk:
        """Wait until this tone alone was heard at any time of the call, however short."""

        def was_heard() -> bool:
            past = [self._share(tone, heard) for heard in self._past if rms(heard) > LOUD]
            return max(past, default=0.0) > 0.9

        until(was_heard, lambda: f"{tone} ever at {self}: {self._said_by_ear()}")
        return self

    def heard_in_turn(self, *tones: int) -> list[int]:
        """Those of `tones` that were heard alone so far, in order; a lasting one once."""
        heard = [sound for sound in self._past[:] if rms(sound) > LOUD]
        turns = (tone for sound in heard for tone in tones if self._share(tone, sound) > 0.9)
        return [tone for tone, _ in groupby(turns)]

    @property
    def pieces(self) -> int:
        """How much was heard so far, in tenths of a second."""
        return len(self._past)

    def has_heard_voice(self, since: int = 0) -> bool:
        """Whether anything but phones' tones was heard after so many `pieces`."""
        tones = self.phone.phones.tones
        loud = [sound for sound in self._past[since:] if rms(sound) > LOUD]
        return any(sum(self._share(tone, sound) for tone in tones) < 0.5 for sound in loud)

    def seconds_of(self, tone: int) -> float:
        """How long this tone was heard alone so far, about."""
        heard = [sound for sound in self._past[:] if rms(sound) > LOUD]
        return sum(self._share(tone, sound) > 0.9 for sound in heard) * EAR / 2 / RATE

    def forget(self) -> LiveTalk:
        """What `has_heard` looks for must come after this."""
        self._past.clear()
        return self

    def hears_voice(self) -> LiveTalk:
        """Wait until something else than a phone's tone is heard: music, a prompt."""

        def voice() -> bool:
            others = sum(self._share(tone) for tone in self.phone.phones.tones)
            return self._loudness() > LOUD and others < 0.5

        until(voice, lambda: f"music or words at {self}: {self._said_by_ear()}")
        return self

    def hears_nothing(self) -> LiveTalk:
        until(lambda: self._loudness() < QUIET, lambda: f"silence at {self}: {self._said_by_ear()}")
        return self

    def __str__(self) -> str:
        return f"{self.phone.number}'s call with {self.call.peer}"

    # -- sound -----------------------------------------------------------------------------

    def pump(self) -> None:
        """Say the next frames of the tone, take what was heard."""
        if self.call.state is not CallState.ESTABLISHED:
            return
        audio = self.call.audio
        try:
            if audio.info().tx_buffered < AHEAD:
                at = np.arange(self._said, self._said + 2 * FRAME)
                wave = 9000 * np.sin(2 * np.pi * self.phone.tone * at / RATE)
                self._said += 2 * FRAME
                audio.write(wave.astype("<i2").tobytes())
            heard = np.frombuffer(audio.read(65536), "<i2").astype(np.float64)
            if len(heard):
                self._heard_at = time.monotonic()
            elif time.monotonic() > self._heard_at + STALE:
                heard = np.zeros(EAR)
            self._heard = np.concatenate([self._heard, heard])[-EAR:]
            self._since_past += len(heard)
            if self._since_past >= EAR // 2:
                self._past.append(self._heard)
                self._since_past = 0
        except (AudioNotActive, AudioRestarted):  # between two answers of a renegotiation
            pass

    def _share(self, tone: int, heard: Any = None) -> float:
        """Energy within ±15 Hz of `tone`, of all that is (or was) heard."""
        heard = self._heard if heard is None else heard
        energy = np.abs(np.fft.rfft(heard * np.hanning(EAR))) ** 2
        at = round(tone * EAR / RATE)
        return float(energy[at - 3 : at + 4].sum() / max(energy.sum(), 1.0))

    def _loudness(self) -> float:
        return rms(self._heard)

    def _hears_only(self, tones: tuple[int, ...]) -> bool:
        shares = [self._share(tone) for tone in tones]
        return self._loudness() > LOUD and sum(shares) > 0.9 and min(shares) > 0.3 / len(shares)

    def _said_by_ear(self) -> str:
        tones = {tone: round(self._share(tone), 2) for tone in sorted(self.phone.phones.tones)}
        return f"loudness {self._loudness():.0f}, shares {tones}"

    # -- inside ----------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.phone.phones.do(work)

    def _insist(self, verb: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A re-INVITE, again while another one is on its way."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._do(verb())
            except BaresipError as error:
                if "in flight" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _on_event(self, event: StackEvent) -> None:
        self.events.append(event)

    def _on_key(self, event: Any) -> None:
        self.keys += event.digit


def rms(sound: Any) -> float:
    return float(np.sqrt((sound**2).mean()))


def until(
    fact: Callable[[], object], what: str | Callable[[], str], timeout: float = PATIENCE
) -> None:
    """Wait for `fact`, at most `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not fact():
        if time.monotonic() > deadline:
            sentence = what if isinstance(what, str) else what()
            raise AssertionError(f"no {sentence} within {timeout} s")
        time.sleep(0.01)


def two_talk(one: LivePhone, other: LivePhone) -> tuple[LiveTalk, LiveTalk]:
    """`one` has called `other`; both hear."""
    talk = one.dial(other.number)
    answered = other.takes()
    talk.up()
    return talk, answered
