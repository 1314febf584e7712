"""Event streams over HTTP: server-sent events (WHATWG HTML §9.2) from a hub."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from typing import Final

from fastapi import Request
from starlette.responses import StreamingResponse

from softswitch.api.events import Event, Hub, Wanted, everything

PING: Final = 15.0  # seconds of silence after which proxies begin to doubt


class EventStream(StreamingResponse):
    """Documents itself as `text/event-stream`."""

    media_type = "text/event-stream"


def stream(
    hub: Hub, request: Request, wanted: Wanted = everything, past: Iterable[Event] = ()
) -> EventStream:
    """`past`, then what the hub tells, from `Last-Event-ID` on where the client sends one."""
    last = request.headers.get("last-event-id", "")
    after = int(last) if re.fullmatch(r"[0-9]{1,18}", last) else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(lines(hub, after, wanted, past=past), headers=headers)


async def lines(
    hub: Hub,
    after: int | None,
    wanted: Wanted,
    ping: float = PING,
    past: Iterable[Event] = (),
) -> AsyncIterator[str]:
    """The text of a stream, until the hub ends or the listener is cut off."""
    listener = hub.listen(after, wanted)
    try:
        yield ": ready\n\n"
        for each in past:
            yield written(each)
        while True:
            try:
                async with asyncio.timeout(ping):
                    event = await listener.next()
            except TimeoutError:
                yield ": ping\n\n"
                continue
            if event is None:
                return
            yield written(event)
    finally:
        hub.leave(listener)


def written(event: Event) -> str:
    """One event; JSON holds no line break, so one `data` line will do."""
    return f"id: {event.sequence}\nevent: {event.kind}\ndata: {event.text}\n\n"
