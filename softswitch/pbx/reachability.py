"""Everything beside calls that phones ask of the office: lamps, presence, messages."""

from __future__ import annotations

import asyncio

from softswitch.pbx.gatekeeper import Gatekeeper
from softswitch.pbx.lamps import Lamps, Watchfulness
from softswitch.pbx.messages import Messages
from softswitch.pbx.mwi import offer_summary
from softswitch.pbx.presence import People
from softswitch.pbx.requests import Requests
from softswitch.pbx.roaming import Roaming
from softswitch.pbx.subscriptions import Subscriptions
from softswitch.pbx.switch import Switch


def serve_requests(switch: Switch, gatekeeper: Gatekeeper, requests: Requests) -> None:
    """Answer SUBSCRIBE, PUBLISH and MESSAGE from now on."""
    subscriptions = switch.subscriptions = Subscriptions(switch.board.ua, gatekeeper)
    people = People(switch, gatekeeper)
    subscriptions.offer(Lamps(switch))
    subscriptions.offer(people)
    offer_summary(switch)
    requests.serve("SUBSCRIBE", subscriptions.receive)
    requests.serve("PUBLISH", people.publish)
    requests.serve("MESSAGE", Messages(switch, gatekeeper).receive)


async def follow_handsets(switch: Switch) -> None:
    """Let calls follow phones that register elsewhere, for as long as the switch serves."""
    Roaming(switch)
    await asyncio.get_running_loop().create_future()


async def watch_lamps(switch: Switch) -> None:
    """Tell phones what has changed, for as long as the switch serves."""
    await Watchfulness(switch).look()
