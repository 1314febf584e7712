"""Transfers by REFER and by keys, and what becomes of them (P10, P11)."""

from __future__ import annotations

import pytest

from tests.pbx.world import World, in_world
from tests.support.phone import Phone, Talk, until

GROUPS = """
[groups.office]
number = "600"
members = ["104"]
[menus.welcome]
number = "500"
prompt = "welcome"
keys = { 1 = "extension:104" }
"""


async def talking(world: World, caller: Phone, called: Phone) -> tuple[Talk, Talk]:
    """The two are in a call."""
    talk = caller.dial(called.number)
    other = (await called.rings()).answer()
    await until(lambda: talk.answered)
    await world.settle()
    return talk, other


# -- by REFER ----------------------------------------------------------------------------


@pytest.mark.parametrize("transferrer_called", [True, False])
@in_world()
async def test_a_blind_transfer_reports_ringing_and_answer(
    world: World, transferrer_called: bool
) -> None:
    """RFC 3515 §2.4.4, RFC 3420: the one who transfers hears 100, 180, 200 and is let go."""
    anna, boris, clara = await world.phones("101", "102", "103")
    if transferrer_called:
        mine, other = await talking(world, anna, boris)
    else:
        other, mine = await talking(world, boris, anna)

    mine.refer("103")
    third = await clara.rings()
    await world.settle()
    assert third.shown == "Phone 102 <102>"
    assert third.invite.headers.get("Referred-By") == "<sip:101@office.test>"
    assert world.hears(other) == {"tone:ringback"}
    assert mine.referred == [202]
    assert mine.sipfrags == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing"]
    third.answer()
    await until(lambda: mine.ended)

    assert mine.sipfrags[-1] == "SIP/2.0 200 OK"
    assert [note.headers.get("Event") for note in mine.requests] == ["refer"] * 3
    assert (world.hears(other), world.hears(third)) == ({"103"}, {"102"})
    [event] = world.events("transferred")
    assert event["details"]["to"] == "103"


