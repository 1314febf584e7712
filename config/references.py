"""Names that lead nowhere: targets, agents, classes, trunks, modes … each with what was meant."""

from collections.abc import Collection, Iterable, Iterator

from pydantic import BaseModel

from acd.skills import parse
from config.lines import BUILT_IN, Line
from config.problems import Problem, did_you_mean, dotted
from config.settings import Settings
from config.targets import IN_MENUS, IN_QUEUES, Kind, Target

MUSIC = ("default", "silence", "ringing")
"""Music classes that need no table."""


def dangling(settings: Settings) -> list[Problem]:
    """Every reference of every table that names nothing."""
    return [*_names(settings), *_targets(settings), *_modes_of_lines(settings)]


def _unknown(key: str, what: str, name: str, known: Iterable[str]) -> Problem:
    return Problem(key, f'there is no {what} "{name}"{did_you_mean(name, known)}')


def _names(settings: Settings) -> Iterator[Problem]:
    for key, what, names, known in _references(settings):
        for name in names:
            if name is not None and name not in known:
                yield _unknown(key, what, name, known)


Reference = tuple[str, str, Iterable[str | None], Collection[str]]


def _references(settings: Settings) -> Iterator[Reference]:
    """(dotted key, what is named, the names, those that exist)."""
    yield from _of_people(settings)
    yield from _of_queues(settings)
    yield from _of_rooms(settings)
    yield from _of_routes(settings)


def _of_people(s: Settings) -> Iterator[Reference]:
    music = {*s.music, *MUSIC}
    for number, extension in s.extensions.items():
        key = dotted("extensions", number)
        yield f"{key}.class", "class", [extension.class_], s.classes
        yield f"{key}.trunks", "trunk", extension.trunks or (), s.trunks
        yield f"{key}.pickup", "pickup group", extension.pickup, s.pickup
        yield f"{key}.music", "music", [extension.music], music
    for name, agent in s.agents.items():
        yield dotted("agents", name, "extension"), "extension", [agent.extension], s.extensions
        yield dotted("agents", name, "class"), "class", [agent.class_], s.classes


def _of_queues(s: Settings) -> Iterator[Reference]:
    music, skills = {*s.music, *MUSIC}, _skills(s)
    for name, queue in s.queues.items():
        key = dotted("queues", name)
        yield f"{key}.agents", "agent", queue.agents, s.agents
        yield f"{key}.skills", "agent with the skill", queue.skills, skills
        yield f"{key}.requires", "agent with the skill", parse(queue.requires or "").names, skills
        yield f"{key}.weights", "agent", queue.weights, s.agents
        yield f"{key}.also", "queue", queue.also, s.queues
        yield f"{key}.open", "mode", queue.open, s.mode_names
        yield f"{key}.music", "music", [queue.music], music
        for index, tier in enumerate(queue.tiers):
            yield f"{key}.tiers[{index}].agents", "agent", tier.agents, s.agents
        for index, relax in enumerate(queue.relax):
            where, names = f"{key}.relax[{index}]", parse(relax.requires or "").names
            yield f"{where}.skills", "agent with the skill", relax.skills, skills
            yield f"{where}.requires", "agent with the skill", names, skills
        if queue.callback:
            yield f"{key}.callback.class", "class", [queue.callback.class_], s.classes


def _skills(s: Settings) -> set[str]:
    return {skill for agent in s.agents.values() for skill in agent.skills}


def _of_rooms(s: Settings) -> Iterator[Reference]:
    music = {*s.music, *MUSIC}
    for name, group in s.groups.items():
        plain = [member for member in group.members if ":" not in member]
        yield dotted("groups", name, "members"), "extension", plain, s.extensions
        yield dotted("groups", name, "music"), "music", [group.music], music
    for name, pickup in s.pickup.items():
        yield dotted("pickup", name, "members"), "extension", pickup.members, s.extensions
    for name, page in s.paging.items():
        yield dotted("paging", name, "members"), "extension", page.members, s.extensions
        yield dotted("paging", name, "allowed"), "extension", page.allowed, s.extensions
    for name, room in s.conferences.items():
        yield dotted("conferences", name, "moderators"), "extension", room.moderators, s.extensions
        yield dotted("conferences", name, "music"), "music", [room.music], music
    for name, door in s.doors.items():
        yield dotted("doors", name, "extension"), "extension", [door.extension], s.extensions
        yield dotted("doors", name, "allowed"), "extension", door.allowed, s.extensions
    for name, box in s.boxes.items():
        yield dotted("boxes", name, "members"), "extension", box.members, s.extensions
        yield dotted("boxes", name, "operator"), "extension", [box.operator], s.extensions
        yield dotted("boxes", name, "distribute"), "queue", [box.distribute], s.queues
    yield "park.page", "paging group", [s.park.page], s.paging
    yield "park.music", "music", [s.park.music], music


