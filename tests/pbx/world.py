"""A whole office on one loop whose time jumps: the real switch, silent media, scripted phones.

    @in_world('[park]\nrecall = 30\n')
    async def test_something(world: World) -> None:
        anna, boris = await world.phones("101", "102")
        talk = anna.dial("102")
        (await boris.rings()).answer()
        await world.settle()
        assert world.hears(talk) == {"102"}

When the test is over every phone hangs up, hours pass, and nothing may be left behind.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import tomllib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from random import Random
from typing import Any, cast

from config.loader import read
from config.settings import Settings
from media.items import File, Item, Prompt, Say, Tone
from softswitch.calls.causes import FAILED
from softswitch.calls.leg import Leg
from softswitch.calls.switchboard import Switchboard
from softswitch.pbx.features import FEATURES
from softswitch.pbx.gatekeeper import Gatekeeper
from softswitch.pbx.locations import Locations
from softswitch.pbx.lookups import Lookups
from softswitch.pbx.queue.centre import Centre
from softswitch.pbx.reachability import follow_handsets, serve_requests, watch_lamps
from softswitch.pbx.recalls import Recalls
from softswitch.pbx.reception import Reception
from softswitch.pbx.registration import register
from softswitch.pbx.requests import Requests
from softswitch.pbx.switch import Switch
from softswitch.pbx.trunks import Trunks
from softswitch.sip.challenger import Challenger
from softswitch.sip.message import Request
from softswitch.sip.registrar import Registrar, RegistrarLimits
from softswitch.sip.settings import UaSettings
from softswitch.sip.timers import Timers
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Seconds, Target
from softswitch.sip.uri import SipUri
from softswitch.store.engine_log import EngineLog, Question, Remembered
from softswitch.store.frame import encoded
from softswitch.store.messages import Messages
from softswitch.store.records import Records, interrupted
from softswitch.store.registrations import Registrations
from softswitch.store.search import Query
from softswitch.store.shape import SHAPES
from softswitch.store.state import State
from softswitch.store.statistics import Statistics
from softswitch.store.store import Store
from softswitch.store.voicemail import Voicemail
from softswitch.store.writer import Writer
from tests.support.ether import Ether, Station
from tests.support.loop import live, pass_time
from tests.support.phone import Phone, Talk
from tests.support.studio import SilentPlayer, studio_media

DOMAIN = "office.test"
US = ("10.0.0.1", 5060)
CITY, COAST = "10.0.9.9", "10.0.9.8"
"""Servers of providers."""
MOBILES = f"""
[switch]
country = "RU"
[trunks.city]
server = "sip:{CITY}:5060"
[destinations]
mobile = ["+79", "89"]
[classes.staff]
dial = ["internal", "mobile"]
trunks = ["city"]
"""
"""Settings of an office whose staff may dial mobiles through one trunk."""
EPOCH = time.time()
SOON: Seconds = 0.3
"""Long enough for whatever needs no waiting."""

Test = Callable[..., Coroutine[Any, Any, None]]


class Memory:
    """A writer that keeps rows and no more: (table, key) → row."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.flush: Callable[[], object] = list
        """Has those who gather rows put them."""

    def put(self, *rows: tuple[str, Any]) -> None:
        for table, row in rows:
            shape = SHAPES[table]
            fitted = [*row, *[None] * (len(shape.columns) - len(row))]
            key = table, *fitted[: shape.keys]
            self.rows[key] = dict(zip(shape.columns, fitted, strict=False))

    def drop(self, table: str, *key: Any) -> None:
        self.rows.pop((table, *key), None)

    def table(self, name: str) -> list[dict[str, Any]]:
        self.flush()
        return [row for key, row in self.rows.items() if key[0] == name]


