"""A leg that is heard in another engine than its own: two ports joined over the loopback.

       engine of the leg                      engine of a listener, or of a room
    leg ──is heard by──► near ═════RTP═════► far ──is heard by──► listeners, the room
    leg ◄────hears────── near ◄════RTP══════ far ◄────hears────── the room, without the leg

Both ends speak the leg's codec, so packets are relayed all the way.  Knows ports and agreements;
who hears whom is for the handles to say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from media.stream import Stream
from media.types import Address

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class End(Protocol):
    """A leg, as far as a link needs one."""

    @property
    def address(self) -> str: ...

    @property
    def port(self) -> int: ...

    def connect(self, stream: Stream) -> None: ...


def join(near: End, far: End, stream: Stream) -> None:
    """Agree for both ends that they speak to one another as the leg does by `stream`."""
    for one, other in ((near, far), (far, near)):
        one.connect(_between(stream, _reached(other)))


def _between(stream: Stream, remote: Address) -> Stream:
    """The leg's codec and keys, without what concerns its peer: NAT, encryption, hold."""
    keys = stream.dtmf_receive_pt if stream.dtmf_send_pt is None else stream.dtmf_send_pt
    return replace(
        stream,
        remote=remote,
        receive_pts={stream.send_pt: stream.codec},
        dtmf_send_pt=keys,
        dtmf_receive_pt=keys,
        remote_rtcp=None,
        rtcp_mux=False,
        srtp_send=None,
        srtp_receive=None,
        latch=False,
        sending=True,
        receiving=True,
    )


def _reached(end: End) -> Address:
    return _ANY.get(end.address, end.address), end.port
