"""Trunks: the ways to the outside world, and who comes in by them."""

from __future__ import annotations

from softswitch.pbx.peers import Line
from softswitch.pbx.switch import Switch
from softswitch.sip.types import Flow


class Trunks:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def of(self, flow: Flow) -> Line | None:
        """The trunk whose address this flow comes from."""
        return None
