"""Signals that are computed, not recorded: call progress by country, DTMF, beeps.

Cadences are those of the Supplement to ITU-T E.180, written as `frequencies/ms` with 0 for
silence: "440+480/2000 0/4000".  Without `/ms` the tone is continuous.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from media.pcm import Pcm

_DBM0_PEAK: Final = 22800.0
"""Amplitude of a 0 dBm0 sine in 16 bits (G.711 overloads at +3.14 dBm0)."""
_LEVEL: Final = -13.0
"""dBm0 of each frequency of a call-progress tone; E.180 asks for -10 ±5 in all."""
_DTMF_LEVELS: Final = (-9.0, -7.0)
"""dBm0 of the low and the high group (Q.23 lets the high be up to 2 dB stronger)."""
_EDGE_MS: Final = 3
"""Tones swell and fade this long, so that they do not click."""

DTMF_LOW: Final = (697, 770, 852, 941)
DTMF_HIGH: Final = (1209, 1336, 1477, 1633)
DTMF_KEYS: Final = "123A456B789C*0#D"

_SIT: Final = "950/330 1400/330 1800/330 0/1000"
_COMMON: Final = {
    "unobtainable": _SIT,
    "recording": "1400/400 0/15000",
    "beep": "1000/250",
    "record-beep": "800/400",
    "joined": "523/90 659/140",
    "left": "659/90 523/140",
    "confirm": "880/80 0/60 880/80",
    "error": "400/350",
}
_ONCE: Final = {"beep", "record-beep", "joined", "left", "confirm", "error"}


def _like_425(ringback: str, busy: int, congestion: int) -> dict[str, str]:
    """A European plan: one frequency for all, even cadences of busy and congestion in ms."""
    return {
        "dial": "425",
        "ringback": ringback,
        "busy": f"425/{busy} 0/{busy}",
        "congestion": f"425/{congestion} 0/{congestion}",
        "waiting": "425/200 0/200 425/200 0/5000",
    }


_US: Final = {
    "dial": "350+440",
    "ringback": "440+480/2000 0/4000",
    "busy": "480+620/500 0/500",
    "congestion": "480+620/250 0/250",
    "waiting": "440/300 0/9700",
}
_UK: Final = {
    "dial": "350+440",
    "ringback": "400+450/400 0/200 400+450/400 0/2000",
    "busy": "400/375 0/375",
    "congestion": "400/400 0/350 400/225 0/525",
    "waiting": "400/100 0/3000",
    "unobtainable": "400",
}
_RU: Final = _like_425("425/800 0/3200", 400, 200)

_COUNTRIES: Final[dict[str, dict[str, str]]] = {
    "us": _US,
    "ca": _US,
    "uk": _UK,
    "gb": _UK,
    "ru": _RU,
    "by": _RU,
    "kz": _RU,
    "ua": _like_425("425/1000 0/4000", 300, 300),
    "de": _like_425("425/1000 0/4000", 480, 240),
    "at": _like_425("425/1000 0/5000", 400, 200),
    "ch": _like_425("425/1000 0/4000", 500, 200),
    "cz": _like_425("425/1000 0/4000", 330, 165) | {"dial": "425/330 0/330 425/660 0/660"},
    "es": _like_425("425/1500 0/3000", 200, 250),
    "fi": _like_425("425/1000 0/4000", 300, 200),
    "fr": {
        "dial": "440",
        "ringback": "440/1500 0/3500",
        "busy": "440/500 0/500",
        "congestion": "440/250 0/250",
        "waiting": "440/300 0/10000",
    },
    "it": _like_425("425/1000 0/4000", 500, 200) | {"dial": "425/200 0/200 425/600 0/1000"},
    "nl": _like_425("425/1000 0/4000", 500, 250),
    "pl": _like_425("425/1000 0/4000", 500, 500),
    "se": _like_425("425/1000 0/5000", 250, 250) | {"congestion": "425/250 0/750"},
    "tr": {
        "dial": "450",
        "ringback": "450/2000 0/4000",
        "busy": "450/500 0/500",
        "congestion": "450/200 0/200 450/200 0/200 450/200 0/200 450/600 0/200",
        "waiting": "450/200 0/600 450/200 0/8000",
    },
    "au": {
        "dial": "413+438",
        "ringback": "413+438/400 0/200 413+438/400 0/2000",
        "busy": "425/375 0/375",
        "congestion": "425/375 0/375",
        "waiting": "425/200 0/200 425/200 0/4400",
    },
    "br": _like_425("425/1000 0/4000", 250, 250),
    "cn": {
        "dial": "450",
        "ringback": "450/1000 0/4000",
        "busy": "450/350 0/350",
        "congestion": "450/700 0/700",
        "waiting": "450/400 0/4000",
    },
    "jp": {
        "dial": "400",
        "ringback": "384+416/1000 0/2000",
        "busy": "400/500 0/500",
        "congestion": "400/500 0/500",
        "waiting": "400/500 0/8000",
    },
}
COUNTRIES: Final = tuple(_COUNTRIES)
_ELSEWHERE: Final = "us"
NAMES: Final = (*_US, *_COMMON)


class ToneError(ValueError):
    """The administrator named a tone or country that does not exist; the text names it."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One cycle of a tone at one rate; `repeats` tells whether it goes on for ever."""

    sound: Pcm
    repeats: bool


