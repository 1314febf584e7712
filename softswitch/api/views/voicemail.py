"""Voicemail as the API shows it."""

from __future__ import annotations

from pathlib import Path

from softswitch.api import models
from softswitch.api.view import UnknownError
from softswitch.pbx.switch import Switch
from softswitch.store.voicemail import VoiceMessage


class Voicemail:
    """Over the index in the store; the sound lies in files."""

    def __init__(self, switch: Switch) -> None:
        self._switch, self._index = switch, switch.store.voicemail

    def boxes(self) -> list[models.Box]:
        found = self._index.boxes()
        return [models.Box(box=box, new=new, old=old) for box, (new, old) in sorted(found.items())]

    def box(self, box: str) -> list[models.VoiceMessage]:
        found = self._index.box(box)
        if not found and not self._switch.settings.has_box(box):
            raise UnknownError("voicemail box", box)
        return [_message(message) for message in found]

    def sound_of(self, message: str) -> Path:
        path = Path(self._get(message).path)
        if not path.exists():
            raise UnknownError("recording of message", message)
        return path

    def delete_message(self, message: str) -> None:
        self._switch.mailroom.delete(self._get(message))

    def _get(self, identity: str) -> VoiceMessage:
        message = self._index.get(identity)
        if message is None:
            raise UnknownError("message", identity)
        return message


def _message(message: VoiceMessage) -> models.VoiceMessage:
    return models.VoiceMessage(
        id=message.id,
        box=message.box,
        left_at=message.left_at,
        seconds=message.seconds,
        caller=message.caller,
        caller_name=message.caller_name,
        heard_at=message.heard_at,
        call_id=message.call_id,
    )
