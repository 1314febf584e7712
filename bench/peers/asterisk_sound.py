"""Asterisk as a relay, a conference bridge and a player of hold music, for phones of a crowd.

Calls are set up by one SIP phone on the loopback, which names the crowd's addresses in its SDP,
both as caller and, where Asterisk calls back, as the called.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from bench.cores import MEASURED
from bench.peers.b2buas import CONFIGURATION, program
from bench.rig import place
from media.prompts import HOLD_MUSIC
from media.types import Address, Seconds
from tests.interop.ports import free_ports
from tests.interop.process import Child

HOST = "127.0.0.1"
HOLD = "hold"
_PATIENCE: Seconds = 10.0
_MODULES = (
    *("app_confbridge", "bridge_softmix", "res_musiconhold", "format_wav"),
    "res_pjsip_endpoint_identifier_ip",
)
_PHONES = """
[crowd](phone)
context = sound
allow = !all,ulaw
[crowd]
type = identify
endpoint = crowd
match = 127.0.0.1
"""
_DIALPLAN = """
[sound]
exten => hold,1,Answer()
same => n,MusicOnHold(bench)
exten => _room.,1,Answer()
same => n,ConfBridge(${{EXTEN}},,bench)
exten => _call.,1,Dial(PJSIP/crowd/sip:${{EXTEN}}@127.0.0.1:{port},60)
"""
_ROOM = (
    "[bench]\ntype = user\nquiet = yes\nannounce_join_leave = no\nmusic_on_hold_when_empty = no\n"
)


@contextmanager
def running(folder: Path) -> Iterator[Phone]:
    """Asterisk alone on the measured core, and the phone that sets calls up with it."""
    folder.mkdir(parents=True)
    port, own = free_ports(), free_ports()
    for path in CONFIGURATION.glob("*.conf"):
        text = path.read_text().replace("FOLDER", str(folder)).replace("PORT", str(port))
        (folder / path.name).write_text(text)
    _add(folder / "modules.conf", "".join(f"require = {name}.so\n" for name in _MODULES))
    _add(folder / "pjsip.conf", _PHONES)
    _add(folder / "extensions.conf", _DIALPLAN.format(port=own))
    _add(folder / "confbridge.conf", _ROOM)
    music = folder / "music"
    _add(folder / "musiconhold.conf", f"[bench]\nmode = files\ndirectory = {music}\n")
    music.mkdir()
    sound, rate = soundfile.read(HOLD_MUSIC, dtype="int16")
    assert rate == 8000 or rate % 8000 == 0
    soundfile.write(music / "hold.wav", sound[:: rate // 8000], 8000, subtype="PCM_16")
    asterisk = program("asterisk")
    assert asterisk is not None, "make peers installs asterisk where the distribution has it"
    with (
        Child([asterisk, "-f", "-C", str(folder / "asterisk.conf")], folder / "log") as child,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line,
    ):
        child.wait_for_output("Asterisk Ready", 30.0)
        place(child.pid, MEASURED)
        line.bind((HOST, own))
        line.connect((HOST, port))
        line.settimeout(_PATIENCE)
        yield Phone(line, child.pid)


def _add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


class Phone:
    """Enough of a SIP phone (RFC 3261) to call Asterisk and to answer it."""

    def __init__(self, line: socket.socket, pid: int) -> None:
        self._line, self.pid = line, pid
        self._own = f"{HOST}:{line.getsockname()[1]}"
        self._peer = f"{HOST}:{line.getpeername()[1]}"
        self._numbers = itertools.count(1)

    def call(self, extension: str, speaks: Address, called: Address | None = None) -> list[Address]:
        """Call `extension` for the phone at `speaks`; where Asterisk rings, `called` answers.

        Where Asterisk listens to the first and, if it rang, to the second.
        """
        number = next(self._numbers)
        common = (
            f"From: <sip:crowd@{self._own}>;tag=t{number}\r\nCall-ID: c{number}@crowd\r\n"
            f"Max-Forwards: 70\r\nContact: <sip:crowd@{self._own}>\r\n"
        )
        target = f"sip:{extension}@{self._peer}"
        self._say(
            f"INVITE {target} SIP/2.0", f"To: <{target}>\r\n", common, number, 1, _sdp(speaks)
        )
        heard: list[Address] = []
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            text = self._line.recv(8192).decode()
            first, headers = text.partition("\r\n")[0], _headers(text)
            if first.startswith("INVITE") and called is not None:
                heard.append(_where(text))
                self._answer(headers, _sdp(called))
            elif first.startswith("OPTIONS"):
                self._answer(headers, "")
            elif headers.get("call-id") == f"c{number}@crowd" and first.startswith("SIP/2.0"):
                status = int(first.split()[1])
                if status == 200:
                    self._say(
                        f"ACK {target} SIP/2.0", f"To: {headers['to']}\r\n", common, number, 1
                    )
                    return [_where(text), *heard]
                if status > 200:
                    raise RuntimeError(f"Asterisk refuses {extension}: {first}")
        raise TimeoutError(f"Asterisk does not answer {extension}")

    def _say(self, line: str, to: str, common: str, number: int, cseq: int, body: str = "") -> None:
        method = line.split()[0]
        via = f"Via: SIP/2.0/UDP {self._own};branch=z9hG4bK{method}{number}\r\n"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        length = f"Content-Length: {len(body)}\r\n\r\n"
        sequence = f"CSeq: {cseq} {method}\r\n"
        self._line.send(f"{line}\r\n{via}{common}{to}{sequence}{kind}{length}{body}".encode())

    def _answer(self, headers: dict[str, str], body: str) -> None:
        names = ("via", "from", "call-id", "cseq")
        back = "".join(f"{name}: {headers[name]}\r\n" for name in names)
        to = f"to: {headers['to']};tag=answer\r\ncontact: <sip:crowd@{self._own}>\r\n"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        length = f"Content-Length: {len(body)}\r\n\r\n"
        self._line.send(f"SIP/2.0 200 OK\r\n{back}{to}{kind}{length}{body}".encode())


def _headers(text: str) -> dict[str, str]:
    """By name in lower case; Asterisk sends one of each that we need."""
    lines = text.partition("\r\n\r\n")[0].split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _sdp(address: Address) -> str:
    host, port = address
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )


def _where(text: str) -> Address:
    lines = text.splitlines()
    media = next(line for line in lines if line.startswith("m=audio"))
    host = next(line for line in lines if line.startswith("c=IN"))
    return host.split()[-1], int(media.split()[1])
