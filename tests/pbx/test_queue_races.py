"""Whoever hangs up first, in whatever race, both sides are left right."""

from __future__ import annotations

import pytest

from tests.pbx.test_queue import joined, queue, state
from tests.pbx.world import World, in_world
from tests.support.loop import pass_time
from tests.support.phone import until

ELSEWHERE = ('SIP;cause=200;text="Call completed elsewhere"',)
ONE = queue().replace('"anna", "boris"]', '"anna"]')
WHISPER = 'whisper = "name-and-wait"\n'


def outcomes(world: World) -> list[str]:
    return [event["details"]["outcome"] for event in world.events("offered")]


def visits(world: World) -> list[str]:
    return [row["outcome"] for row in world.store.memory.table("visits")]


@in_world(queue())
async def test_a_caller_who_gives_up_while_an_agent_rings(world: World) -> None:
    """Complaints 36 and 75: no phone rings for one who has gone."""
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = await anna.rings()
    await world.pass_time(6)
    talk.hang_up()
    await until(lambda: desk.ended, within=1)
    assert state(world, "anna") == "idle"
    [visit] = world.store.memory.table("visits")
    assert (visit["outcome"], visit["details"]["ringing"]) == ("abandoned", True)


@pytest.mark.parametrize("gap", [0.0, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005])
@pytest.mark.parametrize("first", ["caller", "agent"])
@in_world(queue())
async def test_answer_and_goodbye_cross(world: World, first: str, gap: float) -> None:
    """The caller hangs up about when the agent answers: nobody is left alone on a line."""
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = await anna.rings()
    verbs = [talk.hang_up, desk.answer] if first == "caller" else [desk.answer, talk.hang_up]
    verbs[0]()
    await pass_time(gap)
    verbs[1]()
    await until(lambda: desk.ended, within=2)
    assert talk.ended
    await world.pass_time(12)
    assert state(world, "anna") == "idle"
    assert len(visits(world)) == 1


@in_world(queue())
async def test_an_agent_who_rejects_is_skipped_for_this_call(world: World) -> None:
    """Complaints 38 and 73: the caller hears nothing of it."""
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = caller.dial("700")
    (await anna.rings()).reject()
    desk = await boris.rings(within=1)
    assert world.hears(talk) == {"music"}
    await world.pass_time(5)
    assert not anna.is_ringing
    desk.answer()
    await joined(world, talk, desk)
    assert outcomes(world) == ["rejected", "answered"]


@in_world(queue())
async def test_an_agent_who_lets_it_ring_is_not_the_only_chance(world: World) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    caller.dial("700")
    desk = await anna.rings()
    await boris.rings(within=21)
    assert desk.ended and outcomes(world) == ["no-answer"]
    await world.pass_time(5)


@in_world(queue())
async def test_a_phone_that_goes_away_while_it_rings(world: World) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    caller.dial("700")
    desk = await anna.rings()
    await anna.register(0)
    await boris.rings(within=1)
    assert desk.ended and state(world, "anna") == "unreachable"


