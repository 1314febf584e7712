"""Offer and answer (RFC 3264): what two sides can do, decided in one place.

Pure functions from descriptions to descriptions and an Agreement, which is all that
media ever sees of SDP.  Remembers nothing; a leg's memory is `negotiation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from softswitch.sdp.codecs import PCMA, PCMU, Codec, read_codecs
from softswitch.sdp.crypto import NO_SRTP, CryptoLine, Policy, Srtp, SrtpKey, read_crypto
from softswitch.sdp.errors import NotAcceptable, SdpError
from softswitch.sdp.matching import Common, match, own_formats
from softswitch.sdp.session import Connection, MediaDescription, SessionDescription

PLAIN = frozenset({"RTP/AVP", "RTP/AVPF"})
SECURE = frozenset({"RTP/SAVP", "RTP/SAVPF"})
PTIMES = frozenset({"10", "20", "30", "40", "60"})
UNSPECIFIED = frozenset({"0.0.0.0", "::"})


class Direction(StrEnum):
    """Which way sound flows, from the side of whoever says it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the speaker's sound goes out."""
        return self is Direction.SENDRECV or self is Direction.SENDONLY

    @property
    def receives(self) -> bool:
        """Whether the speaker listens."""
        return self is Direction.SENDRECV or self is Direction.RECVONLY

    @staticmethod
    def of(*, sends: bool, receives: bool) -> Direction:
        """The word for these two facts."""
        if sends:
            return Direction.SENDRECV if receives else Direction.SENDONLY
        return Direction.RECVONLY if receives else Direction.INACTIVE


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """What our end of a leg is able and willing to do; `dataclasses.replace` changes it."""

    address: str
    port: int
    rtcp_port: int = 0
    """0 means port + 1."""
    codecs: tuple[Codec, ...] = (PCMA, PCMU)
    """In our order of preference, which an answer follows."""
    dtmf: bool = True
    """telephone-event (RFC 4733), at the clock of each codec that we list."""
    comfort_noise: bool = False
    """CN for 8000 Hz codecs (RFC 3389)."""
    ptime: int = 20
    """Milliseconds a packet that we would like to receive."""
    direction: Direction = Direction.SENDRECV
    srtp: Srtp = NO_SRTP
    rtcp_mux: bool = True
    """Accept RTCP on the RTP port when the peer offers it (RFC 5761); never offered first."""
    session_id: int = 1
    """The number in our o= line: the same for the whole dialog."""


class Agreement(NamedTuple):
    """What was agreed for the one audio stream, from our side."""

    remote_address: str
    """An IP literal; 0.0.0.0 or :: on old-style hold, and then `direction` does not send."""
    remote_port: int
    remote_rtcp: tuple[str, int]
    rtcp_mux: bool
    codec: Codec
    """What we send: the peer's number and the peer's fmtp."""
    codecs: tuple[Codec, ...]
    """All the peer may send, under the numbers that we receive; `codec` comes first."""
    dtmf_send_payload_type: int | None
    dtmf_receive_payload_type: int | None
    dtmf_clock_rate: int
    comfort_noise: bool
    """Both sides know payload type 13."""
    ptime: int
    """Milliseconds of sound in a packet that we send."""
    direction: Direction
    held: bool
    """The peer does not want to hear us: it has put us on hold."""
    srtp_send: SrtpKey | None
    srtp_receive: SrtpKey | None

    @property
    def send_payload_type(self) -> int:
        """The number under which we send `codec`."""
        return self.codec.payload_type

    @property
    def receive_payload_type(self) -> int:
        """The number under which the peer sends the same codec."""
        return self.codecs[0].payload_type


class Stream(NamedTuple):
    """A peer's audio line that can be used, and all that was found out about it."""

    media: MediaDescription
    values: dict[str, str]
    address: str
    theirs: Direction
    common: Common
    crypto: CryptoLine | None


def offer(
    local: LocalMedia, *, version: int = 1, bound: tuple[Codec, ...] = (), mux: bool = False
) -> SessionDescription:
    """Offer all that `local` can (RFC 3264 §5).

    `bound` are the numbers given away earlier in the session, `mux` repeats an agreed
    rtcp-mux.
    """
    formats = own_formats(local.codecs, local.dtmf, local.comfort_noise, bound)
    protocol = "RTP/SAVP" if local.srtp.policy is Policy.REQUIRED else "RTP/AVP"
    media = _audio(local, protocol, formats, local.direction, local.srtp.lines(), mux)
    return _describe(local, version, [media])


