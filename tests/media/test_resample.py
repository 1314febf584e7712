"""Resampling: tones keep pitch and level, streams have no seams."""

import numpy as np
import pytest

from media.resample import Resampler, resample
from tests.media.sounds import frames_of, level_db, share, tone

PAIRS = [(a, b) for a in (8000, 16000, 48000) for b in (8000, 16000, 48000) if a != b]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("frequency", [300, 1000, 3000])
def test_the_telephone_band_passes_unchanged(source: int, target: int, frequency: int) -> None:
    resampler = Resampler(source, target)
    sound = tone(frequency, source)
    out = [resampler.convert(["x"], frame[None])[0] for frame in frames_of(sound, source // 50)]
    heard = np.concatenate(out)[target // 4 : target // 4 * 3]
    assert share(heard, frequency, target) > 0.999
    assert level_db(heard) == pytest.approx(level_db(sound), abs=0.2)


@pytest.mark.parametrize(("source", "frequency"), [(16000, 5000), (48000, 5000), (48000, 20000)])
def test_what_the_lower_rate_cannot_carry_is_gone(source: int, frequency: int) -> None:
    resampler = Resampler(source, 8000)
    sound = tone(frequency, source)
    out = [resampler.convert(["x"], frame[None])[0] for frame in frames_of(sound, source // 50)]
    assert level_db(np.concatenate(out)[400:]) < level_db(sound) - 50


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_cut_into_packets_does_not_matter(source: int, target: int) -> None:
    """30 ms, 10 ms, then odd lengths: sample for sample the same stream."""
    sound = np.random.default_rng(5).integers(-9000, 9000, source // 5).astype(np.int16)
    whole = Resampler(source, target).convert(["x"], sound[None])[0]
    pieces = Resampler(source, target)
    cuts = np.cumsum([source // 1000 * ms for ms in (30, 10, 20, 3, 7, 60)])
    parts = [pieces.convert(["x"], part[None])[0] for part in np.split(sound, cuts)]
    assert (np.abs(np.concatenate(parts).astype(int) - whole) <= 1).all()


def test_keys_have_histories_of_their_own() -> None:
    resampler = Resampler(8000, 16000)
    noise = np.random.default_rng(1).integers(-9000, 9000, (40, 320)).astype(np.int16)
    names = [f"leg {i}" for i in range(40)]
    first = resampler.convert(names, noise[:, :160])
    second = resampler.convert(names[::-1], noise[::-1, 160:])[::-1]
    alone = Resampler(8000, 16000).convert(["x"], noise[17:18])
    ours = np.concatenate([first[17], second[17]]).astype(int)
    assert (np.abs(ours - alone[0]) <= 1).all()
    resampler.forget("leg 3")
    resampler.forget("leg 3")
    assert (resampler.convert(["new"], np.zeros((1, 160), np.int16)) == 0).all()


def test_files_are_resampled_in_one_piece() -> None:
    heard = resample(tone(1000, 44100), 44100, 8000)
    assert heard.size == 8000
    assert share(heard, 1000) > 0.999
