"""The jitter buffer under everything that networks and phones do.  Time is the tick's number."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.jitter import CONCEALED, PLAYED, SILENT, JitterBuffer
from media.pcm import Octets, Pcm
from tests.media.sounds import level_db, share, tone

ROW = np.array([3])


@dataclass(frozen=True)
class Packet:
    """What arrives before a tick."""

    tick: int
    sequence: int
    timestamp: int
    sound: Pcm


def stream(sound: Pcm, ptime: int = 20, rate: int = 8000, start: int = 16000) -> list[Packet]:
    """Packets of `ptime` ms, each arriving when its last sample has been spoken."""
    size = rate * ptime // 1000
    return [
        Packet((first + size) * 50 // rate, index, start + first, sound[first : first + size])
        for index, first in enumerate(range(0, sound.size // size * size, size))
    ]


def content(packet: Packet) -> tuple[int, int, Pcm]:
    return packet.sequence, packet.timestamp, packet.sound


def play(
    buffer: JitterBuffer, packets: Iterable[Packet], ticks: int, *, numbered: bool = True
) -> tuple[Pcm, Octets]:
    """Feed what has arrived, take a frame, `ticks` times: the sound and the states."""
    due: dict[int, list[Packet]] = {}
    for packet in packets:
        due.setdefault(packet.tick, []).append(packet)
    heard, states = [], []
    for tick in range(ticks):
        for packet in due.get(tick, []):
            buffer.put(
                ROW,
                np.array([packet.timestamp]),
                packet.sound[None],
                np.array([packet.sound.size]),
                np.array([packet.sequence]) if numbered else None,
            )
        frame, state = buffer.take(ROW)
        heard.append(frame[0])
        states.append(state[0])
    return np.concatenate(heard), np.array(states)


def noise(seconds: float, rate: int = 8000) -> Pcm:
    rng = np.random.default_rng(7)
    return rng.integers(-9000, 9000, round(seconds * rate)).astype(np.int16)


def contains(heard: Pcm, sound: Pcm) -> bool:
    return sound.tobytes() in heard.tobytes()


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60])
def test_a_smooth_stream_comes_out_as_it_went_in(rate: int, ptime: int) -> None:
    """After the buffer has settled not a sample is changed, whatever the packet time."""
    buffer = JitterBuffer(8, rate)
    sound = noise(1.8, rate)
    heard, states = play(buffer, stream(sound, ptime, rate), 100)
    settled = sound[rate // 2 : rate]
    assert contains(heard, settled)
    assert CONCEALED not in states[30:85]
    assert buffer.late[3] <= 3


@given(
    swaps=st.sets(st.integers(0, 58)), repeats=st.sets(st.integers(0, 59)), numbered=st.booleans()
)
def test_neighbours_swapped_and_repeated_change_nothing(
    swaps: set[int], repeats: set[int], numbered: bool
) -> None:
    packets = stream(noise(1.2))
    shuffled = list(packets)
    for i in sorted(swaps):
        if i - 1 not in swaps:  # nothing is carried further than one place
            first, second = packets[i], packets[i + 1]
            shuffled[i] = Packet(first.tick, *content(second))
            shuffled[i + 1] = Packet(second.tick, *content(first))
    arriving = [p for i, p in enumerate(shuffled) for _ in range(2 if i in repeats else 1)]
    buffer = JitterBuffer(8, 8000)
    heard, states = play(buffer, arriving, 70, numbered=numbered)
    assert contains(heard, np.concatenate([p.sound for p in packets[2:]]))
    assert CONCEALED not in states[:60]
    if numbered:
        assert buffer.duplicate[3] == len(repeats)


@given(lost=st.sets(st.integers(1, 58)))
def test_every_lost_packet_is_one_concealed_or_silent_frame(lost: set[int]) -> None:
    """No loss moves the sound in time: what came is heard at its place."""
    packets = stream(noise(1.2))
    buffer = JitterBuffer(8, 8000)
    heard, states = play(buffer, [p for p in packets if p.sequence not in lost], 63)
    first = packets[0].tick + 2
    for packet in packets[:-1]:
        tick = first + packet.sequence
        if packet.sequence in lost:
            assert states[tick] in (CONCEALED, SILENT)
        else:
            assert states[tick] == PLAYED
            begin = tick * 160 + 40  # after the smoothed edge
            assert (heard[begin : begin + 120] == packet.sound[40:]).all()


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_tone_survives_loss(rate: int) -> None:
    """5 % loss: the concealed tone has nothing but the tone, and no click."""
    rng = np.random.default_rng(5)
    packets = stream(tone(250, rate, seconds=4), rate=rate)
    buffer = JitterBuffer(8, rate)
    heard, _ = play(buffer, [p for p in packets if rng.random() > 0.05], 190)
    assert buffer.concealed[3] > 3
    settled = heard[rate // 5 : -rate // 5]
    assert share(settled, 250, rate) > 0.97
    assert np.abs(np.diff(settled.astype(int))).max() < 3500


def test_a_long_hole_fades_to_silence() -> None:
    packets = [p for p in stream(tone(200, seconds=2)) if not 50 <= p.sequence < 70]
    heard, states = play(JitterBuffer(8, 8000), packets, 100)
    gone = int(np.flatnonzero(states[10:] == CONCEALED)[0]) + 10
    levels = [level_db(heard[i * 160 : i * 160 + 160]) for i in range(gone - 1, gone + 5)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] - levels[1] < 1.5
    assert (states[gone + 3 : gone + 18] == SILENT).all()
    assert levels[-1] == float("-inf")


def test_late_packets_make_the_buffer_deeper_until_none_is_late() -> None:
    rng = np.random.default_rng(11)
    packets = [
        Packet(p.tick + int(rng.integers(0, 5)), p.sequence, p.timestamp, p.sound)
        for p in stream(noise(20))
    ]
    buffer = JitterBuffer(8, 8000)
    _, states = play(buffer, packets, 1000)
    assert buffer.waited[3] >= 1
    assert (states[100:] == PLAYED).mean() > 0.97
    assert 1 <= buffer.depth(ROW)[0] <= 8


def test_it_waits_no_longer_than_it_may() -> None:
    """Of packets that come up to 300 ms late more are lost by a buffer that may hold back less."""
    rng = np.random.default_rng(11)
    packets = [
        Packet(p.tick + int(rng.integers(0, 16)), p.sequence, p.timestamp, p.sound)
        for p in stream(noise(8))
    ]
    late = []
    for deepest in (0.06, 0.2):
        buffer = JitterBuffer(8, 8000, deepest)
        play(buffer, packets, 400)
        late.append(int(buffer.late[3]))
    assert late[0] > 2 * late[1]


def test_a_calm_network_makes_it_shallow_again() -> None:
    packets = stream(noise(40))
    held = [Packet(max(p.tick, 108), *content(p)) if 100 <= p.tick < 108 else p for p in packets]
    buffer = JitterBuffer(8, 8000)
    play(buffer, held, 1900)
    assert buffer.waited[3] >= 1
    assert buffer.skipped[3] >= 1
    assert buffer.depth(ROW)[0] <= 2


@pytest.mark.parametrize("drift", [0.998, 1.002])
def test_a_drifting_clock_is_followed_within_bounds(drift: float) -> None:
    """2000 ppm is twenty times what phones do; over a minute it is 6 frames."""
    packets = [Packet(round(p.tick * drift), *content(p)) for p in stream(noise(60))]
    buffer = JitterBuffer(8, 8000)
    _, states = play(buffer, packets, 2950)
    assert (states[10:] == PLAYED).mean() > 0.98
    assert buffer.depth(ROW)[0] <= 5
    moved = buffer.skipped if drift < 1 else buffer.waited
    assert moved[3] >= 3


@pytest.mark.parametrize("jump", [-800_000, 123_457, 1 << 31])
def test_a_jump_of_the_senders_clock_is_followed(jump: int) -> None:
    packets = stream(noise(2))
    moved = [
        p if p.sequence < 50 else Packet(p.tick, p.sequence, p.timestamp + jump, p.sound)
        for p in packets
    ]
    buffer = JitterBuffer(8, 8000)
    heard, states = play(buffer, moved, 95)
    assert buffer.resynchronised[3] == 1
    assert (states[60:] == PLAYED).all()
    assert contains(heard, packets[70].sound)


def test_one_absurd_packet_is_dropped_and_counted() -> None:
    packets = stream(noise(1))
    rubbish = Packet(20, 9999, 10**9, packets[0].sound)
    buffer = JitterBuffer(8, 8000)
    heard, _ = play(buffer, [*packets, rubbish], 50)
    assert (buffer.absurd[3], buffer.resynchronised[3]) == (1, 0)
    assert contains(heard, np.concatenate([p.sound for p in packets[1:-6]]))


def test_a_pause_of_the_sender_is_no_loss() -> None:
    """Discontinuous transmission: numbers go on, timestamps jump; nothing is made up."""
    talk = [p for p in stream(noise(2)) if p.sequence < 30 or p.sequence >= 60]
    renumbered = [Packet(p.tick, i, p.timestamp, p.sound) for i, p in enumerate(talk)]
    buffer = JitterBuffer(8, 8000)
    heard, states = play(buffer, renumbered, 95)
    assert (states[40:60] == SILENT).all()
    assert buffer.resynchronised[3] == 0
    assert contains(heard, np.concatenate([p.sound for p in renumbered[31:60]]))


def test_comfort_noise_has_the_level_asked_for() -> None:
    buffer = JitterBuffer(8, 8000)
    play(buffer, stream(noise(0.4)), 18)
    buffer.comfort(ROW, np.array([-50], np.float32))
    heard, states = play(buffer, [], 50)
    assert (states[6:] == SILENT).all()
    assert level_db(heard[6 * 160 :]) == pytest.approx(-50, abs=1.5)
    assert buffer.concealed[3] == 0


def test_rows_are_apart_and_forgotten_rows_leave_nothing_behind() -> None:
    """A row's next owner never hears what the former one said."""
    buffer = JitterBuffer(64, 8000)
    rows = np.arange(40)
    loud = np.full((40, 160), 5000, np.int16) + rows[:, None].astype(np.int16)
    for tick in range(6):
        times = np.full(40, tick * 160)
        buffer.put(rows, times, loud, np.full(40, 160))
        heard, _ = buffer.take(rows)
    assert (heard == loud).all()
    buffer.reset(rows)
    buffer.reset(rows)
    assert not buffer.take(rows)[0].any()
    buffer.put(np.array([7]), np.array([77]), np.ones((1, 160), np.int16), np.array([160]))
    for _ in range(8):
        heard, _ = buffer.take(rows)
        assert heard.max() <= 1


