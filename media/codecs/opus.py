"""Opus by PyAV's libopus (RFC 6716, RTP by RFC 7587): one decoder and encoder per stream.

A decoder always speaks 48 kHz; other rates are filtered from it.  The encoder takes our rates
directly.  Encoding is dear (some 160 µs a frame), so callers encode once per distinct sound.
"""

from collections.abc import Hashable, Sequence
from typing import Final

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError

from media.codecs.codec import Converters
from media.pcm import Integers, Octets, Pcm

_RATE: Final = 48000
_BIT_RATE: Final = 24000
_LONGEST_PACKET: Final = 1275
"""Octets of the largest frame (RFC 6716 §3.2.1)."""
_OPTIONS: Final = {
    "application": "voip",
    "frame_duration": "20",
    "compression_level": "3",
    "fec": "1",
    "packet_loss": "5",
}


class OpusCodec:
    """All Opus streams of one engine."""

    name: Final = "OPUS"
    clock_rate: Final = _RATE
    sample_rate: Final = _RATE
    stateful: Final = True
    even: Final = False

    def __init__(self) -> None:
        self._decoders: dict[tuple[Hashable, int], AudioCodecContext] = {}
        self._encoders: dict[tuple[Hashable, int], AudioCodecContext] = {}
        self._decoded = Converters()

    def decode(
        self,
        keys: Sequence[Hashable],
        payloads: Octets,
        lengths: Integers,
        rate: int | None = None,
    ) -> tuple[Pcm, Integers]:
        wanted = rate or _RATE
        sounds = [
            self._decode_packet((key, wanted), payload[:length].tobytes())
            for key, payload, length in zip(keys, payloads, lengths, strict=True)
        ]
        samples = np.array([sound.size for sound in sounds], np.int64)
        frames = np.zeros((len(keys), int(samples.max(initial=0))), np.int16)
        for frame, sound in zip(frames, sounds, strict=True):
            frame[: sound.size] = sound
        return self._decoded.convert_ragged(keys, frames, samples, _RATE, wanted)

    def encode(
        self, keys: Sequence[Hashable], frames: Pcm, rate: int | None = None
    ) -> tuple[Octets, Integers]:
        packets = [
            self._encode_frame((key, rate or _RATE), frame)
            for key, frame in zip(keys, frames, strict=True)
        ]
        lengths = np.array([len(packet) for packet in packets], np.int64)
        payloads = np.zeros((len(packets), int(lengths.max(initial=0))), np.uint8)
        for payload, packet in zip(payloads, packets, strict=True):
            payload[: len(packet)] = np.frombuffer(packet, np.uint8)
        return payloads, lengths

    def forget(self, key: Hashable) -> None:
        for states in (self._decoders, self._encoders):
            for known in [known for known in states if known[0] == key]:
                del states[known]
        self._decoded.forget(key)

    def _decode_packet(self, key: tuple[Hashable, int], packet: bytes) -> Pcm:
        decoder = self._decoders.get(key)
        if decoder is None:
            decoder = self._decoders[key] = _make_decoder()
        if not packet:  # to FFmpeg an empty packet is the end of the stream
            return np.zeros(0, np.int16)
        try:
            frames = decoder.decode(av.Packet(packet))
        except FFmpegError:  # the peer's octets are no Opus packet
            return np.zeros(0, np.int16)
        sounds = [np.asarray(frame.to_ndarray()[0], np.int16) for frame in frames]
        return np.concatenate(sounds) if sounds else np.zeros(0, np.int16)

    def _encode_frame(self, key: tuple[Hashable, int], sound: Pcm) -> bytes:
        rate, encoder = key[1], self._encoders.get(key)
        if encoder is None:
            encoder = self._encoders[key] = _make_encoder(rate)
        frame = av.AudioFrame.from_ndarray(sound[None, :], format="s16", layout="mono")
        frame.sample_rate = rate
        packets = encoder.encode(frame)
        return bytes(packets[0]) if packets else b""


def _make_decoder() -> AudioCodecContext:
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate = _RATE
    decoder.layout = "mono"
    return decoder


def _make_encoder(rate: int) -> AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate = rate
    encoder.layout = "mono"
    encoder.format = "s16"
    encoder.bit_rate = _BIT_RATE
    encoder.options = dict(_OPTIONS)
    encoder.open()
    return encoder
