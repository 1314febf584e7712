"""How the switch itself speaks to somebody: prompts in his language, questions answered by key.

Knows names of prompts and languages.  Refuses to know what is said when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.items import Item, Say
from media.prompts import LANGUAGES
from softswitch.calls.call import Call
from softswitch.calls.leg import Leg
from softswitch.pbx.sounds import Texts
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

ANY_KEY = "0123456789*#ABCD"


class Voice:
    """Speaks to one leg of a call.

    What is said is a prompt's name or an item.  A prompt that does not exist is left out.
    """

    def __init__(self, switch: Switch, call: Call, leg: Leg | None = None) -> None:
        self._switch, self._call = switch, call
        self.leg = leg or call.leg

    @property
    def language(self) -> str:
        """As chosen in the call, else as its line or the extension has it, else the switch's.

        Whoever is not the served party has chosen nothing: his extension's language comes first.
        """
        settings = self._switch.settings
        person = settings.extensions.get(self.leg.owner or "")
        own = person.language if person is not None else None
        chosen = self._call.language
        first = chosen or own if self.leg is self._call.leg else own or chosen
        return first or settings.switch.language

    async def say(self, *what: str | Item, keys: str = "") -> str | None:
        """Say it to the end, or until one of `keys` is pressed; the key that was."""
        items = await self.items(*what)
        return await self.leg.play(*items, keys=keys) if items else None

    async def ask(
        self,
        *what: str | Item,
        most: int = 1,
        timeout: Seconds = 5.0,  # noqa: ASYNC109 - a telephone's word
        gap: Seconds = 3.0,
        end: str = "#",
    ) -> str:
        """Say it and collect up to `most` keys, which interrupt it; "" if none came."""
        items = await self.items(*what)
        return await self.leg.collect(*items, most=most, timeout=timeout, gap=gap, end=end)

    async def items(self, *what: str | Item) -> list[Item]:
        """What plays these, in order."""
        sounds, language, values = self._switch.sounds, self.language, self._values()
        found = [
            await sounds.say(each, language, values) if isinstance(each, str) else each
            for each in what
        ]
        return [item for item in found if item is not None]

    async def text(self, texts: Texts) -> list[Item]:
        """What speaks one of these texts, the one in the leg's language if there is one."""
        item = await self._switch.sounds.speak(texts, self.language, self._values())
        return [item] if item is not None else []

    def value(self, kind: str, value: str) -> Item:
        """A number, time or the like, in words (`media.prompts.say`)."""
        language = self.language.partition("-")[0]
        return Say(kind, value, language if language in LANGUAGES else "en")

    def _values(self) -> dict[str, str]:
        """What `{variables}` of texts may name: the caller, and what menus collected."""
        caller = self._call.leg.party
        return {"caller": caller.number, "caller_name": caller.name, **self._call.fields}
