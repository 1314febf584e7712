"""Log lines: JSON for machines, words for people, nothing below the level."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from config.api import LogTable
from softswitch.logging import configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_a_line_is_one_json_object() -> None:
    stream = io.StringIO()
    configure(LogTable(format="json"), stream)

    structlog.get_logger().info("call ended", call="7f", cause=200)

    told = json.loads(stream.getvalue())
    assert (told["event"], told["call"], told["cause"]) == ("call ended", "7f", 200)
    assert told["level"] == "info" and told["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_told() -> None:
    stream = io.StringIO()
    configure(LogTable(level="warning", format="json"), stream)

    structlog.get_logger().info("nothing")

    assert stream.getvalue() == ""


def test_records_of_libraries_come_the_same_way() -> None:
    stream = io.StringIO()
    configure(LogTable(format="json"), stream)

    logging.getLogger("uvicorn").error("cannot %s", "serve")

    told = json.loads(stream.getvalue())
    assert (told["event"], told["source"]) == ("cannot serve", "uvicorn")


def test_people_get_words() -> None:
    stream = io.StringIO()
    configure(LogTable(format="human"), stream)

    structlog.get_logger().warning("trunk is down", trunk="city")

    assert "trunk is down" in stream.getvalue() and "{" not in stream.getvalue()


def test_a_crash_is_told_to_people_without_what_the_variables_held() -> None:
    """Rich shows locals: passwords would be in the log, and all calls wait for seconds."""
    stream = io.StringIO()
    configure(LogTable(format="human"), stream)
    try:
        _crash(password="-".join(["s3cr3t", "word"]))
    except ZeroDivisionError:
        structlog.get_logger().exception("crashed")

    assert "ZeroDivisionError" in stream.getvalue()
    assert "s3cr3t-word" not in stream.getvalue()


def _crash(password: str) -> float:
    return len(password) / 0
