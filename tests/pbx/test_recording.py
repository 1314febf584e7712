"""Recording: who wishes it, what both parties are told, which files it makes (R2, R8)."""

import datetime as dt
from pathlib import Path

from media import commands, events
from softswitch.pbx.archive import forget_before
from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

RULES = """
[switch]
data = "/nonexistent/softswitch"
[extensions.101]
record = "outgoing"
[extensions.102]
record = "never"
[extensions.104]
record = "incoming"
[queues.sales]
record = true
record_notice = "queue-welcome"
"""


async def talk(world: World, caller: str, called: str) -> tuple[Talk, Talk]:
    first, second = await world.phones(caller, called)
    second.answers = True
    call = first.dial(called)
    await until(lambda: call.answered)
    await world.settle()
    return call, second.talks[-1]


def recording(world: World) -> commands.Record:
    [found] = world.studio.recorders.values()
    return found


@in_world(RULES)
async def test_r8_both_hear_the_notice_before_the_recording_begins(world: World) -> None:
    anna, boris = await talk(world, "101", "103")
    assert world.hears(anna) == world.hears(boris) == {"recording-notice"}
    assert not world.studio.recorders
    await world.pass_time(1.0)
    assert world.hears(anna) == {"103"}
    [record] = world.records()
    today = f"{dt.datetime.now(dt.UTC):%Y/%m/%d}"
    path = f"/nonexistent/softswitch/recordings/{today}/{record['id']}.wav"
    assert recording(world).path == path
    assert recording(world).stereo
    anna.hang_up()
    await world.settle()

    assert not world.studio.recorders
    assert world.records()[0]["recording"] == path
    assert [row["kind"] for row in world.events("recording-notice")]


@in_world(RULES)
async def test_after_a_transfer_the_call_goes_on_in_a_second_file(world: World) -> None:
    """The notice is told once in a call."""
    dave = await world.phone("104")
    dave.answers = True
    anna, boris = await talk(world, "101", "103")
    await world.pass_time(1.5)
    boris.refer("104")
    await until(lambda: dave.talks)
    await world.pass_time(2.0)
    assert world.hears(anna) == {"104"}
    assert recording(world).path.endswith("-2.wav")

    assert world.told() == ["recording-notice"]
    first, second = world.records()[0]["details"]["recordings"]
    assert second == first.replace(".wav", "-2.wav")


@in_world(RULES)
async def test_a_rule_for_one_direction_is_none_for_the_other(world: World) -> None:
    await talk(world, "103", "101")
    await world.pass_time(2.0)

    assert not world.studio.recorders


@in_world(RULES)
async def test_incoming_calls_of_an_extension_are_recorded(world: World) -> None:
    await talk(world, "103", "104")
    await world.pass_time(1.5)

    assert recording(world).path.endswith(".wav")


@in_world(RULES)
async def test_a_disk_that_refuses_is_an_alarm_and_no_dead_call(world: World) -> None:
    anna, _ = await talk(world, "101", "103")
    await world.pass_time(1.5)
    [number] = world.studio.recorders
    world.media._deliver(events.Recorded(number, "/x.wav", 0.0, "/x.wav: No space left on device"))
    await world.settle()

    assert world.hears(anna) == {"103"}
    [alarm] = world.switch.alarms
    assert "No space left" in alarm.sentence


@in_world(RULES)
async def test_calls_of_a_queue_are_recorded_and_paused(world: World) -> None:
    """R2 of a queue (D20), which has a notice of its own."""
    first, second = await world.phones("102", "103")
    call = first.dial("103")
    ringing = await second.rings()
    [found] = world.switch.calls.values()
    found.doing = "queue:sales"
    ringing.answer()
    await until(lambda: call.answered)
    await world.pass_time(1.5)

    assert world.told() == ["queue-welcome"]
    assert world.switch.recordings.pause(found, True)
    assert world.switch.recordings.pause(found, False)
    kinds = [row["kind"] for row in world.store.memory.table("call_events")]
    assert kinds.index("recording-paused") < kinds.index("recording-resumed")


@in_world("[recording]\ntone_every = 10.0\n")
async def test_on_demand_by_keys_both_hear_it_begin_and_end(world: World) -> None:
    """`*1`; while it lasts a tone reminds them."""
    anna, boris = await talk(world, "101", "102")
    anna.press("*1")
    await world.settle()
    assert world.hears(boris) == {"tone:confirm", "recording-started"}
    await world.pass_time(1.5)
    assert len(world.studio.recorders) == 1
    assert world.hears(boris) == {"101", "silence", "tone:confirm"}
    anna.press("*1")
    await world.settle()
    assert world.hears(anna) == {"tone:confirm", "recording-stopped"}
    await world.pass_time(1.5)

    assert not world.studio.recorders
    assert world.hears(boris) == {"101"}
    assert world.events("recording-notice")


def test_days_that_are_over_are_deleted_and_the_files_of_others_are_not(tmp_path: Path) -> None:
    for day in ("2026/01/31", "2026/02/01", "2026/02/02"):
        (tmp_path / day).mkdir(parents=True)
        (tmp_path / day / "call.wav").touch()
    (tmp_path / "2026" / "readme.txt").touch()

    assert forget_before(tmp_path, dt.date(2026, 2, 2)) == 2
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["2026/02/02/call.wav", "2026/readme.txt"]
