"""Who may import whom: the rules of the rooms, executable."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

PACKAGES: dict[str, set[str]] = {
    "acd": set(),
    "media": set(),
    "config": {"acd", "media"},
    "softswitch": {"acd", "media", "config"},
}
"""What each package may import of ours."""

PROTOCOL = {"sip", "sdp"}
ROOMS: dict[str, set[str]] = {
    "sip": set(),
    "sdp": set(),
    "transport": {"sip"},
    "store": set(),
    "calls": {*PROTOCOL, "entropy"},
    "pbx": {*PROTOCOL, "calls", "store"},
    "api": {"calls", "pbx", "store"},
    "simulation": {"pbx", "store"},
    "cli": {"app", "simulation"},
    "logging": set(),
    "entropy": set(),
    "app": {*PROTOCOL, "transport", "store", "calls", "pbx", "api", "logging", "entropy"},
    "__main__": {"cli"},
}
"""What each room of `softswitch` may import of the others; `logging` is for all."""

STRANGERS = {
    "sip": {"media", "acd", "config", "asyncio", "socket", "structlog", "pydantic", "sqlalchemy"},
    "sdp": {"media", "acd", "config", "asyncio", "socket", "structlog", "pydantic", "sqlalchemy"},
    "transport": {"media", "acd", "sqlalchemy"},
    "calls": {"acd", "sqlalchemy", "fastapi"},
    "store": {"media", "acd", "fastapi"},
}
"""Packages that a room must not know, ours or others'."""

SANS_IO = {"acd": {"asyncio", "socket", "time", "sqlalchemy", "structlog", "pydantic"}}


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a source file imports, relative ones made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def room_of(path: Path) -> str:
    """`softswitch/sip/uri.py` and `softswitch/sip.py` are both of room sip."""
    return path.relative_to(ROOT / "softswitch").with_suffix("").parts[0]


def test_packages_depend_one_way() -> None:
    for package, allowed in PACKAGES.items():
        for path in sources(package):
            ours = {name.partition(".")[0] for name in imports(path)} & PACKAGES.keys()
            strangers = ours - allowed - {package}
            assert not strangers, f"{path.relative_to(ROOT)} imports {strangers}"


def test_rooms_of_the_switch_depend_one_way() -> None:
    for path in sources("softswitch"):
        room = room_of(path)
        if room == "__init__":
            continue
        assert room in ROOMS, f"softswitch/{room} is a new room; say in ROOMS what it may import"
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("softswitch.")}
        strangers = (ours & ROOMS.keys()) - ROOMS[room] - {room, "logging"}
        assert not strangers, f"{path.relative_to(ROOT)} imports {strangers}"


def test_rooms_do_not_know_what_is_none_of_their_business() -> None:
    for room, strangers in STRANGERS.items():
        for path in sources(f"softswitch/{room}"):
            known = {name.partition(".")[0] for name in imports(path)} & strangers
            assert not known, f"{path.relative_to(ROOT)} imports {known}"


def test_the_queue_alone_joins_the_call_centre_to_calls() -> None:
    for path in sources("softswitch/pbx"):
        if not path.stem.startswith(("queue", "acd_")) and "queue" not in path.parts:
            knows = any(name.partition(".")[0] == "acd" for name in imports(path))
            assert not knows, f"{path.relative_to(ROOT)} imports acd"


def test_the_engine_has_neither_clock_nor_sockets() -> None:
    for package, strangers in SANS_IO.items():
        for path in sources(package):
            known = {name.partition(".")[0] for name in imports(path)} & strangers
            assert not known, f"{path.relative_to(ROOT)} imports {known}"


def sleeps(path: Path) -> Iterator[int]:
    """Lines of `path` that wait for real time; `sleep(0)` only gives way."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            gives_way = [ast.unparse(argument) for argument in node.args] == ["0"]
            if node.func.attr == "sleep" and not gives_way:
                yield node.lineno


def test_nothing_sleeps_but_the_tests_with_real_phones() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources("tests")
        if "interop" not in path.parts
        for line in sleeps(path)
    ]
    assert not found


def test_what_runs_has_no_address_of_a_package_index() -> None:
    text = (ROOT / "requirements.lock").read_text()

    assert "://" not in text
    assert all(line.startswith((" ", "#")) or "==" in line for line in text.splitlines() if line)
