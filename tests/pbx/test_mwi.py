"""The message lamp: phones that subscribe, and phones that are told unasked (P7)."""

from pathlib import Path

from softswitch.calls.party import Party
from softswitch.pbx.mwi import EVENT, light_lamps, summary
from softswitch.pbx.reachability import serve_requests
from softswitch.store.voicemail import VoiceMessage
from tests.pbx.world import World, in_world

BOXES = """
[switch]
data = "/nonexistent/softswitch"
[extensions.102]
voicemail = true
[boxes.102]
members = ["104"]
"""


def put(world: World, number: int) -> VoiceMessage:
    """A message in 102's box, as if it had just been recorded."""
    caller, folder = Party("101"), Path("/nonexistent")
    draft = world.switch.mailroom.begin("102", folder, caller, f"call-{number}")
    world.switch.mailroom.finish(draft, 3.0, 1.0)
    found = world.switch.mailroom.index.get(draft.id)
    assert found is not None
    return found


@in_world(BOXES)
async def test_phones_that_subscribe_see_the_lamp(world: World) -> None:
    """RFC 3842 §3: for themselves and for boxes that they share, for nobody else."""
    serve_requests(world.switch, world.gatekeeper, world.requests)
    sharer, stranger = await world.phones("104", "101")
    own = await sharer.watch("104", EVENT)
    box = await sharer.watch("102", EVENT)
    other = await stranger.watch("102", EVENT)
    await world.settle()
    put(world, 1)
    world.switch.mailroom.heard(put(world, 2))
    await world.settle()

    assert (own.status, box.status, other.status) == (200, 200, 404)
    assert "Voice-Message: 1/1 (0/0)" in own.last
    assert "Message-Account: sip:102@office.test" in box.last
    for watch in (own, box):
        await watch.subscribe(expires=0)


@in_world(BOXES)
async def test_phones_are_told_of_messages_when_they_register_and_when_one_comes(
    world: World,
) -> None:
    """RFC 3842, unsolicited; 104 shares the box."""
    world.spawn(light_lamps(world.switch))
    await world.settle()
    owner, sharer, stranger = await world.phones("102", "104", "101")
    await world.settle()
    put(world, 1)
    await world.settle()

    for phone in (owner, sharer):
        first, second = [r.body.decode() for r in phone.requests if r.method == "NOTIFY"]
        assert "Messages-Waiting: no" in first
        assert "Messages-Waiting: yes" in second
        assert "Voice-Message: 1/0 (0/0)" in second
    assert not stranger.requests
    assert summary(world.switch, "104").startswith(b"Messages-Waiting: yes\r\n")
