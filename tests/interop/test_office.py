"""More of the office with real phones: what the tour (test_features) does not come to.

One switch runs the example office, with rules, look-ups, doors and rooms laid over it.  Most
phones are baresip as a library, with a tone each; SIPp plays those that watch lamps, take calls
by a lamp key, open locks and write messages.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.interop.phones import Baresip, Sipp
from tests.interop.phones.live import LivePhone, LivePhones, LiveTalk, two_talk, until
from tests.interop.phones.registering import register
from tests.interop.phones.steps import (
    AUTHORIZED,
    REFERENCE,
    accept_bye,
    ack,
    answer,
    credentials,
    done,
    expect,
    invited,
    recv,
    request,
    scenario,
    sdp,
    send,
)
from tests.interop.ports import free_ports
from tests.interop.sound import write_tone
from tests.interop.switch import ExampleOffice, serving, told

pytestmark = pytest.mark.interop

TONES = {"101": 440, "102": 660, "103": 880, "109": 1100, "106": 1400}
DESK, ANNA, BORIS, DOOR, GUEST = TONES.values()
JINGLE, OFFER, HELLO, ASK, SHORT = 500, 750, 1000, 1250, 1700
"""Hz of the sound files."""
SAID_SHORT = [
    "callback-accepted",
    "conf-all-muted",
    "conf-enter-pin",
    "conf-joined",
    "conf-left",
    "conf-muted",
    "conf-only-person",
    "conf-say-name",
    "echo-begin",
    "mode-automatic",
]
"""Prompts that are a tone here, since nobody waits for their words."""
SOUNDS = {"jingle": JINGLE, "offer": OFFER, "hello": HELLO, "ask": ASK}
CHANGES = """
[music.news]
files = ["jingle.wav", "offer.wav"]
[prompts.hello]
file = { en = "hello.wav", ru = "absent.wav" }
[prompts.ask]
file = "ask.wav"
[extensions.102]
music = "news"
[extensions.104]
language = "ru"
[extensions.106]
name = "Guest"
password = "secret-106"
[extensions.107]
password = "secret-107"
[extensions.108]
password = "secret-108"
[modes.drill]
code = "*93"
[menus.account]
prompt = "ask"
collect = { field = "account", least = 3, most = 5, then = ["rules", "hangup:declined"] }
[menus.service]
number = "501"
prompt = "hello"
keys = { 1 = "extension:102" }
[lines.74951234567]
any = "menu:account"
record = false
[lines.74950000002]
any = "hangup:gone"
[lines.74950000003]
any = "hangup:gone"
[lookups.crm]
url = "http://127.0.0.1:{web}/who?number={caller}"
timeout = 20
[lookups.slow]
url = "http://127.0.0.1:{web}/slow"
timeout = 0.3
fallback = "extension:101"
[conferences.board]
names = true
pin = "7"
moderators = ["101"]
[extensions.110]
password = "secret-110"
voicemail = true
[extensions.109]
name = "Back door"
password = "secret-109"
[doors.back]
extension = "109"
to = ["extension:102", "extension:103"]
allowed = ["102"]
unlock = { http = "http://127.0.0.1:{web}/open", password = "admin:door" }
[doors.yard]
extension = "107"
to = ["extension:101", "extension:103"]
allowed = ["101"]
unlock = { info = "Signal=5" }
"""
RULES = """
[[rules]]
name = "other-day"
hours = "{other_day} 00:00-24:00"
to = "hangup:busy"
[[rules]]
name = "past"
to_date = {last_week}
to = "hangup:busy"
[[rules]]
name = "large"
called = "74951234567"
digits = {{ account = "47*" }}
hours = "Mon-Sun 00:00-24:00"
from_date = {last_week}
to_date = {next_week}
to = "queue:sales"
[[rules]]
name = "menu"
caller = "102"
called = "74950000002"
to = "menu:service"
[[rules]]
name = "operator"
caller = "103"
called = "74950000002"
to = "extension:101"
priority = 4
[[rules]]
name = "crm"
caller = "106"
called = "74950000002"
lookup = "crm"
[[rules]]
name = "slow"
called = "74950000003"
lookup = "slow"
[[rules]]
name = "house-call"
caller = "106"
called = "104"
inside = true
to = "extension:102"
"""


class Web:
    """The customers' list, and the lock of the front door."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        """Paths, and who proved himself."""
        self._released = threading.Event()
        asked, released = self.asked, self._released

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers.get("Authorization", "")))
                if self.path == "/slow":
                    released.wait(60)
                answer = {"route": "extension:103", "greeting": "hello", "name": "Olga", "debt": 3}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


