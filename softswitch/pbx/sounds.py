"""From the names of settings to what the media engine plays: prompts, texts, music.

A prompt is looked for in `[prompts]` (its file, then its text), then among those that ship,
each in the wished language, then in the switch's own, then in English; a path is a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from random import Random, random
from typing import NamedTuple, TypeAlias

from config.base import SOUND_FILES
from config.base import Prompt as PromptName
from config.settings import Settings
from config.sound import Music, PromptEntry
from media.client import Media, Player
from media.items import File, Item, Prompt
from media.prompts import find_prompt, shipped_music
from softswitch.pbx.speech import Speech

DEFAULT_MUSIC = "default"
_DRAWN = random()
"""What this run's shuffled music is drawn by, so that all hear the same order."""
_VARIABLE = re.compile(r"\{(\w+)\}")

Texts: TypeAlias = str | dict[str, str]
"""One text for all, or one by language."""


class Text(NamedTuple):
    """Something to be synthesised, its variables not yet filled in."""

    text: str
    language: str


class Sounds:
    """What there is to hear, under one set of settings."""

    def __init__(self, settings: Settings, media: Media) -> None:
        self._settings, self._media = settings, media
        self._speech = Speech(settings.speech, settings.switch.data / "speech")

    def prompt(self, name: PromptName, language: str | None = None) -> Item | None:
        """What says `name`, as far as no synthesiser has to be asked; None if nothing can."""
        match self._find(name, self._languages(language)):
            case Text(text, spoken):
                file = self._speech.kept(text, spoken)
                return File(str(file)) if file is not None else None
            case found:
                return found

    async def say(
        self,
        name: PromptName,
        language: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Item | None:
        """What says `name`, synthesised if need be; `values` fill in `{variables}`."""
        match self._find(name, self._languages(language)):
            case Text(text, spoken):
                return await self._spoken(filled(text, values or {}), spoken)
            case found:
                return found

    async def speak(
        self, texts: Texts, language: str | None = None, values: Mapping[str, str] | None = None
    ) -> Item | None:
        """A text of the settings, synthesised; None where the engine cannot."""
        chosen = _text(texts, self._languages(language))
        if chosen is None:
            return None
        return await self._spoken(filled(chosen.text, values or {}), chosen.language)

    def music(self, name: str | None = None) -> Player:
        """Hold music; everybody who hears the same class hears the same moment of it."""
        chosen = name or DEFAULT_MUSIC
        items = self._tracks(chosen)
        key = f"music:{chosen}:{hash(items)}"  # other files after a reload are another player
        return self._media.player(*items, loop=True, shared=key)

    def _find(self, name: PromptName, wished: tuple[str, ...]) -> Item | Text | None:
        entry = self._settings.prompts.get(name)
        if entry is not None:
            if (file := _file(entry, wished)) is not None:
                return File(str(file))
            if entry.text is not None and (text := _text(entry.text, wished)) is not None:
                return text
        if Path(name).suffix.lower() in SOUND_FILES:
            return File(name)
        for each in wished:
            if find_prompt(name, each) is not None:
                return Prompt(name, each)
        return None

    async def _spoken(self, text: str, language: str) -> Item | None:
        file = await self._speech.say(text, language)
        return File(str(file)) if file is not None else None

    def _tracks(self, name: str) -> tuple[Item, ...]:
        music = self._settings.music.get(name)
        files = _files(music) if music is not None else []
        if music is not None and music.shuffle:
            Random(f"{name} {_DRAWN}").shuffle(files)
        return tuple(File(str(path)) for path in files or shipped_music())

    def _languages(self, wished: str | None) -> tuple[str, ...]:
        own = self._settings.switch.language
        return tuple(dict.fromkeys([wished or own, own, "en"]))


def _files(music: Music) -> list[Path]:
    found = sorted(music.folder.iterdir()) if music.folder and music.folder.is_dir() else []
    return [*music.files, *(path for path in found if path.suffix.lower() in SOUND_FILES)]


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its `{variables}` replaced; what is not known is left out."""
    return _VARIABLE.sub(lambda match: values.get(match[1], ""), text)


def _file(entry: PromptEntry, languages: tuple[str, ...]) -> Path | None:
    """The first file that is really there."""
    if entry.file is None:
        return None
    by_language = (
        entry.file if isinstance(entry.file, dict) else dict.fromkeys(languages, entry.file)
    )
    there = (by_language[each] for each in languages if each in by_language)
    return next((path for path in there if path.is_file()), None)


def _text(texts: Texts, languages: tuple[str, ...]) -> Text | None:
    if isinstance(texts, str):
        return Text(texts, languages[0])
    return next((Text(texts[each], each) for each in languages if each in texts), None)