class MemoryStore:
    """What the switch asks of its store, in memory; `rows` are what another one held."""

    def __init__(self, rows: Mapping[tuple[Any, ...], dict[str, Any]] | None = None) -> None:
        self.memory = Memory()
        self.memory.rows |= rows or {}
        writer = cast(Writer, self.memory)
        self.registrations = Registrations(writer, self._rows("registrations"))
        self.voicemail = Voicemail(writer)
        self.messages = Messages(writer)
        self.state = State(writer, self._rows("state"))
        self.records = Records(writer)
        self.statistics = Statistics(writer)
        self.memory.flush = self.statistics.flush

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.memory.table(table)]

    def end_interrupted(self) -> None:
        """As opening the store does after a crash."""
        for table in ("legs", "calls"):
            for row in self.memory.table(table):
                if row["ended_at"] is None:
                    self.memory.put(interrupted(table, tuple(row.values()), row["began_at"]))

    async def search(self) -> MemoryStore:
        """Where to ask for records."""
        return self

    async def visits_of(self, call: str) -> list[dict[str, Any]]:
        """Visits of the calls whose id begins so, in order."""
        return [row for row in self.memory.table("visits") if row["call_id"].startswith(call)]

    async def page(self, query: Query, *, limit: int = 100) -> list[dict[str, Any]]:
        """Calls in which `query.number` took part, the newest first."""
        legs = self.memory.table("legs")
        calls = {row["call_id"] for row in legs if row["party"] == query.number}
        found = [row for row in self.memory.table("calls") if row["id"] in calls]
        return found[::-1][:limit]


class MemoryLog:
    """The queue engine's journal, in memory; JSON all the same."""

    def __init__(self) -> None:
        self.repair, self.damage = None, ""
        self.state, self.events = "null", list[bytes]()

    def copy(self) -> MemoryLog:
        """As it lies on the disk at this moment."""
        log = MemoryLog()
        log.state, log.events = self.state, self.events[:]
        return log

    @property
    def since_snapshot(self) -> int:
        return len(self.events)

    def load(self) -> Remembered:
        return Remembered(json.loads(self.state), self.events[:])

    def append(self, event: bytes) -> int:
        self.events.append(event)
        return len(self.events)

    def snapshot(self, state: Any, *, alone: bool = False) -> None:
        self.state, self.events = json.dumps(state), []

    async def snapshot_aside(self, state: Callable[[], Any], *, alone: bool = False) -> None:
        self.snapshot(state())

    async def ask(self, question: Question, since: float) -> bytes:
        return encoded(question(json.loads(self.state), iter(self.events)))

    def close(self) -> None:
        """Nothing to give back."""


