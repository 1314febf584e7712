"""Calendars behind modes: hours, dates, public holidays, iCalendar files (P23)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.loader import read
from config.settings import Settings
from softswitch.pbx.modes import by_calendar, next_change

MOSCOW = ZoneInfo("Europe/Moscow")
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//office//EN
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/Moscow:20260302T150000
DTEND;TZID=Europe/Moscow:20260302T163000
RRULE:FREQ=WEEKLY;BYDAY=MO
EXDATE;TZID=Europe/Moscow:20260316T150000
SUMMARY:All hands
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20260310
DTEND;VALUE=DATE:20260312
SUMMARY:Stock-taking
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20260313T090000Z
DTEND:20260313T100000Z
STATUS:CANCELLED
SUMMARY:Fire drill
END:VEVENT
END:VCALENDAR
"""
MODES = {
    "day": "Mon-Fri 09:00-18:00",
    "meeting": {"calendar": "office.ics"},
    "holiday": {"holidays": "RU", "dates": ["2026-03-20"]},
}


def settings(folder: Path) -> Settings:
    (folder / "office.ics").write_text(CALENDAR.replace("\n", "\r\n"))
    found, problems = read(
        {"switch": {"timezone": "Europe/Moscow"}, "modes": MODES}, folder, warn=False
    )
    assert found is not None, problems
    return found


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("moment", "mode"),
    [
        (at(2, 12), "day"),
        (at(2, 15), "meeting"),
        (at(2, 16, 30), "day"),  # the moment it ends it is over
        (at(9, 16), "holiday"),  # 8 March was a Sunday: the Monday is off, whoever meets
        (at(16, 15, 30), "day"),  # excepted
        (at(23, 15, 30), "meeting"),
        (at(11, 23), "meeting"),  # a whole day
        (at(12, 0), "night"),
        (at(13, 12, 30), "day"),  # cancelled
        (at(20, 12), "holiday"),
        (at(21, 12), "night"),
        (at(1, 12, month=1), "holiday"),
    ],
)
def test_the_calendar_chooses_the_mode(tmp_path: Path, moment: dt.datetime, mode: str) -> None:
    assert by_calendar(settings(tmp_path), moment) == mode


@pytest.mark.parametrize(
    ("moment", "change"),
    [
        (at(2, 12), at(2, 15)),
        (at(2, 15, 10), at(2, 16, 30)),
        (at(6, 19), at(8, 0)),  # Friday evening: nothing before the holiday on Sunday
        (at(11, 23), at(12, 0)),
    ],
)
def test_the_next_change_is_foreseen(
    tmp_path: Path, moment: dt.datetime, change: dt.datetime
) -> None:
    found = next_change(settings(tmp_path), moment.timestamp())
    assert found is not None and dt.datetime.fromtimestamp(found, MOSCOW) == change


def test_where_nothing_changes_nothing_is_foreseen() -> None:
    assert next_change(Settings(), at(2, 12).timestamp()) is None


def test_the_same_calendar_is_no_change_of_settings(tmp_path: Path) -> None:
    first, second = settings(tmp_path), settings(tmp_path)
    assert first == second
    (tmp_path / "office.ics").write_text(CALENDAR.replace("163000", "170000"))
    third, _ = read({"switch": {"timezone": "Europe/Moscow"}, "modes": MODES}, tmp_path)
    assert third is not None and third.modes["meeting"] != first.modes["meeting"]


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ({"holidays": "ZZ"}, 'the holidays of "ZZ" are not known'),
        ({"calendar": "none.ics"}, "cannot be read (No such file or directory)"),
        ({"calendar": "broken.ics"}, "is no iCalendar file"),
    ],
)
def test_a_calendar_that_is_not_there_is_told(
    tmp_path: Path, mode: dict[str, str], sentence: str
) -> None:
    (tmp_path / "broken.ics").write_text("Monday to Friday")
    found, [problem] = read({"modes": {"away": mode}}, tmp_path)
    assert found is None and problem.key == "modes.away" and sentence in problem.sentence
