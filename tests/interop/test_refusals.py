"""What the running switch refuses, and how: a line each, walked by one SIPp without a password.

Calls that are refused stand in test_calls.py, malformed messages in test_torture.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.phones import Sipp
from tests.interop.phones.steps import recv, request, scenario, sdp, send
from tests.interop.switch import Switch, running


def asks(method: str, extra: str = "") -> str:
    return request(method, 1, dialog=False, extra=extra)


SHORT = "Supported: timer\nSession-Expires: 30"
EVENT = "Event: message-summary"
REGISTERS = asks("REGISTER").replace("To: <sip:[service]@", "To: <sip:[field0]@")
REFUSALS = {
    "no such method (501)": (501, asks("DANCE"), ""),
    "another version (505)": (505, asks("OPTIONS").replace("SIP/2.0\n", "SIP/3.0\n", 1), ""),
    "no URI of ours (416)": (416, asks("OPTIONS").replace("sip:[service]@", "mailto:x@", 1), ""),
    "an extension that we lack (420)": (420, asks("OPTIONS", "Require: flying"), ""),
    "a body that we cannot read (415)": (415, asks("INVITE"), "Hello"),
    "an encoding that we cannot undo (415)": (415, asks("INVITE", "Content-Encoding: gzip"), sdp()),
    "an answer that nobody may read (406)": (406, asks("INVITE", "Accept: text/x"), sdp()),
    "a session too short (422)": (422, asks("INVITE", SHORT), sdp()),
    "no such dialog (481)": (481, asks("BYE"), ""),
    "nothing to cancel (481)": (481, asks("CANCEL"), ""),
    "two recipients (400)": (400, asks("OPTIONS", "To: <sip:102@office.test>"), ""),
    "who does not say who he is (401)": (401, asks("INVITE"), sdp()),
    "a registration by nobody (401)": (401, REGISTERS, ""),
    "a message by nobody (401)": (401, asks("MESSAGE"), ""),
    "a subscription by nobody (401)": (401, asks("SUBSCRIBE", EVENT), ""),
    "a presence by nobody (401)": (401, asks("PUBLISH", "Event: presence"), ""),
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with running(tmp_path_factory.mktemp("refusals") / "switch") as started:
        yield started


@pytest.mark.parametrize("fault", REFUSALS)
def test_it_is_refused(office: Switch, tmp_path: Path, fault: str) -> None:
    status, message, body = REFUSALS[fault]
    kind = "text/plain" if body == "Hello" else "application/sdp"
    sent = send(message, body, content_type=kind)
    steps = [sent, recv(100, optional=True), recv(status)]
    remote = f"127.0.0.1:{office.port}"
    with Sipp(
        tmp_path / "sipp", scenario(*steps), remote, service="102", fields=[["101"]], timeout=15
    ) as phone:
        run = phone.wait()
    assert run.code == 0, run.errors + phone.messages()[-2000:]
