"""Words that the whole media plane shares: units of time and shapes of arrays."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Instant: TypeAlias = float  # monotonic seconds
Seconds: TypeAlias = float
Address: TypeAlias = tuple[str, int]  # (ip literal, port)

Pcm: TypeAlias = npt.NDArray[np.int16]
Octets: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint32]
Quads: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Array: TypeAlias = npt.NDArray[Any]

TICK: Seconds = 0.02
"""One frame of every mixed listener."""
