"""What switch and engine say arrives as it was said, however the octets are cut."""

import pytest

from media import commands, events
from media.items import Tone
from media.stream import SrtpKey, Stream
from media.wire import Framer, encode

KEY = SrtpKey("AES_CM_128_HMAC_SHA1_80", bytes(range(30)))
STREAM = Stream(("192.0.2.1", 4000), "opus", 48000, 96, {96: "opus"}, {"useinbandfec": "1"})
SECURE = Stream(("192.0.2.1", 4000), srtp_send=KEY, srtp_receive=KEY, ptime=0.03, latch=True)
STATS = events.LegStats(packets_received=5, jitter=0.001, mos=4.2, remote=("192.0.2.1", 4000))


@pytest.mark.parametrize(
    "thing",
    [
        commands.Open(1, 2),
        commands.Connect(1, STREAM),
        commands.Connect(1, SECURE),
        commands.Hear(1, {2: 1.0, 3: 0.5}),
        commands.Detect(1, starved=60.0),
        commands.Close(1),
        commands.Play(4, (Tone("busy"),), loop=True, shared=False),
        events.Closed(1, STATS),
        events.Quality(1, STATS),
        events.Dtmf(1, "5", 100, "event"),
        events.Played(4, "no such file"),
        events.EngineDied(0),
    ],
)
def test_what_is_said_arrives(thing: object) -> None:
    told = [commands.Open(7, 8), thing, commands.Close(7)]
    assert Framer().feed(encode(told)) == told


def test_frames_may_come_in_any_parts() -> None:
    frames = encode([commands.Open(1, 2)]) + encode([events.EngineDied(0), commands.Close(1)])
    framer = Framer()
    heard = [thing for octet in frames for thing in framer.feed(bytes([octet]))]
    assert heard == [commands.Open(1, 2), events.EngineDied(0), commands.Close(1)]
