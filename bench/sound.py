"""What sound costs, without sockets: microseconds of one core for each leg and 20 ms frame.

    python -m bench.sound [--legs N] [--quick] [--json]

Each line is the best of several rounds, so that a busy machine disturbs little.  At 50 frames a
second, 1 µs a frame is 0.005 % of a core.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

import numpy as np

from media import g711, mixing
from media.codecs import make_codecs
from media.concealment import extend, pitch_lags
from media.detection import SignalDetector, VoiceActivity, features
from media.dtmf import InbandDetector
from media.jitter import JitterBuffer
from media.pcm import Octets, Pcm, Rows
from media.resample import Resampler

ROUNDS = 25
Work = Callable[[], object]
Case = tuple[str, int, Work]
"""(name, legs, one frame of all of them)"""


def microseconds(legs: int, work: Work) -> float:
    """Best time of `ROUNDS` for each leg."""
    work()
    best = float("inf")
    for _ in range(ROUNDS):
        begun = perf_counter()
        work()
        best = min(best, perf_counter() - begun)
    return best * 1e6 / legs


def speechlike(legs: int, rate: int = 8000) -> Pcm:
    """A frame for each leg, with the level and band of speech."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 2000, (legs, rate // 50 + 8))
    smooth = np.lib.stride_tricks.sliding_window_view(noise, 9, axis=1).mean(axis=2)
    return np.asarray(smooth * 3, np.int16)


def mix(octets: Octets, starts: Rows) -> Octets:
    """The conference's whole way: decode, sum, subtract, encode."""
    return g711.encode_ulaw(mixing.mix_minus(g711.decode_ulaw(octets), starts))


def tables_and_rooms(legs: int) -> Iterator[Case]:
    octets = g711.encode_ulaw(speechlike(legs))
    pcm = g711.decode_ulaw(octets)
    yield "G.711 decode", legs, lambda: g711.decode_ulaw(octets)
    yield "G.711 encode", legs, lambda: g711.encode_ulaw(pcm)
    for size in (3, 10, legs):
        starts = np.arange(0, legs, size, dtype=np.intp)
        yield f"conference, rooms of {size}", legs, partial(mix, octets, starts)
    sources, listeners = np.arange(legs), np.arange(legs)[::-1].copy()
    gains = np.full(legs, 0.5, np.float32)
    yield "edges with gain", legs, lambda: mixing.sum_edges(pcm, sources, listeners, gains, legs)
    yield "energies", legs, lambda: mixing.energies(pcm)


def playout(legs: int) -> Iterator[Case]:
    rows, pcm = np.arange(legs), speechlike(legs)
    samples = np.full(legs, 160)
    buffer = JitterBuffer(legs, 8000)
    clock = iter(range(1 << 60))

    def tick() -> None:
        now = next(clock)
        buffer.put(rows, np.full(legs, now * 160), pcm, samples, np.full(legs, now))
        buffer.take(rows)

    yield "jitter buffer, put and take", legs, tick
    history = speechlike(legs, 16000)
    lags = pitch_lags(history, 8000)
    yield "concealment, a lost frame", legs, lambda: pitch_lags(history, 8000)
    start = np.zeros(legs, np.int64)
    yield "concealment, one more", legs, lambda: extend(history, lags, start, 160)


def codecs(legs: int) -> Iterator[Case]:
    few = min(legs, 50)
    keys = list(range(few))
    for name, rate in (("G722", 8000), ("G722", 16000), ("OPUS", 48000), ("OPUS", 8000)):
        codec, pcm = make_codecs()[name], speechlike(few, rate)
        payloads, lengths = codec.encode(keys, pcm, rate)
        yield f"{name} encode from {rate}", few, partial(codec.encode, keys, pcm, rate)
        yield f"{name} decode to {rate}", few, partial(codec.decode, keys, payloads, lengths, rate)


def conversion(legs: int) -> Iterator[Case]:
    keys = list(range(legs))
    for source, target in ((8000, 16000), (16000, 8000), (8000, 48000), (48000, 8000)):
        resampler, pcm = Resampler(source, target), speechlike(legs, source)
        yield f"resample {source} to {target}", legs, partial(resampler.convert, keys, pcm)


def listening(legs: int) -> Iterator[Case]:
    rows, pcm = np.arange(legs), speechlike(legs)
    keys, voice, signals = InbandDetector(legs), VoiceActivity(legs), SignalDetector(legs)
    yield "in-band DTMF", legs, lambda: keys.feed(rows, pcm)
    yield "voice activity", legs, lambda: voice.feed(rows, pcm)
    yield "fax and beeps", legs, lambda: signals.feed(rows, features(pcm))


def measure(legs: int) -> dict[str, float]:
    cases = (tables_and_rooms, playout, codecs, conversion, listening)
    return {name: microseconds(count, work) for kind in cases for name, count, work in kind(legs)}


def figures(quick: bool) -> dict[str, float]:
    """Microseconds by name, of 1000 legs at once, or of 200."""
    return measure(200 if quick else 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description="Microseconds per leg and 20 ms frame.")
    parser.add_argument("--legs", type=int, default=1000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = figures(True) if given.quick else measure(given.legs)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:32} {value:8.2f} µs")


if __name__ == "__main__":
    main()
