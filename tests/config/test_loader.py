"""The loader: every mistake at once, each with its key and its repair."""

import tomllib
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from config import ConfigError, Settings, examine, load
from config.loader import read

MINIMAL = """
[switch]
domain = "office.example"
[extensions.101]
password = "s3cret-101"
"""


def problems(text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Errors of a settings file, as the administrator reads them; warnings left out."""
    _, found = read(tomllib.loads(text), Path("/etc"), environ or {})
    return [str(problem) for problem in found if not problem.warning]


def warnings(text: str) -> list[str]:
    _, found = read(tomllib.loads(text), Path("/etc"), {})
    return [str(problem) for problem in found if problem.warning]


def settings(text: str, environ: dict[str, str] | None = None) -> Settings:
    made, found = read(tomllib.loads(text), Path("/etc"), environ or {})
    assert made is not None, found
    return made


def test_an_empty_file_is_a_switch_with_defaults() -> None:
    made = settings("")

    assert [str(listen) for listen in made.sip.listen] == ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]
    assert made.switch.data == Path("/etc/var")


def test_relative_paths_lie_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "office.toml").write_text('[switch]\ndata = "state"\n')

    made = load(tmp_path / "office.toml")

    assert made.switch.data == tmp_path / "state"
    assert made.switch.socket == tmp_path / "state" / "switch.sock"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[sip]\nlisen = []", "sip.lisen: unknown setting; did you mean listen?"),
        ("[switch]\nxyzzy = 1", "switch.xyzzy: unknown setting; take it out"),
        ("[queues.sales]\nringtime = 3", "did you mean ring_time?"),
        ("[extensions.101]\nclas = 'a'", "extensions.101.clas: unknown setting; did you mean"),
        ("[media]\nworkers = '2'", 'media.workers: must be a whole number, not "2"'),
        ("[media]\nworkers = true", "media.workers: must be a whole number, not true"),
        ("[media]\nworkers = 0", "media.workers: must be at least 1, not 0"),
        ("[media]\nports = '9-3'", "a range lies within 1024-65535"),
        ("[media]\nbackend = 'io_urin'", "did you mean io_uring?"),
        ("[sip]\nlisten = ['udp:::1:5060']", "put an IPv6 address in brackets"),
        ("[sip]\nlisten = ['udp:localhost:5060']", "takes an IP address, not a host name"),
        ("[sip]\nlisten = []", "names no address; add listen"),
        ("[switch]\ntimezone = 'Mars/Base'", "is no time zone"),
        ("[api]\nlisten = '0.0.0.0:80'", "so a token is needed"),
        ("[trunks.a]", "trunks.a.server: is required; add server = …"),
        ("[trunks.a]\nserver = 'x y'", "is no SIP address"),
        ("[modes]\nday = 'Mon-Fry 9:00-18:00'", "write it as Mon-Fri 09:00-18:00"),
        ("[lines.1]\nany = 'sales'", '"sales" is no target; kinds are extension, '),
        ("[lines.1]\nany = '101'", 'did you mean "extension:101"?'),
        ("[lines.1]\nany = 'queu:a'", 'did you mean "queue"?'),
        ("[lines.1]\nany = 'hangup:bsy'", "has no such cause"),
        ("[lines.1]\nany = 'repeat'", "means something only in a menu"),
        ("[menus.a]\nnumber = '5'\nprompt = 'x'\nkeys = { 12 = 'repeat' }", "is not one key"),
        ("[menus.a]\nnumber = '5'", "a menu says something"),
        ("[agents.a]\nskills = { x = 11 }", "agents.a.skills.x: must be at most 10, not 11"),
        ("[queues.a]\nstrategy = 'longest'", "there is no strategy"),
        ("extensions = 5", "extensions: must be a table, not 5"),
        ("[queues.a]\nrequires = 'sales >'", "is not a requirement like"),
        ("[[rules]]\nname = 'x'", "the rule changes nothing"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_repair(text: str, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[extensions.1]\nclass = 'stuff'\n[classes.staff]", "did you mean staff?"),
        ("[agents.a]\nextension = '9'", 'agents.a.extension: there is no extension "9"'),
        ("[queues.a]\nagents = ['ana']\n[agents.anna]", "did you mean anna?"),
        ("[queues.a]\nskills = { fench = 3 }", 'no agent with the skill "fench"'),
        ("[queues.a]\nrequires = 'fench or sales'", 'no agent with the skill "fench"'),
        ("[classes.a]\ndial = ['lokal']\n[destinations]\nlocal = '7'", "did you mean local?"),
        ("[classes.a]\ntrunks = ['city']", 'there is no trunk "city"'),
        ("[lines.1]\nany = 'queue:sales'", 'lines.1.any: there is no queue "sales"'),
        ("[lines.1]\ndya = 'hangup:busy'\n[modes]\nday = 'Mon'", "did you mean day?"),
        ("[extensions.1]\nforward = { busy = 'voicemail:1' }", "extensions.1.voicemail = true"),
        ("[groups.g]\nnumber = '6'\nmembers = ['101']", 'there is no extension "101"'),
        ("[sites.n]\nprefix = '3'\ntrunk = 'z'", 'there is no trunk "z"'),
        ("[extensions.1]\nmusic = 'jaz'\n[music.jazz]", "did you mean jazz?"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error(text: str, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[extensions.700]\n[queues.q]\nnumber = '700'", "700 is already extensions.700"),
        ("[queues.q]\nnumber = '*97'", "codes.voicemail: *97 is already queues.q.number"),
        ("[extensions.71]", "71 is already extensions.71"),
        (
            "[[rules]]\nname = 'a'\npriority = 1\n[[rules]]\nname = 'a'\npriority = 2",
            "rules[1].name: a is already rules[0]",
        ),
        (
            "[extensions.101]\n[trunks.t]\nserver = 'sip:192.0.2.1'\n"
            "inbound_username = '101'\ninbound_password = 'x7kfq'",
            "trunks.t.inbound_username: 101 is already extensions.101",
        ),
        ("[groups.g]\nnumber = '**5'", "begins with codes.directed_pickup (**)"),
        ("[extensions.3001]\n[trunks.t]\nserver = 'sip:h'\n[sites.n]\nprefix = '3'\ntrunk = 't'",
         "lies among the numbers of this site"),
        ("[in_call]\nrecord = '*21'", 'begins with in_call.attended_transfer ("*2")'),
        ("[in_call]\nrecord = '*2'", "begins with in_call."),
    ],
)  # fmt: skip
def test_one_number_has_one_owner(text: str, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(text)), problems(text)


def test_a_circle_of_forwards_is_an_error() -> None:
    text = """
        [extensions.101]
        forward = { always = "extension:102" }
        [extensions.102]
        forward = { always = ["number:103"] }
        [extensions.103]
        forward = { always = "extension:101" }
    """
    (found,) = problems(text)

    assert "forward.always: leads in a circle: extension:" in found


def test_two_desks_that_stand_in_for_one_another_are_only_a_warning() -> None:
    text = """
        [extensions.101]
        forward = { busy = "extension:102" }
        [extensions.102]
        forward = { busy = "extension:101" }
    """
    assert problems(text) == []
    assert any("leads in a circle" in warning for warning in warnings(text))


def test_circles_lead_through_lines_and_numbers_of_ours() -> None:
    """In whatever form a line is written; what somebody must press a key for is no circle."""
    text = """
        [switch]
        country = "RU"
        [extensions.101]
        forward = { always = "number:84951234567" }
        voicemail = true
        [modes]
        day = "Mon-Fri 09:00-18:00"
        [lines.74951234567]
        day = "number:500"
        any = "extension:101"
        [lines.74957654321]
        any = "menu:night"
        full = "number:+74957654321"
        [menus.welcome]
        number = "500"
        prompt = "welcome"
        keys = { 1 = "menu:welcome" }
        no_input = "queue:sales"
        [menus.night]
        prompt = "welcome"
        keys = { 1 = "repeat" }
        no_input = "number:84957654321"
        [queues.sales]
        overflow = { to = ["voicemail:101", "number:500"] }
    """
    (found,) = problems(text)
    assert {"extension:101", "number:74951234567"} < set(found.replace(";", "").split())
    circles = [each.split("circle: ")[1] for each in warnings(text) if "circle" in each]
    assert len(circles) == 3
    assert any("menu:welcome" in each and "queue:sales" in each for each in circles)
    assert any("menu:night" in each and "number:74957654321" in each for each in circles)
    assert any(each.startswith("number:74957654321 → number:74957654321;") for each in circles)


def test_a_rule_that_would_take_all_that_extensions_dial_is_warned_of() -> None:
    rule = '[[rules]]\nname = "all"\ninside = true\nto = "extension:101"\n'
    (warned,) = [each for each in warnings("[extensions.101]\n" + rule) if "inside" in each]
    assert "rules[0].inside: decides whatever extensions dial" in warned
    narrow = f'[extensions.101]\n{rule}called = "2"'
    assert not [each for each in warnings(narrow) if "inside" in each]


def test_mistakes_of_form_do_not_hide_those_of_meaning() -> None:
    """What is faulty is cut out and the rest is checked; what was cut out is not missed."""
    text = """
        [media]
        workers = "2"
        [trunks.city]
        [classes.staff]
        trunks = ["city", "cty"]
        [extensions.101]
        class = "stuff"
    """
    found = problems(text)

    assert [problem.partition(":")[0] for problem in found] == [
        "media.workers",
        "trunks.city.server",
        "extensions.101.class",
        "classes.staff.trunks",
    ]


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    text = f"""
        [extensions.101]
        password = "${{P101}}"
        [extensions.102]
        password = {{ file = "{tmp_path}/secret" }}
    """
    made = settings(text, {"P101": "from-environment"})

    words = [e.password.get_secret_value() for e in made.extensions.values() if e.password]
    assert words == ["from-environment", "from-file"]
    assert "from-file" not in repr(made)


def test_a_secret_that_cannot_be_had_is_named() -> None:
    text = '[extensions.101]\npassword = "${P101}"\nha1 = { file = "gone" }'

    assert problems(text) == [
        "extensions.101.password: the environment has no variable P101; "
        "set it, or write the secret",
        "extensions.101.ha1: the secret's file /etc/gone cannot be read "
        "(No such file or directory)",
    ]


def test_a_password_that_everybody_knows_is_warned_of_off_the_loopback() -> None:
    text = '[extensions.101]\npassword = "change-me"\n'

    assert settings(text).extensions["101"].is_placeholder
    assert any("works from this machine only" in warning for warning in warnings(text))
    assert warnings(text + '[sip]\nlisten = ["udp:127.0.0.1:5060"]\n') == []


def test_load_raises_every_error_and_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    path.write_text('[sip]\nlisen = 1\n[media]\nworkers = 0\n[extensions.101]\npassword = "1234"\n')

    with pytest.raises(ConfigError) as raised:
        load(path)

    assert [problem.key for problem in raised.value.problems] == ["sip.lisen", "media.workers"]


@pytest.mark.parametrize("content", [b"[switch", b"\xff\xfe", None])
def test_a_file_that_is_no_toml_is_told_in_a_sentence(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "office.toml"
    if content is not None:
        path.write_bytes(content)

    made, (problem,) = examine(path)

    assert made is None
    assert str(path) in str(problem)


def test_a_file_from_windows_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "office.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())

    assert load(tmp_path / "office.toml").switch.domain == "office.example"


def test_a_sentence_is_one_line_of_bearable_length() -> None:
    """A value that is told back may be a certificate pasted into the wrong key."""
    (found,) = problems(f"[switch]\ntimezone = '''a\nb{'x' * 100_000}'''")

    assert found.startswith("switch.timezone: ")
    assert len(found) < 600
    assert "\n" not in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[sip]\nlisten = ["udp:0.0.0.0:5060", "udp:127.0.0.1:5060"]',
         "sip.listen[1]: port 5060 is sip.listen[0]'s already; choose another"),
        ('[sip]\nlisten = ["tcp:127.0.0.1:8080"]',
         "api.listen: port 8080 is sip.listen[0]'s already; choose another"),
        ('[media]\nports = "5000-6000"\n[sip]\nlisten = ["udp:0.0.0.0:5060"]',
         "sip.listen[0]: port 5060 lies within media.ports (5000-6000); choose one outside"),
        ('[sip]\nlisten = ["tls:0.0.0.0:5061"]\ntls = { certificate = "/nowhere.pem" }',
         "sip.tls.certificate: /nowhere.pem cannot be read (No such file or directory)"),
        (f'[sip]\nlisten = ["tls:0.0.0.0:5061"]\ntls = {{ certificate = "{__file__}" }}',
         f"sip.tls.certificate: {__file__} and its key do not fit, or are no PEM files"),
        ('[sip]\nlisten = ["ws:0.0.0.0:8088"]', "WebSocket is not served yet"),
        ('[records]\ndatabase = "mysql://root@localhost/x"',
         "records: database is no URL that we know; write it as sqlite://… or postgresql://…"),
        ('[destinations]\nlocal = "89"\nmobile = ["7", "89"]',
         'destinations.mobile: "89" belongs to destinations.local already'),
        ('[trunks.city]\nserver = "sip:192.0.2.1:99999"', "is no SIP address"),
        ('[trunks.city]\nserver = "sip:192.0.2.1;transport=sctp"', "transport is one of udp"),
        ('[sip]\nproduct = "a\\r\\nX: b"', "is not one line of text"),
        ('[queues.q]\nname = "a\\nb"', "is not one line of text"),
        ('[extensions.101]\npassword = "${HOME"', 'the "}" of "${NAME}" is missing'),
    ],
)  # fmt: skip
def test_what_would_fail_at_the_start_or_on_the_wire_is_told_before(
    text: str, sentence: str
) -> None:
    (found,) = problems(text)

    assert sentence in found


def test_listeners_that_are_not_in_each_others_way_are_good() -> None:
    text = """
        [sip]
        listen = ["udp:127.0.0.1:5060", "udp:127.0.0.2:5060", "tcp:127.0.0.1:5060",
            "udp:[::]:5060", "udp:127.0.0.1:0", "udp:127.0.0.3:0"]
    """
    assert problems(text) == []


def test_ten_thousand_extensions_load() -> None:
    text = "".join(f'[extensions.{n}]\npassword = "secret-{n}"\n' for n in range(10_000, 20_000))

    assert len(settings(text).extensions) == 10_000


SCALARS = st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["101", "a", "number", "hours", "file", "to"]), inner)
    ),
    max_leaves=8,
)


@hypothesis.settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from([*Settings.model_fields, "other"]), VALUES, max_size=4),
)
def test_whatever_a_file_holds_it_is_settings_or_sentences(document: dict[str, object]) -> None:
    """Any document: either settings, or at least one error; never an exception."""
    made, found = read(document, Path("/etc"), {})

    assert (made is None) == any(not problem.warning for problem in found)
