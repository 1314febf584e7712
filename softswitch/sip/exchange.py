"""A request of ours past the digest challenges that stand in its way (RFC 3261 §22.2).

Knows when another attempt makes sense.  Refuses to know passwords: whoever does answers
a challenge through `Credentials`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from softswitch.sip.draft import Draft, lines
from softswitch.sip.message import Response
from softswitch.sip.transaction import ClientTransaction, OnResponse
from softswitch.sip.types import Destination

if TYPE_CHECKING:
    from softswitch.sip.stack import Stack

Credentials: TypeAlias = Callable[[str, str, Response], tuple[str, str] | None]
"""(method, Request-URI, 401 or 407) → the header that answers it as (name, value), or None."""

MAX_STALE = 3
"""How many nonces may go stale in a row before we take the refusal for meant."""


class Challenges:
    """What one request has answered so far: each kind of challenge once, again if stale."""

    __slots__ = ("_answers", "_count", "_credentials")

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._answers: dict[str, str] = {}
        self._count: dict[int, int] = {}

    def answer(self, method: str, uri: str, response: Response) -> str | None:
        """The header lines of the next attempt; None if `response` is the last word."""
        status = response.status
        if self._credentials is None or status not in (401, 407):
            return None
        seen = self._count[status] = self._count.get(status, 0) + 1
        if seen > MAX_STALE or (seen > 1 and not _is_stale(response)):
            return None
        header = self._credentials(method, uri, response)
        if header is None:
            return None
        self._answers[header[0]] = header[1]
        return lines(self._answers.items())


class Exchange:
    """One non-INVITE request with all its attempts; provisional responses are dropped."""

    __slots__ = (
        "_challenges",
        "_destination",
        "_draft",
        "_extra",
        "_next_number",
        "_on_response",
        "_ua",
    )

    def __init__(
        self,
        ua: Stack,
        draft: Draft,
        destination: Destination,
        on_response: OnResponse,
        credentials: Credentials | None,
        next_number: Callable[[], int] | None = None,
    ) -> None:
        """`next_number` numbers another attempt; outside a dialog it is the next integer."""
        self._ua, self._draft, self._destination = ua, draft, destination
        self._extra = draft.extra
        self._on_response, self._next_number = on_response, next_number
        self._challenges = Challenges(credentials)

    def start(self) -> ClientTransaction:
        return self._ua.start(self._draft, self._destination, self._receive, self._ua.clock())

    def _receive(self, response: Response | None) -> None:
        if response is not None and response.status < 200:
            return
        if response is not None and response.status in (401, 407):
            draft = self._draft
            answer = self._challenges.answer(draft.method, draft.uri, response)
            if answer is not None:
                number = self._next_number() if self._next_number else draft.number + 1
                self._draft = draft.again(number, answer + self._extra)
                self.start()
                return
        self._on_response(response)


def _is_stale(response: Response) -> bool:
    """Whether only the nonce was too old (RFC 7616 §3.3)."""
    headers = response.headers
    challenges = headers.all("WWW-Authenticate") + headers.all("Proxy-Authenticate")
    return any("stale=true" in text.lower().replace('"', "") for text in challenges)
