"""RTCP packets (RFC 3550 §6): compound packets read and written.  Pure functions.

 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|V=2|P|  count  |      type     |     length in words - 1       |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                         SSRC of sender                        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from media.types import Array, Floats, Ints, Quads, Seconds, Words

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE = 200, 201, 202, 203
_CNAME = 1
_NTP_EPOCH = 2208988800  # 1900 to 1970
_HEAD = struct.Struct("!BBHI")
_SENDER = struct.Struct("!IIIII")
_BLOCK = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class Block:
    """What its author received of one source (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: float
    lost: int
    highest: int
    """Extended highest sequence number received."""
    jitter: int
    """In ticks."""
    last_report: int
    """Middle 32 bits of the NTP time of the source's last sender report; 0: none came."""
    delay: int
    """Since then, in 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    ntp: int
    """64 bits, seconds since 1900 in the upper half."""
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Report:
    """A sender or receiver report."""

    ssrc: int
    sender: SenderInfo | None
    blocks: tuple[Block, ...]


def ntp(wall: Seconds) -> int:
    """64-bit NTP time of seconds since 1970 (RFC 3550 §4)."""
    return int((wall + _NTP_EPOCH) * 2**32) & 0xFFFFFFFFFFFFFFFF


def middle(ntp_time: int) -> int:
    """The middle 32 bits, in which reports refer to each other."""
    return ntp_time >> 16 & 0xFFFFFFFF


def parse(data: bytes) -> list[Report]:
    """Reports of a compound packet; what else it holds is passed over.

    A damaged packet gives the reports before the damage: RTCP is advice, not an order.
    """
    reports = []
    at = 0
    while len(data) - at >= _HEAD.size:
        first, kind, words, ssrc = _HEAD.unpack_from(data, at)
        end = at + 4 * (words + 1)
        if first >> 6 != 2 or end > len(data):
            break
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            report = _report(data[at + _HEAD.size : end], ssrc, kind, first & 31)
            if report is None:
                break
            reports.append(report)
        at = end
    return reports


def _report(body: bytes, ssrc: int, kind: int, count: int) -> Report | None:
    at, sender = 0, None
    if kind == SENDER_REPORT:
        if len(body) < _SENDER.size:
            return None
        high, low, timestamp, packets, octets = _SENDER.unpack_from(body)
        sender = SenderInfo(high << 32 | low, timestamp, packets, octets)
        at = _SENDER.size
    if len(body) - at < count * _BLOCK.size:
        return None
    blocks = tuple(_block(body, at + i * _BLOCK.size) for i in range(count))
    return Report(ssrc, sender, blocks)


def _block(body: bytes, at: int) -> Block:
    ssrc, loss, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, at)
    lost = loss & 0xFFFFFF
    if lost & 0x800000:  # signed: duplicates can make it negative
        lost -= 1 << 24
    return Block(ssrc, (loss >> 24) / 256, lost, highest, jitter, last_report, delay)


class Senders(NamedTuple):
    """What `SenderInfo` says, a column a fact; entry i of each belongs to report i."""

    ntp: Quads
    timestamp: Ints
    packets: Ints
    octets: Ints


class Blocks(NamedTuple):
    """What `Block` says, likewise."""

    ssrc: Ints
    fraction_lost: Floats
    lost: Ints
    highest: Ints
    jitter: Ints
    last_report: Ints
    delay: Ints


def compose(ssrc: Ints, senders: Senders | None, blocks: Blocks | None, cname: str) -> Words:
    """Compound packets in network order, one a row: a report of the same shape for each SSRC,
    and the source description that must follow (§6.1)."""
    columns: list[Array | int] = [ssrc]
    if senders is not None:
        columns += [senders.ntp >> np.uint64(32), senders.ntp & np.uint64(0xFFFFFFFF)]
        columns += senders[1:]
    if blocks is not None:
        columns += _pack_blocks(blocks)
    kind = RECEIVER_REPORT if senders is None else SENDER_REPORT
    head = (0x80 | (blocks is not None)) << 24 | kind << 16 | len(columns)
    columns = [head, *columns, *_description(ssrc, cname)]
    packets = np.empty((len(ssrc), len(columns)), np.uint32)
    for position, column in enumerate(columns):
        packets[:, position] = np.asarray(column).astype(np.uint32)
    return packets.byteswap()


def _pack_blocks(blocks: Blocks) -> list[Array]:
    lost = np.clip(blocks.lost, -0x800000, 0x7FFFFF) & 0xFFFFFF
    fraction = np.minimum((blocks.fraction_lost * 256).astype(np.int64), 255)
    return [blocks.ssrc, fraction << 24 | lost, *blocks[3:]]


def _description(ssrc: Ints, cname: str) -> list[Array | int]:
    """SDES with a CNAME (§6.5.1), ended by a null and padded to a word."""
    name = cname.encode()
    item = bytes((_CNAME, len(name))) + name + b"\0"
    item += bytes(-len(item) % 4)
    words = struct.unpack(f"!{len(item) // 4}I", item)
    return [0x81 << 24 | SOURCE_DESCRIPTION << 16 | 1 + len(words), ssrc, *words]
