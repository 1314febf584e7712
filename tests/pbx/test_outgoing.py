"""Calls that go out: who may, by which trunk, what when none is free, help always."""

from __future__ import annotations

from collections import Counter

import pytest

from config.media import MediaTable
from config.trunks import Trunk
from softswitch.pbx.balance import Balance
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.recalls import For
from tests.pbx.world import CITY, COAST, World, in_world
from tests.support.phone import Phone, Talk, until

ADVERT = "10.0.9.7"
NUMBER = "84951112233"
HEAD = f"""
[switch]
country = "RU"
[trunks.city]
server = "sip:{CITY}:5060"
channels = 1
[trunks.coast]
server = "sip:{COAST}:5060"
channels = 1
[trunks.advert]
server = "sip:{ADVERT}:5060"
direction = "in"
[destinations]
local = ["8495", "+7495"]
mobile = ["89", "+79"]
abroad = "810"
[extensions.101]
class = "staff"
pin = "4711"
[extensions.102]
class = "staff"
trunks = "coast"
[extensions.103]
class = "boss"
[classes.staff]
dial = ["internal", "local"]
trunks = ["city", "advert"]
override = "mobile"
[classes.boss]
dial = "anywhere"
barred = "mobile"
trunks = ["city", "coast", "advert"]
expensive = "abroad"
expensive_calls = 1
expensive_daily = 3
"""


def trunks(world: World) -> list[Phone]:
    return [world.outside(host) for host in (CITY, COAST, ADVERT)]


async def takes(trunk: Phone, talk: Talk) -> Talk:
    """The trunk's far side answers it."""
    answered = (await trunk.rings()).answer()
    await until(lambda: talk.answered)
    return answered


async def refused(talk: Talk, within: float = 40) -> int:
    await until(lambda: talk.ended, within)
    return talk.statuses[-1]


@in_world(HEAD)
async def test_p27_p29_each_has_his_trunks_and_nobody_an_advertised_one(world: World) -> None:
    """Not even when all others are busy; the extension's own list outweighs its class's."""
    city, coast, advert = trunks(world)
    anna, boris, clara = await world.phones("101", "102", "103")
    await takes(city, anna.dial(NUMBER))
    await takes(coast, boris.dial(NUMBER))
    await refused(clara.dial(NUMBER))
    assert not advert.talks
    [first, second, third] = world.records()
    assert (first["trunk"], second["trunk"], third["cause"]) == ("city", "coast", "congested")


@in_world(HEAD)
async def test_p30_what_the_class_does_not_allow_is_refused_after_a_notice(world: World) -> None:
    city, _, _ = trunks(world)
    anna, clara = await world.phones("101", "103")
    barred = anna.dial("8107000")
    assert await refused(barred) == 403 and 183 in barred.statuses
    assert await refused(clara.dial("89161112233")) == 403
    assert world.told() == ["barred", "barred"] and not city.talks
    await takes(city, clara.dial("8107000"))


@in_world(HEAD)
async def test_p31_a_pin_opens_a_barred_destination(world: World) -> None:
    city, _, _ = trunks(world)
    anna = await world.phone("101")
    talk = anna.dial("89161112233")
    await until(lambda: talk.answered)
    assert world.hears(talk) == {"pin-enter"}
    talk.press("1234#")
    await until(lambda: world.hears(talk) == {"pin-wrong"})
    talk.press("4711#")
    far = (await city.rings()).answer()
    await world.settle()
    assert world.hears(far) == {"101"}
    talk.hang_up()
    await until(lambda: far.ended)
    guess = anna.dial("89161112233")
    await until(lambda: guess.answered)
    for _ in range(3):
        await world.pass_time(1.5)
        guess.press("0000#")
    await until(lambda: guess.ended)
    assert len(city.talks) == 1 and len(world.events("wrong-pin")) == 4


@in_world(HEAD)
async def test_p31_nobody_guesses_a_pin_call_by_call(world: World) -> None:
    """Twenty wrong ones in a row shut it for the day, with an alarm."""
    city, _, _ = trunks(world)
    anna = await world.phone("101")
    for _ in range(7):
        guess = anna.dial("89161112233")
        await until(lambda: guess.answered)  # noqa: B023 - awaited at once
        while not guess.ended:
            guess.press("0000#")
            await world.pass_time(1.5)
    assert len(world.events("wrong-pin")) == 20
    assert await refused(anna.dial("89161112233")) == 403
    assert [alarm.name for alarm in world.switch.alarms] == ["pin:101"] and not city.talks


