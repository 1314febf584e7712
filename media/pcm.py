"""The words for sound that every module here shares.  Knows shapes, no signal processing.

A *frame* is 20 ms of mono linear PCM: `rate // 50` samples of int16.  Many frames of one rate lie
in one C-contiguous matrix `(legs, samples)`.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from media.types import Mask, Octets, Pcm

__all__ = [
    "FRAMES_PER_SECOND",
    "FULL_SCALE",
    "Floats",
    "Integers",
    "Mask",
    "Octets",
    "Pcm",
    "Rows",
    "frame_samples",
    "saturate",
]

Rows: TypeAlias = npt.NDArray[np.intp]
"""Indices of legs in a worker's arrays, 0 … capacity-1."""
Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float32]

FRAMES_PER_SECOND: Final = 50
FULL_SCALE: Final = 32768


def frame_samples(rate: int) -> int:
    """Samples in 20 ms at `rate` Hz."""
    return rate // FRAMES_PER_SECOND


def saturate(samples: npt.NDArray[np.int32] | Floats) -> Pcm:
    """Clip to the range of int16 instead of wrapping around."""
    return samples.clip(-32768, 32767).astype(np.int16)
