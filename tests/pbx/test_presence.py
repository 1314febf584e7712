"""Busy lamps, presence and what phones publish (RFC 4235, RFC 3856, RFC 3903, RFC 6665)."""

from __future__ import annotations

import re

from tests.pbx.test_transfer import talking
from tests.pbx.world import World, in_world
from tests.support.phone import Phone, until

PLACES = """
[groups.office]
number = "600"
members = ["102"]
[modes.lunch]
hours = "Mon-Fri 13:00-14:00"
code = "*91"
[modes.day]
hours = "Mon-Sun 00:00-24:00"
code = "*92"
"""
PIDF = """<?xml version="1.0"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"
  entity="sip:102@office.test"><tuple id="x"><status><basic>open</basic></status>
  <note>Back at three</note></tuple><r:activities><r:away/></r:activities></presence>"""


def states(document: str) -> list[str]:
    return re.findall("<state>(.*?)</state>", document)


def version(document: str) -> int:
    [number] = re.findall('version="(\\d+)" state', document)
    return int(number)


@in_world()
async def test_a_lamp_follows_a_colleague_s_calls(world: World) -> None:
    """Every change is told, with versions that count up."""
    anna, boris, clara = await world.phones("101", "102", "103")
    lamp = await clara.watch("102")
    await world.settle()
    assert states(lamp.last) == ["terminated"] and lamp.state.startswith("active;expires=")

    talk = anna.dial("102")
    ringing = await boris.rings()
    await world.settle()
    assert states(lamp.last) == ["early"]
    assert 'direction="recipient"' in lamp.last and "sip:101@office.test" in lamp.last
    ringing.answer()
    await world.settle()
    assert states(lamp.last) == ["confirmed"]
    talk.hang_up()
    await world.settle()
    assert states(lamp.last) == ["terminated"]
    assert [version(note.body.decode()) for note in lamp.notes] == list(range(len(lamp.notes)))


@in_world()
async def test_a_lamp_s_key_picks_the_call_up(world: World) -> None:
    """The document names the dialog that an INVITE with Replaces may take (RFC 4235 §4.1.2)."""
    anna, boris, clara = await world.phones("101", "102", "103")
    lamp = await clara.watch("102")
    talk = anna.dial("102")
    await boris.rings()
    await world.settle()
    dialog = dict(re.findall('(call-id|local-tag|remote-tag)="(.*?)"', lamp.last))
    replaces = f"{dialog['call-id']};to-tag={dialog['local-tag']};from-tag={dialog['remote-tag']}"
    mine = clara.dial("102", headers=[("Replaces", f"{replaces};early-only")])
    await until(lambda: talk.answered and mine.answered)
    assert not boris.is_ringing


