"""Day, night, lunch as the API shows and sets them."""

from __future__ import annotations

import time

from softswitch.api import models
from softswitch.api.view import UnknownError
from softswitch.pbx import modes
from softswitch.pbx.mode_codes import set_mode
from softswitch.pbx.switch import Switch


class Modes:
    """Over the calendar and what was set by hand."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def mode(self) -> models.Mode:
        now, switch = time.time(), self._switch
        name = modes.current(switch.settings, switch.store.state, now)
        chosen = modes.by_hand(switch.store.state, now)
        return models.Mode(
            name=name, by_hand=chosen is not None, until=chosen.until if chosen else None
        )

    def set_mode(self, wish: models.ModeWish) -> None:
        switch = self._switch
        if wish.name is not None and wish.name not in switch.settings.mode_names:
            names = ", ".join(switch.settings.mode_names)
            raise UnknownError("mode", f"{wish.name}; there are {names}")
        set_mode(switch, wish.name, by="command", until=wish.until)
