"""Recordings: what was heard lies in the file, whatever ends it."""

import signal
import struct
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Literal

import numpy as np
import pytest
import soundfile

from media.pcm import Pcm
from media.recorder import DiskWriter, Outcome, Recorder
from media.tape import Tape
from tests.media.sounds import frames_of, level_db, share, tone


@pytest.fixture
def writer() -> Iterator[DiskWriter]:
    thread = DiskWriter()
    yield thread
    thread.close()


def settle(writer: DiskWriter) -> None:
    """Wait until the thread has done all that was asked of it."""
    done = Event()
    writer.submit(done.set)
    done.wait()


def record(recorder: Recorder, left: Pcm, right: Pcm | None = None, rate: int = 8000) -> None:
    """Through a tape, as the engine does it: one frame of each side a tick."""
    tape = Tape(rate, 2 if recorder.stereo else 1)
    tape.add(1, recorder)
    tape.place({1: (0, None if right is None else 1)})
    write(tape, left, left if right is None else right)
    tape.remove(1)


def write(tape: Tape, *sounds: Pcm) -> None:
    for frames in zip(*(frames_of(sound, tape.rate // 50) for sound in sounds), strict=True):
        tape.write(np.stack(frames))


def ended(recorder: Recorder, writer: DiskWriter) -> Outcome:
    recorder.stop()
    settle(writer)
    outcome = recorder.poll()
    assert outcome is not None
    assert recorder.poll() is None
    return outcome


@pytest.mark.parametrize("rate", [8000, 16000])
def test_stereo_has_each_side_in_its_channel(tmp_path: Path, writer: DiskWriter, rate: int) -> None:
    path = str(tmp_path / "new" / "directory" / "call.wav")
    recorder = Recorder(path, writer, rate=rate)
    left, right = tone(500, rate, 2.5), tone(1500, rate, 2.5)
    record(recorder, left, right, rate)
    assert ended(recorder, writer) == Outcome(path, 2.5, None)
    with wave.open(path) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, rate, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert (sound[:, 0] == left).all()
    assert (sound[:, 1] == right).all()


def test_mono_is_the_sum_and_saturates(tmp_path: Path, writer: DiskWriter) -> None:
    path = str(tmp_path / "call.wav")
    recorder = Recorder(path, writer, stereo=False)
    loud = np.full(8000, 20000, np.int16)
    record(recorder, loud, loud)
    record(recorder, loud)
    ended(recorder, writer)
    sound, _ = soundfile.read(path, dtype="int16")
    assert (sound[:8000] == 32767).all()
    assert (sound[8000:] == 20000).all()


def test_a_wav_file_in_progress_is_whole_for_every_reader(
    tmp_path: Path, writer: DiskWriter
) -> None:
    """Nobody stops it: all but the last second is there."""
    path = str(tmp_path / "call.wav")
    recorder = Recorder(path, writer)
    record(recorder, tone(500, seconds=3.3), tone(1500, seconds=3.3))
    settle(writer)
    header = Path(path).read_bytes()[:44]
    assert struct.unpack("<I", header[4:8]) == struct.unpack("<I", header[40:44]) == (0xFFFFFFFF,)
    for sound in (soundfile.read(path, dtype="int16")[0], by_wave(path)):
        assert len(sound) > 3.3 * 8000 - 8000
        assert share(sound[:, 1], 1500) > 0.99
    recorder.stop()
    settle(writer)


_RECORD_AND_DIE = """
import os, sys, threading
from media.recorder import DiskWriter, Recorder
from tests.media.sounds import tone
from tests.media.test_recorder import record
writer, done = DiskWriter(), threading.Event()
recorder = Recorder(sys.argv[1], writer, format=sys.argv[2])
record(recorder, tone(500, seconds=4.0), tone(1500, seconds=4.0))
writer.submit(done.set)
done.wait()
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("kind", ["wav", "ogg"])
def test_a_crash_leaves_a_playable_file(tmp_path: Path, kind: str) -> None:
    """Killed in mid-call: all but the last second and what the codec held back can be played."""
    path = str(tmp_path / f"call.{kind}")
    killed = subprocess.run([sys.executable, "-c", _RECORD_AND_DIE, path, kind], check=False)
    assert killed.returncode == -signal.SIGKILL
    sound, rate = soundfile.read(path, dtype="int16")
    assert len(sound) / rate > 2.5
    assert share(sound[rate // 2 :, 0], 500, rate) > 0.98
    assert share(sound[rate // 2 :, 1], 1500, rate) > 0.98


def by_wave(path: str) -> Pcm:
    with wave.open(path) as file:
        return np.frombuffer(file.readframes(1 << 30), "<i2").reshape(-1, 2)


def test_what_comes_during_a_pause_is_left_out(tmp_path: Path, writer: DiskWriter) -> None:
    path = str(tmp_path / "call.wav")
    recorder, tape = Recorder(path, writer, stereo=False), Tape(8000, 1)
    tape.add(7, recorder)
    tape.place({7: (0, None)})
    for frequency, paused in ((500, False), (1000, True), (1500, False)):
        tape.pause(7, paused)
        write(tape, tone(frequency))
    tape.remove(7)
    assert ended(recorder, writer).seconds == 2.0
    sound, _ = soundfile.read(path, dtype="int16")
    assert share(sound[:8000], 500) > 0.99
    assert share(sound[8000:], 1500) > 0.99


def test_many_recordings_come_and_go_on_one_tape(tmp_path: Path, writer: DiskWriter) -> None:
    """More than one block of them; a place that was given back serves the next."""
    tape, recorders = Tape(8000, 2), {}
    for number in range(70):
        recorders[number] = Recorder(str(tmp_path / f"{number}.wav"), writer)
        tape.add(number, recorders[number])
    tape.place({number: (number % 2, None) for number in recorders})
    write(tape, tone(500, seconds=0.5), tone(1500, seconds=0.5))
    for number in range(0, 70, 3):
        tape.remove(number)
        assert ended(recorders.pop(number), writer).seconds == 0.5
    last = recorders[99] = Recorder(str(tmp_path / "99.wav"), writer)
    tape.add(99, last)
    tape.place({number: (number % 2, None) for number in recorders})
    write(tape, tone(500, seconds=0.5), tone(1500, seconds=0.5))
    for number, recorder in recorders.items():
        tape.remove(number)
        assert ended(recorder, writer).seconds == (0.5 if number == 99 else 1.0)
        sound, _ = soundfile.read(recorder.path, dtype="int16")
        assert share(sound[:, 0], 1500 if number % 2 else 500) > 0.95
        assert not sound[:, 1].any()


def test_a_full_disk_is_told_and_harms_nobody(tmp_path: Path, writer: DiskWriter) -> None:
    unhappy = Recorder("/dev/full", writer)
    happy = Recorder(str(tmp_path / "call.wav"), writer)
    record(unhappy, tone(500))
    record(happy, tone(500))
    settle(writer)
    outcome = unhappy.poll()
    assert outcome is not None
    assert outcome.error is not None
    assert "No space left" in outcome.error
    record(unhappy, tone(500))
    unhappy.stop()
    settle(writer)
    assert unhappy.poll() is None
    assert ended(happy, writer).error is None


@pytest.mark.parametrize("kind", ["wav", "ogg"])
def test_a_place_that_cannot_be_written_is_told(
    tmp_path: Path, writer: DiskWriter, kind: Literal["wav", "ogg"]
) -> None:
    recorder = Recorder(str(tmp_path), writer, format=kind)
    record(recorder, tone(500))
    settle(writer)
    outcome = recorder.poll()
    assert outcome is not None
    assert outcome.error is not None
    assert str(tmp_path) in outcome.error


def test_a_slow_disk_loses_sound_but_never_waits(tmp_path: Path) -> None:
    writer = DiskWriter(waiting=2)
    released = Event()
    writer.submit(lambda: void(released.wait()))
    recorder = Recorder(str(tmp_path / "call.wav"), writer, stereo=False)
    record(recorder, tone(500, seconds=5))
    released.set()
    outcome = ended(recorder, writer)
    assert outcome.error is not None
    assert "did not keep up" in outcome.error
    assert outcome.seconds < 5
    writer.close()


def void(_: object) -> None:
    """Make a job of what returns something."""


def test_stopping_before_the_first_frame_leaves_an_empty_file(
    tmp_path: Path, writer: DiskWriter
) -> None:
    path = str(tmp_path / "call.wav")
    recorder = Recorder(path, writer)
    assert ended(recorder, writer) == Outcome(path, 0.0, None)
    recorder.stop()
    record(recorder, tone(500))
    with wave.open(path) as file:
        assert file.getnframes() == 0


@pytest.mark.parametrize("rate", [8000, 16000])
def test_opus_in_ogg(tmp_path: Path, writer: DiskWriter, rate: int) -> None:
    path = str(tmp_path / "call.ogg")
    recorder = Recorder(path, writer, rate=rate, format="ogg")
    record(recorder, tone(500, rate, 3), tone(1500, rate, 3), rate)
    assert ended(recorder, writer) == Outcome(path, 3.0, None)
    sound, read_rate = soundfile.read(path, dtype="int16")
    assert len(sound) / read_rate == pytest.approx(3, abs=0.05)
    assert share(sound[4000:, 0], 500, read_rate) > 0.98
    assert share(sound[4000:, 1], 1500, read_rate) > 0.98
    assert level_db(sound[4000:, 0]) == pytest.approx(level_db(tone(500)), abs=1.5)
    assert Path(path).stat().st_size < 40_000
