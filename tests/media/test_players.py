"""Players: order, gapless joints, loops, pauses, many rates, and files that are not there."""

import os
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from av.audio.stream import AudioStream

from media.decoding import SoundError, read_sound
from media.items import File, Item, Prompt, Say, Silence, Tone
from media.library import Library
from media.pcm import Pcm
from media.players import Player
from tests.media.sounds import level_db, share, tone


@pytest.fixture
def library() -> Iterator[Library]:
    held = Library()
    yield held
    held.close()


def write(path: Path, sound: Pcm, rate: int = 8000, **options: str) -> File:
    soundfile.write(path, sound, rate, **options)
    return File(str(path))


def warm(library: Library, *items: Item, rates: tuple[int, ...] = (8000,)) -> None:
    """Wait until the library has read the files, so that a test knows when they sound."""
    for item in items:
        if isinstance(item, File):
            for rate in rates:
                library.request(item.path, rate).exception()


def settle(library: Library) -> None:
    """Wait until the reader has done all that was asked of it."""
    library.request("", 8000).exception()


def play(player: Player, library: Library, ticks: int, rate: int = 8000, first: int = 0) -> Pcm:
    heard = []
    for tick in range(first, first + ticks):
        heard.append(player.frame(rate, tick))
        settle(library)
    return np.concatenate(heard)


def ramp(start: int, samples: int) -> Pcm:
    return np.arange(start, start + samples).astype(np.int16)


def trimmed(sound: Pcm) -> Pcm:
    """From the first to the last sample that is not zero."""
    places = np.flatnonzero(sound)
    return sound[places[0] : places[-1] + 1]


def test_files_follow_one_another_without_a_gap(tmp_path: Path, library: Library) -> None:
    """Odd lengths: the second file begins in the middle of a frame."""
    first, second = (
        write(tmp_path / "a.wav", ramp(1, 1001)),
        write(tmp_path / "b.wav", ramp(1002, 777)),
    )
    player = Player([first, second], library)
    heard = play(player, library, 20)
    assert (trimmed(heard) == ramp(1, 1778)).all()
    assert player.finished
    assert player.error == ""


def test_a_player_ends_with_its_last_sound(tmp_path: Path, library: Library) -> None:
    item = write(tmp_path / "a.wav", ramp(1, 320))
    player = Player([item], library)
    player.pause()
    player.frame(8000, 0)  # has the file read
    settle(library)
    player.resume()
    player.frame(8000, 1)
    assert not player.finished
    player.frame(8000, 2)
    assert player.finished
    assert not player.frame(8000, 3).any()


def test_a_loop_is_gapless_too(tmp_path: Path, library: Library) -> None:
    item = write(tmp_path / "a.wav", ramp(1, 500))
    player = Player([item], library, loop=True)
    heard = trimmed(play(player, library, 50))
    assert (heard[:5000] == np.tile(ramp(1, 500), 10)[:5000]).all()
    assert not player.finished


def test_one_tick_is_one_frame_however_often_it_is_asked(library: Library) -> None:
    player = Player([Tone((440.0,))], library)
    first = player.frame(8000, 7)
    assert player.frame(8000, 7) is first
    assert player.frame(16000, 7).size == 320
    assert player.position == pytest.approx(0.02)
    assert (player.frame(8000, 8) != first).any()


