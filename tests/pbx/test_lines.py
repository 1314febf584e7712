"""Calls that come in: lines and their scenarios by mode, channels, rules, look-ups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import time_machine

from softswitch.pbx.reasoning import way_of
from softswitch.sip.types import Target
from tests.pbx.world import CITY, COAST, US, World, in_world
from tests.support.phone import Phone, Talk, until

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=MOSCOW)
LUNCH = dt.datetime(2026, 3, 4, 13, 30, tzinfo=MOSCOW)
NIGHT = dt.datetime(2026, 3, 4, 23, 0, tzinfo=MOSCOW)
HEAD = f"""
[switch]
country = "RU"
timezone = "Europe/Moscow"
[trunks.city]
server = "sip:{CITY}:5060"
[trunks.coast]
server = "sip:{COAST}:5060"
"""
MODES = """
[modes.day]
hours = "Mon-Fri 09:00-18:00"
[modes.lunch]
hours = "Mon-Fri 13:00-14:00"
code = "*91"
[modes.night]
code = "*92"
expires = 2
[lines."74951234567"]
day = "extension:101"
lunch = "extension:102"
any = "extension:103"
[lines."74957654321"]
any = "extension:104"
"""


def customer(world: World, host: str = CITY, number: str = "79161112233") -> Phone:
    return world.outside(host, number)


async def rings(phone: Phone, talk: Talk) -> None:
    """`phone` rings for it; the caller gives up."""
    ringing = await phone.rings()
    talk.hang_up()
    await until(lambda: ringing.ended and talk.ended)


@in_world(HEAD + MODES)
async def test_p1_p2_p24_each_line_has_its_scenario_by_mode(world: World) -> None:
    """The record names line, mode and route; a line is found in whatever form it is sent."""
    phones = await world.phones("101", "102", "103", "104")
    provider = customer(world)
    for moment, dialled, rung in (
        (NOON, "74951234567", 0),
        (LUNCH, "+74951234567", 1),
        (NIGHT, "84951234567", 2),
        (NOON, "74957654321", 3),
    ):
        with time_machine.travel(moment, tick=False):
            await rings(phones[rung], provider.dial(dialled))
    rows = world.records()
    assert [row["route"] for row in rows] == [f"extension:10{n}" for n in (1, 2, 3, 4)]
    assert [row["line"] for row in rows] == ["74951234567"] * 3 + ["74957654321"]
    assert [row["details"]["mode"] for row in rows] == ["day", "lunch", "night", "day"]
    unknown = provider.dial("74950000000")
    await until(lambda: unknown.ended)
    assert unknown.statuses[-1] == 404


@in_world(HEAD.replace('country = "RU"', "") + MODES)
async def test_p1_a_plus_is_understood_where_no_country_is_set(world: World) -> None:
    director, caller = await world.phone("104"), customer(world)
    for called in ("+74957654321", "74957654321"):
        await rings(director, caller.dial(called))
    lost = caller.dial("84957654321")
    await until(lambda: lost.ended)
    assert lost.statuses[-1] == 404


@in_world(HEAD + MODES)
async def test_p23_a_mode_is_set_by_code_and_ends_by_itself(world: World) -> None:
    """One without `expires` ends when the calendar changes; the same code takes it back."""
    desk, _, _, _ = await world.phones("101", "102", "103", "104")

    async def dial(code: str) -> list[str]:
        before = len(world.told())
        talk = desk.dial(code)
        await until(lambda: talk.ended)
        return world.told()[before:]

    with time_machine.travel(NOON, tick=False) as clock:
        assert await dial("*91") == ["mode-lunch"]
        assert await way(world, "74951234567") == ["extension:102"]
        clock.move_to(LUNCH.replace(minute=0))
        assert await dial("*91") == ["mode-lunch"]  # by now it is lunch anyway, and set anew
        assert await dial("*91") == ["mode-automatic"]
        clock.move_to(NOON)
        assert await dial("*92") == ["mode-night"]
        assert await way(world, "74951234567") == ["extension:103"]
        clock.move_to(NOON + dt.timedelta(hours=2, minutes=1))
        assert await way(world, "74951234567") == ["extension:101"]
        talk = desk.dial("*90")
        await until(lambda: talk.answered)
        talk.press("2")
        await until(lambda: talk.ended)
        assert await way(world, "74951234567") == ["extension:102"]


@in_world(HEAD + '[lines."100"]\nany = "extension:101"\nchannels = 2\nfull = "extension:102"\n')
async def test_p39_one_call_too_many_overflows(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    provider = customer(world)
    first, second, third = (provider.dial("100") for _ in range(3))
    await until(lambda: len(anna.talks) == 2 and len(boris.talks) == 1)
    assert [row["route"] for row in world.records()] == ["extension:101"] * 2 + ["extension:102"]
    first.hang_up()
    second.hang_up()
    third.hang_up()


@in_world(
    HEAD + '[lines."100"]\nname = "Shop"\nany = "extension:101"\nrecord = true\ntags = "poster"\n'
)
async def test_r2_p1_what_a_line_says_of_its_calls_is_obeyed_and_recorded(world: World) -> None:
    anna = await world.phone("101")
    talk = customer(world).dial("100")
    far = (await anna.rings()).answer()
    await until(lambda: world.events("recording"))
    assert "recording-notice" in world.told()
    assert world.events("recording")[0]["details"]["why"] == "line:100"
    talk.hang_up()
    await until(lambda: far.ended)
    details = world.records()[0]["details"]
    assert (details["line_name"], details["tags"]) == ("Shop", ["poster"])


@in_world(HEAD + '[lines."100"]\nany = "extension:101"\nchannels = 1\n')
async def test_p39_one_call_too_many_finds_it_busy(world: World) -> None:
    anna = await world.phone("101")
    provider = customer(world)
    provider.dial("100")
    await anna.rings()
    second = provider.dial("100")
    await until(lambda: second.ended)
    assert second.statuses[-1] == 486 and len(anna.talks) == 1


@in_world(HEAD + '[lines."100"]\nany = "extension:101"\ntrunks = "city"\n')
async def test_p1_a_line_may_be_bound_to_its_trunks(world: World) -> None:
    anna = await world.phone("101")
    stranger = customer(world, COAST).dial("100")
    await until(lambda: stranger.ended)
    assert stranger.statuses[-1] == 403
    await rings(anna, customer(world).dial("100"))


@in_world(
    HEAD
    + '[trunks.account]\nserver = "sip:10.0.9.7:5060"\nusername = "box7"\npassword = "x7"\n'
    + "rewrite_line = [{ match = '(\\d{7})', replace = '7495\\1' }]\n"
    + '[lines."74951234567"]\nany = "extension:101"\ngreeting = "welcome"\n'
)
async def test_p1_a_provider_that_calls_our_account_tells_the_number_in_to(world: World) -> None:
    """And numbers that it shortens are made whole; the line's greeting is said first (A15)."""
    anna = await world.phone("101")
    provider = customer(world, "10.0.9.7")
    talk = Talk(provider)
    talk.take(
        provider.station.ua.invite(
            uri="sip:box7@10.0.0.1",
            target=Target("udp", *US),
            from_="<sip:79161112233@10.0.9.7>",
            to="<sip:123-45-67@office.test>",
            sdp=talk.sdp(),
            on_event=talk.on_event,
        )
    )
    provider.talks.append(talk)
    await until(lambda: talk.answered)
    assert world.hears(talk) == {"welcome"}
    await rings(anna, talk)
    assert world.records()[0]["line"] == "74951234567"


