"""Doing something for one party of a conversation while either may hang up at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from softswitch.calls.events import Asked, Digit, Ended, Event, Taken
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Left:
    """Who is gone; what was being done has been given up."""

    leg: Leg


async def meanwhile(
    inbox: Inbox[Event], work: Coroutine[Any, Any, T], *, give_up: Leg | None = None
) -> T | Left | None:
    """Do `work` while `inbox` tells of the parties; its result.

    `Left` where one of them went, None where `give_up` pressed `#`.  What they ask by SIP
    meanwhile is refused for now (491).
    """
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[Left | None] = loop.create_future()

    def look(event: Event) -> None:
        match event:
            case Ended(leg) | Taken(leg) if not gone.done():
                gone.set_result(Left(leg))
            case Digit(leg, "#") if leg is give_up and not gone.done():
                gone.set_result(None)
            case Asked():
                event.respond(491)
            case _:  # holds are seen in the legs themselves
                pass

    while len(inbox):
        look(await inbox.get())
    inbox.tee(look)
    task = loop.create_task(work)
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else gone.result()
    finally:
        inbox.tee(None)
        inbox.clear()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # until it has cleaned up
