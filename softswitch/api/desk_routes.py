"""Paths of the attendant's desk: colleagues, groups, calls that are handed on, callbacks."""

import asyncio
from pathlib import Path as File
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query
from starlette.responses import FileResponse

from softswitch.api import desk_models as models
from softswitch.api.models import Done
from softswitch.api.routes import REFUSALS, Calls, Conferences, part
from softswitch.api.view import DeskView, UnknownError

Desk: TypeAlias = Annotated[DeskView, Depends(part("desk"))]

desk = APIRouter(prefix="/v1", tags=["desk"], responses=REFUSALS)


@desk.get("/extensions")
async def extensions(view: Desk) -> list[models.Extension]:
    """Everybody, and what he does: free, ringing, talking, held, away (D1)."""
    return view.extensions()


@desk.post("/extensions/{number}/{verb}")
async def command_extension(
    number: str, verb: models.ExtensionVerb, view: Desk, where: models.Where | None = None
) -> Done:
    """Do not disturb and forwarding, as by `*78` and `*72`."""
    view.command_extension(number, verb, where.to if where else None)
    return Done(detail=f"{number}: {verb}")


@desk.get("/groups")
async def groups(view: Desk) -> list[models.HuntGroup]:
    """Hunt groups and their members (P3)."""
    return view.groups()


@desk.post("/groups/{name}/{member}/{verb}")
async def command_group(name: str, member: str, verb: models.GroupVerb, view: Desk) -> Done:
    """Have a member leave the hunt groups or come back, as by `*48`."""
    view.command_group(name, member, verb)
    return Done(detail=f"{member}: {verb}")


@desk.get("/groups/{name}/report")
async def report(
    name: str, view: Desk, since: float | None = None, until: float | None = None
) -> list[models.Ringing]:
    """Who was rung, who answered, who let it ring (D7); since and until in epoch seconds."""
    return await view.report(name, since, until)


@desk.post("/calls/{call}/transfer")
async def transfer(call: str, wish: models.Transfer, view: Desk) -> Done:
    """Hand a party on (D1); what becomes of it is told by the events of the call."""
    return Done(detail=view.transfer(call, wish.to, wish.by))


@desk.post("/calls/{call}/recording/{verb}")
async def record(call: str, verb: models.RecordingVerb, view: Desk) -> Done:
    """Record on demand, which both are told; pause and resume (R2)."""
    return Done(detail=view.record(call, verb))


@desk.get("/records/{call}/sound", response_class=FileResponse)
async def sound(call: str, view: Calls, part: Annotated[int, Query(ge=1)] = 1) -> FileResponse:
    """The recording of a call; after a transfer it goes on in part 2."""
    found = await (await view.search()).call(call)
    details = (found or {}).get("details") or {}
    parts = details.get("recordings") or [(found or {}).get("recording")]
    path = parts[part - 1] if part <= len(parts) else None
    if path is None or not await asyncio.to_thread(File(path).is_file):
        raise UnknownError("recording of call", call)
    return FileResponse(path)


@desk.post("/conferences/{name}/{verb}")
async def command_room(
    name: str, verb: models.RoomVerb, view: Conferences, where: models.Where | None = None
) -> Done:
    """Lock, mute all, record, invite somebody, end (P14)."""
    view.command_room(name, verb, where.to if where else None)
    return Done(detail=f"{name}: {verb}")


@desk.get("/recalls")
async def recalls(view: Desk) -> list[models.Recall]:
    """Who waits for a free trunk or colleague, the one who asked first first (P32)."""
    return view.recalls()


@desk.delete("/recalls/{extension}")
async def cancel_recalls(extension: str, view: Desk) -> Done:
    """Have an extension wait for nothing any more, as by `*67`."""
    view.cancel_recalls(extension)
    return Done(detail=f"{extension} waits for nothing any more")


@desk.get("/callbacks")
async def errands(
    view: Desk, owner: str | None = None, closed: bool = False
) -> list[models.Errand]:
    """Callbacks that were promised, those due first come first (D3)."""
    return view.errands(owner, closed)


@desk.post("/callbacks", status_code=201)
async def file_errand(wish: models.ErrandWish, view: Desk) -> models.Errand:
    """Have somebody call a number back; his next answered call there closes it."""
    return view.file_errand(wish)


@desk.post("/callbacks/{errand}/done")
async def close_errand(errand: str, view: Desk) -> models.Errand:
    """It needs no call any more."""
    return view.close_errand(errand)