def test_many_packets_of_one_row_in_one_batch() -> None:
    """A burst after a stall: all of it is heard, in order."""
    sound = noise(0.2)
    buffer = JitterBuffer(8, 8000)
    rows = np.full(10, 3)
    order = np.array([1, 0, 2, 3, 5, 4, 6, 7, 9, 8])
    buffer.put(rows, order * 160, sound.reshape(10, 160)[order], np.full(10, 160), order)
    heard, _ = play(buffer, [], 14)
    assert contains(heard, sound)


@given(data=st.data())
def test_nothing_that_arrives_can_break_it(data: st.DataObject) -> None:
    buffer = JitterBuffer(4, 8000)
    times = st.one_of(st.integers(-(1 << 40), 1 << 40), st.integers(0, 4000))
    for _ in range(data.draw(st.integers(1, 12))):
        count = data.draw(st.integers(0, 6))
        rows = np.array(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), int)
        stamps = data.draw(st.lists(times, min_size=count, max_size=count))
        samples = data.draw(st.lists(st.integers(0, 500), min_size=count, max_size=count))
        buffer.put(
            rows.astype(np.intp),
            np.array(stamps, np.int64),
            np.full((count, 500), 99, np.int16),
            np.array(samples, np.int64),
        )
        heard, states = buffer.take(np.arange(4))
        assert heard.shape == (4, 160)
        assert set(states.tolist()) <= {SILENT, PLAYED, CONCEALED}
        assert (buffer.depth(np.arange(4)) >= 0).all()
