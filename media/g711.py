"""G.711 μ-law and A-law as tables.  Knows octets and samples; no legs, no packets.

Bit-exact with the ITU-T software tool library (G.191): linear samples are 16-bit left-justified,
μ-law uses their upper 14 bits and A-law their upper 13.  Both directions are one look-up, so any
array shape is served at once.

      7   6   5   4   3   2   1   0
    +---+---+---+---+---+---+---+---+     μ-law: all bits inverted on the wire
    | S |  segment  |   interval    |     A-law: even bits inverted (XOR 0x55), S = 1 is positive
    +---+---+---+---+---+---+---+---+
"""

import sys
from typing import Final

import numpy as np
import numpy.typing as npt

from media.pcm import Octets, Pcm

_BIAS: Final = 33
"""Added to a 14-bit magnitude so that every μ-law segment begins at a power of two."""
_EVEN_BITS: Final = 0x55
_SIGN: Final = 0x80


def _segments(magnitudes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Position of each magnitude's highest set bit; magnitudes must be positive."""
    return np.frexp(magnitudes)[1].astype(np.int32) - 1


def _ulaw_octets(linear: npt.NDArray[np.int32]) -> Octets:
    positive = linear >= 0
    biased = np.minimum((np.where(positive, linear, ~linear) >> 2) + _BIAS, 0x1FFF)
    segment = _segments(biased) - 5
    interval = (biased >> (segment + 1)) & 0x0F
    magnitude = (7 - segment) << 4 | (0x0F - interval)
    octets: Octets = np.where(positive, magnitude | _SIGN, magnitude).astype(np.uint8)
    return octets


def _alaw_octets(linear: npt.NDArray[np.int32]) -> Octets:
    positive = linear >= 0
    magnitude = np.where(positive, linear, ~linear) >> 4
    segment = np.maximum(_segments(np.maximum(magnitude, 1)) - 3, 0)
    interval = (magnitude >> np.maximum(segment - 1, 0)) & 0x0F
    plain = segment << 4 | interval
    signed = np.where(positive, plain | _SIGN, plain)
    octets: Octets = (signed ^ _EVEN_BITS).astype(np.uint8)
    return octets


def _ulaw_samples(octets: npt.NDArray[np.int32]) -> Pcm:
    inverted = ~octets
    segment, interval = (inverted >> 4) & 0x07, inverted & 0x0F
    magnitude = ((interval << 1 | 0x21) << segment) - _BIAS
    return np.where(octets & _SIGN, magnitude << 2, -magnitude << 2).astype(np.int16)


def _alaw_samples(octets: npt.NDArray[np.int32]) -> Pcm:
    plain = octets ^ _EVEN_BITS
    segment, interval = (plain >> 4) & 0x07, plain & 0x0F
    leading = np.where(segment > 0, 0x21, 0x01)
    magnitude = ((interval << 1) + leading) << np.maximum(segment - 1, 0) << 3
    samples: Pcm = np.where(plain & _SIGN, magnitude, -magnitude).astype(np.int16)
    return samples


def _in_pairs(table: Pcm) -> npt.NDArray[np.uint32]:
    """A table of 65 536 entries that decodes two octets at one look-up."""
    pair = np.arange(1 << 16)
    first, second = pair & 0xFF, pair >> 8
    if sys.byteorder == "big":
        first, second = second, first
    return np.stack([table[first], table[second]], axis=1).view(np.uint32).ravel()


_ALL_LINEAR: Final = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32)
_ALL_OCTETS: Final = np.arange(256, dtype=np.int32)

ULAW_TO_LINEAR: Final = _ulaw_samples(_ALL_OCTETS)
ALAW_TO_LINEAR: Final = _alaw_samples(_ALL_OCTETS)
LINEAR_TO_ULAW: Final = _ulaw_octets(_ALL_LINEAR)
"""Indexed by the sample's bits as uint16."""
LINEAR_TO_ALAW: Final = _alaw_octets(_ALL_LINEAR)
_ULAW_PAIRS: Final = _in_pairs(ULAW_TO_LINEAR)
_ALAW_PAIRS: Final = _in_pairs(ALAW_TO_LINEAR)

ULAW_SILENCE: Final = 0xFF
ALAW_SILENCE: Final = 0xD5


def _decode(octets: Octets, table: Pcm, pairs: npt.NDArray[np.uint32]) -> Pcm:
    if octets.shape[-1] % 2 or not octets.flags.c_contiguous:
        return table.take(octets, mode="clip")
    return pairs.take(octets.view(np.uint16), mode="clip").view(np.int16)


def decode_ulaw(octets: Octets) -> Pcm:
    """μ-law octets to linear samples, of the same shape."""
    return _decode(octets, ULAW_TO_LINEAR, _ULAW_PAIRS)


def decode_alaw(octets: Octets) -> Pcm:
    """A-law octets to linear samples, of the same shape."""
    return _decode(octets, ALAW_TO_LINEAR, _ALAW_PAIRS)


def encode_ulaw(pcm: Pcm) -> Octets:
    """Linear samples to μ-law octets, of the same shape."""
    return LINEAR_TO_ULAW.take(pcm.view(np.uint16), mode="clip")


def encode_alaw(pcm: Pcm) -> Octets:
    """Linear samples to A-law octets, of the same shape."""
    return LINEAR_TO_ALAW.take(pcm.view(np.uint16), mode="clip")