@in_world()
async def test_a_transfer_that_fails_gives_the_call_back(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    clara.busy = True
    mine, other = await talking(world, anna, boris)

    mine.hold()
    mine.refer("103")
    await world.settle()
    assert mine.sipfrags[-1] == "SIP/2.0 486 Busy Here"
    assert world.hears(other) == {"music"}
    mine.resume()
    await world.settle()
    assert world.hears(other) == {"101"}
    mine.refer("104")
    await world.settle()
    assert mine.sipfrags[-1] == "SIP/2.0 480 Temporarily Unavailable"
    assert "refer;id=" in str(mine.requests[-1].headers.get("Event"))
    assert not mine.ended and world.hears(mine) == {"102"}


@in_world("[transfer]\nrecall = 20\n")
async def test_an_unanswered_transfer_comes_back_to_who_has_hung_up(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    mine, other = await talking(world, anna, boris)
    mine.refer("103")
    ringing = await clara.rings()
    mine.hang_up()

    await world.pass_time(19)
    assert clara.is_ringing
    recalled = await anna.rings(within=2)
    assert ringing.ended
    assert recalled.shown == "Phone 101 < Phone 102 <102>"
    recalled.answer()
    await world.settle()
    assert world.hears(other) == {"101"}


@in_world()
async def test_without_subscription_nothing_is_reported(world: World) -> None:
    """RFC 4488: norefersub."""
    anna, boris, clara = await world.phones("101", "102", "103")
    mine, other = await talking(world, anna, boris)

    mine.refer("103", headers=[("Refer-Sub", "false"), ("Supported", "norefersub")])
    (await clara.rings()).answer()
    await until(lambda: mine.ended)

    assert mine.sipfrags == []
    await world.settle()
    assert world.hears(other) == {"103"}


@in_world()
async def test_an_attended_transfer_joins_the_two_others(world: World) -> None:
    """RFC 5589 §7: REFER with Replaces."""
    anna, boris, clara = await world.phones("101", "102", "103")
    first, other = await talking(world, boris, anna)
    mine, guest = other, first
    mine.hold()
    second, third = await talking(world, anna, clara)

    mine.refer("103", replaces=second)
    await until(lambda: mine.ended and second.ended)

    assert mine.sipfrags[-1] == "SIP/2.0 200 OK"
    assert (world.hears(guest), world.hears(third)) == ({"103"}, {"102"})
    guest.hang_up()
    await until(lambda: third.ended)


@in_world()
async def test_an_attended_transfer_before_the_answer_is_a_blind_one(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    mine, guest = await talking(world, anna, boris)
    second = anna.dial("103")
    await clara.rings()

    await until(lambda: second.session.dialog is not None)
    mine.refer("103", replaces=second)
    ringing = await clara.rings()
    assert ringing.shown == "Phone 102 <102>"
    ringing.answer()
    await world.settle()
    assert world.hears(guest) == {"103"} and mine.ended and second.ended


@in_world()
async def test_an_attended_transfer_and_the_answer_cross(world: World) -> None:
    """The two are about to be joined: whom they talk with then is who was meant."""
    anna, boris, clara = await world.phones("101", "102", "103")
    mine, guest = await talking(world, anna, boris)
    second = anna.dial("103")
    answered = await clara.rings()
    await until(lambda: second.session.dialog is not None)
    answered.answer()
    mine.refer("103", replaces=second)
    await until(lambda: world.hears(guest) == {"103"})
    assert world.hears(answered) == {"102"}
    await until(lambda: mine.ended and second.ended)


@in_world()
async def test_a_dialog_that_is_unknown_or_anothers_is_not_replaced(world: World) -> None:
    anna, boris, clara, dora = await world.phones("101", "102", "103", "104")
    mine, _ = await talking(world, anna, boris)
    foreign, _ = await talking(world, clara, dora)

    mine.refer("104", replaces=foreign)
    await world.settle()
    assert mine.sipfrags[-1] == "SIP/2.0 403 Forbidden"
    foreign.hang_up()
    await world.settle()
    mine.refer("104", replaces=foreign)
    await world.settle()
    assert mine.sipfrags[-1] == "SIP/2.0 481 Call/Transaction Does Not Exist"
    assert world.hears(mine) == {"102"}


@in_world()
async def test_a_party_is_not_sent_to_itself(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    mine, _ = await talking(world, anna, boris)
    mine.refer("102")
    await world.settle()
    assert mine.sipfrags[-1] == "SIP/2.0 482 Loop Detected"


@in_world()
async def test_a_referral_that_makes_no_sense_is_refused(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    mine, _ = await talking(world, anna, boris)
    mine.session.send("REFER", [], on_response=mine._on_refer)
    mine.refer("102>;method=BYE")
    await world.settle()
    assert mine.referred[0] == 400


@in_world(GROUPS)
async def test_a_call_is_transferred_to_a_group_and_to_a_menu(world: World) -> None:
    anna, boris, dora = await world.phones("101", "102", "104")
    mine, other = await talking(world, anna, boris)
    mine.refer("500")
    await until(lambda: mine.ended)
    assert mine.sipfrags[-1] == "SIP/2.0 200 OK"
    await world.settle()
    assert world.hears(other) == {"welcome"}
    other.press("1")
    (await dora.rings()).answer()
    await world.settle()
    assert world.hears(other) == {"104"}

    dora.talks[0].refer("600")
    await world.settle()
    assert dora.talks[0].sipfrags[-1] == "SIP/2.0 486 Busy Here"


@in_world()
async def test_a_transferred_party_may_be_transferred_again(world: World) -> None:
    anna, boris, clara, dora = await world.phones("101", "102", "103", "104")
    mine, guest = await talking(world, anna, boris)
    mine.refer("103")
    third = (await clara.rings()).answer()
    await until(lambda: mine.ended)
    third.refer("104")
    fourth = (await dora.rings()).answer()
    await until(lambda: third.ended)
    assert world.hears(guest) == {"104"}
    guest.refer("101")
    (await anna.rings()).answer()
    await until(lambda: guest.ended)
    assert world.hears(fourth) == {"101"}


# -- a call in place of another ----------------------------------------------------------


@in_world()
async def test_a_phone_goes_on_with_a_call_of_its_extension(world: World) -> None:
    """RFC 3891: INVITE with Replaces."""
    anna, boris = await world.phones("101", "102")
    handset = await world.phone("102")
    mine = anna.dial("102")
    await handset.rings()
    desk = (await boris.rings()).answer()
    await until(lambda: mine.answered)

    moved = handset.dial("102", headers=[("Replaces", desk.identity)])
    await until(lambda: moved.answered and desk.ended)
    await world.settle()
    assert (world.hears(mine), world.hears(moved)) == ({"102"}, {"102"} - {"102"} | {"101"})
    stranger = await world.phone("103")
    refused = stranger.dial("102", headers=[("Replaces", moved.identity)])
    await until(lambda: refused.ended)
    assert refused.statuses[-1] == 403


@in_world()
async def test_a_ringing_call_is_taken_by_replacing_it(world: World) -> None:
    """As a lamp key does; the other phone hears that it was answered elsewhere."""
    anna, boris, clara = await world.phones("101", "102", "103")
    mine = anna.dial("102")
    ringing = await boris.rings()
    await until(lambda: ringing.session.dialog is not None)

    taken = clara.dial("102", headers=[("Replaces", f"{ringing.identity};early-only")])
    await until(lambda: mine.answered and taken.answered)
    await world.settle()
    assert ringing.reasons == ('SIP;cause=200;text="Call completed elsewhere"',)
    assert (world.hears(mine), world.hears(taken)) == ({"103"}, {"101"})
    late = boris.dial("102", headers=[("Replaces", f"{taken.identity};early-only")])
    await until(lambda: late.ended)
    assert late.statuses[-1] == 486


# -- by keys -----------------------------------------------------------------------------


@in_world()
async def test_hash_asks_for_a_number_and_transfers(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    mine, other = await talking(world, anna, boris)
    other.press("#")
    await world.settle()
    assert (world.hears(mine), world.hears(other)) == ({"music"}, {"transfer-enter-number"})
    other.press("103#")
    third = await clara.rings()
    await world.settle()
    assert world.hears(mine) == world.hears(other) == {"tone:ringback"}
    third.answer()
    await until(lambda: other.ended)
    assert (world.hears(mine), world.hears(third)) == ({"103"}, {"101"})


@in_world()
async def test_a_transfer_by_keys_that_fails_brings_the_two_together(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    mine, other = await talking(world, anna, boris)
    mine.press("#104#")
    await world.pass_time(4)
    assert "transfer-failed" in world.told()
    assert (world.hears(mine), world.hears(other)) == ({"102"}, {"101"})
    mine.press("#")
    await world.pass_time(7)
    assert world.hears(mine) == {"102"}


@in_world()
async def test_who_hangs_up_while_dialling_ends_the_call(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    mine, other = await talking(world, anna, boris)
    other.press("#10")
    await world.settle()
    other.hang_up()
    await until(lambda: mine.ended)


async def consulting(world: World) -> tuple[Talk, Talk, Talk]:
    """101 and 102 talked; 102 asks 103 before he decides."""
    anna, boris, clara = await world.phones("101", "102", "103")
    guest, mine = await talking(world, anna, boris)
    mine.press("*2103#")
    third = await clara.rings()
    await world.settle()
    assert (world.hears(guest), world.hears(mine)) == ({"music"}, {"tone:ringback"})
    third.answer()
    await world.settle()
    assert (world.hears(guest), world.hears(mine), world.hears(third)) == (
        {"music"},
        {"103"},
        {"102"},
    )
    return guest, mine, third


@in_world()
async def test_a_consultation_swaps_and_goes_back(world: World) -> None:
    """P10."""
    guest, mine, third = await consulting(world)
    mine.press("*2")
    await world.settle()
    assert (world.hears(guest), world.hears(third)) == ({"102"}, {"music"})
    mine.press("*2")
    await world.settle()
    assert (world.hears(guest), world.hears(third)) == ({"music"}, {"102"})
    mine.press("#")
    await until(lambda: third.ended)
    await world.settle()
    assert (world.hears(guest), world.hears(mine)) == ({"102"}, {"101"})
    guest.hang_up()
    await until(lambda: mine.ended)


@in_world()
async def test_hanging_up_after_a_consultation_transfers(world: World) -> None:
    guest, mine, third = await consulting(world)
    mine.hang_up()
    await world.settle()
    assert (world.hears(guest), world.hears(third)) == ({"103"}, {"101"})
    third.hang_up()
    await until(lambda: guest.ended)
    assert len(world.events("transferred")) == 1


@in_world()
async def test_three_talk_together(world: World) -> None:
    guest, mine, third = await consulting(world)
    mine.press("*3")
    await world.settle()
    assert world.hears(guest) == {"102", "103"}
    assert world.hears(mine) == {"101", "103"}
    assert world.hears(third) == {"101", "102"}
    guest.hang_up()
    await world.settle()
    assert (world.hears(mine), world.hears(third)) == ({"103"}, {"102"})


@in_world()
async def test_the_waiting_party_may_hang_up_and_two_go_on(world: World) -> None:
    guest, mine, third = await consulting(world)
    guest.hang_up()
    await world.settle()
    assert world.hears(mine) == {"103"}
    mine.hang_up()
    await until(lambda: third.ended)


@in_world()
async def test_who_does_not_wait_for_the_answer_transfers_blindly(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    guest, mine = await talking(world, anna, boris)
    mine.press("*2103#")
    await clara.rings()
    mine.hang_up()
    await world.settle()
    (await clara.rings()).answer()
    await world.settle()
    assert world.hears(guest) == {"103"}


@in_world()
async def test_a_consultation_may_be_given_up_while_it_rings(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    guest, mine = await talking(world, anna, boris)
    mine.press("*2103#")
    ringing = await clara.rings()
    mine.press("#")
    await until(lambda: ringing.ended)
    await world.settle()
    assert (world.hears(guest), world.hears(mine)) == ({"102"}, {"101"})
