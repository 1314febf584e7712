"""G.722 at 64 kbit/s by the `G722` package: one recursion per stream and direction.

Its decoder can leave out the upper band and speak 8 kHz directly, so a G.722 leg among G.711 legs
needs no resampler.
"""

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from G722 import G722

from media.codecs.codec import Converters
from media.pcm import Integers, Octets, Pcm

_BIT_RATE: Final = 64000
_OCTETS_PER_SECOND: Final = 8000


def _spoken(rate: int) -> int:
    """The rate of the package's two that serves `rate` best."""
    return 8000 if rate == 8000 else 16000


class G722Codec:
    """All G.722 streams of one engine."""

    name: Final = "G722"
    clock_rate: Final = 8000
    sample_rate: Final = 16000
    stateful: Final = True
    even: Final = True

    def __init__(self) -> None:
        self._decoders: dict[tuple[Hashable, int], G722] = {}
        self._encoders: dict[tuple[Hashable, int], G722] = {}
        self._decoded, self._encoded = Converters(), Converters()

    def decode(
        self,
        keys: Sequence[Hashable],
        payloads: Octets,
        lengths: Integers,
        rate: int | None = None,
    ) -> tuple[Pcm, Integers]:
        wanted = rate or self.sample_rate
        spoken = _spoken(wanted)
        samples = lengths * (spoken // _OCTETS_PER_SECOND)
        frames = np.zeros((len(keys), int(samples.max(initial=0))), np.int16)
        for frame, key, payload, length in zip(frames, keys, payloads, lengths, strict=True):
            decoder = _state(self._decoders, key, spoken)
            sound = decoder.decode(payload[:length].tobytes())
            frame[: len(sound)] = sound
        return self._decoded.convert_ragged(keys, frames, samples, spoken, wanted)

    def encode(
        self, keys: Sequence[Hashable], frames: Pcm, rate: int | None = None
    ) -> tuple[Octets, Integers]:
        given = rate or self.sample_rate
        spoken = _spoken(given)
        native = self._encoded.convert(keys, frames, given, spoken)
        width = native.shape[1] // (spoken // _OCTETS_PER_SECOND)
        payloads = np.empty((len(keys), width), np.uint8)
        for payload, key, sound in zip(payloads, keys, native, strict=True):
            encoder = _state(self._encoders, key, spoken)
            payload[:] = np.frombuffer(encoder.encode(sound), np.uint8)
        return payloads, np.full(len(keys), width, np.int64)

    def forget(self, key: Hashable) -> None:
        for spoken in (8000, 16000):
            self._decoders.pop((key, spoken), None)
            self._encoders.pop((key, spoken), None)
        self._decoded.forget(key)
        self._encoded.forget(key)


def _state(states: dict[tuple[Hashable, int], G722], key: Hashable, spoken: int) -> G722:
    state = states.get((key, spoken))
    if state is None:
        state = states[key, spoken] = G722(spoken, _BIT_RATE)
    return state