@in_world(HEAD + '[lines."100"]\nany = "extension:101"\n')
async def test_p38_a_trunk_that_sends_from_another_port_is_pointed_out(world: World) -> None:
    """Once an address: that calls get 401 is the commonest surprise with a new provider."""
    provider = customer(world)
    provider.station.move((CITY, 5080))
    for _ in range(2):
        talk = provider.dial("100")
        await until(lambda: talk.ended)  # noqa: B023 - awaited at once
        assert talk.statuses[-1] == 401
    assert world.switch.trunks._sources.suspected == {(CITY, 5080)}


ACCOUNTS = """
[trunks.first]
server = "sip:10.0.9.6:5060"
username = "box1"
password = "x1"
[trunks.second]
server = "sip:10.0.9.6:5060"
username = "box2"
password = "x2"
channels = 1
[lines.box1]
any = "extension:101"
[lines.box2]
any = "extension:102"
"""


@in_world(ACCOUNTS)
async def test_p38_two_accounts_at_one_provider_are_told_apart(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    provider = customer(world, "10.0.9.6")
    await rings(anna, provider.dial("box1"))
    first = provider.dial("box2")
    await boris.rings()
    second = provider.dial("box2")
    await until(lambda: second.ended)
    assert second.statuses[-1] == 503  # its one channel is in use
    assert [row["trunk"] for row in world.records()] == ["first", "second"]
    first.hang_up()


RULES = (
    HEAD
    + MODES
    + """
[agents.anna]
extension = "101"
skills = { vip = 5 }
[menus.ask]
prompt = "welcome"
[menus.ask.collect]
field = "customer"
most = 4
then = ["rules", "extension:103"]
[[rules]]
name = "ban"
caller = ["anonymous", "+7900*"]
to = "hangup:declined"
[[rules]]
name = "six"
caller = "+7916"
called = "74951234567"
digits = { customer = "47??" }
hours = "Mon-Fri 10:00-16:00"
from_date = 2026-03-01
to_date = 2026-03-31
modes = "day"
to = "extension:104"
priority = 7
[[rules]]
name = "ask"
caller = "+7916"
to = "menu:ask"
language = "ru"
"""
)


@in_world(RULES)
async def test_a11_a_rule_with_all_six_conditions(world: World) -> None:
    """Caller, called, digits, time, weekday, date; the digits come from a menu on the way."""
    phones = await world.phones("101", "102", "103", "104")
    provider = customer(world, number="89161112233")
    with time_machine.travel(NOON, tick=False):
        for typed, rung in (("4711", 3), ("5000", 2)):
            talk = provider.dial("74951234567")
            await until(lambda: talk.answered)  # noqa: B023 - awaited at once
            talk.press(typed)
            ringing = await phones[rung].rings()
            [call] = world.switch.calls.values()
            assert call.language == "ru" and call.priority == (7 if rung == 3 else 0)
            talk.hang_up()
            await until(lambda: ringing.ended)  # noqa: B023
        provider.number = "79001112233"
        banned = provider.dial("74951234567")
        await until(lambda: banned.ended)
        assert banned.statuses[-1] == 603
        provider.number = "74953334455"
        await rings(phones[0], provider.dial("74951234567"))
    decided = [event["details"]["rule"] for event in world.events("rules")]
    assert decided == ["ask", "six", "ask", None, "ban", None]


TARGETS = (
    HEAD
    + """
[lines."100"]
any = "hangup:busy"
[agents.anna]
extension = "101"
logged_in = true
[queues.sales]
agents = ["anna"]
[menus.ask]
prompt = "welcome-office"
[[rules]]
name = "queue"
caller = "79001"
to = "queue:sales"
[[rules]]
name = "menu"
caller = "79002"
to = "menu:ask"
[[rules]]
name = "operator"
caller = "79003"
to = "extension:102"
"""
)


@in_world(TARGETS)
async def test_a12_a_rule_leads_to_a_queue_a_menu_or_an_operator(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    provider = customer(world, number="79001")
    await rings(anna, provider.dial("100"))
    provider.number = "79003"
    await rings(boris, provider.dial("100"))
    provider.number = "79002"
    talk = provider.dial("100")
    await until(lambda: talk.answered)
    assert world.hears(talk) == {"welcome-office"}
    talk.hang_up()
    await until(lambda: talk.ended)
    routes = [row["route"] for row in world.records()]
    assert routes == ["queue:sales", "extension:102", "menu:ask"]


@in_world(HEAD + MODES + '[extensions.102]\nforward = { always = "number:84957654321" }\n')
async def test_our_own_number_dialled_inside_stays_inside(world: World) -> None:
    """In any form, by forward too; by its scenario, and no trunk is seized."""
    anna, _, clara, door = await world.phones("101", "102", "103", "104")
    provider = customer(world)
    with time_machine.travel(NIGHT, tick=False):
        await rings(clara, anna.dial("84951234567"))
        assert await way(world, "+74951234567", "101") == ["extension:103"]
    await rings(door, anna.dial("102"))
    assert not provider.talks
    first, second = world.records()
    assert (first["line"], first["route"], first["direction"]) == (
        "74951234567", "extension:103", "internal",
    )  # fmt: skip
    assert second["line"] == "74957654321"


INSIDE = """
[emergency]
numbers = ["112"]
[[rules]]
name = "late"
caller = "101"
called = ["102", "112"]
hours = "Mon-Fri 18:00-23:59"
inside = true
to = "extension:103"
[[rules]]
name = "world"
to = "extension:104"
[[rules]]
name = "greeted"
called = "104"
inside = true
greeting = "welcome"
"""


@in_world(HEAD + MODES + INSIDE)
async def test_a11_rules_for_inside_decide_what_extensions_dial(world: World) -> None:
    """Others are for the world; codes and help are nobody's to decide."""
    anna, boris, clara, door = await world.phones("101", "102", "103", "104")
    with time_machine.travel(NOON, tick=False):
        await rings(boris, anna.dial("102"))
    with time_machine.travel(NIGHT, tick=False):
        assert await way(world, "102", "101") == ["extension:103"]
        assert await way(world, "104", "101") == ["play:welcome", "extension:104"]
        assert await way(world, "102", "103") == ["extension:102"]
        assert await way(world, "112", "101") == ["trunk:city", "trunk:coast"]
        await rings(clara, anna.dial("102"))
        await rings(boris, clara.dial("102"))
        await rings(door, anna.dial("104"))
        await rings(door, customer(world).dial("74957654321"))
    assert world.told().count("welcome") == 1
    rules = [(row["details"] or {}).get("rule") for row in world.records()]
    assert rules == [None, "late", None, "greeted", "world"]


async def way(world: World, number: str, caller: str = "") -> list[str]:
    """Where `softswitch route` says it leads now."""
    return (await way_of(world.switch, number, caller, dt.datetime.now(MOSCOW), {})).targets


@in_world(RULES)
async def test_a11_a_dry_run_tells_which_rule_fires_and_why(world: World) -> None:
    fields = {"customer": "4711"}
    found = await way_of(world.switch, "74951234567", "89161112233", NOON, fields)
    assert found.targets == ["extension:104"]
    assert found.steps[-2:] == ["rule six decides", "priority 7"]
    late = await way_of(world.switch, "74951234567", "89161112233", NIGHT, fields)
    assert late.targets == ["menu:ask"]
    assert "rule six does not: Wed 23:00 is outside Mon,Tue,Wed,Thu,Fri 10:00-16:00" in late.steps
    april = await way_of(
        world.switch, "74951234567", "89161112233", NOON + dt.timedelta(days=35), fields
    )
    assert "rule six does not: it ended on 2026-03-31" in april.steps
    inside = await way_of(world.switch, "89161112233", "101", NOON, {})
    assert inside.targets == [] and "no class" in inside.steps[-1]
    assert not world.records()


LOOKUPS = (
    HEAD
    + MODES
    + """
[lookups.crm]
url = "http://crm.test/?n={caller_e164}"
fallback = "extension:104"
[[rules]]
name = "blacklist"
caller = "+7900"
lookup = "crm"
found = "missing"
to = "hangup:declined"
[[rules]]
name = "customers"
lookup = "crm"
"""
)


class Crm:
    """Stands in for a customer database."""

    def __init__(self, world: World, row: dict[str, object] | None) -> None:
        self.row, self.asked = row, list[str]()
        [lookup] = world.switch.settings.lookups.values()
        world.switch.lookups._sources[lookup] = self

    async def ask(self, values: Mapping[str, str]) -> dict[str, object] | None:
        self.asked.append(values["caller_e164"])
        return self.row

    async def close(self) -> None:
        """Nothing is open."""


@in_world(LOOKUPS)
async def test_a13_a_look_up_sets_route_priority_greeting_and_name(world: World) -> None:
    boris = await world.phone("102")
    answer: dict[str, object] = {
        "route": "extension:102", "priority": 9, "greeting": "welcome", "name": "Olga",
        "balance": 12.5,
    }  # fmt: skip
    crm = Crm(world, answer)
    talk = customer(world, number="89161112233").dial("74951234567")
    ringing = await boris.rings()
    assert ringing.shown == "Olga <89161112233>"
    [call] = world.switch.calls.values()
    assert call.priority == 9 and call.fields == {"balance": "12.5"}
    assert "welcome" in world.told() and talk.answered and crm.asked == ["+79161112233"]
    talk.hang_up()
    await until(lambda: ringing.ended)
    assert world.records()[0]["caller_name"] == "Olga"


@in_world(LOOKUPS)
async def test_a13_who_is_not_found_goes_on_and_what_fails_falls_back(world: World) -> None:
    phones = await world.phones("101", "102", "103", "104")
    provider = customer(world)
    with time_machine.travel(NOON, tick=False):
        crm = Crm(world, None)
        await rings(phones[0], provider.dial("74951234567"))
        assert await way(world, "74951234567", caller="79001112233") == ["hangup:declined"]
        crm.row = {"route": "queue:nowhere"}
        world.switch.lookups._kept.clear()
        await rings(phones[3], provider.dial("74951234567"))
    [alarm] = world.switch.alarms
    assert alarm.sentence == 'look-up crm fails: there is no queue "nowhere"'
