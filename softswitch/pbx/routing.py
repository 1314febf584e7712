"""What was dialled, by whom, and so where the call goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.targets import Kind
from config.trunks import Trunk
from softswitch.calls.call import Call
from softswitch.calls.causes import FORBIDDEN, UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.calls.party import ANONYMOUS, Party
from softswitch.pbx.classes import may_use
from softswitch.pbx.door import door_of, ring_inside
from softswitch.pbx.inbound import by_rules, has_rules_for
from softswitch.pbx.numbers import as_dialled, rewritten
from softswitch.pbx.peers import Phone
from softswitch.pbx.plan import Plan
from softswitch.pbx.targets import one, serve
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import Request
from softswitch.sip.types import ParseError

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


def dialled_number(request: Request) -> str:
    """The number that a request asks for."""
    return as_dialled(request.request_uri.user or "")


def outside_caller(request: Request, trunk: Trunk) -> Party:
    """Who calls through a trunk: as asserted by one that we trust, else as it says."""
    try:
        asserted = request.addresses("P-Asserted-Identity") if trunk.trusted else []
        shown: NameAddr = asserted[0] if asserted else request.from_
        user = shown.sip_uri.user or ""
    except ParseError:
        return ANONYMOUS
    number = as_dialled(user)
    if not number or number.lower() == "anonymous":
        return ANONYMOUS
    return Party(rewritten(number, trunk.rewrite_caller), shown.display)


async def from_phone(switch: Switch, phone: Phone, dialled: str, call: Call) -> None:
    """An extension dialled: a code, a number of ours, or one outside.

    A door phone's button reaches those whom its door rings, whatever it dials.
    """
    if (at := door_of(switch.settings, phone.number)) is not None:
        await ring_inside(switch, call, at)
        return
    code = switch.plan.code(dialled)
    if code is not None:
        call.doing = f"code:{code.name}"
        call.record.learn(route=call.doing)
        name, _, rest = code.name.partition(":")
        feature = switch.features.codes.get(name)
        if feature is None:
            raise Refused(UNKNOWN_NUMBER)
        if not may_use(switch.settings, phone, name):
            raise Refused(FORBIDDEN, f"the class of {phone.number} has no {name}")
        await feature(switch, call, phone, rest or code.number)
        return
    await to_number(switch, call, dialled)


async def to_number(switch: Switch, call: Call, number: str) -> None:
    """Whatever `number` reaches from inside: a place of ours, else the world."""
    target = switch.plan.target(number)
    targets = (target,) if target is not None else one(Kind.NUMBER, number)
    if has_rules_for(switch, number):
        await by_rules(switch, call, number, targets)
        return
    call.record.learn(route=str(targets[0]))
    await serve(switch, call, targets)


def called_line(plan: Plan, request: Request, trunk: Trunk) -> tuple[str, str | None]:
    """What a trunk's caller dialled, and the line that this is, if it is one.

    A provider that calls the account it knows us by tells the number in To alone.
    """
    first = rewritten(dialled_number(request), trunk.rewrite_line)
    line = plan.line(first, trunk.country)
    if line is None and first == trunk.username:
        second = rewritten(_number_in(request.headers.get("To") or ""), trunk.rewrite_line)
        line = plan.line(second, trunk.country)
        first = first if line is None else second
    return first, line


def _number_in(text: str) -> str:
    try:
        user = NameAddr.parse(text).sip_uri.user or ""
    except ParseError:
        return ""
    return as_dialled(user)
