"""How the API sees the switch: one view a subject, put together by the composition root.

Plain methods answer from memory; coroutines wait for something.  All run in the switch's loop.
A command that cannot be obeyed raises `RefusedError` with a sentence, and has changed nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol

from softswitch.api import desk_models as desk
from softswitch.api import models
from softswitch.api.events import Event, Hub
from softswitch.api.metrics import Metric
from softswitch.store.search import Search


class RefusedError(Exception):
    """The switch will not do this; `status` is the HTTP status that says so."""

    def __init__(self, sentence: str, *, status: int = 409) -> None:
        super().__init__(sentence)
        self.status = status


class UnknownError(RefusedError):
    """There is no such call, agent, queue, ..."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"there is no {what} {name}", status=404)


class WholeView(Protocol):
    """The switch itself."""

    @property
    def events(self) -> Hub: ...

    @property
    def trace(self) -> Hub:
        """SIP messages as they pass; `data` has `call`, `sip_call_id`, `extensions` to pick by."""

    def passed(self, extension: str | None) -> Sequence[Event]:
        """SIP messages that passed lately; only those of an extension's calls, if one is named."""

    def health(self) -> models.Health: ...
    def status(self) -> models.Status: ...
    async def metrics(self) -> Sequence[Metric]: ...
    async def reload(self) -> models.Reloaded: ...

    def settings(self, key: str) -> models.EffectiveSettings:
        """What the switch runs by, secrets hidden: all, or under one dotted key."""

    def suspects(self) -> list[models.Suspect]: ...
    def lift(self, source: str) -> None: ...


class CallsView(Protocol):
    """Phones and calls."""

    @property
    def zone(self) -> tzinfo: ...

    def registrations(self) -> list[models.Registration]: ...
    def calls(self) -> list[models.Call]: ...

    def hang_up(self, call: str) -> str:
        """End the call whose id begins so, if only one does; its whole id."""

    async def originate(self, caller: str, to: str) -> str: ...
    async def search(self) -> Search: ...


class CentreView(Protocol):
    """Queues and agents."""

    def queues(self) -> list[models.Queue]: ...
    def queue(self, name: str) -> models.Queue: ...
    def agents(self) -> list[models.Agent]: ...
    def command_agent(
        self, agent: str, verb: models.AgentVerb, wishes: models.AgentWishes
    ) -> None: ...
    def waiting(self) -> list[models.Waiting]: ...
    def change_waiting(self, call: str, wish: models.WaitingWish) -> str:
        """Change what is known of the waiting call whose id begins so; its whole id."""

    async def explain(self, subject: str, name: str) -> models.Explanation: ...


class StatisticsView(Protocol):
    """Past intervals of queues and agents."""

    async def figures(self, since: float, until: float | None) -> models.Statistics: ...
    async def visits(
        self, since: float, until: float | None, queue: str | None, outcome: str | None
    ) -> list[models.Visit]: ...
    async def queue_log(self, since: float, until: float | None) -> str: ...


class ConferencesView(Protocol):
    """Rooms with somebody in them."""

    def conferences(self) -> list[models.Conference]: ...
    def command_room(self, conference: str, verb: desk.RoomVerb, number: str | None) -> None: ...
    def command_member(self, conference: str, leg: str, verb: models.MemberVerb) -> None: ...


class DeskView(Protocol):
    """What an attendant sees and does (D1, D3, D7)."""

    def extensions(self) -> list[desk.Extension]: ...
    def command_extension(self, number: str, verb: desk.ExtensionVerb, to: str | None) -> None: ...
    def groups(self) -> list[desk.HuntGroup]: ...
    def command_group(self, group: str, member: str, verb: desk.GroupVerb) -> None: ...
    async def report(
        self, group: str, since: float | None, until: float | None
    ) -> list[desk.Ringing]: ...
    def transfer(self, call: str, to: str, by: str | None) -> str: ...
    def record(self, call: str, verb: desk.RecordingVerb) -> str: ...
    def recalls(self) -> list[desk.Recall]: ...
    def cancel_recalls(self, extension: str) -> None: ...
    def errands(self, owner: str | None, closed: bool) -> list[desk.Errand]: ...
    def file_errand(self, wish: desk.ErrandWish) -> desk.Errand: ...
    def close_errand(self, errand: str) -> desk.Errand: ...


class ParkView(Protocol):
    """Calls that wait in a slot."""

    def parked(self) -> list[models.Parked]: ...


class ModesView(Protocol):
    """Day, night, lunch."""

    def mode(self) -> models.Mode: ...
    def set_mode(self, wish: models.ModeWish) -> None: ...


class VoicemailView(Protocol):
    """Boxes and their messages."""

    def boxes(self) -> list[models.Box]: ...
    def box(self, box: str) -> list[models.VoiceMessage]: ...
    def sound_of(self, message: str) -> Path: ...
    def delete_message(self, message: str) -> None: ...


class RoutesView(Protocol):
    """Where numbers lead."""

    async def route(
        self, number: str, caller: str | None, at: datetime | None, fields: Mapping[str, str]
    ) -> models.Route: ...


@dataclass(slots=True)
class Views:
    """All of it.  What a switch has not is None, and asking for it is refused."""

    whole: WholeView
    calls: CallsView
    modes: ModesView
    voicemail: VoicemailView
    centre: CentreView | None = None
    conferences: ConferencesView | None = None
    park: ParkView | None = None
    routes: RoutesView | None = None
    statistics: StatisticsView | None = None
    desk: DeskView | None = None
