"""`[switch]`, `[limits]`, `[records]`: the whole, its bounds, and what it remembers."""

from pathlib import Path
from typing import Annotated, Self, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from config.base import FilePath, Positive, Seconds, Table, matching
from config.passwords import Secret


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f'"{name}" is no time zone; write it as Europe/Moscow')
    return name


TimeZone: TypeAlias = Annotated[str, AfterValidator(_known_zone)]
Language: TypeAlias = Annotated[str, matching(r"[a-z]{2}(-[A-Z]{2})?", "a language: en, ru")]
"""A language of prompts: `en`, `ru`."""


DATABASES = ("sqlite", "postgresql")


class SwitchTable(Table):
    """`[switch]`: who this switch is."""

    domain: Annotated[str, matching(r"[A-Za-z0-9.:\[\]-]{1,255}", "a domain: office.example")] = (
        "localhost"
    )
    """SIP domain of every extension, and realm of their digests."""
    data: FilePath = Path("var")
    """Folder of database, journal, recordings and voicemail; made if missing."""
    timezone: TimeZone = "UTC"
    """Zone of modes, rules, announcements of time, and e-mails."""
    language: Language = "en"
    """Language of prompts where neither line nor extension names one; `en` and `ru` ship."""
    country: Annotated[str, matching(r"[A-Z]{2}", "a country: RU")] | None = None
    """Country of numbers written without code (`RU`); also chooses tones and holidays."""
    drain: Annotated[Seconds, Field(ge=0)] = 30.0
    """On SIGTERM, how long calls in progress may last before they are ended."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def socket(self) -> Path:
        """Unix socket of the HTTP API, where the command line finds the switch."""
        return self.data / "switch.sock"


class LimitsTable(Table):
    """`[limits]`: capacity; what is beyond is refused cleanly, not served badly."""

    calls: Annotated[int, Field(gt=0)] = 1000
    """Calls at once; the next gets 503 with Retry-After."""
    legs: Annotated[int, Field(gt=0)] | None = None
    """Legs at once (a call has two, a caller in a menu one); absent: as many as media ports."""
    registrations: Annotated[int, Field(gt=0)] = 20_000
    """Bindings held at once."""
    call_length: Positive | None = 4 * 3600.0
    """A call longer than this is ended."""
    forwards: Annotated[int, Field(gt=0, le=50)] = 10
    """Forwards, redirects and transfers that one call may go through."""
    retry_after: Annotated[int, Field(gt=0)] = 10
    """Seconds that a refused peer is asked to wait."""


class RecordsTable(Table):
    """`[records]`: the database and how long its rows live."""

    database: Secret | None = None
    """SQLAlchemy URL, `postgresql+asyncpg://…`; absent: SQLite in the data folder."""
    keep_days: Annotated[int, Field(gt=0)] | None = None
    """Age at which call records are deleted; absent: never."""
    flush: Positive = 0.1
    """Longest time that a row waits for the next batch (the journal has it already)."""

    @model_validator(mode="after")
    def _database_is_known(self) -> Self:
        scheme = self.database.get_secret_value().partition(":")[0] if self.database else "sqlite"
        if scheme.partition("+")[0] not in DATABASES:
            known = " or ".join(f"{name}://…" for name in DATABASES)
            raise ValueError(f"database is no URL that we know; write it as {known}")
        return self
