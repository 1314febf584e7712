"""Sound through a real engine process over real sockets, over either backend.

Nobody sleeps: the engine's own packets are the clock.  Each time the first party of a table is
sent 20 ms, all parties say their next 20 ms.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile

from media import events, rtcp
from media.client import Media, MediaLeg
from media.g711 import decode_ulaw, encode_ulaw
from media.items import Say, Tone
from media.pcm import Pcm
from media.settings import BackendName
from media.stream import Stream
from tests.media.sounds import share, tone
from tests.media.test_engine_process import HOST, Phone, backend, settings
from tests.media.virtual import Rtp

__all__ = ["backend"]

pytestmark = pytest.mark.anyio
PRESENT, ABSENT = 0.05, 0.002
TONES = (440, 1000, 1700)
EVENTS = 101


@pytest.fixture
async def media(backend: BackendName) -> AsyncIterator[Media]:
    made = Media(replace(settings(backend), rtcp_interval=0.4))
    await made.start()
    yield made
    await made.stop()


class Party(Phone):
    """A phone that says a tone, frame by frame, and keeps what it hears."""

    def __init__(self, media: Media, frequency: float = 0.0, **agreed: object) -> None:
        super().__init__()
        self.leg: MediaLeg = media.open(self.on_event)
        self.leg.connect(Stream(self.address, **agreed))  # type: ignore[arg-type]
        self.sound = tone(frequency, seconds=4.0, level=5000) if frequency else None
        self.packets: list[Rtp] = []

    def packet(self, at: int) -> Rtp | None:
        if self.sound is None:
            return None
        frame = self.sound[160 * at : 160 * at + 160]
        return Rtp(at, 160 * at, encode_ulaw(frame).tobytes())

    def say(self, at: int) -> None:
        packet = self.packet(at)
        if packet is not None:
            self.send(self.leg, packet.encode())

    async def listen(self) -> None:
        """Wait for 20 ms of sound."""
        self.packets.append(Rtp.decode(await self.receive()))

    def heard(self) -> Pcm:
        """All that came in, but for the first third of a second."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.packets.append(Rtp.decode(self._socket.recv(2000)))
        octets = b"".join(p.payload for p in self.packets if p.payload_type == 0)
        return decode_ulaw(np.frombuffer(octets, np.uint8))[2700:]


async def converse(parties: list[Party], frames: int = 60) -> None:
    for at in range(frames):
        await parties[0].listen()
        for party in parties:
            party.say(at)


@pytest.fixture
def table() -> Iterator[list[Party]]:
    """Parties to be closed at the end."""
    seated: list[Party] = []
    yield seated
    for party in seated:
        party.close()


async def test_a_room_is_heard_without_oneself(media: Media, table: list[Party]) -> None:
    room = media.room()
    for frequency in TONES:
        table.append(party := Party(media, frequency))
        room.add(party.leg)
        party.leg.hear(room)
    await converse(table)
    for party, own in zip(table, TONES, strict=True):
        shares = {frequency: share(party.heard(), frequency) for frequency in TONES}
        assert shares.pop(own) < ABSENT
        assert min(shares.values()) > PRESENT


@pytest.fixture
async def engines(backend: BackendName) -> AsyncIterator[Media]:
    """Two of them, which take legs by turns."""
    made = Media(settings(backend, pairs=30, workers=2))
    await made.start()
    yield made
    await made.stop()


