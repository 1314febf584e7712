"""Voice, silence and the signals of machines."""

import numpy as np
import pytest
import soundfile

from media.detection import FEATURES, SignalDetector, SilenceWatch, VoiceActivity, features
from media.pcm import Pcm
from media.prompts import HOLD_MUSIC, prompt_path
from media.resample import resample
from media.tones import signal
from tests.media.sounds import frames_of, tone

ROW = np.array([2])


def speech() -> Pcm:
    sound, rate = soundfile.read(prompt_path("vm-main-menu", "en"), dtype="int16")
    return resample(sound, rate, 8000)


def noise(seconds: float, level: float) -> Pcm:
    rng = np.random.default_rng(1)
    return np.asarray(rng.normal(0, level, round(8000 * seconds)), np.int16)


def voiced(sound: Pcm) -> list[bool]:
    detector = VoiceActivity(4)
    return [bool(detector.feed(ROW, frame[None])[1][0]) for frame in frames_of(sound)]


def test_speech_is_voice_and_silence_is_not() -> None:
    found = voiced(np.concatenate([np.zeros(8000, np.int16), speech(), np.zeros(8000, np.int16)]))
    assert not any(found[:48])
    assert sum(found[50:-50]) > 0.85 * len(found[50:-50])
    assert not any(found[-35:])


def test_steady_noise_becomes_the_floor() -> None:
    """-42 dBov of noise is taken for voice at first, and no longer after some seconds."""
    found = voiced(noise(20, 260))
    assert not any(found[-200:])
    with_voice = voiced(
        np.concatenate([noise(20, 260), speech() + noise(60, 260)[: speech().size]])
    )
    assert sum(with_voice[1000:]) > 0.7 * len(with_voice[1000:])


def test_short_pauses_are_bridged() -> None:
    sound = np.concatenate([tone(300, seconds=0.2), np.zeros(1600, np.int16)] * 5)
    assert all(voiced(sound)[1:])


def test_levels_are_told_in_dbov() -> None:
    level, _ = VoiceActivity(4).feed(ROW, tone(1000, level=32767)[None, :160])
    assert level[0] == pytest.approx(-3.01, abs=0.1)


def test_silence_is_told_once_until_there_is_voice_again() -> None:
    watch = SilenceWatch(8)
    watch.watch(3, 0.1)
    rows = np.array([2, 3])
    told = [
        watch.feed(rows, np.array([False, voice])) for voice in [False] * 9 + [True] + [False] * 5
    ]
    assert [i for i, rows_told in enumerate(told) if rows_told] == [4, 14]
    assert told[4] == [3]
    watch.watch(3, None)
    assert all(not watch.feed(rows, np.array([False, False])) for _ in range(50))


def signals(sound: Pcm) -> list[tuple[str, int]]:
    detector = SignalDetector(4)
    padded = np.concatenate([sound, np.zeros(1600, np.int16)])
    return [
        (name, ms)
        for frame in frames_of(padded)
        for _, name, ms in detector.feed(ROW, features(frame[None]))
    ]


def test_fax_tones_are_told_once_each() -> None:
    calling = np.concatenate([tone(1100, seconds=0.5), np.zeros(24000, np.int16)] * 2)
    assert [name for name, _ in signals(calling)] == ["cng", "cng"]
    assert [name for name, _ in signals(tone(1130, seconds=0.5))] == ["cng"]
    assert [name for name, _ in signals(tone(2100, seconds=3))] == ["ced"]


@pytest.mark.parametrize("frequency", [425, 850, 1000, 1400, 2300])
@pytest.mark.parametrize("ms", [150, 250, 800])
def test_a_beep_is_told_at_its_end(frequency: float, ms: int) -> None:
    told = signals(np.concatenate([noise(0.5, 30), tone(frequency, seconds=ms / 1000)]))
    assert [name for name, _ in told] == ["beep"]
    assert told[0][1] == pytest.approx(ms, abs=40)


def test_a_ring_back_is_no_beep() -> None:
    """It lasts too long in Russia, and has two frequencies in America."""
    assert signals(tone(425, seconds=2)) == []
    assert signals(signal("ringback", "us", 8000).sound) == []


def test_speech_and_music_are_no_signals() -> None:
    music, rate = soundfile.read(HOLD_MUSIC, dtype="int16")
    assert signals(speech()) == []
    assert {name for name, _ in signals(resample(music, rate, 8000))} <= {"beep"}


def test_features_describe_the_frame() -> None:
    frames = np.stack([tone(440)[:160], tone(1500)[:160], noise(0.02, 3000), tone(3000)[:160]])
    found = {name: features(frames)[:, i] for i, name in enumerate(FEATURES)}
    assert found["peak"][[0, 1, 3]] == pytest.approx([440, 1500, 3000], abs=6)
    assert (found["purity"][[0, 1, 3]] > 0.98).all()
    assert found["purity"][2] < 0.5
    assert found["flatness"][2] > 0.2 > found["flatness"][0]
    assert [found[band].argmax() for band in ("low", "middle", "high")] == [0, 1, 3]
    assert found["crossings"][3] > found["crossings"][1] > found["crossings"][0]
    assert found["low"] + found["middle"] + found["high"] == pytest.approx(np.ones(4), abs=1e-5)
