"""Whom the world sees calling: numbers, names, privacy, who sent the call on (A14)."""

from __future__ import annotations

from softswitch.sip.message import Request
from tests.pbx.world import CITY, World, in_world
from tests.support.phone import until

NUMBER = "84951112233"
HEAD = f"""
[switch]
country = "RU"
[trunks.city]
server = "sip:{CITY}:5060"
caller_id = "74950000000"
[classes.staff]
dial = "anywhere"
trunks = "city"
[lines."74951234567"]
class = "staff"
any = "extension:102"
[extensions.101]
class = "staff"
caller_id = "74950000101"
[extensions.102]
class = "staff"
[extensions.103]
class = "staff"
hide_caller_id = true
"""


async def seen(world: World, extension: str, host: str = CITY) -> Request:
    """The INVITE that the trunk gets when this extension dials."""
    trunk = world.outside(host)
    phone = await world.phone(extension)
    talk = phone.dial(NUMBER)
    invite = (await trunk.rings()).invite
    talk.hang_up()
    await until(lambda: talk.ended)
    return invite


def user(invite: Request) -> str | None:
    return invite.from_.sip_uri.user


@in_world(HEAD)
async def test_an_extension_shows_its_number_else_the_trunk_s(world: World) -> None:
    own = await seen(world, "101")
    assert (user(own), own.from_.display) == ("74950000101", "")
    assert own.headers.get("P-Asserted-Identity") is None
    assert user(await seen(world, "102")) == "74950000000"


@in_world(HEAD)
async def test_a_hidden_number_stays_hidden(world: World) -> None:
    """RFC 3323: anonymous in From, and the wish in Privacy."""
    invite = await seen(world, "103")
    assert str(invite.from_.sip_uri) == "sip:anonymous@anonymous.invalid"
    assert invite.headers.get("Privacy") == "id"


@in_world(HEAD.replace('caller_id = "74950000000"', "trusted = true\nprivacy = true"))
async def test_a_trusted_trunk_is_told_all_the_same(world: World) -> None:
    """RFC 3325: who it is goes to those who keep it to themselves."""
    invite = await seen(world, "101")
    assert user(invite) == "anonymous" and invite.headers.get("Privacy") == "id"
    assert invite.headers.get("P-Asserted-Identity") == f'"Phone 101" <sip:74950000101@{CITY}>'


@in_world(
    HEAD.replace(
        "[extensions.102]", '[extensions.102]\nforward = { always = "number:89160000000" }'
    )
)
async def test_a_forwarded_caller_keeps_his_number_and_the_way_is_told(world: World) -> None:
    """RFC 5806, RFC 7044; the call back out is in the name of who forwarded it."""
    city = world.outside(CITY, "79161112233")
    talk = city.dial("74951234567")
    far = await city.rings()
    invite = far.invite
    assert user(invite) == "79161112233"
    assert invite.request_uri.user == "89160000000"
    [diversion] = invite.headers.values("Diversion")
    assert diversion.startswith(f"<sip:74950000000@{CITY}>;reason=unconditional")
    history = invite.headers.values("History-Info")
    assert [each.partition(";index=")[2] for each in history] == ["1", "1.1"]
    talk.hang_up()
    await until(lambda: far.ended)
