"""The first tables: registrations, call records, voicemail, messages, state, queue statistics."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables and their indexes."""
    _table("journal_position", _text("name"), sa.Column("sequence", sa.BigInteger), keys=1)
    _table("registrations", _text("aor"), _time("expires_at"), _text("bindings"), keys=1)
    _table("state", _text("space"), _text("key"), _text("value"), keys=2)
    _records()
    _mail()
    _statistics()


def _records() -> None:
    times = (_time(name) for name in ("began_at", "answered_at", "ended_at"))
    who = ("direction", "caller", "caller_name", "dialled", "answered_by", "route", "line", "trunk")
    parties = (_text(name) for name in (*who, "queue", "agent"))
    end = (_text("cause"), _status(), *map(_text, ("ended_by", "recording", "details")))
    _table("calls", _text("id"), *times, *parties, _time("waited"), *end, keys=1)
    _index("calls", "began_at", "caller", "dialled")

    identity = (_text("call_id"), _number(), *map(_text, ("role", "party")))
    wire = map(_text, ("sip_call_id", "address"))
    times = (_time(name) for name in ("began_at", "ringing_at", "answered_at", "ended_at"))
    end = (_text("cause"), _status(), *map(_text, ("codec", "quality", "details")))
    _table("legs", *identity, *wire, *times, *end, keys=2)
    _index("legs", "party", "sip_call_id")

    leg = sa.Column("leg", sa.BigInteger)
    _table(
        "call_events",
        _text("call_id"),
        _number(),
        _time("at"),
        _text("kind"),
        leg,
        _text("details"),
        keys=2,
    )


def _mail() -> None:
    when = (_time("left_at"), _time("seconds"))
    what = map(_text, ("caller", "caller_name", "path"))
    heard = (_time("heard_at"), _text("call_id"))
    _table("voicemail", _text("id"), _text("box"), *when, *what, *heard, keys=1)
    _index("voicemail", "box")

    parties = map(_text, ("id", "recipient", "sender"))
    when = (_time("left_at"), _time("expires_at"))
    _table("messages", *parties, *when, _text("content_type"), _text("body"), keys=1)


def _statistics() -> None:
    what = map(_text, ("id", "call_id", "queue", "caller"))
    when = map(_time, ("entered_at", "connected_at", "left_at"))
    how = map(_text, ("outcome", "agent", "details"))
    _table("visits", *what, *when, *how, keys=1)
    _index("visits", "entered_at", "queue")

    key = (_text("agent"), _time("began_at"), _text("state"))
    _table("agent_intervals", *key, _time("ended_at"), _text("reason"), _text("visit"), keys=3)
    _index("agent_intervals", "began_at")


def _table(name: str, *columns: sa.Column[Any], keys: int) -> None:
    """Make a table whose first `keys` columns are its primary key."""
    for column in columns[:keys]:
        column.nullable = False
    primary = sa.PrimaryKeyConstraint(*(column.name for column in columns[:keys]))
    op.create_table(name, *columns, primary)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text)


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double)


def _number() -> sa.Column[Any]:
    return sa.Column("number", sa.Integer, autoincrement=False)


def _status() -> sa.Column[Any]:
    return sa.Column("status", sa.BigInteger)