async def test_legs_of_two_engines_hear_each_other(engines: Media, table: list[Party]) -> None:
    """As after a transfer that joins two calls: relayed over the loopback, keys as well."""
    keys = {"dtmf_send_pt": EVENTS, "dtmf_receive_pt": EVENTS}
    table += [Party(engines, frequency, **keys) for frequency in TONES[:2]]
    one, other = table
    assert one.leg.worker is not other.leg.worker
    free = engines.usage[0]
    one.leg.hear(other.leg)
    other.leg.hear(one.leg)
    for leg in (one.leg, other.leg):
        await leg.stats()
    for at in range(60):  # relayed sound has no clock but the talkers'
        one.say(at)
        other.say(at)
        await one.listen()
        await other.listen()
    one.send(one.leg, Rtp(70, 70 * 160, bytes((5, 0x8A, 1, 64)), EVENTS, marker=True).encode())
    assert share(one.heard(), TONES[1]) > 0.9
    assert share(other.heard(), TONES[0]) > 0.9
    told = await one.until(events.Dtmf)
    assert isinstance(told, events.Dtmf)
    assert told.digit == "5"
    one.leg.close()
    other.leg.close()
    await one.until(events.Closed)
    await other.until(events.Closed)
    await engines.stats()
    assert engines.usage[0] == free - 2


async def test_a_room_takes_members_of_two_engines(engines: Media, table: list[Party]) -> None:
    table += [Party(engines, frequency) for frequency in TONES]
    room = engines.room()
    for party in table:
        room.add(party.leg)
        party.leg.hear(room)
    await converse(table)
    for party, own in zip(table, TONES, strict=True):
        heard = party.heard()
        assert share(heard, own) < ABSENT
        assert all(share(heard, f) > PRESENT for f in TONES if f != own)


async def test_a_whisper_reaches_the_agent_and_not_the_customer(
    media: Media, table: list[Party]
) -> None:
    agent, customer, coach = (Party(media, frequency) for frequency in TONES)
    table += [agent, customer, coach]
    agent.leg.hear({customer.leg: 1.0, coach.leg: 0.7})
    customer.leg.hear(agent.leg)
    coach.leg.hear({agent.leg: 1.0, customer.leg: 1.0})
    await converse(table)
    assert share(agent.heard(), TONES[1]) > PRESENT
    assert share(agent.heard(), TONES[2]) > PRESENT
    assert share(customer.heard(), TONES[0]) > 0.9
    assert share(customer.heard(), TONES[2]) < ABSENT


