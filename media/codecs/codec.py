"""What a codec looks like from outside, and how its sound is brought to another rate."""

from collections.abc import Hashable, Sequence
from typing import Protocol

import numpy as np

from media.pcm import Integers, Octets, Pcm
from media.resample import Resampler


class Codec(Protocol):
    """One codec with all its streams.

    A *key* names a stream: a leg's row, or whatever tells distinct sounds apart when encoding.
    Decoder and encoder of one key are strangers to each other.
    """

    @property
    def name(self) -> str: ...

    @property
    def clock_rate(self) -> int:
        """RTP ticks a second (8000 for G.722 although it samples at 16 kHz, RFC 3551 §4.5.2)."""
        ...

    @property
    def sample_rate(self) -> int:
        """Native rate of its PCM in Hz; the default of `rate`."""
        ...

    @property
    def stateful(self) -> bool:
        """Whether its sound depends on earlier packets."""
        ...

    @property
    def even(self) -> bool:
        """Whether its octets are evenly spread in time, so that payloads may be joined and cut."""
        ...

    def decode(
        self,
        keys: Sequence[Hashable],
        payloads: Octets,
        lengths: Integers,
        rate: int | None = None,
    ) -> tuple[Pcm, Integers]:
        """Packets `(k, width)`, of which `lengths` octets count, to sound at `rate`.

        Returns `(frames, samples)`: row i holds `samples[i]` samples, the rest of it is
        undefined.  A packet that cannot be decoded has 0 samples.  A stream's packets must come
        in order; packets of one batch are taken first to last.
        """
        ...

    def encode(
        self, keys: Sequence[Hashable], frames: Pcm, rate: int | None = None
    ) -> tuple[Octets, Integers]:
        """One frame of sound at `rate` for each key to payloads `(k, width)` and their lengths."""
        ...

    def forget(self, key: Hashable) -> None:
        """Drop all state of a stream.  Forgetting twice is harmless."""
        ...


class Converters:
    """The resamplers of one codec, by pair of rates."""

    def __init__(self) -> None:
        self._resamplers: dict[tuple[int, int], Resampler] = {}

    def convert(self, keys: Sequence[Hashable], pcm: Pcm, source: int, target: int) -> Pcm:
        """Rows of one length from `source` to `target` Hz."""
        if source == target:
            return pcm
        resampler = self._resamplers.get((source, target))
        if resampler is None:
            resampler = self._resamplers[source, target] = Resampler(source, target)
        return resampler.convert(keys, pcm)

    def convert_ragged(
        self, keys: Sequence[Hashable], pcm: Pcm, samples: Integers, source: int, target: int
    ) -> tuple[Pcm, Integers]:
        """Rows of several lengths; those of one length go together, in their order."""
        if source == target:
            return pcm, samples
        converted = samples * target // source
        result = np.zeros((len(keys), int(converted.max(initial=0))), np.int16)
        for batch in _batches(keys, samples):
            count = int(samples[batch[0]])
            sound = self.convert([keys[i] for i in batch], pcm[batch, :count], source, target)
            result[batch, : sound.shape[1]] = sound
        return result, converted

    def forget(self, key: Hashable) -> None:
        for resampler in self._resamplers.values():
            resampler.forget(key)


def _batches(keys: Sequence[Hashable], samples: Integers) -> list[list[int]]:
    """Split row numbers so that a batch has one length and no key twice, in order for each key."""
    seen: dict[Hashable, int] = {}
    batches: dict[tuple[int, int], list[int]] = {}
    for index, (key, count) in enumerate(zip(keys, samples.tolist(), strict=True)):
        turn = seen.get(key, 0)
        seen[key] = turn + 1
        if count:
            batches.setdefault((turn, count), []).append(index)
    return [batches[turn_and_count] for turn_and_count in sorted(batches)]