class World:
    """The switch and its surroundings."""

    def __init__(self, toml: str = "", *, extensions: int = 4) -> None:
        self._loop = asyncio.get_running_loop()
        self.settings = settings_of(toml, extensions)
        self.ether = Ether()
        self.station = Station(self.ether, US, UaSettings(timers=Timers(), address=US))
        self.media, self.studio = studio_media()
        self.store = MemoryStore()
        self.tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self._phones: dict[str, Phone] = {}
        self._addresses = iter(range(1, 250))
        self.queue_log = MemoryLog()
        self._join()

    def _join(self) -> None:
        ua, clock, settings = self.station.ua, self._loop.time, self.settings
        registrar = Registrar(RegistrarLimits())
        store = cast(Store, self.store)
        self.locations = Locations(registrar, store.registrations, clock)
        board = Switchboard(ua, self.media, lambda _: US[0], DOMAIN)
        self.switch = Switch(settings, board, store, self.locations, FEATURES, self.spawn)
        self.switch.trunks = Trunks(self.switch, _nowhere)
        self.switch.recalls = Recalls(self.switch)
        self.locations.restore()
        log = cast(EngineLog, self.queue_log)
        self.centre = self.switch.centre = Centre(self.switch, log, lambda: EPOCH + clock())
        self.centre.start()
        self.switch.lookups = Lookups(self.switch)
        challenger = Challenger(
            DOMAIN, lambda uri: uri.host in (DOMAIN, US[0]), b"key", Random(1), lifetime=1e9
        )
        self.gatekeeper = Gatekeeper(challenger, lambda *_: None, self.switch.trunks.of)
        self.gatekeeper.apply(settings)
        reception = Reception(self.switch, self.gatekeeper)
        ua.on_invite = lambda session: reception.on_invite(session, clock())
        self.requests = Requests(ua)
        self.requests.serve("REGISTER", self._register)
        serve_requests(self.switch, self.gatekeeper, self.requests)
        self.spawn(watch_lamps(self.switch))
        self.spawn(follow_handsets(self.switch))
        ua.on_request = self.requests.receive

    async def crash(self) -> None:
        """The switch is killed and started again; phones and calls outside know nothing of it."""
        self.station.silence()
        self.store, self.queue_log = MemoryStore(self.store.memory.rows), self.queue_log.copy()
        tasks, self.tasks = self.tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.station = Station(self.ether, US, UaSettings(timers=Timers(), address=US))
        self.media, self.studio = studio_media()
        self.store.end_interrupted()
        self._join()
        self.centre.resume()
        self.switch.continuing.resume()

    def _register(self, tx: ServerTransaction, request: Request) -> None:
        register(
            self.station.ua,
            self.gatekeeper,
            self.locations,
            self.settings.limits.registrations,
            tx,
            request,
            self._loop.time(),
        )

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)

    # -- phones ------------------------------------------------------------------------------

    async def phones(self, *numbers: str) -> list[Phone]:
        """A registered phone for each of these extensions."""
        return [await self.phone(number) for number in numbers]

    async def phone(self, number: str) -> Phone:
        """One more registered phone of an extension."""
        phone = self.bare_phone(number)
        assert await phone.register() == 200
        return phone

    def bare_phone(self, number: str) -> Phone:
        """A phone that is switched on but not registered."""
        host = f"10.0.1.{next(self._addresses)}"
        phone = Phone(self.ether, US, number, (host, 5060), domain=DOMAIN)
        self._phones[host] = phone
        return phone

    def move(self, phone: Phone, host: str) -> None:
        """Carry a handset to another base."""
        phone.carry_to(host)
        self._phones[host] = phone

    def outside(self, host: str, number: str = "") -> Phone:
        """The other end of a trunk whose server is at `host`; `number` calls from there."""
        phone = Phone(self.ether, US, number or host, (host, 5060), domain=host)
        self._phones[host] = phone
        return phone

    # -- time ----------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Let everything happen that needs no waiting."""
        await pass_time(SOON)

    async def pass_time(self, seconds: Seconds) -> None:
        await pass_time(seconds)

    # -- what can be known -----------------------------------------------------------------------

    def hears(self, talk: Talk) -> set[str]:
        """Whom the party hears: numbers of phones, `music`, `tone:…`, names of prompts."""
        leg = self.studio.leg_to(talk.media)
        if leg is None:
            return set()
        heard: set[str] = set()
        for source in self.studio.sources_of(leg):
            if isinstance(source, SilentPlayer):
                heard |= _sounds(source)
            elif (party := self._party(source)) is not None:
                heard.add(party)
        return heard

    def _party(self, leg: int) -> str | None:
        """The phone at the other end of a leg; None where it may not send."""
        stream = self.studio.legs[leg].stream
        if stream is None or stream.remote is None or not stream.receiving:
            return None
        phone = self._phones.get(stream.remote[0])
        return phone.number if phone is not None else None

    def told(self) -> list[str]:
        """Every prompt and tone that was played once, in order."""
        return [name for items in self.studio.played for name in map(_name, items)]

    def legs(self) -> list[Leg]:
        return [leg for call in self.switch.calls.values() for leg in call.legs]

    def legs_of(self, number: str) -> list[Leg]:
        return list(self.switch.legs.get(number, ()))

    def crashes(self) -> list[dict[str, Any]]:
        """Calls that ended by a fault of ours."""
        return [row for row in self.records() if row["cause"] == FAILED.word]

    def records(self) -> list[dict[str, Any]]:
        """The rows of calls, in order of their beginning."""
        return self.store.memory.table("calls")

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self.store.memory.table("call_events") if row["kind"] == kind]

    # -- the end ---------------------------------------------------------------------------------

    async def close(self) -> None:
        """Everybody hangs up, hours pass, and nothing may be left."""
        for _ in range(3):  # a call that comes back rings once more
            for phone in set(self._phones.values()):
                for talk in phone.talks:
                    talk.hang_up()
            await pass_time(15.0)
        left = {name: count for name, count in self.left_behind().items() if count}
        self.centre.close()
        faults = [*self.failures, *self.ether.faults]
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if faults:
            raise faults[0]
        assert not left, f"left behind: {left}"
        self._check_records()

    def left_behind(self) -> dict[str, int]:
        """How much is alive of each kind of thing that lives for a call only."""
        switch, studio = self.switch, self.studio
        overview = self.station.ua.overview()
        lasting = len(self._subscriptions())
        return {
            "calls": len(switch.calls),
            "legs of extensions": len(switch.legs),
            "ports": len(studio.legs),
            "players": sum(not player.shared for player in studio.players.values()),
            "rooms": len(studio.rooms),
            "recorders": len(studio.recorders),
            "callers of queues": len(self.centre.callers) + self._waiting(),
            "offers": len(self.centre.floor.offers),
            "agents' legs": sum(
                len(agent.talks) + len(agent.legs) for agent in self.centre.floor.agents.values()
            ),
            "broken rules of queues": len(self.centre.keeper.engine.audit())
            + sum(alarm.name.startswith("queue-") for alarm in switch.alarms),
            "parked": len(switch.parking),
            "channels of trunks": sum(carrier.used for carrier in switch.trunks),
            "sessions": overview["sessions"],
            "dialogs": overview["dialogs"] - lasting,
            "unacknowledged": overview["unacknowledged"],
        }

    def _waiting(self) -> int:
        """Callers on the line whom the queue engine still believes in."""
        return sum(call.live for call in self.centre.floor.calls.values())

    def _subscriptions(self) -> list[Any]:
        sessions = self.station.ua.sessions
        return [
            dialog for dialog in self.station.ua.dialogs.values() if dialog.usage not in sessions
        ]

    def _check_records(self) -> None:
        """Every call has an end with a cause, and no leg outlives its call."""
        for row in self.records():
            assert row["ended_at"] is not None and row["cause"], row
        for row in self.store.memory.table("legs"):
            assert row["ended_at"] is not None, row