class Office(NamedTuple):
    """The switch and its people."""

    switch: ExampleOffice
    phones: LivePhones
    web: Web
    desk: LivePhone
    anna: LivePhone
    boris: LivePhone
    door: LivePhone
    guest: LivePhone

    def sipp(self, folder: Path, *steps: str, user: str, to: str) -> Sipp:
        """A SIPp that is an extension and calls by these steps."""
        row = credentials(user)
        remote = f"127.0.0.1:{self.switch.port}"
        return Sipp(folder, scenario(*steps), remote, service=to, fields=[row], timeout=90)

    def change(self, changes: str = "") -> None:
        """Lay this over the settings and reload; nothing takes back what was laid before."""
        self.switch.lay_over(changes)
        where = f"http://127.0.0.1:{self.switch.http_port}/v1/reload"
        with urllib.request.urlopen(urllib.request.Request(where, method="POST")) as answered:
            assert json.load(answered)["changes"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder, web = tmp_path_factory.mktemp("office") / "switch", Web()
    folder.mkdir()
    for name, tone in SOUNDS.items():
        write_tone(folder / f"{name}.wav", tone, 1.2)
    today = dt.date.today()
    dates = {
        "other_day": f"{today + dt.timedelta(days=3):%a}",
        "last_week": today - dt.timedelta(days=7),
        "next_week": today + dt.timedelta(days=7),
    }
    write_tone(folder / "short.wav", SHORT, 0.3)
    changes = CHANGES.replace("{web}", str(web.port)) + RULES.format(**dates)
    changes += "".join(f'[prompts.{name}]\nfile = "short.wav"\n' for name in SAID_SHORT)
    switch = ExampleOffice(folder, '[switch]\ndomain = "office.test"\n' + changes)
    with serving(switch), LivePhones() as phones:
        people = [phones.phone(switch.account(number), tone) for number, tone in TONES.items()]
        yield Office(switch, phones, web, *people)
    web.close()


@pytest.fixture
def office(whole: Office) -> Iterator[Office]:
    yield whole
    whole.phones.hang_up_all()


def last_record(office: Office, number: str) -> dict[str, Any]:
    """The record of the latest call in which `number` took part, once it is over."""
    rows = told(office.switch, "records", "--number", number, "--limit", "1")["records"]
    found: dict[str, Any] = told(office.switch, "records", "--call", rows[0]["id"])
    return found


# -- sound -------------------------------------------------------------------------------------


def test_p8_p9_who_is_held_hears_offers_between_the_music(office: Office) -> None:
    """The playlist of whoever holds, round and round."""
    desk, anna = two_talk(office.desk, office.anna)
    desk.hears(ANNA)
    anna.hold()
    desk.hears(JINGLE).hears(OFFER).hears(JINGLE)
    anna.resume()
    desk.hears(ANNA)


def test_i3_a_prompt_without_its_file_is_said_in_the_next_language(office: Office) -> None:
    """One warning at `check` names the file; who is spoken to in Russian hears it in English."""
    warned = [
        line for line in office.switch.command("check").stdout.splitlines() if "absent" in line
    ]
    assert len(warned) == 1 and warned[0].startswith("warning: prompts.hello.file.ru")
    assert warned[0].endswith("callers hear it in another language instead")
    director = office.phones.phone(office.switch.account("104"), 1600)
    director.calls("501").hears(HELLO)
    office.phones.hang_up_all()
    director.leave()


# -- rules and look-ups ------------------------------------------------------------------------


def test_a11_a12_a_rule_by_digits_time_weekday_and_date_leads_to_a_queue(office: Office) -> None:
    """Our own number, dialled inside: rules of another day and of the past do not fire."""
    call = office.guest.calls("84951234567").hears(ASK).press("4711#")
    until(lambda: office.anna.is_rung or office.boris.is_rung, "an agent's phone")
    agent = office.anna if office.anna.is_rung else office.boris
    agent.takes().hears(GUEST)
    call.hears(agent.tone).hang_up()
    record = last_record(office, "106")
    assert record["line"] == "74951234567" and record["details"]["rule"] == "large"
    assert record["details"]["fields"] == {"account": "4711"}
    other = office.guest.calls("84951234567").hears(ASK).press("5000#").over()
    assert last_record(office, "106")["cause"] == "declined", other


def test_a12_rules_lead_to_a_menu_and_to_an_operator(office: Office) -> None:
    office.anna.calls("+74950000002").hears(HELLO)
    call = office.boris.dial("74950000002")
    office.desk.takes().hears(BORIS)
    call.hears(DESK)


def test_a13_a15_the_customers_list_sets_route_greeting_and_name(office: Office) -> None:
    """Over HTTP, on a call in progress; who calls is shown by name before the answer."""
    call = office.guest.calls("74950000002").hears(HELLO)
    ringing = office.boris.rings()
    assert ringing.shown == '"Olga" <sip:106@office.test>'
    ringing.answer()
    call.hears(BORIS)
    assert ("/who?number=106", "") in office.web.asked


def test_a13_a_list_that_is_too_slow_is_not_waited_for(office: Office) -> None:
    call = office.guest.dial("74950000003")
    office.desk.takes().hears(GUEST)
    call.hears(DESK)
    assert "no answer within 0.3 s" in office.switch.command("status").stdout


def test_a11_a_rule_for_inside_decides_what_a_colleague_dials(office: Office) -> None:
    call = office.guest.dial("104")
    office.anna.takes().hears(GUEST)
    call.hears(ANNA)


# -- features as modules -----------------------------------------------------------------------


def test_p35_features_codecs_and_trunks_come_and_go_while_two_talk(
    office: Office, tmp_path: Path
) -> None:
    """By reload; the call beside them notices nothing."""
    desk, anna = two_talk(office.desk, office.anna)
    office.guest.calls("*43").hears(GUEST).hang_up()
    office.guest.dial("84951110000").over("404")
    office.change('[codes]\necho = ""\n[extensions.103]\ncodecs = ["g722"]\n')
    office.guest.dial("*43").over("404")
    office.boris.dial("106").over("488")
    port = free_ports()
    office.change(
        '[classes.visitor]\ndial = "anywhere"\ntrunks = "gate"\n'
        '[extensions.106]\nclass = "visitor"\n'
        f'[trunks.gate]\nserver = "sip:127.0.0.1:{port}"\nping = 0\n'
    )
    answers = [expect("INVITE"), answer(200, "OK", sdp()), expect("ACK"), *accept_bye()]
    with Sipp(tmp_path / "gate", scenario(*answers), port=port, timeout=90) as gate:
        gate.listening()
        office.guest.calls("84951110000").hang_up()
        assert "INVITE sip:84951110000@" in gate.passes()
    office.change()
    office.guest.calls("*43").hears(GUEST).hang_up()
    office.guest.dial("84951110000").over("404")
    office.guest.dial("103")
    office.boris.takes().hears(GUEST)
    desk.hears(ANNA)
    anna.hears(DESK)


# -- conferences -------------------------------------------------------------------------------


def enter(office: Office, phone: LivePhone, pin: str = "") -> LiveTalk:
    """Dial the board's room, type its pin, say one's name and end it by a key."""
    folder = office.switch.folder / "data" / "conferences"
    before = set(folder.glob("*.wav"))
    talk = phone.calls("800").press(pin)
    until(lambda: set(folder.glob("*.wav")) - before, f"a name that {talk} says")
    time.sleep(0.6)
    return talk.press("#")


def test_p14_who_comes_and_goes_is_announced_by_name(office: Office) -> None:
    """The leader has muted everybody, so that only the names can be heard."""
    leader = enter(office, office.desk)
    until(lambda: told(office.switch, "conferences"), "a room")
    leader.press("5")
    enter(office, office.anna, "7#")
    leader.has_heard(ANNA)
    boris = enter(office, office.boris, "7#")
    leader.has_heard(BORIS)
    leader.hears_nothing().forget()
    boris.hang_up()
    leader.has_heard(BORIS)
    assert leader.is_up


# -- lamps, pickup, presence, messages ---------------------------------------------------------


def subscribe(event: str, number: int, extra: str = "") -> str:
    """A SUBSCRIBE; the first two make the dialog."""
    wanted = f"Event: {event}\nExpires: 600\n{extra}"
    return send(request("SUBSCRIBE", number, dialog=False, extra=wanted), retrans=True)


def subscribed(event: str) -> list[str]:
    """A SUBSCRIBE that is challenged, and what the 200 makes of it."""
    return [subscribe(event, 1), recv(401, auth=True), subscribe(event, 2, AUTHORIZED), recv(200)]


def notified(*states: str) -> list[str]:
    """A NOTIFY for each of these texts, in this order."""
    return [step for state in states for step in (expect("NOTIFY", matching=state), done())]


def test_lamps_tell_of_a_queue_a_mode_and_a_park_slot(office: Office, tmp_path: Path) -> None:
    """A queue's lamp blinks while somebody waits there."""
    dark = "<state>terminated"
    with ExitStack() as phones:
        lamps: list[Sipp] = []
        for number, lit in (("700", "early"), ("*93", "confirmed"), ("71", "confirmed")):
            steps = [*subscribed("dialog"), *notified(dark, f"<state>{lit}", dark), REFERENCE]
            lamp = office.sipp(tmp_path / f"lamp-{len(lamps)}", *steps, user="107", to=number)
            lamps.append(phones.enter_context(lamp))
        until(lambda: all(map(dark_is_known, lamps)), "three dark lamps")
        waiting = office.guest.calls("700")
        office.desk.calls("*93").hears_voice().over()
        parked = office.desk.calls("*68")
        until(lambda: all(map(lit_is_known, lamps)), "three lit lamps")
        waiting.hang_up()
        parked.hang_up()
        office.desk.calls("*93").hears_voice().over()
        for lamp in lamps:
            lamp.passes()


def dark_is_known(lamp: Sipp) -> bool:
    return "<state>terminated" in lamp.messages()


def lit_is_known(lamp: Sipp) -> bool:
    return re.search("<state>(early|confirmed)", lamp.messages()) is not None


def test_p12_a_lamp_key_takes_the_call_by_replaces(office: Office, tmp_path: Path) -> None:
    """SIPp watches 102's lamp, learns the dialog that rings, and sends INVITE with Replaces."""
    steps = [*subscribed("dialog"), *notified("terminated", "<state>early", "terminated")]
    with office.sipp(tmp_path / "lamp", *steps, REFERENCE, user="107", to="102") as lamp:
        until(lambda: dark_is_known(lamp), "a dark lamp")
        call = office.desk.dial("102")
        ringing = office.anna.rings()
        until(lambda: lit_is_known(lamp), "a lamp that blinks")
        words = dict(re.findall(r' (call-id|local-tag|remote-tag)="([^"]+)"', lamp.messages()))
        replaces = "{call-id};to-tag={local-tag};from-tag={remote-tag}".format_map(words)
        picks = invited(extra=f"Replaces: {replaces}")
        steps = [*picks, recv(180, optional=True), recv(200), ack(2), *accept_bye()]
        with office.sipp(tmp_path / "key", *steps, user="107", to="102") as key:
            call.up()
            ringing.over()
            call.hang_up()
            key.passes()
        lamp.passes()


def test_presence_that_a_phone_publishes_is_told_to_who_watches(
    office: Office, tmp_path: Path
) -> None:
    steps = [*subscribed("presence"), *notified("closed", "open", "closed", "open"), REFERENCE]
    with office.sipp(tmp_path / "watcher", *steps, user="107", to="108") as watcher:
        until(lambda: "NOTIFY" in watcher.messages(), "a first state")
        with Baresip(
            office.switch.account("108"), tmp_path / "108",
            options="answermode=manual;pubint=600", extra="module_app presence.so",
        ) as phone:  # fmt: skip
            phone.registered()
            until(lambda: "<basic>open" in watcher.messages(), "somebody who is there")
            phone.command("presence_offline")
            watcher.until(lambda: watcher.messages().count("<basic>closed") == 2, "who is away")
            phone.command("presence_online")
            watcher.passes()


def test_a_message_is_kept_for_one_who_is_not_there(office: Office, tmp_path: Path) -> None:
    body = "lunch at one"

    def message(number: int, extra: str = "") -> str:
        head = request("MESSAGE", number, dialog=False, extra=extra)
        return send(head, body, retrans=True, content_type="text/plain")

    steps = [message(1), recv(401, auth=True), message(2, AUTHORIZED), recv(202)]
    with office.sipp(tmp_path / "writer", *steps, user="107", to="108") as writer:
        writer.passes()
    takes = [expect("MESSAGE", matching=body), answer(200, "OK"), REFERENCE]
    with Sipp(tmp_path / "reader", scenario(*takes), timeout=90) as reader:
        reader.listening()
        register(office.switch.account("108"), reader.port)
        assert "From: <sip:107@" in reader.passes()
        register(office.switch.account("108"), reader.port, expires=0)


def test_p7_the_lamp_of_a_phone_that_did_not_ask_is_lit(office: Office, tmp_path: Path) -> None:
    """When it registers, and when a message comes (RFC 3842, unsolicited)."""
    takes = scenario(expect("NOTIFY"), answer(200, "OK"))
    account = office.switch.account("110")
    with Sipp(tmp_path / "lamp", takes, calls=2, timeout=90) as lamp:
        lamp.listening()
        register(account, lamp.port)
        until(lambda: "Messages-Waiting: no" in lamp.messages(), "a dark lamp")
        caller = office.guest.calls("*99110").hears_voice().press("#")
        recorded = office.switch.folder / "data" / "voicemail" / "110"
        until(lambda: list(recorded.glob("*.wav")), "a message that is being recorded")
        time.sleep(1.5)
        caller.hang_up()
        assert "Voice-Message: 1/0" in lamp.passes()
        register(account, lamp.port, expires=0)


# -- doors -------------------------------------------------------------------------------------


def test_p19_a_door_is_opened_over_http_by_one_who_may(office: Office) -> None:
    """The password goes with it; who may not is refused, and both stand in the record."""
    outside = office.door.dial("1")
    inside = office.boris.takes()
    inside.hears(DOOR).press("9")
    office.switch.wait_for_output('"by": "103", "result": "refused"')
    assert not [path for path, _ in office.web.asked if path == "/open"]
    inside.hang_up()
    outside.over()
    outside = office.door.dial("1")
    inside = office.anna.takes()
    inside.hears(DOOR).press("9")
    until(lambda: ("/open", "Basic YWRtaW46ZG9vcg==") in office.web.asked, "a lock that opens")
    office.switch.wait_for_output('"by": "102", "result": "opened"')
    inside.hang_up()
    kinds = [each["kind"] for each in last_record(office, "109")["events"]]
    assert "door-opened" in kinds


def test_p19_a_door_is_opened_by_info_by_one_who_may(office: Office, tmp_path: Path) -> None:
    opens = [expect("INFO", matching="Signal=5"), done(), *accept_bye(), REFERENCE]
    steps = [*invited(), recv(180, optional=True), recv(200), ack(), *opens]
    with office.sipp(tmp_path / "yard", *steps, user="107", to="1") as outside:
        ringing = office.desk.rings()
        office.boris.takes().press("9")
        office.switch.wait_for_output('"door": "yard", "by": "103", "result": "refused"')
        office.phones.hang_up_all()
        ringing.over()
        assert "INFO sip:" not in outside.messages()
    with office.sipp(tmp_path / "again", *steps, user="107", to="1") as outside:
        office.desk.takes().press("9")
        office.switch.wait_for_output('"door": "yard", "by": "101", "result": "opened"')
        office.phones.hang_up_all()
        outside.passes()


# -- rung back ---------------------------------------------------------------------------------


def test_p32_who_waits_for_a_busy_colleague_is_listed_and_rung_back(office: Office) -> None:
    boris, desk = two_talk(office.boris, office.desk)
    office.guest.calls("*66101").hears_voice().over()
    [wish] = told(office.switch, "recalls")
    assert (wish["extension"], wish["number"], wish["waits_for"]) == ("106", "101", "colleague")
    boris.hang_up()
    desk.over()
    back = office.guest.takes()
    office.desk.takes().hears(GUEST)
    back.hears(DESK)
    assert told(office.switch, "recalls") == []
