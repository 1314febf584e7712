"""Prompts that settings name: whether there is anything that says them.

Every field of type `Prompt`, wherever it stands, and every `play:` target is looked at; what
cannot be said is a warning, since callers then hear nothing, or the text in another way.
"""

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel

from config.base import SOUND_FILES, sound_beside_file
from config.problems import did_you_mean, dotted
from config.references import all_targets
from config.settings import Settings
from config.targets import Kind
from media.prompts import LANGUAGES, texts


def unsaid(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted key, sentence) of every prompt that cannot be said as it is written."""
    known = {*settings.prompts, *shipped()}
    for key, name in prompts_named(settings):
        if Path(name).suffix.lower() in SOUND_FILES and name not in known:
            if not Path(name).is_file():
                yield key, f"{name} does not exist; callers hear nothing instead"
        elif name not in known:
            hint = did_you_mean(name, known)
            yield key, f'there is no prompt "{name}"{hint}; callers hear nothing instead'
    if settings.speech.engine == "espeak-ng" and shutil.which("espeak-ng") is None:
        for key in _texts(settings):
            yield key, "espeak-ng is not installed, so the text is not spoken"
            return


@cache
def shipped() -> frozenset[str]:
    """The prompts that there are without any settings."""
    return frozenset(name for language in LANGUAGES for name in texts(language))


def prompts_named(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted key, prompt) of everything that is said by name."""
    for table in type(settings).model_fields:
        yield from _walk(getattr(settings, table), (table,))
    for key, target in all_targets(settings):
        if target.kind is Kind.PLAY:
            yield key, target.name


def _walk(value: object, path: tuple[int | str, ...]) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _walk(inner, (*path, key))
        case tuple() if not hasattr(value, "_fields"):
            for index, inner in enumerate(value):
                yield from _walk(inner, (*path, index))
        case BaseModel():
            for name, is_prompt in _fields(type(value)):
                where, inner = (*path, name.rstrip("_")), getattr(value, name)
                if is_prompt:
                    yield from _said(inner, where)
                else:
                    yield from _walk(inner, where)


def _said(value: object, path: tuple[int | str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield dotted(*path), value
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _said(each, path if len(value) == 1 else (*path, index))


@cache
def _fields(table: type[BaseModel]) -> tuple[tuple[str, bool], ...]:
    """The fields of a table, and whether each holds prompts; there may be thousands of tables."""
    return tuple(
        (name, _is_prompt(field.annotation, tuple(field.metadata)))
        for name, field in table.model_fields.items()
    )


def _is_prompt(annotation: Any, metadata: tuple[Any, ...]) -> bool:
    """Whether a field's type is `Prompt`, or several of them, or perhaps one."""
    if any(isinstance(m, AfterValidator) and m.func is sound_beside_file for m in metadata):
        return True
    if get_origin(annotation) is Annotated:
        inner, *further = get_args(annotation)
        return _is_prompt(inner, tuple(further))
    return any(_is_prompt(each, ()) for each in get_args(annotation) if each is not ...)


def _texts(settings: Settings) -> Iterator[str]:
    """Keys of what the synthesiser would have to speak."""
    yield from (dotted("menus", name, "text") for name, m in settings.menus.items() if m.text)
    yield from (dotted("prompts", name, "text") for name, p in settings.prompts.items() if p.text)
