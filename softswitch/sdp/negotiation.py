"""One leg's offers and answers in their order: what RFC 3264 §8 asks a side to remember.

That is the version in o=, which grows only when something changed; every m= line there
ever was, since none may disappear; and each dynamic payload type's meaning.
"""

from __future__ import annotations

from softswitch.sdp.codecs import Codec, telephone_event
from softswitch.sdp.errors import SdpError
from softswitch.sdp.negotiate import Agreement, LocalMedia, answer, conclude, offer, refused
from softswitch.sdp.session import MediaDescription, SessionDescription


class Negotiation:
    """The SDP of one leg, from the first offer to the end of the dialog.

    Bodies go in and out as octets.  Replace `local` (`dataclasses.replace`) before an
    `offer` or `answer` that is to say something new, such as hold.  What raises leaves
    everything as it was.
    """

    def __init__(self, local: LocalMedia) -> None:
        self.local = local
        self.agreement: Agreement | None = None
        """The last one reached, whichever side offered."""
        self._version = 1
        self._sent = b""
        self._offered: SessionDescription | None = None
        self._bound: tuple[Codec, ...] = ()
        self._lines: list[MediaDescription] = []
        self._index = 0

    def offer(self) -> bytes:
        """Offer all that `local` can; also for a late offer, or a re-INVITE without SDP."""
        mux = self.agreement is not None and self.agreement.rtcp_mux
        description = offer(self.local, version=self._version, bound=self._bound, mux=mux)
        lines = [refused(line) for line in self._lines]
        lines[self._index : self._index + 1] = description.media
        description.media = lines
        self._offered = description
        return self._publish(description)

    def answer(self, body: bytes | SessionDescription) -> tuple[bytes, Agreement]:
        """Answer the peer's offer.  Raises SdpError, of which NotAcceptable is one."""
        remote = _parsed(body)
        description, agreement = answer(remote, self.local, version=self._version)
        self._offered = None
        self._settle(description, agreement)
        return self._publish(description), agreement

    def conclude(self, body: bytes | SessionDescription) -> Agreement:
        """Take the peer's answer to our offer.

        Several answers to one offer are fine (early media, forks): the last one counts.
        Raises SdpError, of which NotAcceptable is one.
        """
        if self._offered is None:
            raise SdpError("an answer to no offer")
        agreement = conclude(self._offered, _parsed(body), self.local)
        self._settle(self._offered, agreement)
        return agreement

    def _settle(self, ours: SessionDescription, agreement: Agreement) -> None:
        self.agreement = agreement
        self._lines = ours.media
        self._index = next(i for i, line in enumerate(ours.media) if line.port)
        received = agreement.codecs
        if agreement.dtmf_receive_payload_type is not None:
            event = agreement.dtmf_receive_payload_type, agreement.dtmf_clock_rate
            received += (telephone_event(*event),)
        self._bound += tuple([codec for codec in received if codec not in self._bound])

    def _publish(self, description: SessionDescription) -> bytes:
        """Encode; where it differs from what was sent last, one version higher (§8)."""
        body = description.encode()
        if self._sent and body != self._sent:
            self._version += 1
            words = description.origin.split(" ")
            words[2] = str(self._version)
            description.origin = " ".join(words)
            body = description.encode()
        self._sent = body
        return body


def _parsed(body: bytes | SessionDescription) -> SessionDescription:
    return SessionDescription.parse(body) if isinstance(body, bytes) else body