def carrier(name: str, weight: float) -> Carrier:
    trunk = Trunk.model_validate({"server": "sip:192.0.2.1:5060", "weight": weight})
    return Carrier(name, trunk, MediaTable())


@pytest.mark.parametrize("weights", [(1, 1, 1), (5, 3, 2), (1, 10, 0.5)])
def test_p28_a_thousand_calls_are_spread_by_weight(weights: tuple[float, ...]) -> None:
    """Each trunk has its share to within one call a trunk."""
    carriers = [carrier(f"t{index}", weight) for index, weight in enumerate(weights)]
    balance, total = Balance(), sum(weights)
    seized = Counter(balance.spread(carriers)[0].name for _ in range(1000))
    for each in carriers:
        assert abs(seized[each.name] - 1000 * each.trunk.weight / total) <= len(carriers)


def test_p28_the_others_share_evenly_while_one_is_away() -> None:
    carriers = [carrier(f"t{index}", 1) for index in range(3)]
    balance = Balance()
    away = Counter(balance.spread(carriers[1:])[0].name for _ in range(500))
    assert away == {"t1": 250, "t2": 250}
    again = Counter(balance.spread(carriers)[0].name for _ in range(300))
    assert max(again.values()) - min(again.values()) <= 1  # nor is the third flooded afterwards


@in_world(HEAD)
async def test_p32_who_waits_for_a_trunk_is_rung_back_and_connected(world: World) -> None:
    """All his trunks are busy: `1` camps on, the first free channel is kept for him."""
    city, _, _ = trunks(world)
    anna, clara = await world.phones("101", "103")
    first = clara.dial(NUMBER)
    blocking = await takes(city, first)
    talk = anna.dial("84953334455")
    await until(lambda: talk.answered)
    talk.press("1")
    await until(lambda: talk.ended)
    assert "callback-accepted" in world.told()
    blocking.hang_up()
    back = (await anna.rings(within=5)).answer()
    assert back.shown == " <84953334455>"
    rival = clara.dial(NUMBER)  # has another trunk: the free one is promised
    far = (await city.rings()).answer()
    assert far.invite.request_uri.user == "84953334455"
    await world.settle()
    assert world.hears(far) == {"101"} and world.hears(back) == {CITY}
    rival.hang_up()
    assert not world.switch.recalls.wishes(For.TRUNK)


@in_world(HEAD)
async def test_p32_the_next_has_his_turn_when_the_first_lets_it_ring(world: World) -> None:
    city, coast, _ = trunks(world)
    anna, clara = await world.phones("101", "103")
    blocking = await takes(city, clara.dial(NUMBER))
    other = await takes(coast, (await world.phone("102")).dial(NUMBER))
    for phone, number in ((anna, "84953334455"), (clara, "84956667788")):
        waiting = phone.dial(number)
        await until(lambda: waiting.answered)  # noqa: B023 - awaited at once
        waiting.press("1")
        await until(lambda: waiting.ended)  # noqa: B023
    blocking.hang_up()
    missed = await anna.rings(within=5)
    await until(lambda: missed.ended, within=60)
    (await clara.rings(within=5)).answer()
    assert (await city.rings()).invite.request_uri.user == "84956667788"
    other.hang_up()


