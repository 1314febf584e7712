"""The tables, for SQLite and PostgreSQL alike.

Times are UTC epoch seconds (SQLite drops time zones).  A table's primary key stands first, and
columns are only ever added at the end: the journal keeps rows as lists in column order, and one
written by an older version is read as if it ended in nulls.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

METADATA: Final = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"}
)


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=not key)


def _time(name: str, *, key: bool = False) -> Column[float]:
    return Column(name, Double, primary_key=key, nullable=not key)


def _count(name: str, *, key: bool = False) -> Column[int]:
    kind = Integer if key else BigInteger
    return Column(name, kind, primary_key=key, nullable=not key, autoincrement=False)


# How far of which journal the other tables hold; written with the rows.
JOURNAL_POSITION: Final = Table(
    "journal_position",
    METADATA,
    _text("name", key=True),
    _count("sequence"),
)

# All bindings of an address of record as JSON; expires_at is the last one's.
REGISTRATIONS: Final = Table(
    "registrations",
    METADATA,
    _text("aor", key=True),
    _time("expires_at"),
    _text("bindings"),
)

# One row a call; without ended_at it is still going on, or the switch was killed.
CALLS: Final = Table(
    "calls",
    METADATA,
    _text("id", key=True),
    _time("began_at"),
    _time("answered_at"),
    _time("ended_at"),
    _text("direction"),  # internal, inbound, outbound
    _text("caller"),
    _text("caller_name"),
    _text("dialled"),
    _text("answered_by"),
    _text("route"),
    _text("line"),
    _text("trunk"),
    _text("queue"),
    _text("agent"),
    _time("waited"),  # seconds in queues
    _text("cause"),
    _count("status"),
    _text("ended_by"),
    _text("recording"),
    _text("details"),
    Index(None, "began_at"),
    Index(None, "caller"),
    Index(None, "dialled"),
)

# One row a SIP dialog of a call; quality is JSON as the media engine measured it.
LEGS: Final = Table(
    "legs",
    METADATA,
    _text("call_id", key=True),
    _count("number", key=True),
    _text("role"),
    _text("party"),
    _text("sip_call_id"),
    _text("address"),
    _time("began_at"),
    _time("ringing_at"),
    _time("answered_at"),
    _time("ended_at"),
    _text("cause"),
    _count("status"),
    _text("codec"),
    _text("quality"),
    _text("details"),
    Index(None, "party"),
    Index(None, "sip_call_id"),
)

# What happened in a call, in order: hold, transfer, queue, recording.
CALL_EVENTS: Final = Table(
    "call_events",
    METADATA,
    _text("call_id", key=True),
    _count("number", key=True),
    _time("at"),
    _text("kind"),
    _count("leg"),
    _text("details"),
)

# The index of voicemail; the sound lies in files.
VOICEMAIL: Final = Table(
    "voicemail",
    METADATA,
    _text("id", key=True),
    _text("box"),
    _time("left_at"),
    _time("seconds"),
    _text("caller"),
    _text("caller_name"),
    _text("path"),
    _time("heard_at"),
    _text("call_id"),
    Index(None, "box"),
)

# Instant messages that wait for their recipient to register.
MESSAGES: Final = Table(
    "messages",
    METADATA,
    _text("id", key=True),
    _text("recipient"),
    _text("sender"),
    _time("left_at"),
    _time("expires_at"),
    _text("content_type"),
    _text("body"),  # base64
)

# Small things set at run time, as JSON: forwards, do not disturb, mode overrides.
STATE: Final = Table(
    "state",
    METADATA,
    _text("space", key=True),
    _text("key", key=True),
    _text("value"),
)

# One row a visit of a call to a queue.
VISITS: Final = Table(
    "visits",
    METADATA,
    _text("id", key=True),
    _text("call_id"),
    _text("queue"),
    _text("caller"),
    _time("entered_at"),
    _time("connected_at"),
    _time("left_at"),
    _text("outcome"),
    _text("agent"),
    _text("details"),
    Index(None, "entered_at"),
    Index(None, "queue"),
)

# What an agent did from when to when; without ended_at it lasts.
AGENT_INTERVALS: Final = Table(
    "agent_intervals",
    METADATA,
    _text("agent", key=True),
    _time("began_at", key=True),
    _text("state", key=True),
    _time("ended_at"),
    _text("reason"),
    _text("visit"),
    Index(None, "began_at"),
)
