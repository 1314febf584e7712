"""Who a SIP message comes from or goes to, in the office's own terms, and how to speak to them."""

from functools import lru_cache
from typing import NamedTuple

from config.extensions import Extension
from config.media import Codec as CodecName
from config.media import Dtmf, MediaTable, Srtp
from config.trunks import Trunk
from softswitch.calls.profile import DtmfForm, Profile
from softswitch.sdp import G722, OPUS, PCMA, PCMU, Codec, Policy

CODECS: dict[CodecName, Codec] = {
    CodecName.PCMA: PCMA,
    CodecName.PCMU: PCMU,
    CodecName.G722: G722,
    CodecName.OPUS: OPUS,
}
POLICIES = {Srtp.OFF: Policy.NONE, Srtp.OFFER: Policy.OPTIONAL, Srtp.REQUIRE: Policy.REQUIRED}


class Phone(NamedTuple):
    """One of our extensions has proved that it is itself."""

    number: str
    extension: Extension


class Line(NamedTuple):
    """A trunk, known by its source address or by its login."""

    name: str
    trunk: Trunk


Peer = Phone | Line


@lru_cache(maxsize=16384)
def profile(
    codecs: tuple[CodecName, ...] | None, dtmf: Dtmf, srtp: Srtp, media: MediaTable
) -> Profile:
    """How to speak with a peer of these settings; the same object for the same settings."""
    return Profile(
        codecs=tuple(CODECS[name] for name in codecs or media.codecs),
        dtmf=DtmfForm(dtmf.value),
        srtp=POLICIES[srtp],
        ptime=media.ptime,
        latch=media.latch,
        silence=media.silence or None,
        hold_silence=media.hold_silence or None,
    )
