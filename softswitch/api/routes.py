"""Every path of the API.  Each handler asks the view and answers; nothing is decided here."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse

from softswitch.api import models
from softswitch.api.events import Event, Lost
from softswitch.api.metrics import CONTENT_TYPE, rendered
from softswitch.api.streams import EventStream, stream
from softswitch.api.view import (
    CallsView,
    CentreView,
    ConferencesView,
    ModesView,
    ParkView,
    RefusedError,
    RoutesView,
    StatisticsView,
    UnknownError,
    VoicemailView,
    WholeView,
)
from softswitch.store.search import Query as Filter

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": models.Problem, "description": "There is no such thing"},
    409: {"model": models.Problem, "description": "Not as things are now"},
}


def part(name: str) -> Callable[[Request], Any]:
    """Gives a handler its view of the switch."""

    async def find(request: Request) -> Any:  # a plain function would cost a thread
        view = getattr(request.app.state.views, name)
        if view is None:
            raise RefusedError(f"this switch has no {name}", status=404)
        return view

    return find


Whole: TypeAlias = Annotated[WholeView, Depends(part("whole"))]
Calls: TypeAlias = Annotated[CallsView, Depends(part("calls"))]
Centre: TypeAlias = Annotated[CentreView, Depends(part("centre"))]
Conferences: TypeAlias = Annotated[ConferencesView, Depends(part("conferences"))]
Park: TypeAlias = Annotated[ParkView, Depends(part("park"))]
Modes: TypeAlias = Annotated[ModesView, Depends(part("modes"))]
Voicemail: TypeAlias = Annotated[VoicemailView, Depends(part("voicemail"))]
Statistics: TypeAlias = Annotated[StatisticsView, Depends(part("statistics"))]
Routes: TypeAlias = Annotated[RoutesView, Depends(part("routes"))]

whole = APIRouter(tags=["switch"])
calls = APIRouter(prefix="/v1", tags=["calls"], responses=REFUSALS)
centre = APIRouter(prefix="/v1", tags=["call centre"], responses=REFUSALS)
office = APIRouter(prefix="/v1", tags=["office"], responses=REFUSALS)


@whole.get("/healthz", response_model=models.Health)
async def health(view: Whole, response: Response) -> models.Health:
    """200 while new calls are taken, else 503."""
    found = view.health()
    response.status_code = 200 if found.state == "ready" else 503
    return found


@whole.get("/metrics", response_class=Response)
async def metrics(view: Whole) -> Response:
    """For Prometheus."""
    return Response(await rendered(await view.metrics()), media_type=CONTENT_TYPE)


@whole.get("/v1/status")
async def status(view: Whole) -> models.Status:
    """The switch on one page."""
    return view.status()


@whole.post("/v1/reload", responses=REFUSALS)
async def reload(view: Whole) -> models.Reloaded:
    """Read the settings file again and apply it whole, or refuse it whole."""
    return await view.reload()


@whole.get("/v1/settings", responses=REFUSALS)
async def settings(view: Whole, key: str = "") -> models.EffectiveSettings:
    """What the switch runs by, those settings included that the file leaves out."""
    return view.settings(key)


@whole.get("/v1/guard")
async def suspects(view: Whole) -> list[models.Suspect]:
    """Who is slowed or refused, and why."""
    return view.suspects()


@whole.delete("/v1/guard/{source}", responses=REFUSALS)
async def lift(source: str, view: Whole) -> models.Done:
    """Forgive a source."""
    view.lift(source)
    return models.Done(detail=f"{source} is forgiven")


@whole.get("/v1/events", response_class=EventStream)
async def events(
    request: Request, view: Whole, kind: Annotated[list[str] | None, Query()] = None
) -> EventStream:
    """What happens, as server-sent events; resumes after `Last-Event-ID`.

    `kind` picks events whose kind it is, or begins with it and a dot: `call`, `queue.joined`.
    """
    return stream(view.events, request, _of_kind(kind or []))


@whole.get("/v1/trace", response_class=EventStream)
async def trace(
    request: Request, view: Whole, call: str | None = None, extension: str | None = None
) -> EventStream:
    """SIP messages as they pass; of one call or extension, those that passed lately as well.

    `call` is our id, or as much of it as is needed, or a Call-ID.
    """

    def of_call(event: Event) -> bool:
        data = event.data
        known = data["call"] or ""
        return call is None or known.startswith(call) or data["sip_call_id"] == call

    def wanted(event: Event) -> bool:
        return of_call(event) and (extension is None or extension in event.data["extensions"])

    asked = call is not None or extension is not None
    past = [event for event in view.passed(extension) if of_call(event)] if asked else []
    return stream(view.trace, request, wanted, past)


@calls.get("/registrations")
async def registrations(view: Calls, aor: str | None = None) -> list[models.Registration]:
    """Which phones are there."""
    found = view.registrations()
    return [one for one in found if aor is None or aor in (one.aor, one.extension)]


@calls.get("/calls")
async def current_calls(view: Calls) -> list[models.Call]:
    """Calls in progress."""
    return view.calls()


@calls.post("/calls", status_code=201)
async def originate(wish: models.Originate, view: Calls) -> models.Started:
    """Ring one party and call another from there."""
    return models.Started(call=await view.originate(wish.caller, wish.to))


@calls.delete("/calls/{call}")
async def hang_up(call: str, view: Calls) -> models.Done:
    """End a call; the beginning of its id is enough."""
    return models.Done(detail=f"call {view.hang_up(call)} is ended")


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
    chain: str | None = None,
) -> Filter:
    """What to look for; `number` may be an extension, and is sought in every leg.

    `chain` is the id of a call's first record, at whichever site of ours it began.
    """
    return Filter(
        number, since, until, longer, shorter, cause, direction, queue, agent, line, trunk, chain
    )


Wanted: TypeAlias = Annotated[Filter, Depends(the_filter)]


@calls.get("/records")
async def records(
    view: Calls,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**12)] = 0,
) -> models.Records:
    """Calls of the past and those in progress, newest first (P26, R7)."""
    search = await view.search()
    page = await search.page(wanted, limit=limit, offset=offset)
    total = await search.count(wanted)
    return models.Records(total=total, records=[models.Record(**found) for found in page])


@calls.get("/records.csv", response_class=StreamingResponse)
async def export(view: Calls, wanted: Wanted) -> StreamingResponse:
    """The same as a table, whole, in local time."""
    lines = (await view.search()).export(wanted, view.zone)
    disposition = {"Content-Disposition": 'attachment; filename="records.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=disposition)


@calls.get("/records/{call}")
async def record(call: str, view: Calls) -> models.FullRecord:
    """One call with its legs and everything that happened."""
    found = await (await view.search()).call(call)
    if found is None:
        raise UnknownError("record of call", call)
    return models.FullRecord(**found)


@centre.get("/queues")
async def queues(view: Centre) -> list[models.Queue]:
    """All queues, as a wallboard shows them (C11)."""
    return view.queues()


@centre.get("/queues/{name}")
async def queue(name: str, view: Centre) -> models.Queue:
    """One queue with its callers."""
    return view.queue(name)


@centre.get("/agents")
async def agents(view: Centre) -> list[models.Agent]:
    """All agents and what they do."""
    return view.agents()


@centre.post("/agents/{name}/{verb}")
async def command_agent(
    name: str, verb: models.AgentVerb, view: Centre, wishes: models.AgentWishes | None = None
) -> models.Done:
    """Log in or out, pause with a reason, resume, stretch or end the wrap-up."""
    view.command_agent(name, verb, wishes or models.AgentWishes())
    return models.Done(detail=f"{name}: {verb}")


@centre.get("/waiting")
async def waiting(view: Centre) -> list[models.Waiting]:
    """Everybody who waits, callbacks included, queue by queue in order of service."""
    return view.waiting()


@centre.patch("/waiting/{call}")
async def change_waiting(call: str, wish: models.WaitingWish, view: Centre) -> models.Done:
    """Give a waiting call another priority or queue, or send it elsewhere; at once."""
    return models.Done(detail=f"call {view.change_waiting(call, wish)} is changed")


@centre.get("/statistics")
async def statistics(
    view: Statistics, since: float, until: float | None = None
) -> models.Statistics:
    """Figures of all queues and agents for any past interval, epoch seconds."""
    return await view.figures(since, until)


@centre.get("/visits")
async def visits(
    view: Statistics,
    since: float,
    until: float | None = None,
    queue: str | None = None,
    outcome: str | None = None,
) -> list[models.Visit]:
    """Visits to queues that began within the interval; `outcome=abandoned` are the lost ones."""
    return await view.visits(since, until, queue, outcome)


@centre.get("/queue_log", response_class=PlainTextResponse)
async def queue_log(view: Statistics, since: float, until: float | None = None) -> str:
    """The interval as a `queue_log` for tools that read Asterisk's."""
    return await view.queue_log(since, until)


