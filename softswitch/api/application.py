"""The API as an ASGI application over a view of the switch."""

from importlib.metadata import version

from fastapi import FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from softswitch.api import desk_routes, routes
from softswitch.api.access import OPEN, Access
from softswitch.api.patience import Patience
from softswitch.api.view import RefusedError, Views
from softswitch.store.errors import StoreError

MAX_BODY = 64 << 10  # bytes; the largest command is far smaller


def create_api(
    views: Views,
    token: str | None = None,
    open_paths: frozenset[str] = OPEN,
    request_time: float = 30.0,
) -> FastAPI:
    """The application; without `token` it serves this machine alone."""
    api = FastAPI(
        title="Softswitch",
        version=version("softswitch"),
        summary="Commands, state, events and metrics of a running switch",
        docs_url=None,  # the pages of Swagger and ReDoc load scripts from elsewhere
        redoc_url=None,
        max_body_size=MAX_BODY,
        telemetry={"auto_configure": False},  # whatever OTEL_* says
    )
    api.state.views = views
    for router in (routes.whole, routes.calls, routes.centre, routes.office, desk_routes.desk):
        api.include_router(router)
    api.add_exception_handler(RefusedError, _refusal)
    api.add_exception_handler(SQLAlchemyError, _no_database)
    api.add_exception_handler(StoreError, _not_kept)
    api.add_middleware(Patience, seconds=request_time)
    api.add_middleware(Access, token=token, open_paths=open_paths)
    return api


async def _no_database(_: Request, error: Exception) -> JSONResponse:
    """Calls go on without it; only the question cannot be answered."""
    return JSONResponse({"detail": f"the database does not answer: {error}"}, 503)


async def _not_kept(_: Request, error: Exception) -> JSONResponse:
    """A disk that is full: what cannot be kept is not done."""
    return JSONResponse({"detail": str(error)}, 503)


async def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return JSONResponse({"detail": str(error)}, error.status)
