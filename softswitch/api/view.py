"""How the API sees the switch.  The composition root implements it; tests do as well.

Plain methods answer from memory; coroutines wait for something.  All run in the switch's loop.
A command that cannot be obeyed raises `RefusedError` with a sentence, and has changed nothing.
"""

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Protocol

from softswitch.api import models
from softswitch.api.events import Hub
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
    def zone(self) -> tzinfo: ...

    @property
    def events(self) -> Hub: ...

    @property
    def trace(self) -> Hub:
        """SIP messages as they pass; `data` has `call`, `sip_call_id`, `extensions` to pick by."""

    def health(self) -> models.Health: ...
    def status(self) -> models.Status: ...
    def metrics(self) -> Sequence[Metric]: ...
    async def reload(self) -> models.Reloaded: ...
    def suspects(self) -> list[models.Suspect]: ...
    def lift(self, source: str) -> None: ...


class CallsView(Protocol):
    """Phones and calls."""

    def registrations(self) -> list[models.Registration]: ...
    def calls(self) -> list[models.Call]: ...
    def hang_up(self, call: str) -> None: ...
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
    async def explain(self, subject: str, name: str) -> models.Explanation: ...


class OfficeView(Protocol):
    """What an office has beside."""

    def conferences(self) -> list[models.Conference]: ...
    def command_member(self, conference: str, leg: str, verb: models.MemberVerb) -> None: ...
    def parked(self) -> list[models.Parked]: ...
    def mode(self) -> models.Mode: ...
    def set_mode(self, wish: models.ModeWish) -> None: ...
    def boxes(self) -> list[models.Box]: ...
    def box(self, box: str) -> list[models.VoiceMessage]: ...
    def sound_of(self, message: str) -> Path: ...
    def delete_message(self, message: str) -> None: ...


class SwitchView(WholeView, CallsView, CentreView, OfficeView, Protocol):
    """All of it."""
