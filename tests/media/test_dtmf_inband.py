"""In-band DTMF by ITU-T Q.24: what must be recognised, what must not, and speech."""

import numpy as np
import pytest
import soundfile

from media.dtmf import InbandDetector
from media.pcm import Pcm
from media.prompts import HOLD_MUSIC, LANGUAGES, prompt_path, texts
from media.resample import resample
from media.tones import DTMF_HIGH, DTMF_KEYS, DTMF_LOW, dtmf
from tests.media.sounds import frames_of

DBM0 = 22800.0
"""Peak of a 0 dBm0 sine."""


def key(name: str, ms: int, *, low: float = -10, high: float = -10, detuned: float = 0.0) -> Pcm:
    """A key with its two levels in dBm0, both frequencies off by the same share."""
    row, column = divmod(DTMF_KEYS.index(name), 4)
    times = np.arange(8 * ms) * (2 * np.pi / 8000) * (1 + detuned)
    wave = 10 ** (low / 20) * np.sin(DTMF_LOW[row] * times)
    wave += 10 ** (high / 20) * np.sin(DTMF_HIGH[column] * times)
    return np.asarray(np.rint(DBM0 * wave), np.int16)


def quiet(ms: int) -> Pcm:
    return np.zeros(8 * ms, np.int16)


def heard(sound: Pcm) -> list[tuple[str, int]]:
    """The presses found in a sound that is followed by silence."""
    detector = InbandDetector(4)
    told = []
    for frame in frames_of(np.concatenate([sound, quiet(100)])):
        told += detector.feed(np.array([2]), frame[None])
    return [(name, ms) for _, name, ms in told]


def keys(sound: Pcm) -> str:
    return "".join(name for name, _ in heard(sound))


def test_all_keys_in_sequence_with_their_length() -> None:
    dialled = [part for name in DTMF_KEYS for part in (dtmf(name, 80, 8000), quiet(60))]
    told = heard(np.concatenate(dialled))
    assert "".join(name for name, _ in told) == DTMF_KEYS
    assert all(abs(ms - 80) <= 15 for _, ms in told)


@pytest.mark.parametrize("shift", range(0, 20, 3))
@pytest.mark.parametrize("name", DTMF_KEYS)
def test_40_ms_are_enough_wherever_they_begin(name: str, shift: int) -> None:
    assert keys(np.concatenate([quiet(200 + shift), key(name, 40)])) == name


@pytest.mark.parametrize("shift", range(0, 20, 3))
@pytest.mark.parametrize("name", "159D")
def test_23_ms_are_not(name: str, shift: int) -> None:
    assert keys(np.concatenate([quiet(200 + shift), key(name, 22)])) == ""


@pytest.mark.parametrize("detuned", [-0.015, 0.015])
@pytest.mark.parametrize("name", DTMF_KEYS)
def test_frequencies_off_by_one_and_a_half_percent_are_keys(name: str, detuned: float) -> None:
    assert keys(key(name, 60, detuned=detuned)) == name


@pytest.mark.parametrize("detuned", [-0.035, 0.035])
@pytest.mark.parametrize("name", DTMF_KEYS)
def test_frequencies_off_by_three_and_a_half_percent_are_none(name: str, detuned: float) -> None:
    assert keys(key(name, 200, detuned=detuned)) == ""


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (-3, -3, True),
        (-29, -29, True),
        (-40, -40, False),
        (-18, -10, False),
        (-15, -10, True),
        (-10, -18, True),
        (-10, -24, False),
    ],
)
def test_levels_and_twist(low: float, high: float, found: bool) -> None:
    """-3 to -29 dBm0 are keys, -40 is not; the line may weaken the high group by 8 dB."""
    assert keys(key("5", 100, low=low, high=high)) == ("5" if found else "")


def test_a_gap_of_10_ms_does_not_split_a_press() -> None:
    press = key("8", 120)
    press[480:560] = 0
    assert keys(press) == "8"


@pytest.mark.parametrize("shift", range(0, 20, 3))
def test_a_pause_of_40_ms_does(shift: int) -> None:
    sound = [quiet(shift), key("8", 50), quiet(40), key("8", 50), quiet(40), key("9", 50)]
    assert keys(np.concatenate(sound)) == "889"


def test_a_key_without_pause_after_another_is_found() -> None:
    assert keys(np.concatenate([key("1", 100), key("6", 100)])) == "16"


@pytest.mark.parametrize("noise_db", [15, 20])
def test_noise_does_not_hide_keys(noise_db: float) -> None:
    """Q.24 asks for one error in 10 000 at 15 dB below the tones; here 160 presses."""
    rng = np.random.default_rng(24)
    rms = DBM0 / np.sqrt(2) * 10 ** ((-10 - noise_db) / 20)
    dialled = [part for name in DTMF_KEYS * 10 for part in (key(name, 50), quiet(50))]
    sound = np.concatenate(dialled).astype(float)
    sound += rng.normal(0, rms, sound.size)
    assert keys(np.clip(np.rint(sound), -32768, 32767).astype(np.int16)) == DTMF_KEYS * 10


def test_a_dial_tone_below_does_not_hide_keys() -> None:
    dial = key("1", 1000)  # only its length is used
    times = np.arange(dial.size) * (2 * np.pi / 8000)
    dial_tone = DBM0 * 10 ** (-22 / 20) * (np.sin(350 * times) + np.sin(440 * times))
    sound = np.concatenate([quiet(100), key("4", 100), quiet(100), key("0", 100), quiet(600)])
    assert keys((sound + dial_tone[: sound.size]).astype(np.int16)) == "40"


def spoken(language: str) -> Pcm:
    """All prompts of a language one after another: minutes of speech."""
    sounds = []
    for name in texts(language):
        sound, rate = soundfile.read(prompt_path(name, language), dtype="int16")
        sounds.append(resample(sound, rate, 8000))
    return np.concatenate(sounds)


@pytest.mark.parametrize("language", LANGUAGES)
def test_speech_is_no_key(language: str) -> None:
    """Talk-off: not one false key in all the prompts, soft or loud, said by fifty at a time."""
    speech = spoken(language)
    lines = frames_of(speech, speech.size // 50 // 160 * 160)
    both = np.concatenate([lines, lines * 2.5]).clip(-32768, 32767).astype(np.int16)
    detector, rows = InbandDetector(len(both)), np.arange(len(both))
    told = []
    for start in range(0, both.shape[1], 160):
        told += detector.feed(rows, both[:, start : start + 160])
    assert told == []


def test_music_and_call_progress_are_no_keys() -> None:
    music, rate = soundfile.read(HOLD_MUSIC, dtype="int16")
    assert keys(resample(music, rate, 8000)) == ""


def test_legs_are_apart() -> None:
    """Sixteen legs, each pressing its own key, and one that is silent."""
    detector = InbandDetector(32)
    rows = np.arange(3, 20)
    sounds = [np.concatenate([key(name, 100), quiet(100)]) for name in DTMF_KEYS]
    matrix = np.stack([*sounds, quiet(200)])
    told = []
    for start in range(0, matrix.shape[1], 160):
        told += detector.feed(rows, np.ascontiguousarray(matrix[:, start : start + 160]))
    assert [(row, name) for row, name, _ in sorted(told)] == list(
        zip(range(3, 19), DTMF_KEYS, strict=True)
    )
    detector.reset(rows)
    assert detector.feed(rows, np.zeros((17, 160), np.int16)) == []
