"""Crowds of SIPp phones: the loads of signalling, and how long callers waited for ringing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.cores import CROWD
from bench.rig import place
from bench.servers import AGENTS, CALLEES, CALLERS, QUEUE, Server
from tests.interop.phones import Account, Sipp
from tests.interop.phones.registering import register
from tests.interop.phones.sipp import SippRun
from tests.interop.phones.steps import (
    ack_refusal,
    answer,
    done,
    expect,
    pause,
    recv,
    request,
    scenario,
    sdp,
    send,
)

TALK_MS = 200
FOREVER_MS = 3_600_000
_PATIENCE = 60


class Outcome(NamedTuple):
    """What a crowd saw: calls, and milliseconds from INVITE to ringing in order of length."""

    passed: int
    failed: int
    retransmitted: int
    delays: list[float]

    def percentile(self, part: float) -> float:
        """Post-dial delay that this part of all callers did not exceed, in milliseconds."""
        return self.delays[min(int(part * len(self.delays)), len(self.delays) - 1)]


@contextmanager
def answering(folder: Path, *servers: Server, rate: float = 1000) -> Iterator[Sipp]:
    """One SIPp that is the phones of all who are called, registered with each server."""
    way = "[last_Record-Route:]"
    ringing, taken = (
        answer(180, "Ringing", extra=way),
        answer(200, "OK", sdp(), extra=way),
    )
    steps = [expect("INVITE"), ringing, taken]
    text = scenario(*steps, expect("ACK"), expect("BYE"), done())
    with Sipp(
        folder, text, calls=10_000_000, rate=rate, timeout=3600, traced=False,
        options=("-nd", "-max_socket", "1000", "-buff_size", "8000000"),
    ) as phones:  # fmt: skip
        place(phones.pid, CROWD)
        phones.listening()
        for server in servers:
            for number in (*CALLEES, *AGENTS):
                account = Account(number, f"secret-{number}", port=server.port)
                register(account, phones.port, expires=3600)
        yield phones


def calls(
    server: Server,
    folder: Path,
    count: int,
    rate: float,
    *,
    digest: bool,
    queue: bool = False,
    talk_ms: int = TALK_MS,
) -> Outcome:
    """Whole calls, INVITE to BYE, through both legs; those without digest come from `caller`."""
    with calling(server, folder, count, rate, digest=digest, queue=queue, talk_ms=talk_ms) as crowd:
        run = crowd.wait(_PATIENCE + count / rate + talk_ms / 1000)
    return _outcome(folder, run)


@contextmanager
def calling(
    server: Server,
    folder: Path,
    count: int,
    rate: float,
    *,
    digest: bool,
    queue: bool = False,
    talk_ms: int = TALK_MS,
) -> Iterator[Sipp]:
    """The callers of `calls`, on their way."""
    first, last = (1, 2) if digest else (1, 1)
    steps = [_timed(send(_request("INVITE", first, dialog=False), sdp(), retrans=True))]
    if digest:
        again = _request("INVITE", last, dialog=False, extra="[field1]")
        steps += [recv(100, optional=True), _asked(), ack_refusal(first)]
        steps += [send(again, sdp(), retrans=True)]
    steps += [recv(100, optional=True)]
    if queue:  # the queue's music answers; agents ring unheard
        steps += [recv(180, optional=True), _timing(recv(200))]
    else:
        steps += [_timing(recv(180)), recv(200)]
    steps += [send(_request("ACK", last, extra="[routes]")), pause(talk_ms)]
    steps += [send(_request("BYE", last + 1, extra="[routes]"), retrans=True), recv(200)]
    with _crowd(
        server, folder, scenario(*steps), count, rate, None if digest else server.caller, queue
    ) as crowd:
        yield crowd


@contextmanager
def holding(server: Server, folder: Path, count: int, rate: float) -> Iterator[None]:
    """So many calls that stand until the end of the `with`; they leave the port `caller` alone."""
    with calling(server, folder, count, rate, digest=True, talk_ms=FOREVER_MS) as crowd:
        crowd.until(lambda: _established(folder) >= count, f"{count} calls", _PATIENCE)
        yield
        crowd.process.kill()


def _established(folder: Path) -> int:
    """Calls that rang, as SIPp wrote down so far (in portions)."""
    return sum(max(len(path.read_text().splitlines()) - 1, 0) for path in folder.glob("*_rtt.csv"))


def register_all(server: Server, numbers: list[str]) -> None:
    """A phone for each of these extensions; none of them answers."""
    for offset, number in enumerate(numbers):
        account = Account(number, f"secret-{number}", port=server.port)
        register(account, 20_000 + offset % 40_000, expires=3600)


def registrations(server: Server, folder: Path, count: int, rate: float) -> Outcome:
    """REGISTER, 401, REGISTER, 200: a binding stored; the callers register in turn."""
    first, again = (
        _request("REGISTER", number, dialog=False, extra=extra)
        .replace("sip:[field2]@[remote_ip]", "sip:[remote_ip]")
        .replace("<sip:[field2]@", "<sip:[field0]@")
        for number, extra in ((1, "Expires: 600"), (2, "[field1]\nExpires: 600"))
    )
    steps = [send(first, retrans=True), _asked(), send(again, retrans=True), recv(200)]
    with _crowd(server, folder, scenario(*steps), count, rate, None, False) as crowd:
        run = crowd.wait(_PATIENCE + count / rate)
    return _outcome(folder, run)


def _request(method: str, number: int, *, dialog: bool = True, extra: str = "") -> str:
    text = request(method, number, dialog=dialog, extra=extra)
    return text.replace("[service]", "[field2]")


def _asked() -> str:
    return recv(401, auth=True).replace(' rrs="true"', "")


def _timed(step: str) -> str:
    return step.replace("<send", '<send start_rtd="1"', 1)


def _timing(step: str) -> str:
    return step.replace("<recv", '<recv rtd="1"', 1)


@contextmanager
def _crowd(
    server: Server,
    folder: Path,
    text: str,
    count: int,
    rate: float,
    port: int | None,
    queue: bool,
) -> Iterator[Sipp]:
    rows = [
        [
            caller,
            f"[authentication username={caller} password=secret-{caller}"
            f" auth_uri=sip:{'office.test'}]",
            QUEUE if queue else callee,
        ]
        for caller, callee in zip(CALLERS, CALLEES, strict=True)
    ]
    with Sipp(
        folder,
        text,
        f"127.0.0.1:{server.port}",
        calls=count,
        rate=rate,
        fields=rows,
        timeout=_PATIENCE + int(count / rate) + 600,
        port=port,
        traced=False,
        options=("-l", "15000", "-trace_rtt", "-rtt_freq", "50", "-buff_size", "8000000"),
    ) as crowd:
        place(crowd.pid, CROWD)
        yield crowd


def _outcome(folder: Path, run: SippRun) -> Outcome:
    delays = []
    for path in folder.glob("*_rtt.csv"):
        rows = list(csv.reader(path.read_text().splitlines(), delimiter=";"))
        delays += [float(row[1]) for row in rows[1:] if len(row) > 1]
    again = int(run.statistics.get("Retransmissions(C)", 0))
    return Outcome(run.passed, run.failed, again, sorted(delays))
