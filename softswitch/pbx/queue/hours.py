"""Service hours: a queue is open in the modes that its settings name, else always."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from acd.events import QueueClosed, QueueOpened
from softswitch.pbx import modes

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre
    from softswitch.pbx.switch import Switch


def look_at_hours(centre: Centre, name: str) -> None:
    """Open or close a queue as the mode of the moment wants it."""
    queue, settings = centre.floor.queues.get(name), centre.switch.settings.queues.get(name)
    if queue is None or settings is None:
        return
    is_open = not settings.open or _mode(centre.switch) in settings.open
    if queue.open is not is_open:
        centre.tell(QueueOpened(name) if is_open else QueueClosed(name))


def _mode(switch: Switch) -> str:
    return modes.current(switch.settings, switch.store.state, time.time())
