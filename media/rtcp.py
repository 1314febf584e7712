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

from media.types import Seconds

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


def compose(report: Report, cname: str) -> bytes:
    """A compound packet: the report and the source description that must follow (§6.1)."""
    body = b""
    kind = RECEIVER_REPORT
    if report.sender is not None:
        kind, sender = SENDER_REPORT, report.sender
        body = _SENDER.pack(
            sender.ntp >> 32,
            sender.ntp & 0xFFFFFFFF,
            sender.timestamp & 0xFFFFFFFF,
            sender.packets & 0xFFFFFFFF,
            sender.octets & 0xFFFFFFFF,
        )
    body += b"".join(_pack_block(block) for block in report.blocks)
    words = (_HEAD.size + len(body)) // 4 - 1
    head = _HEAD.pack(0x80 | len(report.blocks), kind, words, report.ssrc)
    return head + body + _description(report.ssrc, cname)


def _pack_block(block: Block) -> bytes:
    lost = max(min(block.lost, 0x7FFFFF), -0x800000) & 0xFFFFFF
    fraction = min(int(block.fraction_lost * 256), 255)
    return _BLOCK.pack(
        block.ssrc,
        fraction << 24 | lost,
        block.highest & 0xFFFFFFFF,
        block.jitter & 0xFFFFFFFF,
        block.last_report,
        block.delay & 0xFFFFFFFF,
    )


def _description(ssrc: int, cname: str) -> bytes:
    """SDES with a CNAME (§6.5.1), ended by a null and padded to a word."""
    name = cname.encode()
    item = bytes((_CNAME, len(name))) + name + b"\0"
    item += bytes(-len(item) % 4)
    return _HEAD.pack(0x81, SOURCE_DESCRIPTION, 1 + len(item) // 4, ssrc) + item
