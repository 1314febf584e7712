"""Warnings: what can be obeyed, but was probably not meant."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from config.addresses import is_loopback
from config.groups import Group
from config.menus import Menu
from config.problems import Problem, dotted
from config.prompts import shipped, unsaid
from config.queues import Queue
from config.references import all_targets
from config.settings import Settings
from config.targets import Kind


def advice(settings: Settings) -> list[Problem]:
    """Everything worth a second look."""
    found = [*_placeholders(settings), *_passwords(settings), *_files(settings)]
    found += [*unsaid(settings), *_idle(settings), *_never(settings)]
    found += _everything(settings)
    return [Problem(key, sentence, warning=True) for key, sentence in found]


def _placeholders(settings: Settings) -> Iterator[tuple[str, str]]:
    if all(is_loopback(listen.host) for listen in settings.sip.listen):
        return
    for number, extension in settings.extensions.items():
        if extension.is_placeholder:
            key = dotted("extensions", number, "password")
            yield (
                key,
                "everybody knows this password, so it works from this machine only; change it",
            )


def _passwords(settings: Settings) -> Iterator[tuple[str, str]]:
    for number, extension in settings.extensions.items():
        if extension.password is None and extension.ha1 is None:
            yield dotted("extensions", number), "no phone can register: give a password or a ha1"
        offers = extension.digest or settings.sip.digest
        if offers != "md5" and extension.ha1 and not extension.ha1_sha256:
            key = dotted("extensions", number, "ha1_sha256")
            yield key, f'is missing, so digest = "{offers}" can be answered by MD5 only'


def _files(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, prompt in settings.prompts.items():
        if prompt.file is None:
            continue
        files = prompt.file if isinstance(prompt.file, dict) else {"": prompt.file}
        for language, path in files.items():
            if not path.is_file():
                key = dotted("prompts", name, "file", *([language] if language else []))
                yield key, f"{path} does not exist; {_instead(settings, name, files)} instead"
    for name, music in settings.music.items():
        if music.folder is not None and not music.folder.is_dir():
            yield dotted("music", name, "folder"), f"there is no folder {music.folder}"
        for index, path in enumerate(music.files):
            if not path.is_file():
                yield dotted("music", name, "files", index), f"{path} does not exist"


def _instead(settings: Settings, name: str, files: Mapping[str, Path]) -> str:
    """What is heard where one of the files is not there, in the order in which it is looked for."""
    if any(files[each].is_file() for each in (settings.switch.language, "en") if each in files):
        return "callers hear it in another language"
    if settings.prompts[name].text:
        return "its text is spoken"
    return "callers hear the one that ships" if name in shipped() else "callers hear nothing"


def _everything(settings: Settings) -> Iterator[tuple[str, str]]:
    """Rules that would take every call of every extension, calls to the outside too."""
    for index, rule in enumerate(settings.rules):
        if rule.inside and rule.to and not (rule.caller or rule.called or rule.digits):
            key = dotted("rules", index, "inside")
            yield key, "decides whatever extensions dial; say which by caller or called"


def _idle(settings: Settings) -> Iterator[tuple[str, str]]:
    """Tables that no call can reach, and queues that nobody serves."""
    reached = {target for _, target in all_targets(settings)}
    kinds: dict[Kind, Mapping[str, Queue | Menu | Group]] = {
        Kind.QUEUE: settings.queues,
        Kind.MENU: settings.menus,
        Kind.GROUP: settings.groups,
    }
    named = {(target.kind, target.name) for target in reached}
    for kind, tables in kinds.items():
        for name, table in tables.items():
            if table.number is None and (kind, name) not in named:
                yield dotted(f"{kind}s", name), "has no number and nothing leads to it"
    for name, queue in settings.queues.items():
        if not queue.agents and not queue.tiers:
            yield dotted("queues", name, "agents"), "nobody serves this queue; name its agents"


def _never(settings: Settings) -> Iterator[tuple[str, str]]:
    """Rules that wait for digits that nobody is asked for, and look-ups that nobody asks."""
    collected = {menu.collect.field for menu in settings.menus.values() if menu.collect}
    for index, rule in enumerate(settings.rules):
        for field in rule.digits.keys() - collected:
            yield dotted("rules", index, "digits", field), "no menu collects it"
    asked = {rule.lookup for rule in settings.rules}
    for name in settings.lookups.keys() - asked:
        yield dotted("lookups", name), "no rule asks it"
