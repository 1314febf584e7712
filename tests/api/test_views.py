"""What the API shows of a real switch, and what its commands do there."""

import pytest

from softswitch.api import models
from softswitch.api.view import RefusedError, UnknownError
from softswitch.api.views.calls import Calls
from softswitch.api.views.conferences import Conferences
from softswitch.api.views.desk import Desk
from softswitch.api.views.modes import Modes
from softswitch.api.views.park import Park
from softswitch.api.views.voicemail import Voicemail
from softswitch.store.voicemail import VoiceMessage
from tests.pbx.world import World, in_world
from tests.support.phone import until


@in_world()
async def test_a_call_is_shown_as_it_goes_on(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    calls = Calls(world.switch)
    talk = anna.dial("102")
    other = await boris.rings()
    await world.settle()

    (ringing,) = calls.calls()
    assert (ringing.state, ringing.caller, ringing.dialled) == ("ringing", "101", "102")
    assert ringing.doing == "extension:102"
    assert [(leg.party, leg.state) for leg in ringing.legs] == [
        ("101", "ringing"),
        ("102", "ringing"),
    ]

    other.answer()
    await until(lambda: talk.answered)
    assert calls.calls()[0].state == "talking"
    talk.hold()
    await world.settle()
    assert calls.calls()[0].state == "held"
    assert calls.hang_up(ringing.id[:5]) == ringing.id
    await until(lambda: talk.ended and other.ended)
    assert calls.calls() == []


@in_world()
async def test_the_beginning_of_an_id_must_mean_one_call(world: World) -> None:
    anna, boris, carol = await world.phones("101", "102", "103")
    anna.dial("103")
    boris.dial("103")
    await carol.rings()
    await world.settle()
    calls = Calls(world.switch)

    with pytest.raises(RefusedError, match="2 calls begin with ; say more"):
        calls.hang_up("")
    with pytest.raises(UnknownError, match="no call nosuch"):
        calls.hang_up("nosuch")


@in_world()
async def test_phones_are_listed_with_where_they_are(world: World) -> None:
    await world.phones("101")

    (shown,) = Calls(world.switch).registrations()

    assert (shown.aor, shown.extension) == ("sip:101@office.test", "101")
    assert (shown.transport, shown.address) == ("udp", "10.0.1.1:5060")


@in_world()
async def test_originate_rings_all_phones_of_one_and_then_the_other(world: World) -> None:
    desk, mobile = await world.phone("101"), await world.phone("101")
    (boris,) = await world.phones("102")

    call = await Calls(world.switch).originate("101", "102")
    first, second = await desk.rings(), await mobile.rings()
    assert second.shown == "Phone 102 <102>"
    second.answer()
    other = await boris.rings()
    assert first.ended, "answered elsewhere"
    other.answer()
    await world.settle()

    assert (world.hears(second), world.hears(other)) == ({"102"}, {"101"})
    second.hang_up()
    await until(lambda: other.ended)
    await world.settle()
    (record,) = world.records()
    assert (record["id"], record["caller"], record["cause"]) == (call, "101", "normal")


@in_world()
async def test_originate_gives_up_when_nobody_comes_to_the_phone(world: World) -> None:
    desk, boris = await world.phones("101", "102")

    await Calls(world.switch).originate("101", "102")
    (await desk.rings()).reject(486)
    await world.settle()

    assert not boris.talks
    (record,) = world.records()
    assert record["cause"] == "busy"


@in_world()
async def test_originate_says_why_not(world: World) -> None:
    calls = Calls(world.switch)
    with pytest.raises(RefusedError, match="there is no extension 999"):
        await calls.originate("999", "102")
    with pytest.raises(RefusedError, match="extension 101 is not registered"):
        await calls.originate("101", "102")

    desk = await world.phone("101")
    world.switch.draining = True
    with pytest.raises(RefusedError, match="shut-down") as refused:
        await calls.originate("101", "102")
    await world.settle()
    assert refused.value.status == 503
    assert desk.talks == [] or desk.talks[0].ended


@in_world('[modes]\nday = "Mon-Sun 00:00-24:00"\nlunch = "Mon-Fri 13:00-13:00"\n')
async def test_a_mode_is_set_by_hand_and_given_back(world: World) -> None:
    modes = Modes(world.switch)
    told: list[tuple[str, object]] = []
    world.switch.on_event = lambda kind, data: told.append((kind, data["name"]))

    modes.set_mode(models.ModeWish(name="lunch"))
    set_so = modes.mode()
    assert set_so.name == "lunch" and set_so.by_hand
    modes.set_mode(models.ModeWish())
    assert modes.mode().by_hand is False
    with pytest.raises(UnknownError, match="no mode dinner"):
        modes.set_mode(models.ModeWish(name="dinner"))
    assert told[0] == ("mode.set", "lunch")


@in_world("[extensions.101]\nvoicemail = true\n")
async def test_messages_of_a_box(world: World) -> None:
    index, view = world.switch.store.voicemail, Voicemail(world.switch)
    index.put(VoiceMessage("m1", "101", 1.0, 2.5, "102", None, "/nowhere/m1.wav"))

    assert view.boxes() == [models.Box(box="101", new=1, old=0)]
    assert [message.caller for message in view.box("101")] == ["102"]
    with pytest.raises(UnknownError, match="recording of message m1"):
        view.sound_of("m1")
    view.delete_message("m1")
    assert view.box("101") == []
    with pytest.raises(UnknownError, match="no voicemail box 104"):
        view.box("104")


@in_world('[conferences.board]\nnumber = "800"\n')
async def test_a_member_is_muted_and_sent_away(world: World) -> None:
    (anna,) = await world.phones("101")
    view = Conferences(world.switch)
    talk = anna.dial("800")
    await until(lambda: view.conferences())

    (board,) = view.conferences()
    (member,) = board.members
    assert (board.name, member.party, member.muted) == ("board", "101", False)
    view.command_member("board", member.leg, "mute")
    assert view.conferences()[0].members[0].muted
    with pytest.raises(UnknownError, match="member of board"):
        view.command_member("board", "nosuch", "kick")
    view.command_member("board", member.leg, "kick")
    await until(lambda: talk.ended)
    assert view.conferences() == []


@in_world()
async def test_a_parked_call_is_shown_in_its_slot(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    anna.dial("102")
    await boris.rings()
    (call,) = world.switch.calls.values()

    parked = world.switch.parking.take(call, ["71"], "102")
    assert parked is not None

    (shown,) = Park(world.switch).parked()
    assert (shown.slot, shown.call, shown.party) == ("71", call.id, "101")
    assert shown.parked_by == "102"
    world.switch.parking.leave(parked)
    assert Park(world.switch).parked() == []


@in_world()
async def test_p32_who_waits_for_a_colleague_is_shown_and_may_be_taken_back(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    boris.dial("103")
    (await clara.rings()).answer()
    asked = anna.dial("*66102")
    await until(lambda: asked.ended)
    desk = Desk(world.switch)
    (waiting,) = desk.recalls()
    assert (waiting.extension, waiting.number, waiting.waits_for) == ("101", "102", "colleague")
    assert waiting.until == waiting.since + 7200
    desk.cancel_recalls("101")
    assert desk.recalls() == []
    with pytest.raises(UnknownError, match="no recall of extension 101"):
        desk.cancel_recalls("101")
