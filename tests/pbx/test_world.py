"""The fake office itself: two phones call each other, and a test that leaves something fails."""

from tests.pbx.world import World, in_world
from tests.support.phone import until


@in_world()
async def test_two_phones_talk_and_hang_up(world: World) -> None:
    anna, boris = await world.phones("101", "102")

    talk = anna.dial("102")
    other = await boris.rings()
    await world.settle()
    assert talk.statuses == [180]
    assert other.shown == "Phone 101 <101>"
    other.answer()
    await until(lambda: talk.answered)
    await world.settle()
    assert (world.hears(talk), world.hears(other)) == ({"102"}, {"101"})
    talk.hang_up()
    await until(lambda: other.ended)

    [record] = world.records()
    assert (record["caller"], record["answered_by"]) == ("101", "102")


@in_world()
async def test_who_is_on_hold_hears_music(world: World) -> None:
    """P9."""
    anna, boris = await world.phones("101", "102")
    boris.answers = True
    talk = anna.dial("102")
    await until(lambda: talk.answered)

    talk.hold()
    await world.settle()
    assert world.hears(boris.talks[0]) == {"music"}
    talk.resume()
    await world.settle()
    assert world.hears(boris.talks[0]) == {"101"}


@in_world()
async def test_a_call_that_the_callee_ends_has_a_true_record(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    boris.answers = True
    talk = anna.dial("102")
    await until(lambda: talk.answered)
    boris.talks[0].hang_up()
    await until(lambda: talk.ended)
    await world.settle()

    [record] = world.records()
    assert (record["cause"], record["ended_by"]) == ("normal", "callee")


@in_world()
async def test_a_refused_call_has_its_status_and_addresses_on_record(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    (await boris.rings()).reject(486)
    await until(lambda: talk.ended)
    await world.settle()

    [record] = world.records()
    caller, callee = world.store.memory.table("legs")
    assert (record["cause"], record["status"]) == ("busy", 486)
    assert (caller["status"], callee["status"]) == (486, 486)
    assert caller["address"] == "{}:{}".format(*anna.station.address)


@in_world()
async def test_an_answer_that_cannot_be_heard_is_told_to_the_caller_as_such(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    ringing = await boris.rings()
    ringing.session.accept(
        b"v=0\r\no=- 1 1 IN IP4 10.0.1.9\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 18\r\n"
    )
    await until(lambda: talk.ended and ringing.ended)
    assert talk.statuses[-1] == 488
