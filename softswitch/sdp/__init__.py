"""Session descriptions: syntax (RFC 8866), offer and answer (RFC 3264), SDES keys (RFC 4568).

A stranger to SIP and to media.  A leg keeps one Negotiation:

    talk = Negotiation(LocalMedia(address="192.0.2.1", port=16384, session_id=…))
    body, agreement = talk.answer(offer_octets)          # the phone called us
    body = talk.offer(); agreement = talk.conclude(answer_octets)   # we called the phone
    talk.local = replace(talk.local, direction=Direction.SENDONLY); body = talk.offer()  # hold
"""

from softswitch.sdp.codecs import G722, OPUS, PCMA, PCMU, Codec
from softswitch.sdp.crypto import Policy, Srtp, SrtpKey
from softswitch.sdp.errors import NotAcceptable, SdpError
from softswitch.sdp.negotiate import (
    Agreement,
    Direction,
    LocalMedia,
    answer,
    conclude,
    examine,
    family,
    offer,
)
from softswitch.sdp.negotiation import Negotiation
from softswitch.sdp.session import Connection, MediaDescription, SessionDescription

__all__ = [
    "G722",
    "OPUS",
    "PCMA",
    "PCMU",
    "Agreement",
    "Codec",
    "Connection",
    "Direction",
    "LocalMedia",
    "MediaDescription",
    "Negotiation",
    "NotAcceptable",
    "Policy",
    "SdpError",
    "SessionDescription",
    "Srtp",
    "SrtpKey",
    "answer",
    "conclude",
    "examine",
    "family",
    "offer",
]
