"""Codecs on tones and against FFmpeg: same bits, same sound, any length, any rate."""

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from media.codecs import Codec, make_codecs
from media.pcm import Integers, Octets, Pcm
from tests.media.sounds import frames_of, level_db, share, tone

NAMES = ["PCMU", "PCMA", "L16", "L16/16000", "L16/48000", "G722", "OPUS"]


def lengths_of(payloads: Octets) -> Integers:
    return np.full(len(payloads), payloads.shape[1], np.int64)


def through(codec: Codec, sound: Pcm, rate: int, heard_at: int | None = None) -> Pcm:
    """Encode at one rate and decode at another, frame after frame, as one stream."""
    heard = []
    for frame in frames_of(sound, rate // 50):
        payloads, lengths = codec.encode(["stream"], frame[None], rate)
        pcm, samples = codec.decode(["stream"], payloads, lengths, heard_at or rate)
        heard.append(pcm[0, : samples[0]])
    return np.concatenate(heard)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("heard_at", [8000, 16000, 48000])
def test_a_tone_passes_at_any_pair_of_rates(name: str, rate: int, heard_at: int) -> None:
    heard = through(make_codecs()[name], tone(1000, rate), rate, heard_at)
    assert heard.size == pytest.approx(heard_at, abs=heard_at // 50)
    settled = heard[heard_at // 4 : heard_at // 4 * 3]
    assert share(settled, 1000, heard_at) > 0.99
    assert level_db(settled) == pytest.approx(level_db(tone(1000)), abs=1.0)


@pytest.mark.parametrize("name", ["G722", "OPUS", "L16/16000"])
def test_wideband_codecs_carry_what_g711_cannot(name: str) -> None:
    heard = through(make_codecs()[name], tone(6000, 16000), 16000)
    assert share(heard[4000:12000], 6000, 16000) > 0.95
    narrow = through(make_codecs()["PCMU"], tone(6000, 16000), 16000)
    assert level_db(narrow[4000:12000]) < level_db(tone(6000, 16000)) - 40


def ffmpeg_g722_encode(sound: Pcm) -> bytes:
    encoder = av.CodecContext.create("g722", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 16000, "mono", "s16"
    octets = b""
    for frame in frames_of(sound, 320):
        audio = av.AudioFrame.from_ndarray(frame[None], format="s16", layout="mono")
        audio.sample_rate = 16000
        octets += b"".join(bytes(packet) for packet in encoder.encode(audio))
    return octets


def ffmpeg_g722_decode(octets: bytes) -> Pcm:
    decoder = av.CodecContext.create("g722", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate, decoder.layout = 16000, "mono"
    (frame,) = decoder.decode(av.Packet(octets))
    return np.asarray(frame.to_ndarray()[0], np.int16)


def speechlike() -> Pcm:
    """Two seconds of shaped noise and sweeps, loud and soft."""
    rng = np.random.default_rng(722)
    noise = np.convolve(rng.normal(0, 3000, 32000), np.hanning(9) / 4, mode="same")
    envelope = np.abs(np.sin(np.arange(32000) / 16000 * np.pi * 3))
    sweep = 9000 * np.sin(2 * np.pi * np.cumsum(np.linspace(100, 7000, 32000)) / 16000)
    mixed = noise * envelope + sweep * (1 - envelope)
    return np.asarray(np.clip(mixed, -32768, 32767), np.int16)


def test_g722_decodes_bit_for_bit_as_ffmpeg_does() -> None:
    octets = ffmpeg_g722_encode(speechlike())
    codec = make_codecs()["G722"]
    packets = np.frombuffer(octets, np.uint8).reshape(-1, 160)
    ours = [codec.decode([1], packet[None], np.array([160]))[0][0] for packet in packets]
    assert (np.concatenate(ours) == ffmpeg_g722_decode(octets)).all()


def test_g722_encodes_bit_for_bit_as_ffmpeg_does() -> None:
    """FFmpeg's trellis is off by default, so both walk the plain recursion of the standard."""
    codec = make_codecs()["G722"]
    ours = [codec.encode([1], frame[None])[0][0] for frame in frames_of(speechlike(), 320)]
    assert np.concatenate(ours).tobytes() == ffmpeg_g722_encode(speechlike())


def test_packets_of_several_lengths_in_one_batch() -> None:
    """10, 20 and 30 ms of one tone at once, two of them of one leg, at the doubled rate."""
    codec = make_codecs()["PCMA"]
    sound, _ = codec.encode([0], tone(440)[None, :720])
    packets = np.zeros((4, 240), np.uint8)
    lengths = np.array([80, 160, 240, 160])
    starts = [0, 0, 0, 80]
    for packet, start, length in zip(packets, starts, lengths, strict=True):
        packet[:length] = sound[0, start : start + length]
    pcm, samples = codec.decode([7, 8, 9, 7], packets, lengths, 16000)
    assert samples.tolist() == [160, 320, 480, 320]
    whole = make_codecs()["PCMA"].decode([7], sound[:, :240], np.array([240]), 16000)[0][0]
    assert (np.concatenate([pcm[0, :160], pcm[3, :320]]) == whole).all()
    assert (pcm[2, :480] == whole).all()


def test_streams_do_not_touch_one_another() -> None:
    both, alone = make_codecs()["G722"], make_codecs()["G722"]
    left, right = frames_of(tone(440, 16000), 320), frames_of(tone(2000, 16000), 320)
    for one, two in zip(left, right, strict=True):
        payloads, _ = both.encode(["left", "right"], np.stack([one, two]))
        assert (payloads[0] == alone.encode(["left"], one[None])[0][0]).all()


@pytest.mark.parametrize("name", ["G722", "OPUS"])
def test_one_leg_may_be_heard_at_two_rates_at_once(name: str) -> None:
    """A room with narrow and wide members: each rate has the leg's whole stream."""
    codec = make_codecs()[name]
    narrow, wide = [], []
    for frame in frames_of(tone(1000, 16000), 320):
        payload, length = codec.encode(["leg"], frame[None], 16000)
        narrow.append(codec.decode(["leg"], payload, length, 8000)[0][0])
        wide.append(codec.decode(["leg"], payload, length, 16000)[0][0])
    for heard, rate in ((np.concatenate(narrow), 8000), (np.concatenate(wide), 16000)):
        assert share(heard[rate // 4 :], 1000, rate) > 0.99
        assert level_db(heard[rate // 4 :]) == pytest.approx(level_db(tone(1000)), abs=1.0)


def test_a_forgotten_stream_begins_anew() -> None:
    codec = make_codecs()["G722"]
    frame = tone(440, 16000, 0.02)[None]
    first, _ = codec.encode(["x"], frame)
    second, _ = codec.encode(["x"], frame)
    codec.forget("x")
    codec.forget("x")
    third, _ = codec.encode(["x"], frame)
    assert (first != second).any()
    assert (first == third).all()


@pytest.mark.parametrize("name", NAMES)
def test_rubbish_and_empty_payloads_harm_nobody(name: str) -> None:
    codec = make_codecs()[name]
    rubbish = np.random.default_rng(3).integers(0, 256, (20, 37), dtype=np.uint8)
    lengths = np.array([0, 1, 2, 37] * 5)
    pcm, samples = codec.decode(list(range(20)), rubbish, lengths)
    assert len(pcm) == len(samples) == 20
    assert samples[0] == 0
    assert (samples <= pcm.shape[1]).all()
    nothing, none = codec.decode([], np.zeros((0, 160), np.uint8), np.zeros(0, np.int64))
    assert nothing.shape[0] == none.size == 0
