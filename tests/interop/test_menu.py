"""Menus as callers meet them: P4, P5, P6, I1–I5, I7, A15, A16; what is heard is told by tones."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from media.g711 import encode_alaw
from tests.interop.phones import Sipp
from tests.interop.phones.live import LivePhone, LivePhones
from tests.interop.phones.steps import (
    ack,
    credentials,
    hang_up,
    invited,
    pause,
    recv,
    request,
    scenario,
    sdp,
    send,
)
from tests.interop.sound import write_tone
from tests.interop.switch import Switch, running

pytestmark = pytest.mark.interop

SETTINGS = """
[menus.main]
number = "500"
prompt = "tone-a"
keys = { 1 = "menu:sales", 2 = "play:tone-c", 9 = "language:ru", "*" = "repeat", 5 = "hangup:busy" }
timeout = 1.0
digit_time = 1.0
tries = 1
no_input = "extension:102"
invalid = "menu:main"
invalid_prompt = "tone-b"
[menus.sales]
prompt = "tone-b"
keys = { 1 = "menu:deep", "*" = "back" }
timeout = 5.0
[menus.deep]
prompt = "tone-c"
keys = { 1 = "extension:102", 2 = "menu:account" }
timeout = 5.0
[menus.account]
number = "501"
prompt = "tone-c"
collect = { field = "account", least = 3, most = 6, then = "extension:102" }
tries = 2
no_input = "hangup:normal"
[menus.spoken]
number = "502"
text = { en = "You are calling from {caller}.", ru = "Ваш номер {caller}." }
keys = { 1 = "extension:102" }
[menus.languages]
number = "503"
prompt = "greeting"
keys = { 9 = "language:ru" }
timeout = 3.0
[prompts.tone-a]
file = "a.wav"
[prompts.tone-b]
file = "b.wav"
[prompts.tone-c]
file = "c.wav"
[prompts.greeting]
file = { en = "a.wav", ru = "c.wav" }
"""
A, B, C = 600, 900, 1300
"""Hz of the three prompts."""
CALLER, OPERATOR = 440, 880


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    folder = tmp_path_factory.mktemp("menus") / "switch"
    folder.mkdir()
    for name, frequency in (("a", A), ("b", B), ("c", C)):
        write_tone(folder / f"{name}.wav", frequency, 1.6)
    with running(folder, SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def phones() -> Iterator[LivePhones]:
    with LivePhones() as opened:
        yield opened


@pytest.fixture(scope="module")
def people(office: Switch, phones: LivePhones) -> tuple[LivePhone, LivePhone]:
    """The caller 101 and the operator 102."""
    return phones.phone(office.account("101"), CALLER), phones.phone(
        office.account("102"), OPERATOR
    )


@pytest.fixture
def caller(people: tuple[LivePhone, LivePhone]) -> Iterator[LivePhone]:
    yield people[0]
    people[0].phones.hang_up_all()


@pytest.fixture
def operator(people: tuple[LivePhone, LivePhone]) -> LivePhone:
    return people[1]


def fields(office: Switch) -> dict[str, str]:
    """What menus collected in the latest call."""
    time.sleep(0.4)
    with closing(sqlite3.connect(office.folder / "data" / "switch.db")) as database:
        [(details,)] = database.execute(
            "select details from calls order by began_at desc limit 1"
        ).fetchall()
    found: dict[str, str] = json.loads(details)["fields"]
    return found


def events(office: Switch, kind: str) -> list[dict[str, object]]:
    """What the record of the latest call tells of that kind."""
    time.sleep(0.4)
    with closing(sqlite3.connect(office.folder / "data" / "switch.db")) as database:
        rows = database.execute(
            "select details from call_events where kind = ? and call_id ="
            " (select id from calls order by began_at desc limit 1) order by number",
            (kind,),
        ).fetchall()
    return [json.loads(row[0]) for row in rows]


def test_p4_an_extension_dialled_during_the_greeting_is_reached(
    office: Switch, caller: LivePhone, operator: LivePhone
) -> None:
    call = caller.calls("500").hears(A).press("102")
    operator.takes().hears(CALLER)
    call.hears(OPERATOR).hang_up()

    assert events(office, "target")[-1]["target"] == "extension:102"


def test_p5_who_presses_nothing_is_passed_to_the_operator(
    caller: LivePhone, operator: LivePhone
) -> None:
    call = caller.calls("500").hears(A)
    operator.takes().hears(CALLER)
    call.hears(OPERATOR)


def test_p6_a_tree_of_three_levels_is_walked_there_and_back(
    office: Switch, caller: LivePhone, operator: LivePhone
) -> None:
    """`8` means nothing and leads to the invalid branch; `*` goes back one level."""
    call = caller.calls("500").hears(A).press("8").hears(B).hears(A)
    call.press("1").hears(B).press("*").hears(A).press("1").hears(B)
    call.press("1").hears(C).press("1")
    operator.takes().hears(CALLER)
    call.hang_up()

    walked = [event["menu"] for event in events(office, "menu")]
    assert walked == ["main", "main", "sales", "main", "sales", "deep"]


def test_i1_a_menu_informs_without_anybody(caller: LivePhone) -> None:
    caller.calls("500").hears(A).press("2").hears(C).over()


def test_i3_a_language_is_chosen_by_key(caller: LivePhone) -> None:
    caller.calls("503").hears(A).press("9").hears(C)


def test_i4_a_text_with_variables_is_spoken(office: Switch, caller: LivePhone) -> None:
    caller.calls("502").hears_voice()

    assert list((office.folder / "data" / "speech").glob("*.wav"))


@pytest.mark.parametrize("form", ["rfc4733", "info", "inband"])
def test_i5_keys_count_once_however_they_are_sent(
    office: Switch, caller: LivePhone, operator: LivePhone, tmp_path: Path, form: str
) -> None:
    """I7: they are kept with the call."""
    with press_digits(office, tmp_path, form) as phone:
        operator.takes()
        run = phone.wait()

    assert run.code == 0, run.errors
    assert fields(office) == {"account": "1233"}


def press_digits(office: Switch, folder: Path, form: str) -> Sipp:
    """Call 501 and press 1233# in that form."""
    offer = sdp(formats="8")
    if form == "rfc4733":
        offer = sdp(formats="8 96").replace("a=send", "a=rtpmap:96 telephone-event/8000\na=send")
        presses = ['<nop><action><exec play_dtmf="1233#"/></action></nop>', pause(3000)]
    elif form == "info":
        presses = [step for n, digit in enumerate("1233#") for step in info(digit, 3 + n)]
    else:
        sound = folder / "keys.alaw"
        sound.write_bytes(dtmf_alaw("1233#"))
        presses = [f'<nop><action><exec rtp_stream="{sound},1,8"/></action></nop>', pause(1800)]
    steps = [*invited(offer), recv(200), ack(), pause(300), *presses, pause(600), *hang_up(20)]
    return Sipp(
        folder / "caller",
        scenario(*steps),
        f"127.0.0.1:{office.port}",
        service="501",
        fields=[credentials("103")],
        timeout=60,
    )


def info(digit: str, number: int) -> list[str]:
    body = f"Signal={digit}\nDuration=160"
    message = request("INFO", number)
    with_body = send(message, body, retrans=True)
    return [with_body.replace("application/sdp", "application/dtmf-relay"), recv(200), pause(200)]


def dtmf_alaw(keys: str) -> bytes:
    """The keys as tones in A-law, 120 ms each with as much silence between."""
    low, high = (697, 770, 852, 941), (1209, 1336, 1477)
    moments = np.arange(960) / 8000
    pieces = []
    for key in keys:
        row, column = divmod("123456789*0#".index(key), 3)
        tone = np.sin(2 * np.pi * low[row] * moments) + np.sin(2 * np.pi * high[column] * moments)
        pieces += [(tone * 6000).astype(np.int16), np.zeros(960, np.int16)]
    return encode_alaw(np.concatenate(pieces)).tobytes()
