"""A real engine process, real packets on the loopback, over either backend."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from media import events
from media.backends import choice, uring
from media.backends.sockets import Sockets
from media.client import Media, MediaLeg, NoPorts
from media.handles import ENGINE_DIED
from media.items import Silence
from media.settings import BackendName, MediaSettings
from media.stream import SrtpKey, Stream
from tests.interop.ports import media_range
from tests.media.virtual import Rtp

pytestmark = pytest.mark.anyio

HOST = "127.0.0.1"
SOUND = bytes(range(160))
PATIENCE = 20.0


@pytest.fixture(params=["io_uring", "epoll"])
def backend(request: pytest.FixtureRequest) -> BackendName:
    name: BackendName = request.param
    if name == "io_uring":
        try:
            uring.probe()
        except OSError as error:
            pytest.skip(f"this kernel or sandbox forbids io_uring: {error}")
    return name


@pytest.fixture
async def media(backend: BackendName) -> AsyncIterator[Media]:
    made = Media(settings(backend))
    await made.start()
    yield made
    await made.stop()


def settings(backend: BackendName, pairs: int = 20, workers: int = 1) -> MediaSettings:
    """A range of ports that nobody holds."""
    ports = media_range(2 * pairs)
    return MediaSettings(HOST, ports=ports, backend=backend, workers=workers)


class Phone:
    """A socket that speaks RTP to a leg, and the leg's events."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []
        self.changed = asyncio.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.setblocking(False)
        self.address: tuple[str, int] = self._socket.getsockname()

    def on_event(self, event: events.Event) -> None:
        self.events.append(event)
        self.changed.set()

    async def until(self, kind: type[events.Event]) -> events.Event:
        """The first event of a kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.events:
                    if isinstance(event, kind):
                        return event
                self.changed.clear()
                await self.changed.wait()

    def send(self, leg: MediaLeg, data: bytes) -> None:
        self._socket.sendto(data, (HOST, leg.port))

    async def receive(self) -> bytes:
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.sock_recv(self._socket, 2000), PATIENCE)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def phones() -> Iterator[tuple[Phone, Phone]]:
    pair = Phone(), Phone()
    yield pair
    for phone in pair:
        phone.close()


def call(media: Media, phones: tuple[Phone, Phone]) -> tuple[MediaLeg, MediaLeg]:
    one = media.open(phones[0].on_event)
    other = media.open(phones[1].on_event, beside=one)
    for leg, phone in zip((one, other), phones, strict=True):
        leg.connect(Stream(phone.address))
    one.hear(other)
    other.hear(one)
    return one, other


async def test_packets_are_relayed_both_ways(media: Media, phones: tuple[Phone, Phone]) -> None:
    legs = call(media, phones)
    await legs[1].stats()
    for sequence in range(20):
        for phone, leg, other in zip(phones, legs, reversed(phones), strict=True):
            phone.send(leg, Rtp(sequence, 160 * sequence, SOUND).encode())
            heard = Rtp.decode(await other.receive())
            assert heard.payload == SOUND
            assert heard.marker == (sequence == 0)
    assert (await legs[0].stats()).packets_received == 20


async def test_the_backend_that_was_asked_for_runs(media: Media, backend: BackendName) -> None:
    assert media.backend == backend


async def test_opening_is_synchronous_and_ports_come_in_pairs(media: Media) -> None:
    legs = [media.open(lambda event: None) for _ in range(20)]
    assert all(leg.port % 2 == 0 and leg.rtcp_port == leg.port + 1 for leg in legs)
    assert len({leg.port for leg in legs}) == 20
    with pytest.raises(NoPorts):
        media.open(lambda event: None)


async def test_a_closed_leg_gives_its_ports_back(media: Media) -> None:
    phone = Phone()
    for _ in range(25):
        phone.events.clear()
        media.open(phone.on_event).close()
        await phone.until(events.Closed)
    phone.close()


async def test_a_burst_beyond_a_batch_is_relayed_whole(
    media: Media, phones: tuple[Phone, Phone]
) -> None:
    one, _ = call(media, phones)
    await one.stats()
    for sequence in range(200):
        phones[0].send(one, Rtp(sequence, 160 * sequence, SOUND).encode())
    first = Rtp.decode(await phones[1].receive())
    numbers = [Rtp.decode(await phones[1].receive()).sequence for _ in range(199)]
    assert [(number - first.sequence) % 0x10000 for number in numbers] == list(range(1, 200))


async def test_an_oversized_or_empty_datagram_harms_nobody(
    media: Media, phones: tuple[Phone, Phone]
) -> None:
    one, _ = call(media, phones)
    await one.stats()
    phones[0].send(one, bytes(4000))
    phones[0].send(one, b"")
    phones[0].send(one, Rtp(1, 0, SOUND).encode())
    assert Rtp.decode(await phones[1].receive()).payload == SOUND


async def test_an_unreachable_peer_harms_no_other_leg(
    media: Media, phones: tuple[Phone, Phone]
) -> None:
    one, other = call(media, phones)
    gone = Phone()
    lost = media.open(gone.on_event)
    lost.connect(Stream(gone.address))
    lost.hear(one)
    await lost.stats()
    gone.close()
    for sequence in range(10):
        phones[0].send(one, Rtp(sequence, 160 * sequence, SOUND).encode())
    for _ in range(10):
        await phones[1].receive()
    other.close()
    await phones[1].until(events.Closed)


async def test_srtp_never_takes_or_sends_plain_packets(
    media: Media, phones: tuple[Phone, Phone]
) -> None:
    from media.srtp import Protection

    keys = [SrtpKey("AEAD_AES_128_GCM", bytes([n]) * 28) for n in (1, 2)]
    one, other = call(media, phones)
    one.connect(Stream(phones[0].address, srtp_send=keys[0], srtp_receive=keys[1]))
    await one.stats()
    peer = Protection(send=keys[1], receive=keys[0])
    phones[0].send(one, Rtp(1, 0, bytes(160)).encode())  # plain: refused
    secret = peer.protect(Rtp(2, 160, SOUND).encode())
    phones[0].send(one, secret)
    phones[0].send(one, secret)  # replayed: refused
    phones[0].send(one, peer.protect(Rtp(3, 320, SOUND).encode()))
    for _ in range(2):
        assert Rtp.decode(await phones[1].receive()).payload == SOUND
    stats = await one.stats()
    assert (stats.packets_received, stats.unauthentic) == (2, 2)
    phones[1].send(other, Rtp(1, 0, SOUND).encode())
    data = await phones[0].receive()
    assert SOUND not in data
    plain = peer.unprotect(data)
    assert plain is not None
    assert Rtp.decode(plain).payload == SOUND


async def test_a_tied_socket_relays_and_is_free_for_the_next_leg(
    backend: BackendName, phones: tuple[Phone, Phone]
) -> None:
    media = Media(replace(settings(backend, pairs=2), connect=True))
    await media.start()
    for _ in range(2):
        legs = call(media, phones)
        await legs[1].stats()
        phones[0].send(legs[0], Rtp(1, 160, SOUND).encode())
        assert Rtp.decode(await phones[1].receive()).payload == SOUND
        for leg, phone in zip(legs, phones, strict=True):
            phone.events.clear()
            leg.close()
            await phone.until(events.Closed)
    await media.stop()


async def test_the_engine_tells_how_it_fares(media: Media) -> None:
    media.open(lambda event: None)
    (stats,) = await media.stats()
    assert stats.legs == 1
    assert stats.cpu > 0


async def test_a_killed_engine_is_told_and_replaced(backend: BackendName, tmp_path: Path) -> None:
    """Its legs, players and recordings are told; questions are answered; new legs open soon."""
    seen: list[events.Event] = []
    born: asyncio.Queue[events.Ready] = asyncio.Queue()

    def hear(event: events.Event) -> None:
        seen.append(event)
        if isinstance(event, events.Ready):
            born.put_nowait(event)

    media = Media(settings(backend), hear)
    await media.start()
    await born.get()
    phone = Phone()
    told: list[Any] = []
    leg, room = media.open(phone.on_event), media.room()
    player = media.player(Silence(60_000), on_event=told.append)
    leg.hear(player)
    room.add(leg)
    media.record(str(tmp_path / "call.wav"), leg, on_event=told.append)
    before = media.pids
    os.kill(before[0], signal.SIGKILL)
    await phone.until(events.Closed)
    assert [type(event) for event in seen] == [events.Ready, events.EngineDied]
    assert [(type(event), event.error) for event in told] == [
        (events.Played, ENGINE_DIED),
        (events.Recorded, ENGINE_DIED),
    ]
    assert await leg.stats() == events.LegStats()
    assert await media.stats() == []
    await asyncio.wait_for(born.get(), PATIENCE)
    leg = media.open(phone.on_event)
    assert media.pids != before
    room.add(leg)
    leg.connect(Stream(phone.address))
    leg.hear(room, leg)
    assert (await leg.stats()).packets_received == 0
    await media.stop()
    phone.close()


async def test_a_player_that_nobody_waits_for_leaves_nothing_behind(media: Media) -> None:
    leg = media.open(lambda event: None)
    known = len(media._things)
    for _ in range(5):
        player = media.player(Silence(60_000), on_event=lambda event: None)
        leg.hear(player)
        player.close()
    await leg.stats()
    assert len(media._things) == known
    assert not leg.worker._promised


async def test_stopping_leaves_no_process_and_no_descriptor(backend: BackendName) -> None:
    own = psutil.Process()
    media = Media(settings(backend))
    before = own.num_fds()
    await media.start()
    engine = psutil.Process(media.pids[0])
    await media.stop()
    assert not engine.is_running()
    assert own.num_fds() == before


async def test_an_engine_ends_with_its_switch(backend: BackendName) -> None:
    """SIGKILL of the switch closes the socketpair; nothing else tells the engine."""
    from media.worker import Worker

    worker = Worker(0, settings(backend), lambda event: None)
    await worker.start()
    engine = psutil.Process(worker.pid)
    assert worker._transport is not None
    worker._stopping = True
    worker._transport.abort()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, engine.wait, PATIENCE)
    await worker.stop()


async def test_legs_are_spread_but_a_call_stays_together(backend: BackendName) -> None:
    media = Media(settings(backend, workers=2))
    await media.start()
    first, second = media.open(lambda e: None), media.open(lambda e: None)
    assert first.worker is not second.worker
    beside = media.open(lambda e: None, beside=first)
    assert beside.worker is first.worker
    await media.stop()


def test_where_io_uring_is_forbidden_epoll_runs_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden() -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(uring, "probe", forbidden)
    left, right = socket.socketpair()
    with left, right, Sockets.loopback() as sockets:
        chosen, note = choice.choose(MediaSettings(), sockets, left.fileno())
        assert chosen.name == "epoll"
        assert note == (
            "io_uring is not to be had here (Operation not permitted): epoll runs instead"
        )
        chosen.close()
        with pytest.raises(PermissionError):  # asked for by name it is not replaced in silence
            choice.choose(MediaSettings(backend="io_uring"), sockets, left.fileno())
