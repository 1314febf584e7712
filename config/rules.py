"""`[[rules]]` and `[lookups.NAME]`: conditional routing, and asking a database on the way."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.base import Name, Names, Positive, Prompt, Table, Texts
from config.modes import HoursList
from config.passwords import Secret
from config.switch import Language
from config.targets import Targets

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
"""What a database URL without a driver means; others must name one that does not block."""


class Rule(Table):
    """`[[rules]]`: the first whose conditions all hold decides; those not written always hold.

    They are asked when one of our lines is called, before the line's own scenario, and again
    by the target `rules`, for instance after a menu has collected digits.  A rule decides a call
    once.
    """

    name: Name
    """How explanations and records call it."""
    caller: Texts = ()
    """Caller's number: first digits, or a pattern with `*` and `?`; "anonymous".

    It is compared as it came and in the form `+74951234567`.
    """
    called: Texts = ()
    """The number that was called, in the same form."""
    digits: dict[Name, str] = {}
    """Fields collected by menus, and the pattern with `*` and `?` that each must fit."""
    hours: HoursList = ()
    """Time of day and weekday: `Mon-Fri 09:00-18:00`."""
    from_date: dt.date | None = None
    to_date: dt.date | None = None
    """Last day, included."""
    modes: Names = ()
    inside: bool = False
    """Asked as well whenever an extension dials anything but a code or an emergency number."""
    lookup: Name | None = None
    """Asked once the other conditions hold; its answer may set everything below.

    Its keys are `route`, `priority`, `greeting`, `language`, `skills`, and the caller's `name`;
    others are kept with the call as fields.
    """
    found: Literal["any", "found", "missing", "failed"] = "any"
    """Which outcome of the look-up lets the rule decide.

    By `any` a rule that has nothing of its own to say, and was told nothing, does not decide.
    """
    to: Targets = ()
    """Where the call goes; absent: as without the rule, with the rest of it applied."""
    priority: int | None = None
    greeting: Prompt | None = None
    language: Language | None = None
    skills: dict[Name, Annotated[int, Field(ge=1, le=10)]] = {}
    enabled: bool = True

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        effects = (self.to, self.lookup, self.greeting, self.language, self.skills)
        if not any(effects) and self.priority is None:
            raise ValueError('the rule changes nothing; add to = "queue:…" or another effect')
        if self.from_date and self.to_date and self.to_date < self.from_date:
            raise ValueError("to_date lies before from_date")
        return self


class Lookup(Table):
    """`[lookups.NAME]`: asks by caller's number; may answer route, priority, greeting, name."""

    url: str | None = None
    """HTTP GET; `{caller}`, `{called}` and collected `{fields}` are filled in; answers JSON.

    An empty answer, or 404, is "missing".
    """
    token: Secret | None = None
    """Sent as `Authorization: Bearer …`."""
    database: Secret | None = None
    """SQLAlchemy URL: `sqlite:///crm.db`, `postgresql://…`, or another with an asyncio driver."""
    query: str | None = None
    """One row: `select route, priority from customers where phone = :caller`.

    It knows `:caller`, `:called`, both also as `:caller_e164`, and collected `:fields`.
    """
    timeout: Positive = 1.0
    """A slower answer counts as failed."""
    cache: Annotated[float, Field(ge=0)] = 60.0
    """Seconds for which an answer is believed."""
    fallback: Targets = ()
    """Where a call goes when asking failed and no rule says otherwise."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.url is None) == (self.database is None):
            raise ValueError("give either url, or database with query")
        if self.database is not None and self.query is None:
            raise ValueError("database needs a query")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError(f'"{self.url}" is no web address; write it as https://…')
        if self.database is not None and not _is_async(self.database.get_secret_value()):
            raise ValueError("the driver of database would block; name one for asyncio")
        return self


def _is_async(url: str) -> bool:
    scheme = url.partition(":")[0]
    return scheme in DRIVERS or any(word in scheme.partition("+")[2] for word in ("async", "aio"))
