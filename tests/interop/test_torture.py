"""The messages of RFC 4475 and RFC 5118 as they arrive at the running switch, from strangers.

What is faulty is refused for its fault, not asked for a password; what is not is answered on
its merits; afterwards nothing has crashed and nothing is left.
"""

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.switch import Switch, running
from tests.sip.test_torture import MESSAGES, octets

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not MESSAGES, reason="the torture messages are absent: no ../shared/torture/expected.toml"
    ),
]
SETTINGS = '[guard]\ntrusted = ["127.0.0.0/8"]\n'
SIP = "streams = { message_time = 0.5 }"


@pytest.fixture(scope="module", params=["udp", "tcp"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def switch(transport: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """One for each transport, lest a message be taken for the repetition of another."""
    folder = tmp_path_factory.mktemp("torture") / "switch"
    with running(folder, SETTINGS, transports="udp tcp", sip=SIP) as started:
        yield started


def told_apart(name: str) -> bytes:
    """Its octets, with a Call-ID and, where it has one by RFC 3261, a branch of its own."""
    own = b"%d-" % list(MESSAGES).index(name)
    head, blank, body = octets(name).partition(b"\r\n\r\n")
    head = re.sub(rb"(branch=z9hG4bK)(?=[^;,\s])", rb"\g<1>" + own, head, count=1)
    return re.sub(rb"(?im)^((?:Call-ID|i)[ \t]*:[ \t]*)", rb"\g<1>" + own, head) + blank + body


def finals(data: bytes) -> list[int]:
    found = re.findall(rb"^SIP/2\.0 ([2-6]\d\d) ", data, re.MULTILINE)
    return [int(status) for status in found]


def probe(port: int, number: int) -> bytes:
    return (
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKp{number}\r\n"
        f"From: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: probe{number}\r\n"
        "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def by_udp(switch: Switch, name: str) -> list[int]:
    """What came back before the answer to an OPTIONS sent right behind."""
    number = list(MESSAGES).index(name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(30)
        for data in (told_apart(name), probe(phone.getsockname()[1], number)):
            phone.sendto(data, ("127.0.0.1", switch.port))
        answers = b""
        while b"probe" not in (answer := phone.recv(65536)):
            answers += answer + b"\r\n"
    assert finals(answer) == [200]
    return list(dict.fromkeys(finals(answers)))  # a slow machine sees a refusal repeated


def by_tcp(switch: Switch, name: str) -> list[int]:
    with socket.create_connection(("127.0.0.1", switch.port), timeout=30) as phone:
        phone.sendall(told_apart(name))
        if not MESSAGES[name].get("stream", {}).get("close"):
            phone.shutdown(socket.SHUT_WR)
        answers = b""
        while data := phone.recv(65536):
            answers += data
    return finals(answers)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_stranger_s_message_is_answered_as_it_deserves(
    switch: Switch, transport: str, name: str
) -> None:
    expected = MESSAGES[name]
    answers = by_udp(switch, name) if transport == "udp" else by_tcp(switch, name)
    stream = expected.get("stream", {}) if transport == "tcp" else {}
    assert set(answers) <= set(stream.get("codes", refusals(expected)))
    silent = stream.get("silence") or expected.get("reply", {}).get("silence_ok")
    if expected["outcome"] != "discard" and not silent:
        assert len(answers) == stream.get("answers", 1)


def refusals(expected: dict[str, Any]) -> list[int]:
    """The right statuses; for a fault that the RFC names, no mere request for a password."""
    codes: list[int] = expected.get("codes", [])
    if expected["outcome"] == "refuse":
        return [status for status in codes if status not in (401, 407)]
    return codes
