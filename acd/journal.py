"""The journal's records: one JSON object a line, `[instant, event]`.  The file itself is not ours.

Snapshot and journal rebuild the engine: `rebuild(snapshot, lines)` is the engine as it was when the
last line had been handled, and it goes on exactly as that one would have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from acd.codec import CodecError, event_from_json, event_to_json
from acd.engine import Engine
from acd.events import Event
from acd.types import Instant, OfferId

_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def encode(event: Event, now: Instant) -> bytes:
    """One record, without the line's end."""
    return _text([now, event_to_json(event)]).encode()


def decode(record: bytes) -> tuple[Event, Instant]:
    """The event and its instant; `CodecError` if the record is none."""
    try:
        now, data = json.loads(record)
        return event_from_json(data), float(now)
    except (ValueError, TypeError, AttributeError) as error:
        raise CodecError(f"no journal record: {record[:80]!r}") from error


def rebuild(snapshot: dict[str, Any], records: Iterable[bytes]) -> Engine:
    """The engine after these records; a bad one is refused with its place, never skipped."""
    engine = Engine.restore(snapshot)
    for event, now in _read(records):
        engine.handle(event, now)
    return engine


def explain_offer(
    snapshot: dict[str, Any], records: Iterable[bytes], offer: OfferId
) -> dict[str, Any] | None:
    """As `Engine.explain_offer`, for offers of long ago; None if these records made no such one."""
    engine = Engine.restore(snapshot)
    for event, now in _read(records):
        engine.handle(event, now)
        if engine.floor.next_offer > offer:
            return engine.explain_offer(offer)
    return None


def _read(records: Iterable[bytes]) -> Iterator[tuple[Event, Instant]]:
    for number, record in enumerate(records, 1):
        try:
            yield decode(record)
        except CodecError as error:
            raise CodecError(f"record {number}: {error}") from None
