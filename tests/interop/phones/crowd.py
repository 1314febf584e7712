"""Very many phones on one socket: they register, each with a digest of its own, and that is all.

Keeps a window of requests on the way and repeats what was not answered, as RFC 3261 §17.1.2 asks.
"""

import socket
import time
from collections.abc import Iterable
from hashlib import md5
from typing import NamedTuple

WINDOW, T1 = 64, 0.5


class Sent(NamedTuple):
    """A request on its way: its CSeq number, its octets, when it is repeated."""

    number: int
    request: bytes
    due: float


NOTHING = Sent(0, b"", 0.0)


class Crowd:
    """Registers `users`, whose passwords are `secret-USER`, at a switch on 127.0.0.1."""

    def __init__(self, port: int, domain: str) -> None:
        self._switch, self._domain = ("127.0.0.1", port), domain
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.bind(("127.0.0.1", 0))
        self._wire.settimeout(0.1)
        self.port = self._wire.getsockname()[1]
        self._pending: dict[str, Sent] = {}
        self.registered: set[str] = set()
        """Who got a 200."""
        self.refused: list[str] = []

    def register(self, users: Iterable[str], *, patience: float = 60.0) -> None:
        """Register all, or as many as the switch answers within `patience` seconds."""
        waiting, deadline = iter(users), time.monotonic() + patience
        more = True
        while (more or self._pending) and time.monotonic() < deadline:
            while more and len(self._pending) < WINDOW:
                user = next(waiting, None)
                more = user is not None
                if user is not None:
                    self._send(user, 1, self._request(user, 1, ""))
            try:
                self._take(self._wire.recv(4096).decode())
            except (TimeoutError, ConnectionRefusedError):
                self._repeat()

    def close(self) -> None:
        self._wire.close()

    def _take(self, answer: str) -> None:
        lines = answer.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        user, number = headers["Call-ID"].removesuffix("@crowd"), int(headers["CSeq"].split()[0])
        if number != self._pending.get(user, NOTHING).number:
            return  # to a repetition
        challenge = headers.get("WWW-Authenticate", "")
        if challenge and (number == 1 or "stale=true" in challenge):
            nonce = challenge.partition('nonce="')[2].partition('"')[0]
            self._send(user, number + 1, self._request(user, number + 1, self._proof(user, nonce)))
            return
        del self._pending[user]
        if lines[0].startswith("SIP/2.0 200"):
            self.registered.add(user)
        else:
            self.refused.append(lines[0])

    def _send(self, user: str, number: int, request: bytes) -> None:
        self._pending[user] = Sent(number, request, time.monotonic() + T1)
        self._wire.sendto(request, self._switch)

    def _repeat(self) -> None:
        now = time.monotonic()
        for user, (number, request, due) in list(self._pending.items()):
            if due < now:
                self._send(user, number, request)

    def _proof(self, user: str, nonce: str) -> str:
        uri = f"sip:{self._domain}"
        secret = _md5(f"{user}:{self._domain}:secret-{user}")
        proof = _md5(f"{secret}:{nonce}:00000001:c:auth:{_md5(f'REGISTER:{uri}')}")
        return (
            f'Authorization: Digest username="{user}",realm="{self._domain}",nonce="{nonce}",'
            f'uri="{uri}",response="{proof}",algorithm=MD5,qop=auth,cnonce="c",nc=00000001\r\n'
        )

    def _request(self, user: str, number: int, extra: str) -> bytes:
        return (
            f"REGISTER sip:{self._domain} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{user}x{number};rport\r\n"
            f"From: <sip:{user}@{self._domain}>;tag={user}\r\nTo: <sip:{user}@{self._domain}>\r\n"
            f"Call-ID: {user}@crowd\r\nCSeq: {number} REGISTER\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:{user}@127.0.0.1:{self.port}>\r\nExpires: 3600\r\n{extra}"
            "Content-Length: 0\r\n\r\n"
        ).encode()


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
