"""Another switch of ours: one number plan, names, one id; what happens while the link is down."""

from __future__ import annotations

from tests.pbx.world import CITY, World, in_world
from tests.support.phone import until

LINK = "10.0.9.5"
HEAD = f"""
[trunks.coast]
server = "sip:{LINK}:5060"
[trunks.city]
server = "sip:{CITY}:5060"
[sites.coast]
prefix = "3"
digits = 4
trunk = "coast"
fallback = ["number:+74957770000", "voicemail:101"]
[sites.hill]
prefix = "4"
digits = 4
trunk = "city"
strip = true
[extensions.101]
voicemail = true
class = "staff"
[classes.staff]
dial = "anywhere"
trunks = "city"
"""


@in_world(HEAD)
async def test_n1_n2_a_colleague_at_the_coast_is_dialled_as_one_of_ours(world: World) -> None:
    """Name and number are shown there, and the id of our record goes with the call."""
    coast = world.outside(LINK)
    anna = await world.phone("101")
    talk = anna.dial("3105")
    far = await coast.rings()
    assert far.shown == "Phone 101 <101>" and far.invite.request_uri.user == "3105"
    [row] = world.records()
    assert far.invite.headers.get("X-Call-Chain") == row["id"]
    far.answer()
    await until(lambda: talk.answered)
    await world.settle()
    assert world.hears(talk) == {LINK}


@in_world(HEAD)
async def test_n1_a_call_from_the_coast_reaches_us_and_is_recorded_in_its_chain(
    world: World,
) -> None:
    coast = world.outside(LINK, "3105")
    anna = await world.phone("101")
    talk = coast.dial("101", [("X-Call-Chain", "abc"), ("P-Asserted-Identity", "<sip:x@y>")])
    ringing = await anna.rings()
    assert ringing.shown == "3105 <3105>"
    ringing.answer()
    await until(lambda: talk.answered)
    assert world.records()[0]["details"]["chain"] == "abc"


@in_world(HEAD)
async def test_n2_short_numbers_of_a_site_get_its_prefix_back(world: World) -> None:
    """So that whom it shows can be called back; and a third site is reached through us."""
    hill = world.outside(CITY, "205")
    coast = world.outside(LINK)
    anna = await world.phone("101")
    first = hill.dial("101")
    ringing = await anna.rings()
    assert ringing.shown == "205 <4205>"
    first.hang_up()
    back = anna.dial("4205")
    assert (await hill.rings()).invite.request_uri.user == "205"
    back.hang_up()
    onward = hill.dial("3105")
    far = await coast.rings()
    assert far.shown == "205 <4205>"
    onward.hang_up()
    await until(lambda: far.ended)


@in_world(HEAD)
async def test_n1_nobody_dials_the_world_through_a_link(world: World) -> None:
    coast, city = world.outside(LINK, "3105"), world.outside(CITY)
    for number in ("89161112233", "3199", "112"):
        talk = coast.dial(number)
        await until(lambda: talk.ended)  # noqa: B023 - awaited at once
        assert talk.statuses[-1] == 404
    assert not city.talks


@in_world(HEAD)
async def test_n6_while_the_link_is_down_local_calls_go_on(world: World) -> None:
    """Numbers of the coast take their fallback, once the silence is noticed at once."""
    world.outside(LINK).station.silence()
    city = world.outside(CITY)
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("3105")
    far = await city.rings(within=20)
    assert far.invite.request_uri.user == "+74957770000"
    far.answer()
    await until(lambda: talk.answered)
    local = boris.dial("101")
    (await anna.rings()).answer()
    await until(lambda: local.answered)
    [event] = world.events("site-down")
    assert event["details"]["status"] in (408, 503)
