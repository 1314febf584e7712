"""rtpengine in userspace, by its ng protocol: datagrams of a cookie, a space and bencode.

apt-get install rtpengine-daemon      (Debian; without its kernel module)
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from media.types import Address, Seconds

Value: TypeAlias = "str | int | list[Value] | Mapping[str, Value]"
_PATIENCE: Seconds = 5.0


def installed() -> bool:
    return shutil.which("rtpengine") is not None


@contextlib.contextmanager
def running(
    control: int, ports: tuple[int, int], cores: set[int], threads: int = 1
) -> Iterator[Rtpengine]:
    """An rtpengine on the loopback, on these cores, for as long as the block lasts."""
    command = [
        *("taskset", "-c", ",".join(map(str, sorted(cores)))),
        *("rtpengine", "--foreground", "--table=-1", "--interface=127.0.0.1", "--log-stderr"),
        *("--log-level=3", f"--listen-ng=127.0.0.1:{control}", f"--num-threads={threads}"),
        *(f"--port-min={ports[0]}", f"--port-max={ports[1]}", "--no-log-timestamps"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.connect(("127.0.0.1", control))
        own.settimeout(0.1)
        peer = Rtpengine(own, process.pid)
        try:
            peer.greet()
            yield peer
        finally:
            process.terminate()
            process.wait(_PATIENCE)


class Rtpengine:
    """The process, and its control socket."""

    def __init__(self, own: socket.socket, pid: int) -> None:
        self.pid, self._socket = pid, own
        self._cookies = itertools.count(1)

    def greet(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                if self._ask({"command": "ping"})["result"] == "pong":
                    return
                time.sleep(0.05)
        raise TimeoutError("rtpengine does not answer")

    def call(self, number: int, caller: Address, callee: Address) -> tuple[Address, Address]:
        """Set a call up; where the caller and the callee are to send."""
        common = {"call-id": f"call{number}", "from-tag": "a", "ICE": "remove"}
        to_callee = _where(self._ask({**common, "command": "offer", "sdp": _sdp(caller)}))
        answer = {**common, "command": "answer", "to-tag": "b", "sdp": _sdp(callee)}
        return _where(self._ask(answer)), to_callee

    def _ask(self, request: Mapping[str, Value]) -> dict[str, str]:
        cookie = f"{next(self._cookies)}".encode()
        self._socket.settimeout(_PATIENCE if "sdp" in request else 0.1)
        self._socket.send(cookie + b" " + bencode(request))
        while True:
            found, _, body = self._socket.recv(65536).partition(b" ")
            if found == cookie:
                return strings(body)


def bencode(value: Value) -> bytes:
    if isinstance(value, str):
        data = value.encode()
        return b"%d:%b" % (len(data), data)
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, Mapping):
        return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"
    return b"l" + b"".join(map(bencode, value)) + b"e"


def strings(body: bytes) -> dict[str, str]:
    """The strings of an answer that is a flat dictionary, as those to our questions are."""
    words: list[str] = []
    at = 1
    while body[at : at + 1].isdigit():
        colon = body.index(b":", at)
        end = colon + 1 + int(body[at:colon])
        words.append(body[colon + 1 : end].decode())
        at = end
    return dict(zip(words[::2], words[1::2], strict=True))


def _sdp(address: Address) -> str:
    host, port = address
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )


def _where(answer: Mapping[str, str]) -> Address:
    if answer.get("result") != "ok":
        raise RuntimeError(f"rtpengine refuses: {answer.get('error-reason')}")
    lines = answer["sdp"].splitlines()
    media = next(line for line in lines if line.startswith("m=audio"))
    host = next(line for line in lines if line.startswith("c=IN"))
    return host.split()[-1], int(media.split()[1])
