"""Telephone events: once per press, whatever the network does; sent as RFC 4733 has it."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.dtmf import EventReceiver, EventSender
from media.dtmf.event import END, KEYS
from media.dtmf.receiver import Press

ROW = 5
Packet = tuple[float, int, int, int, bool]
"""(arrival in seconds, timestamp, event code, duration in ticks, end)"""


def receive(receiver: EventReceiver, packets: Iterable[Packet]) -> list[Press]:
    told: list[Press] = []
    for at, stamp, code, duration, end in packets:
        payload = [[code, (END if end else 0) | 10, duration >> 8, duration & 0xFF]]
        told += receiver.expire(at)
        told += receiver.receive(
            np.array([ROW]), np.array(payload, np.uint8), np.array([stamp % (1 << 32)]), at
        )
    return told


def press(code: int, stamp: int, ms: int = 100, at: float = 0.0) -> list[Packet]:
    """A packet each 20 ms, and three ends."""
    frames = ms // 20
    held = [(at + i * 0.02, stamp, code, (i + 1) * 160, False) for i in range(frames - 1)]
    ends = [(at + (frames - 1 + i) * 0.02, stamp, code, ms * 8, True) for i in range(3)]
    return held + ends


def test_a_press_is_told_once_with_its_length() -> None:
    receiver = EventReceiver(8)
    assert receive(receiver, press(5, 8000)) == [(ROW, "5", 100)]
    assert receiver.expire(99.0) == []


@given(data=st.data())
def test_once_per_press_whatever_is_lost_repeated_or_reordered(data: st.DataObject) -> None:
    """Any packets of each press may be lost but one, come again, or come in any order."""
    keys = data.draw(st.lists(st.integers(0, 15), min_size=1, max_size=6))
    start = data.draw(st.sampled_from([0, (1 << 32) - 2000, 1 << 31]))
    packets: list[Packet] = []
    for i, code in enumerate(keys):
        sent = press(code, start + i * 1600, at=i * 0.2)
        came = data.draw(st.lists(st.sampled_from(sent), min_size=1, max_size=10))
        times = sorted(at for at, *_ in came)
        shuffled = data.draw(st.permutations(came))
        packets += [(at, *rest) for at, (_, *rest) in zip(times, shuffled, strict=True)]  # type: ignore[misc]
    receiver = EventReceiver(8)
    told = receive(receiver, packets) + receiver.expire(99.0)
    assert [key for _, key, _ in told] == [KEYS[code] for code in keys]
    assert all(ms <= 100 for _, _, ms in told)


def test_all_ends_lost_the_next_press_ends_it() -> None:
    packets = [p for p in press(1, 0) if not p[4]] + press(2, 1600, at=0.15)
    assert receive(EventReceiver(8), packets) == [(ROW, "1", 80), (ROW, "2", 100)]


def test_all_ends_lost_and_nothing_more_comes() -> None:
    receiver = EventReceiver(8)
    assert receive(receiver, [p for p in press(1, 0) if not p[4]]) == []
    assert receiver.expire(0.2) == []
    assert receiver.expire(0.3) == [(ROW, "1", 80)]
    assert receive(receiver, [(0.4, 0, 1, 800, True)]) == []


def test_a_key_pressed_twice_is_two_presses() -> None:
    packets = press(7, 0) + press(7, 1600, at=0.2)
    assert receive(EventReceiver(8), packets) == [(ROW, "7", 100), (ROW, "7", 100)]
    lost = [p for p in press(7, 0) if not p[4]] + press(7, 1600, at=0.2)
    assert [key for _, key, _ in receive(EventReceiver(8), lost)] == ["7", "7"]


def test_a_tone_longer_than_a_segment_is_one_press() -> None:
    """RFC 4733 §2.5.1.3: after 65535 ticks a new segment, whose timestamp follows on."""
    first = [(i * 0.05, 0, 9, min(i * 400, 0xFFFF), False) for i in range(1, 165)]
    second = [(8.2 + i * 0.05, 0xFFFF, 9, i * 400, i == 4) for i in range(1, 5)]
    assert receive(EventReceiver(8), first + second) == [(ROW, "9", (0xFFFF + 1600) // 8)]


def test_a_phone_that_moves_the_timestamp_within_a_press_is_forgiven() -> None:
    """Each packet a timestamp of its own, durations counting up all the same."""
    packets = [(i * 0.02, 8000 + i * 160, 3, (i + 1) * 160, i == 4) for i in range(5)]
    assert [key for _, key, _ in receive(EventReceiver(8), packets)] == ["3"]


def test_a_clock_set_back_is_followed_after_a_while() -> None:
    receiver = EventReceiver(8)
    receive(receiver, press(1, 1_000_000))
    assert receive(receiver, press(2, 50, at=1.0)) == []
    assert receive(receiver, press(3, 50, at=9.0)) == [(ROW, "3", 100)]
    receiver.reset(np.array([ROW]))
    assert receive(receiver, press(4, 10, at=9.2)) == [(ROW, "4", 100)]


def test_events_that_are_no_keys_are_ignored() -> None:
    assert receive(EventReceiver(8), press(17, 0) + press(255, 1600)) == []
    assert receive(EventReceiver(8), press(16, 0)) == [(ROW, "!", 100)]


def test_clock_rates_and_rows_are_apart() -> None:
    receiver = EventReceiver(8)
    payloads = np.array([[1, END, 0x12, 0xC0], [2, END, 0x03, 0x20]], np.uint8)
    rows, stamps = np.array([1, 2]), np.array([7, 7])
    told = receiver.receive(rows, payloads, stamps, 0.0, np.array([48000, 8000]))
    assert told == [(1, "1", 100), (2, "2", 100)]


def sent(sender: EventSender, ticks: int = 400) -> list[tuple[int, bool, int, int, int, bool]]:
    """(tick, marker, timestamp, code, duration, end) of row 5."""
    packets = []
    for tick in range(ticks):
        events = sender.tick()
        for row, payload, marker, offset in zip(*events, strict=True):
            assert row == ROW
            code, flags, high, low = payload.tolist()
            stamp = tick * 160 - int(offset)
            packets.append((tick, bool(marker), stamp, code, high << 8 | low, bool(flags & END)))
    return packets


def test_a_press_is_sent_as_the_rfc_has_it() -> None:
    sender = EventSender()
    sender.send(ROW, "5", ms=60)
    assert sent(sender) == [
        (0, True, 0, 5, 160, False),
        (1, False, 0, 5, 320, False),
        (2, False, 0, 5, 480, True),
        (3, False, 0, 5, 480, True),
        (4, False, 0, 5, 480, True),
    ]
    assert not sender.busy(ROW)


@given(
    keys=st.text(KEYS, min_size=1, max_size=8), ms=st.integers(0, 300), pause=st.integers(0, 300)
)
def test_what_is_sent_is_what_is_received(keys: str, ms: int, pause: int) -> None:
    sender, receiver = EventSender(), EventReceiver(8)
    sender.send(ROW, keys, ms, pause)
    assert sender.busy(ROW)
    packets = [(tick * 0.02, stamp, *rest) for tick, _, stamp, *rest in sent(sender)]
    told = receive(receiver, packets)  # type: ignore[arg-type]
    assert "".join(key for _, key, _ in told) == keys
    assert {length for _, _, length in told} == {max(-(-ms // 20), 2) * 20}


def test_pauses_separate_presses() -> None:
    sender = EventSender()
    sender.send(ROW, "1", ms=40, pause=100)
    sender.send(ROW, "2", ms=40)
    starts = [tick for tick, marker, *_ in sent(sender) if marker]
    assert starts == [0, 7]


def test_a_long_press_is_sent_in_segments() -> None:
    sender, receiver = EventSender(), EventReceiver(8)
    sender.send(ROW, "#", ms=10_000)
    packets = sent(sender, 600)
    stamps = sorted({stamp for _, _, stamp, *_ in packets})
    assert stamps == [0, 409 * 160]
    assert max(duration for *_, duration, _ in packets) <= 0xFFFF
    arrived = [(tick * 0.02, stamp, *rest) for tick, _, stamp, *rest in packets]
    assert receive(receiver, arrived) == [(ROW, "#", 10_000)]  # type: ignore[arg-type]


def test_a_reset_row_sends_nothing_more() -> None:
    sender = EventSender()
    sender.send(ROW, "123")
    sender.tick()
    sender.reset(np.array([ROW]))
    assert sent(sender) == []


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="'12x'"):
        EventSender().send(ROW, "12x")