@in_world(PLACES)
async def test_lamps_of_slots_groups_and_modes(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    slot, group = await clara.watch("71"), await clara.watch("600")
    day, lunch = await clara.watch("*92"), await clara.watch("*91")
    await world.settle()
    assert [states(lamp.last) for lamp in (slot, group)] == [["terminated"]] * 2
    assert sorted(states(day.last) + states(lunch.last)) == ["confirmed", "terminated"]

    talk, mine = await talking(world, anna, boris)
    mine.refer("*68")
    await until(lambda: mine.ended)
    await world.settle()
    assert states(slot.last) == ["confirmed"]
    talk.hang_up()
    anna.dial("600")
    await world.pass_time(1)
    assert states(slot.last) == ["terminated"] and states(group.last) == ["confirmed"]


@in_world()
async def test_who_may_subscribe_to_what(world: World) -> None:
    anna = await world.phone("101")
    assert (await anna.watch("999")).status == 404
    assert (await anna.watch("102", "weather")).status == 489
    assert (await anna.watch("102", "dialog", "text/plain")).status == 406
    stranger = world.bare_phone("109")
    assert (await stranger.watch("102")).status == 401


@in_world()
async def test_a_subscription_is_refreshed_ends_and_lapses(world: World) -> None:
    anna = await world.phone("101")
    lamp = await anna.watch("102")
    await world.settle()
    assert (await lamp.subscribe(expires=10)).status == 423
    await world.pass_time(400)
    await lamp.subscribe()
    await world.pass_time(400)
    assert lamp.state.startswith("active") and len(lamp.notes) == 2
    await lamp.subscribe(expires=0)
    await world.settle()
    assert lamp.state == "terminated;reason=timeout"
    assert len(world.switch.subscriptions) == 0

    other = await anna.watch("102")
    await world.pass_time(601)
    assert other.state == "terminated;reason=timeout"
    assert len(world.switch.subscriptions) == 0


@in_world()
async def test_a_watcher_whose_power_fails_is_forgotten(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    await clara.watch("102")
    clara.station.silence()
    talk = anna.dial("102")
    await boris.rings()
    talk.hang_up()
    await world.pass_time(40)
    assert len(world.switch.subscriptions) == 0


@in_world()
async def test_presence_tells_who_is_there_and_what_he_does(world: World) -> None:
    anna = await world.phone("101")
    view = await anna.watch("102", "presence")
    await world.settle()
    assert "<basic>closed</basic>" in view.last
    boris = await world.phone("102")
    await world.settle()
    assert "<basic>open</basic>" in view.last
    talk = boris.dial("*43")
    await world.settle()
    assert "on-the-phone" in view.last
    talk.hang_up()
    await world.settle()
    boris.dial("*78")
    await world.pass_time(3)
    assert "Do not disturb" in view.last


async def publish(phone: Phone, to: str, body: str, *headers: tuple[str, str]) -> tuple[int, str]:
    fields = [("Event", "presence"), ("Content-Type", "application/pidf+xml"), *headers]
    answer = await phone.send("PUBLISH", phone.uri(to), to, fields, body.encode())
    return answer.status, answer.headers.get("SIP-ETag") or ""


@in_world()
async def test_what_a_phone_publishes_is_shown(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    view = await anna.watch("102", "presence")
    status, tag = await publish(boris, "102", PIDF)
    await world.settle()
    assert status == 200 and "Back at three" in view.last and "r:away" in view.last

    assert (await publish(anna, "102", PIDF))[0] == 403
    assert (await publish(boris, "102", "", ("SIP-If-Match", "nonsense")))[0] == 412
    assert (await publish(boris, "102", "<!DOCTYPE a><a/>"))[0] == 400
    status, tag = await publish(boris, "102", "", ("SIP-If-Match", tag))
    assert status == 200
    status, _ = await publish(boris, "102", "", ("SIP-If-Match", tag), ("Expires", "0"))
    await world.settle()
    assert status == 200 and "Back at three" not in view.last


# -- messages ----------------------------------------------------------------------------


def texts(phone: Phone) -> list[str]:
    return [each.body.decode() for each in phone.requests if each.method == "MESSAGE"]


@in_world()
async def test_a_message_reaches_every_phone_of_the_recipient(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    handset = await world.phone("102")
    assert (await anna.message("102", "Tea?")).status == 200
    assert texts(boris) == texts(handset) == ["Tea?"]
    assert boris.requests[-1].from_.display == "Phone 101"
    assert (await anna.message("999", "Tea?")).status == 404
    assert (await anna.message("102", "a" * 20_000)).status == 513


@in_world()
async def test_messages_wait_for_who_is_not_there_and_come_in_order(world: World) -> None:
    """RFC 3428 §7: 202 is a promise."""
    anna = await world.phone("101")
    for text in ("one", "two", "three"):
        assert (await anna.message("102", text)).status == 202
    boris = await world.phone("102")
    await world.settle()
    assert texts(boris) == ["one", "two", "three"]
    assert not world.store.memory.table("messages")
    await boris.register()
    await world.settle()
    assert len(texts(boris)) == 3


@in_world()
async def test_a_message_that_a_dead_phone_does_not_take_waits(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    boris.station.silence()
    assert (await anna.message("102", "Are you there?")).status == 202
    again = await world.phone("102")
    await world.pass_time(40)
    assert "Are you there?" in texts(again)
