"""A call centre under load that is killed again and again, and what must be true each time.

Whatever the switch told the outside before a kill (its event stream, its answers to commands) must
be so afterwards: callers in their order, promises of callbacks, agents' pauses and after-call work,
visits in the statistics.  No agent may be stuck.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.interop.switch import DOMAIN, Switch
from tests.interop.wire_phones import HERE, WirePhones
from tests.support.phone import Phone, Talk

CALLERS, AGENTS = 8, 4
TALK, LONG_TALK = 1.5, 6.0
"""Longest conversation, in seconds, of some, and of the others, into which a restart may fall."""
WRAP_UP = 2.0
QUEUE = (
    "".join(
        f'[agents.agent{number}]\nextension = "{number}"\nlogged_in = true\n'
        for number in range(101, 101 + AGENTS)
    )
    + f"""
[queues.sales]
number = "700"
agents = [{", ".join(f'"agent{number}"' for number in range(101, 101 + AGENTS))}]
wrap_up = {WRAP_UP}
ring_time = 5
exit_keys = {{ 2 = "callback" }}
no_answer = {{ pause_after = 0, reject_back_off = 1, back_off = 1, unreachable_back_off = 1 }}
[queues.sales.callback]
retry_every = 3
retries = 9
ring_time = 8
"""
)


class Hasty(Switch):
    """One that takes snapshots of its queues all the time, so that kills fall into them."""

    program = (
        "-c",
        "from softswitch.cli import main\n"
        "from softswitch.pbx.queue import snapshots\n"
        "snapshots.AFTER, snapshots.EVERY = 20, 0.2\n"
        "main()",
    )


@dataclass
class Seen:
    """What the switch has told."""

    joined: dict[tuple[str, str], int] = field(default_factory=dict)
    """Visits that began, by (call, queue), in order; callbacks apart, as `queue+`."""
    left: dict[tuple[str, str], str] = field(default_factory=dict)
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrivals: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    """Agents about whom a command was not answered before the kill."""

    def take(self, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "queue.joined":
                key = data["call"], data["queue"] + ("+" if data["callback"] else "")
                self.joined.setdefault(key, len(self.joined))
                self.arrivals.setdefault(data["call"], len(self.arrivals))
            case "queue.left":
                key = data["call"], data["queue"] + ("+" if data["callback"] else "")
                self.left.setdefault(key, data["outcome"])
            case "agent.changed":
                self.agents[data["agent"]] = data
            case _:
                pass

    def open_visits(self) -> Iterator[tuple[str, str]]:
        return (key for key in self.joined if key not in self.left)


class Kills:
    """The rig: phones that call and serve, and a switch that is killed under them."""

    def __init__(self, switch: Switch, seed: int = 1) -> None:
        self.switch, self.rng, self.seen = switch, Random(seed), Seen()
        self.phones = WirePhones((HERE, switch.port), DOMAIN)
        self.faults: list[str] = []
        self.kept = self.renewed = self.served = 0
        """Places found again, callbacks found again, conversations."""
        self.over: set[Talk] = set()
        """Conversations that an agent ended."""
        self.interrupted: set[Talk] = set()
        """Agents' conversations into which a kill fell, and which nobody ended meanwhile."""
        self._open = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    # -- the run -----------------------------------------------------------------------

    async def run(self, moments: int) -> None:
        """Kill `moments` times, then let everything end, and look once more."""
        self.callers = [await self._phone(number) for number in range(201, 201 + CALLERS)]
        self.agents = [await self._phone(number) for number in range(101, 101 + AGENTS)]
        for phone in self.agents:
            self._spawn(self._serve(phone))
        for phone in self.callers:
            self._spawn(self._call(phone))
            self._spawn(self._take_callbacks(phone))
        for moment in range(1, moments + 1):
            listener = asyncio.create_task(self._listen())
            self._open.set()
            self._spawn(self._pause_somebody())
            await asyncio.sleep(self.rng.uniform(0.1, 2.5))
            self._open.clear()
            talks = set(self._talks())
            await asyncio.to_thread(self.switch.kill)
            await listener
            await asyncio.to_thread(self._restart)
            self.interrupted |= talks & set(self._talks())
            await self._look()
            print(f"kill {moment}: {self.progress}", *self.faults[-1:], flush=True)
        await self._wind_down()
        self.phones.close()

    @property
    def progress(self) -> str:
        went_on = sum(talk.offered > 0 for talk in self.interrupted)
        return (
            f"{len(self.seen.joined)} visits, {self.served} conversations, "
            f"{went_on} of {len(self.interrupted)} went on, {self.kept} places and "
            f"{self.renewed} promises found again, {len(self.faults)} faults"
        )

    def _talks(self) -> Iterator[Talk]:
        """Conversations of agents at this moment."""
        talks = (talk for phone in self.agents for talk in phone.talks)
        alive = (talk for talk in talks if talk.confirmed and not talk.ended)
        return (talk for talk in alive if talk not in self.over)

    def _restart(self) -> None:
        self.switch.start()
        self.switch.ready()

    async def _phone(self, number: int) -> Phone:
        phone = await self.phones.phone(str(number))
        assert await phone.register() == 200
        return phone

    def _spawn(self, coroutine: Any) -> None:
        self._tasks.append(asyncio.create_task(coroutine))

    # -- people ------------------------------------------------------------------------

    async def _call(self, phone: Phone) -> None:
        """One customer: calls, waits, talks, gives up, or asks to be called back."""
        while not self._stopping:
            await self._open.wait()
            talk = phone.dial("700")
            mood = self.rng.random()
            await self._for(talk, self.rng.uniform(0.1, 4.0) if mood < 0.3 else 12.0, mood > 0.7)
            talk.hang_up()
            await asyncio.sleep(self.rng.uniform(0.1, 1.0))

    async def _for(self, talk: Talk, patience: float, wants_callback: bool) -> None:
        began, loop = asyncio.get_running_loop().time(), asyncio.get_running_loop()
        while not talk.ended and loop.time() - began < (TALK if self._stopping else patience):
            await asyncio.sleep(0.1)
            if wants_callback and talk.answered and loop.time() - began > 0.6:
                wants_callback = False
                talk.press("2")
                await asyncio.sleep(0.4)
                talk.press("1")

    async def _take_callbacks(self, phone: Phone) -> None:
        while True:
            talk = await phone.rings(within=1e9)
            await asyncio.sleep(self.rng.uniform(0.0, 0.5))
            if self.rng.random() < 0.85 and talk.rings:
                talk.answer()
                await self._for(talk, self._length(), False)
                talk.hang_up()
            elif talk.rings:
                talk.reject()

    async def _serve(self, phone: Phone) -> None:
        while True:
            talk = await phone.rings(within=1e9)
            await asyncio.sleep(self.rng.uniform(0.0, 0.4))
            mood = self.rng.random()
            if mood < 0.1 and talk.rings:
                talk.reject()
            elif mood < 0.95 and talk.rings:
                talk.answer()
                self.served += 1
                await self._for(talk, self._length(), False)
                self.over.add(talk)
                talk.hang_up()

    def _length(self) -> float:
        """Of a conversation, until this one has had enough."""
        return self.rng.uniform(0.2, TALK) if self.rng.random() < 0.5 else LONG_TALK

    async def _pause_somebody(self) -> None:
        """A pause or its end, by command: once that is answered, it must last."""
        await asyncio.sleep(self.rng.uniform(0.0, 1.0))
        agent = f"agent{101 + self.rng.randrange(AGENTS)}"
        verb = "resume" if agent in self.seen.paused else "pause"
        if verb == "pause" and len(self.seen.paused) >= AGENTS - 2:
            return
        self.seen.unsure.add(agent)
        answer = await self._ask("POST", f"/v1/agents/{agent}/{verb}", {"reason": "tea"})
        if answer is not None:
            (self.seen.paused.add if verb == "pause" else self.seen.paused.discard)(agent)
            self.seen.unsure.discard(agent)

    # -- what is told ------------------------------------------------------------------

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The API's answer; None where the switch is not there (any more)."""
        text = json.dumps(body or {})
        try:
            reader, writer = await asyncio.open_connection(HERE, self.switch.http_port)
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            typed = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
            writer.write(f"{head}{typed}{text}".encode())
            answer = await reader.read()
            writer.close()
        except OSError:
            return None
        status, _, rest = answer.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 2"):
            if not status.startswith(b"HTTP/1.1 409") and answer:
                self.faults.append(f"{method} {path}: {answer!r}")
            return None
        return json.loads(rest)

    async def _listen(self) -> None:
        """Follow the event stream until the switch is gone."""
        try:
            reader, writer = await asyncio.open_connection(HERE, self.switch.http_port)
            writer.write(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 0\r\n\r\n")
            kind = ""
            while line := await reader.readline():
                name, _, value = line.decode().rstrip().partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self.seen.take(kind, json.loads(value))
            writer.close()
        except (OSError, ValueError):  # cut off in the middle of a line
            return

    # -- what must be true ---------------------------------------------------------------

    async def _look(self) -> None:
        """Right after a restart."""
        waiting = await self._ask("GET", "/v1/waiting")
        agents = {row["name"]: row for row in await self._ask("GET", "/v1/agents")}
        visits = await self._ask("GET", "/v1/visits?since=0")
        self._check_visits(waiting, visits)
        self._check_order(waiting)
        self._check_agents(agents)

    def _check_visits(self, waiting: list[Any], visits: list[Any]) -> None:
        there = {row["call"]: row for row in waiting}
        known: dict[tuple[str, str], Any] = {}
        for row in visits:
            known[row["call_id"], row["queue"] + ("+" if _is_callback(row) else "")] = row
        for key in self.seen.joined:
            if key not in known:
                self.faults.append(f"no visit in the statistics: {key}")
        for key, outcome in self.seen.left.items():
            if key in known and known[key]["outcome"] != outcome:
                self.faults.append(f"{key} is {known[key]['outcome']}, was told as {outcome}")
        for key in self.seen.open_visits():
            call, queue = key
            row = known.get(key)
            ended = row is not None and row["left_at"] is not None
            if call not in there and not ended:
                self.faults.append(f"nobody knows of {key} any more")
            elif call in there:
                self.kept += not queue.endswith("+")
                self.renewed += queue.endswith("+")

    def _check_order(self, waiting: list[Any]) -> None:
        places = [
            self.seen.arrivals[row["call"]] for row in waiting if row["call"] in self.seen.arrivals
        ]
        if places != sorted(places):
            self.faults.append(f"the order has changed: {places}")

    def _check_agents(self, agents: dict[str, Any]) -> None:
        for name, row in agents.items():
            if name in self.seen.unsure:
                (self.seen.paused.add if row["status"] == "paused" else self.seen.paused.discard)(
                    name
                )
            if (row["status"] == "paused") is not (name in self.seen.paused):
                self.faults.append(f"{name} is {row['status']}, paused: {self.seen.paused}")
            self.seen.unsure.discard(name)
            told = self.seen.agents.get(name)
            if told is None or told["state"] != "wrap-up" or row["state"] != "wrap-up":
                continue
            if row["until"] < told["until"] - 0.01:
                self.faults.append(f"{name}'s wrap-up was cut from {told['until']}")

    async def _wind_down(self) -> None:
        """Nobody calls any more; everybody must be served or gone, and every agent free."""
        self._stopping = True
        self._open.set()
        for name in list(self.seen.paused):
            await self._ask("POST", f"/v1/agents/{name}/resume")
        rest: Any = None
        for _ in range(600):
            waiting = await self._ask("GET", "/v1/waiting")
            agents = await self._ask("GET", "/v1/agents")
            calls = await self._ask("GET", "/v1/calls")
            rest = waiting, [row for row in agents if row["state"] != "idle"], calls
            if not any(rest):
                break
            await asyncio.sleep(0.2)
        if any(rest):
            self.faults.append(f"left behind: {rest}")
        await self._explain_the_first()
        self._add_up(
            await self._ask("GET", "/v1/visits?since=0"),
            await self._ask("GET", "/v1/statistics?since=0"),
        )
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _explain_the_first(self) -> None:
        """Who was served before the first kill, and why, is still known."""
        for (call, _), outcome in self.seen.left.items():
            if outcome == "answered":
                told = await self._ask("GET", f"/v1/explain/call/{call}")
                if told is None or not told["facts"].get("offers"):
                    self.faults.append(f"nobody knows why {call} was served as it was: {told}")
                else:
                    print(*told["sentences"], sep="\n", flush=True)
                return

    def _add_up(self, visits: list[Any], statistics: Any) -> None:
        """In = answered + abandoned + left, in rows and in sums; nobody waits any more."""
        for row in visits:
            if row["outcome"] is None or row["left_at"] is None:
                self.faults.append(f"a visit without an end: {row}")
        rows = Counter(row["outcome"] for row in visits if not _is_callback(row))
        sums = statistics["queues"][0]["figures"]
        told = {name: sums[name] for name in ("offered", "answered", "abandoned", "waiting")}
        print(f"by outcome: {dict(rows)}; in the statistics: {told}", flush=True)
        if sums["offered"] != rows.total() or sums["waiting"]:
            self.faults.append(f"{rows.total()} visits, but the statistics say {told}")
        if (sums["answered"], sums["abandoned"]) != (rows["answered"], rows["abandoned"]):
            self.faults.append(f"{dict(rows)}, but the statistics say {told}")


def _is_callback(row: dict[str, Any]) -> bool:
    return bool((row["details"] or {}).get("callback"))