def examine(remote: SessionDescription, local: LocalMedia) -> None:
    """Raise NotAcceptable where `answer` would, before anybody is rung; `port` does not matter."""
    _choose(remote, local)


def answer(
    remote: SessionDescription, local: LocalMedia, *, version: int = 1
) -> tuple[SessionDescription, Agreement]:
    """Answer an offer (RFC 3264 §6): the first usable audio line, every other refused.

    Raises NotAcceptable when no line can be used.
    """
    stream = _choose(remote, local)
    mux = local.rtcp_mux and "rtcp-mux" in stream.values
    agreement = _agree(stream, local, mux)
    keys = []
    if stream.crypto is not None and agreement.srtp_send is not None:
        keys = [CryptoLine(stream.crypto.tag, agreement.srtp_send)]
    protocol, formats = stream.media.protocol, stream.common.received
    accepted = _audio(local, protocol, formats, agreement.direction, keys, mux)
    sections = [accepted if each is stream.media else refused(each) for each in remote.media]
    description = _describe(local, version, sections)
    description.time = remote.time  # "MUST equal that of the offer" (RFC 3264 §6)
    return description, agreement


def conclude(ours: SessionDescription, remote: SessionDescription, local: LocalMedia) -> Agreement:
    """Read the answer to our offer (RFC 3264 §7).

    Raises NotAcceptable when the peer refused the stream or chose what we cannot do.
    """
    index = next(i for i, media in enumerate(ours.media) if media.port)
    offered = ours.media[index]
    answers = remote.media[index : index + 1] or remote.media
    media = next((each for each in answers if each.kind == "audio" and each.port), None)
    if media is None:
        raise NotAcceptable("audio was refused", warning=304)
    formats = read_codecs(offered.formats, offered.attributes)
    # Some answer with our dynamic numbers and no rtpmap: our lines stand behind theirs.
    lines = [*media.attributes, *(a for a in offered.attributes if a.startswith("rtpmap:"))]
    theirs = read_codecs(media.formats, lines)
    stream = _stream(remote, media, local, match(theirs, formats, False))
    mux = "rtcp-mux" in stream.values and "rtcp-mux" in offered.attributes
    return _agree(stream, local, mux)


def refused(media: MediaDescription) -> MediaDescription:
    """The same line with port 0: "no" (RFC 3264 §6)."""
    return MediaDescription(media.kind, 0, media.protocol, media.formats or ["0"])


def family(remote: SessionDescription) -> int | None:
    """4 or 6: where the peer's first live audio line is, so that our port can be there too.

    None when it names no address, or none of a known sort.
    """
    for media in remote.media:
        connection = remote.connection_of(media)
        if media.kind == "audio" and media.port and connection is not None:
            literal = _literal(connection.address)
            return None if literal is None else 6 if ":" in literal else 4
    return None


def _choose(remote: SessionDescription, local: LocalMedia) -> Stream:
    """The first audio line that can be used; the first one's fault if none can."""
    fault: NotAcceptable | None = None
    formats = own_formats(local.codecs, local.dtmf, local.comfort_noise)
    for media in remote.media:
        if media.kind != "audio" or media.port == 0:
            continue
        try:
            common = match(read_codecs(media.formats, media.attributes), formats, True)
            # One codec alone: the sound is then the same in both directions and for the whole
            # call, so that two legs can be relayed, and a phone need not ask again (PJSIP does).
            common = common._replace(sound=common.sound[:1])
            return _stream(remote, media, local, common)
        except NotAcceptable as error:
            fault = fault or error
    raise fault or NotAcceptable("no audio was offered", warning=304)


def _stream(
    remote: SessionDescription, media: MediaDescription, local: LocalMedia, common: Common
) -> Stream:
    """Find out whether this line can be used; raise NotAcceptable if not."""
    crypto = _security(media, local.srtp)
    connection = remote.connection_of(media)
    address = None if connection is None else _literal(connection.address)
    if address is None:
        raise NotAcceptable("no usable address for audio", warning=301)
    if address not in UNSPECIFIED and (":" in address) != (":" in local.address):
        raise NotAcceptable("audio in another IP version", warning=301)
    if not common.sound:
        raise NotAcceptable("no codec in common", warning=305)
    values = media.values()
    theirs = _their_direction(remote.attributes, media.attributes, address)
    return Stream(media, values, address, theirs, common, crypto)


