"""Signals have the frequencies and cadences of their country."""

from itertools import pairwise

import numpy as np
import pytest

from media.pcm import Pcm
from media.tones import (
    COUNTRIES,
    DTMF_HIGH,
    DTMF_KEYS,
    DTMF_LOW,
    NAMES,
    ToneError,
    dtmf,
    signal,
    tone_country,
)
from tests.media.sounds import frames_of, level_db, share


def cadence(sound: Pcm) -> list[tuple[bool, int]]:
    """Runs of sound and silence with their length in ms, to 20 ms."""
    loud = [level_db(frame) > -40 for frame in frames_of(sound)]
    edges = [0, *(np.flatnonzero(np.diff(loud)) + 1).tolist(), len(loud)]
    return [(loud[a], (b - a) * 20) for a, b in pairwise(edges)]


@pytest.mark.parametrize(
    ("country", "name", "expected"),
    [
        ("us", "ringback", [(True, 2000), (False, 4000)]),
        ("us", "busy", [(True, 500), (False, 500)]),
        ("uk", "ringback", [(True, 400), (False, 200), (True, 400), (False, 2000)]),
        ("ru", "ringback", [(True, 800), (False, 3200)]),
        ("ru", "busy", [(True, 400), (False, 400)]),
        ("de", "congestion", [(True, 240), (False, 240)]),
        ("fr", "ringback", [(True, 1500), (False, 3500)]),
    ],
)
def test_cadences(country: str, name: str, expected: list[tuple[bool, int]]) -> None:
    made = signal(name, country, 8000)
    assert made.repeats
    assert cadence(made.sound) == expected


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_frequencies(rate: int) -> None:
    american = signal("dial", "us", rate).sound
    assert share(american, 350, rate) == pytest.approx(0.5, abs=0.01)
    assert share(american, 440, rate) == pytest.approx(0.5, abs=0.01)
    assert share(signal("dial", "ru", rate).sound, 425, rate) > 0.999


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("name", NAMES)
def test_every_tone_sounds_in_every_country_at_a_decent_level(country: str, name: str) -> None:
    sound = signal(name, country, 8000).sound
    loud = [level_db(frame) for frame in frames_of(sound) if level_db(frame) > -40]
    assert -25 < max(loud) < -5
    assert np.abs(sound.astype(int)).max() < 32767


def test_a_continuous_tone_loops_without_a_seam() -> None:
    for what in [(440.0,), (913.8,)]:
        sound = signal(what, "us", 8000).sound
        assert share(np.tile(sound, 2), what[0]) > 0.9999


@pytest.mark.parametrize("key", DTMF_KEYS)
def test_dtmf_has_its_two_frequencies(key: str) -> None:
    row, column = divmod(DTMF_KEYS.index(key), 4)
    sound = dtmf(key, 200, 8000)
    assert sound.size == 1600
    low, high = share(sound, DTMF_LOW[row]), share(sound, DTMF_HIGH[column])
    assert low + high > 0.98
    assert 10 * np.log10(high / low) == pytest.approx(2, abs=0.5)


def test_every_country_has_tones() -> None:
    assert [tone_country(code) for code in ("RU", "GB", "in", None)] == ["ru", "gb", "us", "us"]


def test_unknown_names_are_told() -> None:
    with pytest.raises(ToneError, match="'rringback'"):
        signal("rringback", "us", 8000)
    with pytest.raises(ToneError, match="'xx'"):
        signal("busy", "xx", 8000)
    with pytest.raises(ToneError, match="'E'"):
        signal("dtmf-E", "us", 8000)
    with pytest.raises(ToneError):
        signal("dtmf-", "us", 8000)
