"""The journal's records: one JSON object a line, `[instant, event]`.  The file itself is not ours.

Snapshot and journal rebuild the engine: `rebuild(snapshot, lines)` is the engine as it was when the
last line had been handled, and it goes on exactly as that one would have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from acd.codec import CodecError, event_from_json, event_to_json
from acd.engine import Engine
from acd.events import Event
from acd.explain import Decision
from acd.floor import Floor
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


def explain_call(
    snapshot: dict[str, Any], records: Iterable[bytes], call: str, until: Instant
) -> list[dict[str, Any]]:
    """As `Engine.explain_offer`, of each offer made by `until` to calls whose id begins so.

    Each is explained right after the event that made it, so agents' states are those of then.
    """
    engine = Engine.restore(snapshot)
    floor, found = engine.floor, list[dict[str, Any]]()
    last = floor.next_offer
    for event, now in _read(records):
        if now > until:
            break
        engine.handle(event, now)
        made = [each.offer for each in _made(floor, last) if each.call.startswith(call)]
        found += [told for offer in sorted(made) if (told := engine.explain_offer(offer))]
        last = floor.next_offer
    return found


def _made(floor: Floor, first: OfferId) -> Iterator[Decision]:
    """Decisions from that offer on, the latest first."""
    return takewhile(lambda decision: decision.offer >= first, reversed(floor.decisions))


def _read(records: Iterable[bytes]) -> Iterator[tuple[Event, Instant]]:
    for number, record in enumerate(records, 1):
        try:
            yield decode(record)
        except CodecError as error:
            raise CodecError(f"record {number}: {error}") from None