@in_world(queue(WHISPER))
async def test_the_agent_hears_who_comes_and_the_caller_music_meanwhile(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = await anna.rings()
    await world.pass_time(5)
    desk.answer()
    await world.settle()
    assert "queue-call-from" in world.hears(desk) and world.hears(talk) == {"music"}
    await until(lambda: world.hears(talk) == {"102"}, within=5)


@in_world(queue(WHISPER))
async def test_an_agent_who_hangs_up_during_the_whisper_has_not_taken_the_call(
    world: World,
) -> None:
    """Complaint 32."""
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await world.settle()
    desk.hang_up()
    await boris.rings(within=1)
    assert world.hears(talk) == {"music"} and not talk.ended
    assert outcomes(world) == ["rejected"]


@in_world(queue(WHISPER))
async def test_a_caller_who_hangs_up_during_the_whisper_frees_the_agent(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await world.settle()
    talk.hang_up()
    await until(lambda: desk.ended, within=1)
    assert state(world, "anna") == "idle" and visits(world) == ["abandoned"]


@in_world(queue(strategy="ring-all"))
async def test_losers_hear_that_the_call_was_completed_elsewhere(world: World) -> None:
    """Complaint 40."""
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = caller.dial("700")
    first, second = await anna.rings(), await boris.rings()
    second.answer()
    await joined(world, talk, second)
    await until(lambda: first.ended, within=1)
    assert first.reasons == ELSEWHERE
    assert sorted(outcomes(world)) == ["answered", "lost-race"]
    assert state(world, "anna") == "idle"


@in_world(queue(WHISPER, strategy="ring-all"))
async def test_the_others_ring_on_until_the_two_are_joined(world: World) -> None:
    """Complaint 32: the first one hangs up in the whisper, and the second has the call."""
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = caller.dial("700")
    first, second = await anna.rings(), await boris.rings()
    first.answer()
    await world.settle()
    assert boris.is_ringing
    first.hang_up()
    await world.settle()
    assert boris.is_ringing
    second.answer()
    await until(lambda: world.hears(talk) == {"103"}, within=10)


@pytest.mark.parametrize("gap", [0.0, 0.001, 0.002, 0.004])
@in_world(queue(strategy="ring-all"))
async def test_two_agents_answer_at_once(world: World, gap: float) -> None:
    """One has the caller; the other is let go at once, and free."""
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = caller.dial("700")
    first, second = await anna.rings(), await boris.rings()
    first.answer()
    await pass_time(gap)
    second.answer()
    await until(lambda: world.hears(talk) in ({"102"}, {"103"}), within=1)
    await until(lambda: first.ended or second.ended, within=1)
    winner, loser = ("anna", "boris") if second.ended else ("boris", "anna")
    assert (state(world, winner), state(world, loser)) == ("talking", "idle")
    assert visits(world) == ["answered"]


@in_world(queue())
async def test_agent_who_hangs_up_ends_the_call_and_wraps_up(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    desk.hang_up()
    await until(lambda: talk.ended, within=1)
    assert state(world, "anna") == "wrap-up"
    [visit] = world.store.memory.table("visits")
    assert visit["details"]["ended_by"] == "agent"


@in_world(queue())
async def test_any_other_leg_makes_an_agent_busy(world: World) -> None:
    """Complaints 19 and 20: in or out, and whatever for."""
    caller, anna, boris, other = await world.phones("101", "102", "103", "104")
    private = anna.dial("104")
    (await other.rings()).answer()
    await until(lambda: private.answered)
    assert state(world, "anna") == "busy"
    caller.dial("700")
    await boris.rings()
    assert not anna.is_ringing
    private.hang_up()
    await world.settle()
    assert state(world, "anna") == "idle"


@in_world(queue())
async def test_do_not_disturb_and_no_phone_are_not_rung(world: World) -> None:
    """Complaint 22."""
    caller, anna, boris = await world.phones("101", "102", "103")
    anna.dial("*78")
    await world.pass_time(3)
    assert state(world, "anna") == "dnd"
    await boris.register(0)
    talk = caller.dial("700")
    await world.pass_time(5)
    assert world.hears(talk) == {"music"} and not anna.is_ringing
    await boris.register()
    await boris.rings(within=1)


@in_world(queue())
async def test_a_transfer_ends_the_agents_talk_and_starts_the_wrap_up(world: World) -> None:
    """Complaints 24 and 42."""
    caller, anna, expert = await world.phones("101", "102", "104")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    desk.refer("104")
    third = (await expert.rings()).answer()
    await until(lambda: desk.ended)
    assert world.hears(talk) == {"104"}
    assert state(world, "anna") == "wrap-up"
    await world.pass_time(60)
    third.hang_up()
    await until(lambda: talk.ended)
    [visit] = world.store.memory.table("visits")
    assert visit["details"]["transferred"] and visit["details"]["talked"] < 5


@in_world(queue('[queues.support]\nnumber = "701"\nagents = ["boris"]\n'))
async def test_a_transfer_to_another_queue_is_another_visit(world: World) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    desk.refer("701")
    second = await boris.rings()
    await until(lambda: desk.ended)
    assert state(world, "anna") == "wrap-up"
    second.answer()
    await until(lambda: world.hears(talk) == {"103"}, within=1)
    rows = world.store.memory.table("visits")
    assert [(row["queue"], row["agent"]) for row in rows] == [
        ("sales", "anna"),
        ("support", "boris"),
    ]


@in_world(ONE)
async def test_a_consultation_that_waits_in_a_queue_gives_its_place_away(world: World) -> None:
    """Who is handed on waits where the other had waited: the same visit, before later callers."""
    guest, boss, later, anna = await world.phones("101", "103", "104", "102")
    anna.busy = True
    talk = guest.dial("103")
    desk = (await boss.rings()).answer()
    await world.settle()
    asking = boss.dial("700")
    await world.pass_time(5)
    other = later.dial("700")
    await world.pass_time(5)
    desk.refer("700", replaces=asking)
    await until(lambda: world.hears(talk) == {"music"})
    await until(lambda: desk.ended and asking.ended)
    assert desk.sipfrags[-1] == "SIP/2.0 200 OK"
    assert len(visits(world)) == 2
    anna.busy = False
    served = await anna.rings(within=60)
    assert served.shown == "Sales: Phone 101 <101>"
    served.answer()
    await joined(world, talk, served)
    assert world.hears(other) == {"music"}
    talk.hang_up()
    await until(lambda: served.ended)


@in_world(queue())
async def test_a_held_caller_hears_music_and_the_hold_is_counted(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    desk.hold()
    await world.pass_time(8)
    assert world.hears(talk) == {"music"}
    desk.resume()
    await world.settle()
    assert world.hears(talk) == {"102"}
    talk.hang_up()
    await world.settle()
    [visit] = world.store.memory.table("visits")
    assert 7.5 < visit["details"]["held"] < 9


@pytest.mark.parametrize("gap", [0.0, 0.001])
@pytest.mark.parametrize("first", ["transfer", "answer"])
@in_world(queue())
async def test_a_consultation_is_given_away_while_the_agent_answers_it(
    world: World, first: str, gap: float
) -> None:
    """In whatever order: who was transferred and the agent hear each other."""
    caller, clerk, anna = await world.phones("101", "104", "102")
    talk = caller.dial("104")
    mine = (await clerk.rings()).answer()
    await world.settle()
    consult = clerk.dial("700")
    desk = await anna.rings()
    await world.pass_time(1)

    def transfer() -> None:
        mine.refer("104", replaces=consult)

    verbs = [transfer, desk.answer] if first == "transfer" else [desk.answer, transfer]
    verbs[0]()
    await pass_time(gap)
    verbs[1]()
    await joined(world, talk, desk)
    await until(lambda: mine.ended and consult.ended, within=3)
    assert state(world, "anna") == "talking"
