"""From what two sides agreed in SDP to what the media engine wants to know."""

from media.stream import SrtpKey, Stream
from softswitch.sdp import Agreement
from softswitch.sdp import SrtpKey as AgreedKey


def stream_of(agreement: Agreement, *, latch: bool, tones: bool = True) -> Stream:
    """The engine's view of an agreement; `latch`: believe the first valid source (NAT);
    `tones`: the peer hears keys as tones if it takes no events."""
    codec = agreement.codec
    return Stream(
        remote=(agreement.remote_address, agreement.remote_port),
        codec=codec.name,
        clock_rate=codec.clock_rate,
        send_pt=codec.payload_type,
        receive_pts={each.payload_type: each.name for each in agreement.codecs},
        fmtp=_parameters(codec.fmtp),
        dtmf_send_pt=agreement.dtmf_send_payload_type,
        dtmf_receive_pt=agreement.dtmf_receive_payload_type,
        ptime=agreement.ptime / 1000,
        remote_rtcp=agreement.remote_rtcp,
        rtcp_mux=agreement.rtcp_mux,
        srtp_send=_key(agreement.srtp_send),
        srtp_receive=_key(agreement.srtp_receive),
        latch=latch,
        tones=tones,
        sending=agreement.direction.sends,
        receiving=agreement.direction.receives,
    )


def _key(key: AgreedKey | None) -> SrtpKey | None:
    return None if key is None else SrtpKey(key.suite, key.key)


def _parameters(fmtp: str) -> dict[str, str]:
    """`a=1;b` as {"a": "1", "b": ""}."""
    parts = [part.strip().partition("=") for part in fmtp.split(";") if part.strip()]
    return {name: value for name, _, value in parts}
