"""`menu:NAME`: a voice menu: something is said, keys lead on, extensions are dialled meanwhile.

Walks from menu to menu by itself, so that `back` knows the way; everything else is handed to
the targets.  A place that a caller chose and that failed him brings him back to the menu.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from config.menus import Collect, Menu
from config.targets import Kind, Target, Targets
from media.items import Item
from softswitch.calls.call import Call
from softswitch.calls.causes import BUSY, LOOP, NORMAL
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.pbx.keys import Book, Choice, Keys
from softswitch.pbx.targets import serve
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

DIALLED = (Kind.EXTENSION, Kind.GROUP, Kind.QUEUE, Kind.CONFERENCE)
"""What may be dialled by its number from within a menu: nothing that costs money."""


async def menu(switch: Switch, call: Call, target: Target) -> None:
    """Lead the caller through a tree of menus to where he wants to go.

    Raises NotAnswered where the last place that he chose failed him.
    """
    first = switch.settings.menus[target.name]
    if first.answer_after and not call.leg.answered:
        call.leg.ring()
        await asyncio.sleep(first.answer_after)
    call.leg.answer()
    await Walk(switch, call, target.name).go()


class Walk:
    """One caller's way through the menus."""

    def __init__(self, switch: Switch, call: Call, first: str) -> None:
        self._switch, self._call = switch, call
        self._voice, self._keys = Voice(switch, call), Keys(call.leg)
        self._path, self._failures = [first], 0
        self._unasked = 0
        """Menus in a row that nobody chose: `no_input` may lead in a circle."""

    async def go(self) -> None:
        """From menu to menu until a target takes the call."""
        while True:
            here = self._enter()
            targets, chosen = await self._visit(here)
            self._unasked = 0 if chosen else self._unasked + 1
            if self._unasked > self._switch.settings.limits.forwards:
                raise Refused(LOOP, "nobody presses anything")
            if self._step(targets):
                continue
            if not targets:
                self._call.leg.hang_up(NORMAL)
                return
            try:
                await serve(self._switch, self._call, targets)
            except NotAnswered as failure:
                self._failures += 1
                if not chosen or self._failures >= here.tries:
                    raise
                await self._voice.say("busy" if failure.cause == BUSY else "unavailable")
            else:
                return

    def _enter(self) -> Menu:
        """Where the caller is now."""
        name = self._path[-1]
        here = self._switch.settings.menus[name]
        self._call.record.event("menu", menu=name)
        if here.language is not None:
            self._call.language = here.language
        return here

    def _step(self, targets: Targets) -> bool:
        """Obey what means something to this walk only; False for all else."""
        match targets:
            case (Target(Kind.MENU, name),):
                self._path.append(name)
            case (Target(Kind.BACK),):
                self._path = self._path[:-1] or self._path
            case (Target(Kind.LANGUAGE, language),):
                self._call.language = language
                self._call.record.learn(language=language)
            case (Target(Kind.REPEAT),):
                pass
            case _:
                return False
        return True

    async def _visit(self, here: Menu) -> tuple[Targets, bool]:
        """Say the menu as often as `tries` allows: where to go, and whether the caller chose it."""
        branch = here.no_input
        for _ in range(here.tries):
            choice = await self._choice(here)
            if choice is None:
                branch = here.no_input
            elif choice.targets:
                self._call.record.event("chosen", target=[str(each) for each in choice.targets])
                return choice.targets, True
            else:
                branch = here.invalid or here.no_input
                await self._voice.say(here.invalid_prompt or "invalid")
        return branch, False

    async def _choice(self, here: Menu) -> Choice | None:
        """What the caller wants after hearing the menu once; None where he pressed nothing."""
        items = await self._spoken(here)
        if here.collect is not None:
            return await self._collect(here, here.collect, items)
        numbers = _numbers(self._switch) if here.direct_dial else {}
        choice = await self._read(here, items, Book(here.keys, numbers))
        if choice is not None and choice.targets == (Target(Kind.DIAL),):
            asked = await self._voice.items("dial-extension")
            return await self._read(here, asked, Book({}, _numbers(self._switch)))
        return choice

    async def _read(self, here: Menu, items: Sequence[Item], book: Book) -> Choice | None:
        return await self._keys.choose(items, book, wait=here.timeout, gap=here.digit_time)

    async def _collect(self, here: Menu, collect: Collect, items: Sequence[Item]) -> Choice | None:
        """Digits asked of the caller; they are kept with the call."""
        first = await self._keys.first(items, here.timeout)
        if not first:
            return None
        if first in here.keys and not first.isdigit():
            return Choice(here.keys[first])
        typed = await self._keys.rest(
            first, most=collect.most, end=collect.end or "", gap=here.digit_time
        )
        if not typed.isdigit() or len(typed) < collect.least:
            return Choice(())
        if collect.confirm and not await self._is_right(typed, here):
            return await self._collect(here, collect, items)
        self._call.fields[collect.field] = typed
        self._call.record.learn(fields=dict(self._call.fields))
        self._switch.tell("call.collected", call=self._call.id, fields=dict(self._call.fields))
        return Choice(collect.then)

    async def _is_right(self, typed: str, here: Menu) -> bool:
        read_back = await self._voice.items(self._voice.value("digits", typed), "callback-confirm")
        return await self._keys.first(read_back, here.timeout) == "1"

    async def _spoken(self, here: Menu) -> list[Item]:
        items = await self._voice.items(*here.prompt)
        return items + (await self._voice.text(here.text) if here.text is not None else [])


def _numbers(switch: Switch) -> dict[str, Target]:
    """What may be dialled directly."""
    plan = switch.plan.inside
    return {number: target for number, target in plan.items() if target.kind in DIALLED}