def _security(media: MediaDescription, srtp: Srtp) -> CryptoLine | None:
    """The peer's key line to use, None for plain RTP; NotAcceptable where policies clash."""
    protocol = media.protocol.upper()
    if protocol in SECURE or (protocol in PLAIN and srtp.keys):
        for line in read_crypto(media.attributes):
            if srtp.key_for(line.key.suite) is not None:
                return line
    if protocol in PLAIN and srtp.policy is not Policy.REQUIRED:
        return None
    raise NotAcceptable(f"cannot speak {media.protocol} here", warning=302)


def _their_direction(session: list[str], stream: list[str], address: str) -> Direction:
    """What the peer says about itself; an address of zeros is hold of the old style."""
    said = Direction.SENDRECV
    for attribute in (*session, *stream):  # the stream's own word comes last
        if attribute in DIRECTIONS:
            said = DIRECTIONS[attribute]
    if address in UNSPECIFIED:  # RFC 3264 §8.4
        return Direction.of(sends=said.sends, receives=False)
    return said


DIRECTIONS = {str(direction): direction for direction in Direction}


def _agree(stream: Stream, local: LocalMedia, mux: bool) -> Agreement:
    """Put together what follows from a usable line, whoever offered it."""
    media, theirs, common = stream.media, stream.theirs, stream.common
    event = common.events[0] if common.events else None
    suite = None if stream.crypto is None else stream.crypto.key
    return Agreement(
        remote_address=stream.address,
        remote_port=media.port,
        remote_rtcp=(stream.address, media.port) if mux else _rtcp(stream),
        rtcp_mux=mux,
        codec=common.sound[0].send,
        codecs=common.received[: len(common.sound)],
        dtmf_send_payload_type=None if event is None else event.send.payload_type,
        dtmf_receive_payload_type=None if event is None else event.receive.payload_type,
        dtmf_clock_rate=8000 if event is None else event.send.clock_rate,
        comfort_noise=bool(common.noise),
        ptime=_ptime(stream.values, local.ptime),
        direction=Direction.of(
            sends=local.direction.sends and theirs.receives,
            receives=local.direction.receives and theirs.sends,
        ),
        held=not theirs.receives,
        srtp_send=None if suite is None else local.srtp.key_for(suite.suite),
        srtp_receive=suite,
    )


def _rtcp(stream: Stream) -> tuple[str, int]:
    """Where RTCP goes: a=rtcp (RFC 3605), else the next port."""
    port, _, place = stream.values.get("rtcp", "").strip().partition(" ")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535):
        return stream.address, min(stream.media.port + 1, 65535)
    try:
        elsewhere = _literal(Connection.parse(place).address) if place else None
    except SdpError:
        elsewhere = None
    return elsewhere or stream.address, int(port)


def _ptime(values: dict[str, str], ours: int) -> int:
    """Milliseconds a packet that the peer wants, within its maxptime; else as we like it."""
    wanted = values.get("ptime", "").strip()
    ptime = int(wanted) if wanted in PTIMES else ours
    most = values.get("maxptime", "").strip()
    if most.isascii() and most.isdigit() and len(most) <= 4:
        return min(ptime, max(int(most) // 10 * 10, 10))
    return ptime


def _audio(
    local: LocalMedia,
    protocol: str,
    formats: tuple[Codec, ...],
    direction: Direction,
    keys: Sequence[CryptoLine],
    mux: bool,
) -> MediaDescription:
    """Our own audio line."""
    numbers, lines = _format_lines(formats)
    attributes = [*lines, f"ptime:{local.ptime}", direction.value]
    if mux:
        attributes.append("rtcp-mux")
    elif local.rtcp_port and local.rtcp_port != local.port + 1:
        attributes.append(f"rtcp:{local.rtcp_port}")
    attributes += map(str, keys)
    return MediaDescription("audio", local.port, protocol, numbers, attributes=attributes)


@lru_cache(maxsize=512)
def _format_lines(formats: tuple[Codec, ...]) -> tuple[list[str], list[str]]:
    numbers = [str(codec.payload_type) for codec in formats]
    return numbers, [line for codec in formats for line in codec.lines()]


def _describe(local: LocalMedia, version: int, media: list[MediaDescription]) -> SessionDescription:
    place = Connection(local.address, 6 if ":" in local.address else 4)
    origin = f"- {local.session_id} {version} {place}"
    return SessionDescription(origin, connection=place, media=media)


def _literal(address: str) -> str | None:
    """The address if packets can be sent to it; mapped IPv4 (RFC 4291 §2.5.5.2) as IPv4."""
    return _read_literal(address) if len(address) <= 45 else None


@lru_cache(maxsize=4096)
def _read_literal(address: str) -> str | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if "%" in address:  # a zone means something on the peer's own machine alone
        return None
    if parsed.is_multicast:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return address