@in_world()
async def test_p32_a_busy_colleague_is_rung_when_both_are_free(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    talk = clara.dial("102")
    (await boris.rings()).answer()
    boris.busy = True
    assert await refused(anna.dial("102")) == 486
    boris.busy = False
    asked = anna.dial("*66")  # alone: whom he dialled last
    await until(lambda: asked.ended)
    await world.pass_time(20)
    assert not anna.is_ringing
    talk.hang_up()
    back = (await anna.rings(within=5)).answer()
    assert back.shown == "Phone 102 <102>"
    (await boris.rings()).answer()
    await world.settle()
    assert world.hears(back) == {"102"}
    boris.dial("*66103")
    await world.settle()
    boris.dial("*67")
    await world.settle()
    assert not world.switch.recalls.wishes(For.PERSON)


@in_world(HEAD + "[trunks.city.causes]\n480 = 486\n")
async def test_p33_causes_are_mapped_and_gateways_heard_early(world: World) -> None:
    city, _, _ = trunks(world)
    anna = await world.phone("101")
    for status, reason, told in (
        (486, "", 486),
        (480, "", 486),  # the trunk's own word for it
        (500, 'Q.850;cause=17;text="User busy"', 486),
        (503, "Q.850;cause=1", 404),
        (502, "SIP;cause=502", 502),
    ):
        talk = anna.dial(NUMBER)
        headers = [("Reason", reason)] if reason else []
        (await city.rings()).reject(status, headers)
        assert await refused(talk) == told
    talk = anna.dial(NUMBER)
    ringing = await city.rings()
    ringing.session.progress(183, ringing.sdp())
    await until(lambda: 183 in talk.statuses)
    await world.settle()
    assert world.hears(talk) == {CITY} and not talk.answered


@in_world(HEAD.replace("channels = 1", "ping = 5"))
async def test_p38_a_dead_trunk_is_noticed_and_the_next_is_taken(world: World) -> None:
    """By OPTIONS beforehand, by silence or 503 at once; alarmed until it answers again."""
    city, coast, _ = trunks(world)
    world.switch.trunks.start()
    clara = await world.phone("103")
    talk = clara.dial(NUMBER)
    (await city.rings()).reject(503)
    await takes(coast, talk)
    talk.hang_up()
    city.station.silence()
    talk = clara.dial(NUMBER)  # not known yet: 4 s are spent on it
    await takes(coast, talk)
    talk.hang_up()
    await until(lambda: list(world.switch.alarms), within=30)
    [alarm] = world.switch.alarms
    assert alarm.sentence == f"trunk city is down: {CITY} does not answer"
    before = len([each for each in world.ether.log if each[1][0] == CITY and "INVITE" in each[2]])
    await takes(coast, clara.dial(NUMBER))
    invites = [each for each in world.ether.log if each[1][0] == CITY and "INVITE" in each[2]]
    assert len(invites) == before
    world.outside(CITY)
    await until(lambda: not list(world.switch.alarms), within=30)


@in_world(HEAD)
async def test_guard_stolen_accounts_cost_little(world: World) -> None:
    """One expensive call at once, three a day; then refusals and an alarm."""
    city, _, _ = trunks(world)
    clara = await world.phone("103")
    first = clara.dial("8107000")
    far = await takes(city, first)
    assert await refused(clara.dial("8107001")) == 403
    assert [alarm.name for alarm in world.switch.alarms] == ["expensive:103"]
    first.hang_up()
    await until(lambda: far.ended)
    for _ in range(2):
        talk = clara.dial("8107000")
        await takes(city, talk)
        talk.hang_up()
        await world.settle()
    assert await refused(clara.dial("8107000")) == 403
    await takes(city, clara.dial(NUMBER))  # cheap ones go on
    [alarm] = world.switch.alarms
    assert "3 calls a day to abroad" in alarm.sentence


OUTLET = """
[lines."100"]
any = "number:84951112233"
[lines."200"]
class = "boss"
any = "number:84951112233"
"""


@in_world(HEAD + OUTLET)
async def test_p27_a_line_s_call_goes_out_only_by_the_line_s_class(world: World) -> None:
    _, coast, _ = trunks(world)
    city = world.outside(CITY, "79161112233")
    assert await refused(city.dial("100")) == 403
    talk = city.dial("200")
    far = (await coast.rings()).answer()  # city's only channel is taken by the caller himself
    assert far.invite.from_.sip_uri.user == "79161112233"
    await until(lambda: talk.answered)


LIMITED = HEAD.replace('dial = "anywhere"', 'dial = "anywhere"\nmax_calls = 1\nfeatures = ["echo"]')


@in_world(LIMITED.replace("max_calls", "camp_on = false\nmax_calls"))
async def test_a_class_has_its_limit_of_calls_and_of_codes(world: World) -> None:
    city, coast, _ = trunks(world)
    clara = await world.phone("103")
    await takes(city, clara.dial(NUMBER))
    assert await refused(clara.dial(NUMBER)) == 503 and not coast.talks
    assert await refused(clara.dial("*60")) == 403
    echo = clara.dial("*43")
    await until(lambda: echo.answered)


@in_world(
    HEAD
    + '[emergency]\nnotify = "103"\ncaller_id = { hall = "74950000112" }\n'
    + '[limits]\ncalls = 2\n[extensions.104]\nsite = "hall"\n'
)
async def test_emergency_numbers_pass_whatever_is_full_or_barred(world: World) -> None:
    """A class that allows nothing, every channel taken, the switch at its limit."""
    city, coast, _ = trunks(world)
    anna, boris, clara = await world.phones("101", "102", "103")
    dora = await world.phone("104")
    busy = [anna.dial(NUMBER), boris.dial(NUMBER)]
    await takes(city, busy[0])
    await takes(coast, busy[1])
    assert await refused(clara.dial(NUMBER)) == 503  # the switch is full
    talk = dora.dial("112")
    far = (await city.rings()).answer()
    await until(lambda: talk.answered)
    assert far.invite.from_.sip_uri.user == "74950000112"
    assert not any(each.ended for each in busy)
    await world.settle()
    assert [each.body.decode() for each in clara.requests] == ["Phone 104 <104> dialled 112"]
    row = world.records()[-1]
    assert row["details"]["emergency"] and row["trunk"] == "city"


@in_world(HEAD)
async def test_emergency_takes_a_channel_from_another_call_where_it_must(world: World) -> None:
    """Every trunk refuses one call more: the latest one is ended for it."""
    city, coast, _ = trunks(world)
    anna, dora = await world.phones("101", "104")
    other = anna.dial(NUMBER)
    await takes(city, other)
    talk = dora.dial("112")
    (await coast.rings()).reject(403)
    (await city.rings()).reject(486)
    await until(lambda: other.ended)
    await takes(city, talk)
    [event] = world.events("preempted")
    assert event["call_id"] == world.records()[0]["id"]


@in_world(HEAD)
async def test_p34_emergency_is_heard_although_no_port_is_free(world: World) -> None:
    """Others get 503 with Retry-After; for help the latest call makes room."""
    city, coast, _ = trunks(world)
    anna, clara, dora = await world.phones("101", "103", "104")
    first, last = anna.dial(NUMBER), clara.dial(NUMBER)
    await takes(city, first)
    await takes(coast, last)
    ports = world.studio.ports
    world.studio.ports = ports[: len(world.studio.legs)]
    full = dora.dial("101")
    assert await refused(full) == 503
    last_row = world.records()[-1]
    talk = dora.dial("112")
    await until(lambda: last.ended)
    world.studio.ports = ports
    await takes(coast, talk)
    assert not first.ended and world.records()[-1]["dialled"] == "112"
    assert last_row["dialled"] == NUMBER  # the refused call has no record


@in_world(HEAD.replace("channels = 1", "ping = 5"))
async def test_a_trunk_taken_out_leaves_no_alarm_and_its_calls_go_on(world: World) -> None:
    city, _, _ = trunks(world)
    world.switch.trunks.start()
    anna = await world.phone("101")
    talk = anna.dial(NUMBER)
    far = await takes(city, talk)
    world.ether.stations.pop((COAST, 5060))
    await until(lambda: list(world.switch.alarms), within=30)
    settings = world.switch.settings
    world.switch.apply(settings.model_copy(update={"trunks": {}}))
    assert not list(world.switch.alarms) and not list(world.switch.trunks)
    await world.settle()
    assert world.hears(far) == {"101"}
    far.hang_up()
    await until(lambda: talk.ended)


@in_world(HEAD + '[emergency]\nopen_to = ["10.0.1.0/24"]\n')
async def test_emergency_is_open_to_phones_of_our_networks_that_cannot_log_in(
    world: World,
) -> None:
    """To help and nothing else: no other number, no transfer, and from nowhere else."""
    city, _, _ = trunks(world)
    stranger = world.bare_phone("101")
    stranger.sign = lambda *_: None  # type: ignore[method-assign]
    assert await refused(stranger.dial("84951112233")) == 401
    talk = stranger.dial("112")
    far = await takes(city, talk)
    assert far.invite.request_uri.user == "112"
    talk.refer("8107000")
    await world.settle()
    assert talk.referred == [403] and not talk.ended
    talk.hang_up()
    await until(lambda: far.ended)
    world.move(stranger, "10.0.2.7")
    assert await refused(stranger.dial("112")) == 401
