"""A stateful proxy's decisions for requests that need no media: MESSAGE, OPTIONS, SUBSCRIBE,
NOTIFY, PUBLISH (RFC 3261 §16, RFC 5393, RFC 4320).

Knows what to refuse, what to change on the way and which of several answers is the best.
Refuses to know where targets come from, transactions and sockets: it sends and answers
through callables.  INVITE never comes here, for calls are not proxied.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeAlias

from softswitch.sip.digest import digest_params
from softswitch.sip.draft import Draft, lines
from softswitch.sip.headers import MAGIC_COOKIE, NameAddr
from softswitch.sip.message import Headers, Request, Response, reply
from softswitch.sip.types import Destination, ParseError
from softswitch.sip.uri import SipUri

_REWRITTEN = frozenset(
    ("Via", "Max-Forwards", "Route", "Record-Route", "From", "To", "Call-ID", "CSeq")
)
_NOT_PASSED_ON = frozenset(
    ("P-Asserted-Identity", "P-Preferred-Identity", "Diversion", "History-Info", "Content-Length")
)
"""What a phone says of itself there is no knowledge of ours."""

_CREDENTIALS = ("Authorization", "Proxy-Authorization")
_CHALLENGES = ("WWW-Authenticate", "Proxy-Authenticate")
_PREFERRED = (401, 407, 415, 420, 484)
"""Answers that tell the client how to do better (§16.7 step 6)."""


class Client(Protocol):
    """A client transaction; `failure` is the status that stands for no answer, or 0."""

    failure: int


OnResponse: TypeAlias = Callable[[Response | None], None]
Send: TypeAlias = Callable[[Draft, Destination, str, OnResponse], Client]
"""Sends a request in a client transaction with this branch; may answer with None."""

Answer: TypeAlias = Callable[[Response], None]
"""Sends a response upstream, in the server transaction of the request."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One target: the new Request-URI, where the request goes, the Path URIs to put before it."""

    uri: str
    destination: Destination
    path: tuple[str, ...] = ()


class Proxy:
    """Forwards requests.  `ours` tells whether a URI's host (and port) is this server.

    `key` signs branches, so that a request which comes back unchanged is known as a loop.
    """

    def __init__(
        self, realm: str, ours: Callable[[SipUri], bool], key: bytes, rng: Random, send: Send
    ) -> None:
        self._realm, self._ours, self._key, self._rng = realm, ours, key, rng
        self._send = send

    def admit(self, request: Request) -> Request | Response:
        """The request with its routes straightened out (§16.4), or why it goes no further."""
        refusal = _refusal(request)
        if refusal is not None:
            return refusal
        straight = self._straightened(request)
        mark = self._loop_mark(straight)
        if any((via.branch or "").endswith(f".{mark}") for via in straight.vias):
            return reply(request, 482)
        return straight

    def forward(
        self,
        request: Request,
        hops: Sequence[Hop],
        answer: Answer,
        *,
        record_route: str | None = None,
    ) -> None:
        """Send an admitted request to all of `hops` at once, and the best answer back.

        A request without hops gets 480.  `record_route` is our URI for the dialog that
        the request may begin.
        """
        if not hops:
            answer(reply(request, 480))
            return
        fork = _Fork(request, answer, len(hops))
        loop_mark = self._loop_mark(request)
        for hop in hops:
            branch = f"{MAGIC_COOKIE}{self._rng.getrandbits(64):016x}.{loop_mark}"
            fork.start(self._send, self._draft(request, hop, record_route), hop, branch)

    def _straightened(self, request: Request) -> Request:
        """§16.4: undo what a strict router did, drop the Route that led here."""
        uri, routes = request.uri, request.routes
        if routes and self._ours(request.request_uri) and request.request_uri.loose:
            uri = routes.pop().uri
        if routes and self._names_us(routes[0]):
            del routes[0]
        straight = Request(request.method, uri, request.headers.copy(), request.body)
        straight.headers.replace("Route", [str(route) for route in routes])
        return straight

    def _names_us(self, route: NameAddr) -> bool:
        try:
            return self._ours(route.sip_uri)
        except ParseError:
            return False

    def _draft(self, request: Request, hop: Hop, record_route: str | None) -> Draft:
        """§16.6 steps 1 to 6: the copy for one target, all but our own Via."""
        uri, routes = hop.uri, [f"<{one}>" for one in hop.path]
        routes += request.headers.values("Route")
        if routes and not SipUri.parse(NameAddr.parse(routes[0]).uri).loose:
            uri, routes = NameAddr.parse(routes[0]).uri, [*routes[1:], f"<{uri}>"]
        hops_left = 70 if request.max_forwards is None else request.max_forwards - 1
        fields = request.headers
        head = [("Via", via) for via in fields.all("Via")]
        head += [("Max-Forwards", str(hops_left)), *(("Route", route) for route in routes)]
        head += [("From", fields.all("From")[0]), ("Call-ID", request.call_id)]
        if record_route is not None:
            head.append(("Record-Route", f"<{record_route}>"))
        head += [("Record-Route", route) for route in fields.all("Record-Route")]
        extra = [
            (name, value)
            for name, value in fields.items()
            if name not in _REWRITTEN | _NOT_PASSED_ON and not self._is_ours_to_read(name, value)
        ]
        to, number = fields.all("To")[0], request.cseq.number
        return Draft(request.method, uri, lines(head), to, number, lines(extra), request.body)

    def _is_ours_to_read(self, name: str, value: str) -> bool:
        """Credentials for our realm go no further than us (§22.3)."""
        if name not in _CREDENTIALS:
            return False
        return (digest_params(value) or {}).get("realm") == self._realm

    def _loop_mark(self, request: Request) -> str:
        """A hash of all that decides where a request goes, Via excepted (RFC 5393 §4.2.1)."""
        parts = [
            request.uri,
            request.from_.tag or "",
            request.to.tag or "",
            request.call_id,
            str(request.cseq.number),
            *request.headers.all("Route"),
        ]
        text = "\0".join(parts).encode("utf-8", "surrogateescape")
        return hmac.digest(self._key, text, "sha256")[:8].hex()