@lru_cache(maxsize=256)
def signal(what: str | tuple[float, ...], country: str, rate: int) -> Signal:
    """One cycle of a named tone, or a second of plain frequencies; see `items.Tone`."""
    if isinstance(what, tuple):
        return Signal(_continuous(what, rate), repeats=True)
    if what.startswith("dtmf-"):
        return Signal(dtmf(what.removeprefix("dtmf-"), 120, rate), repeats=False)
    return Signal(_render(_notation(what, country), rate), repeats=what not in _ONCE)


def tone_country(code: str | None) -> str:
    """Whose tones sound in a country, given its ISO code: its own where they are known."""
    known = code.lower() if code is not None else _ELSEWHERE
    return known if known in _COUNTRIES else _ELSEWHERE


def dtmf(key: str, ms: int, rate: int) -> Pcm:
    """One key of Q.23, `ms` long."""
    place = DTMF_KEYS.find(key.upper()) if len(key) == 1 else -1
    if place < 0:
        raise ToneError(f"{key!r} is no DTMF key; there are {DTMF_KEYS}")
    row, column = divmod(place, 4)
    low, high = (_DBM0_PEAK * 10 ** (level / 20) for level in _DTMF_LEVELS)
    times = np.arange(rate * ms // 1000) * (2 * np.pi / rate)
    wave = low * np.sin(DTMF_LOW[row] * times) + high * np.sin(DTMF_HIGH[column] * times)
    return _with_edges(wave, rate)


def _notation(name: str, country: str) -> str:
    plan = _COUNTRIES.get(country.lower())
    if plan is None:
        raise ToneError(
            f"no tones are known for country {country!r}; known: {', '.join(COUNTRIES)}"
        )
    found = plan.get(name) or _COMMON.get(name)
    if found is None:
        raise ToneError(f"no tone is called {name!r}; known: {', '.join(NAMES)}")
    return found


def _render(notation: str, rate: int) -> Pcm:
    if "/" not in notation:
        return _continuous(_frequencies(notation), rate)
    segments = [segment.split("/") for segment in notation.split()]
    return np.concatenate([_burst(_frequencies(pitch), int(ms), rate) for pitch, ms in segments])


def _frequencies(notation: str) -> tuple[float, ...]:
    return tuple(float(part) for part in notation.split("+") if part != "0")


def _continuous(frequencies: tuple[float, ...], rate: int) -> Pcm:
    """As long as all frequencies need for whole periods: it loops without a seam."""
    whole = all(frequency == int(frequency) for frequency in frequencies)
    return np.rint(_wave(frequencies, rate if whole else rate * 10, rate)).astype(np.int16)


def _burst(frequencies: tuple[float, ...], ms: int, rate: int) -> Pcm:
    return _with_edges(_wave(frequencies, rate * ms // 1000, rate), rate)


def _wave(
    frequencies: tuple[float, ...], samples: int, rate: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    times = np.arange(samples) * (2 * np.pi / rate)
    wave = np.zeros(samples)
    for frequency in frequencies:
        wave += np.sin(frequency * times)
    return wave * _DBM0_PEAK * 10 ** (_LEVEL / 20)


def _with_edges(wave: "np.ndarray[tuple[int], np.dtype[np.float64]]", rate: int) -> Pcm:
    edge = np.linspace(0, 1, rate * _EDGE_MS // 1000)
    wave[: edge.size] *= edge
    wave[wave.size - edge.size :] *= edge[::-1]
    return np.rint(wave).astype(np.int16)
