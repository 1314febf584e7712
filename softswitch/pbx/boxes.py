"""Voicemail boxes as they are set: `[boxes]`, `[voicemail]` and the extension, put together."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from config.settings import Settings
from config.voicemail import Box

GREETING = "greeting.wav"
"""What its owner recorded, in the box's folder."""


class BoxView(NamedTuple):
    """One box, every default filled in."""

    number: str
    """As in `voicemail:NUMBER`."""
    name: str
    pin: str | None
    members: tuple[str, ...]
    """Extensions whose lamp it lights; the first is its owner, if it is a person's."""
    addresses: tuple[str, ...]
    attach: bool
    delete_after_mail: bool
    greeting: str
    operator: str | None
    language: str | None
    limit: int


def box_view(settings: Settings, number: str) -> BoxView | None:
    """The box called `number`; None where there is none."""
    if not settings.has_box(number):
        return None
    box = settings.boxes.get(number, Box())
    person = settings.extensions.get(number)
    pin = box.pin or (person.pin if person else None)
    email = (person.email,) if person and person.email else ()
    own = (number,) if person else ()
    return BoxView(
        number=number,
        name=box.name or (person.name if person else ""),
        pin=pin.get_secret_value() if pin else None,
        members=tuple(dict.fromkeys((*own, *box.members))),
        addresses=box.email or email,
        attach=box.attach,
        delete_after_mail=box.delete_after_mail,
        greeting=box.greeting or settings.voicemail.greeting,
        operator=box.operator if settings.voicemail.operator_key else None,
        language=box.language or (person.language if person else None),
        limit=box.max_messages or settings.voicemail.max_messages,
    )


def boxes_of(settings: Settings, extension: str) -> tuple[str, ...]:
    """The boxes whose lamp an extension sees: its own first, then those it shares."""
    own = (extension,) if settings.has_box(extension) else ()
    shared = (name for name, box in settings.boxes.items() if extension in box.members)
    return tuple(dict.fromkeys((*own, *shared)))


def folder_of(settings: Settings, number: str) -> Path:
    """Where the sound of a box lies."""
    return settings.switch.data / "voicemail" / number


def own_greeting(settings: Settings, number: str) -> Path | None:
    """The greeting that its owner recorded, if there is one."""
    path = folder_of(settings, number) / GREETING
    return path if path.is_file() else None