def _refusal(request: Request) -> Response | None:
    """§16.3: scheme, Max-Forwards, Proxy-Require."""
    try:
        _ = request.request_uri
    except ParseError as fault:
        return reply(request, fault.status)
    if request.max_forwards == 0:
        return reply(request, 483)
    if required := request.proxy_require:
        return reply(request, 420, headers=[("Unsupported", ", ".join(required))])
    return None


@dataclass(slots=True)
class _Fork:
    """The branches of one forwarded request; ends with one answer, or silence (RFC 4320 §4.2)."""

    request: Request
    answer: Answer
    open: int
    answered: bool = False
    finals: list[Response] = field(default_factory=list)

    def start(self, send: Send, draft: Draft, hop: Hop, branch: str) -> None:
        clients: list[Client] = []

        def receive(response: Response | None) -> None:
            failure = clients[0].failure if clients else 503
            self.receive(response, failure)

        clients.append(send(draft, hop.destination, branch, receive))

    def receive(self, response: Response | None, failure: int) -> None:
        """§16.7: a 2xx at once, of all others the best when all have come."""
        if response is not None and response.status < 200:
            return
        self.open -= 1
        if response is None:
            if failure != 408:
                self.finals.append(reply(self.request, failure or 503))
        elif response.status < 300:
            self._finish(_without_our_via(response))
        else:
            self.finals.append(_without_our_via(response))
        if not self.open and self.finals:
            self._finish(_with_all_challenges(best(self.finals), self.finals))

    def _finish(self, response: Response) -> None:
        if not self.answered:
            self.answered = True
            self.answer(response)


def best(finals: Sequence[Response]) -> Response:
    """Which of the refusals goes back (§16.7 step 6); a 503 is not passed on as such."""
    chosen = min(finals, key=_rank)
    if chosen.status != 503:
        return chosen
    return Response(500, None, chosen.headers.copy(), chosen.body)


def _rank(response: Response) -> tuple[bool, int, bool, bool]:
    status = response.status
    return (status < 600, status // 100, status not in _PREFERRED, status == 503)


def _without_our_via(response: Response) -> Response:
    """§16.7 step 3; the Via below ours is where the request came from."""
    headers = response.headers.copy()
    headers.replace("Via", headers.values("Via")[1:])
    headers.remove("Content-Length")
    return Response(response.status, response.reason, headers, response.body)


def _with_all_challenges(chosen: Response, finals: Sequence[Response]) -> Response:
    """§16.7 step 7: a client may have to satisfy every branch."""
    if chosen.status not in (401, 407):
        return chosen
    headers = Headers(chosen.headers.items())
    for name in _CHALLENGES:
        headers.replace(name, [value for final in finals for value in final.headers.all(name)])
    return Response(chosen.status, chosen.reason, headers, chosen.body)
