"""No request takes for ever: one that has not begun to answer in time gets 503."""

import asyncio
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAMS: Final = frozenset({"/v1/events", "/v1/trace", "/v1/records.csv"})
"""What answers at once and then goes on for as long as somebody listens."""


class Patience:
    """Gives each request `seconds`; an answer that has begun is cut off, not replaced."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in STREAMS:
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, receive, watched)
        except TimeoutError:
            if begun:
                raise
            detail = f"no answer within {self._seconds:g} s; the switch is busy"
            await JSONResponse({"detail": detail}, 503)(scope, receive, send)
