"""Hunt groups: who rings, when, and who does not (P3, D4, D5, D6)."""

from __future__ import annotations

from softswitch.sip.types import Seconds
from tests.pbx.world import World, in_world
from tests.support.phone import Phone, until

GROUP = """
[groups.office]
number = "600"
name = "Office"
members = ["102", "103", "104"]
ring_time = 10
"""


def group(ring: str, more: str = "") -> str:
    return f'{GROUP}ring = "{ring}"\n{more}'


async def ringing(world: World, phones: list[Phone], after: Seconds) -> list[str]:
    """Who rings so many seconds from now."""
    await world.pass_time(after)
    return [phone.number for phone in phones if phone.is_ringing]


@in_world(group("all"))
async def test_all_ring_and_the_others_hear_that_one_has_answered(world: World) -> None:
    """D6: the losers stop within half a second and are told why."""
    caller, *members = await world.phones("101", "102", "103", "104")
    talk = caller.dial("600")
    assert await ringing(world, members, 0.3) == ["102", "103", "104"]
    assert members[0].talks[0].shown == "Office: Phone 101 <101>"

    members[1].talks[0].answer()
    assert await ringing(world, members, 0.3) == []

    assert talk.answered and world.hears(talk) == {"103"}
    for loser in (members[0], members[2]):
        assert loser.talks[0].reasons == ('SIP;cause=200;text="Call completed elsewhere"',)
    assert world.records()[0]["answered_by"] == "103"


@in_world(group("in-turn", 'overflow = "extension:101"\n'))
async def test_members_ring_one_after_another_then_the_overflow(world: World) -> None:
    """D4."""
    front, *members = await world.phones("101", "102", "103", "104")
    caller = await world.phone("103")
    members[1] = caller  # 103 calls: his own phones are not free
    talk = caller.dial("600")

    assert await ringing(world, members, 1) == ["102"]
    assert await ringing(world, members, 10) == ["104"]
    await world.pass_time(10)
    assert front.is_ringing
    front.talks[0].answer()
    await world.settle()
    assert world.hears(talk) == {"101"}


@in_world(group("memory"))
async def test_one_more_rings_with_every_turn(world: World) -> None:
    caller, *members = await world.phones("101", "102", "103", "104")
    caller.dial("600")

    assert await ringing(world, members, 1) == ["102"]
    assert await ringing(world, members, 10) == ["102", "103"]
    assert await ringing(world, members, 10) == ["102", "103", "104"]


@in_world(group("all"))
async def test_who_talks_or_wants_peace_is_not_rung(world: World) -> None:
    """D5."""
    caller, *members = await world.phones("101", "102", "103", "104")
    members[0].answers = True
    other = await world.phone("104")
    other.dial("102")
    world.switch.store.state.set("wishes", "103", {"do_not_disturb": True})
    await world.settle()

    talk = caller.dial("600")
    assert await ringing(world, members, 1) == []
    assert talk.statuses[-1] == 486


@in_world(group("all"))
async def test_one_who_declines_does_not_speak_for_the_others(world: World) -> None:
    caller, *members = await world.phones("101", "102", "103", "104")
    talk = caller.dial("600")
    await world.settle()

    members[0].talks[0].reject(603)
    assert await ringing(world, members, 0.3) == ["103", "104"]
    members[2].talks[0].answer()
    await until(lambda: talk.answered)


@in_world(group("all"))
async def test_a_member_leaves_and_comes_back_by_code(world: World) -> None:
    """`*48`, which lasts over a restart since it lies in the store."""
    caller, *members = await world.phones("101", "102", "103", "104")
    members[0].dial("*48")
    await world.pass_time(2)
    assert world.told() == ["deactivated"]

    talk = caller.dial("600")
    assert await ringing(world, members, 1) == ["103", "104"]
    talk.hang_up()
    members[0].dial("*48")
    await world.pass_time(2)
    assert world.told() == ["deactivated", "activated"]

    caller.dial("600")
    assert await ringing(world, members, 1) == ["102", "103", "104"]


@in_world(GROUP + 'ring = "all"\nmusic = "default"\n')
async def test_a_group_may_play_music_while_it_rings(world: World) -> None:
    caller, member = await world.phones("101", "102")
    talk = caller.dial("600")
    await world.settle()
    assert talk.answered and world.hears(talk) == {"music"}

    member.talks[0].answer()
    await world.settle()
    assert world.hears(talk) == {"102"}


@in_world('[groups.none]\nnumber = "601"\noverflow = "extension:102"\n')
async def test_an_empty_group_goes_to_its_overflow_at_once(world: World) -> None:
    caller, boris = await world.phones("101", "102")
    caller.dial("601")
    await boris.rings(within=1)


@in_world(group("all", "max_time = 25\n"))
async def test_without_overflow_it_rings_until_its_time_is_up(world: World) -> None:
    caller, member = await world.phones("101", "102")
    talk = caller.dial("600")
    await world.pass_time(24)
    assert member.is_ringing
    await world.pass_time(2)
    assert talk.statuses[-1] == 480
