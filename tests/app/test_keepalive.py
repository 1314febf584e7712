"""Phones behind NAT are pinged, the others are left in peace."""

import asyncio

from softswitch.app.keepalive import PING, Keepalive
from softswitch.sip.binding import Binding
from softswitch.sip.registrar import Registrar
from softswitch.sip.types import Destination, Flow
from tests.support.loop import live, pass_time

HERE = ("10.0.0.1", 5060)


def binding(number: int, uri: str, remote: str, transport: str = "udp") -> Binding:
    flow = Flow(transport, HERE, (remote, 40000))
    return Binding(str(number), "k", uri, flow, 1e9, f"c{number}", 1)


def test_only_those_behind_nat_and_over_udp_are_pinged_once_an_interval() -> None:
    live(_pings())


async def _pings() -> None:
    registrar = Registrar()
    registrar.restore(
        [
            binding(1, "sip:1@192.168.1.5:5060", "198.51.100.7"),
            binding(2, "sip:2@198.51.100.8:40000", "198.51.100.8"),
            binding(3, "sip:3@192.168.1.5:5060;transport=tcp", "198.51.100.9", "tcp"),
        ]
    )
    sent: list[tuple[bytes, Destination]] = []

    def send(data: bytes, destination: Destination) -> bool:
        sent.append((data, destination))
        return True

    task = asyncio.get_running_loop().create_task(Keepalive(registrar, send, lambda: 30.0).run())
    await pass_time(65.0)
    task.cancel()

    assert sent == [(PING, Flow("udp", HERE, ("198.51.100.7", 40000)))] * 3
