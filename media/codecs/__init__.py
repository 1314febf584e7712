"""Every codec the engine speaks, by name.  Knows payload octets and PCM; no RTP, no SDP.

All codecs share one shape (`Codec`): whole batches in, whole batches out.  Codecs that are a
table work on the batch at once; where the standard is a recursion (G.722, Opus) each stream has
its own state, made at first use.  Sound may be asked for at any of our rates; the codec converts.
"""

from media.codecs.codec import Codec
from media.codecs.g722 import G722Codec
from media.codecs.opus import OpusCodec
from media.codecs.table import alaw, linear16, ulaw

__all__ = ["Codec", "make_codecs"]


def make_codecs() -> dict[str, Codec]:
    """A fresh set, sharing no state with any other.

    Keys are the names of RFC 3551 and RFC 7587 in upper case; linear PCM above 8 kHz carries its
    clock rate: "L16/16000", "L16/48000".
    """
    return {
        "PCMU": ulaw(),
        "PCMA": alaw(),
        "L16": linear16(8000),
        "L16/16000": linear16(16000),
        "L16/48000": linear16(48000),
        "G722": G722Codec(),
        "OPUS": OpusCodec(),
    }
