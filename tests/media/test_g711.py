"""G.711 bit by bit: against the tables of the Recommendation and the ITU's reference algorithm."""

from collections.abc import Callable

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from media import g711
from media.pcm import Octets, Pcm

ALL_LINEAR = np.arange(1 << 16, dtype=np.uint16).view(np.int16)
ALL_OCTETS = np.arange(256, dtype=np.uint8)

# G.711 Table 2a: the 8 segments of the μ-law, first decoder output value (14 bit) and step.
ULAW_SEGMENTS = [
    (0, 2), (33, 4), (99, 8), (231, 16), (495, 32), (1023, 64), (2079, 128), (4191, 256),
]  # fmt: skip
# G.711 Table 1a: the 8 segments of the A-law, first decoder output value (13 bit) and step.
ALAW_SEGMENTS = [(1, 2), (33, 2), (66, 4), (132, 8), (264, 16), (528, 32), (1056, 64), (2112, 128)]


def by_ffmpeg(codec: str, octets: Octets) -> Pcm:
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate, decoder.layout = 8000, "mono"
    (frame,) = decoder.decode(av.Packet(octets.tobytes()))
    return np.asarray(frame.to_ndarray()[0], np.int16)


def reference_ulaw(linear: int) -> int:
    """One sample after G.191's `ulaw_compress`, sequentially."""
    magnitude = min(((~linear if linear < 0 else linear) >> 2) + 33, 0x1FFF)
    segment = 1 + (magnitude >> 6).bit_length()
    octet = (8 - segment) << 4 | 0x0F - (magnitude >> segment & 0x0F)
    return octet | 0x80 if linear >= 0 else octet


def reference_alaw(linear: int) -> int:
    """One sample after G.191's `alaw_compress`, sequentially."""
    magnitude = (~linear if linear < 0 else linear) >> 4
    if magnitude > 15:
        exponent = 1
        while magnitude > 31:
            magnitude >>= 1
            exponent += 1
        magnitude += (exponent << 4) - 16
    return (magnitude | 0x80 if linear >= 0 else magnitude) ^ 0x55


def test_ulaw_decodes_to_the_output_values_of_table_2a() -> None:
    values = [first + step * i for first, step in ULAW_SEGMENTS for i in range(16)]
    positive = 0xFF - np.arange(128)
    assert (g711.ULAW_TO_LINEAR[positive] == np.array(values) * 4).all()
    assert (g711.ULAW_TO_LINEAR[positive - 128] == -np.array(values) * 4).all()


def test_alaw_decodes_to_the_output_values_of_table_1a() -> None:
    values = [first + step * i for first, step in ALAW_SEGMENTS for i in range(16)]
    positive = (0x80 + np.arange(128)) ^ 0x55
    assert (g711.ALAW_TO_LINEAR[positive] == np.array(values) * 8).all()
    assert (g711.ALAW_TO_LINEAR[positive ^ 0x80] == -np.array(values) * 8).all()


def test_every_linear_value_compresses_as_the_itu_reference_does() -> None:
    linear = ALL_LINEAR.tolist()
    assert g711.encode_ulaw(ALL_LINEAR).tolist() == [reference_ulaw(value) for value in linear]
    assert g711.encode_alaw(ALL_LINEAR).tolist() == [reference_alaw(value) for value in linear]


@pytest.mark.parametrize(
    ("codec", "decode"), [("pcm_mulaw", g711.decode_ulaw), ("pcm_alaw", g711.decode_alaw)]
)
def test_ffmpeg_decodes_the_same(codec: str, decode: Callable[[Octets], Pcm]) -> None:
    assert (by_ffmpeg(codec, ALL_OCTETS) == decode(ALL_OCTETS)).all()


def test_decoding_in_pairs_and_singly_agree() -> None:
    octets = np.random.default_rng(1).integers(0, 256, (7, 160), dtype=np.uint8)
    assert (g711.decode_ulaw(octets) == g711.ULAW_TO_LINEAR[octets]).all()
    assert (g711.decode_alaw(octets[:, :159]) == g711.ALAW_TO_LINEAR[octets[:, :159]]).all()
    assert (g711.decode_alaw(octets[:, :80]) == g711.ALAW_TO_LINEAR[octets[:, :80]]).all()


def test_what_was_decoded_encodes_back() -> None:
    """Every octet survives, but for μ-law's negative zero, which has no linear value of its own."""
    again = g711.encode_ulaw(g711.decode_ulaw(ALL_OCTETS))
    assert np.flatnonzero(again != ALL_OCTETS).tolist() == [0x7F]
    assert (g711.encode_alaw(g711.decode_alaw(ALL_OCTETS)) == ALL_OCTETS).all()


def test_silence_octets_are_silent() -> None:
    assert g711.ULAW_TO_LINEAR[g711.ULAW_SILENCE] == 0
    assert g711.LINEAR_TO_ALAW[0] == g711.ALAW_SILENCE
