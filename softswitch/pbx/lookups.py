"""Asking somebody else about a caller: a database row or a web service, in bounded time (A13).

An answer is words of ours (`route`, `priority`, `greeting`, …) or it is a failure with a reason;
nothing that a foreign system does raises, waits longer than its time-out, or blocks.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import quote

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError

from config.rules import DRIVERS, Lookup
from config.settings import Settings
from softswitch.pbx.answers import Answer, NoAnswerError, read
from softswitch.store.question import Question

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("lookups")

ALARM = "lookup:"
KEPT = 4096
"""Answers that are remembered."""
LONGEST = 64 * 1024
"""Bytes of an answer over HTTP."""

Values: TypeAlias = Mapping[str, str]
"""What is known of the call, by the names that queries and URLs use."""


class Source(Protocol):
    """Where answers come from."""

    async def ask(self, values: Values) -> dict[str, Any] | None: ...
    async def close(self) -> None: ...


class Web:
    """A web service that answers JSON."""

    def __init__(self, url: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = url
        self._client = httpx.AsyncClient(headers=headers, verify=url.startswith("https:"))

    async def ask(self, values: Values) -> dict[str, Any] | None:
        url = self._url
        for name, value in values.items():
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
        try:
            async with self._client.stream("GET", url) as response:
                if response.status_code in (204, 404):
                    return None
                if not response.is_success:
                    raise NoAnswerError(f"it answers {response.status_code}")
                return _object(await _bounded(response))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswerError(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        await self._client.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LONGEST:
            raise NoAnswerError(f"its answer is longer than {LONGEST} bytes")
    return body


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body or b"null")
    except ValueError as error:
        raise NoAnswerError("its answer is no JSON") from error
    if isinstance(found, list):
        found = found[0] if found else None
    if not found:
        return None
    if not isinstance(found, dict):
        raise NoAnswerError("its answer is no JSON object")
    return found


class Lookups:
    """All look-ups of the settings."""

    def __init__(self, switch: Switch, clock: Callable[[], float] = time.monotonic) -> None:
        self._switch, self._clock = switch, clock
        self._sources: dict[Lookup, Source] = {}
        self._kept: OrderedDict[tuple[str, tuple[tuple[str, str], ...]], tuple[float, Answer]]
        self._kept = OrderedDict()
        switch.on_settings.append(self.apply)

    def apply(self, settings: Settings) -> None:
        """Ask by these settings from now on; what a changed look-up answered is forgotten."""
        self._kept.clear()
        for alarm in [each.name for each in self._switch.alarms]:
            if alarm.startswith(ALARM) and alarm.removeprefix(ALARM) not in settings.lookups:
                self._switch.alarms.clear(alarm)
        for lookup in self._sources.keys() - set(settings.lookups.values()):
            self._switch.spawn(self._sources.pop(lookup).close())

    async def ask(self, name: str, values: Values) -> Answer:
        """What look-up `name` knows; a failure raises an alarm until it answers again."""
        lookup = self._switch.settings.lookups[name]
        key = (name, tuple(sorted(values.items())))
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        answer = await self._asked(name, lookup, values)
        alarm = f"{ALARM}{name}"
        if answer.outcome == "failed":
            self._switch.alarms.raise_(alarm, f"look-up {name} fails: {answer.why}")
            return answer
        self._switch.alarms.clear(alarm)
        self._kept[key] = self._clock() + lookup.cache, answer
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return answer

    async def _asked(self, name: str, lookup: Lookup, values: Values) -> Answer:
        try:
            async with asyncio.timeout(lookup.timeout):
                row = await (await self._source(lookup)).ask(values)
            return Answer("missing") if row is None else read(self._switch.settings, name, row)
        except TimeoutError:
            return Answer("failed", f"no answer within {lookup.timeout:g} s")
        except (NoAnswerError, SQLAlchemyError, ImportError, OSError) as error:
            return _failed(error)
        except (
            Exception
        ) as error:  # foreign drivers raise what they like, and no call may die of it
            log.warning("look-up failed", lookup=name, exc_info=True)
            return _failed(error)

    async def _source(self, lookup: Lookup) -> Source:
        known = self._sources.get(lookup)
        if known is not None:
            return known
        made = await asyncio.to_thread(_source, lookup)
        known = self._sources.setdefault(lookup, made)
        if known is not made:  # another call was quicker
            await made.close()
        return known

    async def close(self) -> None:
        """At the end of the switch."""
        for source in self._sources.values():
            await source.close()


def _failed(error: Exception) -> Answer:
    return Answer("failed", str(error).partition("\n")[0] or type(error).__name__)


def _source(lookup: Lookup) -> Source:
    """Made in a thread: drivers and certificates take a while to load."""
    if lookup.url is not None:
        token = lookup.token
        return Web(lookup.url, None if token is None else token.get_secret_value())
    assert lookup.database is not None and lookup.query is not None  # or the settings are refused
    scheme, _, rest = lookup.database.get_secret_value().partition(":")
    return Question(f"{DRIVERS.get(scheme, scheme)}:{rest}", lookup.query)