def test_all_rates_are_at_the_same_place(tmp_path: Path, library: Library) -> None:
    """A file of 44.1 kHz between two tones; each rate hears the same seconds of each."""
    item = write(tmp_path / "a.wav", tone(1000, 44100, 0.5), 44100)
    warm(library, item, rates=(8000, 16000, 48000))
    player = Player([Tone((500.0,), ms=510), item, Tone((2000.0,), ms=490)], library)
    heard: dict[int, list[Pcm]] = {8000: [], 16000: [], 48000: []}
    for tick in range(80):
        for rate, frames in heard.items():
            frames.append(player.frame(rate, tick))
        settle(library)
    for rate, frames in heard.items():
        sound = np.concatenate(frames)
        second = rate // 2
        assert share(sound[:second], 500, rate) > 0.99
        assert share(sound[second + rate // 50 : 2 * second], 1000, rate) > 0.99
        assert share(sound[2 * second + rate // 50 : 3 * second - rate // 20], 2000, rate) > 0.99


def test_a_shared_player_is_a_function_of_time(library: Library) -> None:
    """Nobody listens for 300 ticks; the music has gone on meanwhile."""
    listened = Player([Tone("ringback", "ru")], library, shared=True)
    unheard = Player([Tone("ringback", "ru")], library, shared=True)
    for tick in range(301):
        last = listened.frame(8000, tick)
    unheard.frame(8000, 0)
    assert (unheard.frame(8000, 300) == last).all()


def test_a_private_player_waits_for_its_listener(library: Library) -> None:
    player = Player([Tone((440.0,), ms=100)], library)
    player.frame(8000, 0)
    player.frame(8000, 500)
    assert player.position == pytest.approx(0.04)


def test_pause_is_silence_and_loses_nothing(tmp_path: Path, library: Library) -> None:
    item = write(tmp_path / "a.wav", ramp(1, 1600))
    player = Player([item], library)
    before = play(player, library, 5)
    player.pause()
    assert not play(player, library, 10, first=5).any()
    player.resume()
    after = play(player, library, 20, first=15)
    assert (trimmed(np.concatenate([before, after])) == ramp(1, 1600)).all()


def test_seek_goes_to_a_place_and_back(tmp_path: Path, library: Library) -> None:
    item = write(tmp_path / "a.wav", ramp(1, 16000))
    player = Player([Silence(1000), item], library)
    player.frame(8000, 0)
    settle(library)
    player.seek(2.0)
    assert player.frame(8000, 1)[0] == 8001
    player.seek(0)
    assert not player.frame(8000, 2).any()
    player.seek(99)
    assert player.finished


def test_a_missing_file_is_told_and_the_rest_is_played(tmp_path: Path, library: Library) -> None:
    item = write(tmp_path / "a.wav", ramp(1, 800))
    rubbish = tmp_path / "rubbish.mp3"
    rubbish.write_bytes(b"no sound at all" * 50)
    player = Player([File("/nowhere/x.wav"), File(str(rubbish)), item], library)
    heard = play(player, library, 20)
    assert (trimmed(heard) == ramp(1, 800)).all()
    assert player.finished
    assert "/nowhere/x.wav" in player.error
    assert "rubbish.mp3" in player.error


def test_a_loop_of_nothing_but_errors_ends(library: Library) -> None:
    player = Player([File("/nowhere/x.wav"), File("/nowhere/y.wav")], library, loop=True)
    play(player, library, 5)
    assert player.finished
    assert Player([], library).finished


def test_wrong_items_are_told_at_once(library: Library) -> None:
    items: list[Item] = [
        Tone("nonsense"),
        Say("number", "many", "en"),
        Prompt("no-such", "en"),
        Silence(20),
    ]
    player = Player(items, library)
    assert "nonsense" in player.error
    assert "many" in player.error
    assert "no-such" in player.error
    player.frame(8000, 0)
    assert player.finished


def test_a_beep_sounds_once_and_a_cadence_as_long_as_asked(library: Library) -> None:
    beep = Player([Tone("beep")], library)
    heard = play(beep, library, 30)
    assert beep.finished
    assert share(trimmed(heard), 1000) > 0.99
    busy = Player([Tone("busy", "de", ms=2000)], library)
    play(busy, library, 100)
    assert busy.finished


def test_spoken_numbers_are_played_word_by_word(library: Library) -> None:
    player = Player([Prompt("vm-you-have", "en"), Say("new-message", "3", "en")], library)
    heard = play(player, library, 300)
    assert player.finished
    assert player.error == ""
    assert level_db(trimmed(heard)) > -30


def test_a_changed_file_is_read_again(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "greeting.wav"
    item = write(path, ramp(1, 400))
    assert library.request(item.path, 8000).result().size == 400
    write(path, ramp(1, 800))
    changed = path.stat().st_mtime_ns + 5_000_000
    os.utime(path, ns=(changed, changed))
    assert library.request(item.path, 8000).result().size == 800


def test_memory_is_bounded(tmp_path: Path) -> None:
    library = Library(bound=20_000)
    for i in range(20):
        item = write(tmp_path / f"{i}.wav", ramp(i, 4000))
        library.request(item.path, 8000).result()
    assert library.held <= 20_000
    library.close()


def encode_by_ffmpeg(path: Path, codec: str, rate: int, sound: Pcm) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(np.repeat(sound, 2)[None], "s16", "stereo")
        frame.sample_rate = rate
        size = stream.codec_context.frame_size or 960
        parts = av.AudioResampler(stream.format.name, "stereo", rate, size)
        for part in [*parts.resample(frame), *parts.resample(None), None]:
            container.mux(stream.encode(part))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.webm", "libopus")]
)
def test_whatever_ffmpeg_reads_can_be_played(tmp_path: Path, name: str, codec: str) -> None:
    encode_by_ffmpeg(tmp_path / name, codec, 48000, tone(1000, 48000, 2))
    heard = read_sound(str(tmp_path / name), 8000)
    assert heard.size == pytest.approx(16000, abs=1000)
    assert share(heard[2000:14000], 1000) > 0.99
    assert level_db(heard[2000:14000]) == pytest.approx(level_db(tone(1000)), abs=0.5)


@pytest.mark.parametrize(("name", "kind"), [("a.flac", "FLAC"), ("a.ogg", "OGG"), ("a.wav", "WAV")])
def test_common_files_are_read(tmp_path: Path, name: str, kind: str) -> None:
    stereo = np.stack([tone(1000, 16000), tone(1000, 16000)], axis=1)
    soundfile.write(tmp_path / name, stereo, 16000, format=kind)
    heard = read_sound(str(tmp_path / name), 8000)
    assert heard.size == 8000
    assert share(heard, 1000) > 0.99


def test_unreadable_files_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    for path in [str(tmp_path / "empty.wav"), str(tmp_path), str(tmp_path / "none.mp3")]:
        with pytest.raises(SoundError, match=path):
            read_sound(path, 8000)
