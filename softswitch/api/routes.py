"""Every path of the API.  Each handler asks the view and answers; nothing is decided here."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import FileResponse, StreamingResponse

from softswitch.api import models
from softswitch.api.events import Event, Lost
from softswitch.api.metrics import CONTENT_TYPE, rendered
from softswitch.api.streams import EventStream, stream
from softswitch.api.view import SwitchView, UnknownError
from softswitch.store.search import Query as Filter

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": models.Problem, "description": "There is no such thing"},
    409: {"model": models.Problem, "description": "Not as things are now"},
}


def the_switch(request: Request) -> SwitchView:
    """The switch that this API shows."""
    switch: SwitchView = request.app.state.switch
    return switch


Switch: TypeAlias = Annotated[SwitchView, Depends(the_switch)]

whole = APIRouter(tags=["switch"])
calls = APIRouter(prefix="/v1", tags=["calls"], responses=REFUSALS)
centre = APIRouter(prefix="/v1", tags=["call centre"], responses=REFUSALS)
office = APIRouter(prefix="/v1", tags=["office"], responses=REFUSALS)


@whole.get("/healthz", response_model=models.Health)
async def health(switch: Switch, response: Response) -> models.Health:
    """200 while new calls are taken, else 503."""
    found = switch.health()
    response.status_code = 200 if found.state == "ready" else 503
    return found


@whole.get("/metrics", response_class=Response)
async def metrics(switch: Switch) -> Response:
    """For Prometheus."""
    return Response(await rendered(switch.metrics()), media_type=CONTENT_TYPE)


@whole.get("/v1/status")
async def status(switch: Switch) -> models.Status:
    """The switch on one page."""
    return switch.status()


@whole.post("/v1/reload", responses=REFUSALS)
async def reload(switch: Switch) -> models.Reloaded:
    """Read the settings file again and apply it whole, or refuse it whole."""
    return await switch.reload()


@whole.get("/v1/guard")
async def suspects(switch: Switch) -> list[models.Suspect]:
    """Who is slowed or refused, and why."""
    return switch.suspects()


@whole.delete("/v1/guard/{source}", responses=REFUSALS)
async def lift(source: str, switch: Switch) -> models.Done:
    """Forgive a source."""
    switch.lift(source)
    return models.Done(detail=f"{source} is forgiven")


@whole.get("/v1/events", response_class=EventStream)
async def events(
    request: Request, switch: Switch, kind: Annotated[list[str] | None, Query()] = None
) -> EventStream:
    """What happens, as server-sent events; resumes after `Last-Event-ID`.

    `kind` picks events whose kind it is, or begins with it and a dot: `call`, `queue.joined`.
    """
    return stream(switch.events, request, _of_kind(kind or []))


@whole.get("/v1/trace", response_class=EventStream)
async def trace(
    request: Request, switch: Switch, call: str | None = None, extension: str | None = None
) -> EventStream:
    """SIP messages as they pass, of one call or extension if asked for."""

    def wanted(event: Event) -> bool:
        data = event.data
        of_call = call is None or call in (data.get("call"), data.get("sip_call_id"))
        return of_call and (extension is None or extension in data.get("extensions", ()))

    return stream(switch.trace, request, wanted)


@calls.get("/registrations")
async def registrations(switch: Switch, aor: str | None = None) -> list[models.Registration]:
    """Which phones are there."""
    found = switch.registrations()
    return [one for one in found if aor is None or aor in (one.aor, one.extension)]


@calls.get("/calls")
async def current_calls(switch: Switch) -> list[models.Call]:
    """Calls in progress."""
    return switch.calls()


@calls.post("/calls", status_code=201)
async def originate(wish: models.Originate, switch: Switch) -> models.Started:
    """Ring one party and call another from there."""
    return models.Started(call=await switch.originate(wish.caller, wish.to))


@calls.delete("/calls/{call}")
async def hang_up(call: str, switch: Switch) -> models.Done:
    """End a call."""
    switch.hang_up(call)
    return models.Done(detail=f"call {call} is ended")


def the_filter(
    number: str | None = None,
    since: float | None = None,
    until: float | None = None,
    longer: float | None = None,
    shorter: float | None = None,
    cause: str | None = None,
    direction: Literal["internal", "inbound", "outbound"] | None = None,
    queue: str | None = None,
    agent: str | None = None,
    line: str | None = None,
    trunk: str | None = None,
) -> Filter:
    """What to look for; `number` may be an extension, and is sought in every leg."""
    return Filter(
        number, since, until, longer, shorter, cause, direction, queue, agent, line, trunk
    )


Wanted: TypeAlias = Annotated[Filter, Depends(the_filter)]


@calls.get("/records")
async def records(
    switch: Switch,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**12)] = 0,
) -> models.Records:
    """Calls of the past and those in progress, newest first (P26, R7)."""
    search = await switch.search()
    page = await search.page(wanted, limit=limit, offset=offset)
    total = await search.count(wanted)
    return models.Records(total=total, records=[models.Record(**found) for found in page])


@calls.get("/records.csv", response_class=StreamingResponse)
async def export(switch: Switch, wanted: Wanted) -> StreamingResponse:
    """The same as a table, whole, in local time."""
    lines = (await switch.search()).export(wanted, switch.zone)
    disposition = {"Content-Disposition": 'attachment; filename="records.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=disposition)


@calls.get("/records/{call}")
async def record(call: str, switch: Switch) -> models.FullRecord:
    """One call with its legs and everything that happened."""
    found = await (await switch.search()).call(call)
    if found is None:
        raise UnknownError("record of call", call)
    return models.FullRecord(**found)


@centre.get("/queues")
async def queues(switch: Switch) -> list[models.Queue]:
    """All queues, as a wallboard shows them (C11)."""
    return switch.queues()


@centre.get("/queues/{name}")
async def queue(name: str, switch: Switch) -> models.Queue:
    """One queue with its callers."""
    return switch.queue(name)


@centre.get("/agents")
async def agents(switch: Switch) -> list[models.Agent]:
    """All agents and what they do."""
    return switch.agents()


@centre.post("/agents/{name}/{verb}")
async def command_agent(
    name: str, verb: models.AgentVerb, switch: Switch, wishes: models.AgentWishes | None = None
) -> models.Done:
    """Log in or out, pause with a reason, resume, stretch or end the wrap-up."""
    switch.command_agent(name, verb, wishes or models.AgentWishes())
    return models.Done(detail=f"{name}: {verb}")


@centre.get("/explain/{subject}/{name}")
async def explain(
    subject: Literal["call", "agent", "waiting", "queue"], name: str, switch: Switch
) -> models.Explanation:
    """Why this call went to that agent, why an agent is idle, why a caller waits."""
    return await switch.explain(subject, name)


@office.get("/conferences")
async def conferences(switch: Switch) -> list[models.Conference]:
    """Rooms that somebody is in."""
    return switch.conferences()


@office.post("/conferences/{name}/{leg}/{verb}")
async def command_member(
    name: str, leg: str, verb: models.MemberVerb, switch: Switch
) -> models.Done:
    """Mute, unmute or remove a member."""
    switch.command_member(name, leg, verb)
    return models.Done(detail=f"{leg}: {verb}")


@office.get("/parked")
async def parked(switch: Switch) -> list[models.Parked]:
    """Calls that wait in a slot."""
    return switch.parked()


@office.get("/modes")
async def mode(switch: Switch) -> models.Mode:
    """The mode in force."""
    return switch.mode()


@office.put("/modes")
async def set_mode(wish: models.ModeWish, switch: Switch) -> models.Mode:
    """Set the mode by hand, or give it back to the calendar."""
    switch.set_mode(wish)
    return switch.mode()


@office.get("/voicemail")
async def boxes(switch: Switch) -> list[models.Box]:
    """Boxes that hold messages."""
    return switch.boxes()


@office.get("/voicemail/{box}")
async def box(box: str, switch: Switch) -> list[models.VoiceMessage]:
    """The messages of a box, oldest first."""
    return switch.box(box)


@office.get("/voicemail/messages/{message}/sound", response_class=FileResponse)
async def sound(message: str, switch: Switch) -> FileResponse:
    """What was said."""
    return FileResponse(switch.sound_of(message))


@office.delete("/voicemail/messages/{message}")
async def delete_message(message: str, switch: Switch) -> models.Done:
    """Delete a message and its recording."""
    switch.delete_message(message)
    return models.Done(detail=f"message {message} is deleted")


def _of_kind(kinds: list[str]) -> Callable[[Event], bool]:
    prefixes = tuple(f"{kind}." for kind in kinds)

    def wanted(event: Event) -> bool:
        return (
            not kinds
            or isinstance(event, Lost)
            or event.kind in kinds
            or event.kind.startswith(prefixes)
        )

    return wanted