def _of_routes(s: Settings) -> Iterator[Reference]:
    destinations = {*s.destinations, *BUILT_IN}
    for name, line in s.lines.items():
        yield dotted("lines", name, "class"), "class", [line.class_], s.classes
        yield dotted("lines", name, "trunks"), "trunk", line.trunks, s.trunks
        yield dotted("lines", name, "music"), "music", [line.music], {*s.music, *MUSIC}
    for name, allowed in s.classes.items():
        for field in ("dial", "barred", "override", "expensive"):
            key = dotted("classes", name, field)
            yield key, "destination", getattr(allowed, field), destinations
        yield dotted("classes", name, "trunks"), "trunk", allowed.trunks, s.trunks
        codes = type(s.codes).model_fields
        yield dotted("classes", name, "features"), "feature code", allowed.features or (), codes
    for name, site in s.sites.items():
        yield dotted("sites", name, "trunk"), "trunk", [site.trunk], s.trunks
    for index, rule in enumerate(s.rules):
        yield f"rules[{index}].modes", "mode", rule.modes, s.mode_names
        yield f"rules[{index}].lookup", "look-up", [rule.lookup], s.lookups
        yield f"rules[{index}].skills", "agent with the skill", rule.skills, _skills(s)
    yield "emergency.trunks", "trunk", s.emergency.trunks, s.trunks
    yield "emergency.notify", "extension", s.emergency.notify, s.extensions


def _targets(settings: Settings) -> Iterator[Problem]:
    for key, target in all_targets(settings):
        if problem := lost(settings, key, target):
            yield problem


def lost(settings: Settings, key: str, target: Target) -> Problem | None:
    """What is wrong with a target that stands at `key`; None where it leads somewhere."""
    where: dict[Kind, Collection[str]] = {
        Kind.EXTENSION: settings.extensions,
        Kind.GROUP: settings.groups,
        Kind.QUEUE: settings.queues,
        Kind.MENU: settings.menus,
        Kind.CONFERENCE: settings.conferences,
        Kind.AGENT: settings.agents,
        Kind.PAGE: settings.paging,
        Kind.DOOR: settings.doors,
    }
    if target.kind in IN_MENUS and not key.startswith("menus."):
        return Problem(key, f'"{target}" means something only in a menu')
    if target.kind in IN_QUEUES and not key.startswith("queues."):
        return Problem(key, f'"{target}" means something only in a queue')
    if target.kind is Kind.RULES and key.startswith(("rules", "lookups")):
        return Problem(key, "rules that ask the rules turn in a circle; name a place")
    if target.kind is Kind.VOICEMAIL and not settings.has_box(target.name):
        return _no_box(settings, key, target.name)
    if target.kind in where and target.name not in where[target.kind]:
        return _unknown(key, target.kind, target.name, where[target.kind])
    return None


def _no_box(settings: Settings, key: str, name: str) -> Problem:
    if name in settings.extensions:
        return Problem(key, f"{name} has no voicemail; set extensions.{name}.voicemail = true")
    boxes = [*settings.boxes, *(n for n, e in settings.extensions.items() if e.voicemail)]
    return _unknown(key, "voicemail box", name, boxes)


def all_targets(settings: Settings) -> Iterator[tuple[str, Target]]:
    """(dotted key, target) of everything that leads a call somewhere."""
    for table in type(settings).model_fields:
        yield from _walk(getattr(settings, table), (table,))


def _walk(value: object, path: tuple[int | str, ...]) -> Iterator[tuple[str, Target]]:
    match value:
        case Target():
            yield dotted(*path), value
        case dict():
            for key, inner in value.items():
                yield from _walk(inner, (*path, key))
        case tuple() if value and not hasattr(value, "_fields"):
            alone = len(value) == 1 and isinstance(value[0], Target)
            for index, inner in enumerate(value):
                yield from _walk(inner, path if alone else (*path, index))
        case BaseModel():
            for key in type(value).model_fields:
                yield from _walk(getattr(value, key), (*path, key.rstrip("_")))
            yield from _walk(value.model_extra or {}, path)


def _modes_of_lines(settings: Settings) -> Iterator[Problem]:
    """A line's own keys are checked by pydantic; every other one must be a mode."""
    fields = [field.alias or name for name, field in Line.model_fields.items()]
    for number, line in settings.lines.items():
        for mode in line.scenarios:
            if mode not in settings.mode_names:
                known = [*settings.mode_names, *fields]
                hint = did_you_mean(mode, known)
                sentence = f"is neither a setting of lines nor a mode of [modes]{hint}"
                yield Problem(dotted("lines", number, mode), sentence)
