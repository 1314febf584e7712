"""A call centre to ring up: one switch with many queues, and phones for callers and agents.

Each phone sends a tone of its own, so that an ear tells who talks with whom; prompts and music
are tones, too.  The agents Anna, Boris and Clara sit at three of the phones.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import tomlkit

from tests.interop.phones.live import LivePhone, LivePhones, LiveTalk, until
from tests.interop.sound import write_tone
from tests.interop.switch import Switch, running

T = TypeVar("T")

MUSIC, NEXT, WHISPER = 1300, 1000, 1200
"""Hz of the music, of "you are next", and of what an agent is told."""
TONES = {"101": 440, "102": 660, "103": 880, "104": 550, "105": 1100, "106": 1400, "107": 770}
SOUNDS = {"next": (NEXT, 2.0), "whisper": (WHISPER, 2.0)}
"""Prompts that are tones: their frequency and length in seconds."""
PEOPLE = """
[agents.anna]
extension = "104"
logged_in = true
skills = { english = 5, sales = 3 }
[agents.boris]
extension = "105"
logged_in = true
skills = { sales = 8 }
[agents.nobody]
extension = "108"
[extensions.109]
password = "secret-109"
voicemail = true
[music.default]
files = ["music.wav"]
[modes.never]
hours = []
[prompts.queue-next]
file = "next.wav"
[prompts.told]
file = "whisper.wav"
"""
"""Clara, who sits at 106 where a test wants her, is left to the test's own settings."""
STAFF = '["anna", "boris"]'
PEACE = "no_answer = { back_off = 0, reject_back_off = 0, busy_back_off = 0, pause_after = 0 }\n"
"""A missed call has no consequences, so that tests may follow each other."""


class Office(NamedTuple):
    """The switch and its people."""

    switch: Switch
    phones: LivePhones
    first: LivePhone
    second: LivePhone
    other: LivePhone
    anna: LivePhone
    boris: LivePhone
    desk: LivePhone
    third: LivePhone

    # -- what the switch tells and is told --------------------------------------------------

    def ask(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        where = f"http://127.0.0.1:{self.switch.http_port}/v1/{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        wanted = urllib.request.Request(where, data, headers, method=method)
        with urllib.request.urlopen(wanted) as answer:
            return json.load(answer)

    def change(self, change: Callable[[Any], object]) -> None:
        """Let `change` edit the settings, and have them applied to the running switch."""
        tables = tomlkit.parse(self.switch.settings.read_text())
        change(tables)
        self.switch.settings.write_text(tomlkit.dumps(tables))
        self.ask("reload", "POST")

    def why(self, subject: str, name: str) -> str:
        return "\n".join(self.ask(f"explain/{subject}/{name}")["sentences"])

    def alarms(self) -> str:
        return "\n".join(alarm["sentence"] for alarm in self.ask("status")["alarms"])

    # -- agents -----------------------------------------------------------------------------

    def command(self, agent: str, verb: str, **wishes: Any) -> None:
        self.ask(f"agents/{agent}/{verb}", "POST", wishes)

    def agent(self, name: str) -> dict[str, Any]:
        return next(dict(a) for a in self.ask("agents") if a["name"] == name)

    def state(self, agent: str) -> str:
        return str(self.agent(agent)["state"])

    def until_state(self, agent: str, state: str) -> None:
        until(
            lambda: self.state(agent) == state,
            lambda: f"{state} {agent}: {self.state(agent)}",
        )

    # -- callers ----------------------------------------------------------------------------

    def waits(self, phone: LivePhone, number: str) -> LiveTalk:
        """`phone` dials a queue and hears music."""
        return phone.calls(number).hears(MUSIC)

    def waiting(self) -> list[str]:
        """Who waits, in order."""
        return [str(waiting["caller"]) for waiting in self.ask("waiting")]

    def queue_figures(self, queue: str) -> dict[str, Any]:
        rows = self.ask("statistics?since=0")["queues"]
        return next(dict(row["figures"]) for row in rows if row["name"] == queue)


@contextmanager
def opened(
    folder: Path,
    queues: Mapping[str, str],
    more: str = "",
    *,
    sounds: Mapping[str, tuple[int, float]] | None = None,
    phones: LivePhones | None = None,
) -> Iterator[Office]:
    """An office with these queues: "linear" and lenient unless they say otherwise.

    `sounds`: further files that are tones.  `phones`: those of a test that has some already.
    """
    folder.mkdir(parents=True)
    for name, (tone, length) in {"music": (MUSIC, 30.0), **SOUNDS, **(sounds or {})}.items():
        write_tone(folder / f"{name}.wav", tone, length)
    tables = "".join(_queue(name, rules) for name, rules in queues.items())
    with (
        running(folder, PEOPLE + more + tables, extensions=8, transports="udp") as switch,
        phones or LivePhones() as live,
    ):
        live.tones.add(MUSIC)
        people = [live.phone(switch.account(number), tone) for number, tone in TONES.items()]
        yield Office(switch, live, *people)


def _queue(name: str, rules: str) -> str:
    strategy = "" if "strategy =" in rules else 'strategy = "linear"\n'
    lenient = "" if "no_answer" in rules else PEACE
    return f"[queues.{name}]\n{strategy}{lenient}{rules}\n"


@contextmanager
def in_peace(office: Office, *agents: str) -> Iterator[Office]:
    """A test begins with these agents free, and leaves nobody on the line or paused."""
    for agent in agents:
        office.until_state(agent, "idle")
    yield office
    office.phones.hang_up_all()
    for agent in agents:
        if office.agent(agent)["status"] == "paused":
            office.command(agent, "resume")


def joined(caller: LiveTalk, agent: LiveTalk) -> None:
    """Both hear each other and nothing else."""
    caller.hears(agent.phone.tone)
    agent.hears(caller.phone.tone)
