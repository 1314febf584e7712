"""Messages of a shared box given out to a queue's agents, each to one of them (I8).

Whoever has the fewest callbacks open gets the next; it is closed by a call to whoever spoke.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.settings import Settings
from softswitch.store.voicemail import VoiceMessage

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


def give_out(switch: Switch, message: VoiceMessage) -> None:
    """File a callback for a new message, if its box is shared out."""
    settings = switch.settings
    box = settings.boxes.get(message.box)
    if box is None or box.distribute is None:
        return
    desks = _desks(settings, box.distribute)
    if not desks:
        return
    owner = min(desks, key=lambda desk: len(switch.errands.all(desk)))
    switch.errands.file(
        owner,
        message.caller or f"{settings.codes.any_voicemail}{message.box}",  # to hear who it was
        note=f"message in box {message.box}",
        by=message.box,
    )


def _desks(settings: Settings, queue: str) -> list[str]:
    """Extensions of the queue's agents, in the order of the settings."""
    agents = (settings.agents[name] for name in settings.queues[queue].agents)
    return [agent.extension for agent in agents if agent.extension is not None]