@centre.get("/explain/{subject}/{name}")
async def explain(
    subject: Literal["call", "agent", "waiting", "queue"], name: str, view: Centre
) -> models.Explanation:
    """Why this call went to that agent, why an agent is idle, why a caller waits."""
    return await view.explain(subject, name)


@office.get("/route/{number}")
async def route(
    number: str,
    view: Routes,
    caller: Annotated[str | None, Query(alias="from")] = None,
    at: datetime | None = None,
    digits: Annotated[list[str] | None, Query(description="Collected: field=digits")] = None,
) -> models.Route:
    """Where a number leads and why (A11); `at` without zone is the switch's own time."""
    fields = dict(each.partition("=")[::2] for each in digits or ())
    return await view.route(number, caller, at, fields)


@office.get("/conferences")
async def conferences(view: Conferences) -> list[models.Conference]:
    """Rooms that somebody is in."""
    return view.conferences()


@office.post("/conferences/{name}/{leg}/{verb}")
async def command_member(
    name: str, leg: str, verb: models.MemberVerb, view: Conferences
) -> models.Done:
    """Mute, unmute or remove a member."""
    view.command_member(name, leg, verb)
    return models.Done(detail=f"{leg}: {verb}")


@office.get("/parked")
async def parked(view: Park) -> list[models.Parked]:
    """Calls that wait in a slot."""
    return view.parked()


@office.get("/modes")
async def mode(view: Modes) -> models.Mode:
    """The mode in force."""
    return view.mode()


@office.put("/modes")
async def set_mode(wish: models.ModeWish, view: Modes) -> models.Mode:
    """Set the mode by hand, or give it back to the calendar."""
    view.set_mode(wish)
    return view.mode()


@office.get("/voicemail")
async def boxes(view: Voicemail) -> list[models.Box]:
    """Boxes that hold messages."""
    return view.boxes()


@office.get("/voicemail/{box}")
async def box(box: str, view: Voicemail) -> list[models.VoiceMessage]:
    """The messages of a box, oldest first."""
    return view.box(box)


@office.get("/voicemail/messages/{message}/sound", response_class=FileResponse)
async def sound(message: str, view: Voicemail) -> FileResponse:
    """What was said."""
    return FileResponse(view.sound_of(message))


@office.delete("/voicemail/messages/{message}")
async def delete_message(message: str, view: Voicemail) -> models.Done:
    """Delete a message and its recording."""
    view.delete_message(message)
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
