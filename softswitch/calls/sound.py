"""One leg's sound: its port in the media engine, its offers and answers, whom it hears.

Knows SDP and the engine.  Refuses to know SIP, and why a leg should hear anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from media.client import Media, MediaLeg, NoPorts, Source
from media.events import Closed, Dtmf, Event, LegStats, Silent, Starved
from softswitch.calls.causes import CONGESTED
from softswitch.calls.errors import Refused
from softswitch.calls.events import KeyForm
from softswitch.calls.profile import DtmfForm, Profile
from softswitch.calls.stream import stream_of
from softswitch.entropy import ENTROPY
from softswitch.sdp import (
    Agreement,
    Codec,
    LocalMedia,
    Negotiation,
    SessionDescription,
    Srtp,
    examine,
    family,
)
from softswitch.sdp.codecs import read_codecs
from softswitch.sip.types import Seconds


class Sound:
    """What a leg says and hears.

    `on_digit` takes keys that the engine heard, `on_lost` hears that the peer's packets or
    the engine itself are gone.  The port is opened when first needed; Refused where none
    is free.
    """

    def __init__(
        self,
        media: Media,
        address: str,
        profile: Profile,
        on_digit: Callable[[str, KeyForm], None],
        on_lost: Callable[[], None],
    ) -> None:
        """`address`: the IP literal that the peer is told to send to."""
        self._media, self.address, self._profile = media, address, profile
        self._on_digit, self._on_lost = on_digit, on_lost
        self.remote_offer: SessionDescription | None = None
        """The offer of the peer's INVITE, not answered yet."""
        self.beside: Sound | None = None
        """In whose engine process the port is to be; set before it is opened."""
        self.stats: LegStats | None = None
        self._port: MediaLeg | None = None
        self._negotiation: Negotiation | None = None
        self._hearing: Mapping[Source, float] = {}
        self._closed: asyncio.Future[None] | None = None
        self._silence: Seconds | None = None
        self._on_silence: Callable[[], object] | None = None

    # -- what is agreed --------------------------------------------------------------

    @property
    def agreement(self) -> Agreement | None:
        return self._negotiation.agreement if self._negotiation is not None else None

    @property
    def codec(self) -> Codec | None:
        """What the peer is sent; None before anything was agreed."""
        agreement = self.agreement
        return agreement.codec if agreement is not None else None

    @property
    def held(self) -> bool:
        """Whether the peer does not want to hear us."""
        agreement = self.agreement
        return agreement is not None and agreement.held

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """What the peer can speak, in its order; once agreed, the chosen codec alone."""
        if self.codec is not None:
            return (self.codec,)
        if self.remote_offer is None:
            return ()
        lines = [line for line in self.remote_offer.media if line.kind == "audio" and line.port]
        return read_codecs(lines[0].formats, lines[0].attributes) if lines else ()

    def examine_offer(self) -> None:
        """Raises NotAcceptable where the peer's offer, if it made one, cannot be answered."""
        if self.remote_offer is not None:
            examine(self.remote_offer, self._local())

    def offer(self, prefer: tuple[Codec, ...] = ()) -> bytes:
        """Offer all we can, codecs of `prefer` in front."""
        negotiation = self._ready(prefer)
        return negotiation.offer()

    def answer(self, body: bytes | None = None, prefer: tuple[Codec, ...] = ()) -> bytes:
        """Answer an offer, by default that of the INVITE.  Raises SdpError if it cannot be."""
        negotiation = self._ready(prefer)
        offered = body if body is not None else self.remote_offer
        assert offered is not None  # the caller asks only where there is an offer
        answer, _ = negotiation.answer(offered)
        self._connect()
        return answer

    def conclude(self, body: bytes) -> None:
        """Take the peer's answer to our offer.  Raises SdpError."""
        self._ready(()).conclude(body)
        self._connect()

    def look_around(self) -> None:
        """The peer may be elsewhere now: believe the first valid source anew."""
        if self.agreement is not None and self._closed is None:
            self._connect()

    # -- hearing ---------------------------------------------------------------------

    @property
    def port(self) -> MediaLeg:
        """The port in the engine."""
        if self._port is None:
            beside = self.beside.to_be_beside() if self.beside is not None else None
            try:
                self._port = self._media.open(self._on_event, beside=beside, family=self._family())
            except NoPorts as full:
                raise Refused(CONGESTED, str(full)) from None
            if self._hearing:
                self._port.hear(self._hearing)
        return self._port

    def to_be_beside(self) -> MediaLeg | None:
        """The port for others to be opened beside, opened for them if need be; None where there
        will not be one.

        Two who are not in one engine would have to be linked, for two more pairs of ports each.
        """
        if self._port is None and self._closed is None and self.beside is None:
            return self.port
        return self._port

    def hear(self, sources: Mapping[Source, float]) -> None:
        """From now on the peer hears exactly these, each at its gain."""
        self._hearing = sources
        if self._port is not None:
            self._port.hear(sources)

    def press(self, digits: str) -> None:
        """Send keys, as events where the peer takes them, else as tones."""
        self.port.send_dtmf(digits)

    def mind_silence(
        self, seconds: Seconds | None, on_silence: Callable[[], object] | None
    ) -> None:
        """Tell `on_silence` when the peer has said nothing for so long; None ends that."""
        self._silence, self._on_silence = seconds, on_silence
        if self._port is not None and self._closed is None:
            self.watch()

    def watch(self) -> None:
        """Listen for keys pressed as tones, for silence, and for the packets to stop."""
        profile, agreement = self._profile, self.agreement
        expected = agreement is not None and agreement.direction.receives
        starved = profile.silence if expected else profile.hold_silence
        events = agreement is not None and agreement.dtmf_receive_payload_type is not None
        inband = profile.dtmf is DtmfForm.INBAND or not events
        self.port.detect(dtmf_inband=inband, starved=starved, silence=self._silence)

    # -- the end ---------------------------------------------------------------------

    def close(self) -> None:
        """Give the port back; its statistics come a moment later."""
        if self._closed is not None:
            return
        self._closed = asyncio.get_running_loop().create_future()
        if self._port is None:
            self._closed.set_result(None)
        else:
            self._port.close()

    async def closed(self) -> None:
        """Wait until the statistics have come."""
        if self._closed is not None and self.stats is None:
            await self._closed

    def part(self) -> None:
        """Whoever was told of keys and losses is over."""
        self._on_digit = self._on_lost = _nobody

    # -- inside ----------------------------------------------------------------------

    def _ready(self, prefer: tuple[Codec, ...]) -> Negotiation:
        if self._negotiation is None:
            port = self.port
            local = replace(self._local(), port=port.port, rtcp_port=port.rtcp_port)
            self._negotiation = Negotiation(local)
        negotiation = self._negotiation
        if prefer:
            codecs = in_order(negotiation.local.codecs, prefer)
            negotiation.local = replace(negotiation.local, codecs=codecs)
        return negotiation

    def _local(self) -> LocalMedia:
        """What we can, at a port that is yet to be opened."""
        profile = self._profile
        return LocalMedia(
            address=self.address,
            port=0,
            codecs=profile.codecs,
            dtmf=profile.dtmf in (DtmfForm.AUTO, DtmfForm.RFC4733),
            ptime=profile.ptime,
            srtp=Srtp.draw(profile.srtp),
            session_id=ENTROPY.getrandbits(31),
        )

    def _family(self) -> Literal[4, 6]:
        offered = family(self.remote_offer) if self.remote_offer is not None else None
        return 6 if (offered or (6 if ":" in self.address else 4)) == 6 else 4

    def _connect(self) -> None:
        agreement = self.agreement
        assert agreement is not None
        profile = self._profile
        tones = profile.dtmf is not DtmfForm.INFO
        self.port.connect(stream_of(agreement, latch=profile.latch, tones=tones))

    def _on_event(self, event: Event) -> None:
        match event:
            case Dtmf(_, digit, _, by):
                self._on_digit(digit, by)
            case Starved():
                self._on_lost()
            case Silent() if self._on_silence is not None:
                self._on_silence()
            case Closed(_, stats):
                self.stats = stats
                if self._closed is None:  # the engine died under the leg
                    self._on_lost()
                elif not self._closed.done():
                    self._closed.set_result(None)
            case _:
                pass


def _nobody(*_: object) -> None:
    """Nobody is told any more."""


def in_order(codecs: tuple[Codec, ...], first: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """`codecs`, those that `first` names too in front and in its order."""
    known = {codec.key: codec for codec in codecs}
    chosen = [known[codec.key] for codec in first if codec.key in known]
    return (*chosen, *(codec for codec in codecs if codec not in chosen))


def quality(stats: LegStats | None) -> dict[str, Any]:
    """Media quality as records keep it; times in milliseconds."""
    if stats is None:
        return {}
    return {
        "packets_received": stats.packets_received,
        "packets_sent": stats.packets_sent,
        "packets_lost": stats.lost,
        "jitter_ms": round(stats.jitter * 1000, 1),
        "round_trip_ms": None if stats.round_trip is None else round(stats.round_trip * 1000, 1),
        "mos": None if stats.mos is None else round(stats.mos, 2),
    }
