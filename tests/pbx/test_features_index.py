"""P35: features are modules that an index names; the index has no holes, and can be another one."""

from config.codes import CodesTable, InCallTable
from config.targets import IN_MENUS, IN_QUEUES, Kind
from softswitch.pbx.features import FEATURES
from tests.pbx.world import World, in_world

NO_CODES = {"digit_time", "outside", "conference"}
"""Of `[in_call]`: settings, and the key that only a consultation knows."""


def test_every_code_and_target_of_the_settings_is_served() -> None:
    assert CodesTable.model_fields.keys() <= FEATURES.codes.keys()
    assert InCallTable.model_fields.keys() - NO_CODES <= FEATURES.in_call.keys()
    assert set(Kind) - IN_MENUS - IN_QUEUES <= FEATURES.targets.keys()


@in_world()
async def test_p35_a_module_is_taken_away_without_touching_the_rest(world: World) -> None:
    codes = {name: one for name, one in FEATURES.codes.items() if name != "echo"}
    world.switch.features = FEATURES._replace(codes=codes)
    anna, boris = await world.phones("101", "102")

    echo = anna.dial("*43")
    await world.settle()
    talk = anna.dial("102")
    (await boris.rings()).answer()
    await world.settle()

    assert echo.statuses[-1] == 404
    assert world.hears(talk) == {"102"}


AGENTS = """
[agents.anna]
logged_in = false
[menus.m]
number = "500"
prompt = "welcome"
direct_dial = false
keys = { 1 = "agent:anna" }
"""


@in_world(AGENTS)
async def test_a12_a_call_goes_straight_to_an_agent_wherever_he_sits(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    caller = anna.dial("500")
    await world.settle()
    caller.press("1")
    await world.settle()
    assert "unavailable" in world.told()
    world.centre.roster.log_in("anna", "102")
    caller.press("1")
    (await boris.rings()).answer()
    await world.settle()

    assert world.hears(caller) == {"102"}


@in_world('[in_call]\nhang_up = "**"\n')
async def test_a_key_ends_the_call(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    (await boris.rings()).answer()
    await world.settle()

    talk.press("**")
    await world.settle()

    assert talk.ended and boris.talks[0].ended


@in_world()
async def test_a_feature_that_fails_ends_its_own_call_only(world: World) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    world.switch.features = FEATURES._replace(codes={**FEATURES.codes, "echo": broken})
    anna, boris, carl = await world.phones("101", "102", "103")
    talk = anna.dial("102")
    (await boris.rings()).answer()
    unlucky = carl.dial("*43")
    await world.settle()

    assert unlucky.statuses[-1] == 500
    assert [row["cause"] for row in world.records() if row["dialled"] == "*43"] == ["failed"]
    assert world.hears(talk) == {"102"}


CIRCLE = """
[menus.a]
number = "500"
prompt = "welcome"
no_input = "menu:b"
[menus.b]
prompt = "welcome"
no_input = "menu:a"
"""


@in_world(CIRCLE)
async def test_menus_that_lead_in_a_circle_let_a_silent_caller_go(world: World) -> None:
    (anna,) = await world.phones("101")
    call = anna.dial("500")
    await world.pass_time(3600)

    assert call.ended
    assert world.records()[-1]["cause"] == "loop"
