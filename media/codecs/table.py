"""Codecs without memory: G.711 by table and linear PCM by byte order."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from media import g711
from media.codecs.codec import Converters
from media.pcm import Integers, Octets, Pcm


@dataclass(slots=True)
class TableCodec:
    """A codec in which every sample stands alone; only resampling keeps state by key."""

    name: str
    sample_rate: int
    octets_per_sample: int
    expand: Callable[[Octets], Pcm]
    compress: Callable[[Pcm], Octets]
    stateful: ClassVar[bool] = False
    even: ClassVar[bool] = True
    _decoded: Converters = field(default_factory=Converters)
    _encoded: Converters = field(default_factory=Converters)

    @property
    def clock_rate(self) -> int:
        return self.sample_rate

    def decode(
        self,
        keys: Sequence[Hashable],
        payloads: Octets,
        lengths: Integers,
        rate: int | None = None,
    ) -> tuple[Pcm, Integers]:
        samples = lengths // self.octets_per_sample
        pcm = self.expand(payloads)
        return self._decoded.convert_ragged(
            keys, pcm, samples, self.sample_rate, rate or self.sample_rate
        )

    def encode(
        self, keys: Sequence[Hashable], frames: Pcm, rate: int | None = None
    ) -> tuple[Octets, Integers]:
        native = self._encoded.convert(keys, frames, rate or self.sample_rate, self.sample_rate)
        payloads = self.compress(native)
        return payloads, np.full(len(payloads), payloads.shape[1], np.int64)

    def forget(self, key: Hashable) -> None:
        self._decoded.forget(key)
        self._encoded.forget(key)


def ulaw() -> TableCodec:
    """PCMU (RFC 3551 §4.5.14)."""
    return TableCodec("PCMU", 8000, 1, g711.decode_ulaw, g711.encode_ulaw)


def alaw() -> TableCodec:
    """PCMA (RFC 3551 §4.5.14)."""
    return TableCodec("PCMA", 8000, 1, g711.decode_alaw, g711.encode_alaw)


def linear16(rate: int) -> TableCodec:
    """L16: network byte order, two's complement (RFC 3551 §4.5.11)."""
    return TableCodec("L16", rate, 2, _from_network, _to_network)


def _from_network(payloads: Octets) -> Pcm:
    even = payloads[:, : payloads.shape[1] // 2 * 2]
    return np.ascontiguousarray(even).view(">i2").astype(np.int16)


def _to_network(pcm: Pcm) -> Octets:
    return pcm.astype(">i2").view(np.uint8)