async def test_a_recording_has_each_side_on_its_own_channel(
    media: Media, table: list[Party], tmp_path: Path
) -> None:
    clock, one, other = Party(media), Party(media, 440), Party(media, 1000)
    table += [clock, one, other]
    clock.leg.hear(media.player(Tone("dial"), loop=True))
    one.leg.hear(other.leg)
    other.leg.hear(one.leg)
    path = tmp_path / "call.wav"
    recorder = media.record(str(path), one.leg, other.leg, on_event=clock.on_event)
    await converse(table)
    recorder.stop()
    told = await clock.until(events.Recorded)
    assert isinstance(told, events.Recorded)
    assert told.error is None
    sound, rate = soundfile.read(str(path), dtype="int16")
    left, right = sound[rate // 3 :].T
    assert (share(left, 440), share(right, 1000)) > (0.9, 0.9)
    assert max(share(left, 1000), share(right, 440)) < ABSENT
    relayed = [packet.payload for packet in table[2].packets]
    assert all(len(payload) == 160 for payload in relayed)  # and the relay went on meanwhile


async def test_a_key_is_told_once_and_passed_on_as_tones(media: Media, table: list[Party]) -> None:
    presser = Party(media, dtmf_send_pt=EVENTS, dtmf_receive_pt=EVENTS)
    hearer = Party(media)
    table += [hearer, presser]
    hearer.leg.hear(presser.leg)
    await presser.leg.stats()
    for at in range(10):  # key 5 for 80 ms, its end three times, one of its packets lost
        over, ticks = at >= 7, min(at + 1, 8) * 160
        payload = bytes([5, over << 7 | 10]) + ticks.to_bytes(2, "big")
        if at != 3:
            packet = Rtp(at, 1600, payload, EVENTS, marker=at == 0)
            presser.send(presser.leg, packet.encode())
    told = await presser.until(events.Dtmf)
    assert isinstance(told, events.Dtmf)
    assert (told.digit, told.by) == ("5", "event")
    for _ in range(6):
        await hearer.listen()
    octets = b"".join(packet.payload for packet in hearer.packets)
    tones = decode_ulaw(np.frombuffer(octets, np.uint8))[160:960]
    assert min(share(tones, 770), share(tones, 1336)) > 0.2
    assert sum(isinstance(event, events.Dtmf) for event in presser.events) == 1


async def test_tones_are_told_as_keys_and_passed_on_as_events_by_request(
    media: Media, table: list[Party]
) -> None:
    presser, hearer = Party(media), Party(media, dtmf_send_pt=EVENTS)
    table += [hearer, presser]
    keys = tone(770, level=6000) / 2 + tone(1336, level=6000) / 2
    presser.sound = np.concatenate(
        [np.zeros(1600, np.int16), keys[:1600].astype(np.int16), np.zeros(8000, np.int16)]
    )
    presser.leg.detect(dtmf_inband=True)
    hearer.leg.hear(media.player(Tone("dial"), loop=True))
    await converse(table, 40)
    told = await presser.until(events.Dtmf)
    assert isinstance(told, events.Dtmf)
    assert (told.digit, told.by) == ("5", "inband")
    hearer.leg.send_dtmf(told.digit)
    while hearer.packets[-1].payload_type != EVENTS:
        await hearer.listen()
    assert hearer.packets[-1].payload[0] == 5


async def test_prompts_are_spoken_to_their_end(media: Media, table: list[Party]) -> None:
    table.append(party := Party(media))
    player = media.player(Say("number", "7"), Tone("beep"), on_event=party.on_event)
    party.leg.hear(player)
    told = await party.until(events.Played)
    assert isinstance(told, events.Played)
    assert told.error is None
    assert np.abs(party.heard().astype(int)).max() > 3000


async def test_loss_disorder_and_repetition_are_counted_and_bridged(
    media: Media, table: list[Party]
) -> None:
    talker, hearer = Party(media, 440), Party(media)
    table += [hearer, talker]
    hearer.leg.hear({talker.leg: 0.9})
    rng, lost, repeated = Random(1), 0, 0
    held: Rtp | None = None
    for at in range(100):
        await hearer.listen()
        packet = talker.packet(at)
        assert packet is not None
        chance = rng.random()
        if chance < 0.05 and at > 5:
            lost += 1
            continue
        if chance < 0.10:
            talker.send(talker.leg, packet.encode())
            repeated += 1
        if chance > 0.95 and held is None:
            held = packet
            continue
        talker.send(talker.leg, packet.encode())
        if held is not None:
            talker.send(talker.leg, held.encode())
            held = None
    stats = await talker.leg.stats()
    assert stats.duplicate == repeated > 0
    assert stats.reordered > 0
    assert lost - 1 <= stats.lost <= lost + 1
    assert share(hearer.heard(), 440) > 0.7  # a busy machine adds holes of its own


async def test_rtcp_is_sent_and_the_peers_is_believed(media: Media, table: list[Party]) -> None:
    party = Party(media, 440)
    table.append(party)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        control.bind((HOST, 0))
        control.settimeout(20.0)
        party.leg.connect(Stream(party.address, remote_rtcp=control.getsockname()))
        party.leg.hear(media.player(Tone("dial"), loop=True))
        await converse(table, 50)
        (report, *_) = rtcp.parse(control.recv(2000))
        assert report.sender is not None
        ntp = np.array([report.sender.ntp], np.uint64)
        ours = np.array([report.ssrc])
        zero = np.zeros(1, np.int64)
        lsr = np.array([rtcp.middle(report.sender.ntp)])
        block = rtcp.Blocks(ours, np.array([0.25]), zero + 3, zero + 9, zero + 80, lsr, zero)
        senders = rtcp.Senders(ntp, zero, zero, zero)
        data = rtcp.compose(zero + 7, senders, block, "peer").tobytes()
        control.sendto(data, (HOST, party.leg.rtcp_port))
        await converse(table, 3)
        stats = await party.leg.stats()
    assert (stats.remote_lost, stats.remote_fraction_lost) == (3, 0.25)
    assert stats.remote_jitter == pytest.approx(0.01)
    assert stats.round_trip is not None
