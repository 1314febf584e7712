"""Paging and intercom: loudspeakers of phones, and multicast speakers (P15, P16)."""

from __future__ import annotations

from tests.pbx.test_transfer import talking
from tests.pbx.world import World, in_world
from tests.support.phone import until

FLOOR = """
[paging.floor]
number = "650"
members = ["101", "102", "103", "104"]
"""


@in_world(FLOOR)
async def test_a_page_is_heard_on_all_idle_phones(world: World) -> None:
    """P16: busy ones are not interrupted, and nobody speaks back."""
    anna, boris, clara, dora = await world.phones("101", "102", "103", "104")
    guest, _ = await talking(world, await world.phone("104"), clara)
    page = anna.dial("650")
    opened = await boris.rings()
    await world.pass_time(1)

    assert page.answered and world.hears(opened) == {"101"} and world.hears(page) == set()
    assert not dora.talks and len(clara.talks) == 1
    assert world.hears(guest) == {"103"}
    headers = opened.invite.headers
    assert "answer-after=0" in str(headers.get("Call-Info"))
    assert any("alert-autoanswer" in value for value in headers.all("Alert-Info"))
    page.hang_up()
    await until(lambda: opened.ended)


@in_world(FLOOR.replace("650", "651") + "two_way = true\nmax_time = 10\n")
async def test_a_page_may_be_answered_and_ends_in_time(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    page = anna.dial("651")
    first, second = await boris.rings(), await clara.rings()
    await world.pass_time(1)
    assert world.hears(page) == {"102", "103"}
    assert world.hears(first) == {"101", "103"}
    first.hang_up()
    await world.settle()
    assert world.hears(page) == {"103"}
    await world.pass_time(10)
    assert page.ended and second.ended


@in_world(FLOOR + 'interrupt = true\nallowed = ["101"]\n[extensions.103]\nauto_answer = false\n')
async def test_who_may_page_whom(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    stranger = boris.dial("650")
    await until(lambda: stranger.ended)
    assert stranger.statuses[-1] == 403
    anna.dial("650")
    await boris.rings()
    await world.pass_time(1)
    assert not clara.talks


@in_world(FLOOR)
async def test_a_page_that_nobody_could_hear_is_refused(world: World) -> None:
    anna = await world.phone("101")
    page = anna.dial("650")
    await until(lambda: page.ended)
    assert page.statuses[-1] == 486


@in_world('[paging.hall]\nnumber = "650"\nmulticast = ["239.255.1.1:5004"]\nmax_time = 30\n')
async def test_a_page_reaches_multicast_speakers(world: World) -> None:
    """P15."""
    anna = await world.phone("101")
    page = anna.dial("650")
    await world.pass_time(1)
    speaker = world.studio.leg_to(("239.255.1.1", 5004))
    assert page.answered and speaker is not None
    assert list(world.studio.sources_of(speaker)) == [world.studio.leg_to(page.media)]
    await world.pass_time(30)
    assert page.ended


@in_world()
async def test_an_intercom_opens_one_loudspeaker_both_ways(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("*80102")
    opened = await boris.rings()
    await until(lambda: talk.answered)
    await world.settle()
    assert (world.hears(talk), world.hears(opened)) == ({"102"}, {"101"})
    other = (await world.phone("103")).dial("*80102")
    await until(lambda: other.ended)
    assert other.statuses[-1] == 486
