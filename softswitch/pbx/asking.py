"""Requests of the switch's own to a server outside: OPTIONS and REGISTER, awaited."""

from __future__ import annotations

import asyncio

from config.trunks import Trunk
from softswitch.sip import digest
from softswitch.sip.exchange import Credentials
from softswitch.sip.message import Request, Response
from softswitch.sip.stack import Stack
from softswitch.sip.types import Destination, Seconds
from softswitch.sip.ua import UserAgent


async def ask(
    ua: UserAgent,
    request: Request,
    destination: Destination,
    patience: Seconds,
    credentials: Credentials | None = None,
) -> Response | None:
    """The final response to `request`; None where none came within `patience`."""
    answer: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()

    def take(response: Response | None) -> None:
        if not answer.done():
            answer.set_result(response)

    ua.request(request, destination, take, credentials)
    try:
        async with asyncio.timeout(patience):
            return await answer
    except TimeoutError:
        return None


def credentials_of(trunk: Trunk, ua: Stack) -> Credentials | None:
    """What answers a provider's challenges in the trunk's name; None where it has no account."""
    if trunk.username is None or trunk.password is None:
        return None
    username = trunk.auth_username or trunk.username
    identity = digest.Credentials(username, trunk.password.get_secret_value())

    def answer(method: str, uri: str, response: Response) -> tuple[str, str] | None:
        for challenge in digest.challenges(response):
            value = digest.answer(challenge, method, uri, identity, ua.rng)
            if value is not None:
                return challenge.header, value
        return None

    return answer
