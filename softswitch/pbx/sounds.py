"""From the names of settings to what the media engine plays: prompts, music, tones.

A prompt is looked for in `[prompts]`, then among those that ship, each in the wished
language, then in the switch's own, then in English; a path is a file.
"""

from __future__ import annotations

from pathlib import Path

from config.base import Prompt as PromptName
from config.settings import Settings
from config.sound import Music, PromptEntry
from media.client import Media, Player
from media.items import File, Item, Prompt
from media.prompts import find_prompt, shipped_music

SOUND_FILES = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a"}
DEFAULT_MUSIC = "default"


class Sounds:
    """What there is to hear, under one set of settings."""

    def __init__(self, settings: Settings, media: Media) -> None:
        self._settings, self._media = settings, media

    def prompt(self, name: PromptName, language: str | None = None) -> Item | None:
        """What says `name`; None where there is nothing that could (`check` warned of it)."""
        wished = self._languages(language)
        entry = self._settings.prompts.get(name)
        if entry is not None and (file := _file(entry, wished)) is not None:
            return File(str(file))
        if Path(name).suffix.lower() in SOUND_FILES:
            return File(name)
        for each in wished:
            if find_prompt(name, each) is not None:
                return Prompt(name, each)
        return None

    def music(self, name: str | None = None) -> Player:
        """Hold music; everybody who hears the same class hears the same moment of it."""
        chosen = name or DEFAULT_MUSIC
        items = self._tracks(self._settings.music.get(chosen))
        key = f"music:{chosen}:{hash(items)}"  # other files after a reload are another player
        return self._media.player(*items, loop=True, shared=key)

    def _tracks(self, music: Music | None) -> tuple[Item, ...]:
        files: list[Path] = []
        if music is not None:
            files = list(music.files)
            if music.folder is not None:
                found = sorted(music.folder.iterdir()) if music.folder.is_dir() else []
                files += [path for path in found if path.suffix.lower() in SOUND_FILES]
        return tuple(File(str(path)) for path in files or shipped_music())

    def _languages(self, wished: str | None) -> tuple[str, ...]:
        own = self._settings.switch.language
        return tuple(dict.fromkeys([wished or own, own, "en"]))


def _file(entry: PromptEntry, languages: tuple[str, ...]) -> Path | None:
    if isinstance(entry.file, dict):
        return next((entry.file[each] for each in languages if each in entry.file), None)
    return entry.file
