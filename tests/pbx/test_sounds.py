"""What says a prompt: files, texts and shipped ones, in the wished language or another (I3, I4)."""

import asyncio
from pathlib import Path
from unittest.mock import patch

import pytest

from config.sound import SpeechTable
from media.items import File, Item, Prompt, Tone
from softswitch.pbx.sounds import Sounds, filled
from softswitch.pbx.speech import ENGINES, EspeakNg, Speech, SpeechError, find_engine
from tests.pbx.world import World, in_world, settings_of
from tests.support.studio import studio_media


class Parrot:
    """An engine that writes what it is told; "?" is beyond it."""

    spoken: list[tuple[str, str]]

    def __init__(self, settings: SpeechTable) -> None:
        self.spoken = []

    async def speak(self, text: str, language: str, path: Path) -> None:
        self.spoken.append((text, language))
        if text == "?":
            raise SpeechError("no word for it")
        await asyncio.to_thread(path.write_text, text)


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    for name in ("both-en", "both-ru", "only-en"):
        (tmp_path / f"{name}.wav").touch()
    settings = settings_of(
        f"""
[switch]
data = "{tmp_path}"
[speech]
engine = "parrot"
[prompts.both]
file = {{ en = "{tmp_path}/both-en.wav", ru = "{tmp_path}/both-ru.wav" }}
[prompts.only]
file = {{ en = "{tmp_path}/only-en.wav" }}
[prompts.gone]
file = "{tmp_path}/gone.wav"
text = {{ en = "Hello {{caller}}", ru = "Привет" }}
[prompts.welcome]
text = "Our own welcome"
[prompts.mute]
text = "?"
""",
        extensions=1,
    )
    return Sounds(settings, studio_media()[0])


def say(sounds: Sounds, name: str, language: str | None = None) -> Item | str | None:
    """A file's contents where it was spoken, else the item."""
    with patch.dict(ENGINES, parrot=Parrot):
        found = asyncio.run(sounds.say(name, language, {"caller": "101"}))
    if isinstance(found, File) and "speech" in found.path:
        return Path(found.path).read_text()
    return found


def test_a_file_in_the_wished_language_comes_first(sounds: Sounds, tmp_path: Path) -> None:
    assert say(sounds, "both", "ru") == File(f"{tmp_path}/both-ru.wav")
    assert say(sounds, "both") == File(f"{tmp_path}/both-en.wav")


def test_then_one_in_another_language(sounds: Sounds, tmp_path: Path) -> None:
    assert say(sounds, "only", "ru") == File(f"{tmp_path}/only-en.wav")


def test_then_the_text_synthesised(sounds: Sounds) -> None:
    assert say(sounds, "gone", "ru") == "Привет"
    assert say(sounds, "gone", "de") == "Hello 101"


def test_a_prompt_of_ones_own_hides_the_shipped_one(sounds: Sounds) -> None:
    assert say(sounds, "welcome") == "Our own welcome"
    assert say(sounds, "goodbye", "ru") == Prompt("goodbye", "ru")
    assert say(sounds, "goodbye", "de") == Prompt("goodbye", "en")


def test_what_nothing_says_is_left_out(sounds: Sounds) -> None:
    assert say(sounds, "nothing-of-that-name") is None
    assert say(sounds, "mute") is None


def test_a_text_is_spoken_once_and_then_kept(tmp_path: Path) -> None:
    engine = Parrot(SpeechTable())
    with patch.dict(ENGINES, parrot=lambda _: engine):
        speech = Speech(SpeechTable(engine="parrot"), tmp_path)
        first = asyncio.run(speech.say("Hello", "en"))
        again = Speech(SpeechTable(engine="parrot"), tmp_path)
        second = asyncio.run(again.say("Hello", "en"))

    assert first == second == again.kept("Hello", "en")
    assert engine.spoken == [("Hello", "en")]
    assert Speech(SpeechTable(engine="parrot", rate=200), tmp_path).kept("Hello", "en") is None


def test_an_engine_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SpeechError, match="there are espeak-ng"):
        find_engine(SpeechTable(engine="espeek"))


def test_a_program_that_is_missing_costs_the_text_only(tmp_path: Path) -> None:
    speech = Speech(SpeechTable(), tmp_path / "speech")
    with patch("asyncio.create_subprocess_exec", side_effect=FileNotFoundError("espeak-ng")):
        assert asyncio.run(speech.say("Hello", "en")) is None
    assert isinstance(find_engine(SpeechTable()), EspeakNg)


def test_variables_are_filled_in_and_unknown_ones_left_out() -> None:
    assert filled("Call {a} or {b}, {c.d}", {"a": "1"}) == "Call 1 or , {c.d}"


@in_world('[switch]\ncountry = "RU"')
async def test_tones_are_those_of_the_country(world: World) -> None:
    board = world.switch.board
    assert board.ringback._items == (Tone("ringback", "ru"),)
    world.switch.apply(settings_of('[switch]\ncountry = "GB"', 1))
    assert board.ringback._items == (Tone("ringback", "gb"),)


def test_shuffled_music_is_the_same_to_all_of_a_run(tmp_path: Path) -> None:
    names = [f"{letter}.wav" for letter in "abcdefghijklmnop"]
    for name in names:
        (tmp_path / name).touch()
    text = f'[music.NAME]\nfolder = "{tmp_path}"\nshuffle = true\n'
    tables = text.replace("NAME", "one") + text.replace("NAME", "other")
    sounds = Sounds(settings_of(tables, extensions=1), studio_media()[0])

    one, other = sounds._tracks("one"), sounds._tracks("other")
    assert one == sounds._tracks("one") != other
    assert {item.path for item in one if isinstance(item, File)} == {
        str(tmp_path / name) for name in names
    }
