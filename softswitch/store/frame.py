"""One record of the journal as bytes.  Knows the layout; no files.

     0      2          6            10           18     19        20
    +------+----------+------------+------------+------+---------+------+---------+
    | mark | CRC-32   | size of    | sequence   | form | size of | kind | payload |
    | 2    | 4        | payload, 4 | 8          | 1    | kind, 1 |      |         |
    +------+----------+------------+------------+------+---------+------+---------+

All integers are little-endian; the CRC covers everything after itself, so a damaged length is
found as well.  `form` is `j` for JSON and `b` for bytes.
"""

import json
from collections.abc import Iterator
from struct import Struct
from typing import Any, Final, NamedTuple
from zlib import crc32

from pydantic_core import PydanticSerializationError, to_json

MARK: Final = b"J\xb1"
PAYLOAD_LIMIT: Final = 16 << 20  # a length beyond it is damage, not a record

_BODY: Final = Struct("<IQBB")
_PREFIX: Final = len(MARK) + 4
_HEAD: Final = _PREFIX + _BODY.size
_JSON, _BYTES = b"jb"


class Entry(NamedTuple):
    """One journal record: JSON comes back as it went in, tuples as lists."""

    sequence: int
    kind: str
    payload: Any


class Damage(NamedTuple):
    """Where reading stopped; `torn` says that no whole record follows: a cut-off last write."""

    offset: int
    reason: str
    torn: bool


def pack(sequence: int, kind: str, payload: Any) -> bytes:
    """One record, ready for a single write."""
    if isinstance(payload, bytes):
        form, octets = _BYTES, payload
    else:
        form, octets = _JSON, encoded(payload)
    if len(octets) > PAYLOAD_LIMIT:
        raise ValueError(f"{len(octets)} bytes are too many for one journal record")
    name = kind.encode()
    body = _BODY.pack(len(octets), sequence, form, len(name)) + name + octets
    return MARK + crc32(body).to_bytes(4, "little") + body


def encoded(payload: Any) -> bytes:
    """JSON as octets, in a quarter of the standard library's time."""
    try:
        return to_json(payload, inf_nan_mode="constants")
    except PydanticSerializationError:  # lone surrogates from the wire, which UTF-8 refuses
        return json.dumps(payload).encode()


def unpack(data: bytes, offset: int) -> tuple[Entry, int] | str:
    """The record at `offset` and where the next one starts, or why there is none."""
    if len(data) - offset < _HEAD:
        return "a record's head is cut off"
    if not data.startswith(MARK, offset):
        return "no record starts here"
    size, sequence, form, name_size = _BODY.unpack_from(data, offset + _PREFIX)
    end = offset + _HEAD + name_size + size
    if size > PAYLOAD_LIMIT or end > len(data):
        return "a record's length goes beyond the end"
    body = memoryview(data)[offset + _PREFIX : end]
    if crc32(body) != int.from_bytes(data[offset + 2 : offset + 6], "little"):
        return "a record's checksum is wrong"
    split = _BODY.size + name_size
    octets = bytes(body[split:])
    payload = octets if form == _BYTES else json.loads(octets)
    return Entry(sequence, bytes(body[_BODY.size : split]).decode(), payload), end


def scan(data: bytes, first: int) -> Iterator[Entry | Damage]:
    """All records of a segment that begins with sequence `first`; damage comes last, if at all."""
    offset, expected = 0, first
    while offset < len(data):
        match unpack(data, offset):
            case (entry, end) if entry.sequence == expected:
                yield entry
                offset, expected = end, expected + 1
            case (entry, _):
                reason = f"record {entry.sequence} stands where {expected} belongs"
                yield Damage(offset, reason, torn=False)
                return
            case str(reason):
                yield Damage(offset, reason, torn=not _record_follows(data, offset + 1))
                return


def _record_follows(data: bytes, offset: int) -> bool:
    """Whether a whole record starts anywhere from `offset` on."""
    while (offset := data.find(MARK, offset)) >= 0:
        if not isinstance(unpack(data, offset), str):
            return True
        offset += 1
    return False
