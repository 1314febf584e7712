"""The number plan: everything that can be dialled, and what is given to two at once."""

from collections.abc import Iterator

from config.codes import TAKE_NUMBER
from config.problems import Problem, dotted
from config.settings import Settings
from config.targets import NUMBERED


def plan(settings: Settings) -> Iterator[tuple[str, str]]:
    """(number, dotted key that claims it) of every whole number that may be dialled inside."""
    yield from ((number, dotted("extensions", number)) for number in settings.extensions)
    for table in NUMBERED:
        for name, entry in getattr(settings, table).items():
            if entry.number:
                yield entry.number, dotted(table, name, "number")
    yield from _feature_numbers(settings)


def _feature_numbers(settings: Settings) -> Iterator[tuple[str, str]]:
    yield from ((slot, "park.slots") for slot in settings.park.slots.numbers())
    for name, mode in settings.modes.items():
        if mode.code:
            yield mode.code, dotted("modes", name, "code")
    yield from ((number, "emergency.numbers") for number in settings.emergency.numbers)
    for name in type(settings.codes).model_fields:
        if code := getattr(settings.codes, name):
            yield code, f"codes.{name}"


def clashes(settings: Settings) -> list[Problem]:
    """Numbers claimed twice, hidden by a code or a site; keys of a call that collide."""
    found = [*_twice(settings), *_behind_codes(settings), *_in_sites(settings)]
    return [
        *found,
        *_in_call(settings),
        *_logins(settings),
        *_rules(settings),
        *_destinations(settings),
    ]


def _twice(settings: Settings) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for number, key in plan(settings):
        first = owners.setdefault(number, key)
        if first != key:
            yield Problem(key, f"{number} is already {first}; choose another number")


def _behind_codes(settings: Settings) -> Iterator[Problem]:
    """A code that takes a number at once must not hide what begins with it, codes apart."""
    for name in TAKE_NUMBER & type(settings.codes).model_fields.keys():
        code = getattr(settings.codes, name)
        for number, key in plan(settings):
            hidden = code and number.startswith(code) and number != code
            if hidden and not key.startswith("codes."):
                yield Problem(key, f"{number} begins with codes.{name} ({code}); choose another")


def _in_sites(settings: Settings) -> Iterator[Problem]:
    for name, site in settings.sites.items():
        key = dotted("sites", name, "prefix")
        for number, owner in plan(settings):
            if len(number) == site.digits and number.startswith(site.prefix):
                yield Problem(key, f"{owner} ({number}) lies among the numbers of this site")
        for other, rival in settings.sites.items():
            same_length = other > name and rival.digits == site.digits
            if same_length and rival.prefix.startswith(site.prefix):
                yield Problem(dotted("sites", other, "prefix"), f"lies within that of {name}")


def _logins(settings: Settings) -> Iterator[Problem]:
    """A name in a digest that could be an extension's or a trunk's would let one be the other."""
    owners = {number: dotted("extensions", number) for number in settings.extensions}
    for name, trunk in settings.trunks.items():
        login = trunk.inbound_username
        if login is not None:
            key = dotted("trunks", name, "inbound_username")
            if (first := owners.setdefault(login, key)) != key:
                yield Problem(key, f"{login} is already {first}; choose another name")


def _rules(settings: Settings) -> Iterator[Problem]:
    """A rule decides a call once, and is known by its name."""
    first: dict[str, int] = {}
    for index, rule in enumerate(settings.rules):
        if first.setdefault(rule.name, index) != index:
            sentence = f"{rule.name} is already rules[{first[rule.name]}]; choose another name"
            yield Problem(f"rules[{index}].name", sentence)


def _destinations(settings: Settings) -> Iterator[Problem]:
    """The longest match decides, so the same digits cannot mean two destinations."""
    owners: dict[str, str] = {}
    for name, prefixes in settings.destinations.items():
        for digits in prefixes:
            if (first := owners.setdefault(digits, name)) != name:
                sentence = f'"{digits}" belongs to {dotted("destinations", first)} already'
                yield Problem(dotted("destinations", name), sentence)


def _in_call(settings: Settings) -> Iterator[Problem]:
    """A key sequence that begins another would fire before the other is complete."""
    names = [name for name in type(settings.in_call).model_fields if _is_code(settings, name)]
    for name in names:
        for other in names:
            short, long = getattr(settings.in_call, name), getattr(settings.in_call, other)
            if name != other and long.startswith(short) and (name < other or long != short):
                yield Problem(
                    f"in_call.{other}", f'"{long}" begins with in_call.{name} ("{short}")'
                )


def _is_code(settings: Settings, name: str) -> bool:
    value = getattr(settings.in_call, name)
    return isinstance(value, str) and value != ""
