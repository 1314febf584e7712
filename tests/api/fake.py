"""A switch that the API can show: state in plain attributes, commands noted in a list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from softswitch.api import models
from softswitch.api.desk_models import RoomVerb
from softswitch.api.events import Event, Hub
from softswitch.api.metrics import Metric, counter, gauge
from softswitch.api.view import RefusedError, UnknownError, Views
from softswitch.store.search import Search
from softswitch.store.store import Store

CALL = models.Call(id="c1", state="talking", caller="101", dialled="102", began_at=1.5)
ANNA = models.Agent(name="anna", status="ready", state="idle", since=2.0, queues=["sales"])
SALES = models.Queue(name="sales", strategy="longest-idle", waiting=1)
PHONE = models.Registration(
    aor="sip:101@x",
    extension="101",
    contact="sip:101@h",
    transport="udp",
    address="h",
    expires_at=9,
)


class FakeSwitch:
    """Answers with constants; `done` lists what it was told to do."""

    zone = ZoneInfo("UTC")

    def __init__(self, store: Store | None = None) -> None:
        self.events, self.trace = Hub(keep=5, first=1), Hub(keep=0)
        self.store = store
        self.done: list[tuple[object, ...]] = []
        self.state: models.Health = models.Health(state="ready")
        self.file = Path()

    def health(self) -> models.Health:
        return self.state

    def status(self) -> models.Status:
        usage = {"calls": models.Usage(used=1, limit=100)}
        return models.Status(
            version="1", state="ready", domain="x", started_at=1.0, media="epoll", usage=usage
        )

    def passed(self, extension: str | None) -> Sequence[Event]:
        data = {"call": "c1", "sip_call_id": "x@y", "extensions": [extension]}
        return [Event(0, "message", data)]

    async def metrics(self) -> Sequence[Metric]:
        by_cause = [(("normal",), 3.0), (("busy",), 1.0)]
        return [
            gauge("calls", "Calls in progress", 2),
            counter("messages", "SIP messages received", 7),
            Metric("ended_calls", "Calls by cause", "counter", ("cause",), by_cause),
        ]

    async def reload(self) -> models.Reloaded:
        raise RefusedError("queues.sales.ringtime: unknown setting; did you mean ring_time?")

    def settings(self, key: str) -> models.EffectiveSettings:
        return models.EffectiveSettings(settings={f"{key}.strategy": "linear"})

    def suspects(self) -> list[models.Suspect]:
        return [
            models.Suspect(source="192.0.2.9", state="silenced", why="wrong passwords", failures=50)
        ]

    def lift(self, source: str) -> None:
        self.done.append(("lift", source))

    def registrations(self) -> list[models.Registration]:
        return [PHONE]

    def calls(self) -> list[models.Call]:
        return [CALL]

    def hang_up(self, call: str) -> str:
        if call != CALL.id:
            raise UnknownError("call", call)
        self.done.append(("hang up", call))
        return call

    async def originate(self, caller: str, to: str) -> str:
        self.done.append(("originate", caller, to))
        return "c2"

    async def search(self) -> Search:
        assert self.store is not None
        return await self.store.search()

    def queues(self) -> list[models.Queue]:
        return [SALES]

    def queue(self, name: str) -> models.Queue:
        return SALES

    def waiting(self) -> list[models.Waiting]:
        return []

    def change_waiting(self, call: str, wish: models.WaitingWish) -> str:
        self.done.append(("waiting", call, wish.priority))
        return call

    def agents(self) -> list[models.Agent]:
        return [ANNA]

    def command_agent(self, agent: str, verb: models.AgentVerb, wishes: models.AgentWishes) -> None:
        self.done.append((agent, verb, wishes.reason))

    async def explain(self, subject: str, name: str) -> models.Explanation:
        return models.Explanation(subject=f"{subject} {name}", sentences=["nobody is free"])

    async def route(
        self, number: str, caller: str | None, at: datetime | None, fields: Mapping[str, str]
    ) -> models.Route:
        return models.Route(
            number=number, targets=["extension:102"], steps=[f"dialled by {caller}"]
        )

    def conferences(self) -> list[models.Conference]:
        return [models.Conference(name="board")]

    def command_room(self, conference: str, verb: RoomVerb, number: str | None) -> None:
        self.done.append((conference, verb, number))

    def command_member(self, conference: str, leg: str, verb: models.MemberVerb) -> None:
        self.done.append((conference, leg, verb))

    def parked(self) -> list[models.Parked]:
        return [models.Parked(slot="71", call="c1", party="101", since=1.0)]

    def mode(self) -> models.Mode:
        return models.Mode(name="day")

    def set_mode(self, wish: models.ModeWish) -> None:
        self.done.append(("mode", wish.name))

    def boxes(self) -> list[models.Box]:
        return [models.Box(box="101", new=1, old=0)]

    def box(self, box: str) -> list[models.VoiceMessage]:
        return [models.VoiceMessage(id="m1", box=box, left_at=1.0, seconds=2.0, caller="102")]

    def sound_of(self, message: str) -> Path:
        return self.file

    def delete_message(self, message: str) -> None:
        self.done.append(("delete", message))


def views(switch: FakeSwitch) -> Views:
    """Every view of the one fake."""
    return Views(switch, switch, switch, switch, switch, switch, switch, switch)
