"""Phones that answer by 302: where the call goes, in whose name, and how often."""

from __future__ import annotations

import pytest

from tests.pbx.world import CITY, MOBILES, World, in_world
from tests.support.phone import Phone, Talk, until

OFFICE = (
    MOBILES
    + """
[extensions.102]
class = "staff"
caller_id = "+74951112233"
[groups.office]
number = "600"
members = ["103", "104"]
[menus.welcome]
number = "500"
prompt = "welcome"
[limits]
forwards = 3
"""
)


async def deflected(boris: Phone, contact: str) -> Talk:
    talk = await boris.rings()
    talk.reject(302, [("Contact", f"<{contact}>")])
    return talk


@in_world(OFFICE)
@pytest.mark.parametrize(
    ("contact", "rings"),
    [("sip:103@office.test", "103"), ("tel:1-03", "103"), ("sip:600@10.0.0.1:5060", "104")],
)
async def test_it_leads_to_an_extension_or_a_group(world: World, contact: str, rings: str) -> None:
    anna, boris = await world.phones("101", "102")
    other = await world.phone(rings)
    talk = anna.dial("102")
    await deflected(boris, contact)
    (await other.rings()).answer()
    await until(lambda: talk.answered)


@in_world(OFFICE)
async def test_it_leads_outside_by_the_rights_of_who_deflects(world: World) -> None:
    """101 may dial nothing outside, 102 may: it pays, and the world is told who sent the call."""
    anna, boris, mobile = *await world.phones("101", "102"), world.outside(CITY)
    talk = anna.dial("102")
    await deflected(boris, "sip:+79161234567@office.test")
    ringing = await mobile.rings()
    assert (ringing.invite.headers.get("Diversion") or "").startswith("<sip:+74951112233@")
    ringing.answer()
    await until(lambda: talk.answered)


@in_world(OFFICE)
async def test_it_leads_to_what_only_serves_calls(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    await deflected(boris, "sip:500@office.test")
    await until(lambda: talk.answered)
    await world.settle()
    assert world.hears(talk) == {"welcome"}


@in_world(OFFICE)
async def test_a_circle_comes_to_an_end(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    for _ in range(3):  # the first, and two that the bound of three hops leaves
        await deflected(boris, "sip:102@office.test")
    await until(lambda: talk.ended)
    assert talk.statuses[-1] == 480


@in_world(OFFICE)
async def test_where_it_leads_nowhere_the_caller_hears_that_nobody_is_there(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    await deflected(boris, "mailto:boris@office.test")
    await until(lambda: talk.ended)
    assert talk.statuses[-1] == 480