async def _nowhere(uri: SipUri) -> list[Target]:
    """There is no DNS here."""
    return []


def settings_of(toml: str, extensions: int) -> Settings:
    """Settings in which extensions 101 … have the passwords `secret-101` …."""
    document: dict[str, Any] = tomllib.loads(toml)
    switch = {"domain": DOMAIN, **document.get("switch", {})}
    people: dict[str, Any] = {
        str(number): {"name": f"Phone {number}", "password": f"secret-{number}"}
        for number in range(101, 101 + extensions)
    }
    for number, person in document.get("extensions", {}).items():
        people[number] = {"password": f"secret-{number}", **people.get(number, {}), **person}
    settings, problems = read({**document, "switch": switch, "extensions": people})
    assert settings is not None, "\n".join(map(str, problems))
    return settings


def in_world(toml: str = "", *, extensions: int = 4) -> Callable[[Test], Callable[..., None]]:
    """Run an async test in a world with these settings; fixtures come after `world`."""

    def decorate(test: Test) -> Callable[..., None]:
        def run(**fixtures: Any) -> None:
            live(in_one(lambda world: test(world, **fixtures), toml, extensions))

        parameters = list(inspect.signature(test).parameters.values())[1:]
        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        for mark in getattr(test, "pytestmark", ()):
            run.pytestmark = [mark]  # type: ignore[attr-defined]
        return run

    return decorate


async def in_one(
    script: Callable[[World], Awaitable[None]], toml: str = "", extensions: int = 4
) -> None:
    """Carry out `script` in a world of its own."""
    world = World(toml, extensions=extensions)
    await script(world)
    await world.close()


def _sounds(player: SilentPlayer) -> set[str]:
    if player.loop and all(isinstance(item, File) for item in player.items):
        return {"music"}
    return {_name(item) for item in player.items}


def _name(item: Item) -> str:
    match item:
        case Prompt(name):
            return name
        case Say(kind, value):
            return f"{kind}:{value}"
        case Tone(what):
            return f"tone:{what}"
        case File(path):
            return path
        case _:
            return "silence"
