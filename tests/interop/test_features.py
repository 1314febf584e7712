"""The example office as its people use it: every feature with real phones, told by ear.

One switch runs `config/office.toml` for all tests of this page; six phones (baresip as a
library) have a tone each.  What is laid over the example only makes waiting shorter.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from aiosmtpd.controller import Controller

from media.g711 import decode_ulaw
from tests.interop.phones import Baresip
from tests.interop.phones.live import LivePhone, LivePhones, LiveTalk, two_talk, until
from tests.interop.ports import free_ports
from tests.interop.sound import share_of, write_tone
from tests.interop.switch import ExampleOffice, serving, told
from tests.interop.wires import Wires
from tests.support import phone as scripted

pytestmark = pytest.mark.interop

CHANGES = """
[groups.office]
ring_time = 4
[park]
recall = 8
[transfer]
recall = 5
[extensions.101]
ring_time = 4
[extensions.102]
ring_time = 3
email = "anna@office.test"
[extensions.103]
ring_time = 3
[extensions.104]
record = "incoming"
language = "ru"
follow_me = { targets = ["extension:103"], after = 3 }
[extensions.106]
name = "Guest"
password = "secret-106"
[extensions.107]
password = "secret-107"
[extensions.108]
password = "secret-108"
[conferences.board]
pin_tries = 1
[conferences.review]
number = "801"
moderators = ["104"]
wait_for_moderator = true
record = true
[groups.greeted]
number = "603"
members = ["103"]
greeting = "hello"
[prompts.hello]
file = { en = "hello-en.wav", ru = "hello-ru.wav" }
[groups.turn]
number = "601"
members = ["101", "102", "103"]
ring = "in-turn"
ring_time = 1.5
overflow = "play:unavailable"
[groups.memory]
number = "602"
members = ["101", "102"]
ring = "memory"
ring_time = 1.5
"""
MULTICAST, SPEAKER_PORT = "239.255.77.7", free_ports()
HELLO = {"en": 1000, "ru": 1200}
"""Hz of a greeting in each language."""
README = Path(__file__).parents[2] / "README.md"
TONES = {"101": 440, "102": 660, "103": 880, "104": 550, "105": 1100, "106": 1400}
DESK, ANNA, BORIS, DIRECTOR, DOOR, GUEST = TONES.values()


class Office(NamedTuple):
    """The switch and its people."""

    switch: ExampleOffice
    phones: LivePhones
    letters: list[str]
    """What the mail server was given."""
    desk: LivePhone
    anna: LivePhone
    boris: LivePhone
    director: LivePhone
    door: LivePhone
    guest: LivePhone


class MailServer:
    """Takes every letter."""

    def __init__(self) -> None:
        self.letters: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        self.letters.append(envelope.content.decode())
        return "250 thanks"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office") / "switch"
    folder.mkdir()
    for language, tone in HELLO.items():
        write_tone(folder / f"hello-{language}.wav", tone, 1.0)
    mail = MailServer()
    post = Controller(mail, hostname="127.0.0.1", port=free_ports())
    post.start()
    server = f'[mail]\nserver = "127.0.0.1"\nport = {post.port}\nencryption = "none"\n'
    speakers = f'[paging.hall]\nnumber = "651"\nmulticast = ["{MULTICAST}:{SPEAKER_PORT}"]\n'
    switch = ExampleOffice(folder, CHANGES + speakers + server)
    with serving(switch), LivePhones() as phones:
        people = [phones.phone(switch.account(number), tone) for number, tone in TONES.items()]
        yield Office(switch, phones, mail.letters, *people)
    post.stop()


@pytest.fixture
def office(whole: Office) -> Iterator[Office]:
    yield whole
    whole.phones.hang_up_all()


# -- the tour ----------------------------------------------------------------------------------


def test_the_readme_s_tour_is_walked_with_two_phones(office: Office) -> None:
    desk, anna = office.desk, office.anna
    walked = {"102", "500", "600", "700", "800", "**101", "*97", "*68", "71"}
    walked |= {"*72102", "*73", "*43", "*60"}
    table = README.read_text(encoding="utf-8").partition("also answers at")[2].partition("In a")[0]
    assert set(re.findall(r"`([*\d]+)`", table)) <= walked

    call, answered = two_talk(desk, anna)
    call.hears(ANNA)
    answered.hears(DESK).hang_up()
    call.over()
    menu = anna.calls("500").hears_voice().press("0")
    desk.takes().hears(ANNA)
    menu.hears(DESK).hang_up()
    group = anna.dial("600")
    desk.takes().hears(ANNA)
    group.hang_up()
    queue = desk.calls("700").hears_voice()
    until(lambda: anna.is_rung or office.boris.is_rung, "an agent's phone")
    queue.hang_up()
    enter(office, desk).hears_voice().press("#").over()
    anna.calls("*97").hears_voice().hang_up()
    parked = anna.calls("*68").hears_voice()
    desk.calls("71").hears(ANNA).hang_up()
    parked.over()
    anna.calls("*43").hears_voice().hears(ANNA).hang_up()
    anna.calls("*60").hears_voice().hang_up()


def test_a14_number_and_name_are_shown_before_the_answer(office: Office) -> None:
    office.guest.dial("101")
    assert office.desk.rings().shown == '"Guest" <sip:106@office.example>'


# -- groups ------------------------------------------------------------------------------------


def test_p3_d6_all_members_ring_and_the_first_answer_wins(office: Office) -> None:
    call = office.director.dial("600")
    ringing = [phone.rings() for phone in (office.desk, office.anna, office.boris)]
    ringing[1].answer()
    for other in (ringing[0], ringing[2]):
        other.over()
    call.hears(ANNA)


def test_d5_who_talks_is_not_rung(office: Office) -> None:
    two_talk(office.desk, office.anna)
    call = office.director.dial("600")
    office.boris.takes()
    call.hears(BORIS)
    assert not office.desk.is_rung and not office.anna.is_rung


def test_d4_members_ring_one_after_another_then_the_overflow(office: Office) -> None:
    call = office.director.dial("601")
    for phone, others in (
        (office.desk, (office.anna, office.boris)),
        (office.anna, (office.boris,)),
        (office.boris, ()),
    ):
        ringing = phone.rings()
        assert not any(other.is_rung for other in others)
        ringing.over()
    call.up().hears_voice()


def test_p3_one_more_member_rings_with_every_turn(office: Office) -> None:
    office.director.dial("602")
    first = office.desk.rings()
    assert not office.anna.is_rung
    office.anna.takes().hears(DIRECTOR)
    first.over()


def test_p3_a_member_leaves_by_code_and_comes_back(office: Office) -> None:
    office.boris.calls("*48").hears_voice().over()
    call = office.director.dial("600")
    office.desk.rings()
    office.anna.takes()
    call.hears(ANNA)
    assert not office.boris.is_rung
    office.boris.calls("*48").hears_voice().over()


# -- hold, consultation, transfer --------------------------------------------------------------


def test_p9_who_is_held_hears_music_and_then_the_other_again(office: Office) -> None:
    desk, anna = two_talk(office.desk, office.anna)
    desk.hears(ANNA)
    anna.hold()
    desk.hears_voice()
    anna.resume()
    desk.hears(ANNA)
    anna.hears(DESK)


def test_p10_p11_a_consultation_by_the_phone_s_own_keys(office: Office) -> None:
    """Hold, a second call, swap, and REFER with Replaces."""
    desk, first = two_talk(office.desk, office.anna)
    first.hold()
    second = office.anna.dial("103")
    boris = office.boris.takes()
    boris.hears(ANNA)
    second.hold()
    first.resume()
    desk.hears(ANNA)
    boris.hears_voice()
    done = first.transfer_to(second)
    desk.hears(BORIS)
    boris.hears(DESK)
    done.result(10)
    second.over()


def test_p11_a_blind_transfer_by_refer(office: Office) -> None:
    desk, anna = two_talk(office.desk, office.anna)
    done = anna.transfer("103")
    boris = office.boris.takes()
    done.result(10)
    desk.hears(BORIS)
    boris.hears(DESK)


def test_p11_a_transfer_to_a_busy_phone_gives_the_call_back(office: Office) -> None:
    desk, anna = two_talk(office.desk, office.anna)
    done = anna.transfer("105")
    office.door.rings().reject()
    with pytest.raises(Exception, match="486"):
        done.result(10)
    desk.hears(ANNA)


def test_p11_an_unanswered_transfer_by_one_who_has_gone_comes_back(office: Office) -> None:
    desk, anna = two_talk(office.desk, office.anna)
    anna.transfer("105")
    office.door.rings()
    anna.hang_up()
    back = office.anna.takes()
    back.hears(DESK)
    desk.hears(ANNA)


def test_p11_a_transfer_to_a_queue_a_menu_and_a_box(office: Office) -> None:
    for number in ("700", "500", "*99102"):
        desk, anna = two_talk(office.desk, office.anna)
        anna.transfer(number).result(10)
        desk.hears_voice()
        anna.over()
        desk.hang_up()


def test_p10_p11_a_consultation_by_keys_ends_in_a_transfer(office: Office) -> None:
    desk, anna = two_talk(office.desk, office.anna)
    anna.press("*2")
    desk.hears_voice()
    anna.press("103#")
    boris = office.boris.takes()
    boris.hears(ANNA)
    anna.press("*2")
    desk.hears(ANNA)
    boris.hears_voice()
    anna.hang_up()
    desk.hears(BORIS)


def test_p14_three_talk_by_keys(office: Office) -> None:
    desk, anna = two_talk(office.desk, office.anna)
    anna.press("*2103#")
    boris = office.boris.takes()
    boris.hears(ANNA)
    anna.press("*3")
    desk.hears(ANNA, BORIS)
    anna.hears(DESK, BORIS)
    boris.hears(DESK, ANNA)


def test_p11_a_blind_transfer_by_key(office: Office) -> None:
    desk, anna = two_talk(office.desk, office.anna)
    anna.press("#103#")
    boris = office.boris.takes()
    anna.over()
    desk.hears(BORIS)
    boris.hears(DESK)


# -- forwarding, do not disturb, follow-me -----------------------------------------------------


def test_forwarding_by_code(office: Office) -> None:
    office.anna.calls("*72103").hears_voice().over()
    call = office.desk.dial("102")
    office.boris.takes()
    call.hears(BORIS)
    call.hang_up()
    office.anna.calls("*73").hears_voice().over()
    two_talk(office.desk, office.anna)


def test_forwarding_when_busy_and_when_nobody_answers(office: Office) -> None:
    """102 sends callers to its box, 103 to the front desk (the example's settings)."""
    busy = office.desk.dial("102")
    office.anna.rings().reject()
    busy.up().hears_voice()
    unanswered = office.director.dial("103")
    office.boris.rings()
    office.desk.takes()
    unanswered.hears(DESK)


def test_do_not_disturb_by_code(office: Office) -> None:
    office.boris.calls("*78").hears_voice().over()
    office.desk.dial("103").over("486")
    office.boris.calls("*79").hears_voice().over()
    two_talk(office.desk, office.boris)


def test_p22_a_call_is_transferred_to_a_handset_wherever_it_is(office: Office) -> None:
    """103 registers from another base; whoever transfers dials the same number."""
    desk, anna = two_talk(office.desk, office.anna)
    office.boris.leave()
    elsewhere = office.phones.phone(office.switch.account("103"), BORIS, transport="tcp")
    anna.transfer("103")
    elsewhere.takes().hears(DESK)
    desk.hears(BORIS)
    office.phones.hang_up_all()
    elsewhere.leave()
    office.boris.come_back()


def test_p22_another_phone_of_the_same_person_joins_in(office: Office) -> None:
    call = office.desk.dial("104")
    office.director.rings()
    office.boris.takes()
    call.hears(BORIS)


# -- pickup and park ---------------------------------------------------------------------------


def test_p12_a_ringing_call_is_taken_from_another_phone(office: Office) -> None:
    call = office.director.dial("102")
    ringing = office.anna.rings()
    taken = office.boris.calls("**102")
    ringing.over()
    call.hears(BORIS)
    taken.hears(DIRECTOR)


def test_p13_the_group_takes_what_has_rung_longest(office: Office) -> None:
    first = office.director.dial("101")
    office.desk.rings()
    second = office.guest.dial("102")
    office.anna.rings()
    office.boris.calls("*8").hears(DIRECTOR)
    first.hears(BORIS)
    assert not second.ended


def test_p17_a_parked_call_is_fetched_from_any_phone(office: Office) -> None:
    guest, anna = two_talk(office.director, office.anna)
    anna.transfer("*68").result(10)
    guest.hears_voice()
    office.boris.calls("71").hears(DIRECTOR)
    guest.hears(BORIS)


def test_p17_a_page_tells_everybody_that_a_call_waits(office: Office) -> None:
    """Switched on in the running switch, which touches no call."""
    office.switch.command("set", "park.page", "floor")
    told(office.switch, "reload")
    guest, anna = two_talk(office.guest, office.anna)
    anna.transfer("*68").result(10)
    office.boris.takes().hears_voice().hang_up()
    office.boris.calls("71").hears(GUEST)
    guest.hears(BORIS)
    office.switch.command("unset", "park.page")
    told(office.switch, "reload")


def test_p17_a_parked_call_returns_to_who_parked_it(office: Office) -> None:
    guest, anna = two_talk(office.director, office.anna)
    anna.transfer("*68").result(10)
    office.anna.takes().hears(DIRECTOR)
    guest.hears(ANNA)


# -- paging, intercom, doors -------------------------------------------------------------------


def test_p18_p19_the_door_rings_a_group_and_a_digit_opens(office: Office) -> None:
    outside = office.door.dial("1")
    assert office.desk.rings().shown == '"Front door" <sip:105@office.example>'
    inside = office.anna.takes()
    inside.hears(DOOR)
    inside.press("9")
    until(lambda: "1" in outside.keys, "the digit that opens the lock")
    office.switch.wait_for_output('"result": "opened"')


def test_p19_who_may_not_open_is_refused_and_logged(office: Office) -> None:
    outside = office.door.dial("1")
    inside = office.boris.takes()
    inside.hears(DOOR)
    inside.press("9")
    office.switch.wait_for_output('"result": "refused"')
    assert "1" not in outside.keys


def test_p16_a_page_is_heard_on_idle_phones_and_busy_ones_are_spared(office: Office) -> None:
    """Our phones do not open their loudspeaker by themselves, so somebody lifts the handset."""
    desk, _ = two_talk(office.desk, office.director)
    voice = office.guest.dial("650")
    anna, boris = office.anna.rings(), office.boris.rings()
    assert anna.is_opened and boris.is_opened
    anna.answer()
    boris.answer()
    voice.up()
    anna.hears(GUEST)
    boris.hears(GUEST)
    voice.hears_nothing()
    desk.hears(DIRECTOR)
    assert not office.desk.is_rung
    voice.hang_up()
    anna.over()


def test_p15_a_page_is_heard_on_multicast_speakers(office: Office) -> None:
    with speaker() as heard:
        voice = office.guest.dial("651").up()
        packets = [heard.recv(2048) for _ in range(60)]
        voice.hang_up()
    assert {(packet[0], packet[1] & 0x7F) for packet in packets} == {(0x80, 0)}  # RTP, PCMU
    said = decode_ulaw(np.frombuffer(b"".join(packet[12:] for packet in packets[-20:]), np.uint8))
    energy = np.abs(np.fft.rfft(said * np.hanning(len(said))))
    assert abs(int(energy.argmax()) * 8000 / len(said) - GUEST) < 10


def speaker() -> socket.socket:
    """A multicast speaker on the loopback."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.settimeout(10.0)
    opened.bind((MULTICAST, SPEAKER_PORT))
    here = socket.inet_aton("127.0.0.1")
    membership = struct.pack("4s4s", socket.inet_aton(MULTICAST), here)
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return opened


def test_p16_an_intercom_opens_one_phone_both_ways(office: Office) -> None:
    desk = office.desk.dial("*80102")
    anna = office.anna.takes()
    desk.hears(ANNA)
    anna.hears(DESK)


# -- several devices -----------------------------------------------------------------------


def test_p36_two_phones_of_one_extension_ring_and_a_second_call_is_refused(office: Office) -> None:
    """104 has `second_call = "busy"`."""
    second = office.phones.phone(office.switch.account("104"), DIRECTOR)
    call = office.desk.dial("104")
    ringing = office.director.rings()
    second.takes().hears(DESK)
    ringing.over()
    call.hears(DIRECTOR)
    office.guest.calls("104").hears_voice()  # the box
    assert not office.director.is_rung and not second.is_rung
    office.phones.hang_up_all()
    second.leave()


# -- recording -----------------------------------------------------------------------------


def test_r2_r8_both_are_told_and_the_call_is_recorded(office: Office) -> None:
    call = office.guest.dial("104")
    director = office.director.takes()
    call.hears_voice()
    director.hears_voice()
    call.hears(DIRECTOR)
    director.hears(GUEST)
    time.sleep(1.2)
    call.hang_up()
    director.over()
    [row] = told(office.switch, "records", "--number", "104", "--limit", "1")["records"]
    record = told(office.switch, "records", "--call", row["id"])
    kinds = [event["kind"] for event in record["events"]]
    assert kinds.index("recording-notice") < kinds.index("recording")
    file = Path(record["recording"])
    assert row["id"] in file.name
    assert share_of(file, GUEST, 0) > 0.9 and share_of(file, DIRECTOR, 1) > 0.9
    two_talk(office.guest, office.desk)
    office.phones.hang_up_all()
    [row] = told(office.switch, "records", "--number", "101", "--limit", "1")["records"]
    assert row["recording"] is None


# -- conferences -------------------------------------------------------------------------------


def enter(office: Office, phone: LivePhone) -> LiveTalk:
    """Dial the board's room and type its pin."""
    talk = phone.calls("800").hears_voice()
    pin = office.switch.tables.unwrap()["conferences"]["board"]["pin"]
    return talk.press(f"{pin}#")


def test_p14_a_wrong_pin_lets_nobody_in(office: Office) -> None:
    office.desk.calls("800").hears_voice().press("99#").over()


def test_p14_r2_r8_members_wait_for_the_moderator_and_are_recorded(office: Office) -> None:
    anna = office.anna.calls("801")
    until(lambda: rooms(office), "a room with somebody in it")
    anna.hears_voice()
    leader = office.director.calls("801")
    anna.hears(DIRECTOR)
    leader.hears(ANNA)
    time.sleep(1.0)
    anna.hang_up()
    leader.press("#").over()
    [file] = (office.switch.folder / "data" / "recordings").rglob("conference-review-*.wav")
    until(lambda: min(share_of(file, ANNA), share_of(file, DIRECTOR)) > 0.02, "both on the tape")


def rooms(office: Office) -> list[Any]:
    found: list[Any] = told(office.switch, "conferences")
    return found


def test_p14_everybody_hears_everybody_else_and_a_moderator_leads(office: Office) -> None:
    desk = enter(office, office.desk)
    enter(office, office.anna)
    leader = office.director.calls("800")
    leader.hears(DESK, ANNA)
    desk.hears(ANNA, DIRECTOR)
    desk.press("1")
    leader.hears(ANNA)
    desk.press("1")
    leader.hears(DESK, ANNA)
    leader.press("3")
    late = enter(office, office.boris)
    late.over()
    leader.press("3").hears_voice().hears(DESK, ANNA)
    leader.press("0").hears_voice()
    leader.press("103#")
    office.boris.takes().hears(DESK, ANNA, DIRECTOR)
    leader.press("7")
    leader.hears(DESK, ANNA)


def test_p14_a_room_is_steered_by_command(office: Office) -> None:
    desk, director = office.desk.calls("801"), office.director.calls("801")
    director.hears(DESK)
    told(office.switch, "conferences", "review", "mute", "101")
    director.hears_nothing()
    told(office.switch, "conferences", "review", "invite", "102")
    office.anna.takes().hears(DIRECTOR)
    told(office.switch, "conferences", "review", "kick", "102")
    told(office.switch, "conferences", "review", "end")
    desk.over()
    director.over()


# -- the attendant's desk ----------------------------------------------------------------------


def test_d1_an_attendant_sees_everybody_and_hands_a_call_on_by_one_command(office: Office) -> None:
    guest, desk = two_talk(office.guest, office.desk)
    states = {row["number"]: row["state"] for row in told(office.switch, "extensions")}
    assert states["101"] == states["106"] == "talking"
    assert states["102"] == "free" and states["107"] == "away"
    [call] = told(office.switch, "calls")
    told(office.switch, "transfer", call["id"], "102")
    anna = office.anna.takes()
    desk.over()
    guest.hears(ANNA)
    anna.hears(GUEST)


def test_d2_callers_of_the_attendant_wait_in_order(office: Office) -> None:
    first, second = office.guest.dial("710"), office.director.dial("710")
    desk = office.desk.takes()
    desk.hears(GUEST)
    second.up().hears_voice()
    desk.hang_up()
    first.over()
    desk = office.desk.takes()
    desk.hears(DIRECTOR)
    second.hears(DESK)


def test_d3_a_callback_is_filed_and_closed_by_a_call(office: Office) -> None:
    filed = told(office.switch, "callbacks", "103", "106", "--note", "asks for a price")
    [shown] = told(office.switch, "callbacks", "103")
    assert (shown["number"], shown["note"], shown["closed_at"]) == ("106", "asks for a price", None)
    two_talk(office.boris, office.guest)
    office.phones.hang_up_all()
    assert told(office.switch, "callbacks", "103") == []
    [closed] = told(office.switch, "callbacks", "103", "--closed")
    assert closed["id"] == filed["id"] and closed["call"]


def test_d7_who_lets_it_ring_is_told_by_the_report(office: Office) -> None:
    call = office.guest.dial("601")
    office.desk.rings().over()
    office.anna.takes()
    call.hears(ANNA).hang_up()

    def counted() -> bool:
        rows = {row["member"]: row for row in told(office.switch, "groups", "turn", "report")}
        return {"101", "102"} <= rows.keys() and bool(
            rows["101"]["ignored"] and rows["102"]["answered"] and rows["102"]["share"]
        )

    until(counted, "a report that counts both")


def test_r2_a_call_is_recorded_by_command_and_found_by_its_id(office: Office) -> None:
    guest, desk = two_talk(office.guest, office.desk)
    [call] = told(office.switch, "calls")
    told(office.switch, "record", call["id"])
    guest.hears_voice().hears(DESK)
    time.sleep(1.2)
    told(office.switch, "record", call["id"], "pause")
    told(office.switch, "record", call["id"], "resume")
    told(office.switch, "record", call["id"], "stop")
    guest.hears_voice()
    guest.hang_up()
    desk.over()
    where = f"http://127.0.0.1:{office.switch.http_port}/v1/records/{call['id']}/sound"
    path = office.switch.folder / "fetched.wav"
    with urllib.request.urlopen(where) as answer:
        path.write_bytes(answer.read())
    assert share_of(path, GUEST, 0) > 0.5 and share_of(path, DESK, 1) > 0.5


# -- menus -------------------------------------------------------------------------------------


def test_p6_i2_i7_a_tree_collects_digits_and_leads_to_a_group(office: Office) -> None:
    """Down, back, down, further down, typed ahead: three levels and whoever answers."""
    call = office.guest.calls("500").press("3*314711#")
    office.boris.takes().hears(GUEST)
    call.hears(BORIS)
    [shown] = told(office.switch, "calls")
    call.hang_up()
    record = told(office.switch, "records", "--call", shown["id"])
    assert record["details"]["fields"] == {"account": "4711"}


def test_p4_a16_an_announcement_and_an_extension_dialled_meanwhile(office: Office) -> None:
    office.guest.calls("500").press("103")
    office.boris.takes().hears(GUEST).hang_up()
    office.guest.calls("500").press("32").hears_voice()

    def is_told() -> bool:
        doing = {row["doing"] for row in told(office.switch, "calls")}
        return bool(doing & {"play:closed", "voicemail:101"})

    until(is_told, "an announcement, then the box")


def test_a15_a_greeting_comes_before_the_ringing_in_the_caller_s_language(office: Office) -> None:
    for caller, language in ((office.guest, "en"), (office.director, "ru")):
        call = caller.calls("603").hears(HELLO[language])
        office.boris.takes()
        call.hears(BORIS).hang_up()


# -- voicemail ---------------------------------------------------------------------------------


def leave_message(office: Office, length: float) -> None:
    """The guest calls 102, who refuses, and talks to the box."""
    call = office.guest.dial("102")
    office.anna.rings().reject()
    call.up()
    time.sleep(0.3)
    call.press("#")  # the greeting is cut short
    time.sleep(0.7 + length)
    call.hang_up()


def boxes(office: Office, box: str) -> list[Any]:
    found: list[Any] = told(office.switch, "voicemail", box)
    return found


def test_p7_i8_a_message_lights_the_lamp_is_mailed_heard_forwarded_and_deleted(
    office: Office, tmp_path: Path
) -> None:
    lamp = Baresip(
        office.switch.account("102"),
        tmp_path / "102",
        options="answermode=manual;audio_codecs=PCMA",
        extra="module_app mwi.so",
    )
    with lamp:
        lamp.registered()
        leave_message(office, 2.0)
        lamp.wait_for_output("Messages-Waiting: yes")
        until(lambda: office.letters, "a letter with the message")
        assert "audio/" in office.letters[0]
        owner = office.anna.calls("*97").hears_voice()
        time.sleep(0.5)
        owner.press("1")  # cuts the counts short
        time.sleep(0.5)
        owner.press("1")  # new messages
        time.sleep(0.5)
        owner.press("#")  # cuts the envelope short: the message itself
        owner.hears(GUEST)
        owner.press("5")
        time.sleep(0.5)
        owner.press("101#")
        until(lambda: boxes(office, "101"), "a copy in the other box")
        until(lambda: owner.press("3") and not boxes(office, "102"), "an empty box")
        owner.hang_up()
        lamp.wait_for_output("Messages-Waiting: no")
    [copy] = boxes(office, "101")
    assert copy["heard_at"] is None and copy["caller"] == "106"


def test_p7_a_greeting_recorded_by_phone_greets_the_next_caller(office: Office) -> None:
    owner = office.anna.calls("*96").hears_voice()
    greeting = office.switch.folder / "data" / "voicemail" / "102" / "new-greeting.wav"
    until(greeting.exists, "a greeting that is being recorded")
    time.sleep(1.5)
    owner.press("#")
    until(lambda: owner.press("1") and not greeting.exists(), "a greeting that is kept")
    owner.hang_up()
    call = office.guest.dial("102")
    office.anna.rings().reject()
    call.up().hears(ANNA)
    (greeting.parent / "greeting.wav").unlink()


# -- lamps, presence, messages -----------------------------------------------------------------


def test_lamps_presence_and_messages(office: Office) -> None:
    """Scripted phones watch and write, since the real ones here do neither; a real one calls."""
    asyncio.run(watch_and_write(office))


async def watch_and_write(office: Office) -> None:
    switch, wires = office.switch, Wires()
    anna, boris = (
        scripted.Phone(
            wires,
            ("127.0.0.1", switch.port),
            number,
            ("127.0.0.1", free_ports()),
            domain=switch.domain,
            password=switch.account(number).password,
        )
        for number in ("107", "108")
    )
    await anna.register()
    lamp, view = await anna.watch("108"), await anna.watch("108", "presence")
    slot = await anna.watch("71")
    await scripted.until(lambda: lamp.notes and view.notes and slot.notes)
    assert "terminated" in lamp.last and "closed" in view.last
    assert (await anna.message("108", "for later")).status == 202
    await boris.register()
    await scripted.until(lambda: "open" in view.last)
    await scripted.until(lambda: boris.requests)
    talk = boris.dial("*43")
    await scripted.until(lambda: "confirmed" in lamp.last and "on-the-phone" in view.last)
    talk.hang_up()
    await scripted.until(lambda: "terminated" in lamp.last)
    parked = boris.dial("*68")
    await scripted.until(lambda: "confirmed" in slot.last)
    parked.hang_up()
    await scripted.until(lambda: "confirmed" not in slot.last)
    assert (await anna.message("108", "at once")).status == 200
    assert [each.body for each in boris.requests if each.method == "MESSAGE"] == [
        b"for later",
        b"at once",
    ]
    wires.close()
