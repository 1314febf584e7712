"""Texts made into sound: the synthesiser of `[speech]`, asked once for each text.

Knows programs and files; no calls.  An installed package adds an engine by an entry point of
group `softswitch.speech`: a function that takes the `[speech]` table and returns an `Engine`.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, TypeAlias

import structlog

from config.sound import SpeechTable

log = structlog.get_logger("speech")

GROUP = "softswitch.speech"
AT_ONCE = 2
"""Texts synthesised at the same time; further ones wait."""


class SpeechError(Exception):
    """The engine did not speak; the text says why."""


class Engine(Protocol):
    """A synthesiser."""

    async def speak(self, text: str, language: str, path: Path) -> None:
        """Write `text` to `path` as a WAV file.  Raises SpeechError or OSError."""


class EspeakNg:
    """The program of that name: small, quick, some hundred languages."""

    def __init__(self, settings: SpeechTable) -> None:
        self._settings = settings

    async def speak(self, text: str, language: str, path: Path) -> None:
        voice = self._settings.voices.get(language, language.lower())
        words = ["-v", voice, "-s", str(self._settings.rate), "-w", str(path), "--", text]
        program = await asyncio.create_subprocess_exec(
            "espeak-ng", *words, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, told = await program.communicate()
        except asyncio.CancelledError:
            program.kill()
            await program.wait()
            raise
        if program.returncode:
            raise SpeechError(told.decode(errors="replace").strip() or "espeak-ng failed")


ENGINES: dict[str, Callable[[SpeechTable], Engine]] = {"espeak-ng": EspeakNg}
"""Those that need no package."""


def find_engine(settings: SpeechTable) -> Engine:
    """The engine that `[speech]` names.  Raises SpeechError where none is called so."""
    known = dict(ENGINES)
    for point in entry_points(group=GROUP):
        if point.name == settings.engine:
            known[point.name] = point.load()
    if settings.engine not in known:
        names = sorted({*known, *(point.name for point in entry_points(group=GROUP))})
        raise SpeechError(f'no engine "{settings.engine}"; there are {", ".join(names)}')
    return known[settings.engine](settings)


Spoken: TypeAlias = tuple[str, str]
"""(text, language)"""


class Speech:
    """Spoken texts, kept in a folder under a name made of all that makes them sound as they do."""

    def __init__(self, settings: SpeechTable, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self._engine: Engine | None = None
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._refused: set[Spoken] = set()

    async def say(self, text: str, language: str) -> Path | None:
        """A file that says `text`; None where the engine cannot, told once in the log."""
        path = self._path(text, language)
        if self._is_kept(path):
            return path
        try:
            async with self._gate, asyncio.timeout(self._settings.timeout):
                await self._make(text, language, path)
        except (SpeechError, OSError, TimeoutError) as error:
            self._tell(text, language, str(error) or "took too long")
            return None
        return path

    def kept(self, text: str, language: str) -> Path | None:
        """The file, if the text was spoken before."""
        path = self._path(text, language)
        return path if self._is_kept(path) else None

    async def _make(self, text: str, language: str, path: Path) -> None:
        if self._engine is None:
            self._engine = find_engine(self._settings)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            made = Path(scratch) / "spoken.wav"
            await self._engine.speak(text, language, made)
            made.replace(path)  # whole or not at all

    def _path(self, text: str, language: str) -> Path:
        settings = self._settings
        voice = settings.voices.get(language, "")
        said = "\n".join([settings.engine, str(settings.rate), voice, language, text])
        return self._folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.wav"

    @staticmethod
    def _is_kept(path: Path) -> bool:
        return path.is_file()

    def _tell(self, text: str, language: str, why: str) -> None:
        if (text, language) not in self._refused:
            self._refused.add((text, language))
            log.warning("a text cannot be spoken", text=text[:60], language=language, why=why)
