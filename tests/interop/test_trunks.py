"""Calls through trunks, with SIPp as the provider: out, in, barred, and over the limit."""

from pathlib import Path

from tests.interop.phones import Sipp
from tests.interop.phones.registering import register
from tests.interop.phones.steps import (
    accept_bye,
    ack,
    ack_refusal,
    answer,
    credentials,
    expect,
    hang_up,
    invited,
    pause,
    recv,
    request,
    scenario,
    sdp,
    send,
)
from tests.interop.ports import free_ports
from tests.interop.switch import Switch, running

ANSWERS = [
    expect("INVITE"),
    answer(180, "Ringing"),
    answer(200, "OK", sdp()),
    expect("ACK"),
    *accept_bye(),
]
CLASS = """
[destinations]
local = ["495", "8495"]
mobile = ["89"]
[lines.74951234567]
any = "extension:102"
[extensions.105]
password = "secret-105"
class = "out"
[classes.out]
dial = ["internal", "local"]
trunks = ["city"]
"""


def trunk(port: int, more: str = "") -> str:
    return f'{CLASS}[trunks.city]\nserver = "sip:127.0.0.1:{port}"\nping = 0\n{more}\n'


def dial(office: Switch, folder: Path, to: str, *steps: str) -> None:
    remote = f"127.0.0.1:{office.port}"
    rows = [credentials("105")]
    with Sipp(folder, scenario(*steps), remote, service=to, fields=rows, timeout=60) as phone:
        run = phone.wait()
    assert run.code == 0, run.errors + phone.messages()[-3000:]


def test_p27_p38_an_extension_dials_out_through_its_trunk(tmp_path: Path) -> None:
    provider = Sipp(tmp_path / "provider", scenario(*ANSWERS), timeout=60)
    try:
        provider.listening()
        with running(tmp_path / "switch", trunk(provider.port)) as office:
            talk = [recv(180), recv(200), ack(), pause(300), *hang_up()]
            dial(office, tmp_path / "caller", "84951112233", *invited(), *talk)
        assert provider.wait().code == 0
        assert "INVITE sip:84951112233@127.0.0.1" in provider.messages()
    finally:
        provider.stop()


def test_p30_p31_what_the_class_does_not_allow_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "switch", trunk(free_ports())) as office:
        dial(
            office, tmp_path / "caller", "89161112233",
            *invited(), recv(183, optional=True), recv(403), ack_refusal(2),
        )  # fmt: skip


def test_p1_p2_a_call_to_our_number_comes_in_by_the_trunk_without_a_password(
    tmp_path: Path,
) -> None:
    port = free_ports()
    with running(tmp_path / "switch", trunk(port)) as office:
        phone = Sipp(tmp_path / "102", scenario(*ANSWERS), timeout=60)
        try:
            phone.listening()
            register(office.account("102"), phone.port)
            steps = [
                send(request("INVITE", 1, dialog=False), sdp(), retrans=True),
                recv(100, optional=True), recv(180), recv(200), ack(1), pause(300), *hang_up(2),
            ]  # fmt: skip
            remote = f"127.0.0.1:{office.port}"
            with Sipp(
                tmp_path / "provider", scenario(*steps), remote, service="74951234567",
                fields=[["79161112233", ""]], options=("-p", str(port)), timeout=60,
            ) as provider:  # fmt: skip
                run = provider.wait()
            assert run.code == 0, run.errors + provider.messages()[-3000:]
            assert phone.wait().code == 0
        finally:
            phone.stop()
